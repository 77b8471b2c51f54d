/* core/async: several at once: gather, race, wait_for; wait and as_completed over handles and futures. */
#include "../support/core.h"
#include <criterion/redirect.h>
#include <weir/testing.h>

struct job {
    double seconds;
    int result;
};

static int work(void *arg)
{
    struct job *job = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(job->seconds)));
    return job->result;
}

/* ---- gather ---- */

TASK_TEST(gather, runs_side_by_side_and_keeps_each_result)
{
    struct job a = {2, 1}, b = {1, 2}, c = {3, 3};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b), WEIR_CALL(work, &c)};
    struct weir_error *errors = (void *)&a;
    cr_expect_eq(weir_gather(calls, 3, WEIR_FAIL_FAST, &errors), 0);
    cr_expect_eq(now(), 3);
    cr_expect(calls[0].result == 1 && calls[1].result == 2 && calls[2].result == 3);
    cr_expect_null(errors);
    cr_expect_eq(weir_gather(calls, 3, WEIR_COLLECT_ALL, NULL), 0);
    cr_expect_eq(now(), 6);
    return 0;
}

TASK_TEST(gather, of_nothing_is_a_checkpoint)
{
    struct weir_scope scope;
    int rc = 0;
    cr_expect_eq(weir_gather(NULL, 0, WEIR_FAIL_FAST, NULL), 0);
    cr_expect_eq(weir_gather(NULL, 0, WEIR_COLLECT_ALL, NULL), 0);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_gather(NULL, 0, WEIR_FAIL_FAST, NULL);
        cr_expect_eq(rc, -ECANCELED);
    }
    return rc;
}

static int note_that_it_began(void *arg)
{
    note("began");
    return 0;
}

TASK_TEST(gather, in_a_cancelled_scope_starts_nothing)
{
    struct weir_call calls[] = {WEIR_CALL(note_that_it_began, NULL)};
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_gather(calls, 1, WEIR_COLLECT_ALL, NULL);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_str_eq(notes, "");
    return rc;
}

TASK_TEST(gather, failing_fast_the_first_error_cancels_the_others)
{
    struct job a = {1, 7}, b = {2, -EIO}, c = {3, 3};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b), WEIR_CALL(work, &c)};
    struct weir_error *errors = NULL;
    cr_expect_eq(weir_gather(calls, 3, WEIR_FAIL_FAST, &errors), -EIO);
    cr_expect_eq(now(), 2);
    cr_expect(calls[0].result == 7 && calls[1].result == -EIO && calls[2].result == -ECANCELED);
    cr_assert_not_null(errors);
    cr_expect(errors->code == -EIO && errors->next == NULL && strcmp(errors->site->name, "work") == 0);
    weir_error_free(errors);
    return 0;
}

static int gather_and_look_away(void *arg)
{
    struct job fails = {0, -EIO};
    struct weir_call calls[] = {WEIR_CALL(work, &fails)};
    int rc = weir_gather(calls, 1, WEIR_FAIL_FAST, NULL);
    cr_expect_eq(rc, -EIO);
    return 0;
}

TASK_TEST(gather, an_error_that_nobody_took_is_the_tasks)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, gather_and_look_away, NULL);
    cr_expect_eq(rc, -EIO);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect(group->children != NULL && strcmp(group->children->site->name, "work") == 0);
    weir_error_free(group);
    return 0;
}

TASK_TEST(gather, collecting_an_error_is_but_a_result)
{
    struct job a = {1, -EIO}, b = {2, 2}, c = {3, -EPIPE};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b), WEIR_CALL(work, &c)};
    struct weir_error *errors = NULL;
    cr_expect_eq(weir_gather(calls, 3, WEIR_COLLECT_ALL, &errors), 0);
    cr_expect_eq(now(), 3);
    cr_expect(calls[0].result == -EIO && calls[1].result == 2 && calls[2].result == -EPIPE);
    cr_assert(errors != NULL && errors->code == -EIO && errors->next->code == -EPIPE);
    weir_error_free(errors);
    cr_expect_eq(weir_gather(calls, 3, WEIR_COLLECT_ALL, NULL), 0);
    cr_expect_eq(errors_held(), 0);
    return 0; /* and no error of ours */
}

