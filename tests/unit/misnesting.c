/* core/task: cancel scopes closed in the wrong order are reported, and the tree survives. DESIGN section 4, point 9. */
#include "../support/core.h"
#include <criterion/redirect.h>

static int misnest(void *arg)
{
    struct weir_scope outer, inner;
    weir_scope_open(&outer, WEIR_NEVER);
    weir_scope_open(&inner, WEIR_SECONDS(1));
    cr_expect_eq(weir_scope_close(&outer, 0), -EINVAL);
    cr_expect_eq(weir_scope_close(&inner, 0), -EINVAL); /* it was closed along with the outer one */
    cr_expect_eq(weir_sleep(WEIR_SECONDS(2)), 0);       /* and its deadline is disarmed */
    return 0;
}

Test(misnesting, is_reported_by_both_closes, .init = cr_redirect_stderr)
{
    cr_assert_eq(run(misnest, NULL), 0);
    cr_assert_stderr_eq_str("weir: task main left a cancel scope open inside another; close the one opened last first\n"
                            "weir: task main closes a cancel scope that it has not opened, or has closed already\n");
}

static int leave_open_in_block(void *arg)
{
    struct weir_scope outer, a, b;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_scope (&outer, rc)
        weir_scope_open(&a, WEIR_SECONDS(1));
    cr_expect_eq(rc, -EINVAL);
    rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_scope_open(&a, WEIR_SECONDS(1));
        weir_scope_open(&b, WEIR_SECONDS(1));
        weir_start_soon(&nursery, return_at_once, NULL);
    }
    cr_expect_eq(rc, -EINVAL);
    return weir_sleep(WEIR_SECONDS(2));
}

Test(misnesting, a_scope_left_open_is_an_error_of_the_block_around_it, .init = cr_redirect_stderr)
{
    cr_assert_eq(run(leave_open_in_block, NULL), 0);
}

static int end_with_scope_open(void *arg)
{
    static struct weir_scope scope;
    weir_scope_open(&scope, WEIR_SECONDS(1));
    return 0;
}

Test(misnesting, a_scope_left_open_is_the_tasks_error, .init = cr_redirect_stderr)
{
    cr_assert_eq(run(end_with_scope_open, NULL), -EINVAL);
    cr_assert_stderr_eq_str(
        "weir: task main left a cancel scope open inside another; close the one opened last first\n");
}

static int close_around_nursery(void *arg)
{
    struct weir_scope outermost, outer, between;
    struct weir_nursery nursery;
    double second = 1;
    int rc = 0;
    weir_scope_open(&outermost, WEIR_NEVER);
    weir_scope_open(&outer, WEIR_SECONDS(5));
    weir_scope_open(&between, WEIR_SECONDS(5));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_for, &second);
        cr_expect_eq(weir_scope_close(&outer, 0), -EINVAL);
        cr_expect_eq(weir_scope_close(&nursery.scope, 0), -EINVAL); /* that is the block's */
        cr_expect_eq(weir_sleep(WEIR_SECONDS(10)), 0);
        weir_scope_cancel(&outermost);
        rc = weir_checkpoint();
    }
    cr_expect_eq(rc, -ECANCELED, "the nursery stays, in the scope around the closed one");
    cr_expect_eq(weir_scope_close(&between, 0), -EINVAL);
    return weir_scope_close(&outermost, rc);
}

Test(misnesting, a_nursery_survives_the_close_of_a_scope_around_it, .init = cr_redirect_stderr)
{
    cr_assert_eq(run(close_around_nursery, NULL), 0);
}

static int close_of_another(void *arg)
{
    cr_expect_eq(weir_scope_close(arg, 0), -EINVAL);
    return 0;
}

static int close_from_elsewhere(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, close_of_another, &scope);
        weir_scope_cancel(&scope);
        rc = weir_checkpoint();
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

Test(misnesting, a_scope_of_another_task_is_not_closed, .init = cr_redirect_stderr)
{
    cr_assert_eq(run(close_from_elsewhere, NULL), 0);
}

static int fail_with_scope_open(void *arg)
{
    static struct weir_scope outer, inner;
    weir_scope_open(&outer, WEIR_NEVER);
    weir_scope_open(&inner, WEIR_NEVER);
    cr_expect_eq(weir_scope_close(&outer, -EPIPE), -EPIPE);
    cr_expect_eq(weir_scope_close(&outer, -EPIPE), -EPIPE);
    cr_expect_eq(weir_scope_close(&outer, -ECANCELED), -EINVAL, "of no scope");
    weir_scope_open(&outer, WEIR_NEVER);
    return -EIO;
}

Test(misnesting, does_not_hide_another_error, .init = cr_redirect_stderr)
{
    cr_assert_eq(run(fail_with_scope_open, NULL), -EIO);
}
