/* core/sync: memory channels. DESIGN section 4, points 3, 4 and 8. */
#include "../support/core.h"

struct ends {
    struct weir_send_channel send;
    struct weir_receive_channel receive;
};

static unsigned destroyed;
static uint64_t destroyed_sum;

static void destroy(void *message, void *arg)
{
    destroyed++;
    destroyed_sum += *(uint64_t *)message;
    cr_expect_eq(arg, &destroyed);
}

static void open_in(struct ends *ends, size_t capacity)
{
    cr_assert_eq(weir_open_memory_channel(&ends->send, &ends->receive, capacity, sizeof(uint64_t), destroy, &destroyed),
                 0);
}

static void close_both(struct ends *ends)
{
    weir_send_channel_close(&ends->send);
    weir_receive_channel_close(&ends->receive);
}

/* Sends 0 to 4, closing in the end. */
static int send_five(void *arg)
{
    struct weir_send_channel *send = arg;
    int rc = 0;
    for (uint64_t i = 0; i < 5 && rc == 0; i++) {
        rc = weir_send(send, &i);
        note("s%lu", i);
    }
    weir_send_channel_close(send);
    return rc;
}

static int receive_all(void *arg)
{
    struct weir_receive_channel *receive = arg;
    uint64_t message;
    int rc;
    while ((rc = weir_receive(receive, &message)) == 0)
        note("r%lu", message);
    note("%s", weir_error_name(rc));
    weir_receive_channel_close(receive);
    return rc == -ENODATA ? 0 : rc;
}

static int pass_five(size_t capacity)
{
    struct ends ends;
    struct weir_nursery nursery;
    int rc = 0;
    open_in(&ends, capacity);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_five, &ends.send);
        weir_start_soon(&nursery, receive_all, &ends.receive);
    }
    return rc;
}

TASK_TEST(channel, of_capacity_0_hands_each_message_over)
{
    int rc = pass_five(0);
    cr_expect_str_eq(notes, "r0 s0 s1 r1 r2 s2 s3 r3 r4 s4 EndOfChannel");
    return rc;
}

TASK_TEST(channel, of_capacity_2_lets_the_sender_run_ahead_by_2)
{
    int rc = pass_five(2);
    cr_expect_str_eq(notes, "s0 s1 r0 r1 r2 s2 s3 s4 r3 r4 EndOfChannel");
    return rc;
}

TASK_TEST(channel, unbounded_never_makes_the_sender_wait)
{
    int rc = pass_five(WEIR_UNBOUNDED);
    cr_expect_str_eq(notes, "s0 s1 s2 s3 s4 r0 r1 r2 r3 r4 EndOfChannel");
    return rc;
}

TASK_TEST(channel, unbounded_grows_and_keeps_the_order)
{
    struct ends ends;
    uint64_t got;
    open_in(&ends, WEIR_UNBOUNDED);
    for (uint64_t i = 0; i < 10; i++) { /* so that the ring's head is not at 0 when it grows */
        cr_assert_eq(weir_send_nowait(&ends.send, &i), 0);
        cr_assert_eq(weir_receive_nowait(&ends.receive, &got), 0);
    }
    for (uint64_t i = 0; i < 10000; i++)
        cr_assert_eq(weir_send_nowait(&ends.send, &i), 0);
    for (uint64_t i = 0; i < 10000; i++)
        cr_assert(weir_receive_nowait(&ends.receive, &got) == 0 && got == i);
    cr_expect_eq(weir_receive_nowait(&ends.receive, &got), -EAGAIN);
    close_both(&ends);
    return 0;
}

TASK_TEST(channel, without_waiting_says_that_it_would_have_to)
{
    struct ends ends;
    uint64_t message = 1;
    open_in(&ends, 1);
    cr_expect_eq(weir_receive_nowait(&ends.receive, &message), -EAGAIN);
    cr_expect_eq(weir_send_nowait(&ends.send, &message), 0);
    cr_expect_eq(weir_send_nowait(&ends.send, &message), -EAGAIN);
    close_both(&ends);
    open_in(&ends, 0);
    cr_expect_eq(weir_send_nowait(&ends.send, &message), -EAGAIN);
    close_both(&ends);
    cr_expect_eq(weir_send_nowait(&ends.send, &message), -EBADF);
    cr_expect_eq(weir_receive_nowait(&ends.receive, &message), -EBADF);
    cr_expect_eq(weir_send(&ends.send, &message), -EBADF);
    cr_expect_eq(weir_receive(&ends.receive, &message), -EBADF);
    return 0;
}

