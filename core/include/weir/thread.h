/* Threads: blocking work in a pool of them, the way from there back into the loop, and functions that say of themselves
 * where they belong.
 *
 * The pool is the process's: threads are made when all others are busy, an idle one ends after 10 s, and the last run
 * that used it ends those that are idle before weir_run returns. Work that was abandoned goes on beyond that, and its
 * thread ends with it. All signals are blocked there. */
#ifndef WEIR_THREAD_H
#define WEIR_THREAD_H

#include <weir/sync.h>
#include <weir/task.h>

/* ---- from the loop into a thread ---- */

struct weir_to_thread_options {
    struct weir_capacity_limiter *limiter; /* NULL: weir_current_default_thread_limiter() */
    /* When cancelled while fn runs: do not wait for it. What it returns meets abandoned(result, arg), called in the
     * thread, or nobody if that is NULL; `arg` must last until then. */
    bool abandon_on_cancel;
    void (*abandoned)(int result, void *arg);
    bool *was_abandoned; /* NULL, or set to true if it was: -ECANCELED alone does not tell whether fn is called */
};

/* Runs fn(arg) in a thread of the pool, and waits; options: NULL for the defaults. Its limiter's token is borrowed
 * until the thread is done, even with abandoned work: a limiter must last as long as that, or as the run. Once fn runs,
 * the call is not cancelled (fn may ask with weir_from_thread_check_cancelled), unless by abandon_on_cancel. Returns
 * what fn returned; -ECANCELED: it was not called, or was abandoned; -EAGAIN: no more threads can be made; -ENOMEM.
 * Checkpoint: always. Trio's to_thread.run_sync. */
WEIR_MUST_CHECK int weir_to_thread_run_sync(int (*fn)(void *arg), void *arg,
                                            const struct weir_to_thread_options *options);

/* The limiter of this run that is used where none is given: 40 tokens, unless you change their number. NULL: out of
 * memory. Checkpoint: never. */
struct weir_capacity_limiter *weir_current_default_thread_limiter(void);

/* Which CPUs threads made from now on may use; NULL: those of the thread that asks for them, as at first. A loop that
 * polls a device on a CPU of its own would share it with them. Checkpoint: never. */
void weir_thread_pool_set_cpus(const void *cpu_set, size_t size);

/* ---- from a thread into the loop ---- */

/* All of these block the thread that calls them; none is for a thread that runs a loop (-EDEADLK). token: whose loop is
 * meant; it must be held meanwhile. NULL: the one that this thread's work was called from by weir_to_thread_run_sync.
 */

/* Has fn(arg) called in the loop, between tasks: it must not wait. Returns what it returned; -ESRCH: the run has ended;
 * -EDEADLK; -EINVAL: token is NULL, and the pool did not start this thread. Trio's from_thread.run_sync. */
WEIR_MUST_CHECK int weir_from_thread_run_sync(struct weir_token *token, int (*fn)(void *arg), void *arg);

/* Has fn(arg) run as a task. Without a token it is a child of the task that waits in weir_to_thread_run_sync, and is
 * cancelled with it; with one, or if the work may be abandoned, it is a system task. What went wrong in it is only this
 * thread's business. Returns what it returned, or its group's code; -ECANCELED: cancelled that way; -ENOMEM; -ESRCH,
 * -EDEADLK and -EINVAL as above. Trio's from_thread.run. */
#define weir_from_thread_run(token, fn, arg) weir_from_thread_run_((token), (fn), (arg), WEIR_SITE(#fn))

/* Asks whether who waits for this thread's work has been cancelled, or has abandoned it. Does not block. Returns 0;
 * -ECANCELED: it is time to end; -EINVAL: the pool did not start this thread. Trio's from_thread.check_cancelled. */
WEIR_MUST_CHECK int weir_from_thread_check_cancelled(void);

/* ---- functions that say where they belong ---- */

enum weir_where {
    WEIR_INLINE, /* right here: it does not block, or only as tasks do   */
    WEIR_THREAD, /* in a thread of the pool: it blocks                   */
    WEIR_LCORE,  /* in a certain loop, as a task: its data are kept there */
};

/* A function, and where it belongs. A constant:
 * static const struct weir_function look_up = WEIR_FUNCTION(look_up_, WEIR_LCORE, .token = &directory_token); */
struct weir_function {
    struct weir_site site;
    int (*fn)(void *arg);
    enum weir_where where;
    struct weir_token *const *token; /* of WEIR_LCORE: where its loop's token is found; it must be held while calls
                                        are made, and NULL is a loop that does not run */
};
#define WEIR_FUNCTION(function, place, ...)                                                                            \
    {                                                                                                                  \
        .site = {#function, __FILE__, "WEIR_FUNCTION", __LINE__}, .fn = (function), .where = (place), __VA_ARGS__      \
    }

/* Runs function->fn(arg) where it belongs, and waits. In another loop it is a system task there: cancelling the caller
 * cancels it (with the caller's reason), and the call ends when it has; its errors are the caller's only. Outside of
 * all loops what is not WEIR_LCORE is just called. Returns what it returned, or its group's code; -ECANCELED; -ESRCH:
 * the other run has ended, or is about to; -EAGAIN: no more threads can be made; -ENOMEM. Checkpoint: always. */
WEIR_MUST_CHECK int weir_call(const struct weir_function *function, void *arg);

WEIR_MUST_CHECK int weir_from_thread_run_(struct weir_token *token, int (*fn)(void *arg), void *arg,
                                          const struct weir_site *site);

#endif
