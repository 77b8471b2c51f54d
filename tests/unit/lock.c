/* core/sync: locks, and locks whose order one relies on. */
#include "../support/core.h"

static char names[][2] = {"a", "b", "c", "d", "e"};

static struct weir_lock lock;

static const char *task_name(const struct weir_task *task)
{
    return task != NULL ? weir_task_name(task) : "nobody";
}

/* Holds the lock for a while. */
static int hold(void *name)
{
    int rc = 0;
    weir_with_lock (&lock, rc) {
        note("%s+", (char *)name);
        rc = weir_sleep(10);
        note("%s-", (char *)name);
    }
    return rc;
}

/* Takes it again and again, without giving anybody a chance but by the release. */
static int grab(void *name)
{
    for (int i = 0; i < 3; i++) {
        WEIR_TRY(weir_lock_acquire(&lock));
        note("%s", (char *)name);
        weir_lock_release(&lock);
    }
    return 0;
}

TASK_TEST(lock, is_handed_to_the_first_who_waits)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_lock_init(&lock);
    cr_expect_not(weir_lock_locked(&lock));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, hold, names[0]);
        weir_start_soon(&nursery, hold, names[1]);
        weir_start_soon(&nursery, hold, names[2]);
        WEIR_DO(rc, weir_sleep(1));
        struct weir_lock_statistics statistics;
        weir_lock_statistics(&lock, &statistics);
        cr_expect(statistics.locked && weir_lock_locked(&lock));
        cr_expect_eq(statistics.owner, weir_nursery_next_child(&nursery, NULL));
        cr_expect_eq(weir_lock_owner(&lock), statistics.owner);
        cr_expect_eq(statistics.tasks_waiting, 2);
        cr_expect_eq(weir_lock_acquire_nowait(&lock), -EAGAIN);
    }
    cr_expect_str_eq(notes, "a+ a- b+ b- c+ c-");
    cr_expect_str_eq(task_name(weir_lock_owner(&lock)), "nobody");
    return rc;
}

TASK_TEST(lock, who_releases_it_cannot_barge_in_before_those_who_wait)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_lock_init(&lock);
    cr_assert_eq(weir_lock_acquire_nowait(&lock), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, grab, names[0]);
        weir_start_soon(&nursery, grab, names[1]);
        WEIR_DO(rc, weir_sleep(1));
        weir_lock_release(&lock);
        cr_expect_eq(weir_lock_acquire_nowait(&lock), -EAGAIN); /* it is a's already, who has not run yet */
        WEIR_DO(rc, weir_lock_acquire(&lock));
        note("main");
        weir_lock_release(&lock);
    }
    cr_expect_str_eq(notes, "a b main a b a b");
    return rc;
}

TASK_TEST(lock, says_what_its_user_did_wrong)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_lock_init(&lock);
    cr_expect_eq(weir_lock_release(&lock), -EPERM);
    cr_assert_eq(weir_lock_acquire(&lock), 0);
    cr_expect_eq(weir_lock_acquire(&lock), -EDEADLK);
    cr_expect_eq(weir_lock_acquire_nowait(&lock), -EDEADLK);
    cr_expect_eq(weir_lock_release(&lock), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, hold, names[0]);
        WEIR_DO(rc, weir_checkpoint());
        cr_expect_eq(weir_lock_release(&lock), -EPERM);
    }
    return rc;
}

TASK_TEST(lock, a_cancelled_wait_leaves_the_line)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_lock_init(&lock);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, hold, names[0]);
        WEIR_DO(rc, weir_checkpoint());
        weir_move_on_after (&scope, 5, rc)
            rc = weir_lock_acquire(&lock);
        cr_expect(scope.cancelled_caught);
        cr_expect_neq(weir_lock_owner(&lock), weir_current_task());
    }
    cr_expect_not(weir_lock_locked(&lock));
    weir_with_scope (&scope, rc) { /* a free one is not acquired in a cancelled scope */
        weir_scope_cancel(&scope);
        rc = weir_lock_acquire(&lock);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_not(weir_lock_locked(&lock));
    return rc;
}

