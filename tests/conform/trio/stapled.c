#include "twin.h"
#include <string.h>

struct half {
    struct weir_stream stream;
    const char *title;
    int error;
};

static struct half *half_of(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct half, stream);
}

static int half_send_all(struct weir_stream *stream, const void *data, size_t size)
{
    say("%s: send_all %.*s", half_of(stream)->title, (int)size, (const char *)data);
    return weir_sleep(WEIR_SECONDS(1));
}

static int half_wait(struct weir_stream *stream)
{
    say("%s: wait_send_all_might_not_block", half_of(stream)->title);
    return weir_sleep(WEIR_SECONDS(1));
}

static int half_receive_some(struct weir_stream *stream, void *buffer, size_t size)
{
    say("%s: receive_some %zu", half_of(stream)->title, size);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    memset(buffer, 'r', size);
    return (int)size;
}

static int half_send_eof(struct weir_stream *stream)
{
    say("%s: send_eof", half_of(stream)->title);
    return weir_sleep(WEIR_SECONDS(1));
}

static int half_close(struct weir_stream *stream)
{
    say("%s: close", half_of(stream)->title);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return half_of(stream)->error;
}

static const struct weir_stream_ops half_ops = {.send_all = half_send_all,
                                                .wait_send_all_might_not_block = half_wait,
                                                .receive_some = half_receive_some,
                                                .close = half_close};
static const struct weir_stream_ops half_ops_with_eof = {.send_all = half_send_all,
                                                         .wait_send_all_might_not_block = half_wait,
                                                         .receive_some = half_receive_some,
                                                         .send_eof = half_send_eof,
                                                         .close = half_close};

static struct half sender, receiver;
static struct weir_stapled_stream stapled;

static struct weir_stream *staple(const struct weir_stream_ops *send, int send_error, int receive_error)
{
    sender = (struct half){{send}, "sender", send_error};
    receiver = (struct half){{&half_ops}, "receiver", receive_error};
    weir_stapled_stream_init(&stapled, &sender.stream, &receiver.stream);
    return &stapled.stream;
}

static int closing(struct weir_stream *stream)
{
    int rc = weir_stream_close(stream);
    if (rc == -ECANCELED)
        return rc;
    say("main: %s %.1f", rc < 0 ? name(rc) : "closed", now());
    return 0;
}

static int send_both(void *arg)
{
    return weir_send_all(arg, "both at once", 12);
}

static int receive_five(void *arg)
{
    char bytes[5];
    int n = weir_receive_some(arg, bytes, 5);
    return n < 0 ? n : 0;
}

static int main_task(void *arg)
{
    struct weir_stream *stream = staple(&half_ops_with_eof, 0, 0);
    struct weir_nursery nursery;
    struct weir_scope scope;
    char bytes[4];
    int n, rc = 0;
    WEIR_TRY(weir_send_all(stream, "foo", 3));
    WEIR_TRY(weir_wait_send_all_might_not_block(stream));
    WEIR_TRY(n = weir_receive_some(stream, bytes, 3));
    say("main: got %.*s", n, bytes);
    WEIR_TRY(weir_send_eof(stream));
    WEIR_TRY(closing(stream));

    stream = staple(&half_ops, 0, 0);
    WEIR_TRY(weir_send_eof(stream));
    say("main: half closed %.1f", now());
    WEIR_TRY(n = weir_receive_some(stream, bytes, 2));
    say("main: got %.*s", n, bytes);

    WEIR_TRY(closing(staple(&half_ops, -EIO, 0)));
    WEIR_TRY(closing(staple(&half_ops, 0, -ENOENT)));

    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        WEIR_DO(rc, closing(staple(&half_ops, 0, 0)));
        say("main: not here");
    }
    say("main: closed though cancelled %s", yes(scope.cancelled_caught));

    weir_move_on_after (&scope, WEIR_SECONDS(0.5), rc) {
        rc = closing(staple(&half_ops, 0, 0));
    }
    say("main: closed though cancelled %s %.1f", yes(scope.cancelled_caught), now());

    stream = staple(&half_ops, 0, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_both, stream);
        weir_start_soon(&nursery, receive_five, stream);
    }
    say("main: %.1f", now());
    return rc;
}

TWIN(main_task)
