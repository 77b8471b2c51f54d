/* core/thread: functions that say where they belong. */
#include "../support/outside.h"
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include <weir/testing.h>
#include <weir/thread.h>

static struct weir_token *other; /* of the loop in the other thread */

static int where_am_i(void *arg)
{
    *(pid_t *)arg = gettid();
    if (weir_current_task() != NULL)
        note("%s", weir_task_name(weir_current_task()));
    return 21;
}

static const struct weir_function inline_one = WEIR_FUNCTION(where_am_i, WEIR_INLINE);
static const struct weir_function in_thread = WEIR_FUNCTION(where_am_i, WEIR_THREAD);
static const struct weir_function in_loop = WEIR_FUNCTION(where_am_i, WEIR_LCORE, .token = &other);

/* ---- another loop, in a thread of its own ---- */

static struct weir_event leave;
static pthread_t other_thread;
static pid_t other_id;
static sem_t ready;

static int let_leave(void *arg)
{
    weir_event_set(&leave);
    return 0;
}

static int other_main(void *arg)
{
    weir_event_init(&leave);
    other = weir_current_token();
    other_id = gettid();
    sem_post(&ready);
    weir_expect_wake();
    int rc = weir_event_wait(&leave);
    weir_expect_no_wake();
    return rc;
}

static void *run_other(void *arg)
{
    cr_expect_eq(run(other_main, NULL), 0);
    return NULL;
}

static void start_other(void)
{
    sem_init(&ready, 0, 0);
    pthread_create(&other_thread, NULL, run_other, NULL);
    sem_wait(&ready);
}

static void join_other(void)
{
    pthread_join(other_thread, NULL);
    weir_token_release(other);
    other = NULL;
}

static const struct weir_function leave_other = WEIR_FUNCTION(let_leave, WEIR_LCORE, .token = &other);

static void end_other(void)
{
    cr_expect_eq(weir_call(&leave_other, NULL), 0);
    join_other();
}

CLEAN_TEST(call, runs_a_function_where_it_belongs)
{
    pid_t self = gettid(), id = 0;
    start_other();
    cr_expect_eq(weir_call(&inline_one, &id), 21);
    cr_expect_eq(id, self);
    cr_expect_eq(weir_call(&in_thread, &id), 21);
    cr_expect(id != self && id != other_id);
    cr_expect_eq(weir_call(&in_loop, &id), 21);
    cr_expect_eq(id, other_id);
    cr_expect_str_eq(notes, "main where_am_i");
    end_other();
    return 0;
}

CLEAN_TEST(call, of_a_function_of_the_own_loop_is_inline)
{
    pid_t id = 0;
    other = weir_current_token();
    cr_expect_eq(weir_call(&in_loop, &id), 21);
    cr_expect_eq(id, gettid());
    cr_expect_str_eq(notes, "main");
    weir_token_release(other);
    other = NULL;
    return 0;
}

Test(call, from_outside_of_all_loops_works_too)
{
    pid_t id = 0;
    cr_expect_eq(weir_call(&inline_one, &id), 21);
    cr_expect_eq(id, gettid());
    cr_expect_eq(weir_call(&in_thread, &id), 21);
    cr_expect_eq(id, gettid());
    cr_expect_eq(weir_call(&in_loop, &id), -ESRCH);
    start_other();
    cr_expect_eq(weir_call(&in_loop, &id), 21);
    cr_expect_eq(id, other_id);
    end_other();
}

static int never_called(void *arg)
{
    cr_assert_fail("it was called");
    return 0;
}

CLEAN_TEST(call, is_always_a_checkpoint)
{
    static const struct weir_function functions[] = {WEIR_FUNCTION(never_called, WEIR_INLINE),
                                                     WEIR_FUNCTION(never_called, WEIR_THREAD),
                                                     WEIR_FUNCTION(never_called, WEIR_LCORE, .token = &other)};
    start_other();
    for (int i = 0; i < 3; i++) {
        struct weir_scope scope;
        int rc = 0;
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            rc = weir_call(&functions[i], NULL);
        }
        cr_expect(scope.cancelled_caught);
    }
    end_other();
    return 0;
}

/* ---- errors ---- */

static int io_error = -EIO;

