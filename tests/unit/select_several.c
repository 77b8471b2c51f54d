/* core/sync: selects that meet each other, or themselves; and select over other kinds of things. */
#include "select_pipes.h"

static int swap(void *arg)
{
    struct pipe **pipes = arg;
    int mine = pipes[0] == &in ? 1 : 2, theirs = 0;
    struct weir_case cases[] = {WEIR_CASE_SEND(&pipes[0]->send, &mine), WEIR_CASE_RECEIVE(&pipes[1]->receive, &theirs)};
    int which = weir_select(cases, 2);
    note(which == 0 ? "sent %d" : "got %d", which == 0 ? mine : theirs);
    return which < 0 ? which : 0;
}

TASK_TEST(select_several, two_of_them_meet_in_one_message)
{
    struct pipe *one[] = {&in, &out}, *other[] = {&out, &in};
    struct weir_nursery nursery;
    int rc = 0;
    open_pipe(&in, 0);
    open_pipe(&out, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, swap, one);
        weir_start_soon(&nursery, swap, other);
    }
    cr_expect_str_eq(notes, "sent 2 got 2");
    cr_expect_eq(waiting(&in) + waiting(&out), 0);
    close_pipe(&in);
    close_pipe(&out);
    return rc;
}

TASK_TEST(select_several, does_not_meet_itself)
{
    struct pipe *both[] = {&in, &in};
    struct weir_nursery nursery;
    int rc = 0;
    open_pipe(&in, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, swap, both);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_str_eq(notes, "");
        cr_expect_eq(waiting(&in), 2);
        cr_expect_eq(receive_now(&in), 1);
        cr_expect_eq(waiting(&in), 0);
    }
    cr_expect_str_eq(notes, "sent 1");
    close_pipe(&in);
    return rc;
}

static int set_event(void *arg)
{
    weir_event_set(&event);
    return 0;
}

TASK_TEST(select_several, may_wait_for_one_thing_twice)
{
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event), WEIR_CASE_EVENT(&event), WEIR_CASE_EVENT(&event)};
    struct weir_nursery nursery;
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, set_event, NULL);
        cr_expect_eq(weir_select(cases, 3), 0);
    }
    int one, two;
    struct weir_case closing[] = {WEIR_CASE_RECEIVE(&in.receive, &one), WEIR_CASE_RECEIVE(&in.receive, &two)};
    open_pipe(&in, 0);
    struct weir_scope scope;
    weir_move_on_after (&scope, 1, rc)
        rc = weir_select(closing, 2);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(waiting(&in), 0);
    close_pipe(&in);
    return rc;
}

static int hold_the_lock(void *arg)
{
    int rc = 0;
    weir_with_lock (&lock, rc)
        rc = weir_sleep(100);
    return rc;
}

static int reserve_then_sit(void *permit)
{
    WEIR_TRY(weir_reserve(&in.send, permit));
    note("reserved");
    return 0;
}

static int send_eight(void *arg)
{
    WEIR_TRY(weir_send(&in.send, &(int){8}));
    note("sent");
    return 0;
}

/* Standing in line twice, it lets out first one who reserves and then, as the second receiver, one who sends. */
TASK_TEST(select_several, may_be_served_while_it_still_takes_its_places)
{
    struct weir_permit permit;
    struct weir_nursery nursery;
    int rc = 0, one = 0, two = 0;
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event), WEIR_CASE_RECEIVE(&in.receive, &one),
                                WEIR_CASE_RECEIVE(&in.receive, &two), WEIR_CASE_LOCK(&lock)};
    open_pipe(&in, 0);
    weir_event_init(&event);
    weir_lock_init(&lock);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, hold_the_lock, NULL);
        weir_start_soon(&nursery, reserve_then_sit, &permit);
        weir_start_soon(&nursery, send_eight, NULL);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_select(cases, 4), 1);
        cr_expect_eq(one, 8);
        cr_expect_eq(two, 0);
        cr_expect_eq(waiting(&in) + weir_event_waiting(&event), 0);
        cr_expect_neq(weir_lock_owner(&lock), weir_current_task());
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_permit_send(&permit, &(int){9}), 0); /* nobody waits: it is for the next one */
        cr_expect_eq(receive_now(&in), 9);
    }
    cr_expect_str_eq(notes, "reserved sent");
    close_pipe(&in);
    return rc;
}

