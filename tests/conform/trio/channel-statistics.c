#include "twin.h"

static struct weir_send_channel send;
static struct weir_receive_channel receive, clone;

static void say_statistics(void)
{
    struct weir_channel_statistics s;
    weir_send_channel_statistics(&send, &s);
    say("%zu %zu %u %u %u %u", s.capacity, s.buffered, s.open_send_channels, s.open_receive_channels,
        s.tasks_waiting_send, s.tasks_waiting_receive);
}

static int send_one(void *arg)
{
    return weir_send(&send, arg);
}

static int receive_one(void *arg)
{
    int message;
    return weir_receive(arg, &message);
}

static int receive_two(void)
{
    int first, second;
    WEIR_TRY(weir_receive_nowait(&receive, &first));
    WEIR_TRY(weir_receive_nowait(&clone, &second));
    say("%d %d", first, second);
    say_statistics();
    return 0;
}

static int main_task(void *arg)
{
    static int messages[] = {0, 1, 2, 3};
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_open_memory_channel(&send, &receive, 2, sizeof(int), NULL, NULL));
    say_statistics();
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, send_one, &messages[i]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say_statistics();
        WEIR_DO(rc, weir_receive_channel_clone(&receive, &clone));
        say_statistics();
        WEIR_DO(rc, receive_two());
        WEIR_DO(rc, receive_two());
    }
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &clone);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say_statistics();
        weir_nursery_cancel(&nursery);
    }
    say_statistics();
    weir_receive_channel_close(&clone);
    say_statistics();
    weir_send_channel_close(&send);
    weir_receive_channel_close(&receive);
    return rc;
}

TWIN(main_task)