TASK_TEST(gather, cancelled_it_cancels_all_and_keeps_what_ended_well)
{
    struct job a = {1, 7}, b = {5, 2};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b)};
    for (int mode = WEIR_FAIL_FAST; mode <= WEIR_COLLECT_ALL; mode++) {
        struct weir_scope scope;
        int rc = 0;
        weir_move_on_after (&scope, WEIR_SECONDS(2), rc) {
            rc = weir_gather(calls, 2, mode, NULL);
            cr_expect_eq(rc, -ECANCELED);
        }
        cr_expect(scope.cancelled_caught);
        cr_expect(calls[0].result == 7 && calls[1].result == -ECANCELED);
    }
    cr_expect_eq(now(), 4);
    return 0;
}

TASK_TEST(gather, collecting_and_cancelled_errors_do_not_hide_the_cancellation)
{
    struct job a = {1, -EIO}, b = {5, 2};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b)};
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(2), rc) {
        rc = weir_gather(calls, 2, WEIR_COLLECT_ALL, NULL);
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect(scope.cancelled_caught && calls[0].result == -EIO);
    return rc;
}

static int cancel_the_others(void *arg)
{
    weir_nursery_cancel(weir_task_parent_nursery(weir_current_task()));
    return 1;
}

TASK_TEST(gather, collecting_and_cancelled_from_within_is_no_cancellation_of_the_caller)
{
    struct weir_call calls[] = {WEIR_CALL(sleep_forever, NULL), WEIR_CALL(cancel_the_others, NULL)};
    cr_expect_eq(weir_gather(calls, 2, WEIR_COLLECT_ALL, NULL), 0);
    cr_expect(calls[0].result == -ECANCELED && calls[1].result == 1);
    return 0;
}

TASK_TEST(gather, what_a_call_left_unread_is_its_result)
{
    struct weir_call calls[] = {WEIR_CALL(gather_and_look_away, NULL)};
    cr_expect_eq(weir_gather(calls, 1, WEIR_COLLECT_ALL, NULL), 0);
    cr_expect_eq(calls[0].result, -EIO);
    return 0;
}

static int fail_below(void *arg)
{
    static int eio = -EIO, epipe = -EPIPE;
    struct weir_call calls[] = {WEIR_CALL(fail_with, &eio), WEIR_CALL(fail_with, &epipe)};
    return weir_gather(calls, 2, WEIR_FAIL_FAST, NULL);
}

static int collect_groups(void *arg)
{
    struct weir_call calls[] = {WEIR_CALL(fail_below, NULL)};
    cr_expect_eq(weir_gather(calls, 1, WEIR_COLLECT_ALL, NULL), 0);
    cr_expect_eq(calls[0].result, -EIO);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

Test(gather, collecting_what_the_results_do_not_tell_is_printed, .init = cr_redirect_stderr)
{
    char text[1024] = "";
    cr_expect_eq(run(collect_groups, NULL), 0);
    fflush(stderr);
    text[fread(text, 1, sizeof text - 1, cr_get_redirected_stderr())] = '\0';
    cr_expect(strstr(text, "fail_below") != NULL && strstr(text, "BrokenResourceError") != NULL, "%s", text);
}

static int gather_too_many(void *arg)
{
    struct job job = {1, 1};
    for (int mode = WEIR_FAIL_FAST; mode <= WEIR_COLLECT_ALL; mode++) {
        struct weir_call calls[] = {WEIR_CALL(work, &job), WEIR_CALL(work, &job), WEIR_CALL(work, &job)};
        struct weir_error *errors = NULL;
        cr_expect_eq(weir_gather(calls, 3, mode, &errors), -ENOMEM);
        cr_expect(errors != NULL && errors->code == -ENOMEM);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(calls[i].result, -ECANCELED);
        weir_error_free(errors);
    }
    cr_expect_eq(now(), 0);
    return 0;
}

Test(gather, without_tasks_enough_those_started_are_cancelled)
{
    cr_expect_eq(run_with(gather_too_many, NULL, (struct weir_run_options){.tasks_max = 3}), 0);
}

/* ---- race ---- */

TASK_TEST(race, the_first_to_end_wins_and_the_others_are_cancelled)
{
    struct job a = {3, 1}, b = {1, 2}, c = {2, 3};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b), WEIR_CALL(work, &c)};
    size_t winner = 9;
    cr_expect_eq(weir_race(calls, 3, &winner, NULL), 2);
    cr_expect_eq(winner, 1);
    cr_expect_eq(now(), 1);
    cr_expect(calls[0].result == -ECANCELED && calls[1].result == 2 && calls[2].result == -ECANCELED);
    return 0;
}

