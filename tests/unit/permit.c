/* core/sync: permits of memory channels: reserve, then send. */
#include "../support/core.h"

static struct weir_send_channel send_end;
static struct weir_receive_channel receive_end;
static unsigned destroyed;

static void destroy(void *message, void *arg)
{
    destroyed++;
}

static void open_with(size_t capacity)
{
    cr_assert_eq(weir_open_memory_channel(&send_end, &receive_end, capacity, sizeof(int), destroy, NULL), 0);
}

static void close_both(void)
{
    weir_send_channel_close(&send_end);
    weir_receive_channel_close(&receive_end);
}

static struct weir_channel_statistics statistics(void)
{
    struct weir_channel_statistics statistics;
    weir_send_channel_statistics(&send_end, &statistics);
    return statistics;
}

static int send_now(int message)
{
    return weir_send_nowait(&send_end, &message);
}

static int send_into(struct weir_permit *permit, int message)
{
    return weir_permit_send(permit, &message);
}

/* The message, or the error. */
static int receive_now(void)
{
    int message;
    int rc = weir_receive_nowait(&receive_end, &message);
    return rc < 0 ? rc : message;
}

/* ---- tasks: each says when it has what it wants ---- */

struct actor {
    const char *name;
    int message;
    struct weir_permit permit;
    struct weir_scope scope;
};

static int reserve(void *arg)
{
    struct actor *actor = arg;
    int rc = 0;
    weir_with_scope (&actor->scope, rc) {
        rc = weir_reserve(&send_end, &actor->permit);
        note("%s:%s", actor->name, weir_error_name(rc));
    }
    return 0;
}

static int send_one(void *arg)
{
    struct actor *actor = arg;
    int rc = weir_send(&send_end, &actor->message);
    note("%s:%s", actor->name, weir_error_name(rc));
    return 0;
}

static int receive_one(void *arg)
{
    struct actor *actor = arg;
    int rc = 0, message = 0;
    weir_with_scope (&actor->scope, rc) {
        rc = weir_receive(&receive_end, &message);
        note("%s:%s:%d", actor->name, weir_error_name(rc), message);
    }
    return 0;
}

/* ---- with a buffer ---- */

TASK_TEST(permit, counts_against_the_capacity)
{
    struct weir_permit one, other, third;
    open_with(2);
    cr_expect_eq(weir_reserve(&send_end, &one), 0);
    cr_expect_eq(weir_reserve_nowait(&send_end, &other), 0);
    cr_expect_eq(weir_reserve_nowait(&send_end, &third), -EAGAIN);
    cr_expect_eq(send_now(7), -EAGAIN);
    cr_expect_eq(statistics().permits, 2);
    cr_expect_eq(statistics().buffered, 0);
    cr_expect_eq(receive_now(), -EAGAIN);
    cr_expect_eq(send_into(&one, 1), 0);
    cr_expect_eq(send_now(7), -EAGAIN);
    cr_expect_eq(receive_now(), 1);
    cr_expect_eq(send_now(2), 0);
    cr_expect_eq(send_into(&other, 3), 0);
    cr_expect_eq(receive_now(), 2);
    cr_expect_eq(receive_now(), 3);
    cr_expect_eq(statistics().permits, 0);
    close_both();
    return 0;
}

TASK_TEST(permit, is_spent_once)
{
    struct weir_permit permit = {0};
    open_with(1);
    cr_expect_eq(send_into(&permit, 1), -EBADF);
    cr_expect_eq(weir_reserve(&send_end, &permit), 0);
    cr_expect_eq(send_into(&permit, 1), 0);
    cr_expect_eq(send_into(&permit, 2), -EBADF);
    weir_permit_release(&permit); /* nothing */
    cr_expect_eq(statistics().buffered, 1);
    cr_expect_eq(statistics().permits, 0);
    close_both();
    return 0;
}

