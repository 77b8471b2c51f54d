/* Nurseries: tasks are started in them, and have ended when they end. */
#ifndef WEIR_NURSERY_H
#define WEIR_NURSERY_H

#include <weir/scope.h>

struct weir_start_request;

struct weir_nursery {
    struct weir_scope scope; /* its cancel scope */
    struct weir_list children;
    struct weir_task *parent; /* NULL: the loop's own                                                 */
    unsigned held;            /* open: by its block, by each child, by each weir_start under way; 0: closed */
    bool waiting;
    bool child_cancelled; /* some child ended with -ECANCELED                                        */
    bool out_of_tasks;    /* some start failed with -ENOMEM                                          */
    int code;             /* of the first error                                                      */
    uint64_t serial;      /* tells its errors apart                                                  */
    struct weir_error *errors, **errors_end;
    struct weir_error *trust;          /* errors that somebody may yet read, the newest first (weir/trust.h) */
    struct weir_start_request *starts; /* those that are to end when it is cancelled */
    const struct weir_site *site;
};

/* Block: weir_with_nursery(&nursery, rc) { ... } Its end waits for all children (that wait itself is never cancelled).
 * A child that ends with an error, or a negative rc, cancels the nursery's scope. At the end rc is: the body's own
 * error, else the first child's, else -ECANCELED if that is not this scope's own, else what the body left in rc. Left
 * by break, return or goto, it waits all the same. Errors of children are a group, even a single one: take it with
 * weir_nursery_take_errors, or it joins the task's own result. Checkpoint: its end lets others run, and is not a place
 * where cancellation is raised. */
#define weir_with_nursery(nursery, rc)                                                                                 \
    WEIR_BLOCK_(weir_nursery_guard, weir_nursery_guard_open_((nursery), &(rc), WEIR_SITE("nursery")))

/* Starts fn(arg) as a task of the nursery; it runs for the first time after the caller's next checkpoint. `arg` must
 * stay valid for as long as fn uses it. Returns 0; -ENOMEM (all tasks_max are alive): that is also the nursery's error,
 * so it is not lost if nobody looks, and it cancels; -EBADF: the nursery is closed (reported). Checkpoint: never. */
#define weir_start_soon(nursery, fn, arg) weir_start_soon_((nursery), (fn), (arg), WEIR_SITE(#fn))

/* The same, but -ENOMEM is only the caller's business: for servers that shed load. */
#define weir_try_start_soon(nursery, fn, arg) weir_try_start_soon_((nursery), (fn), (arg), WEIR_SITE(#fn))

/* Starts fn(arg) and waits until it calls weir_started(value); then it is the nursery's child, before that the
 * caller's: cancelled with it, and its errors are the answer. *value (may be NULL) is written on success only. Returns
 * 0; what the child ended with before it reported (if that is a whole group: weir_start_take_errors); -EPROTO: it ended
 * well without reporting; -ECANCELED; -ENOMEM; -EBADF: the nursery is closed. Checkpoint: always lets others run;
 * -ECANCELED comes from the child, so that what it did do happened. */
#define weir_start(nursery, fn, arg, value) weir_start_((nursery), (fn), (arg), (value), false, WEIR_SITE(#fn))

/* The same, but until it reports the child is cancelled with the nursery too: -ESHUTDOWN, if it then ends without
 * having reported. A nursery cannot end while a start in it is under way; where that start waits in its turn for
 * something in the nursery, which has ended, weir_start (and Trio's) is a deadlock, and this is not. */
#define weir_start_unless_cancelled(nursery, fn, arg, value)                                                           \
    weir_start_((nursery), (fn), (arg), (value), true, WEIR_SITE(#fn))

/* Reports, from a task that weir_start started; nothing in one that weir_start_soon started. Returns 0; -ECANCELED: the
 * caller of weir_start has been cancelled, and waits: the task is not moved, and should end; -EALREADY.
 * Checkpoint: never. */
int weir_started(void *value);

/* The same for another task of this loop: who starts others to do the work may have one of them report. */
int weir_started_for(struct weir_task *task, void *value);

/* Takes the groups that calls of weir_start in this task left, whose child failed with more than one error before it
 * reported: they are then read, and do not join the task's result. NULL when there are none. Free it with
 * weir_error_free. Checkpoint: never. */
struct weir_error *weir_start_take_errors(void);

/* Cancels the nursery's scope. Checkpoint: never. */
#define weir_nursery_cancel(nursery)                                                                                   \
    weir_scope_cancel_(&(nursery)->scope, "cancelled", WEIR_SITE("weir_nursery_cancel"))

/* Takes the group of errors that a nursery gathered, after its block: whoever takes it has read it, and it no longer
 * joins the task's result. NULL when there was none. Free it with weir_error_free. Checkpoint: never. */
struct weir_error *weir_nursery_take_errors(struct weir_nursery *nursery);

/* Gives a group back to the loop that made it. NULL is fine. Checkpoint: never. */
void weir_error_free(struct weir_error *group);

/* Puts back a group that was taken, all or a part of it: it joins the current task's result. Trio's `raise` of a group
 * that one looked at. Checkpoint: never. */
void weir_error_rejoin(struct weir_error *group);

/* How many children are alive. Checkpoint: never. */
unsigned weir_nursery_child_count(const struct weir_nursery *nursery);

/* Starts fn(arg) as a task of the run itself: Trio's spawn_system_task. Cancelling the main task does not reach it;
 * once the main task has ended all system tasks are cancelled, and the run waits for them. One that ends with an error
 * cancels all else, and its error is the run's. From a task, or from a job or an alarm. Returns 0; -ENOMEM; -ESRCH: the
 * run is over. Checkpoint: never. */
#define weir_spawn_system_task(fn, arg) weir_spawn_system_task_((fn), (arg), WEIR_SITE(#fn))

/* ---- the blocks' machinery; not for direct use ---- */

struct weir_nursery_guard {
    void *open;
    int *status;
};
void weir_nursery_open_(struct weir_nursery *nursery, const struct weir_site *site);
int weir_nursery_close_(struct weir_nursery *nursery, int status);
int weir_start_soon_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, const struct weir_site *site);
WEIR_MUST_CHECK int weir_try_start_soon_(struct weir_nursery *nursery, int (*fn)(void *), void *arg,
                                         const struct weir_site *site);
WEIR_MUST_CHECK int weir_spawn_system_task_(int (*fn)(void *), void *arg, const struct weir_site *site);
WEIR_MUST_CHECK int weir_start_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, void **value,
                                bool unless_cancelled, const struct weir_site *site);

/* Inline, so that the cleanup of a block that was left at its end costs nothing. */
static inline struct weir_nursery_guard weir_nursery_guard_open_(struct weir_nursery *nursery, int *status,
                                                                 const struct weir_site *site)
{
    weir_nursery_open_(nursery, site);
    return (struct weir_nursery_guard){nursery, status};
}

static inline void weir_nursery_guard_close_(struct weir_nursery_guard *guard)
{
    struct weir_nursery *nursery = guard->open;
    if (nursery == NULL)
        return;
    guard->open = NULL;
    *guard->status = weir_nursery_close_(nursery, *guard->status);
}

#endif
