/* core/thread: from a thread into the loop. */
#include "../support/outside.h"
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include <weir/testing.h>
#include <weir/thread.h>

/* ---- a call between tasks ---- */

static int look_around(void *arg)
{
    cr_expect_eq(gettid(), *(pid_t *)arg);
    cr_expect_not_null(weir_current_loop());
    cr_expect_null(weir_current_task());
    return 11;
}

static int call_back(void *arg)
{
    return weir_from_thread_run_sync(NULL, look_around, arg);
}

CLEAN_TEST(run_sync, calls_in_the_loop_between_tasks)
{
    pid_t id = gettid();
    cr_expect_eq(weir_to_thread_run_sync(call_back, &id, NULL), 11);
    return 0;
}

/* ---- threads that are not of the pool ---- */

struct stranger {
    pthread_t thread;
    struct weir_token *token;
    int (*fn)(void *arg);
    void *arg;
    int sync_result, result;
    sem_t done;
};

static void *come_in(void *arg)
{
    struct stranger *stranger = arg;
    stranger->sync_result = weir_from_thread_run_sync(stranger->token, look_around, stranger->arg);
    stranger->result = weir_from_thread_run(stranger->token, stranger->fn, stranger->arg);
    sem_post(&stranger->done);
    return NULL;
}

static void let_in(struct stranger *stranger, int (*fn)(void *), void *arg)
{
    *stranger = (struct stranger){.token = weir_current_token(), .fn = fn, .arg = arg};
    sem_init(&stranger->done, 0, 0);
    pthread_create(&stranger->thread, NULL, come_in, stranger);
}

static void see_off(struct stranger *stranger)
{
    pthread_join(stranger->thread, NULL);
    weir_token_release(stranger->token);
}

static int sleep_a_little(void *arg)
{
    cr_expect_eq(gettid(), *(pid_t *)arg);
    cr_expect_str_eq(weir_task_name(weir_current_task()), "stranger->fn");
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return 12;
}

static int wait_for_thread(void *arg)
{
    sem_wait(arg);
    return 0;
}

CLEAN_TEST(token, lets_any_thread_in)
{
    struct stranger stranger;
    pid_t id = gettid();
    let_in(&stranger, sleep_a_little, &id);
    cr_expect_eq(weir_to_thread_run_sync(wait_for_thread, &stranger.done, NULL), 0);
    see_off(&stranger);
    cr_expect(stranger.sync_result == 11 && stranger.result == 12);
    return 0;
}

static struct weir_event begun;

static int begin_and_sleep(void *arg)
{
    weir_event_set(&begun);
    int rc = weir_sleep_forever();
    note("%s", weir_error_name(rc));
    return rc;
}

static int leave_early(void *arg)
{
    struct stranger *stranger = ((void **)arg)[0];
    weir_event_init(&begun);
    let_in(stranger, begin_and_sleep, ((void **)arg)[1]);
    weir_expect_wake();
    int rc = weir_event_wait(&begun);
    weir_expect_no_wake();
    note("main ends");
    return rc;
}

Test(token, gives_a_system_task_that_is_cancelled_when_the_main_task_has_ended, .timeout = 30)
{
    struct stranger stranger;
    pid_t id = gettid();
    void *both[] = {&stranger, &id};
    cr_expect_eq(run(leave_early, both), 0);
    see_off(&stranger);
    cr_expect(stranger.sync_result == 11 && stranger.result == -ECANCELED);
    cr_expect_str_eq(notes, "main ends Cancelled");
}

static int take_token(void *arg)
{
    *(struct weir_token **)arg = weir_current_token();
    return 0;
}

static int never_called(void *arg)
{
    cr_assert_fail("it was called");
    return 0;
}

Test(token, of_a_run_that_has_ended_says_so)
{
    struct weir_token *token;
    cr_expect_eq(run(take_token, &token), 0);
    cr_expect_eq(weir_from_thread_run_sync(token, never_called, NULL), -ESRCH);
    cr_expect_eq(weir_from_thread_run(token, never_called, NULL), -ESRCH);
    weir_token_release(token);
}

