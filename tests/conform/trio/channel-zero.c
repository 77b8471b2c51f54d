/* A rendezvous: the sender goes on when its message is taken. */
#include "twin.h"

static int sender(void *arg)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = weir_send(arg, &i);
        say("sender: %d %.1f", i, now());
    }
    weir_send_channel_close(arg);
    return rc;
}

static int receive_each_second(struct weir_receive_channel *receive)
{
    int message;
    for (;;) {
        WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
        int rc = weir_receive(receive, &message);
        if (rc == -ENODATA)
            return 0;
        WEIR_TRY(rc);
        say("main: %d %.1f", message, now());
    }
}

static int main_task(void *arg)
{
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_open_memory_channel(&send, &receive, 0, sizeof(int), NULL, NULL));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sender, &send);
        rc = receive_each_second(&receive);
    }
    say("main: end %.1f", now());
    weir_receive_channel_close(&receive);
    return rc;
}

TWIN(main_task)
