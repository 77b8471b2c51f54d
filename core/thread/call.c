/* A function run where it says that it belongs; and the way to another loop and back.
 *
 * A call to another loop is one record, on the caller's stack, which both loops know: it must not go before the other
 * one is through with it. What is still to come from there is counted: that the task ends, and, once the caller has
 * been cancelled, that the message of it is dealt with. Whoever deals with the last answers. */
#include "thread_private.h"

struct crossing {
    struct weir_from_thread_task errand; /* the function, as for threads */
    struct weir_job cancel, answer;
    struct weir_token *here, *there;
    atomic_uint outstanding;
    /* This side's only: */
    struct weir_task *caller;
    /* Written here before `cancel` is sent, read there after: */
    struct weir_reason reason;
    bool cancelled;
    /* The other side's only: */
    struct weir_scope *scope; /* of the task, while it runs */
    bool cancelled_early;
};

/* ---- there ---- */

/* The token is held: once the caller has his answer the record is gone. */
static void settle(struct crossing *crossing)
{
    struct weir_token *here = weir_token_hold(crossing->here);
    if (atomic_fetch_sub(&crossing->outstanding, 1) == 1) {
        int rc = weir_token_run_soon(here, &crossing->answer);
        WEIR_ASSERT_EQ(rc, 0); /* the caller waits, so its loop is there */
    }
    weir_token_release(here);
}

static int serve(void *arg)
{
    struct crossing *crossing = arg;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        crossing->scope = &scope;
        if (crossing->cancelled_early)
            weir_scope_cancel_why(&scope, &crossing->reason);
        weir_from_thread_task_run(&crossing->errand);
        crossing->scope = NULL;
    }
    settle(crossing);
    return 0;
}

static void begin(struct weir_job *job)
{
    struct crossing *crossing = WEIR_CONTAINER_OF(job, struct crossing, errand.job);
    int rc = weir_spawn_system_task_(serve, crossing, WEIR_SITE("weir_call"));
    if (rc == 0)
        return;
    crossing->errand.result = rc;
    settle(crossing);
}

static void cancel(struct weir_job *job)
{
    struct crossing *crossing = WEIR_CONTAINER_OF(job, struct crossing, cancel);
    crossing->cancelled_early = true;
    if (crossing->scope != NULL)
        weir_scope_cancel_why(crossing->scope, &crossing->reason);
    settle(crossing);
}

/* ---- here ---- */

static void wake_caller(struct weir_job *job)
{
    weir_task_wake(WEIR_CONTAINER_OF(job, struct crossing, answer)->caller, 0);
}

/* Tells the other side, unless it is through already. */
static bool abort_call(struct weir_task *task, void *arg)
{
    struct crossing *crossing = arg;
    unsigned outstanding = 1;
    if (weir_task_cancel_reason(task, &crossing->reason) < 0)
        crossing->reason = (struct weir_reason){.what = "cancelled"};
    crossing->cancelled = true;
    if (atomic_compare_exchange_strong(&crossing->outstanding, &outstanding, 2) &&
        weir_token_run_soon(crossing->there, &crossing->cancel) < 0)
        settle(crossing); /* that run has ended: so has the task, or it will not begin */
    return false;
}

static const struct weir_wait call_wait = {.name = "weir_call", .abort = abort_call};

static int wait_for_answer(struct crossing *crossing)
{
    WEIR_TRY(weir_token_run_soon(crossing->there, &crossing->errand.job));
    weir_expect_wake();
    int rc = weir_task_park(&call_wait, crossing);
    WEIR_ASSERT_EQ(rc, 0);
    weir_expect_no_wake();
    if (crossing->errand.result == -ECANCELED && !crossing->cancelled)
        return -ESRCH; /* that was the other run's end */
    return crossing->errand.result;
}

static int cross(const struct weir_function *function, struct weir_token *here, struct weir_token *there, void *arg)
{
    struct crossing crossing = {
        .errand = {.job = {.fn = begin}, .fn = function->fn, .arg = arg, .site = &function->site},
        .cancel = {.fn = cancel},
        .answer = {.fn = wake_caller},
        .here = here,
        .there = weir_token_hold(there),
        .outstanding = 1,
        .caller = weir_current_task()};
    int rc = wait_for_answer(&crossing);
    weir_token_release(crossing.there);
    return rc;
}

static int call_loop(const struct weir_function *function, void *arg)
{
    struct weir_token *there = *function->token, *here = weir_current_token();
    int rc = -ESRCH;
    if (there == here)
        rc = function->fn(arg);
    else if (there != NULL)
        rc = cross(function, here, there, arg);
    weir_token_release(here);
    return rc;
}

/* ---- wherever it is ---- */

static int call_from_outside(const struct weir_function *function, void *arg)
{
    if (function->where != WEIR_LCORE)
        return function->fn(arg);
    struct weir_token *there = *function->token;
    return there != NULL ? weir_from_thread_run_(there, function->fn, arg, &function->site) : -ESRCH;
}

int weir_call(const struct weir_function *function, void *arg)
{
    if (weir_current_loop() == NULL)
        return call_from_outside(function, arg);
    if (function->where == WEIR_THREAD)
        return weir_to_thread_run_sync(function->fn, arg, NULL);
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = function->where == WEIR_INLINE ? function->fn(arg) : call_loop(function, arg);
    weir_fast_path_done();
    return rc;
}