TASK_TEST(channel, sizes_it_cannot_have_are_refused)
{
    struct ends ends;
    cr_expect_eq(weir_open_memory_channel(&ends.send, &ends.receive, 1, 0, NULL, NULL), -EINVAL);
    cr_expect_eq(weir_open_memory_channel(&ends.send, &ends.receive, 1, (1 << 20) + 1, NULL, NULL), -EINVAL);
    cr_expect_eq(weir_open_memory_channel(&ends.send, &ends.receive, SIZE_MAX - 1, 1 << 20, NULL, NULL), -ENOMEM);
    return 0;
}

TASK_TEST(channel, messages_of_any_size_arrive_whole)
{
    static const size_t sizes[] = {1, 3, 8, 24, 1000};
    for (size_t i = 0; i < 5; i++) {
        struct ends ends;
        char sent[1000], got[1000] = {0};
        for (size_t b = 0; b < sizeof sent; b++)
            sent[b] = (char)(b * 7 + i);
        cr_assert_eq(weir_open_memory_channel(&ends.send, &ends.receive, 2, sizes[i], NULL, NULL), 0);
        cr_assert_eq(weir_send(&ends.send, sent), 0);
        cr_assert_eq(weir_receive(&ends.receive, got), 0);
        cr_expect_eq(memcmp(sent, got, sizes[i]), 0);
        cr_expect(sizes[i] == 1000 || got[sizes[i]] == 0);
        close_both(&ends);
    }
    return 0;
}

/* ---- cancellation ---- */

TASK_TEST(channel, every_call_that_could_wait_is_cancelled_on_its_fast_path)
{
    struct ends ends;
    struct weir_scope scope;
    uint64_t message = 5, got = 0;
    int rc = 0;
    open_in(&ends, 2);
    cr_assert_eq(weir_send_nowait(&ends.send, &message), 0); /* so that neither call needs to wait */
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_send(&ends.send, &message), -ECANCELED);
        rc = weir_receive(&ends.receive, &got);
    }
    cr_expect(scope.cancelled_caught);
    struct weir_channel_statistics statistics;
    weir_send_channel_statistics(&ends.send, &statistics);
    cr_expect_eq(statistics.buffered, 1, "neither happened");
    cr_expect_eq(got, 0);
    close_both(&ends);
    return rc;
}

TASK_TEST(channel, a_cancelled_waiter_leaves_nothing_behind)
{
    struct ends ends;
    struct weir_scope scope;
    uint64_t message = 5;
    int rc = 0;
    open_in(&ends, 0);
    weir_move_on_after (&scope, 5, rc)
        rc = weir_send(&ends.send, &message);
    cr_expect(scope.cancelled_caught);
    weir_move_on_after (&scope, 5, rc)
        rc = weir_receive(&ends.receive, &message);
    cr_expect(scope.cancelled_caught);
    struct weir_channel_statistics statistics;
    weir_receive_channel_statistics(&ends.receive, &statistics);
    cr_expect(statistics.tasks_waiting_send == 0 && statistics.tasks_waiting_receive == 0);
    cr_expect_eq(weir_receive_nowait(&ends.receive, &message), -EAGAIN);
    close_both(&ends);
    return rc;
}

struct race {
    struct ends ends;
    struct weir_scope scope;
    bool cancel_first;
};

static int hand_over_and_cancel(void *arg)
{
    struct race *race = arg;
    uint64_t message = 9;
    if (race->cancel_first)
        weir_scope_cancel(&race->scope);
    note("%s", weir_error_name(weir_send_nowait(&race->ends.send, &message)));
    weir_scope_cancel(&race->scope);
    return 0;
}

static int run_race(bool cancel_first)
{
    struct race race = {.cancel_first = cancel_first};
    struct weir_nursery nursery;
    uint64_t got = 0;
    int rc = 0;
    open_in(&race.ends, 0);
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&race.scope, rc) {
            weir_start_soon(&nursery, hand_over_and_cancel, &race);
            rc = weir_receive(&race.ends.receive, &got);
        }
    }
    cr_expect_eq(got, cancel_first ? 0 : 9);
    cr_expect_eq(race.scope.cancelled_caught, cancel_first);
    close_both(&race.ends);
    return rc;
}

TASK_TEST(channel, what_was_handed_over_first_beats_the_cancellation)
{
    cr_expect_eq(run_race(false), 0);
    cr_expect_eq(run_race(true), 0);
    cr_expect_str_eq(notes, "ok WouldBlock");
    return 0;
}

/* ---- fairness and statistics ---- */

struct numbered {
    struct ends *ends;
    uint64_t number;
};

static int send_number(void *arg)
{
    struct numbered *numbered = arg;
    WEIR_TRY(weir_send(&numbered->ends->send, &numbered->number));
    return 0;
}

static int receive_number(void *arg)
{
    struct numbered *numbered = arg;
    uint64_t got;
    WEIR_TRY(weir_receive(&numbered->ends->receive, &got));
    note("%lu<-%lu", numbered->number, got);
    return 0;
}

