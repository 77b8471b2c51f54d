/* core/testing: memory streams, their halves, hooks and pump; and a listener in memory, served. */
#include "../support/core.h"
#include <weir/testing.h>

/* What a half gives: "abc", or the name of an error. */
static const char *got(int n, const char *bytes)
{
    static char text[64];
    snprintf(text, sizeof text, "%.*s", n > 0 ? n : 0, bytes);
    return n < 0 ? weir_error_name(n) : text;
}

static const char *receive(struct weir_stream *stream, size_t size)
{
    char bytes[64];
    return got(weir_receive_some(stream, bytes, size), bytes);
}

static const char *get(struct weir_memory_send_stream *half, size_t size)
{
    char bytes[64];
    return got(weir_memory_stream_get_data(half, bytes, size), bytes);
}

static const char *get_nowait(struct weir_memory_send_stream *half, size_t size)
{
    char bytes[64];
    return got(weir_memory_stream_get_data_nowait(half, bytes, size), bytes);
}

/* ---- the sending half ---- */

struct send {
    struct weir_memory_send_stream *half;
    const char *text;
};

static int send_text(void *arg)
{
    struct send *send = arg;
    int rc = weir_send_all(&send->half->stream, send->text, strlen(send->text));
    note("%s", weir_error_name(rc));
    return 0;
}

static int get_text(void *arg)
{
    note("%s", get(arg, 10));
    return 0;
}

TASK_TEST(memory_send_stream, keeps_what_is_sent_until_somebody_gets_it)
{
    struct weir_memory_send_stream half;
    int rc;
    weir_memory_send_stream_init(&half);
    cr_expect_eq(weir_send_all(&half.stream, "123", 3), 0);
    cr_expect_str_eq(get_nowait(&half, 1), "1");
    cr_expect_str_eq(get_nowait(&half, 10), "23");
    cr_expect_str_eq(get_nowait(&half, 10), "WouldBlock");
    cr_expect_eq(weir_wait_send_all_might_not_block(&half.stream), 0);
    cr_expect_eq(weir_memory_stream_get_data_nowait(&half, NULL, 0), -EINVAL);
    cr_expect_eq(weir_memory_stream_get_data(&half, NULL, 0), -EINVAL);
    cr_expect_eq(weir_send_all(&half.stream, "456", 3), 0);
    rc = weir_stream_close(&half.stream);
    cr_expect_str_eq(get(&half, 10), "456");
    cr_expect_str_eq(get(&half, 10), "", "closed, and drained");
    cr_expect_eq(weir_send_all(&half.stream, "-", 1), -EBADF);
    cr_expect_eq(weir_send_all(&half.stream, "", 0), -EBADF);
    cr_expect_eq(weir_wait_send_all_might_not_block(&half.stream), -EBADF);
    cr_expect_eq(weir_send_eof(&half.stream), -ENOTSUP);
    cr_expect_eq(weir_receive_some(&half.stream, &(char){0}, 1), -ENOTSUP);
    weir_memory_send_stream_free(&half);
    return rc;
}

TASK_TEST(memory_send_stream, one_task_sends_and_one_gets_at_a_time)
{
    struct weir_memory_send_stream half;
    struct send send = {&half, "xxx"};
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_send_stream_init(&half);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_text, &send);
        weir_start_soon(&nursery, send_text, &send);
    }
    cr_expect_str_eq(notes, "BusyResourceError ok");
    cr_expect_str_eq(get_nowait(&half, 10), "xxx", "once");
    notes[0] = '\0';
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_text, &half);
        weir_start_soon(&nursery, get_text, &half);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_str_eq(get_nowait(&half, 1), "BusyResourceError");
        rc = weir_send_all(&half.stream, "y", 1);
    }
    cr_expect_str_eq(notes, "BusyResourceError y");
    weir_memory_send_stream_free(&half);
    return rc;
}

TASK_TEST(memory_send_stream, nothing_sent_wakes_nobody)
{
    struct weir_memory_send_stream half;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_send_stream_init(&half);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_text, &half);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        WEIR_DO(rc, weir_send_all(&half.stream, "", 0));
        WEIR_DO(rc, weir_wait_send_all_might_not_block(&half.stream));
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_str_eq(notes, "");
        rc = weir_send_all(&half.stream, "z", 1);
    }
    cr_expect_str_eq(notes, "z");
    weir_memory_send_stream_free(&half);
    return rc;
}

