/* core/system: waiting for descriptors. */
#include "../support/outside.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weir/system.h>
#include <weir/testing.h>

/* ---- the loop's own system calls, counted ---- */

static int asked, slept;
static int write_when_asleep = -1; /* a byte is written there just before the loop falls asleep */

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
    asked++;
    return (int)syscall(SYS_epoll_pwait, epoll, events, max, timeout, NULL, 8);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    slept++;
    if (write_when_asleep >= 0 && count > 1) {
        cr_expect_eq(write(write_when_asleep, "x", 1), 1);
        write_when_asleep = -1;
    }
    return (int)syscall(SYS_ppoll, fds, count, timeout, mask, 8);
}

/* ---- tasks ---- */

struct waiter {
    int fd;
    const char *name;
};

static int wait_to_read(void *arg)
{
    struct waiter *waiter = arg;
    note("%s:%s", waiter->name, weir_error_name(weir_wait_readable(waiter->fd)));
    return 0;
}

static int wait_to_write(void *arg)
{
    struct waiter *waiter = arg;
    note("%s:%s", waiter->name, weir_error_name(weir_wait_writable(waiter->fd)));
    return 0;
}

static void open_pipe(int fds[2])
{
    cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
}

static void open_sockets(int fds[2])
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static void fill(int fd)
{
    static char bytes[4096];
    while (write(fd, bytes, sizeof bytes) > 0)
        ;
}

static void drain(int fd)
{
    static char bytes[4096];
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

CLEAN_TEST(descriptors, wake_who_waits_to_read_when_there_is_something)
{
    int fds[2], rc = 0;
    struct weir_nursery nursery;
    open_pipe(fds);
    struct waiter reader = {fds[0], "reader"};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_to_read, &reader);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        note("write");
        cr_expect_eq(write(fds[1], "x", 1), 1);
    }
    cr_expect_str_eq(notes, "write reader:ok");
    close_both(fds);
    return rc;
}

CLEAN_TEST(descriptors, wake_who_waits_to_write_when_there_is_room)
{
    int fds[2], rc = 0;
    struct weir_nursery nursery;
    open_pipe(fds);
    cr_expect_eq(weir_wait_writable(fds[1]), 0);
    fill(fds[1]);
    struct waiter writer = {fds[1], "writer"};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_to_write, &writer);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        note("drain");
        drain(fds[0]);
    }
    cr_expect_str_eq(notes, "drain writer:ok");
    close_both(fds);
    return rc;
}

CLEAN_TEST(descriptors, have_a_waiter_for_each_direction)
{
    int fds[2], rc = 0;
    struct weir_nursery nursery;
    open_sockets(fds);
    fill(fds[0]);
    struct waiter first = {fds[0], "first"}, second = {fds[0], "second"};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_to_read, &first);
        weir_start_soon(&nursery, wait_to_write, &second);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_eq(weir_wait_readable(fds[0]), -EBUSY);
        cr_expect_eq(weir_wait_writable(fds[0]), -EBUSY);
        drain(fds[1]);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        note("write");
        cr_expect_eq(write(fds[1], "x", 1), 1);
    }
    cr_expect_str_eq(notes, "second:ok write first:ok");
    close_both(fds);
    return rc;
}

CLEAN_TEST(descriptors, wake_both_at_the_end)
{
    int fds[2], rc = 0;
    struct weir_nursery nursery;
    open_sockets(fds);
    fill(fds[0]);
    struct waiter reader = {fds[0], "reader"}, writer = {fds[0], "writer"};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_to_read, &reader);
        weir_start_soon(&nursery, wait_to_write, &writer);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        close(fds[1]);
    }
    cr_expect_str_eq(notes, "reader:ok writer:ok");
    close(fds[0]);
    return rc;
}

CLEAN_TEST(descriptors, to_be_closed_wake_all_who_wait)
{
    int fds[2], rc = 0;
    struct weir_nursery nursery;
    open_sockets(fds);
    fill(fds[0]);
    struct waiter reader = {fds[0], "reader"}, writer = {fds[0], "writer"};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_to_read, &reader);
        weir_start_soon(&nursery, wait_to_write, &writer);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        weir_notify_closing(fds[0]);
        close(fds[0]);
    }
    cr_expect_str_eq(notes, "reader:ClosedResourceError writer:ClosedResourceError");
    weir_notify_closing(fds[0]); /* nobody waits */
    weir_notify_closing(-1);
    weir_notify_closing(1 << 30);
    close(fds[1]);
    return rc;
}

CLEAN_TEST(descriptors, that_cannot_be_waited_for_say_why)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    cr_expect_eq(weir_wait_readable(-1), -EBADF);
    cr_expect_eq(weir_wait_readable(60), -EBADF);
    cr_expect_eq(weir_wait_readable(2000000000), -EBADF);
    cr_expect_eq(weir_wait_readable(file), -EPERM);
    cr_expect_eq(weir_wait_writable(file), -EPERM);
    close(file);
    return 0;
}

CLEAN_TEST(descriptors, with_large_numbers_can_be_waited_for)
{
    int fds[2], high;
    open_pipe(fds);
    high = fcntl(fds[1], F_DUPFD_CLOEXEC, 300);
    cr_assert_geq(high, 300);
    cr_expect_eq(weir_wait_writable(high), 0);
    cr_expect_eq(weir_wait_writable(fds[1]), 0);
    close(high);
    close_both(fds);
    return 0;
}

