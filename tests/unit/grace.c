/* core/task: cancelling with a grace period, and shields of all kinds. */
#include "../support/core.h"

static int eio = -EIO;

/* What an orderly end is made of: notes when it was cancelled, or that it was not. */
static int end_for(double seconds)
{
    int rc = weir_sleep(WEIR_SECONDS(seconds));
    note("%s %g", weir_error_name(rc), now());
    return rc;
}

/* Waits until it is cancelled, then ends for so many seconds. */
static int serve_then_end(double seconds)
{
    struct weir_scope orderly;
    int rc = weir_sleep_forever(), end = 0;
    note("%s %g", weir_error_name(rc), now());
    weir_with_grace (&orderly, end)
        end = end_for(seconds);
    return rc < 0 ? rc : end;
}

static int serve(void *arg)
{
    return serve_then_end(*(double *)arg);
}

static int cancel_gracefully_at_1(void *arg)
{
    WEIR_TRY(weir_sleep_until(WEIR_SECONDS(1)));
    weir_scope_cancel_gracefully(arg, WEIR_SECONDS(5));
    return 0;
}

static int cancel_at_2(void *arg)
{
    WEIR_TRY(weir_sleep_until(WEIR_SECONDS(2)));
    weir_scope_cancel(arg);
    return 0;
}

TASK_TEST(grace, ordinary_code_is_cancelled_now_and_an_orderly_end_may_finish)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_gracefully_at_1, &scope);
            rc = serve_then_end(4);
        }
    }
    cr_expect_str_eq(notes, "Cancelled 1 ok 5");
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(grace, is_over_in_time)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_gracefully_at_1, &scope);
            rc = serve_then_end(9);
        }
    }
    cr_expect_str_eq(notes, "Cancelled 1 Cancelled 6");
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(grace, there_is_none_where_one_just_cancels)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    memset(&scope, 0x11, sizeof scope); /* opening one leaves nothing as it was */
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_at_2, &scope);
            rc = serve_then_end(9);
        }
    }
    cr_expect_str_eq(notes, "Cancelled 2 Cancelled 2");
    return rc;
}

TASK_TEST(grace, a_second_cancel_ends_it)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_gracefully_at_1, &scope);
            weir_start_soon(&nursery, cancel_at_2, &scope);
            rc = serve_then_end(9);
        }
    }
    cr_expect_str_eq(notes, "Cancelled 1 Cancelled 2");
    cr_expect_str_eq(scope.reason.where->name, "weir_scope_cancel_gracefully", "the first reason stands");
    return rc;
}

TASK_TEST(grace, of_two_the_earlier_end_counts)
{
    const double grace[3][2] = {{5, 9}, {5, 3}, {5, 0}}, end[3] = {5, 3, 0};
    for (int i = 0; i < 3; i++) {
        struct weir_scope scope, orderly;
        double began = now();
        int rc = 0;
        weir_with_scope (&scope, rc) {
            weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(grace[i][0]));
            weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(grace[i][1]));
            weir_with_grace (&orderly, rc)
                rc = weir_sleep_forever();
        }
        cr_expect_eq(rc, 0);
        cr_expect_eq(now() - began, end[i]);
    }
    return 0;
}

TASK_TEST(grace, is_level_triggered_in_both_halves)
{
    struct weir_scope scope, orderly;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(1));
        weir_with_grace (&orderly, rc) {
            for (int i = 0; i < 3; i++)
                cr_expect_eq(weir_checkpoint(), 0);
        }
        for (int i = 0; i < 3; i++)
            cr_expect_eq(weir_checkpoint(), -ECANCELED);
        weir_with_grace (&orderly, rc) {
            cr_expect_eq(weir_sleep(WEIR_SECONDS(2)), -ECANCELED);
            for (int i = 0; i < 3; i++)
                cr_expect_eq(weir_checkpoint(), -ECANCELED);
        }
        weir_with_grace (&orderly, rc) /* opened when it is too late */
            rc = weir_checkpoint();
        cr_expect_eq(rc, -ECANCELED, "it belongs to the scope around");
        cr_expect_not(orderly.cancelled_caught);
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(grace, set_beforehand_is_given_by_a_deadline_too)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        weir_scope_set_grace(&scope, WEIR_SECONDS(2));
        rc = serve_then_end(9);
    }
    cr_expect_str_eq(notes, "Cancelled 1 Cancelled 3");
    return rc;
}

TASK_TEST(grace, set_beforehand_is_given_by_cancel_and_ended_by_the_next)
{
    struct weir_scope scope, orderly;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_set_grace(&scope, WEIR_SECONDS(2));
        weir_scope_cancel(&scope);
        weir_with_grace (&orderly, rc) {
            cr_expect_eq(weir_checkpoint(), 0);
            weir_scope_cancel(&scope);
            rc = weir_checkpoint();
        }
        cr_expect_eq(rc, -ECANCELED);
    }
    return rc;
}

