/* Trio's reference, "Managing multiple producers and/or multiple consumers"; who gets which message is not determined.
 */
#include "twin.h"

struct product {
    int number;
    char producer;
};

struct worker {
    char name;
    struct weir_send_channel send;
    struct weir_receive_channel receive;
};

static bool received[3][2];

static int produce(struct worker *worker)
{
    for (int i = 0; i < 3; i++) {
        struct product product = {i, worker->name};
        WEIR_TRY(weir_send(&worker->send, &product));
        WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    }
    return 0;
}

static int producer(void *arg)
{
    struct worker *worker = arg;
    int rc = produce(worker);
    weir_send_channel_close(&worker->send);
    say("%c: done", worker->name);
    return rc;
}

static int consumer(void *arg)
{
    struct worker *worker = arg;
    struct product product;
    int rc;
    while ((rc = weir_receive(&worker->receive, &product)) == 0) {
        received[product.number][product.producer - 'A'] = true;
        if ((rc = weir_sleep(WEIR_SECONDS(0.5))) < 0)
            break;
    }
    weir_receive_channel_close(&worker->receive);
    say("%c: done", worker->name);
    return rc == -ENODATA ? 0 : rc;
}

static int main_task(void *arg)
{
    static struct worker workers[] = {{.name = 'A'}, {.name = 'B'}, {.name = 'X'}, {.name = 'Y'}};
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    struct weir_nursery nursery;
    int rc = weir_open_memory_channel(&send, &receive, 0, sizeof(struct product), NULL, NULL);
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 4; i++) {
            WEIR_DO(rc, i < 2 ? weir_send_channel_clone(&send, &workers[i].send)
                              : weir_receive_channel_clone(&receive, &workers[i].receive));
            weir_start_soon(&nursery, i < 2 ? producer : consumer, &workers[i]);
        }
        weir_send_channel_close(&send);
        weir_receive_channel_close(&receive);
    }
    for (int i = 0; i < 3; i++)
        for (char from = 'A'; from <= 'B'; from++)
            if (received[i][from - 'A'])
                say("main: %d from producer %c", i, from);
    return rc;
}

TWIN(main_task)
