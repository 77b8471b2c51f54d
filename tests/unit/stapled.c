/* core/stream: two one-way streams stapled together. */
#include "../support/core.h"
#include <weir/testing.h>

/* A half that notes what is asked of it. */
struct half {
    struct weir_stream stream;
    const char *name;
    int answer; /* to close */
    bool freed; /* as some kinds are when they are closed: it must not be touched any more */
};

static struct half *half_of(struct weir_stream *stream)
{
    struct half *half = WEIR_CONTAINER_OF(stream, struct half, stream);
    cr_assert_not(half->freed, "%s was closed", half->name);
    return half;
}

static int note_receive(struct weir_stream *stream, void *buffer, size_t size)
{
    note("%s.receive_some(%zu)", half_of(stream)->name, size);
    memset(buffer, 'r', size);
    return (int)size;
}

static int note_send(struct weir_stream *stream, const void *data, size_t size)
{
    note("%s.send_all(%.*s)", half_of(stream)->name, (int)size, (const char *)data);
    return weir_sleep(WEIR_SECONDS(1));
}

static int note_wait(struct weir_stream *stream)
{
    note("%s.wait", half_of(stream)->name);
    return 0;
}

static int note_eof(struct weir_stream *stream)
{
    note("%s.send_eof", half_of(stream)->name);
    return 0;
}

static int note_close(struct weir_stream *stream)
{
    struct half *half = half_of(stream);
    note("%s.close", half->name);
    half->freed = true;
    return half->answer;
}

static void note_abort(struct weir_stream *stream)
{
    struct half *half = half_of(stream);
    note("%s.abort", half->name);
    half->freed = true;
}

static const struct weir_stream_ops ops = {.receive_some = note_receive,
                                           .send_all = note_send,
                                           .wait_send_all_might_not_block = note_wait,
                                           .close = note_close,
                                           .abort = note_abort};
static const struct weir_stream_ops ops_with_eof = {.receive_some = note_receive,
                                                    .send_all = note_send,
                                                    .wait_send_all_might_not_block = note_wait,
                                                    .send_eof = note_eof,
                                                    .close = note_close,
                                                    .abort = note_abort};

struct fixture {
    struct half send, receive;
    struct weir_stapled_stream stapled;
};

static struct weir_stream *staple(struct fixture *fixture, const struct weir_stream_ops *send)
{
    *fixture = (struct fixture){.send = {{send}, "s"}, .receive = {{&ops}, "r"}};
    weir_stapled_stream_init(&fixture->stapled, &fixture->send.stream, &fixture->receive.stream);
    return &fixture->stapled.stream;
}

TASK_TEST(stapled, each_call_goes_to_its_half)
{
    struct fixture fixture;
    struct weir_stream *stream = staple(&fixture, &ops_with_eof);
    char bytes[4];
    cr_expect_eq(weir_send_all(stream, "foo", 3), 0);
    cr_expect_eq(weir_wait_send_all_might_not_block(stream), 0);
    cr_expect_eq(weir_receive_some(stream, bytes, 4), 4);
    cr_expect_eq(weir_send_eof(stream), 0);
    cr_expect_eq(weir_stream_close(stream), 0);
    cr_expect_str_eq(notes, "s.send_all(foo) s.wait r.receive_some(4) s.send_eof s.close r.close");
    return 0;
}

TASK_TEST(stapled, a_half_that_cannot_half_close_is_closed)
{
    struct fixture fixture;
    struct weir_stream *stream = staple(&fixture, &ops);
    cr_expect_eq(weir_send_eof(stream), 0);
    cr_expect_eq(weir_send_eof(stream), 0, "again: nothing");
    cr_expect_eq(weir_send_all(stream, "foo", 3), -EBADF);
    cr_expect_eq(weir_wait_send_all_might_not_block(stream), -EBADF);
    cr_expect_eq(weir_receive_some(stream, &(char){0}, 1), 1);
    cr_expect_eq(weir_stream_close(stream), 0);
    cr_expect_str_eq(notes, "s.close r.receive_some(1) r.close");
    return 0;
}

TASK_TEST(stapled, closed_it_touches_its_halves_no_more)
{
    struct fixture fixture;
    struct weir_stream *stream = staple(&fixture, &ops);
    cr_expect_eq(weir_stream_close(stream), 0);
    cr_expect_eq(weir_stream_close(stream), 0, "again: nothing");
    weir_stream_abort(stream);
    cr_expect_eq(weir_send_all(stream, "foo", 3), -EBADF);
    cr_expect_eq(weir_send_eof(stream), -EBADF);
    cr_expect_eq(weir_receive_some(stream, &(char){0}, 1), -EBADF);
    cr_expect_str_eq(notes, "s.close r.close");
    return 0;
}

TASK_TEST(stapled, both_halves_are_closed_even_if_the_first_fails)
{
    static const int answers[][3] = {{-EIO, -ENOENT, -EIO},
                                     {-EIO, 0, -EIO},
                                     {0, -EIO, -EIO},
                                     {-ECANCELED, -EIO, -EIO},
                                     {-ECANCELED, 0, -ECANCELED},
                                     {0, -ECANCELED, -ECANCELED},
                                     {-EIO, -ECANCELED, -EIO}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct fixture fixture;
        struct weir_stream *stream = staple(&fixture, &ops);
        fixture.send.answer = answers[i][0];
        fixture.receive.answer = answers[i][1];
        notes[0] = '\0';
        cr_expect_eq(weir_stream_close(stream), answers[i][2], "of %d and %d", answers[i][0], answers[i][1]);
        cr_expect_str_eq(notes, "s.close r.close");
    }
    return 0;
}

TASK_TEST(stapled, an_abort_is_both_halves)
{
    struct fixture fixture;
    weir_stream_abort(staple(&fixture, &ops));
    cr_expect_str_eq(notes, "s.abort r.abort");
    return 0;
}

static int send_foo(void *arg)
{
    return weir_send_all(arg, "foo", 3);
}

TASK_TEST(stapled, no_half_close_under_a_task_that_sends)
{
    struct fixture fixture;
    struct weir_stream *stream = staple(&fixture, &ops);
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_foo, stream);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_eq(weir_send_eof(stream), -EBUSY);
        cr_expect_eq(weir_send_all(stream, "bar", 3), -EBUSY);
        cr_expect_eq(weir_wait_send_all_might_not_block(stream), -EBUSY);
    }
    cr_expect_eq(weir_send_eof(stream), 0);
    cr_expect_str_eq(notes, "s.send_all(foo) s.close");
    return rc;
}

TASK_TEST(stapled, what_asks_no_half_is_a_checkpoint_too)
{
    struct fixture fixture;
    struct weir_stream *stream = staple(&fixture, &ops);
    int rc = 0;
    weir_assert_checkpoints(rc) rc = weir_send_eof(stream) + weir_send_eof(stream);
    weir_stream_abort(stream);
    weir_assert_checkpoints(rc) rc = weir_stream_close(stream);
    struct weir_scope scope;
    int seen = 0;
    stream = staple(&fixture, &ops);
    weir_with_scope (&scope, seen) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_send_all(stream, "foo", 3), -ECANCELED);
        cr_expect_eq(weir_send_eof(stream), -ECANCELED);
        cr_expect_eq(weir_wait_send_all_might_not_block(stream), -ECANCELED);
    }
    cr_expect_str_eq(notes, "s.close r.abort");
    return rc;
}