static int fail_when_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    return rc == -ECANCELED ? -EPIPE : rc;
}

TASK_TEST(grace, is_given_when_a_child_fails_and_the_next_that_fails_does_not_end_it)
{
    struct weir_nursery nursery;
    double seconds = 2;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_scope_set_grace(&nursery.scope, WEIR_SECONDS(3));
        weir_start_soon(&nursery, serve, &seconds);
        weir_start_soon(&nursery, fail_when_cancelled, NULL);
        weir_start_soon(&nursery, sleep_forever, NULL);
        weir_start_soon(&nursery, fail_with, &eio);
    }
    cr_expect_eq(rc, -EIO);
    cr_expect_str_eq(notes, "Cancelled 0 ok 2");
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

TASK_TEST(grace, of_a_scope_around_a_nursery_is_not_ended_by_who_just_was_cancelled)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    double seconds = 2;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, sleep_forever, NULL);
            weir_start_soon(&nursery, serve, &seconds);
            WEIR_DO(rc, weir_checkpoint());
            weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(5));
            rc = weir_checkpoint();
        }
    }
    cr_expect_str_eq(notes, "Cancelled 0 ok 2");
    cr_expect(scope.cancelled_caught && !nursery.scope.cancelled_caught);
    return rc;
}

TASK_TEST(grace, of_a_scope_around_a_nursery_ends_there_too)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    double seconds = 9;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, sleep_forever, NULL);
            weir_start_soon(&nursery, serve, &seconds);
            WEIR_DO(rc, weir_checkpoint());
            weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(5));
        }
    }
    cr_expect_str_eq(notes, "Cancelled 0 Cancelled 5");
    return rc;
}

TASK_TEST(grace, reaches_what_is_opened_and_started_inside)
{
    struct weir_nursery nursery;
    struct weir_scope scope, orderly, within, full;
    double nine = 9;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(5));
        weir_with_grace (&orderly, rc) {
            weir_with_scope (&within, rc) {
                weir_with_nursery (&nursery, rc) {
                    weir_start_soon(&nursery, sleep_for, &nine);
                    weir_with_shield (&full, rc)
                        rc = end_for(6);
                    rc = end_for(9);
                }
            }
        }
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_str_eq(notes, "ok 6 Cancelled 6");
    cr_expect(scope.cancelled_caught && !orderly.cancelled_caught && !within.cancelled_caught);
    return rc;
}

TASK_TEST(grace, of_scopes_further_out_counts_and_not_only_the_nearest)
{
    struct weir_scope outer, inner, orderly;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_cancel_gracefully(&inner, WEIR_SECONDS(9));
            weir_scope_cancel_gracefully(&outer, WEIR_SECONDS(4));
            weir_with_grace (&orderly, rc)
                rc = end_for(20);
            cr_expect_eq(rc, -ECANCELED);
        }
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_str_eq(notes, "Cancelled 4");
    cr_expect(outer.cancelled_caught && !inner.cancelled_caught);
    return rc;
}

TASK_TEST(grace, an_orderly_end_catches_its_own_cancellation)
{
    struct weir_scope scope, orderly;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(5));
        weir_with_grace (&orderly, rc) {
            weir_scope_set_deadline(&orderly, WEIR_SECONDS(2));
            rc = end_for(9);
        }
        cr_expect_eq(rc, 0);
        cr_expect(orderly.cancelled_caught);
        rc = weir_checkpoint();
    }
    cr_expect_str_eq(notes, "Cancelled 2");
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(grace, the_reason_is_the_one_of_the_scope_whose_grace_is_over)
{
    struct weir_scope outer, inner, orderly;
    struct weir_reason reason;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_cancel_gracefully(&outer, WEIR_SECONDS(5));
            weir_with_grace (&orderly, rc) {
                cr_expect_eq(weir_current_cancel_reason(&reason), -ENOENT);
                weir_scope_cancel_because(&inner, "inner");
                cr_expect_eq(weir_current_cancel_reason(&reason), 0);
                cr_expect_str_eq(reason.what, "inner");
                rc = weir_checkpoint();
            }
            cr_expect_eq(weir_current_cancel_reason(&reason), 0);
            cr_expect_str_eq(reason.where->name, "weir_scope_cancel_gracefully");
        }
    }
    return rc;
}

TASK_TEST(grace, ends_with_the_scope)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(1));
        rc = weir_checkpoint();
    }
    memset(&scope, 0xaa, sizeof scope); /* no alarm is left in it */
    WEIR_TRY(weir_sleep(WEIR_SECONDS(2)));
    weir_with_scope (&scope, rc)
        rc = weir_checkpoint();
    weir_scope_cancel_gracefully(&scope, WEIR_SECONDS(1)); /* closed */
    memset(&scope, 0xaa, sizeof scope);
    return weir_sleep(WEIR_SECONDS(2));
}