static int note_hook(struct weir_memory_send_stream *half)
{
    note("hook of %s got %s", (const char *)half->hook_arg, get_nowait(half, 10));
    return 0;
}

static int fail_hook(struct weir_memory_send_stream *half)
{
    return -EILSEQ;
}

TASK_TEST(memory_send_stream, hooks_come_after_the_bytes_and_their_errors_are_the_calls)
{
    struct weir_memory_send_stream half;
    weir_memory_send_stream_init(&half);
    half.hook_arg = (void *)(uintptr_t) "me";
    half.send_all_hook = half.wait_send_all_might_not_block_hook = half.close_hook = note_hook;
    cr_expect_eq(weir_send_all(&half.stream, "abc", 3), 0);
    cr_expect_eq(weir_wait_send_all_might_not_block(&half.stream), 0);
    weir_stream_close_forcefully(&half.stream);
    weir_stream_abort(&half.stream);
    cr_expect_str_eq(notes, "hook of me got abc hook of me got WouldBlock hook of me got  hook of me got ");
    weir_memory_send_stream_free(&half);

    weir_memory_send_stream_init(&half);
    half.send_all_hook = half.wait_send_all_might_not_block_hook = half.close_hook = fail_hook;
    cr_expect_eq(weir_send_all(&half.stream, "abc", 3), -EILSEQ);
    cr_expect_eq(weir_wait_send_all_might_not_block(&half.stream), -EILSEQ);
    cr_expect_eq(weir_stream_close(&half.stream), -EILSEQ);
    weir_memory_send_stream_free(&half);
    return 0;
}

TASK_TEST(memory_send_stream, holds_so_much_and_not_more)
{
    static const char bytes[1000];
    struct weir_memory_send_stream half;
    char to[700];
    weir_memory_send_stream_init(&half);
    half.outgoing.max = 1500;
    for (int i = 0; i < 1000; i++) { /* it moves, and does not grow for ever */
        cr_assert_eq(weir_send_all(&half.stream, bytes, 1000), 0);
        cr_assert_eq(weir_send_all(&half.stream, bytes, 501), -ENOBUFS, "in round %d", i);
        cr_assert_eq(weir_memory_stream_get_data_nowait(&half, to, sizeof to), 700);
        cr_assert_eq(weir_memory_stream_get_data_nowait(&half, to, sizeof to), 300);
    }
    cr_expect_leq(half.outgoing.room, 4096);
    weir_memory_send_stream_free(&half);
    return 0;
}

/* ---- the receiving half ---- */

static int receive_some(void *arg)
{
    note("%s", receive(arg, 10));
    return 0;
}

TASK_TEST(memory_receive_stream, gives_what_was_put)
{
    struct weir_memory_receive_stream half;
    weir_memory_receive_stream_init(&half);
    cr_expect_eq(weir_memory_stream_put_data(&half, "abc", 3), 0);
    cr_expect_str_eq(receive(&half.stream, 1), "a");
    cr_expect_str_eq(receive(&half.stream, 10), "bc");
    cr_expect_str_eq(receive(&half.stream, 0), "EINVAL");
    cr_expect_eq(weir_memory_stream_put_data(&half, "def", 3), 0);
    weir_memory_stream_put_eof(&half);
    weir_memory_stream_put_eof(&half);
    cr_expect_eq(weir_memory_stream_put_data(&half, "-", 1), -EBADF);
    cr_expect_str_eq(receive(&half.stream, 10), "def");
    cr_expect_str_eq(receive(&half.stream, 10), "");
    cr_expect_str_eq(receive(&half.stream, 10), "", "the end stays the end");
    cr_expect_eq(weir_send_all(&half.stream, "x", 1), -ENOTSUP);
    weir_memory_receive_stream_free(&half);
    return 0;
}

static int put_more(struct weir_memory_receive_stream *half)
{
    return weir_memory_stream_put_data(half, "xxx", 3);
}

static int note_close(struct weir_memory_receive_stream *half)
{
    note("closed");
    return 0;
}

