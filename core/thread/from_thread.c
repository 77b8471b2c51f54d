/* From a thread into the loop, and back with what came of it. */
#include "thread_private.h"
#include <semaphore.h>

/* ---- a thread that waits for an answer ---- */

static void wait_on(sem_t *answered)
{
    while (sem_wait(answered) < 0)
        WEIR_ASSERT_EQ(errno, EINTR);
    sem_destroy(answered);
}

/* Finds the loop that is meant. */
static int find(struct weir_token **token)
{
    if (weir_current_loop() != NULL)
        return -EDEADLK;
    if (*token != NULL)
        return 0;
    if (weir_thread_call_ == NULL)
        return -EINVAL;
    *token = weir_thread_call_->token;
    return 0;
}

int weir_from_thread_check_cancelled(void)
{
    struct weir_thread_call *call = weir_thread_call_;
    if (call == NULL)
        return -EINVAL;
    return atomic_load(&call->cancelled) ? -ECANCELED : 0;
}

/* ---- a call between tasks ---- */

struct brief_call {
    struct weir_job job;
    int (*fn)(void *arg);
    void *arg;
    int result;
    sem_t answered;
};

static void call_between_tasks(struct weir_job *job)
{
    struct brief_call *call = WEIR_CONTAINER_OF(job, struct brief_call, job);
    call->result = call->fn(call->arg);
    sem_post(&call->answered);
}

int weir_from_thread_run_sync(struct weir_token *token, int (*fn)(void *arg), void *arg)
{
    struct brief_call call = {.job = {.fn = call_between_tasks}, .fn = fn, .arg = arg};
    WEIR_TRY(find(&token));
    sem_init(&call.answered, 0, 0);
    WEIR_TRY(weir_token_run_soon(token, &call.job));
    wait_on(&call.answered);
    return call.result;
}

/* ---- a task ---- */

static int run_errand(void *arg)
{
    struct weir_from_thread_task *errand = arg;
    return errand->result = errand->fn(errand->arg);
}

/* In a nursery of its own, so that its errors are the thread's and nobody else's. */
void weir_from_thread_task_run(struct weir_from_thread_task *errand)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        rc = weir_start_soon_(&nursery, run_errand, errand, errand->site);
    weir_error_free(weir_nursery_take_errors(&nursery));
    if (rc < 0)
        errand->result = rc;
}

static int system_task(void *arg)
{
    struct weir_from_thread_task *errand = arg;
    weir_from_thread_task_run(errand);
    errand->answer(errand);
    return 0;
}

static void have_system_run_it(struct weir_job *job)
{
    struct weir_from_thread_task *errand = WEIR_CONTAINER_OF(job, struct weir_from_thread_task, job);
    int rc = weir_spawn_system_task_(system_task, errand, errand->site);
    if (rc == 0)
        return;
    errand->result = rc;
    errand->answer(errand);
}

/* It waits for the thread, which waits for us. */
static void have_caller_run_it(struct weir_job *job)
{
    struct weir_from_thread_task *errand = WEIR_CONTAINER_OF(job, struct weir_from_thread_task, job);
    errand->call->errand = errand;
    weir_task_wake(errand->call->task, 0);
}

struct awaited_task {
    struct weir_from_thread_task errand;
    sem_t answered;
};

static void answer(struct weir_from_thread_task *errand)
{
    sem_post(&WEIR_CONTAINER_OF(errand, struct awaited_task, errand)->answered);
}

int weir_from_thread_run_(struct weir_token *token, int (*fn)(void *arg), void *arg, const struct weir_site *site)
{
    struct weir_thread_call *call = token == NULL ? weir_thread_call_ : NULL;
    struct awaited_task task = {.errand = {.fn = fn, .arg = arg, .site = site, .answer = answer}};
    WEIR_TRY(find(&token));
    if (call != NULL && !call->may_abandon)
        task.errand.call = call;
    task.errand.job.fn = task.errand.call != NULL ? have_caller_run_it : have_system_run_it;
    sem_init(&task.answered, 0, 0);
    WEIR_TRY(weir_token_run_soon(token, &task.errand.job));
    wait_on(&task.answered);
    return task.errand.result;
}
