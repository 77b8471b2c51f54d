#include "twin.h"
#include <string.h>
#include <weir/testing.h>

struct told {
    const char *title;
    struct weir_stream *stream;
    struct weir_memory_send_stream *half;
};

static int tell(const char *title, int n, const char *bytes)
{
    if (n >= 0 && bytes != NULL)
        say("%s: %.*s", title, n, bytes);
    else
        say("%s: %s", title, name(n));
    return n;
}

static int tell_receive(const char *title, struct weir_stream *stream, size_t size)
{
    char bytes[128];
    return tell(title, weir_receive_some(stream, bytes, size), bytes);
}

static int tell_get(const char *title, struct weir_memory_send_stream *half)
{
    char bytes[128];
    return tell(title, weir_memory_stream_get_data(half, bytes, 10), bytes);
}

static int tell_send(const char *title, struct weir_stream *stream, const char *text)
{
    return tell(title, weir_send_all(stream, text, strlen(text)), NULL);
}

static int halves(void)
{
    struct weir_memory_send_stream send;
    struct weir_memory_receive_stream receive;
    char bytes[8];
    weir_memory_send_stream_init(&send);
    tell_send("halves", &send.stream, "12345");
    tell("halves", weir_memory_stream_get_data_nowait(&send, bytes, 2), bytes);
    tell_get("halves", &send);
    tell_send("halves", &send.stream, "");
    tell("halves", weir_memory_stream_get_data_nowait(&send, bytes, 8), bytes);
    tell("halves", weir_wait_send_all_might_not_block(&send.stream), NULL);
    tell_send("halves", &send.stream, "rest");
    tell("halves", weir_stream_close(&send.stream), NULL);
    tell_send("halves", &send.stream, "more");
    tell_get("halves", &send);
    tell_get("halves", &send);
    weir_memory_send_stream_free(&send);
    weir_memory_receive_stream_init(&receive);
    WEIR_TRY(weir_memory_stream_put_data(&receive, "abc", 3));
    tell_receive("halves", &receive.stream, 2);
    weir_memory_stream_put_eof(&receive);
    for (int i = 0; i < 3; i++)
        tell_receive("halves", &receive.stream, 2);
    tell("halves", weir_stream_close(&receive.stream), NULL);
    tell_receive("halves", &receive.stream, 2);
    weir_memory_receive_stream_free(&receive);
    return 0;
}

static int get_task(void *arg)
{
    struct told *told = arg;
    int n = tell_get(told->title, told->half);
    return n < 0 ? n : 0;
}

/* What Trio's `except Exception` lets through it does not tell: a cancellation. */
static int receive_task(void *arg)
{
    struct told *told = arg;
    char bytes[16];
    int n = weir_receive_some(told->stream, bytes, 10);
    if (n != -ECANCELED)
        tell(told->title, n, bytes);
    return n == -ECANCELED ? n : 0;
}

static int busy(void)
{
    struct weir_memory_send_stream send;
    struct weir_memory_receive_stream receive;
    struct weir_memory_stream_one_way_pair pair;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_send_stream_init(&send);
    weir_memory_receive_stream_init(&receive);
    struct told get = {.title = "get", .half = &send}, received = {.title = "receive", .stream = &receive.stream};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_task, &get);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        tell_get("get again", &send);
        weir_start_soon(&nursery, receive_task, &received);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        tell_receive("receive again", &receive.stream, 10);
        weir_stream_abort(&send.stream);
        weir_stream_abort(&receive.stream);
    }
    weir_memory_send_stream_free(&send);
    weir_memory_receive_stream_free(&receive);
    WEIR_TRY(rc);
    weir_memory_stream_one_way_pair_init(&pair);
    received = (struct told){.title = "cancelled receive", .stream = &pair.receive.stream};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_task, &received);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        weir_nursery_cancel(&nursery);
    }
    tell_send("after it", &pair.send.stream, "kept");
    tell_receive("after it", &pair.receive.stream, 10);
    weir_stream_abort(&pair.receive.stream);
    tell_send("broken", &pair.send.stream, "x");
    weir_memory_stream_one_way_pair_free(&pair);
    return rc;
}

static int echo(void *arg)
{
    struct weir_stream *stream = arg;
    char bytes[3];
    int n;
    while ((n = weir_receive_some(stream, bytes, sizeof bytes)) >= 0) {
        say("echo: got %.*s", n, bytes);
        if (n == 0)
            break;
        WEIR_TRY(weir_send_all(stream, bytes, (size_t)n));
    }
    WEIR_TRY(n);
    WEIR_TRY(weir_stream_close(stream));
    say("echo: ends");
    return 0;
}

static int say_received(struct weir_stream *stream)
{
    char bytes[100];
    int n = weir_receive_some(stream, bytes, sizeof bytes);
    if (n >= 0)
        say("client: got %.*s", n, bytes);
    return n < 0 ? n : 0;
}

static int pair(void)
{
    static const char *const texts[] = {"hello", "you", ""};
    struct weir_memory_stream_pair pair;
    struct weir_stream *left = &pair.ends[0].stream;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_stream_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, echo, &pair.ends[1].stream);
        for (int i = 0; i < 3 && rc == 0; i++) {
            rc = weir_send_all(left, texts[i], strlen(texts[i]));
            say("client: sent");
        }
        WEIR_DO(rc, say_received(left));
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        WEIR_DO(rc, say_received(left));
        WEIR_DO(rc, weir_send_eof(left));
        WEIR_DO(rc, say_received(left));
    }
    tell_send("client", left, "x");
    tell("client", weir_send_eof(left), NULL);
    tell("client", weir_stream_close(left), NULL);
    tell_receive("client", left, 1);
    weir_memory_stream_pair_free(&pair);
    return rc;
}

static int pump_slowly(struct weir_memory_send_stream *half)
{
    struct weir_memory_stream_pair *pair = half->hook_arg;
    int rc;
    while ((rc = weir_memory_stream_pump(half, &pair->ways[0].receive, 1)) > 0)
        WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return rc;
}

static int send_slowly(void *arg)
{
    struct weir_stream *left = arg;
    WEIR_TRY(weir_send_all(left, "12345", 5));
    say("sender: sent %.1f", now());
    return weir_send_eof(left);
}

static int trickle(void)
{
    struct weir_memory_stream_pair pair;
    struct weir_nursery nursery;
    char bytes[100];
    int n, rc = 0;
    weir_memory_stream_pair_init(&pair);
    pair.ways[0].send.send_all_hook = pump_slowly;
    pair.ways[0].send.hook_arg = &pair;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_slowly, &pair.ends[0].stream);
        while ((n = weir_receive_some(&pair.ends[1].stream, bytes, sizeof bytes)) > 0)
            say("receiver: %.*s %.1f", n, bytes, now());
        say("receiver: end %.1f", now());
        rc = n;
    }
    weir_memory_stream_pair_free(&pair);
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(halves());
    WEIR_TRY(busy());
    WEIR_TRY(pair());
    return trickle();
}

TWIN(main_task)