TASK_TEST(permit, a_cancelled_reserve_holds_nothing)
{
    struct weir_permit permit;
    struct weir_scope scope;
    int rc = 0;
    open_with(1);
    cr_expect_eq(send_now(1), 0);
    weir_move_on_after (&scope, 5, rc)
        rc = weir_reserve(&send_end, &permit);
    cr_expect(scope.cancelled_caught);
    cr_expect_null(permit.channel);
    cr_expect_eq(statistics().tasks_waiting_send, 0);
    cr_expect_eq(receive_now(), 1);
    weir_with_scope (&scope, rc) { /* nor on its fast path */
        weir_scope_cancel(&scope);
        rc = weir_reserve(&send_end, &permit);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(statistics().permits, 0);
    close_both();
    return rc;
}

TASK_TEST(permit, is_waited_for_in_one_line_with_those_who_send)
{
    struct actor a = {"a"}, b = {"b", 2}, c = {"c"};
    struct weir_nursery nursery;
    int rc = 0;
    open_with(1);
    cr_expect_eq(send_now(1), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve, &a);
        weir_start_soon(&nursery, send_one, &b);
        weir_start_soon(&nursery, reserve, &c);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(statistics().tasks_waiting_send, 3);
        cr_expect_eq(receive_now(), 1); /* its place is a's */
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_into(&a.permit, 10), 0);
        cr_expect_eq(receive_now(), 10); /* b's */
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(receive_now(), 2); /* c's */
        WEIR_DO(rc, weir_sleep(1));
        weir_permit_release(&c.permit);
    }
    cr_expect_str_eq(notes, "a:ok b:ok c:ok");
    close_both();
    return rc;
}

TASK_TEST(permit, given_up_goes_to_the_first_in_line)
{
    struct actor a = {"a", 1}, b = {"b"};
    struct weir_permit permit;
    struct weir_nursery nursery;
    int rc = 0;
    open_with(1);
    cr_expect_eq(weir_reserve_nowait(&send_end, &permit), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_one, &a);
        weir_start_soon(&nursery, reserve, &b);
        WEIR_DO(rc, weir_sleep(1));
        weir_permit_release(&permit);
        cr_expect_eq(statistics().buffered, 1);
        cr_expect_eq(statistics().tasks_waiting_send, 1);
        cr_expect_eq(receive_now(), 1);
        cr_expect_eq(statistics().permits, 1);
        weir_permit_release(&b.permit);
    }
    cr_expect_str_eq(notes, "a:ok b:ok");
    close_both();
    return rc;
}

TASK_TEST(permit, whose_message_goes_from_hand_to_hand_frees_its_place)
{
    struct actor a = {"a"}, b = {"b"};
    struct weir_permit permit;
    struct weir_nursery nursery;
    int rc = 0;
    open_with(1);
    cr_expect_eq(weir_reserve_nowait(&send_end, &permit), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &a);
        weir_start_soon(&nursery, reserve, &b);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_into(&permit, 5), 0);
        cr_expect_eq(statistics().buffered, 0);
        cr_expect_eq(statistics().permits, 1);
        weir_permit_release(&b.permit);
    }
    cr_expect_str_eq(notes, "a:ok:5 b:ok");
    close_both();
    return rc;
}

TASK_TEST(permit, those_out_do_not_keep_a_sender_from_a_receiver_who_waits)
{
    struct actor a = {"a"}, b = {"b"}, c = {"c", 3};
    struct weir_permit permit;
    struct weir_nursery nursery;
    int rc = 0;
    open_with(1);
    cr_expect_eq(weir_reserve_nowait(&send_end, &permit), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve, &b);  /* no place */
        weir_start_soon(&nursery, send_one, &c); /* behind b, but b needs a place, and c only a receiver */
        WEIR_DO(rc, weir_sleep(1));
        weir_start_soon(&nursery, receive_one, &a);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_str_eq(notes, "a:ok:3 c:ok");
        weir_start_soon(&nursery, receive_one, &a);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_now(4), 0);
        weir_permit_release(&permit);
        weir_permit_release(&b.permit);
        WEIR_DO(rc, weir_sleep(1));
        weir_permit_release(&b.permit);
    }
    cr_expect_str_eq(notes, "a:ok:3 c:ok a:ok:4 b:ok");
    close_both();
    return rc;
}