/* ---- the other kinds ---- */

static int select_tokens(void *arg)
{
    struct weir_case *cases = arg;
    int which = weir_select(cases, 3);
    note("%d:%s", which, which >= 0 ? weir_error_name(cases[which].result) : "");
    return 0;
}

TASK_TEST(select_several, takes_a_token_a_semaphore_or_a_place_in_a_lot)
{
    struct weir_capacity_limiter limiter;
    struct weir_capacity_limiter_statistics statistics;
    struct weir_semaphore semaphore;
    struct weir_parking_lot lot;
    struct weir_nursery nursery;
    int rc = 0, me;
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 1), 0);
    cr_assert_eq(weir_semaphore_init(&semaphore, 0, 1), 0);
    weir_parking_lot_init(&lot);
    struct weir_case cases[] = {WEIR_CASE_CAPACITY_LIMITER_ON_BEHALF_OF(&limiter, &me), WEIR_CASE_SEMAPHORE(&semaphore),
                                WEIR_CASE_PARKING_LOT(&lot)};
    cr_expect_eq(weir_capacity_limiter_acquire(&limiter), 0);
    weir_with_nursery (&nursery, rc) {
        for (int round = 0; round < 4; round++) {
            weir_start_soon(&nursery, select_tokens, cases);
            WEIR_DO(rc, weir_sleep(1));
            if (round == 0)
                weir_capacity_limiter_release(&limiter);
            else if (round == 1) /* "me" has one: that fails at once */
                cr_expect_eq(weir_capacity_limiter_release_on_behalf_of(&limiter, &me), 0);
            if (round == 1)
                cr_expect_eq(weir_capacity_limiter_acquire(&limiter), 0);
            else if (round == 2)
                weir_semaphore_release(&semaphore);
            else if (round == 3)
                cr_expect_eq(weir_parking_lot_unpark_all(&lot), 1);
            weir_capacity_limiter_statistics(&limiter, &statistics);
            cr_expect_eq(statistics.tasks_waiting, 0);
            cr_expect_eq(weir_parking_lot_waiting(&lot), 0);
            cr_expect_eq(weir_semaphore_value(&semaphore), 0);
        }
    }
    cr_expect_str_eq(notes, "0:ok 0:EALREADY 1:ok 2:ok");
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

static int reserve_or_receive(void *arg)
{
    struct weir_permit permit;
    int message = 0;
    struct weir_case cases[] = {WEIR_CASE_RESERVE(&in.send, &permit), WEIR_CASE_RECEIVE(&in.receive, &message)};
    int which = weir_select(cases, 2);
    note("%d:%d", which, message);
    if (which == 0)
        WEIR_TRY(weir_permit_send(&permit, &(int){9}));
    return which < 0 ? which : 0;
}

TASK_TEST(select_several, reserves_and_is_no_receiver_of_its_own)
{
    struct weir_nursery nursery;
    int rc = 0, message = 0;
    open_pipe(&in, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve_or_receive, NULL);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_str_eq(notes, "");
        WEIR_DO(rc, weir_receive(&in.receive, &message));
        cr_expect_eq(message, 9);
        weir_start_soon(&nursery, reserve_or_receive, NULL);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(send_now(&in, 8), 0);
    }
    cr_expect_str_eq(notes, "0:0 1:8");
    cr_expect_eq(waiting(&in), 0);
    close_pipe(&in);
    return rc;
}

static int reserve_one(void *permit)
{
    WEIR_TRY(weir_reserve(&in.send, permit));
    note("reserved");
    return 0;
}

static int receive_one(void *arg)
{
    int message = 0;
    WEIR_TRY(weir_receive(&in.receive, &message));
    note("received %d", message);
    return 0;
}

