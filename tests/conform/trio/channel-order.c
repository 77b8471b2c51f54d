#include "twin.h"

static struct weir_send_channel send;
static struct weir_receive_channel receive;
static int got[5];

static int send_one(void *arg)
{
    return weir_send(&send, arg);
}

static int receive_one(void *arg)
{
    return weir_receive(&receive, arg);
}

static void say_waiting(bool senders)
{
    struct weir_channel_statistics s;
    weir_send_channel_statistics(&send, &s);
    say("waiting %u %zu", senders ? s.tasks_waiting_send : s.tasks_waiting_receive, s.buffered);
}

static int say_received(int count)
{
    for (int i = 0; i < count; i++) {
        int message;
        WEIR_TRY(weir_receive_nowait(&receive, &message));
        printf("%s%d", i == 0 ? "[" : ", ", message);
    }
    say("]");
    return 0;
}

static int senders(struct weir_nursery *nursery)
{
    static int messages[] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int i = 0; i < 8; i++) {
        weir_start_soon(nursery, send_one, &messages[i]);
        WEIR_TRY(weir_checkpoint());
    }
    say_waiting(true);
    WEIR_TRY(say_received(2));
    say_waiting(true);
    return say_received(6);
}

static int receivers(struct weir_nursery *nursery)
{
    for (int i = 0; i < 5; i++) {
        weir_start_soon(nursery, receive_one, &got[i]);
        WEIR_TRY(weir_checkpoint());
    }
    for (int i = 0; i < 5; i++) {
        int message = 10 * i;
        WEIR_TRY(weir_send_nowait(&send, &message));
    }
    say_waiting(false);
    return 0;
}

static int main_task(void *arg)
{
    static const size_t capacities[] = {3, 0, 2};
    for (int round = 0; round < 3; round++) {
        struct weir_nursery nursery;
        int rc = weir_open_memory_channel(&send, &receive, capacities[round], sizeof(int), NULL, NULL);
        WEIR_TRY(rc);
        weir_with_nursery (&nursery, rc)
            rc = round == 0 ? senders(&nursery) : receivers(&nursery);
        weir_send_channel_close(&send);
        weir_receive_channel_close(&receive);
        if (round > 0)
            say("[(0, %d), (1, %d), (2, %d), (3, %d), (4, %d)]", got[0], got[1], got[2], got[3], got[4]);
        WEIR_TRY(rc);
    }
    return 0;
}

TWIN(main_task)