TASK_TEST(permit, of_an_unbounded_channel_has_memory_set_aside)
{
    enum { MANY = 1000 };
    static struct weir_permit permits[MANY];
    open_with(WEIR_UNBOUNDED);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(weir_reserve_nowait(&send_end, &permits[i]), 0);
        cr_assert_eq(send_now(i), 0);
    }
    cr_expect_eq(statistics().permits, MANY);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(send_into(&permits[i], MANY + i), 0);
    for (int i = 0; i < 2 * MANY; i++)
        cr_assert_eq(receive_now(), i);
    close_both();
    return 0;
}

/* ---- without a buffer ---- */

TASK_TEST(permit, without_a_buffer_stands_for_a_receiver_that_waits)
{
    struct actor a = {"a"}, b = {"b"};
    struct weir_permit permit, other;
    struct weir_nursery nursery;
    int rc = 0;
    open_with(0);
    cr_expect_eq(weir_reserve_nowait(&send_end, &permit), -EAGAIN);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &a);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_reserve_nowait(&send_end, &permit), 0);
        cr_expect_eq(weir_reserve_nowait(&send_end, &other), -EAGAIN); /* one each */
        cr_expect_eq(send_now(1), -EAGAIN);
        weir_start_soon(&nursery, receive_one, &b);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_now(2), 0); /* the first in line, as ever */
        cr_expect_eq(send_now(3), -EAGAIN);
        cr_expect_eq(send_into(&permit, 4), 0);
    }
    cr_expect_str_eq(notes, "a:ok:2 b:ok:4");
    close_both();
    return rc;
}

TASK_TEST(permit, without_a_buffer_is_granted_to_who_waits_as_receivers_come)
{
    struct actor a = {"a"}, b = {"b"}, c = {"c", 3}, r = {"r"}, s = {"s"};
    struct weir_nursery nursery;
    int rc = 0;
    open_with(0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve, &a);
        weir_start_soon(&nursery, reserve, &b);
        weir_start_soon(&nursery, send_one, &c);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(receive_now(), -EAGAIN); /* it is a's turn, who has no message yet */
        weir_start_soon(&nursery, receive_one, &r);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_str_eq(notes, "a:ok");
        cr_expect_eq(statistics().permits, 1);
        cr_expect_eq(statistics().tasks_waiting_send, 2);
        weir_start_soon(&nursery, receive_one, &s);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_str_eq(notes, "a:ok b:ok");
        cr_expect_eq(send_into(&b.permit, 2), 0);
        weir_permit_release(&a.permit); /* s may have c's */
    }
    cr_expect_str_eq(notes, "a:ok b:ok r:ok:2 s:ok:3 c:ok");
    close_both();
    return rc;
}

TASK_TEST(permit, whose_receiver_has_left_keeps_the_message_for_the_next)
{
    struct actor a = {"a"}, b = {"b"};
    struct weir_permit permit;
    struct weir_nursery nursery;
    int rc = 0;
    open_with(0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &a);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_reserve_nowait(&send_end, &permit), 0);
        weir_scope_cancel(&a.scope);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_into(&permit, 7), 0);
        cr_expect_eq(statistics().buffered, 1);
        cr_expect_eq(send_now(8), -EAGAIN); /* it has no buffer for all that */
        a.message = 8;
        weir_start_soon(&nursery, send_one, &a);
        WEIR_DO(rc, weir_sleep(1));
        weir_start_soon(&nursery, receive_one, &b);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(statistics().buffered, 0);
        cr_expect_eq(statistics().tasks_waiting_send, 1);
        cr_expect_eq(receive_now(), 8);
    }
    cr_expect_str_eq(notes, "a:Cancelled:0 b:ok:7 a:ok");
    close_both();
    return rc;
}

