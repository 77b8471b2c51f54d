/* core/task: cancel scopes. The rules are Trio's; DESIGN section 4, points 1, 2, 3 and 10. */
#include "../support/core.h"
#include <stdlib.h>

TASK_TEST(scope, cancellation_is_level_triggered)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        cr_expect_eq(weir_checkpoint(), 0);
        weir_scope_cancel(&scope);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(weir_checkpoint(), -ECANCELED);
        cr_expect_eq(weir_sleep(1), -ECANCELED);
        rc = weir_sleep_forever();
    }
    cr_expect_eq(rc, 0);
    cr_expect(scope.cancel_called && scope.cancelled_caught);
    cr_expect_eq(weir_checkpoint(), 0); /* outside: nothing is left of it */
    return 0;
}

TASK_TEST(scope, a_swallowed_cancellation_is_not_caught)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_checkpoint(), -ECANCELED);
        rc = 7;
    }
    cr_expect_eq(rc, 7);
    cr_expect(scope.cancel_called && !scope.cancelled_caught);
    return 0;
}

TASK_TEST(scope, a_cancel_after_the_last_checkpoint_is_not_caught)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        rc = weir_checkpoint();
        weir_scope_cancel(&scope);
    }
    cr_expect_eq(rc, 0);
    cr_expect(scope.cancel_called && !scope.cancelled_caught);
    return 0;
}

TASK_TEST(scope, of_two_cancelled_the_outer_catches)
{
    struct weir_scope outer, inner;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_cancel(&inner);
            weir_scope_cancel(&outer);
            rc = weir_checkpoint();
        }
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_eq(rc, 0);
    cr_expect_not(inner.cancelled_caught);
    cr_expect(outer.cancelled_caught);
    return 0;
}

TASK_TEST(scope, an_inner_one_catches_only_its_own)
{
    struct weir_scope outer, inner;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_cancel(&inner);
            rc = weir_checkpoint();
        }
        cr_expect_eq(rc, 0);
        cr_expect_eq(weir_checkpoint(), 0);
    }
    cr_expect(inner.cancelled_caught && !outer.cancelled_caught && !outer.cancel_called);
    return 0;
}

TASK_TEST(scope, errors_other_than_cancelled_pass_through)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = -EIO;
    }
    cr_expect_eq(rc, -EIO);
    cr_expect_not(scope.cancelled_caught);
    return 0;
}

TASK_TEST(scope, a_cancelled_of_nobody_is_not_caught)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc)
        rc = -ECANCELED; /* an application never makes one up; this one did */
    cr_expect_eq(rc, -ECANCELED);
    return 0;
}

TASK_TEST(shield, keeps_out_scopes_around_but_not_its_own)
{
    struct weir_scope outer, shield;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_scope_cancel(&outer);
        weir_with_scope (&shield, rc) {
            weir_scope_set_shield(&shield, true);
            cr_expect_eq(weir_checkpoint(), 0);
            cr_expect_eq(weir_sleep(WEIR_SECONDS(1)), 0);
            weir_scope_cancel(&shield);
            rc = weir_checkpoint();
        }
        cr_expect_eq(rc, 0);
        cr_expect(shield.cancelled_caught);
        rc = weir_checkpoint();
    }
    cr_expect_eq(rc, 0);
    cr_expect(outer.cancelled_caught);
    return 0;
}

TASK_TEST(shield, taken_away_lets_cancellation_in)
{
    struct weir_scope outer, shield;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&shield, rc) {
            weir_scope_set_shield(&shield, true);
            weir_scope_cancel(&outer);
            cr_expect_eq(weir_checkpoint(), 0);
            weir_scope_set_shield(&shield, false);
            cr_expect_eq(weir_checkpoint(), -ECANCELED);
            weir_scope_set_shield(&shield, true);
            cr_expect_eq(weir_checkpoint(), 0);
            weir_scope_set_shield(&shield, false);
            rc = weir_checkpoint();
        }
        cr_expect_eq(rc, -ECANCELED);
        cr_expect_not(shield.cancelled_caught);
    }
    cr_expect(outer.cancelled_caught);
    return rc;
}

