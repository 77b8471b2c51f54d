/* core/sync: select: the first of several things, and none of the others. */
#include "../support/core.h"

struct pipe {
    struct weir_send_channel send;
    struct weir_receive_channel receive;
};

static struct pipe in, out;
static struct weir_event event;
static struct weir_lock lock;

static void open_pipe(struct pipe *pipe, size_t capacity)
{
    cr_assert_eq(weir_open_memory_channel(&pipe->send, &pipe->receive, capacity, sizeof(int), NULL, NULL), 0);
}

static void close_pipe(struct pipe *pipe)
{
    weir_send_channel_close(&pipe->send);
    weir_receive_channel_close(&pipe->receive);
}

static int send_now(struct pipe *pipe, int message)
{
    return weir_send_nowait(&pipe->send, &message);
}

static int receive_now(struct pipe *pipe)
{
    int message, rc = weir_receive_nowait(&pipe->receive, &message);
    return rc < 0 ? rc : message;
}

static unsigned waiting(struct pipe *pipe)
{
    struct weir_channel_statistics statistics;
    weir_send_channel_statistics(&pipe->send, &statistics);
    return statistics.tasks_waiting_send + statistics.tasks_waiting_receive;
}

/* A task that waits for a message from `in`, sends 7 to `out`, waits for the event and the lock, and says what it was.
 */
struct selector {
    struct weir_scope scope;
    int which, result, message;
};

static int select_four(void *arg)
{
    struct selector *selector = arg;
    int seven = 7, rc = 0;
    struct weir_case cases[] = {WEIR_CASE_RECEIVE(&in.receive, &selector->message), WEIR_CASE_SEND(&out.send, &seven),
                                WEIR_CASE_EVENT(&event), WEIR_CASE_LOCK(&lock)};
    weir_with_scope (&selector->scope, rc) {
        rc = selector->which = weir_select(cases, 4);
        selector->result = rc >= 0 ? cases[rc].result : 0;
        if (weir_lock_owner(&lock) == weir_current_task()) {
            note("locked");
            weir_lock_release(&lock);
        }
    }
    return 0;
}

/* Runs select_four beside a body that lets something happen, and expects that nothing is left of it. */
#define SELECTING(selector, rc)                                                                                        \
    for (struct weir_nursery nursery_, *once_ = begin_selecting(); once_ != NULL; once_ = end_selecting())             \
        weir_with_nursery (&nursery_, rc)                                                                              \
            if (weir_start_soon(&nursery_, select_four, &(selector)) == 0 && weir_sleep(1) == 0)

static struct weir_nursery *begin_selecting(void)
{
    open_pipe(&in, 0);
    open_pipe(&out, 0);
    weir_event_init(&event);
    weir_lock_init(&lock);
    cr_assert_eq(weir_lock_acquire_nowait(&lock), 0);
    return (struct weir_nursery *)&in;
}

static struct weir_nursery *end_selecting(void)
{
    struct weir_lock_statistics statistics;
    weir_lock_statistics(&lock, &statistics);
    cr_expect_eq(waiting(&in) + waiting(&out) + weir_event_waiting(&event) + statistics.tasks_waiting, 0);
    close_pipe(&in);
    close_pipe(&out);
    return NULL;
}

TASK_TEST(select, ends_with_the_first_that_happens_and_leaves_all_other_lines)
{
    struct selector selector = {0};
    int rc = 0;
    SELECTING (selector, rc) {
        cr_expect_eq(waiting(&in), 1);
        cr_expect_eq(waiting(&out), 1);
        cr_expect_eq(weir_event_waiting(&event), 1);
        cr_expect_eq(send_now(&in, 5), 0);
        cr_expect_eq(send_now(&in, 6), -EAGAIN);     /* it takes one     */
        cr_expect_eq(receive_now(&out), -EAGAIN);    /* and sends none   */
        cr_expect_eq(weir_event_waiting(&event), 0); /* all that at once */
    }
    cr_expect_eq(selector.which, 0);
    cr_expect_eq(selector.result, 0);
    cr_expect_eq(selector.message, 5);
    return rc;
}