static int fail_in_nursery(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fail_with, &io_error);
    return 0; /* the group was not read */
}

CLEAN_TEST(call, brings_errors_back_from_another_loop)
{
    static const struct weir_function fails = WEIR_FUNCTION(fail_with, WEIR_LCORE, .token = &other);
    static const struct weir_function fails_below = WEIR_FUNCTION(fail_in_nursery, WEIR_LCORE, .token = &other);
    start_other();
    cr_expect_eq(weir_call(&fails, &io_error), -EIO);
    cr_expect_eq(weir_call(&fails_below, NULL), -EIO);
    end_other(); /* which ends well */
    return 0;
}

/* ---- cancellation ---- */

static sem_t begun;

static int sleep_there(void *arg)
{
    struct weir_reason reason;
    sem_post(&begun);
    int rc = weir_sleep_forever();
    cr_expect_eq(weir_current_cancel_reason(&reason), 0);
    note("%s:%s", weir_error_name(rc), reason.what);
    return *(int *)arg;
}

static const struct weir_function sleeper = WEIR_FUNCTION(sleep_there, WEIR_LCORE, .token = &other);

static int cancel_when_begun(void *arg)
{
    WEIR_TRY(weir_wait_all_tasks_blocked(0));
    sem_wait(&begun);
    weir_scope_cancel_because(arg, "enough");
    return 0;
}

static int cancel_sleeper(int answer, bool caught)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    sem_init(&begun, 0, 0);
    start_other();
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, cancel_when_begun, &scope);
        weir_with_scope (&scope, rc)
            rc = weir_call(&sleeper, &answer);
        cr_expect_eq(scope.cancelled_caught, caught);
    }
    end_other();
    cr_expect_str_eq(notes, "Cancelled:enough");
    return rc;
}

CLEAN_TEST(call, in_another_loop_is_cancelled_with_the_caller_for_his_reason)
{
    return cancel_sleeper(-ECANCELED, true);
}

CLEAN_TEST(call, in_another_loop_may_end_well_although_it_was_cancelled)
{
    cr_expect_eq(cancel_sleeper(22, false), 22);
    return 0;
}

/* ---- a loop that ends ---- */

static int sleep_and_ask_to_leave(void *arg)
{
    weir_event_set(&leave);
    return weir_sleep_forever();
}

CLEAN_TEST(call, to_a_run_that_ends_says_so)
{
    static const struct weir_function leaves = WEIR_FUNCTION(sleep_and_ask_to_leave, WEIR_LCORE, .token = &other);
    pid_t id;
    start_other();
    cr_expect_eq(weir_call(&leaves, NULL), -ESRCH);
    pthread_join(other_thread, NULL);
    cr_expect_eq(weir_call(&in_loop, &id), -ESRCH, "it has ended");
    weir_token_release(other);
    other = NULL;
    cr_expect_eq(weir_call(&in_loop, &id), -ESRCH, "there is none");
    return weir_checkpoint();
}

/* The other loop is held up, with our call and its cancellation in its queue; and then perhaps ends. */
static sem_t hold;

static int hold_up(void *arg)
{
    sem_post(&begun);
    sem_wait(&hold);
    if (*(bool *)arg)
        weir_event_set(&leave);
    return 0;
}

static int call_hold_up(void *arg)
{
    static const struct weir_function holds = WEIR_FUNCTION(hold_up, WEIR_LCORE, .token = &other);
    return weir_call(&holds, arg);
}

static int cancel_and_let_go(void *arg)
{
    WEIR_TRY(weir_wait_all_tasks_blocked(0));
    weir_scope_cancel(arg);
    sem_post(&hold);
    return 0;
}

static int cancel_held_up(bool ends, struct weir_scope *scope)
{
    struct weir_nursery nursery;
    int rc = 0, result = 0, answer = -ECANCELED;
    sem_init(&begun, 0, 0);
    sem_init(&hold, 0, 0);
    start_other();
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, call_hold_up, &ends);
        WEIR_DO(rc, weir_checkpoint());
        sem_wait(&begun);
        weir_start_soon(&nursery, cancel_and_let_go, scope);
        weir_with_scope (scope, rc)
            result = rc = weir_call(&sleeper, &answer);
        rc = 0;
    }
    cr_expect_eq(rc, 0);
    if (ends)
        join_other();
    else
        end_other();
    return result;
}