TASK_TEST(shield, put_up_takes_cancellation_back_from_scopes_further_in)
{
    struct weir_scope outer, shield, inner;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&shield, rc) {
            weir_with_scope (&inner, rc) {
                weir_scope_cancel(&outer);
                cr_expect_eq(weir_checkpoint(), -ECANCELED);
                weir_scope_set_shield(&shield, true);
                cr_expect_eq(weir_checkpoint(), 0);
            }
        }
    }
    cr_expect_not(outer.cancelled_caught);
    return rc;
}

static int unshield_soon(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_scope_set_shield(arg, false);
    return 0;
}

TASK_TEST(shield, taken_away_wakes_who_waits_inside)
{
    struct weir_nursery nursery;
    struct weir_scope outer, shield;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&outer, rc) {
            weir_with_scope (&shield, rc) {
                weir_scope_set_shield(&shield, true);
                weir_scope_cancel(&outer);
                weir_start_soon(&nursery, unshield_soon, &shield);
                rc = weir_sleep(WEIR_SECONDS(9));
            }
        }
    }
    cr_expect(outer.cancelled_caught);
    cr_expect_eq(now(), 1);
    return rc;
}

/* As in Trio: the child's cancellation cancels the nursery, whose scope, shielded by now, is the one to catch it. */
TASK_TEST(shield, put_up_over_a_cancellation_that_was_given_makes_no_error_of_it)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, sleep_forever, NULL);
            WEIR_DO(rc, weir_sleep(1));
            weir_scope_cancel(&scope);
            weir_scope_set_shield(&nursery.scope, WEIR_SHIELD_FULL);
        }
        cr_expect_null(weir_nursery_take_errors(&nursery));
        cr_expect_eq(rc, 0);
        cr_expect(nursery.scope.cancelled_caught);
    }
    cr_expect_not(scope.cancelled_caught);
    return rc;
}

TASK_TEST(timeout, move_on_after_stops_what_takes_too_long)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(5), rc)
        rc = weir_sleep(WEIR_SECONDS(10));
    cr_expect_eq(rc, 0);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(now(), 5);
    weir_move_on_after (&scope, WEIR_SECONDS(5), rc)
        rc = weir_sleep(WEIR_SECONDS(1));
    cr_expect(!scope.cancelled_caught && !scope.cancel_called);
    cr_expect_eq(now(), 6);
    return rc;
}

TASK_TEST(timeout, fail_after_is_too_slow_error)
{
    struct weir_scope scope;
    int rc = 0;
    weir_fail_after (&scope, WEIR_SECONDS(2), rc)
        rc = weir_sleep_forever();
    cr_expect_eq(rc, -ETIMEDOUT);
    cr_expect(scope.cancelled_caught);
    weir_fail_at (&scope, weir_current_time() + 10, rc)
        rc = weir_checkpoint();
    cr_expect_eq(rc, 0);
    return 0;
}

TASK_TEST(timeout, fail_after_lets_an_outer_cancellation_pass)
{
    struct weir_scope outer, inner;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_fail_after (&inner, WEIR_SECONDS(2), rc) {
            weir_scope_cancel(&outer);
            rc = weir_sleep_forever();
        }
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect(outer.cancelled_caught && !inner.cancelled_caught);
    return rc;
}

