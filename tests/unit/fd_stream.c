/* core/system: a descriptor as a stream. */
#include "../support/outside.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weir/system.h>
#include <weir/testing.h>

/* A pipe as two streams. */
static void open_pipe(struct weir_stream **read_end, struct weir_stream **write_end, int fds[2])
{
    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    cr_assert_eq(weir_open_fd_stream(fds[0], read_end), 0);
    cr_assert_eq(weir_open_fd_stream(fds[1], write_end), 0);
}

static void open_sockets(struct weir_stream *streams[2])
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    cr_assert_eq(weir_open_fd_stream(fds[0], &streams[0]), 0);
    cr_assert_eq(weir_open_fd_stream(fds[1], &streams[1]), 0);
}

enum { MUCH = 1 << 20 };
static unsigned char data[MUCH];

static int send_much(void *arg)
{
    for (int i = 0; i < MUCH; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    WEIR_TRY(weir_send_all(arg, data, MUCH));
    return weir_stream_close(arg);
}

static int receive_much(struct weir_stream *stream)
{
    static unsigned char buffer[5000];
    int total = 0, got;
    while ((got = weir_receive_some(stream, buffer, sizeof buffer)) > 0) {
        cr_assert_eq(memcmp(buffer, data + total, (size_t)got), 0);
        total += got;
    }
    cr_expect_eq(got, 0);
    cr_expect_eq(total, MUCH);
    return got;
}

CLEAN_TEST(fd_stream, carries_more_than_a_pipe_holds)
{
    struct weir_stream *in, *out;
    struct weir_nursery nursery;
    int fds[2], rc = 0;
    open_pipe(&in, &out, fds);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_much, out);
        rc = receive_much(in);
        cr_expect_eq(weir_receive_some(in, data, 1), 0, "the end stays the end");
    }
    cr_expect_eq(weir_stream_close(in), 0);
    return rc;
}

CLEAN_TEST(fd_stream, receives_what_is_there)
{
    struct weir_stream *streams[2];
    char buffer[16];
    open_sockets(streams);
    cr_expect_eq(weir_receive_some(streams[0], buffer, 0), -EINVAL);
    cr_expect_eq(weir_send_all(streams[0], "hello", 5), 0);
    cr_expect_eq(weir_send_all(streams[0], "", 0), 0);
    cr_expect_eq(weir_receive_some(streams[1], buffer, 3), 3);
    cr_expect_eq(weir_receive_some(streams[1], buffer + 3, sizeof buffer), 2);
    cr_expect_eq(memcmp(buffer, "hello", 5), 0);
    weir_stream_abort(streams[0]);
    weir_stream_abort(streams[1]);
    return 0;
}

static int receive_and_note(void *arg)
{
    char byte;
    note("receive:%s", weir_error_name(weir_receive_some(arg, &byte, 1)));
    return 0;
}

static int send_and_note(void *arg)
{
    note("send:%s", weir_error_name(weir_send_all(arg, data, MUCH)));
    return 0;
}

CLEAN_TEST(fd_stream, closed_meanwhile_wakes_who_waits_on_it)
{
    struct weir_stream *streams[2];
    struct weir_nursery nursery;
    int rc = 0;
    open_sockets(streams);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_and_note, streams[0]);
        weir_start_soon(&nursery, send_and_note, streams[0]);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_eq(weir_receive_some(streams[0], data, 1), -EBUSY);
        cr_expect_eq(weir_send_all(streams[0], data, 1), -EBUSY);
        cr_expect_eq(weir_wait_send_all_might_not_block(streams[0]), -EBUSY);
        cr_expect_eq(weir_send_eof(streams[0]), -EBUSY);
        rc = weir_stream_close(streams[0]);
    }
    cr_expect_str_eq(notes, "receive:ClosedResourceError send:ClosedResourceError");
    weir_stream_abort(streams[1]);
    return rc;
}

static bool waits(const struct weir_task *task)
{
    struct weir_task_status status;
    weir_task_get_status(task, &status);
    return status.wait != NULL;
}

/* Woken, because there is something; but the stream is closed before it runs. */
CLEAN_TEST(fd_stream, closed_after_it_became_ready_wakes_as_closed)
{
    struct weir_stream *streams[2];
    struct weir_nursery nursery;
    int rc = 0;
    open_sockets(streams);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_and_note, streams[0]);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        WEIR_DO(rc, weir_send_all(streams[1], "x", 1));
        while (waits(weir_nursery_next_child(&nursery, NULL)))
            rc = weir_checkpoint();
        cr_expect_str_eq(notes, "");
        weir_stream_abort(streams[0]);
    }
    cr_expect_str_eq(notes, "receive:ClosedResourceError");
    weir_stream_abort(streams[1]);
    return rc;
}

CLEAN_TEST(fd_stream, whose_other_end_is_gone_is_broken)
{
    struct weir_stream *in, *out;
    int fds[2];
    open_pipe(&in, &out, fds);
    weir_stream_abort(in);
    cr_expect_eq(weir_send_all(out, "x", 1), -EPIPE);
    weir_stream_abort(out);
    struct sigaction pipe_action;
    sigaction(SIGPIPE, NULL, &pipe_action);
    cr_expect_eq(pipe_action.sa_handler, SIG_IGN);
    return 0;
}

