/* Futures: the low-level piece, a result that is yet to come. */
#ifndef WEIR_FUTURE_H
#define WEIR_FUTURE_H

#include <weir/select.h>
#include <weir/task.h>

/* Set once, by a task of the loop, or by an alarm or a job in it; any number of tasks may wait. An error that is set
 * and that nobody reads is in trust with the run: it fails the run, printed, unless weir_future_close gives it to a
 * task. In the caller's memory; read it through the functions below. */
struct weir_future {
    bool done;
    int code; /* >= 0: the result; -ECANCELED: it was cancelled; else the error */
    void *value;
    struct weir_parking_lot lot; /* who waits */
    struct weir_list callbacks;
    struct weir_trust trust;      /* its error, until it is read */
    struct weir_reason reason;    /* why it was cancelled        */
    const struct weir_site *site; /* where it was set up         */
};

/* Sets up a future that is not done. Checkpoint: never. */
#define weir_future_init(future) weir_future_init_((future), WEIR_SITE("future"))

/* Ends a future that is no longer wanted: who waits wakes with -EBADF, and an error that nobody read joins the current
 * task's result. Not needed where that cannot be. Checkpoint: never. */
void weir_future_close(struct weir_future *future);

/* Makes it done: with a result (>= 0, as functions return it) and a pointer that goes with it (or NULL; nothing is
 * copied), with an error (-errno), or cancelled, for a reason in your words (a string that outlives the future).
 * Return 0, -EALREADY: it is done; -EINVAL: a result below 0, an error that is none, or -ECANCELED as one.
 * Checkpoint: never. */
WEIR_MUST_CHECK int weir_future_set_result(struct weir_future *future, int result, void *value);
WEIR_MUST_CHECK int weir_future_set_error(struct weir_future *future, int code);
#define weir_future_cancel(future, what) weir_future_cancel_((future), (what), WEIR_SITE("weir_future_cancel"))

static inline bool weir_future_is_done(const struct weir_future *future)
{
    return future->done;
}

static inline bool weir_future_is_cancelled(const struct weir_future *future)
{
    return future->done && future->code == -ECANCELED;
}

/* Reads it: the result, or the error, which is then read; -ECANCELED if it was cancelled; -EINPROGRESS if it is not
 * done. *value (may be NULL) is written with a result only. Checkpoint: never. */
int weir_future_result(struct weir_future *future, void **value);

/* Reads the error with all that is known of it: the task that failed, and what its nurseries had gathered. The group is
 * the caller's to free. NULL: it has no error, or somebody has read it. Checkpoint: never. */
struct weir_error *weir_future_take_error(struct weir_future *future);

/* Why it was cancelled. Returns 0, or -ENOENT if it was not. Checkpoint: never. */
int weir_future_cancel_reason(const struct weir_future *future, struct weir_reason *reason);

/* Waits until it is done, and reads it. Returns the result or the error; -EOWNERDEAD: it was cancelled; -ECANCELED: the
 * caller is, and the future goes on; -EBADF: it was closed meanwhile. Checkpoint: always. */
WEIR_MUST_CHECK int weir_future_wait(struct weir_future *future, void **value);

/* A case of a weir_select: happens when it is done, and answers as weir_future_wait. `value` is a void **, or NULL. */
#define WEIR_CASE_FUTURE(future, value)                                                                                \
    WEIR_CASE_(weir_future_case, struct weir_future, (future), (void *)(0 ? (void **)NULL : (value)))

/* Something to do when a future is done. The memory is the caller's, until `fn` is called or it is removed. */
struct weir_done_callback {
    struct weir_list link; /* private */
    void (*fn)(struct weir_done_callback *callback, struct weir_future *future);
};

/* Has callback->fn called, once, when the future is done: inside whoever makes it so, in the order of adding; or at
 * once, if it is done. (asyncio calls it a turn later. By then a future in the frame of a task that has ended could be
 * gone.) It must not wait. Of two callbacks the first may remove the second. Checkpoint: never. */
void weir_future_add_done_callback(struct weir_future *future, struct weir_done_callback *callback);

/* Takes a callback back. Returns true, or false if it has been called. Checkpoint: never. */
bool weir_future_remove_done_callback(struct weir_done_callback *callback);

/* ---- the macros' machinery; not for direct use ---- */

extern const struct weir_case_kind weir_future_case;
void weir_future_init_(struct weir_future *future, const struct weir_site *site);
WEIR_MUST_CHECK int weir_future_cancel_(struct weir_future *future, const char *what, const struct weir_site *where);

#endif
