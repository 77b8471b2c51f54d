/* core/sync: conditions. */
#include "../support/core.h"

static char names[][2] = {"a", "b", "c", "d", "e"}, scoped[] = "scoped";

static struct weir_condition condition;

static unsigned waiting(void)
{
    struct weir_condition_statistics statistics;
    weir_condition_statistics(&condition, &statistics);
    return statistics.tasks_waiting;
}

static unsigned waiting_for_lock(void)
{
    struct weir_condition_statistics statistics;
    weir_condition_statistics(&condition, &statistics);
    return statistics.lock_statistics.tasks_waiting;
}

static int wait_once(void *name)
{
    int rc = 0;
    weir_with_condition (&condition, rc) {
        rc = weir_condition_wait(&condition);
        cr_expect_eq(weir_lock_owner(condition.lock), weir_current_task(), "whatever it returns");
        note("%s:%s", (char *)name, weir_error_name(rc));
    }
    return rc;
}

TASK_TEST(condition, wakes_as_many_as_it_is_told_each_with_the_lock)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 5; i++)
            weir_start_soon(&nursery, wait_once, names[i]);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(waiting(), 5);
        cr_expect_not(weir_condition_locked(&condition));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        cr_expect_eq(weir_condition_notify(&condition, 2), 0);
        cr_expect_eq(waiting(), 3);
        cr_expect_eq(waiting_for_lock(), 2);
        WEIR_DO(rc, weir_sleep(1));
        note("main");
        weir_condition_release(&condition);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_condition_acquire_nowait(&condition), 0);
        note("all");
        cr_expect_eq(weir_condition_notify_all(&condition), 0);
        cr_expect_eq(weir_condition_notify(&condition, 1), 0); /* nobody is left: nothing */
        weir_condition_release(&condition);
    }
    cr_expect_str_eq(notes, "main a:ok b:ok all c:ok d:ok e:ok");
    return rc;
}

TASK_TEST(condition, is_only_for_who_holds_its_lock)
{
    weir_condition_init(&condition, NULL);
    cr_expect_eq(weir_condition_wait(&condition), -EPERM);
    cr_expect_eq(weir_condition_notify(&condition, 1), -EPERM);
    cr_expect_eq(weir_condition_notify_all(&condition), -EPERM);
    cr_expect_eq(weir_condition_release(&condition), -EPERM);
    return 0;
}

TASK_TEST(condition, may_share_a_lock_with_another)
{
    struct weir_condition other;
    struct weir_nursery nursery;
    struct weir_lock lock;
    int rc = 0;
    weir_lock_init(&lock);
    weir_condition_init(&condition, &lock);
    weir_condition_init(&other, &lock);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_once, names[0]);
        WEIR_DO(rc, weir_sleep(1));
        WEIR_DO(rc, weir_condition_acquire(&other));
        cr_expect_eq(weir_lock_owner(&lock), weir_current_task());
        weir_condition_notify_all(&other);
        cr_expect_eq(waiting(), 1);
        weir_condition_notify_all(&condition);
        weir_condition_release(&condition);
    }
    cr_expect_str_eq(notes, "a:ok");
    return rc;
}

TASK_TEST(condition, a_cancelled_wait_has_the_lock_again_before_it_returns)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_once, names[0]);
        WEIR_DO(rc, weir_sleep(1));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_nursery_cancel(&nursery);
        weir_cancel_shielded_checkpoint();
        cr_expect_eq(waiting(), 0);
        cr_expect_eq(waiting_for_lock(), 1);
        note("main");
        weir_condition_release(&condition);
    }
    cr_expect_str_eq(notes, "main a:Cancelled");
    cr_expect_not(weir_condition_locked(&condition));
    return rc;
}

static int wait_in_scope(void *arg)
{
    struct weir_scope *scope = arg;
    int rc = 0;
    weir_with_scope (scope, rc)
        rc = wait_once(scoped);
    return rc;
}

TASK_TEST(condition, on_its_way_back_to_the_lock_it_cannot_be_cancelled_again)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_in_scope, &scope);
        WEIR_DO(rc, weir_sleep(1));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_nursery_cancel(&nursery);
        weir_cancel_shielded_checkpoint();
        weir_scope_set_shield(&scope, WEIR_SHIELD_FULL); /* not cancelled any more... */
        weir_scope_cancel(&scope);                       /* ... but again */
        weir_cancel_shielded_checkpoint();
        cr_expect_eq(waiting_for_lock(), 1);
        weir_condition_release(&condition);
    }
    cr_expect_str_eq(notes, "scoped:Cancelled");
    return rc;
}

TASK_TEST(condition, a_notification_whose_task_was_cancelled_goes_to_the_next)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_in_scope, &scope);
        weir_start_soon(&nursery, wait_once, names[1]);
        WEIR_DO(rc, weir_sleep(1));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_condition_notify(&condition, 1);
        weir_scope_cancel(&scope); /* it was notified, and has not had the lock yet */
        cr_expect_eq(waiting(), 0);
        weir_condition_release(&condition);
    }
    cr_expect_str_eq(notes, "b:ok scoped:Cancelled");
    return rc;
}

TASK_TEST(condition, notified_and_with_the_lock_before_the_cancellation_is_notified)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_in_scope, &scope);
        WEIR_DO(rc, weir_sleep(1));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_condition_notify(&condition, 1);
        weir_condition_release(&condition);
        weir_scope_cancel(&scope);
    }
    cr_expect_str_eq(notes, "scoped:ok");
    cr_expect_not(scope.cancelled_caught);
    return rc;
}

TASK_TEST(condition, in_a_cancelled_scope_others_have_the_lock_meanwhile)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_start_soon(&nursery, wait_once, names[0]); /* waits for the lock */
        WEIR_DO(rc, weir_sleep(1));
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            rc = weir_condition_wait(&condition);
            note("main:%s", weir_error_name(rc));
        }
        cr_expect(scope.cancelled_caught);
        cr_expect_eq(waiting(), 1);
        weir_condition_notify(&condition, 1);
        weir_condition_release(&condition);
    }
    cr_expect_str_eq(notes, "main:Cancelled a:ok");
    return rc;
}