TASK_TEST(select, sends)
{
    struct selector selector = {0};
    int rc = 0;
    SELECTING (selector, rc) {
        cr_expect_eq(receive_now(&out), 7);
        cr_expect_eq(receive_now(&out), -EAGAIN);
        cr_expect_eq(send_now(&in, 5), -EAGAIN);
    }
    cr_expect_eq(selector.which, 1);
    return rc;
}

TASK_TEST(select, sees_an_event)
{
    struct selector selector = {0};
    int rc = 0;
    SELECTING (selector, rc) {
        weir_event_set(&event);
        weir_lock_release(&lock);
        cr_expect_not(weir_lock_locked(&lock));
        cr_expect_eq(send_now(&in, 5), -EAGAIN);
    }
    cr_expect_eq(selector.which, 2);
    return rc;
}

TASK_TEST(select, acquires_a_lock)
{
    struct selector selector = {0};
    int rc = 0;
    SELECTING (selector, rc) {
        weir_lock_release(&lock);
        cr_expect(weir_lock_locked(&lock));
        weir_event_set(&event);
    }
    cr_expect_eq(selector.which, 3);
    cr_expect_str_eq(notes, "locked");
    cr_expect_not(weir_lock_locked(&lock));
    return rc;
}

TASK_TEST(select, a_case_that_fails_has_happened)
{
    struct selector selector = {0};
    int rc = 0;
    SELECTING (selector, rc)
        weir_send_channel_close(&in.send);
    cr_expect_eq(selector.which, 0);
    cr_expect_eq(selector.result, -ENODATA);
    SELECTING (selector, rc)
        weir_receive_channel_close(&in.receive);
    cr_expect_eq(selector.which, 0);
    cr_expect_eq(selector.result, -EBADF);
    SELECTING (selector, rc)
        weir_receive_channel_close(&out.receive);
    cr_expect_eq(selector.which, 1);
    cr_expect_eq(selector.result, -EPIPE);
    return rc;
}

TASK_TEST(select, cancelled_has_done_nothing)
{
    struct selector selector = {0};
    int rc = 0;
    SELECTING (selector, rc) {
        weir_scope_cancel(&selector.scope);
        cr_expect_eq(waiting(&in) + waiting(&out), 0);
        cr_expect_eq(send_now(&in, 5), -EAGAIN);
        weir_lock_release(&lock);
    }
    cr_expect_eq(selector.which, -ECANCELED);
    cr_expect(selector.scope.cancelled_caught);
    cr_expect_not(weir_lock_locked(&lock));
    return rc;
}

TASK_TEST(select, what_happened_before_the_cancellation_has_happened)
{
    struct selector selector = {0};
    int rc = 0;
    SELECTING (selector, rc) {
        cr_expect_eq(send_now(&in, 5), 0);
        weir_scope_cancel(&selector.scope);
    }
    cr_expect_eq(selector.which, 0);
    cr_expect_eq(selector.message, 5);
    cr_expect_not(selector.scope.cancelled_caught);
    return rc;
}

TASK_TEST(select, takes_the_first_in_order_of_what_can_happen_at_once)
{
    int one = 0, two = 0;
    struct weir_case cases[] = {WEIR_CASE_RECEIVE(&in.receive, &one), WEIR_CASE_RECEIVE(&out.receive, &two),
                                WEIR_CASE_EVENT(&event)};
    open_pipe(&in, 1);
    open_pipe(&out, 1);
    weir_event_init(&event);
    weir_event_set(&event);
    cr_expect_eq(send_now(&out, 2), 0);
    cr_expect_eq(weir_select(cases, 3), 1);
    cr_expect_eq(two, 2);
    cr_expect_eq(weir_select(cases, 3), 2);
    cr_expect_eq(send_now(&in, 1), 0);
    cr_expect_eq(weir_select(cases, 3), 0);
    cr_expect_eq(one, 1);
    cases[2] = (struct weir_case)WEIR_CASE_NEVER;
    cr_expect_eq(weir_select_nowait(cases, 3), -EAGAIN);
    weir_receive_channel_close(&in.receive);
    cr_expect_eq(weir_select_nowait(cases, 3), 0);
    cr_expect_eq(cases[0].result, -EBADF);
    close_pipe(&in);
    close_pipe(&out);
    return 0;
}