static int wait_in_line(size_t capacity, bool senders_first)
{
    struct ends ends;
    struct numbered numbered[4];
    struct weir_nursery nursery;
    struct weir_channel_statistics statistics;
    int rc = 0;
    open_in(&ends, capacity);
    weir_with_nursery (&nursery, rc) {
        for (uint64_t i = 0; i < 4; i++) {
            numbered[i] = (struct numbered){&ends, i};
            weir_start_soon(&nursery, senders_first ? send_number : receive_number, &numbered[i]);
        }
        WEIR_DO(rc, weir_checkpoint());
        weir_send_channel_statistics(&ends.send, &statistics);
        cr_expect_eq(statistics.tasks_waiting_send, senders_first ? 4 - capacity : 0);
        cr_expect_eq(statistics.tasks_waiting_receive, senders_first ? 0 : 4);
        cr_expect_eq(statistics.buffered, senders_first ? capacity : 0);
        cr_expect_eq(statistics.capacity, capacity);
        cr_expect(statistics.open_send_channels == 1 && statistics.open_receive_channels == 1);
        for (uint64_t i = 0; i < 4; i++)
            weir_start_soon(&nursery, senders_first ? receive_number : send_number, &numbered[i]);
    }
    close_both(&ends);
    weir_send_channel_statistics(&ends.send, &statistics);
    cr_expect_eq(statistics.open_send_channels, 0);
    return rc;
}

TASK_TEST(channel, serves_first_come_first)
{
    int rc = wait_in_line(0, false) + wait_in_line(0, true) + wait_in_line(2, true);
    cr_expect_str_eq(notes, "0<-0 1<-1 2<-2 3<-3 0<-0 1<-1 2<-2 3<-3 0<-0 1<-1 2<-2 3<-3");
    return rc;
}

static int note_run(void *arg)
{
    note("ran");
    return 0;
}

TASK_TEST(channel, one_that_never_has_to_wait_lets_others_run_too)
{
    struct ends ends;
    struct weir_nursery nursery;
    uint64_t message = 1;
    int rc = 0;
    open_in(&ends, 1);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, note_run, NULL);
        for (int i = 0; i < 1000; i++) {
            WEIR_TRY(weir_send(&ends.send, &message));
            WEIR_TRY(weir_receive(&ends.receive, &message));
        }
        cr_expect_str_eq(notes, "ran");
    }
    close_both(&ends);
    return rc;
}

TASK_TEST(channel, is_iterated_over_to_its_end)
{
    struct ends ends;
    struct weir_nursery nursery;
    uint64_t message;
    int rc = 0;
    open_in(&ends, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_five, &ends.send);
        weir_for_each_message (&ends.receive, &message, rc)
            note("r%lu", message);
        note("%s", weir_error_name(rc));
    }
    cr_expect_str_eq(notes, "s0 r0 r1 s1 s2 r2 r3 s3 s4 r4 ok");
    weir_receive_channel_close(&ends.receive);
    weir_for_each_message (&ends.receive, &message, rc)
        cr_expect(false);
    cr_expect_eq(rc, -EBADF);
    return 0;
}

TASK_TEST(channel, an_error_ends_the_iteration_and_stays)
{
    struct weir_scope scope;
    struct ends ends;
    uint64_t message = 1;
    int rc = 0, rounds = 0;
    open_in(&ends, 3);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(weir_send_nowait(&ends.send, &message), 0);
    weir_for_each_message (&ends.receive, &message, rc) {
        rounds++;
        rc = -EIO;
    }
    cr_expect_eq(rc, -EIO);
    weir_for_each_message (&ends.receive, &message, rc) /* an error that was there before is not lost */
        rounds++;
    cr_expect_eq(rc, -EIO);
    rc = 0;
    weir_move_on_after (&scope, 1, rc)
        weir_for_each_message (&ends.receive, &message, rc)
            rounds++;
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(rounds, 3);
    close_both(&ends);
    return rc;
}

static int leave_early(struct ends *ends)
{
    weir_with_send_channel (&ends->send)
        weir_with_receive_channel (&ends->receive)
            return 7;
    return 0;
}

TASK_TEST(channel, a_block_closes_its_end_however_it_is_left)
{
    struct ends ends;
    open_in(&ends, 0);
    cr_expect_eq(leave_early(&ends), 7);
    cr_expect_null(ends.send.end.channel);
    cr_expect_null(ends.receive.end.channel);
    open_in(&ends, 0);
    weir_with_receive_channel (&ends.receive)
        weir_with_send_channel (&ends.send)
            break;
    cr_expect_null(ends.send.end.channel);
    cr_expect_null(ends.receive.end.channel);
    return 0;
}
