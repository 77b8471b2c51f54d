/* An unbounded channel never makes its sender wait. */
#include "twin.h"

static struct weir_send_channel send;
static struct weir_receive_channel receive;

static struct weir_channel_statistics statistics(void)
{
    struct weir_channel_statistics statistics;
    weir_receive_channel_statistics(&receive, &statistics);
    return statistics;
}

static int sender(void *arg)
{
    weir_with_send_channel (&send) {
        for (int number = 0; number < 1000; number++)
            WEIR_TRY(weir_send(&send, &number));
        say("sender: done %.1f %zu", now(), statistics().buffered);
    }
    return 0;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, number, total = 0;
    WEIR_TRY(weir_open_memory_channel(&send, &receive, WEIR_UNBOUNDED, sizeof(int), NULL, NULL));
    say("main: %s", yes(statistics().capacity == WEIR_UNBOUNDED));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sender, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_for_each_message (&receive, &number, rc) {
            total += number;
            if (number % 250 == 0) {
                say("main: %d %.1f %zu", number, now(), statistics().buffered);
                rc = weir_sleep(WEIR_SECONDS(1));
            }
        }
        say("main: %d", total);
    }
    weir_receive_channel_close(&receive);
    return rc;
}

TWIN(main_task)