TASK_TEST(memory_receive_stream, hooks_come_before_the_bytes_and_closing_drops_them)
{
    struct weir_memory_receive_stream half;
    weir_memory_receive_stream_init(&half);
    half.receive_some_hook = put_more;
    half.close_hook = note_close;
    cr_expect_eq(weir_memory_stream_put_data(&half, "yyy", 3), 0);
    cr_expect_str_eq(receive(&half.stream, 10), "yyyxxx");
    cr_expect_str_eq(receive(&half.stream, 10), "xxx");
    cr_expect_eq(weir_memory_stream_put_data(&half, "lost", 4), 0);
    cr_expect_eq(weir_stream_close(&half.stream), 0);
    cr_expect_str_eq(notes, "closed");
    cr_expect_str_eq(receive(&half.stream, 10), "ClosedResourceError");
    cr_expect_eq(weir_memory_stream_put_data(&half, "-", 1), -EBADF);
    weir_memory_receive_stream_free(&half);
    return 0;
}

TASK_TEST(memory_receive_stream, is_received_from_by_one_task_and_a_close_wakes_it)
{
    struct weir_memory_receive_stream half;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_receive_stream_init(&half);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_some, &half.stream);
        weir_start_soon(&nursery, receive_some, &half.stream);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        weir_stream_abort(&half.stream);
    }
    cr_expect_str_eq(notes, "BusyResourceError ClosedResourceError");
    weir_memory_receive_stream_free(&half);
    return rc;
}

/* ---- the pump ---- */

TASK_TEST(pump, moves_bytes_and_then_the_end)
{
    struct weir_memory_send_stream from;
    struct weir_memory_receive_stream to;
    weir_memory_send_stream_init(&from);
    weir_memory_receive_stream_init(&to);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 0), 0);
    cr_expect_eq(weir_send_all(&from.stream, "456", 3), 0);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 1), 1);
    cr_expect_str_eq(receive(&to.stream, 10), "4");
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 1), 1);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 1), 1);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 1), 0);
    cr_expect_str_eq(receive(&to.stream, 10), "56");
    cr_expect_eq(weir_send_all(&from.stream, "7", 1), 0);
    weir_stream_abort(&from.stream);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 0), 1);
    cr_expect_str_eq(receive(&to.stream, 10), "7");
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 0), 1);
    cr_expect_str_eq(receive(&to.stream, 10), "");
    weir_memory_send_stream_free(&from);
    weir_memory_receive_stream_free(&to);
    return 0;
}

TASK_TEST(pump, breaks_on_a_closed_receiver_and_loses_nothing_in_a_full_one)
{
    struct weir_memory_send_stream from;
    struct weir_memory_receive_stream to;
    weir_memory_send_stream_init(&from);
    weir_memory_receive_stream_init(&to);
    to.incoming.max = 2;
    cr_expect_eq(weir_send_all(&from.stream, "123", 3), 0);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 0), -ENOBUFS);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 2), 1);
    cr_expect_str_eq(receive(&to.stream, 10), "12");
    weir_stream_abort(&to.stream);
    cr_expect_eq(weir_memory_stream_pump(&from, &to, 0), -EPIPE);
    cr_expect_str_eq(get_nowait(&from, 10), "WouldBlock", "lost");
    weir_memory_send_stream_free(&from);
    weir_memory_receive_stream_free(&to);
    return 0;
}

/* ---- pairs ---- */

TASK_TEST(memory_pair, sends_one_way_as_soon_as_it_is_sent)
{
    struct weir_memory_stream_one_way_pair pair;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_stream_one_way_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_some, &pair.receive.stream);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        rc = weir_send_all(&pair.send.stream, "abc", 3);
    }
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_some, &pair.receive.stream);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        rc = weir_stream_close(&pair.send.stream);
    }
    cr_expect_str_eq(notes, "abc ");
    weir_memory_stream_one_way_pair_free(&pair);
    return rc;
}

TASK_TEST(memory_pair, stalls_without_its_hook)
{
    struct weir_memory_stream_one_way_pair pair;
    struct weir_scope scope;
    int rc = 0;
    weir_memory_stream_one_way_pair_init(&pair);
    int (*pump)(struct weir_memory_send_stream *) = pair.send.send_all_hook;
    pair.send.send_all_hook = NULL;
    WEIR_TRY(weir_send_all(&pair.send.stream, "456", 3));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_receive_some(&pair.receive.stream, &(char){0}, 1);
    }
    cr_expect(scope.cancelled_caught);
    pair.send.send_all_hook = pump;
    WEIR_TRY(weir_send_all(&pair.send.stream, "789", 3));
    cr_expect_str_eq(receive(&pair.receive.stream, 10), "456789");
    weir_memory_stream_one_way_pair_free(&pair);
    return rc;
}

