/* core/sync: select: the first of several things, and none of the others. */
#include "select_pipes.h"

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
