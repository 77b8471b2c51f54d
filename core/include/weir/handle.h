/* Task handles: a task's outcome, and a way to cancel it alone. */
#ifndef WEIR_HANDLE_H
#define WEIR_HANDLE_H

#include <weir/future.h>

/* In the caller's memory; it must outlive the task. Its future is the task's outcome: wait for it, add callbacks to it,
 * read it with the functions above. */
struct weir_handle {
    struct weir_future future;
    struct weir_scope scope; /* around the task */
    struct weir_task *task;  /* NULL: it has ended */
    const char *name;
    unsigned cancelling;
    bool opened, kept;
    int (*fn)(void *arg);
    void *arg;
};

/* As weir_start_soon, and `handle` is the task's from then on. An error of the task fails the nursery, as any child's
 * does, and can be read from the handle too. Returns 0; on -ENOMEM and -EBADF (see there) no task runs, and the handle
 * is done with that error. Checkpoint: never. */
#define weir_spawn(nursery, fn, arg, handle) weir_spawn_((nursery), (fn), (arg), (handle), WEIR_SITE(#fn))

/* The same, but an error of the task is kept for whoever reads the handle: it cancels nobody. What nobody has read when
 * the nursery's block ends joins its group there, so that it is not lost. -ENOMEM is only the caller's business. */
#define weir_spawn_kept(nursery, fn, arg, handle) weir_spawn_kept_((nursery), (fn), (arg), (handle), WEIR_SITE(#fn))

/* Cancels the task, and nobody else: its scope is cancelled, and a -ECANCELED that comes of it is the task's result and
 * no error. A task that has not begun runs to its first checkpoint, as all do (what it was given is its to clean up).
 * Again: nothing more, but that it is counted. `what` is the reason, in your words: a string that outlives the handle.
 * Returns 0, or -EALREADY: it has ended. Checkpoint: never. */
#define weir_handle_cancel(handle, what) weir_handle_cancel_((handle), (what), WEIR_SITE("weir_handle_cancel"))

/* How often it was asked to end: asyncio's cancelling(). */
static inline unsigned weir_handle_cancelling(const struct weir_handle *handle)
{
    return handle->cancelling;
}

static inline bool weir_handle_is_done(const struct weir_handle *handle)
{
    return handle->future.done;
}

static inline bool weir_handle_is_cancelled(const struct weir_handle *handle)
{
    return weir_future_is_cancelled(&handle->future);
}

/* The task, as long as it is alive; else NULL. */
static inline struct weir_task *weir_handle_task(const struct weir_handle *handle)
{
    return handle->task;
}

/* The task's name is its function's, until it is given another (a string that outlives the handle). Error trees and the
 * task tree show the function's. */
static inline const char *weir_handle_name(const struct weir_handle *handle)
{
    return handle->name;
}

static inline void weir_handle_set_name(struct weir_handle *handle, const char *name)
{
    handle->name = name;
}

/* What the task returned, read as weir_future_result does: -EINPROGRESS if it is alive, -ECANCELED if it was cancelled.
 * If the task returned no error but left a group unread, that group's code. Checkpoint: never. */
static inline int weir_handle_result(struct weir_handle *handle)
{
    return weir_future_result(&handle->future, NULL);
}

/* Waits until the task has ended: joins it, and returns what weir_handle_result does, but -EOWNERDEAD for a task that
 * was cancelled; -EDEADLK if it is the caller itself; -ECANCELED: the caller is cancelled, and the task goes on.
 * Checkpoint: always. */
WEIR_MUST_CHECK int weir_handle_wait(struct weir_handle *handle);

/* A case of a weir_select: happens when the task has ended, and answers as weir_handle_wait. */
#define WEIR_CASE_HANDLE(handle) WEIR_CASE_(weir_future_case, struct weir_future, &(handle)->future, NULL)

/* ---- the macros' machinery; not for direct use ---- */

int weir_spawn_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, struct weir_handle *handle,
                const struct weir_site *site);
WEIR_MUST_CHECK int weir_spawn_kept_(struct weir_nursery *nursery, int (*fn)(void *), void *arg,
                                     struct weir_handle *handle, const struct weir_site *site);
int weir_handle_cancel_(struct weir_handle *handle, const char *what, const struct weir_site *where);

#endif