TASK_TEST(memory_pair, is_two_streams_that_half_close)
{
    struct weir_memory_stream_pair pair;
    struct weir_stream *a = &pair.ends[0].stream, *b = &pair.ends[1].stream;
    weir_memory_stream_pair_init(&pair);
    WEIR_TRY(weir_send_all(a, "123", 3));
    WEIR_TRY(weir_send_all(b, "abc", 3));
    cr_expect_str_eq(receive(b, 10), "123");
    cr_expect_str_eq(receive(a, 10), "abc");
    WEIR_TRY(weir_send_eof(a));
    cr_expect_str_eq(receive(b, 10), "");
    WEIR_TRY(weir_send_all(b, "xyz", 3));
    cr_expect_str_eq(receive(a, 10), "xyz");
    WEIR_TRY(weir_stream_close(a));
    cr_expect_eq(weir_send_all(b, "x", 1), -EPIPE);
    WEIR_TRY(weir_stream_close(b));
    weir_memory_stream_pair_free(&pair);
    return 0;
}

/* Trio's example: a trickle from left to right. */
static int trickle(struct weir_memory_send_stream *half)
{
    struct weir_memory_stream_pair *pair = half->hook_arg;
    int rc;
    while ((rc = weir_memory_stream_pump(half, &pair->ways[0].receive, 1)) > 0)
        WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return rc;
}

static int send_five(void *arg)
{
    struct weir_memory_stream_pair *pair = arg;
    WEIR_TRY(weir_send_all(&pair->ends[0].stream, "12345", 5));
    return weir_send_eof(&pair->ends[0].stream);
}

TASK_TEST(memory_pair, can_be_made_to_trickle)
{
    struct weir_memory_stream_pair pair;
    struct weir_nursery nursery;
    char byte;
    int n, rc = 0;
    weir_memory_stream_pair_init(&pair);
    pair.ways[0].send.send_all_hook = trickle;
    pair.ways[0].send.hook_arg = &pair;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_five, &pair);
        while ((n = weir_receive_some(&pair.ends[1].stream, &byte, 1)) > 0)
            note("%c at %.0f", byte, now());
        rc = n;
    }
    cr_expect_str_eq(notes, "1 at 0 2 at 1 3 at 2 4 at 3 5 at 4");
    weir_memory_stream_pair_free(&pair);
    return rc;
}

/* ---- the listener ---- */

static int answer(struct weir_stream *stream, void *arg)
{
    char bytes[8];
    int n = weir_receive_some(stream, bytes, sizeof bytes);
    if (n <= 0)
        return n;
    if (bytes[0] == '!')
        return -EILSEQ;
    if (bytes[0] == '?')
        return -ECONNRESET; /* an everyday error */
    return weir_send_all(stream, bytes, (size_t)n);
}

static int serve(void *arg)
{
    return weir_serve_listener(&((struct weir_memory_listener *)arg)->listener, answer, NULL);
}

static const char *ask(struct weir_memory_listener *listener, const char *question)
{
    static char answers[64];
    struct weir_memory_stream_pair pair;
    struct weir_stream *stream = &pair.ends[0].stream;
    int rc = weir_memory_listener_connect(listener, &pair);
    if (rc < 0)
        return weir_error_name(rc);
    cr_assert_eq(weir_send_all(stream, question, 1), 0);
    snprintf(answers, sizeof answers, "%s", receive(stream, 8));
    if (answers[0] == question[0])
        cr_expect_str_eq(receive(stream, 8), "", "closed when its task has ended");
    cr_assert_eq(weir_stream_close(stream), 0);
    weir_memory_stream_pair_free(&pair);
    return answers;
}

TASK_TEST(memory_listener, is_served)
{
    struct weir_memory_listener listener;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_listener_init(&listener);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, serve, &listener);
        cr_expect_str_eq(ask(&listener, "a"), "a");
        cr_expect_str_eq(ask(&listener, "?"), "", "the server lives on");
        cr_expect_str_eq(ask(&listener, "b"), "b");
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(ask(&listener, "c"), "ECONNREFUSED", "its server closed it");
    return rc;
}

TASK_TEST(memory_listener, a_handler_that_fails_fails_the_server)
{
    struct weir_memory_listener listener;
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_listener_init(&listener);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, serve, &listener);
        struct weir_memory_stream_pair pair;
        WEIR_DO(rc, weir_memory_listener_connect(&listener, &pair));
        WEIR_DO(rc, weir_send_all(&pair.ends[0].stream, "!", 1));
        rc = weir_sleep_forever();
        weir_stream_abort(&pair.ends[0].stream);
        weir_memory_stream_pair_free(&pair);
    }
    cr_expect_eq(rc, -EILSEQ);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