static int clean_up_slowly(void *arg)
{
    struct weir_scope shield;
    int rc = weir_sleep_forever(), cleanup = 0;
    weir_with_scope (&shield, cleanup) {
        weir_scope_set_shield(&shield, true);
        cleanup = weir_sleep(WEIR_SECONDS(5));
    }
    return arg != NULL ? *(int *)arg : rc;
}

TASK_TEST(race, the_losers_are_waited_for)
{
    struct job a = {1, 0};
    struct weir_call calls[] = {WEIR_CALL(clean_up_slowly, NULL), WEIR_CALL(work, &a)};
    cr_expect_eq(weir_race(calls, 2, NULL, NULL), 0);
    cr_expect_eq(now(), 6);
    return 0;
}

TASK_TEST(race, an_error_may_win)
{
    struct job a = {3, 1}, b = {1, -EIO};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b)};
    struct weir_error *errors = NULL;
    size_t winner = 9;
    cr_expect_eq(weir_race(calls, 2, &winner, &errors), -EIO);
    cr_expect_eq(winner, 1);
    cr_expect(errors != NULL && errors->code == -EIO && errors->next == NULL);
    weir_error_free(errors);
    return 0;
}

TASK_TEST(race, what_a_loser_fails_with_is_not_lost)
{
    struct job a = {1, 4};
    int eio = -EIO;
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(clean_up_slowly, &eio)};
    struct weir_error *errors = NULL;
    size_t winner = 9;
    cr_expect_eq(weir_race(calls, 2, &winner, &errors), -EIO);
    cr_expect(winner == 0 && calls[0].result == 4 && calls[1].result == -EIO);
    cr_expect(errors != NULL && errors->code == -EIO);
    weir_error_free(errors);
    return 0;
}

TASK_TEST(race, cancelled_from_outside_nobody_wins)
{
    struct job a = {3, 1}, b = {5, 2};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b)};
    struct weir_scope scope;
    size_t winner = 9;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_race(calls, 2, &winner, NULL);
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(winner, 2);
    return rc;
}

static int cancel_and_win(void *arg)
{
    weir_scope_cancel(arg);
    return 3;
}

TASK_TEST(race, who_has_won_before_it_is_cancelled_has_won)
{
    struct weir_scope scope;
    size_t winner = 9;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        struct weir_call calls[] = {WEIR_CALL(cancel_and_win, &scope), WEIR_CALL(sleep_forever, NULL)};
        rc = weir_race(calls, 2, &winner, NULL);
        cr_expect_eq(rc, 3);
        cr_expect_eq(winner, 0);
        rc = weir_checkpoint(); /* the cancellation is felt here */
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(race, of_nobody_has_no_winner)
{
    cr_expect_eq(weir_race(NULL, 0, NULL, NULL), -EINVAL);
    return 0;
}

TASK_TEST(race, in_a_cancelled_scope_starts_nothing)
{
    struct weir_call calls[] = {WEIR_CALL(note_that_it_began, NULL)};
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_race(calls, 1, NULL, NULL);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_str_eq(notes, "");
    return rc;
}

/* ---- wait_for ---- */

TASK_TEST(wait_for, is_the_result_or_too_late)
{
    struct job quick = {1, 5}, slow = {9, 6}, bad = {1, -EIO};
    cr_expect_eq(weir_wait_for(work, &quick, WEIR_SECONDS(2)), 5);
    cr_expect_eq(weir_wait_for(work, &slow, WEIR_SECONDS(2)), -ETIMEDOUT);
    cr_expect_eq(weir_wait_for(work, &bad, WEIR_SECONDS(2)), -EIO);
    cr_expect_eq(now(), 4);
    cr_expect_eq(weir_wait_for(work, &quick, 0), -ETIMEDOUT);
    cr_expect_eq(weir_wait_for(work, &quick, -5), -ETIMEDOUT);
    cr_expect_eq(weir_wait_for(work, &slow, WEIR_NEVER), 6);
    cr_expect_eq(now(), 13);
    return 0;
}

TASK_TEST(wait_for, being_cancelled_is_not_being_late)
{
    struct job slow = {9, 6};
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_wait_for(work, &slow, WEIR_SECONDS(2));
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect(scope.cancelled_caught);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_wait_for(note_that_it_began, NULL, WEIR_SECONDS(2));
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_str_eq(notes, "");
    return rc;
}

/* ---- wait ---- */

enum { TASKS = 4 };

struct several {
    struct job jobs[TASKS];
    struct weir_handle handles[TASKS];
    struct weir_watch watches[TASKS];
    struct weir_nursery nursery;
};

static int spawn_all(struct several *several)
{
    for (int i = 0; i < TASKS; i++) {
        WEIR_TRY(weir_spawn_kept(&several->nursery, work, &several->jobs[i], &several->handles[i]));
        several->watches[i].future = &several->handles[i].future;
    }
    return 0;
}

static void read_all(struct several *several)
{
    for (int i = 0; i < TASKS; i++)
        weir_handle_result(&several->handles[i]);
}

TASK_TEST(wait, for_the_first_the_first_error_or_all)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {3, -EIO}, {4, 4}}};
    struct weir_watch *watches = several.watches;
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        cr_expect_eq(weir_wait(watches, TASKS, WEIR_FIRST_COMPLETED), 1);
        cr_expect_eq(now(), 1);
        cr_expect(weir_handle_is_done(&several.handles[1]));
        cr_expect_eq(weir_wait(watches, TASKS, WEIR_FIRST_COMPLETED), 1); /* one is done already */
        cr_expect_eq(now(), 1);
        cr_expect_eq(weir_wait(watches, TASKS, WEIR_FIRST_ERROR), 3);
        cr_expect_eq(now(), 3);
        cr_expect_eq(weir_wait(watches, TASKS, WEIR_FIRST_ERROR), 3);
        cr_expect_eq(weir_wait(watches, TASKS, WEIR_ALL_COMPLETED), 4);
        cr_expect_eq(now(), 4);
        cr_expect_eq(errors_held(), 1); /* it reads none */
        read_all(&several);
    }
    return rc;
}

