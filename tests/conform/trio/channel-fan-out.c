#include "twin.h"

struct consumer {
    int number, limit, count;
    struct weir_receive_channel receive;
};

static int consume(void *arg)
{
    struct consumer *consumer = arg;
    int message, rc;
    while ((rc = weir_receive(&consumer->receive, &message)) == 0) {
        consumer->count++;
        if ((rc = weir_sleep(WEIR_SECONDS(1))) < 0 || consumer->count == consumer->limit)
            break;
    }
    weir_receive_channel_close(&consumer->receive);
    say("%d: %s", consumer->number, consumer->count == consumer->limit ? "left" : "end");
    return rc == -ENODATA ? 0 : rc;
}

static int start_consumers(struct weir_nursery *nursery, struct weir_receive_channel *receive,
                           struct consumer *consumers, int count)
{
    for (int i = 0; i < count; i++) {
        WEIR_TRY(weir_receive_channel_clone(receive, &consumers[i].receive));
        weir_start_soon(nursery, consume, &consumers[i]);
    }
    weir_receive_channel_close(receive);
    return 0;
}

static int main_task(void *arg)
{
    static struct consumer three[] = {{0, 1000}, {1, 2}, {2, 2}}, two[] = {{3, 2}, {4, 3}};
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    struct weir_nursery nursery;
    int sent = 0, rc = weir_open_memory_channel(&send, &receive, 0, sizeof sent, NULL, NULL);
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, start_consumers(&nursery, &receive, three, 3));
        for (int message = 0; message < 20 && rc == 0; message++)
            rc = weir_send(&send, &message);
        weir_send_channel_close(&send);
    }
    int total = three[0].count + three[1].count + three[2].count;
    say("main: %d [%d, %d, %d]", total, three[1].count, three[2].count, three[0].count);
    WEIR_TRY(weir_open_memory_channel(&send, &receive, 0, sizeof sent, NULL, NULL));
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, start_consumers(&nursery, &receive, two, 2));
        while ((rc = weir_send(&send, &sent)) == 0)
            sent++;
        if (rc == -EPIPE) {
            say("main: %s %d %.1f", name(rc), sent, now());
            rc = 0;
        }
    }
    weir_send_channel_close(&send);
    return rc;
}

TWIN(main_task)
