/* The forms that do not wait: with and without a buffer, with somebody waiting at the other end, closed and broken. */
#include "twin.h"

static struct weir_send_channel send;
static struct weir_receive_channel receive;

static void put(int message)
{
    int rc = weir_send_nowait(&send, &message);
    if (rc == 0)
        say("main: sent %d", message);
    else
        say("main: %s", name(rc));
}

static void get(void)
{
    int message, rc = weir_receive_nowait(&receive, &message);
    if (rc == 0)
        say("main: got %d", message);
    else
        say("main: %s", name(rc));
}

static int receive_one(void *arg)
{
    int message;
    WEIR_TRY(weir_receive(&receive, &message));
    say("child: got %d", message);
    return 0;
}

static int send_one(void *arg)
{
    int message = 8;
    WEIR_TRY(weir_send(&send, &message));
    say("child: sent");
    return 0;
}

static int try_all(size_t capacity)
{
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_open_memory_channel(&send, &receive, capacity, sizeof(int), NULL, NULL));
    get();
    for (int message = 0; message < 3; message++)
        put(message);
    for (int i = 0; i < 3; i++)
        get();
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        put(9);
        put(10);
    }
    get();
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_one, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        get();
    }
    put(11);
    weir_send_channel_close(&send);
    put(12);
    get();
    get();
    weir_receive_channel_close(&receive);
    get();
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(try_all(0));
    WEIR_TRY(try_all(2));
    WEIR_TRY(weir_open_memory_channel(&send, &receive, 1, sizeof(int), NULL, NULL));
    weir_receive_channel_close(&receive);
    put(13);
    weir_send_channel_close(&send);
    return 0;
}

TWIN(main_task)
