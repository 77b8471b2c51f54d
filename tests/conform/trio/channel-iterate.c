/* Iterating ends with the channel, or where its body or a closed end stops it. */
#include "twin.h"

static struct weir_send_channel send;
static struct weir_receive_channel receive;

static int producer(void *arg)
{
    weir_with_send_channel (&send)
        for (int number = 0; number < 3; number++) {
            WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
            WEIR_TRY(weir_send(&send, &number));
        }
    return 0;
}

static int iterate(const char *who, int stop)
{
    int number, rc = 0;
    weir_for_each_message (&receive, &number, rc) {
        say("%s: %d %.1f", who, number, now());
        if (number == stop)
            break;
    }
    if (rc == -ECANCELED)
        return rc;
    say("%s: %s %.1f", who, rc < 0 ? name(rc) : "end", now());
    return 0;
}

static int child(void *stop)
{
    return iterate("child", *(int *)stop);
}

static int closed(void *arg)
{
    return iterate("closed", -1);
}

static int open_with(size_t capacity)
{
    return weir_open_memory_channel(&send, &receive, capacity, sizeof(int), NULL, NULL);
}

static int main_task(void *arg)
{
    static int stops[] = {-1, 1};
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        WEIR_TRY(open_with(5));
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, producer, NULL);
            weir_start_soon(&nursery, child, &stops[i]);
        }
        WEIR_TRY(iterate("rest", -1));
        weir_receive_channel_close(&receive);
    }
    WEIR_TRY(open_with(0));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, closed, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_receive_channel_close(&receive);
    }
    WEIR_TRY(iterate("main", -1));
    weir_send_channel_close(&send);
    WEIR_TRY(open_with(0));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = iterate("cancelled", -1);
    say("main: %s", yes(scope.cancelled_caught));
    weir_send_channel_close(&send);
    weir_receive_channel_close(&receive);
    return rc;
}

TWIN(main_task)