enum { MANY = 200 };

static int hold(struct weir_stream *stream, void *arg)
{
    unsigned *most = arg;
    struct weir_loop_statistics statistics;
    weir_current_statistics(&statistics);
    if (statistics.tasks_living > *most)
        *most = statistics.tasks_living;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return weir_send_all(stream, "x", 1);
}

struct serving {
    struct weir_memory_listener *listener;
    unsigned *most;
};

static int serve_hold(void *arg)
{
    struct serving *serving = arg;
    return weir_serve_listener(&serving->listener->listener, hold, serving->most);
}

static int many_at_once(void *arg)
{
    static struct weir_memory_stream_pair pairs[MANY];
    struct weir_memory_listener listener;
    unsigned *most = arg;
    struct serving serving = {&listener, most};
    struct weir_nursery nursery;
    int rc = 0;
    weir_memory_listener_init(&listener);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < MANY; i++)
            WEIR_DO(rc, weir_memory_listener_connect(&listener, &pairs[i]));
        weir_start_soon(&nursery, serve_hold, &serving);
        for (int i = 0; i < MANY; i++)
            cr_assert_str_eq(receive(&pairs[i].ends[0].stream, 2), "x");
        note("%.0f", now());
        weir_nursery_cancel(&nursery);
    }
    for (int i = 0; i < MANY; i++) {
        weir_stream_abort(&pairs[i].ends[0].stream);
        weir_memory_stream_pair_free(&pairs[i]);
    }
    return rc;
}

Test(memory_listener, more_at_once_than_begin_at_once, .timeout = 30)
{
    unsigned most = 0;
    cr_expect_eq(run(many_at_once, &most), 0);
    cr_expect_eq(most, MANY + 2);
    cr_expect_str_eq(notes, "1");
    for (uint64_t seed = 1; seed < 20; seed++)
        cr_expect_eq(run_with(many_at_once, &most, (struct weir_run_options){.shuffle_seed = seed}), 0);
}

Test(memory_listener, more_than_there_are_tasks, .timeout = 30)
{
    unsigned most = 0;
    cr_expect_eq(run_with(many_at_once, &most, (struct weir_run_options){.tasks_max = 52}), 0);
    cr_expect_eq(most, 52);
    cr_expect_str_eq(notes, "4");
}

static int accept_one(void *arg)
{
    struct weir_stream *stream;
    note("%s", weir_error_name(weir_accept(arg, &stream)));
    return 0;
}

TASK_TEST(memory_listener, closing_wakes_who_accepts_and_aborts_who_connects)
{
    struct weir_memory_listener listener;
    struct weir_memory_stream_pair pair;
    struct weir_nursery nursery;
    struct weir_stream *stream;
    int rc = 0;
    weir_memory_listener_init(&listener);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, accept_one, &listener.listener);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_eq(weir_accept(&listener.listener, &stream), -EBUSY);
        WEIR_DO(rc, weir_memory_listener_connect(&listener, &pair));
        cr_expect_eq(weir_accept(&listener.listener, &stream), -EBUSY, "who was woken has not taken it yet");
        weir_listener_close(&listener.listener);
    }
    cr_expect_str_eq(notes, "ClosedResourceError");
    cr_expect_str_eq(receive(&pair.ends[0].stream, 1), "", "the other end is closed");
    cr_expect_eq(weir_accept(&listener.listener, &stream), -EBADF);
    cr_expect_eq(weir_memory_listener_connect(&listener, &pair), -ECONNREFUSED);
    weir_memory_stream_pair_free(&pair);
    return rc;
}

TASK_TEST(memory_listener, a_cancelled_accept_loses_no_connection)
{
    struct weir_memory_listener listener;
    struct weir_memory_stream_pair pair;
    struct weir_stream *stream = NULL;
    struct weir_scope scope;
    int rc = 0;
    weir_memory_listener_init(&listener);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_accept(&listener.listener, &stream);
    }
    cr_expect(scope.cancelled_caught);
    WEIR_TRY(weir_memory_listener_connect(&listener, &pair));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_accept(&listener.listener, &stream);
    }
    cr_expect(scope.cancelled_caught);
    WEIR_TRY(weir_accept(&listener.listener, &stream));
    cr_expect_eq(stream, &pair.ends[1].stream);
    weir_memory_stream_pair_free(&pair);
    return rc;
}