TASK_TEST(permit, without_a_buffer_each_has_a_place_for_the_worst)
{
    enum { MANY = 40 };
    static struct actor receivers[MANY];
    static struct weir_permit permits[MANY];
    struct weir_nursery nursery;
    int rc = 0;
    open_with(0);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < MANY; i++)
            weir_start_soon(&nursery, receive_one, &receivers[i]);
        WEIR_DO(rc, weir_sleep(1));
        for (int i = 0; i < MANY; i++)
            cr_assert_eq(weir_reserve_nowait(&send_end, &permits[i]), 0);
        weir_nursery_cancel(&nursery);
    }
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(send_into(&permits[i], i), 0);
    for (int i = 0; i < MANY - 3; i++)
        cr_assert_eq(receive_now(), i);
    destroyed = 0;
    close_both();
    cr_expect_eq(destroyed, 3);
    return rc;
}

/* ---- closing ---- */

TASK_TEST(permit, keeps_the_channel_from_ending)
{
    struct actor a = {"a"}, b = {"b"};
    struct weir_permit one, other;
    struct weir_nursery nursery;
    int rc = 0;
    open_with(1);
    cr_expect_eq(weir_reserve(&send_end, &one), 0);
    weir_send_channel_close(&send_end);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &a);
        weir_start_soon(&nursery, receive_one, &b);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_into(&one, 4), 0); /* the last that can come */
    }
    cr_expect_str_eq(notes, "a:ok:4 b:EndOfChannel:0");
    weir_receive_channel_close(&receive_end);
    notes[0] = '\0';
    open_with(2);
    cr_expect_eq(weir_reserve(&send_end, &one), 0);
    cr_expect_eq(weir_reserve(&send_end, &other), 0);
    weir_send_channel_close(&send_end);
    cr_expect_eq(receive_now(), -EAGAIN);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &a);
        weir_start_soon(&nursery, receive_one, &b);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_into(&one, 5), 0);
        WEIR_DO(rc, weir_sleep(1));
        note("release");
        weir_permit_release(&other);
    }
    cr_expect_str_eq(notes, "a:ok:5 release b:EndOfChannel:0");
    cr_expect_eq(receive_now(), -ENODATA);
    weir_receive_channel_close(&receive_end);
    return rc;
}

TASK_TEST(permit, is_broken_by_the_last_receivers_close)
{
    struct actor a = {"a"};
    struct weir_permit permit, other;
    struct weir_nursery nursery;
    int rc = 0;
    open_with(1);
    cr_expect_eq(weir_reserve(&send_end, &permit), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve, &a);
        WEIR_DO(rc, weir_sleep(1));
        weir_receive_channel_close(&receive_end);
        cr_expect_eq(weir_reserve_nowait(&send_end, &other), -EPIPE);
    }
    cr_expect_str_eq(notes, "a:BrokenResourceError");
    cr_expect_null(a.permit.channel);
    destroyed = 0;
    cr_expect_eq(send_into(&permit, 1), -EPIPE);
    cr_expect_eq(send_into(&permit, 1), -EBADF); /* spent all the same */
    cr_expect_eq(destroyed, 0);                  /* the message is the caller's */
    weir_send_channel_close(&send_end);
    return rc;
}

TASK_TEST(permit, is_not_given_through_an_end_that_closes)
{
    struct weir_send_channel clone;
    struct actor a = {"a"};
    struct weir_nursery nursery;
    int rc = 0;
    open_with(1);
    cr_expect_eq(weir_send_channel_clone(&send_end, &clone), 0);
    cr_expect_eq(send_now(1), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve, &a);
        WEIR_DO(rc, weir_sleep(1));
        weir_send_channel_close(&send_end);
    }
    cr_expect_str_eq(notes, "a:ClosedResourceError");
    cr_expect_eq(weir_reserve(&send_end, &a.permit), -EBADF);
    weir_send_channel_close(&clone);
    weir_receive_channel_close(&receive_end);
    return rc;
}

/* The channel goes with the last of them: valgrind sees it. */
TASK_TEST(permit, outlives_both_ends)
{
    struct weir_permit one, other;
    open_with(2);
    cr_expect_eq(weir_reserve(&send_end, &one), 0);
    cr_expect_eq(weir_reserve(&send_end, &other), 0);
    weir_receive_channel_close(&receive_end);
    weir_send_channel_close(&send_end);
    weir_permit_release(&one);
    cr_expect_eq(send_into(&other, 1), -EPIPE);
    return 0;
}
