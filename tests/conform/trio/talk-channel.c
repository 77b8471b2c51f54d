#include "twin.h"

static int sender(void *arg)
{
    struct weir_send_channel *chan = arg;
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = weir_send(chan, &i);
        say("sender: sent %d %.1f", i, now());
    }
    weir_send_channel_close(chan);
    return rc;
}

static int receiver(void *arg)
{
    struct weir_receive_channel *chan = arg;
    int msg, rc;
    while ((rc = weir_receive(chan, &msg)) == 0)
        say("receiver: received %d %.1f", msg, now());
    weir_receive_channel_close(chan);
    return rc == -ENODATA ? 0 : rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_open_memory_channel(&send, &receive, 2, sizeof(int), NULL, NULL));
        weir_start_soon(&nursery, sender, &send);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_start_soon(&nursery, receiver, &receive);
    }
    return rc;
}

TWIN(main_task)
