/* core/task: checkpoints and sleeping. */
#include "../support/core.h"

TASK_TEST(sleep, virtual_time_passes_only_while_all_sleep)
{
    cr_expect_eq(now(), 0);
    cr_expect_eq(weir_sleep(WEIR_SECONDS(3600)), 0);
    cr_expect_eq(now(), 3600);
    cr_expect_eq(weir_sleep_until(WEIR_SECONDS(3601)), 0);
    cr_expect_eq(now(), 3601);
    cr_expect_eq(weir_sleep(0), 0);
    cr_expect_eq(weir_sleep(-5), 0);
    cr_expect_eq(weir_sleep_until(7), 0);
    cr_expect_eq(now(), 3601);
    return 0;
}

static int sleep_and_note(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(*(double *)arg)));
    note("%g@%g", *(double *)arg, now());
    return 0;
}

TASK_TEST(sleep, sleepers_wake_in_the_order_of_their_deadlines)
{
    static double seconds[] = {3, 1, 2, 1};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, sleep_and_note, &seconds[i]);
    cr_expect_str_eq(notes, "1@1 1@1 2@2 3@3");
    return rc;
}

static int note_twice(void *arg)
{
    note("%s1", (char *)arg);
    WEIR_TRY(weir_checkpoint());
    note("%s2", (char *)arg);
    return 0;
}

TASK_TEST(checkpoint, lets_every_other_runnable_task_run_once)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, note_twice, (void *)"a");
        weir_start_soon(&nursery, note_twice, (void *)"b");
        note("started");
        cr_expect_eq(weir_checkpoint(), 0);
        note("main");
        weir_cancel_shielded_checkpoint();
    }
    cr_expect_str_eq(notes, "started a1 b1 main a2 b2");
    return rc;
}

TASK_TEST(sleep, a_zero_sleep_lets_others_run)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, note_twice, (void *)"a");
        rc = weir_sleep(0);
        note("main");
    }
    cr_expect_str_eq(notes, "a1 main a2");
    return rc;
}

static int cancel_it(void *arg)
{
    weir_scope_cancel(arg);
    return 0;
}

TASK_TEST(checkpoint, sees_a_cancellation_by_who_ran_meanwhile)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_it, &scope);
            cr_expect_eq(weir_checkpoint_if_cancelled(), 0);
            rc = weir_checkpoint();
        }
        cr_expect(scope.cancelled_caught);
    }
    return rc;
}

static int note_run(void *arg)
{
    note("ran");
    return 0;
}

TASK_TEST(checkpoint, a_task_that_does_not_heed_its_cancellation_lets_others_run)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, note_run, NULL);
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            for (int i = 0; i < 1000; i++)
                cr_expect_eq(weir_sleep_forever(), -ECANCELED);
            cr_expect_str_eq(notes, "ran");
        }
    }
    return rc;
}

TASK_TEST(checkpoint, shielded_is_never_cancelled)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        weir_cancel_shielded_checkpoint();
        cr_expect_eq(weir_checkpoint_if_cancelled(), -ECANCELED);
    }
    cr_expect_not(scope.cancelled_caught);
    return rc;
}

/* As in Trio, where a sleep is itself a scope: of two that expire together the outer one catches. */
TASK_TEST(sleep, that_ends_with_the_scope_around_it_is_cancelled)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_sleep(WEIR_SECONDS(1));
    cr_expect(scope.cancelled_caught);
    return rc;
}

static int expire_it_too(void *arg)
{
    weir_scope_set_deadline(arg, WEIR_SECONDS(1)); /* armed after the sleep: fires after it, in the same turn */
    return 0;
}

TASK_TEST(sleep, that_ends_just_before_the_scope_around_it_is_cancelled_too)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, expire_it_too, &scope);
            rc = weir_sleep_until(WEIR_SECONDS(1));
        }
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(sleep, past_the_end_of_time_is_forever)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(5), rc)
        rc = weir_sleep(WEIR_NEVER - 1);
    cr_expect(scope.cancelled_caught);
    return rc;
}

static int raw_wake(void *arg)
{
    weir_task_wake(*(struct weir_task **)arg, 42);
    return 0;
}

static bool refuse(struct weir_task *task, void *arg)
{
    note("refused");
    return false;
}

static int cancel_shield_and_unshield(void *arg)
{
    struct weir_scope *scopes = arg;
    weir_scope_cancel(&scopes[0]);
    weir_scope_set_shield(&scopes[1], true);
    weir_scope_set_shield(&scopes[1], false);
    return 0;
}

TASK_TEST(park, is_asked_once_whatever_comes)
{
    struct weir_nursery nursery;
    struct weir_scope scopes[2];
    struct weir_task *self = weir_current_task();
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scopes[0], rc) {
            weir_with_scope (&scopes[1], rc) {
                weir_start_soon(&nursery, cancel_shield_and_unshield, scopes);
                weir_start_soon(&nursery, raw_wake, &self);
                cr_expect_eq(weir_task_park(&(struct weir_wait){.name = "refuse", .abort = refuse}, NULL), 42);
            }
        }
    }
    cr_expect_str_eq(notes, "refused");
    return rc;
}

TASK_TEST(park, answers_what_the_waker_passed_and_may_refuse_to_be_cancelled)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct weir_task *self = weir_current_task();
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_it, &scope);
            weir_start_soon(&nursery, raw_wake, &self);
            cr_expect_eq(weir_task_park(&(struct weir_wait){.name = "refuse", .abort = refuse}, NULL), 42);
            rc = weir_checkpoint_if_cancelled();
        }
    }
    cr_expect_str_eq(notes, "refused");
    cr_expect(scope.cancelled_caught);
    return rc;
}
