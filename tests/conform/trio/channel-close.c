#include "twin.h"

struct end {
    const char *who;
    struct weir_send_channel *send;
    struct weir_receive_channel *receive;
};

static int send_one(void *arg)
{
    struct end *end = arg;
    int message = 7, rc = weir_send(end->send, &message);
    if (rc == 0)
        say("%s: sent", end->who);
    else if (rc != -ECANCELED)
        say("%s: %s %.1f", end->who, name(rc), now());
    return rc == -ECANCELED ? rc : 0;
}

static int receive_one(void *arg)
{
    struct end *end = arg;
    int message, rc = weir_receive(end->receive, &message);
    if (rc == 0)
        say("%s: got %d", end->who, message);
    else if (rc != -ECANCELED)
        say("%s: %s %.1f", end->who, name(rc), now());
    return rc == -ECANCELED ? rc : 0;
}

static struct weir_send_channel send, send_clone;
static struct weir_receive_channel receive, receive_clone;

static int opened(size_t capacity)
{
    return weir_open_memory_channel(&send, &receive, capacity, sizeof(int), NULL, NULL);
}

/* An end's close wakes who waits on it, not who waits on its clone. */
static int close_one(void)
{
    struct end first = {"send", &send, NULL}, clone = {"clone", &send_clone, NULL}, last = {"receive", NULL, &receive};
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(opened(0));
    WEIR_TRY(weir_send_channel_clone(&send, &send_clone));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_one, &first);
        weir_start_soon(&nursery, send_one, &clone);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_send_channel_close(&send);
        weir_send_channel_close(&send);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_start_soon(&nursery, receive_one, &last);
    }
    WEIR_TRY(send_one(&(struct end){"closed", &send, NULL}));
    weir_send_channel_close(&send_clone);
    WEIR_TRY(receive_one(&(struct end){"end", NULL, &receive}));
    weir_receive_channel_close(&receive);
    return rc;
}

static int drain(void)
{
    WEIR_TRY(opened(5));
    for (int i = 1; i <= 2; i++)
        WEIR_TRY(weir_send_nowait(&send, &i));
    weir_send_channel_close(&send);
    for (int i = 0; i < 3; i++)
        WEIR_TRY(receive_one(&(struct end){"drain", NULL, &receive}));
    weir_receive_channel_close(&receive);
    return 0;
}

static int break_senders(void)
{
    struct end first = {"first", &send, NULL}, second = {"second", &send, NULL}, its = {"its", NULL, &receive_clone};
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(opened(0));
    WEIR_TRY(weir_receive_channel_clone(&receive, &receive_clone));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_one, &first);
        weir_start_soon(&nursery, receive_one, &its);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_start_soon(&nursery, send_one, &second);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_receive_channel_close(&receive);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_receive_channel_close(&receive_clone);
    }
    WEIR_TRY(send_one(&(struct end){"broken", &send, NULL}));
    weir_send_channel_close(&send);
    return rc;
}

static int main_task(void *arg)
{
    struct end one = {"one", NULL, &receive}, two = {"two", NULL, &receive};
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(close_one());
    WEIR_TRY(drain());
    WEIR_TRY(break_senders());
    WEIR_TRY(opened(0));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &one);
        weir_start_soon(&nursery, receive_one, &two);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_send_channel_close(&send);
    }
    weir_receive_channel_close(&receive);
    say("clone: %s", name(weir_send_channel_clone(&send, &send_clone)));
    say("clone: %s", name(weir_receive_channel_clone(&receive, &receive_clone)));
    return rc;
}

TWIN(main_task)
