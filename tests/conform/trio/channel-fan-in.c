#include "twin.h"

struct message {
    int number, i;
};

struct producer {
    int number;
    struct weir_send_channel send;
};

static struct producer producers[] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};

static int produce(struct producer *producer, bool *returned)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(producer->number == 1 ? 3.5 : 100), rc) {
        for (int i = 0; i < producer->number + 3 && rc == 0; i++) {
            struct message message = {producer->number, i};
            rc = weir_send(&producer->send, &message);
            if (rc == 0)
                rc = weir_sleep(WEIR_SECONDS(1));
        }
        WEIR_DO(rc, rc);
        *returned = producer->number == 2;
        if (!*returned)
            say("%d: did all %.1f", producer->number, now());
    }
    return rc;
}

static int run_producer(void *arg)
{
    struct producer *producer = arg;
    bool returned = false;
    int rc = produce(producer, &returned);
    weir_send_channel_close(&producer->send);
    if (rc == 0 && !returned)
        say("%d: closed %.1f", producer->number, now());
    return rc;
}

static int start_producers(struct weir_nursery *nursery, struct weir_send_channel *send, int count)
{
    for (int i = 0; i < count; i++) {
        WEIR_TRY(weir_send_channel_clone(send, &producers[i].send));
        weir_start_soon(nursery, run_producer, &producers[i]);
    }
    return 0;
}

static int main_task(void *arg)
{
    struct weir_channel_statistics statistics;
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    struct weir_nursery nursery;
    struct message message;
    int counts[4] = {0}, rc = weir_open_memory_channel(&send, &receive, 2, sizeof message, NULL, NULL);
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, start_producers(&nursery, &send, 4));
        weir_send_channel_close(&send);
        while ((rc = weir_receive(&receive, &message)) == 0 && message.i == counts[message.number])
            counts[message.number]++;
        weir_receive_channel_close(&receive);
        if (rc == -ENODATA)
            rc = 0;
        say("main: end [%d, %d, %d, %d] %.1f", counts[0], counts[1], counts[2], counts[3], now());
    }
    WEIR_TRY(rc);
    WEIR_TRY(weir_open_memory_channel(&send, &receive, 0, sizeof message, NULL, NULL));
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, start_producers(&nursery, &send, 2));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(0.5)));
        rc = -EIO;
    }
    weir_send_channel_statistics(&send, &statistics);
    say("main: open %u", statistics.open_send_channels);
    weir_send_channel_close(&send);
    weir_receive_channel_close(&receive);
    return 0;
}

TWIN(main_task)
