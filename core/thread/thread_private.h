/* The pool of threads, and what one call into it is. */
#ifndef WEIR_THREAD_PRIVATE_H
#define WEIR_THREAD_PRIVATE_H

#include <stdatomic.h>
#include <weir/thread.h>

/* ---- pool.c: Trio's thread cache ---- */

/* Something for a thread to do. Between the two calls the thread is free for other work already: what `deliver` leads
 * to then finds it, and needs no second one. After `deliver` was called the memory may be gone. */
struct weir_work {
    void (*run)(struct weir_work *work);
    void (*deliver)(struct weir_work *work);
};

/* Hands work to the thread that became idle last, or to a new one. Returns 0, -EAGAIN, -ENOMEM. From any thread. */
int weir_pool_start(struct weir_work *work);

/* Somebody uses the pool; nobody does any more: if he was the last, waits until the idle threads have ended. */
void weir_pool_join(void);
void weir_pool_leave(void);

/* For tests: how long a thread may be idle, and how many are. */
extern weir_time weir_pool_patience;
unsigned weir_pool_idle(void);

/* ---- to_thread.c: one call into a thread ---- */

enum { CALL_RUNS, CALL_DONE, CALL_ABANDONED };

struct weir_thread_call {
    struct weir_work work;
    struct weir_job done; /* the thread's last word to the loop */
    int (*fn)(void *arg);
    void *arg;
    void (*abandoned)(int result, void *arg);
    bool may_abandon;
    bool *was_abandoned;
    struct weir_capacity_limiter *limiter;
    struct weir_token *token; /* a reference, the thread's */
    int result;
    atomic_int state;
    atomic_bool cancelled; /* the caller is, and waits all the same */
    /* The loop's only: */
    struct weir_task *task;               /* who waits; NULL: it was abandoned */
    struct weir_from_thread_task *errand; /* what the thread wants the caller to run for it */
    bool finished;
};

/* The call that this thread works on; NULL: it is not a thread of the pool. */
extern __thread struct weir_thread_call *weir_thread_call_;

/* ---- from_thread.c ---- */

/* A function that a thread has the loop run as a task; it waits meanwhile. */
struct weir_from_thread_task {
    struct weir_job job;
    int (*fn)(void *arg);
    void *arg;
    const struct weir_site *site;
    int result;
    struct weir_thread_call *call; /* whose caller runs it; NULL: a system task does */
    void (*answer)(struct weir_from_thread_task *errand);
};

/* Runs it as a child of the current task, and answers. */
void weir_from_thread_task_run(struct weir_from_thread_task *errand);

#endif