TASK_TEST(wait, without_an_error_the_first_error_is_all)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {3, 3}, {4, 4}}};
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        weir_handle_cancel(&several.handles[0], "which is no error");
        cr_expect_eq(weir_wait(several.watches, TASKS, WEIR_FIRST_ERROR), TASKS);
        cr_expect_eq(now(), 4);
    }
    return rc;
}

TASK_TEST(wait, a_timeout_is_a_scope_and_cancels_nobody)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {3, 3}, {4, 4}}};
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        weir_move_on_after (&scope, WEIR_SECONDS(2.5), rc) {
            rc = weir_wait(several.watches, TASKS, WEIR_ALL_COMPLETED);
            cr_expect_eq(rc, -ECANCELED);
        }
        cr_expect(scope.cancelled_caught);
        int done = 0;
        for (int i = 0; i < TASKS; i++) {
            done += weir_handle_is_done(&several.handles[i]);
            cr_expect(weir_list_empty(&several.handles[i].future.callbacks)); /* nothing left behind */
        }
        cr_expect_eq(done, 2);
    }
    cr_expect_eq(now(), 4);
    return rc;
}

TASK_TEST(wait, for_none_is_a_checkpoint)
{
    struct weir_scope scope;
    struct weir_future future;
    struct weir_watch watch = {.future = &future};
    int rc = 0;
    weir_future_init(&future);
    cr_expect_eq(weir_wait(NULL, 0, WEIR_ALL_COMPLETED), 0);
    cr_expect_eq(weir_wait(NULL, 0, WEIR_FIRST_COMPLETED), 0);
    WEIR_TRY(weir_future_set_result(&future, 1, NULL));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_wait(NULL, 0, WEIR_ALL_COMPLETED), -ECANCELED);
        cr_expect_eq(weir_wait(&watch, 1, WEIR_ALL_COMPLETED), -ECANCELED);
    }
    return rc;
}

static int set_both(void *arg)
{
    struct weir_future *futures = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    WEIR_TRY(weir_future_set_result(&futures[0], 1, NULL));
    return weir_future_cancel(&futures[1], "too");
}

TASK_TEST(wait, counts_what_is_done_when_it_returns)
{
    struct weir_future futures[2];
    struct weir_watch watches[] = {{&futures[0]}, {&futures[1]}, {&futures[0]}}; /* one of them twice */
    struct weir_nursery nursery;
    int rc = 0;
    weir_future_init(&futures[0]);
    weir_future_init(&futures[1]);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, set_both, futures);
        cr_expect_eq(weir_wait(watches, 3, WEIR_FIRST_COMPLETED), 3);
    }
    return rc;
}