CLEAN_TEST(call, may_be_cancelled_before_it_has_begun_there)
{
    struct weir_scope scope;
    cr_expect_eq(cancel_held_up(false, &scope), -ECANCELED);
    cr_expect(scope.cancelled_caught);
    return 0;
}

CLEAN_TEST(call, may_be_cancelled_when_the_other_run_is_over_before_it_has_begun_there)
{
    struct weir_scope scope;
    cr_expect_eq(cancel_held_up(true, &scope), -ESRCH);
    return 0;
}

/* The other run has ended, and deals with its last jobs: the first of them waits for us, then comes our call. */
static sem_t last_jobs;

static void hold_up_end(struct weir_job *job)
{
    sem_post(&last_jobs);
    sem_wait(&hold);
}

static int queue_and_leave(void *arg)
{
    int rc = weir_token_run_soon(other, arg);
    weir_event_set(&leave);
    sem_post(&begun);
    sem_wait(&hold);
    return rc;
}

static int call_and_leave(void *arg)
{
    static const struct weir_function leaves = WEIR_FUNCTION(queue_and_leave, WEIR_LCORE, .token = &other);
    return weir_call(&leaves, arg);
}

static int cancel_at_the_end(void *arg)
{
    sem_post(&hold); /* our call is in the queue */
    sem_wait(&last_jobs);
    weir_scope_cancel(arg); /* it is too late for a message */
    sem_post(&hold);
    return 0;
}

CLEAN_TEST(call, may_be_cancelled_when_the_other_run_takes_no_more_messages)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct weir_job job = {.fn = hold_up_end};
    int rc = 0, result = 0;
    sem_init(&begun, 0, 0);
    sem_init(&hold, 0, 0);
    sem_init(&last_jobs, 0, 0);
    start_other();
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, call_and_leave, &job);
        WEIR_DO(rc, weir_checkpoint());
        sem_wait(&begun);
        weir_start_soon(&nursery, cancel_at_the_end, &scope);
        weir_with_scope (&scope, rc)
            result = rc = weir_call(&sleeper, NULL);
        rc = 0;
    }
    cr_expect_eq(result, -ESRCH);
    join_other();
    return rc;
}

/* ---- many, both ways ---- */

static struct weir_token *ours;

static int count_up(void *arg)
{
    int before = *(int *)arg;
    WEIR_TRY(weir_checkpoint());
    *(int *)arg = before + 1;
    return 0;
}

static const struct weir_function count_there = WEIR_FUNCTION(count_up, WEIR_LCORE, .token = &other);
static const struct weir_function count_here = WEIR_FUNCTION(count_up, WEIR_LCORE, .token = &ours);

static int and_back(void *arg)
{
    return weir_call(&count_here, arg);
}

static const struct weir_function there_and_back = WEIR_FUNCTION(and_back, WEIR_LCORE, .token = &other);

static int call_often(void *arg)
{
    struct weir_rng rng;
    int counts[2] = {0, 0}, made = 0;
    weir_rng_seed(&rng, (uint64_t)(uintptr_t)arg);
    for (int i = 0; i < 100; i++) {
        struct weir_scope scope;
        int rc = 0;
        weir_with_scope (&scope, rc) {
            if (weir_rng_below(&rng, 3) == 0)
                weir_scope_set_deadline(&scope, weir_time_add(weir_current_time(), (weir_time)weir_rng_below(&rng, 3)));
            rc = weir_rng_below(&rng, 2) ? weir_call(&count_there, &counts[0]) : weir_call(&there_and_back, &counts[1]);
            made += rc == 0;
        }
        cr_expect_eq(rc, 0);
    }
    cr_expect_eq(counts[0] + counts[1], made);
    return 0;
}

CLEAN_TEST(call, loses_nothing_between_loops)
{
    struct weir_nursery nursery;
    int rc = 0;
    start_other();
    ours = weir_current_token();
    weir_with_nursery (&nursery, rc)
        for (uintptr_t i = 0; i < 20; i++)
            weir_start_soon(&nursery, call_often, (void *)i);
    end_other();
    weir_token_release(ours);
    return rc;
}