CLEAN_TEST(fd_stream, says_end_of_file_on_a_socket_and_goes_on_receiving)
{
    struct weir_stream *streams[2];
    char byte;
    open_sockets(streams);
    cr_expect_eq(weir_send_eof(streams[0]), 0);
    cr_expect_eq(weir_send_eof(streams[0]), 0, "again too");
    cr_expect_eq(weir_receive_some(streams[1], &byte, 1), 0);
    cr_expect_eq(weir_send_all(streams[0], "x", 1), -EBADF);
    cr_expect_eq(weir_wait_send_all_might_not_block(streams[0]), -EBADF);
    cr_expect_eq(weir_send_all(streams[1], "y", 1), 0);
    cr_expect_eq(weir_receive_some(streams[0], &byte, 1), 1);
    cr_expect_eq(byte, 'y');
    weir_stream_abort(streams[0]);
    weir_stream_abort(streams[1]);
    return 0;
}

CLEAN_TEST(fd_stream, says_end_of_file_on_a_pipe_by_closing_its_end)
{
    struct weir_stream *in, *out;
    int fds[2];
    char byte;
    open_pipe(&in, &out, fds);
    cr_expect_eq(weir_send_all(out, "x", 1), 0);
    cr_expect_eq(weir_send_eof(out), 0);
    cr_expect_eq(weir_send_eof(out), 0);
    cr_expect_eq(weir_send_all(out, "x", 1), -EBADF);
    cr_expect_eq(weir_receive_some(in, &byte, 1), 1);
    cr_expect_eq(weir_receive_some(in, &byte, 1), 0);
    cr_expect_eq(weir_stream_close(out), 0);
    cr_expect_eq(weir_stream_close(in), 0);
    return 0;
}

CLEAN_TEST(fd_stream, gives_back_the_blocking_mode)
{
    int fds[2], copies[2];
    struct weir_stream *in, *out;
    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    cr_assert_eq(fcntl(fds[1], F_SETFL, O_WRONLY | O_NONBLOCK), 0);
    for (int i = 0; i < 2; i++)
        copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
    cr_assert_eq(weir_open_fd_stream(fds[0], &in), 0);
    cr_assert_eq(weir_open_fd_stream(fds[1], &out), 0);
    cr_expect(fcntl(copies[0], F_GETFL) & O_NONBLOCK);
    weir_stream_abort(in);
    weir_stream_abort(out);
    cr_expect_not(fcntl(copies[0], F_GETFL) & O_NONBLOCK);
    cr_expect(fcntl(copies[1], F_GETFL) & O_NONBLOCK, "that one had it before");
    close(copies[0]);
    close(copies[1]);
    return 0;
}

Test(fd_stream, needs_a_descriptor)
{
    struct weir_stream *stream;
    cr_expect_eq(weir_open_fd_stream(-1, &stream), -EBADF);
    cr_expect_eq(weir_open_fd_stream(1000, &stream), -EBADF);
}

/* ---- cancellation ---- */

CLEAN_TEST(fd_stream, cancelled_while_receiving_loses_nothing)
{
    struct weir_stream *in, *out;
    struct weir_scope scope;
    int fds[2], rc = 0;
    char byte;
    open_pipe(&in, &out, fds);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_receive_some(in, &byte, 1);
    cr_expect(scope.cancelled_caught);
    WEIR_TRY(weir_send_all(out, "x", 1));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_receive_some(in, &byte, 1);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(weir_receive_some(in, &byte, 1), 1);
    weir_stream_abort(in);
    weir_stream_abort(out);
    return rc;
}

CLEAN_TEST(fd_stream, cancelled_while_sending_can_be_closed)
{
    struct weir_stream *in, *out;
    struct weir_scope scope;
    int fds[2], rc = 0;
    open_pipe(&in, &out, fds);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_send_all(out, data, MUCH);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(weir_send_all(out, "", 0), 0);
    weir_stream_abort(in);
    weir_stream_abort(out);
    return rc;
}

CLEAN_TEST(fd_stream, is_closed_in_a_cancelled_scope_too)
{
    struct weir_stream *in, *out;
    struct weir_scope scope;
    int fds[2], rc = 0;
    open_pipe(&in, &out, fds);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_stream_close(in), -ECANCELED);
        rc = weir_stream_close(out);
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

static int wait_until_it_might_not_block(void *arg)
{
    WEIR_TRY(weir_wait_send_all_might_not_block(arg));
    note("might not");
    return 0;
}

CLEAN_TEST(fd_stream, tells_when_sending_might_not_block)
{
    struct weir_stream *streams[2];
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    open_sockets(streams);
    cr_expect_eq(weir_wait_send_all_might_not_block(streams[0]), 0);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_send_all(streams[0], data, MUCH);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_until_it_might_not_block, streams[0]);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        note("receive");
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            do
                rc = weir_receive_some(streams[1], data, MUCH);
            while (rc > 0);
    }
    cr_expect_str_eq(notes, "receive might not");
    weir_stream_abort(streams[0]);
    weir_stream_abort(streams[1]);
    return rc;
}