CLEAN_TEST(token, is_not_for_a_thread_that_runs_a_loop)
{
    struct weir_token *token = weir_current_token();
    cr_expect_eq(weir_from_thread_run_sync(token, never_called, NULL), -EDEADLK);
    cr_expect_eq(weir_from_thread_run(token, never_called, NULL), -EDEADLK);
    cr_expect_eq(weir_from_thread_check_cancelled(), -EINVAL);
    weir_token_release(token);
    return 0;
}

Test(token, is_needed_by_strangers)
{
    cr_expect_eq(weir_from_thread_run_sync(NULL, never_called, NULL), -EINVAL);
    cr_expect_eq(weir_from_thread_run(NULL, never_called, NULL), -EINVAL);
    cr_expect_eq(weir_from_thread_check_cancelled(), -EINVAL);
}

/* ---- a task, run by the task that waits for the thread ---- */

static struct weir_task *caller;

static int be_a_child(void *arg)
{
    struct weir_task *self = weir_current_task();
    cr_expect_eq(weir_nursery_parent_task(weir_task_parent_nursery(self)), caller);
    cr_expect_str_eq(weir_task_name(self), "be_a_child");
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return 13;
}

static int run_child(void *arg)
{
    for (int i = 0; i < 3; i++)
        cr_expect_eq(weir_from_thread_run(NULL, be_a_child, NULL), 13);
    return 14;
}

CLEAN_TEST(run, is_a_child_of_who_waits_for_the_thread)
{
    caller = weir_current_task();
    cr_expect_eq(weir_to_thread_run_sync(run_child, NULL, NULL), 14);
    cr_expect_eq(now(), 3);
    return 0;
}

static int io_error = -EIO;

static int fail_in_nursery(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fail_with, &io_error);
    return 0; /* the group was not read */
}

static int run_failures(void *arg)
{
    cr_expect_eq(weir_from_thread_run(NULL, fail_with, &io_error), -EIO);
    cr_expect_eq(weir_from_thread_run(NULL, fail_in_nursery, NULL), -EIO);
    return 15;
}

CLEAN_TEST(run, reports_errors_to_the_thread_only)
{
    cr_expect_eq(weir_to_thread_run_sync(run_failures, NULL, NULL), 15);
    cr_expect_eq(errors_held(), 0);
    return weir_checkpoint();
}

static int wait_for_cancellation(void *arg)
{
    cr_expect_eq(weir_from_thread_check_cancelled(), 0);
    cr_expect_eq(weir_from_thread_run(NULL, begin_and_sleep, NULL), -ECANCELED);
    cr_expect_eq(weir_from_thread_check_cancelled(), -ECANCELED);
    cr_expect_eq(weir_from_thread_run(NULL, sleep_forever, NULL), -ECANCELED, "so is what comes later");
    return *(int *)arg;
}

static int cancel_when_it_has_begun(void *arg)
{
    WEIR_TRY(weir_event_wait(&begun));
    weir_scope_cancel(arg);
    return 0;
}

static int cancel_with_answer(int answer, bool caught)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&begun);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, cancel_when_it_has_begun, &scope);
        weir_with_scope (&scope, rc)
            rc = weir_to_thread_run_sync(wait_for_cancellation, &answer, NULL);
        cr_expect_eq(scope.cancelled_caught, caught);
    }
    return rc;
}

CLEAN_TEST(run, is_cancelled_with_who_waits_for_the_thread)
{
    return cancel_with_answer(-ECANCELED, true);
}

CLEAN_TEST(run, leaves_it_to_the_thread_what_cancelling_comes_to)
{
    cr_expect_eq(cancel_with_answer(16, false), 16);
    return 0;
}

static int poll_for_cancellation(void *arg)
{
    int rc;
    sem_post(arg);
    while ((rc = weir_from_thread_check_cancelled()) == 0)
        sched_yield();
    return rc;
}

static int cancel_when_begun(void *arg)
{
    struct weir_scope *scope = ((void **)arg)[1];
    WEIR_TRY(weir_wait_all_tasks_blocked(0));
    sem_wait(((void **)arg)[0]);
    weir_scope_cancel(scope);
    return 0;
}