TASK_TEST(select_several, that_cannot_meet_itself_does_not_stop_those_behind_it)
{
    struct weir_permit first, second;
    struct weir_nursery nursery;
    int rc = 0;
    open_pipe(&in, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve_or_receive, NULL);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_reserve_nowait(&in.send, &first), 0);
        weir_start_soon(&nursery, reserve_one, &second); /* behind the select's own */
        WEIR_DO(rc, weir_sleep(1));
        weir_permit_release(&first);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_str_eq(notes, "reserved");
        cr_expect_eq(weir_permit_send(&second, &(int){8}), 0);
    }
    cr_expect_str_eq(notes, "reserved 1:8");
    close_pipe(&in);
    return rc;
}

/* Its own receive stands before the other's, but it is the other who gets what it sends. */
TASK_TEST(select_several, sends_past_its_own_receive)
{
    struct weir_permit permits[3];
    struct pipe *both[] = {&in, &in};
    struct weir_nursery nursery, gone;
    int rc = 0;
    open_pipe(&in, 0);
    weir_with_nursery (&gone, rc) {
        weir_start_soon(&gone, receive_one, NULL);
        weir_start_soon(&gone, receive_one, NULL);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_reserve_nowait(&in.send, &permits[0]), 0);
        cr_expect_eq(weir_reserve_nowait(&in.send, &permits[1]), 0);
        weir_nursery_cancel(&gone);
    }
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, reserve_one, &permits[2]);
        weir_start_soon(&nursery, swap, both);
        weir_start_soon(&nursery, receive_one, NULL);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(waiting(&in), 4);
        for (int i = 0; i < 3; i++)
            weir_permit_release(&permits[i]); /* the last is granted as the first goes */
    }
    cr_expect_str_eq(notes, "reserved received 1 sent 1");
    close_pipe(&in);
    return rc;
}

/* A kind of one's own: a counter that reaches a number. */
struct counter {
    int value;
    struct weir_parking_lot lot;
};

static int attempt_count(struct weir_case *one)
{
    const struct counter *counter = one->waiter.object;
    return counter->value >= *(int *)one->waiter.arg ? counter->value : -EAGAIN;
}

static int enter_count(struct weir_case *one)
{
    struct counter *counter = one->waiter.object;
    if (*(int *)one->waiter.arg > 100)
        return -ERANGE;
    weir_waiter_enter(&one->waiter, &counter->lot);
    return 0;
}

static const struct weir_case_kind count_case = {
    .name = "count", .attempt = attempt_count, .enter = enter_count, .leave = weir_case_leave_line};

static int count_up(void *arg)
{
    struct counter *counter = arg;
    while (counter->value < 3) {
        WEIR_TRY(weir_sleep(1));
        counter->value++;
        struct weir_waiter *first = weir_parking_lot_first(&counter->lot);
        if (first != NULL && counter->value >= *(int *)first->arg)
            weir_waiter_wake(first, counter->value);
    }
    return 0;
}

TASK_TEST(select_several, takes_cases_of_other_kinds)
{
    struct counter counter = {0};
    int three = 3, many = 101;
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event), WEIR_CASE_(count_case, struct counter, &counter, &three),
                                WEIR_CASE_NEVER};
    struct weir_nursery nursery;
    int rc = 0;
    weir_event_init(&event);
    weir_parking_lot_init(&counter.lot);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, count_up, &counter);
        cr_expect_eq(weir_select(cases, 3), 1);
        cr_expect_eq(cases[1].result, 3);
        cr_expect_eq(weir_select(cases, 3), 1); /* without waiting */
    }
    cases[1] = (struct weir_case)WEIR_CASE_NEVER;
    cases[2] = (struct weir_case)WEIR_CASE_(count_case, struct counter, &counter, &many);
    cr_expect_eq(weir_select(cases, 3), 2); /* it cannot even stand in line */
    cr_expect_eq(cases[2].result, -ERANGE);
    cr_expect_eq(weir_event_waiting(&event), 0);
    return rc;
}
