/* core/sync: semaphores. */
#include "../support/core.h"

static char names[][2] = {"a", "b", "c", "d", "e"};

static struct weir_semaphore semaphore;

static int take(void *name)
{
    WEIR_TRY(weir_semaphore_acquire(&semaphore));
    note("%s", (char *)name);
    return 0;
}

static unsigned waiting(void)
{
    struct weir_semaphore_statistics statistics;
    weir_semaphore_statistics(&semaphore, &statistics);
    return statistics.tasks_waiting;
}

TASK_TEST(semaphore, a_release_goes_to_the_first_who_waits)
{
    struct weir_nursery nursery;
    int rc = 0;
    cr_assert_eq(weir_semaphore_init(&semaphore, 1, WEIR_NO_MAXIMUM), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, take, names[0]);
        weir_start_soon(&nursery, take, names[1]);
        weir_start_soon(&nursery, take, names[2]);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(waiting(), 2);
        cr_expect_eq(weir_semaphore_release(&semaphore), 0);
        cr_expect_eq(weir_semaphore_value(&semaphore), 0); /* b has it: nobody can barge in */
        cr_expect_eq(weir_semaphore_acquire_nowait(&semaphore), -EAGAIN);
        note("main");
        cr_expect_eq(weir_semaphore_release(&semaphore), 0);
        cr_expect_eq(weir_semaphore_release(&semaphore), 0);
        cr_expect_eq(weir_semaphore_value(&semaphore), 1);
    }
    cr_expect_str_eq(notes, "a main b c");
    return rc;
}

TASK_TEST(semaphore, has_a_maximum_if_it_was_given_one)
{
    cr_expect_eq(weir_semaphore_init(&semaphore, 3, 2), -EINVAL);
    cr_assert_eq(weir_semaphore_init(&semaphore, 1, 2), 0);
    cr_expect_eq(weir_semaphore_max_value(&semaphore), 2);
    cr_expect_eq(weir_semaphore_release(&semaphore), 0);
    cr_expect_eq(weir_semaphore_release(&semaphore), -EOVERFLOW);
    cr_expect_eq(weir_semaphore_value(&semaphore), 2);
    cr_expect_eq(weir_semaphore_acquire_nowait(&semaphore), 0);
    cr_expect_eq(weir_semaphore_acquire(&semaphore), 0);
    cr_expect_eq(weir_semaphore_acquire_nowait(&semaphore), -EAGAIN);
    return 0;
}

TASK_TEST(semaphore, a_cancelled_wait_takes_nothing)
{
    struct weir_scope scope;
    int rc = 0;
    cr_assert_eq(weir_semaphore_init(&semaphore, 0, WEIR_NO_MAXIMUM), 0);
    weir_move_on_after (&scope, 5, rc)
        rc = weir_semaphore_acquire(&semaphore);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(waiting(), 0);
    weir_semaphore_release(&semaphore);
    cr_expect_eq(weir_semaphore_value(&semaphore), 1);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_semaphore_acquire(&semaphore);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(weir_semaphore_value(&semaphore), 1);
    return rc;
}

static int leave_early(void)
{
    int rc = 0;
    weir_with_semaphore (&semaphore, rc)
        return (int)weir_semaphore_value(&semaphore);
    return rc;
}

TASK_TEST(semaphore, a_block_releases_it_however_it_is_left)
{
    struct weir_scope scope;
    int rc = 0;
    cr_assert_eq(weir_semaphore_init(&semaphore, 3, 3), 0);
    cr_expect_eq(leave_early(), 2);
    cr_expect_eq(weir_semaphore_value(&semaphore), 3);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        weir_with_semaphore (&semaphore, rc)
            cr_expect(false, "it runs without the semaphore");
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_eq(weir_semaphore_value(&semaphore), 3);
    weir_with_semaphore (&semaphore, rc)
        weir_semaphore_release(&semaphore);
    cr_expect_eq(rc, -EOVERFLOW); /* once too often */
    return 0;
}
