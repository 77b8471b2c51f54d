#include "twin.h"
#include <weir/testing.h>

static int pump(struct weir_memory_send_stream *send, struct weir_memory_receive_stream *receive, size_t max)
{
    int rc = weir_memory_stream_pump(send, receive, max);
    say("pump: %s", rc < 0 ? name(rc) : yes(rc));
    return 0;
}

static int receive_all(void *arg)
{
    char bytes[16];
    int n;
    while ((n = weir_receive_some(arg, bytes, sizeof bytes)) > 0)
        say("receiver: got %.*s %.1f", n, bytes, now());
    WEIR_TRY(n);
    say("receiver: end %.1f", now());
    return 0;
}

static int by_hand(void)
{
    struct weir_memory_send_stream send;
    struct weir_memory_receive_stream receive;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_send_stream_init(&send);
    weir_memory_receive_stream_init(&receive);
    pump(&send, &receive, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_all, &receive.stream);
        WEIR_DO(rc, weir_send_all(&send.stream, "abcdef", 6));
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        for (int i = 0; i < 3 && rc == 0; i++) {
            pump(&send, &receive, 1);
            rc = weir_sleep(WEIR_SECONDS(1));
        }
        pump(&send, &receive, 0);
        pump(&send, &receive, 0);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_send_all(&send.stream, "gh", 2));
        WEIR_DO(rc, weir_stream_close(&send.stream));
        for (int i = 0; i < 3; i++)
            pump(&send, &receive, 0);
    }
    weir_memory_send_stream_free(&send);
    weir_memory_receive_stream_free(&receive);
    return rc;
}

static int get_one(void *arg)
{
    char byte;
    return weir_memory_stream_get_data(arg, &byte, 1);
}

static int broken(void)
{
    struct weir_memory_send_stream send;
    struct weir_memory_receive_stream receive;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_send_stream_init(&send);
    weir_memory_receive_stream_init(&receive);
    WEIR_TRY(weir_send_all(&send.stream, "abc", 3));
    WEIR_TRY(weir_stream_close(&receive.stream));
    pump(&send, &receive, 1);
    pump(&send, &receive, 0);
    pump(&send, &receive, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_one, &send);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        pump(&send, &receive, 0);
        weir_nursery_cancel(&nursery);
    }
    weir_stream_abort(&send.stream);
    pump(&send, &receive, 0);
    weir_memory_send_stream_free(&send);
    weir_memory_receive_stream_free(&receive);
    return rc;
}

static struct weir_memory_stream_one_way_pair pair;

static int slow_pump(struct weir_memory_send_stream *half)
{
    say("hook: begins");
    WEIR_TRY(weir_sleep(WEIR_SECONDS(2)));
    return pump(half, &pair.receive, 0);
}

static int not_yet(struct weir_memory_send_stream *half)
{
    say("hook: not yet");
    return weir_sleep(WEIR_SECONDS(1));
}

static int before_receiving(struct weir_memory_receive_stream *half)
{
    say("hook: receives");
    return weir_sleep(0);
}

static int close_send(struct weir_memory_send_stream *half)
{
    say("hook: closes");
    return 0;
}

static int close_receive(struct weir_memory_receive_stream *half)
{
    say("hook: closes");
    return 0;
}

static int hooked(void)
{
    struct weir_stream *send = &pair.send.stream;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_memory_stream_one_way_pair_init(&pair);
    pair.send.send_all_hook = slow_pump;
    pair.send.wait_send_all_might_not_block_hook = not_yet;
    pair.send.close_hook = close_send;
    pair.receive.receive_some_hook = before_receiving;
    pair.receive.close_hook = close_receive;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_all, &pair.receive.stream);
        WEIR_DO(rc, weir_wait_send_all_might_not_block(send));
        say("sender: might not block %.1f", now());
        WEIR_DO(rc, weir_send_all(send, "xyz", 3));
        say("sender: sent %.1f", now());
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
            rc = weir_send_all(send, "late", 4);
        }
        say("sender: moved on %.1f", now());
        WEIR_DO(rc, weir_stream_close(send));
        pump(&pair.send, &pair.receive, 0);
        pump(&pair.send, &pair.receive, 0);
    }
    WEIR_TRY(rc);
    rc = weir_stream_close(&pair.receive.stream);
    weir_memory_stream_one_way_pair_free(&pair);
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(by_hand());
    WEIR_TRY(broken());
    return hooked();
}

TWIN(main_task)