TASK_TEST(select, waits_until_a_time)
{
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event), WEIR_CASE_UNTIL(WEIR_SECONDS(2)),
                                WEIR_CASE_UNTIL(WEIR_SECONDS(2)), WEIR_CASE_UNTIL(WEIR_NEVER)};
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&event);
    cr_expect_eq(weir_select_nowait(cases, 4), -EAGAIN);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_select(cases, 4);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(weir_select(cases, 4), 1);
    cr_expect_eq(now(), 2);
    cr_expect_eq(weir_select(cases, 4), 1); /* past */
    cr_expect_eq(weir_event_waiting(&event), 0);
    return rc;
}

TASK_TEST(select, is_cancelled_on_its_fast_path)
{
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event)};
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&event);
    weir_event_set(&event);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_select(cases, 1);
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

static int count_turns(void *arg)
{
    for (int i = 0; i < 10; i++)
        WEIR_TRY(weir_checkpoint());
    weir_event_set(&event);
    return 0;
}

TASK_TEST(select, that_never_has_to_wait_lets_others_run)
{
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event), WEIR_CASE_UNTIL(0)};
    struct weir_nursery nursery;
    int rc = 0, which = 1, rounds = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, count_turns, NULL);
        for (; which == 1 && rounds < 100000; rounds++)
            which = weir_select(cases, 2);
    }
    cr_expect_eq(which, 0);
    return rc;
}

/* ---- several selects ---- */

static int swap(void *arg)
{
    struct pipe **pipes = arg;
    int mine = pipes[0] == &in ? 1 : 2, theirs = 0;
    struct weir_case cases[] = {WEIR_CASE_SEND(&pipes[0]->send, &mine), WEIR_CASE_RECEIVE(&pipes[1]->receive, &theirs)};
    int which = weir_select(cases, 2);
    note(which == 0 ? "sent %d" : "got %d", which == 0 ? mine : theirs);
    return which < 0 ? which : 0;
}

TASK_TEST(select, two_of_them_meet_in_one_message)
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

TASK_TEST(select, does_not_meet_itself)
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

TASK_TEST(select, may_wait_for_one_thing_twice)
{
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event), WEIR_CASE_EVENT(&event), WEIR_CASE_EVENT(&event)};
    struct weir_nursery nursery;
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, count_turns, NULL);
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
TASK_TEST(select, may_be_served_while_it_still_takes_its_places)
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

TASK_TEST(select, takes_a_token_a_semaphore_or_a_place_in_a_lot)
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

TASK_TEST(select, reserves_and_is_no_receiver_of_its_own)
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

TASK_TEST(select, that_cannot_meet_itself_does_not_stop_those_behind_it)
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
TASK_TEST(select, sends_past_its_own_receive)
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

TASK_TEST(select, takes_cases_of_other_kinds)
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

TASK_TEST(select, says_what_it_waits_for)
{
    struct selector selector = {0};
    struct weir_task_status status;
    char said[128] = "";
    int rc = 0;
    SELECTING (selector, rc) {
        struct weir_nursery *nursery = weir_task_next_nursery(weir_current_task(), NULL);
        weir_task_get_status(weir_nursery_next_child(nursery, NULL), &status);
        FILE *file = fmemopen(said, sizeof said, "w");
        status.wait->describe(file, NULL, status.wait_arg);
        fclose(file);
        weir_event_set(&event);
    }
    cr_expect_str_eq(said, "weir_receive, weir_send, weir_event_wait, weir_lock_acquire");
    return rc;
}
