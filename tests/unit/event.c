/* core/sync: events. */
#include "../support/core.h"

static int wait_for(void *arg)
{
    WEIR_TRY(weir_event_wait(arg));
    note("woken");
    return 0;
}

TASK_TEST(event, wakes_all_who_wait)
{
    struct weir_event event;
    struct weir_nursery nursery;
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, wait_for, &event);
        WEIR_DO(rc, weir_checkpoint());
        cr_expect_eq(weir_event_waiting(&event), 3);
        struct weir_event_statistics statistics;
        weir_event_statistics(&event, &statistics);
        cr_expect_eq(statistics.tasks_waiting, 3);
        note("set");
        weir_event_set(&event);
        cr_expect(weir_event_is_set(&event));
        cr_expect_eq(weir_event_waiting(&event), 0);
        weir_event_set(&event); /* again: nothing */
    }
    cr_expect_str_eq(notes, "set woken woken woken");
    return rc;
}

TASK_TEST(event, once_set_is_a_plain_checkpoint)
{
    struct weir_event event;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&event);
    weir_event_set(&event);
    cr_expect_eq(weir_event_wait(&event), 0);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_event_wait(&event);
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(event, not_set_is_not_waited_for_in_a_cancelled_scope)
{
    struct weir_event event;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&event);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_event_wait(&event);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(weir_event_waiting(&event), 0);
    return rc;
}

TASK_TEST(event, a_cancelled_waiter_leaves_the_queue)
{
    struct weir_event event;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&event);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_event_wait(&event);
    cr_expect(scope.cancelled_caught);
    struct weir_event_statistics statistics;
    weir_event_statistics(&event, &statistics);
    cr_expect_eq(statistics.tasks_waiting, 0);
    weir_event_set(&event);
    return rc;
}

static int set_then_cancel(void *arg)
{
    struct weir_event *event = ((void **)arg)[0];
    weir_event_set(event);
    weir_scope_cancel(((void **)arg)[1]);
    return 0;
}

TASK_TEST(event, set_before_the_cancellation_wins)
{
    struct weir_event event;
    struct weir_scope scope;
    struct weir_nursery nursery;
    void *both[] = {&event, &scope};
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, set_then_cancel, both);
            cr_expect_eq(weir_event_wait(&event), 0);
        }
    }
    cr_expect(scope.cancel_called && !scope.cancelled_caught);
    return rc;
}