TASK_TEST(deadline, a_past_one_cancels_at_once)
{
    struct weir_scope scope;
    int rc = weir_sleep(WEIR_SECONDS(10));
    weir_move_on_at (&scope, WEIR_SECONDS(9), rc) {
        cr_expect(scope.cancel_called);
        rc = weir_checkpoint();
    }
    cr_expect(scope.cancelled_caught);
    weir_move_on_after (&scope, 0, rc)
        rc = weir_checkpoint();
    cr_expect(scope.cancelled_caught);
    weir_with_scope (&scope, rc) {
        cr_expect_eq(weir_checkpoint(), 0);
        weir_scope_set_deadline(&scope, weir_current_time());
        rc = weir_checkpoint();
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(now(), 10);
    return rc;
}

struct mover {
    struct weir_scope *scope;
    double at, to;
};

static int move_deadline(void *arg)
{
    struct mover *mover = arg;
    WEIR_TRY(weir_sleep_until(WEIR_SECONDS(mover->at)));
    weir_scope_set_deadline(mover->scope, mover->to < 0 ? WEIR_NEVER : WEIR_SECONDS(mover->to));
    return 0;
}

/* Waits in a scope with a deadline at 10 while another task moves it. Returns when the wait ended; 100: by itself. */
static double wait_while_moved(double at, double to)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct mover mover = {&scope, now() + at, to < 0 ? to : now() + to};
    double began = now();
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(10), rc) {
            weir_start_soon(&nursery, move_deadline, &mover);
            rc = weir_sleep(WEIR_SECONDS(100));
        }
    }
    cr_expect_eq(rc, 0);
    cr_expect_eq(scope.cancelled_caught, now() - began < 100);
    return now() - began;
}

TASK_TEST(deadline, can_be_moved_while_waiting)
{
    cr_expect_eq(wait_while_moved(5, 20), 20);  /* later */
    cr_expect_eq(wait_while_moved(5, 7), 7);    /* earlier */
    cr_expect_eq(wait_while_moved(5, 1), 5);    /* into the past */
    cr_expect_eq(wait_while_moved(5, -1), 100); /* away */
    return 0;
}

TASK_TEST(deadline, the_effective_one_is_the_earliest_up_to_a_shield)
{
    struct weir_scope a, b, c;
    int rc = 0;
    cr_expect_eq(weir_current_effective_deadline(), WEIR_NEVER);
    weir_move_on_at (&a, 1000, rc) {
        weir_move_on_at (&b, 2000, rc) {
            cr_expect_eq(weir_current_effective_deadline(), 1000);
            weir_move_on_at (&c, 3000, rc) {
                cr_expect_eq(weir_current_effective_deadline(), 1000);
                weir_scope_set_shield(&b, true);
                cr_expect_eq(weir_current_effective_deadline(), 2000);
                weir_scope_set_shield(&c, true);
                cr_expect_eq(weir_current_effective_deadline(), 3000);
                weir_scope_cancel(&c);
                cr_expect_eq(weir_current_effective_deadline(), INT64_MIN);
            }
        }
    }
    return rc;
}

TASK_TEST(scope, left_by_break_or_continue_is_closed_and_its_status_read)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        WEIR_DO(rc, weir_checkpoint());
        cr_assert_fail("WEIR_DO leaves the block");
    }
    cr_expect(rc == 0 && scope.cancelled_caught);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_checkpoint();
        continue;
    }
    cr_expect(rc == 0 && scope.cancelled_caught);
    return weir_checkpoint();
}

static int return_from_inside(struct weir_scope *scope)
{
    int rc = 0;
    weir_with_scope (scope, rc) {
        weir_scope_cancel(scope);
        return 5;
    }
    return rc;
}

TASK_TEST(scope, left_by_return_or_goto_is_closed)
{
    struct weir_scope scope;
    int rc = 0;
    cr_expect_eq(return_from_inside(&scope), 5);
    cr_expect_eq(weir_checkpoint(), 0);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        goto out;
    }
out:
    cr_expect_eq(weir_checkpoint(), 0);
    return rc;
}

TASK_TEST(scope, cancel_and_deadlines_of_a_closed_one_do_nothing)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc)
        rc = weir_checkpoint();
    weir_scope_cancel(&scope);
    cr_expect(scope.cancel_called && !scope.cancelled_caught);
    struct weir_scope *around = malloc(sizeof *around);
    weir_with_scope (around, rc)
        weir_with_scope (&scope, rc)
            rc = weir_checkpoint();
    weir_scope_cancel(around);
    free(around);
    weir_scope_cancel(&scope); /* has nothing to do with the one that was around it */
    weir_with_scope (&scope, rc)
        rc = weir_checkpoint();
    cr_expect_null(scope.parent);
    weir_scope_set_deadline(&scope, weir_current_time() + 5);
    cr_expect_eq(weir_sleep(WEIR_SECONDS(1)), 0);
    cr_expect_not(scope.cancel_called);
    return rc;
}