static int poll_with(const struct weir_to_thread_options *options)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    sem_t polling;
    void *both[] = {&polling, &scope};
    int rc = 0;
    sem_init(&polling, 0, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, cancel_when_begun, both);
        weir_with_scope (&scope, rc)
            rc = weir_to_thread_run_sync(poll_for_cancellation, &polling, options);
        cr_expect(scope.cancelled_caught);
    }
    return rc;
}

CLEAN_TEST(check_cancelled, tells_a_thread_that_nobody_wants_its_result)
{
    return poll_with(NULL);
}

CLEAN_TEST(check_cancelled, tells_a_thread_that_it_was_abandoned)
{
    struct weir_to_thread_options options = {.abandon_on_cancel = true};
    WEIR_TRY(poll_with(&options));
    while (weir_current_default_thread_limiter()->borrowed > 0)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

/* ---- work that may be abandoned ---- */

static int be_a_system_task(void *arg)
{
    weir_event_set(&begun);
    WEIR_TRY(weir_event_wait(arg));
    note("goes on");
    return 17;
}

struct system_errand {
    struct weir_event go;
    sem_t done;
};

static int run_system_task(void *arg)
{
    struct system_errand *errand = arg;
    cr_expect_eq(weir_from_thread_run(NULL, be_a_system_task, &errand->go), 17);
    sem_post(&errand->done);
    return 0;
}

CLEAN_TEST(run, of_work_that_may_be_abandoned_is_not_cancelled_with_it)
{
    struct weir_to_thread_options options = {.abandon_on_cancel = true};
    struct system_errand errand;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&begun);
    weir_event_init(&errand.go);
    sem_init(&errand.done, 0, 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, cancel_when_it_has_begun, &scope);
        weir_with_scope (&scope, rc)
            rc = weir_to_thread_run_sync(run_system_task, &errand, &options);
        cr_expect(scope.cancelled_caught);
        note("cancelled");
        weir_event_set(&errand.go);
        WEIR_DO(rc, weir_to_thread_run_sync(wait_for_thread, &errand.done, NULL));
    }
    cr_expect_str_eq(notes, "cancelled goes on");
    return rc;
}

/* ---- there and back and there again ---- */

static int down(void *arg);

static int up(void *arg)
{
    return weir_to_thread_run_sync(down, arg, NULL);
}

static int down(void *arg)
{
    int *depth = arg;
    return ++*depth < 10 ? weir_from_thread_run(NULL, up, arg) : 18;
}

CLEAN_TEST(run, may_go_down_again)
{
    int depth = 0;
    cr_expect_eq(weir_to_thread_run_sync(down, &depth, NULL), 18);
    cr_expect_eq(depth, 10);
    return 0;
}

static int run_out_of_tasks(void *arg)
{
    return weir_from_thread_run(NULL, never_called, NULL);
}

static int with_few_tasks(void *arg)
{
    cr_expect_eq(weir_to_thread_run_sync(run_out_of_tasks, NULL, NULL), -ENOMEM);
    return weir_checkpoint();
}

Test(run, without_a_free_stack_is_refused)
{
    cr_expect_eq(run_clean_with(with_few_tasks, NULL, (struct weir_run_options){.tasks_max = 1}), 0);
}

/* ---- many at once ---- */

static int counter;

static int increment(void *arg)
{
    return ++counter;
}

static int increment_in_task(void *arg)
{
    int before = counter;
    WEIR_TRY(weir_checkpoint());
    counter++;
    return counter > before ? 1 : -EIO;
}

static int increment_often(void *arg)
{
    for (int i = 0; i < 50; i++) {
        cr_expect_gt(weir_from_thread_run_sync(NULL, increment, NULL), 0);
        cr_expect_eq(weir_from_thread_run(NULL, increment_in_task, NULL), 1);
    }
    return 0;
}

static int call_thread(void *arg)
{
    return weir_to_thread_run_sync(increment_often, NULL, NULL);
}

CLEAN_TEST(run, and_run_sync_lose_nothing)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 20; i++)
            weir_start_soon(&nursery, call_thread, NULL);
    cr_expect_eq(counter, 20 * 50 * 2);
    return rc;
}