static int end_orderly_when_interrupted(void *arg)
{
    struct weir_scope *run = &weir_task_parent_nursery(weir_current_task())->scope;
    bool *twice = arg;
    weir_scope_set_grace(run, WEIR_SECONDS(5));
    weir_interrupt(weir_current_loop());
    struct weir_scope orderly;
    int rc = weir_sleep_forever(), end = 0;
    weir_with_grace (&orderly, end) {
        WEIR_DO(end, end_for(1));
        if (*twice)
            weir_interrupt(weir_current_loop());
        end = end_for(9);
    }
    return rc;
}

Test(grace, can_be_given_to_the_whole_run, .timeout = 30)
{
    bool twice = false;
    cr_expect_eq(run(end_orderly_when_interrupted, &twice), -EINTR);
    cr_expect_str_eq(notes, "ok 1 Cancelled 5");
    notes[0] = '\0';
    twice = true;
    cr_expect_eq(run(end_orderly_when_interrupted, &twice), -EINTR);
    cr_expect_str_eq(notes, "ok 1 Cancelled 1");
}

/* ---- effective deadlines ---- */

TASK_TEST(grace, effective_deadlines_beyond_its_shield_are_later_by_it)
{
    struct weir_scope outer, orderly, inner;
    int rc = 0;
    weir_move_on_at (&outer, 1000, rc) {
        weir_scope_set_grace(&outer, 500);
        cr_expect_eq(weir_current_effective_deadline(), 1000);
        weir_with_grace (&orderly, rc) {
            cr_expect_eq(weir_current_effective_deadline(), 1500);
            weir_move_on_at (&inner, 1200, rc)
                cr_expect_eq(weir_current_effective_deadline(), 1200);
            weir_scope_set_shield(&orderly, WEIR_SHIELD_FULL);
            cr_expect_eq(weir_current_effective_deadline(), WEIR_NEVER);
            weir_scope_set_shield(&orderly, WEIR_SHIELD_NONE);
            cr_expect_eq(weir_current_effective_deadline(), 1000);
            weir_scope_set_shield(&orderly, WEIR_SHIELD_GRACE);
            weir_scope_cancel_gracefully(&outer, 5000);
            cr_expect_eq(weir_current_effective_deadline(), 5000);
            weir_scope_cancel_gracefully(&outer, WEIR_NEVER);
            cr_expect_eq(weir_current_effective_deadline(), 5000);
            weir_scope_cancel(&outer);
            cr_expect_eq(weir_current_effective_deadline(), INT64_MIN);
        }
    }
    weir_with_scope (&outer, rc) {
        weir_scope_cancel_gracefully(&outer, WEIR_NEVER);
        cr_expect_eq(weir_current_effective_deadline(), INT64_MIN);
        weir_with_grace (&orderly, rc)
            cr_expect_eq(weir_current_effective_deadline(), WEIR_NEVER);
    }
    return rc;
}

/* ---- shields, at any time ---- */

struct toggle {
    struct weir_scope *scope;
    enum weir_shield to;
};

static int toggle_at_2(void *arg)
{
    struct toggle *toggle = arg;
    WEIR_TRY(weir_sleep_until(WEIR_SECONDS(2)));
    weir_scope_set_shield(toggle->scope, toggle->to);
    return 0;
}

/* Waits in a shielded scope, of which another task changes the shield at 2 s; the scope around is cancelled at 1 s with
 * a grace period till 4 s. Returns when it is woken; 9: it never was cancelled. */
static double wait_while_toggled(enum weir_shield from, enum weir_shield to)
{
    struct weir_nursery nursery;
    struct weir_scope outer, inner;
    struct toggle toggle = {&inner, to};
    double woken = 0;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, toggle_at_2, &toggle);
        weir_move_on_at (&outer, WEIR_SECONDS(1), rc) {
            weir_scope_set_grace(&outer, WEIR_SECONDS(3));
            weir_with_scope (&inner, rc) {
                weir_scope_set_shield(&inner, from);
                rc = weir_sleep_until(WEIR_SECONDS(9));
                woken = now();
            }
        }
        cr_expect_eq(outer.cancelled_caught, woken < 9);
    }
    cr_expect_eq(rc, 0);
    return woken;
}

struct toggled {
    enum weir_shield from, to;
    double woken;
};

static int wait_toggled(void *arg)
{
    const struct toggled *toggled = arg;
    double woken = wait_while_toggled(toggled->from, toggled->to);
    cr_expect_eq(woken, toggled->woken, "%d to %d: %g", toggled->from, toggled->to, woken);
    return 0;
}