static int set_and_cancel(void *arg)
{
    void **two = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_scope_cancel(two[0]);
    return weir_future_set_result(two[1], 1, NULL); /* it is too late, and wakes nobody a second time */
}

TASK_TEST(wait, is_woken_once)
{
    struct weir_future future;
    struct weir_watch watch = {&future};
    struct weir_nursery nursery;
    struct weir_scope scope;
    void *two[] = {&scope, &future};
    int rc = 0;
    weir_future_init(&future);
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, set_and_cancel, two);
            rc = weir_wait(&watch, 1, WEIR_ALL_COMPLETED);
            cr_expect_eq(rc, -ECANCELED);
        }
    }
    return rc;
}

/* ---- as_completed ---- */

TASK_TEST(as_completed, hands_them_out_in_the_order_of_completion)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {4, -EIO}, {3, 4}}};
    struct weir_watch *watch;
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        weir_for_each_completed (watch, several.watches, TASKS, rc)
            note("%td:%d@%g", watch - several.watches, weir_future_result(watch->future, NULL), now());
    }
    cr_expect_str_eq(notes, "1:2@1 0:1@2 3:4@3 2:-5@4");
    return rc;
}

TASK_TEST(as_completed, those_done_before_come_in_the_arrays_order)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {0, 3}, {4, 4}}};
    struct weir_watch *watch;
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(3)));
        weir_for_each_completed (watch, several.watches, TASKS, rc)
            note("%td@%g", watch - several.watches, now());
    }
    cr_expect_str_eq(notes, "0@3 1@3 2@3 3@4");
    return rc;
}

TASK_TEST(as_completed, may_be_left_early)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {3, 3}, {4, 4}}};
    struct weir_watch *watch;
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        weir_for_each_completed (watch, several.watches, TASKS, rc)
            break;
        for (int i = 0; i < TASKS; i++)
            cr_expect(weir_list_empty(&several.handles[i].future.callbacks));
        memset(several.watches, 0xab, sizeof several.watches); /* nobody looks at them any more */
        cr_expect_eq(now(), 1);
    }
    return rc;
}

TASK_TEST(as_completed, cancelled_the_block_says_so)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {3, 3}, {4, 4}}};
    struct weir_watch *watch;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        weir_move_on_after (&scope, WEIR_SECONDS(2.5), rc) {
            weir_for_each_completed (watch, several.watches, TASKS, rc)
                note("%td", watch - several.watches);
            cr_expect_eq(rc, -ECANCELED);
        }
        cr_expect(scope.cancelled_caught);
    }
    cr_expect_str_eq(notes, "1 0");
    return rc;
}

TASK_TEST(as_completed, an_error_that_the_body_leaves_ends_the_block)
{
    struct several several = {.jobs = {{2, 1}, {1, 2}, {3, 3}, {4, 4}}};
    struct weir_watch *watch;
    int rc = 0;
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        weir_for_each_completed (watch, several.watches, TASKS, rc)
            rc = weir_future_result(watch->future, NULL) == 1 ? -EIO : 0;
        cr_expect_eq(now(), 2);
        cr_expect_eq(rc, -EIO);
        rc = 0;
    }
    return rc;
}

TASK_TEST(as_completed, by_hand)
{
    struct weir_future futures[2];
    struct weir_watch watches[] = {{&futures[0]}, {&futures[1]}}, *watch = NULL;
    struct weir_completions completions;
    struct weir_scope scope;
    int rc = 0;
    weir_future_init(&futures[0]);
    weir_future_init(&futures[1]);
    weir_as_completed(&completions, NULL, 0);
    cr_expect_eq(weir_next_completed(&completions, &watch), -ENODATA);
    weir_completions_end(&completions);
    weir_as_completed(&completions, watches, 2);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_next_completed(&completions, &watch); /* and after that one waits again */
    cr_expect(scope.cancelled_caught);
    WEIR_TRY(weir_future_set_result(&futures[1], 1, NULL));
    cr_expect_eq(weir_next_completed(&completions, &watch), 0);
    cr_expect_eq(watch, &watches[1]);
    WEIR_TRY(weir_future_set_result(&futures[0], 1, NULL));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_next_completed(&completions, &watch);
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_eq(weir_next_completed(&completions, &watch), 0);
    cr_expect_eq(watch, &watches[0]);
    cr_expect_eq(weir_next_completed(&completions, &watch), -ENODATA);
    weir_completions_end(&completions);
    return rc;
}

