#include "twin.h"

static struct weir_send_channel send;
static struct weir_receive_channel receive;

static int producer(void *arg)
{
    for (int i = 0; i < 8; i++) {
        WEIR_TRY(weir_send(&send, &i));
        say("producer: sent %d %.1f", i, now());
        WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    }
    weir_send_channel_close(&send);
    return 0;
}

static int consumer(void *arg)
{
    int i, rc;
    while ((rc = weir_receive(&receive, &i)) == 0) {
        WEIR_TRY(weir_sleep(WEIR_SECONDS(2.5)));
        say("consumer: had %d %.1f", i, now());
    }
    return rc == -ENODATA ? 0 : rc;
}

static int watcher(void *arg)
{
    for (;;) {
        struct weir_channel_statistics s;
        WEIR_TRY(weir_sleep(WEIR_SECONDS(3.25)));
        weir_receive_channel_statistics(&receive, &s);
        say("watcher: %zu waiting %u %u", s.buffered, s.tasks_waiting_send, s.tasks_waiting_receive);
    }
}

static int main_task(void *arg)
{
    static const size_t capacities[] = {0, 2, WEIR_UNBOUNDED};
    for (int i = 0; i < 3; i++) {
        struct weir_nursery watching, nursery;
        double start = now();
        int rc = weir_open_memory_channel(&send, &receive, capacities[i], sizeof(int), NULL, NULL);
        WEIR_TRY(rc);
        weir_with_nursery (&watching, rc) {
            weir_start_soon(&watching, watcher, NULL);
            weir_with_nursery (&nursery, rc) {
                weir_start_soon(&nursery, producer, NULL);
                weir_start_soon(&nursery, consumer, NULL);
            }
            weir_nursery_cancel(&watching);
        }
        say("main: %.1f", now() - start);
        weir_receive_channel_close(&receive);
        WEIR_TRY(rc);
    }
    return 0;
}

TWIN(main_task)