static int release_then_cancel(void *scope)
{
    WEIR_TRY(weir_lock_acquire(&lock));
    WEIR_TRY(weir_sleep(10));
    weir_lock_release(&lock);
    weir_scope_cancel((struct weir_scope *)scope);
    return 0;
}

TASK_TEST(lock, handed_over_before_the_cancellation_is_acquired)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_lock_init(&lock);
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, release_then_cancel, &scope);
            WEIR_DO(rc, weir_sleep(1));
            rc = weir_lock_acquire(&lock);
            cr_expect_eq(rc, 0);
            cr_expect_eq(weir_lock_owner(&lock), weir_current_task());
            weir_lock_release(&lock);
        }
    }
    cr_expect(scope.cancel_called && !scope.cancelled_caught);
    return rc;
}

static int leave_early(void)
{
    int rc = 0;
    weir_with_lock (&lock, rc)
        return 7;
    return rc;
}

TASK_TEST(lock, a_block_releases_it_however_it_is_left)
{
    int rc = 0;
    weir_lock_init(&lock);
    cr_expect_eq(leave_early(), 7);
    cr_expect_not(weir_lock_locked(&lock));
    weir_with_lock (&lock, rc)
        break;
    cr_expect_not(weir_lock_locked(&lock));
    weir_with_lock (&lock, rc) {
        weir_with_lock (&lock, rc)
            cr_expect(false, "it runs without the lock");
        cr_expect_eq(rc, -EDEADLK);
        rc = -EIO;
    }
    cr_expect_eq(rc, -EIO);
    cr_expect_not(weir_lock_locked(&lock));
    rc = 0;
    weir_with_lock (&lock, rc)
        weir_lock_release(&lock);
    cr_expect_eq(rc, -EPERM);
    return 0;
}

static struct weir_strict_fifo_lock strict;

static int hold_strictly(void *name)
{
    int rc = 0;
    weir_with_strict_fifo_lock (&strict, rc) {
        note("%s", (char *)name);
        rc = weir_checkpoint();
    }
    return rc;
}

TASK_TEST(lock, a_strict_one_is_the_same)
{
    struct weir_lock_statistics statistics;
    struct weir_nursery nursery;
    int rc = 0;
    weir_strict_fifo_lock_init(&strict);
    cr_expect_eq(weir_strict_fifo_lock_acquire(&strict), 0);
    cr_expect_eq(weir_strict_fifo_lock_acquire_nowait(&strict), -EDEADLK);
    cr_expect(weir_strict_fifo_lock_locked(&strict));
    cr_expect_eq(weir_strict_fifo_lock_owner(&strict), weir_current_task());
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, hold_strictly, names[0]);
        weir_start_soon(&nursery, hold_strictly, names[1]);
        weir_start_soon(&nursery, hold_strictly, names[2]);
        WEIR_DO(rc, weir_sleep(1));
        weir_strict_fifo_lock_statistics(&strict, &statistics);
        cr_expect_eq(statistics.tasks_waiting, 3);
        cr_expect_eq(weir_strict_fifo_lock_release(&strict), 0);
        cr_expect_eq(weir_strict_fifo_lock_release(&strict), -EPERM);
    }
    cr_expect_str_eq(notes, "a b c");
    return rc;
}

TASK_TEST(lock, a_wait_says_who_holds_it)
{
    struct weir_task_status status;
    struct weir_nursery nursery;
    char said[64] = "";
    int rc = 0;
    weir_lock_init(&lock);
    cr_assert_eq(weir_lock_acquire_nowait(&lock), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, hold, names[0]);
        WEIR_DO(rc, weir_sleep(1));
        weir_task_get_status(weir_nursery_next_child(&nursery, NULL), &status);
        FILE *out = fmemopen(said, sizeof said, "w");
        status.wait->describe(out, weir_current_task(), status.wait_arg);
        fclose(out);
        weir_lock_release(&lock);
    }
    cr_expect_str_eq(said, "held by main");
    return rc;
}