/* ---- cancellation ---- */

CLEAN_TEST(descriptors, are_not_waited_for_in_a_cancelled_scope)
{
    int fds[2], rc = 0;
    struct weir_scope scope;
    open_pipe(fds);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_wait_writable(fds[1]);
    }
    cr_expect(scope.cancelled_caught);
    close_both(fds);
    return rc;
}

CLEAN_TEST(descriptors, can_be_waited_for_again_after_a_cancelled_wait)
{
    int fds[2], rc = 0;
    struct weir_scope scope;
    open_pipe(fds);
    for (int i = 0; i < 2; i++) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_wait_readable(fds[0]);
        cr_expect(scope.cancelled_caught);
    }
    cr_expect_eq(write(fds[1], "x", 1), 1);
    cr_expect_eq(weir_wait_readable(fds[0]), 0);
    close_both(fds);
    return rc;
}

CLEAN_TEST(descriptors, go_on_to_be_waited_for_by_the_other_direction_when_one_is_cancelled)
{
    int fds[2], rc = 0;
    struct weir_nursery nursery;
    struct weir_scope scope;
    open_sockets(fds);
    fill(fds[0]);
    struct waiter reader = {fds[0], "reader"};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_to_read, &reader);
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_wait_writable(fds[0]);
        cr_expect(scope.cancelled_caught);
        note("write");
        cr_expect_eq(write(fds[1], "x", 1), 1);
    }
    cr_expect_str_eq(notes, "write reader:ok");
    close_both(fds);
    return rc;
}

/* ---- a descriptor closed behind our back, while a duplicate keeps what it was alive ---- */

CLEAN_TEST(descriptors, that_are_stale_wake_the_loop_once_at_most)
{
    int fds[2], others[2], rc = 0;
    struct weir_scope scope;
    open_pipe(fds);
    open_pipe(others);
    int duplicate = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_wait_readable(fds[0]);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) { /* armed, and closed while it is */
        struct weir_nursery nursery;
        struct waiter waiter = {fds[0], "stale"};
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, wait_to_read, &waiter);
            WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
            close(fds[0]);
            weir_nursery_cancel(&nursery);
        }
    }
    cr_expect_eq(write(fds[1], "x", 1), 1); /* the old file is readable now, for ever */
    struct weir_loop_statistics before, after;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_wait_readable(others[0]);
    weir_current_statistics(&before);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_wait_readable(others[0]);
    cr_expect(scope.cancelled_caught);
    weir_current_statistics(&after);
    cr_expect_lt(after.turns - before.turns, 10);
    close(duplicate);
    close(fds[1]);
    close_both(others);
    return rc;
}

CLEAN_TEST(descriptors, that_were_closed_and_come_anew_are_waited_for_anew)
{
    int fds[2], again[2], rc = 0;
    struct weir_scope scope;
    open_pipe(fds);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_wait_readable(fds[0]);
    close_both(fds);
    open_pipe(again);
    cr_expect_eq(again[0], fds[0]);
    cr_expect_eq(write(again[1], "x", 1), 1);
    cr_expect_eq(weir_wait_readable(again[0]), 0);
    close_both(again);
    return rc;
}

/* ---- what it costs ---- */

static int keep_busy(void *arg)
{
    for (bool *stop = arg; !*stop;)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

/* Reads as many times as there are bytes, while another task never rests. */
static int wait_while_busy(void *arg)
{
    int fds[2], rc = 0;
    bool stop = false;
    struct weir_nursery nursery;
    open_pipe(fds);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, keep_busy, &stop);
        for (int i = 0; i < 20; i++) {
            cr_expect_eq(write(fds[1], "x", 1), 1);
            WEIR_DO(rc, weir_wait_readable(fds[0]));
            drain(fds[0]);
        }
        stop = true;
    }
    struct weir_loop_statistics statistics;
    weir_current_statistics(&statistics);
    *(uint64_t *)arg = statistics.turns;
    close_both(fds);
    return rc;
}

Test(descriptors, cost_a_busy_loop_no_system_call_each_turn, .timeout = 30)
{
    uint64_t turns;
    cr_expect_eq(weir_run(wait_while_busy, &turns, NULL), 0);
    cr_expect_gt(asked, 0);
    if (fewer(100) == 100) /* else a turn takes longer than we go unasked */
        cr_expect_lt((uint64_t)asked, turns / 2, "%d of %lu turns", asked, (unsigned long)turns);
}

Test(descriptors, are_found_by_a_busy_loop_in_time_that_stands_still, .timeout = 30)
{
    uint64_t turns;
    cr_expect_eq(run(wait_while_busy, &turns), 0);
}

static int wait_asleep(void *arg)
{
    int fds[2];
    open_pipe(fds);
    write_when_asleep = fds[1];
    int rc = weir_wait_readable(fds[0]);
    cr_expect_eq(write_when_asleep, -1);
    close_both(fds);
    return rc;
}

Test(descriptors, are_slept_on_by_an_idle_loop, .timeout = 30)
{
    cr_expect_eq(weir_run(wait_asleep, NULL, NULL), 0);
    cr_expect_eq(slept, 1);
}
