/* Several at once: waiting for several futures, and running several functions side by side. */
#ifndef WEIR_GATHER_H
#define WEIR_GATHER_H

#include <weir/future.h>

/* ---- waiting for several ---- */

/* One of those waited for, like an entry of poll(2): fill in the future (a handle's is &handle.future). */
struct weir_watch {
    struct weir_future *future;
    struct weir_done_callback callback; /* private */
    void *owner;                        /* private */
};

enum weir_return_when {
    WEIR_ALL_COMPLETED,
    WEIR_FIRST_COMPLETED,
    WEIR_FIRST_ERROR, /* one ended with an error (being cancelled is none), or all are done */
};

/* Waits until so many are done. Cancels none and reads none: look at each future. Returns how many are done, or
 * -ECANCELED (in a weir_move_on_after, that is the timeout). None at all are done at once. The array is the caller's
 * again when this returns. Checkpoint: always. */
WEIR_MUST_CHECK int weir_wait(struct weir_watch *watches, size_t n, enum weir_return_when when);

/* The same futures one by one, in the order in which they are done. */
struct weir_completions {
    struct weir_watch *watches;
    size_t n, left; /* left: not yet handed out */
    struct weir_list done;
    struct weir_task *waiting;
    bool woken, begun;
};

/* Begins: those done already come first, in the array's order. The array is in use until weir_completions_end.
 * Checkpoint: never. */
void weir_as_completed(struct weir_completions *completions, struct weir_watch *watches, size_t n);

/* Waits for the next one to be done, and sets *watch to its place in the array; it is not read. Returns 0; -ENODATA:
 * that was all; -ECANCELED. One task at a time: -EBUSY. Checkpoint: always. */
WEIR_MUST_CHECK int weir_next_completed(struct weir_completions *completions, struct weir_watch **watch);

/* Ends, early or not. Checkpoint: never. */
void weir_completions_end(struct weir_completions *completions);

/* Block: weir_for_each_completed (watch, watches, n, rc) { ... } runs for each in order of completion, whichever way it
 * is left. It ends too when it is cancelled, or when the body leaves an error in rc, and that is then in rc. */
#define weir_for_each_completed(watch, watches, n, rc)                                                                 \
    WEIR_EACH_COMPLETED_((watch), (watches), (n), (rc), WEIR_CONCAT_(weir_completions_, __LINE__))

/* ---- calls: run several functions side by side, and wait for them ---- */

struct weir_call {
    int (*fn)(void *arg);
    void *arg;
    int result; /* set: what it returned, or left unread; -ECANCELED if it was cancelled, or not started */
    const struct weir_site *site;
};

/* An entry of an array: struct weir_call calls[] = {WEIR_CALL(fetch, &a), WEIR_CALL(fetch, &b)}; */
#define WEIR_CALL(function, argument)                                                                                  \
    {                                                                                                                  \
        .fn = (function), .arg = (argument), .site = WEIR_SITE(#function)                                              \
    }

enum weir_gather_mode {
    WEIR_FAIL_FAST,   /* the first error cancels the others                      */
    WEIR_COLLECT_ALL, /* asyncio's return_exceptions: each error is but a result */
};

/* Runs the calls as tasks, and waits for all of them; each one's outcome is in its `result`. Returns 0; failing fast,
 * the first error; -ECANCELED; -ENOMEM: not all could be started, and those that were are cancelled. After an error too
 * the results of those that ended well are there.
 * errors: gets the group of what went wrong (NULL if nothing did), the caller's to free. If it is NULL, the group joins
 * the current task's result, as an unread nursery's does; but collecting all, the results have told it (errors below
 * the calls' own, which they do not tell, are then printed). Checkpoint: always. */
#define weir_gather(calls, n, mode, errors) weir_gather_((calls), (n), (mode), (errors), WEIR_SITE("weir_gather"))

/* Runs the calls as tasks; the first to end wins, well or not, and the others are cancelled and waited for. Sets
 * *winner (may be NULL) to its place, or to n if none ended by itself. Returns the winner's result or error; what a
 * loser failed with while it ended; -ECANCELED; -EINVAL: there are no calls; -ENOMEM as above. A loser may have ended
 * well all the same: its result says so. errors: as above. Checkpoint: always. */
#define weir_race(calls, n, winner, errors) weir_race_((calls), (n), (winner), (errors), WEIR_SITE("weir_race"))

/* Calls fn(arg), in the current task, with a deadline of `delay` nanoseconds: one not above 0 cancels it at its first
 * checkpoint. Returns what it did, or -ETIMEDOUT; -ECANCELED. Checkpoint: always. */
#define weir_wait_for(fn, arg, delay) weir_wait_for_((fn), (arg), (delay), WEIR_SITE("weir_wait_for"))

/* ---- the macros' machinery; not for direct use ---- */

WEIR_MUST_CHECK int weir_gather_(struct weir_call *calls, size_t n, enum weir_gather_mode mode,
                                 struct weir_error **errors, const struct weir_site *site);
WEIR_MUST_CHECK int weir_race_(struct weir_call *calls, size_t n, size_t *winner, struct weir_error **errors,
                               const struct weir_site *site);
WEIR_MUST_CHECK int weir_wait_for_(int (*fn)(void *), void *arg, weir_time delay, const struct weir_site *site);
struct weir_watch *weir_each_completed_(struct weir_completions *completions, struct weir_watch *watches, size_t n,
                                        int *status);

#define WEIR_EACH_COMPLETED_(watch, watches, n, rc, completions)                                                       \
    for (struct weir_completions completions __attribute__((cleanup(weir_completions_end))) = {0};                     \
         ((watch) = weir_each_completed_(&(completions), (watches), (n), &(rc))) != NULL;)

#endif