Test(shields, changed_at_any_time_let_in_what_they_should, .timeout = 30)
{
    const struct toggled cases[] = {
        {WEIR_SHIELD_NONE, WEIR_SHIELD_FULL, 1},  {WEIR_SHIELD_GRACE, WEIR_SHIELD_GRACE, 4},
        {WEIR_SHIELD_GRACE, WEIR_SHIELD_NONE, 2}, {WEIR_SHIELD_GRACE, WEIR_SHIELD_FULL, 9},
        {WEIR_SHIELD_FULL, WEIR_SHIELD_FULL, 9},  {WEIR_SHIELD_FULL, WEIR_SHIELD_NONE, 2},
        {WEIR_SHIELD_FULL, WEIR_SHIELD_GRACE, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(run(wait_toggled, (void *)&cases[i]), 0);
}

TASK_TEST(shields, taken_away_when_the_grace_is_over_let_in_what_is_left_of_it)
{
    struct weir_scope outer, shield;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_shield (&shield, rc) {
            weir_scope_cancel(&outer);
            cr_expect_eq(weir_checkpoint(), 0);
            weir_scope_set_shield(&shield, WEIR_SHIELD_GRACE);
            cr_expect_eq(weir_checkpoint(), -ECANCELED);
            weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
            cr_expect_eq(weir_checkpoint(), 0);
        }
    }
    cr_expect_not(outer.cancelled_caught);
    return rc;
}

/* ---- whatever is done, in whatever order: as the definition says ---- */

enum { DEPTH_MAX = 12, STEPS = 20000 };

static bool should_be_over(const struct weir_scope *scope)
{
    if (scope->hard)
        return true;
    return scope->shield != WEIR_SHIELD_FULL && scope->parent != NULL && should_be_over(scope->parent);
}

static bool should_be_cancelled(const struct weir_scope *scope)
{
    if (scope->cancel_called)
        return true;
    if (scope->shield == WEIR_SHIELD_FULL || scope->parent == NULL)
        return false;
    return scope->shield == WEIR_SHIELD_GRACE ? should_be_over(scope->parent) : should_be_cancelled(scope->parent);
}

static void do_something_to(struct weir_scope *scope, struct weir_rng *rng)
{
    switch (weir_rng_below(rng, 8)) {
    case 0:
        weir_scope_cancel(scope);
        break;
    case 1:
    case 2:
        weir_scope_cancel_gracefully(scope, (weir_time)weir_rng_below(rng, 100));
        break;
    case 3:
        weir_scope_set_grace(scope, (weir_time)weir_rng_below(rng, 100));
        break;
    case 4:
        weir_scope_set_deadline(scope, weir_current_time() + (weir_time)weir_rng_below(rng, 100) - 10);
        break;
    default:
        weir_scope_set_shield(scope, (enum weir_shield)weir_rng_below(rng, 3));
    }
}

static int pass_time(weir_time delay)
{
    struct weir_scope shield;
    int rc = 0;
    weir_with_shield (&shield, rc)
        rc = weir_sleep(delay);
    return rc;
}

TASK_TEST(shields, nested_at_random_are_felt_as_the_definition_says)
{
    struct weir_scope scopes[DEPTH_MAX];
    struct weir_rng rng;
    unsigned depth = 0, cancelled = 0;
    weir_rng_seed(&rng, 3);
    for (int step = 0; step < STEPS; step++) {
        if (depth == 0 || (depth < DEPTH_MAX && weir_rng_below(&rng, 3) == 0))
            weir_scope_open(&scopes[depth++], WEIR_NEVER);
        else if (weir_rng_below(&rng, 4) == 0)
            cr_assert_eq(weir_scope_close(&scopes[--depth], 0), 0);
        else
            do_something_to(&scopes[weir_rng_below(&rng, depth)], &rng);
        if (weir_rng_below(&rng, 4) == 0)
            cr_assert_eq(pass_time((weir_time)weir_rng_below(&rng, 20)), 0);
        for (unsigned i = 0; i < depth; i++) {
            cr_assert_eq(scopes[i].effectively_cancelled, should_be_cancelled(&scopes[i]), "step %d", step);
            cr_assert_eq(scopes[i].grace_over, should_be_over(&scopes[i]), "step %d", step);
            cancelled += scopes[i].effectively_cancelled && !scopes[i].grace_over;
        }
        struct weir_reason reason;
        bool felt = depth > 0 && scopes[depth - 1].effectively_cancelled;
        cr_assert_eq(weir_current_cancel_reason(&reason), felt ? 0 : -ENOENT);
        cr_assert_eq(weir_current_effective_deadline() == INT64_MIN, felt);
    }
    cr_assert_gt(cancelled, STEPS / 10);
    while (depth > 0)
        cr_assert_eq(weir_scope_close(&scopes[--depth], 0), 0);
    return 0;
}
