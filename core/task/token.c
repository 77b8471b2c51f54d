/* The way in from outside: jobs that other threads and signal handlers hand to a loop. One atomic word is the queue. */
#include "task_private.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct weir_job no_more; /* where the queue was: the run has ended */

int weir_token_open(struct weir_token **opened)
{
    struct weir_token *token = calloc(1, sizeof *token);
    if (token == NULL)
        return -ENOMEM;
    token->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (token->wake_fd < 0) {
        int code = -errno;
        free(token);
        return code;
    }
    atomic_init(&token->references, 1);
    token->interrupt.fn = weir_interrupt_run;
    *opened = token;
    return 0;
}

struct weir_token *weir_token_hold(struct weir_token *token)
{
    atomic_fetch_add_explicit(&token->references, 1, memory_order_relaxed);
    return token;
}

void weir_token_release(struct weir_token *token)
{
    if (atomic_fetch_sub_explicit(&token->references, 1, memory_order_acq_rel) > 1)
        return;
    close(token->wake_fd);
    free(token);
}

struct weir_token *weir_current_token(void)
{
    return weir_token_hold(weir_loop_->token);
}

/* `woken` says that the descriptor is readable, or is about to be: who finds it set need not write. */
static void wake(struct weir_token *token)
{
    const uint64_t one = 1;
    int saved = errno; /* a signal handler may call this */
    if (!atomic_exchange(&token->woken, true) && write(token->wake_fd, &one, sizeof one) < 0) {
        /* EAGAIN: the counter is full, so it is readable */
    }
    errno = saved;
}

int weir_token_run_soon(struct weir_token *token, struct weir_job *job)
{
    if (__atomic_exchange_n(&job->queued, true, __ATOMIC_ACQ_REL))
        return -EALREADY;
    struct weir_job *newest = atomic_load(&token->jobs);
    do {
        if (newest == &no_more) {
            __atomic_store_n(&job->queued, false, __ATOMIC_RELEASE);
            return -ESRCH;
        }
        job->next = newest;
    } while (!atomic_compare_exchange_weak(&token->jobs, &newest, job));
    wake(token);
    return 0;
}

static struct weir_job *oldest_first(struct weir_job *newest)
{
    struct weir_job *oldest = NULL;
    while (newest != NULL) {
        struct weir_job *before = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = before;
    }
    return oldest;
}

/* A job is its owner's again, and may be queued anew, before it is called. */
static void call_all(struct weir_job *newest)
{
    for (struct weir_job *job = oldest_first(newest), *next; job != NULL; job = next) {
        next = job->next;
        bool was_queued = __atomic_exchange_n(&job->queued, false, __ATOMIC_ACQ_REL);
        WEIR_ASSERT(was_queued);
        job->fn(job);
    }
}

/* The order matters: what is queued after `woken` was cleared writes to the descriptor anew, what came before is seen.
 * What jobs queue themselves is for the next turn, or they would never end. */
bool weir_token_run_jobs(struct weir_token *token)
{
    uint64_t count;
    if (read(token->wake_fd, &count, sizeof count) < 0) { /* EAGAIN: it is not written yet */
    }
    atomic_exchange(&token->woken, false);
    struct weir_job *jobs = atomic_exchange(&token->jobs, NULL);
    call_all(jobs);
    return jobs != NULL;
}

/* One exchange decides of each job whether it runs or is refused. */
void weir_token_close(struct weir_token *token)
{
    call_all(atomic_exchange(&token->jobs, &no_more));
}

void weir_loop_wake(struct weir_loop *loop)
{
    wake(loop->token);
}

int weir_door_run_soon(struct weir_door *at, struct weir_job *job)
{
    __atomic_add_fetch(&at->inside, 1, __ATOMIC_SEQ_CST);
    struct weir_token *token = __atomic_load_n(&at->token, __ATOMIC_SEQ_CST);
    int rc = token != NULL ? weir_token_run_soon(token, job) : -ESRCH;
    __atomic_sub_fetch(&at->inside, 1, __ATOMIC_SEQ_CST);
    return rc;
}

void weir_door_open(struct weir_door *at, struct weir_token *token)
{
    WEIR_ASSERT(at->token == NULL);
    __atomic_store_n(&at->token, weir_token_hold(token), __ATOMIC_SEQ_CST);
}

/* Whoever is inside got the token before it went, and may use it yet. */
void weir_door_close(struct weir_door *at)
{
    struct weir_token *token = __atomic_exchange_n(&at->token, NULL, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&at->inside, __ATOMIC_SEQ_CST) != 0)
        sched_yield();
    if (token != NULL)
        weir_token_release(token);
}

void weir_expect_wake(void)
{
    weir_loop_->wakes_expected++;
}

void weir_expect_no_wake(void)
{
    WEIR_ASSERT(weir_loop_->wakes_expected > 0);
    weir_loop_->wakes_expected--;
}