static int next(void *arg)
{
    struct weir_watch *watch;
    int rc = weir_next_completed(arg, &watch);
    note("%s", weir_error_name(rc));
    return rc == -EBUSY ? 0 : rc;
}

static int set_soon(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return weir_future_set_result(arg, 1, NULL);
}

TASK_TEST(as_completed, is_for_one_task_at_a_time)
{
    struct weir_future future;
    struct weir_watch watch = {&future};
    struct weir_completions completions;
    struct weir_nursery nursery;
    int rc = 0;
    weir_future_init(&future);
    weir_as_completed(&completions, &watch, 1);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, next, &completions);
        weir_start_soon(&nursery, next, &completions);
        weir_start_soon(&nursery, set_soon, &future);
    }
    cr_expect_str_eq(notes, "BusyResourceError ok");
    weir_completions_end(&completions);
    return rc;
}

/* ---- checkpoints ---- */

TASK_TEST(gather, each_call_is_a_checkpoint_and_what_only_begins_is_not)
{
    struct weir_call calls[] = {WEIR_CALL(return_at_once, NULL)};
    struct weir_completions completions;
    struct weir_future future;
    struct weir_watch watches[] = {{&future}}, *watch;
    int rc = 0;
    weir_future_init(&future);
    WEIR_TRY(weir_future_set_result(&future, 0, NULL));
    for (size_t n = 0; n <= 1; n++) {
        weir_assert_checkpoints(rc) rc = weir_gather(calls, n, WEIR_FAIL_FAST, NULL);
        weir_assert_checkpoints(rc) rc = weir_gather(calls, n, WEIR_COLLECT_ALL, NULL);
        weir_assert_checkpoints(rc) rc = weir_wait(watches, n, WEIR_ALL_COMPLETED) < 0 ? -EIO : 0;
    }
    weir_assert_checkpoints(rc) rc = weir_race(calls, 1, NULL, NULL);
    weir_assert_checkpoints(rc) rc = weir_wait_for(return_at_once, NULL, WEIR_SECONDS(1));
    weir_assert_no_checkpoints(rc) weir_as_completed(&completions, watches, 1);
    weir_assert_checkpoints(rc) rc = weir_next_completed(&completions, &watch);
    weir_assert_checkpoints(rc) rc = weir_next_completed(&completions, &watch) == -ENODATA ? 0 : -EIO;
    weir_assert_no_checkpoints(rc) weir_completions_end(&completions);
    return rc;
}

/* ---- any order of tasks ---- */

static int all_of_it(void *arg)
{
    struct job a = {1, 1}, b = {2, -EIO}, c = {3, 3}, d = {1, 4};
    struct weir_call calls[] = {WEIR_CALL(work, &a), WEIR_CALL(work, &b), WEIR_CALL(work, &c), WEIR_CALL(work, &d)};
    struct several several = {.jobs = {{2, 1}, {1, 2}, {4, -EIO}, {3, 4}}};
    struct weir_error *errors;
    struct weir_watch *watch;
    size_t winner;
    int rc = 0, seen = 0;
    cr_expect_eq(weir_gather(calls, 4, WEIR_FAIL_FAST, &errors), -EIO);
    weir_error_free(errors);
    cr_expect(calls[0].result == 1 && calls[2].result == -ECANCELED && calls[3].result == 4);
    cr_expect_eq(weir_gather(calls, 4, WEIR_COLLECT_ALL, NULL), 0);
    rc = weir_race(calls, 4, &winner, NULL);
    cr_expect((winner == 0 && rc == 1) || (winner == 3 && rc == 4));
    weir_with_nursery (&several.nursery, rc) {
        WEIR_DO(rc, spawn_all(&several));
        weir_for_each_completed (watch, several.watches, TASKS, rc)
            seen = seen * 10 + (int)(watch - several.watches);
        cr_expect_eq(seen, 1032);
        cr_expect_eq(weir_wait(several.watches, TASKS, WEIR_ALL_COMPLETED), TASKS);
        read_all(&several);
    }
    cr_expect_eq(errors_held(), 0);
    return rc;
}

Test(gather, in_any_order, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        cr_assert_eq(run_with(all_of_it, NULL, (struct weir_run_options){.shuffle_seed = seed}), 0, "seed %lu", seed);
}
