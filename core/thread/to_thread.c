/* Blocking work in a thread, and waiting for it. */
#include "thread_private.h"
#include <stdlib.h>

enum { DEFAULT_TOKENS = 40 }; /* as Trio */

__thread struct weir_thread_call *weir_thread_call_;

/* ---- what each run keeps ---- */

static int open_threads(void *state)
{
    WEIR_TRY(weir_capacity_limiter_init(state, DEFAULT_TOKENS));
    weir_pool_join();
    return 0;
}

static void close_threads(void *state)
{
    weir_pool_leave();
    weir_capacity_limiter_destroy(state);
}

static const struct weir_run_state threads = {"threads", sizeof(struct weir_capacity_limiter), open_threads,
                                              close_threads};

struct weir_capacity_limiter *weir_current_default_thread_limiter(void)
{
    void *limiter;
    return weir_run_state_get(&threads, &limiter) == 0 ? limiter : NULL;
}

/* ---- in the thread ---- */

static void run(struct weir_work *work)
{
    struct weir_thread_call *call = WEIR_CONTAINER_OF(work, struct weir_thread_call, work);
    weir_thread_call_ = call;
    call->result = call->fn(call->arg);
    weir_thread_call_ = NULL;
    if (atomic_exchange(&call->state, CALL_DONE) == CALL_ABANDONED && call->abandoned != NULL)
        call->abandoned(call->result, call->arg);
}

/* If the run has ended the limiter went with it, and nobody waits. */
static void deliver(struct weir_work *work)
{
    struct weir_thread_call *call = WEIR_CONTAINER_OF(work, struct weir_thread_call, work);
    struct weir_token *token = call->token; /* the call may be gone before we are done with it */
    if (weir_token_run_soon(token, &call->done) < 0)
        free(call);
    weir_token_release(token);
}

/* ---- in the loop ---- */

static bool run_is_over(void)
{
    struct weir_loop_statistics statistics;
    weir_current_statistics(&statistics);
    return statistics.tasks_living == 0;
}

/* The limiter may have gone with the tasks. */
static void finish(struct weir_job *job)
{
    struct weir_thread_call *call = WEIR_CONTAINER_OF(job, struct weir_thread_call, done);
    weir_expect_no_wake();
    if (!run_is_over())
        weir_capacity_limiter_release_on_behalf_of(call->limiter, call);
    call->finished = true;
    if (call->task != NULL)
        weir_task_wake(call->task, 0);
    else
        free(call);
}

/* One exchange decides whether it was abandoned or is done. */
static bool abort_wait(struct weir_task *task, void *arg)
{
    struct weir_thread_call *call = arg;
    int runs = CALL_RUNS;
    atomic_store(&call->cancelled, true);
    if (!call->may_abandon || !atomic_compare_exchange_strong(&call->state, &runs, CALL_ABANDONED))
        return false;
    call->task = NULL;
    if (call->was_abandoned != NULL)
        *call->was_abandoned = true;
    return true;
}

static const struct weir_wait thread_wait = {.name = "weir_to_thread_run_sync", .abort = abort_wait};

/* Meanwhile the caller runs what the thread asks it to. Nothing may switch between the answer and the next wait: the
 * thread may be done then. */
static int wait_for(struct weir_thread_call *call)
{
    struct weir_from_thread_task *errand;
    for (;;) {
        WEIR_TRY(weir_task_park(&thread_wait, call)); /* abandoned: the call is not ours any more */
        if (call->finished)
            break;
        errand = call->errand;
        weir_from_thread_task_run(errand);
        if (weir_checkpoint_if_cancelled() < 0)
            atomic_store(&call->cancelled, true); /* the next wait is not told */
        errand->answer(errand);
    }
    int result = call->result;
    free(call);
    return result;
}

static int start(struct weir_thread_call *call)
{
    WEIR_TRY(weir_capacity_limiter_acquire_on_behalf_of(call->limiter, call));
    int rc = weir_checkpoint_if_cancelled(); /* it was granted, and then we were cancelled */
    if (rc == 0)
        rc = weir_pool_start(&call->work);
    if (rc < 0)
        weir_capacity_limiter_release_on_behalf_of(call->limiter, call);
    return rc;
}

int weir_to_thread_run_sync(int (*fn)(void *arg), void *arg, const struct weir_to_thread_options *options)
{
    static const struct weir_to_thread_options defaults;
    void *limiter;
    if (options == NULL)
        options = &defaults;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    WEIR_TRY(weir_run_state_get(&threads, &limiter));
    struct weir_thread_call *call = malloc(sizeof *call);
    if (call == NULL)
        return -ENOMEM;
    *call = (struct weir_thread_call){.work = {run, deliver},
                                      .done = {.fn = finish},
                                      .fn = fn,
                                      .arg = arg,
                                      .abandoned = options->abandoned,
                                      .may_abandon = options->abandon_on_cancel,
                                      .was_abandoned = options->was_abandoned,
                                      .limiter = options->limiter != NULL ? options->limiter : limiter,
                                      .token = weir_current_token(),
                                      .task = weir_current_task()};
    int rc = start(call);
    if (rc < 0) {
        weir_token_release(call->token);
        free(call);
        return rc;
    }
    weir_expect_wake();
    return wait_for(call);
}
