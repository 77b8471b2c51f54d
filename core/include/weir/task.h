/* Tasks: the run loop, cancel scopes, nurseries, sleeping; and below them what other rooms build waiting on.
 *
 * A task is a function with a stack of its own. Tasks of one loop take turns: between two checkpoints a task is alone.
 * Each function says whether it is a checkpoint: *always* (it may switch to other tasks, and it answers -ECANCELED in a
 * cancelled scope, on its fast path too) or *never*. Functions return >= 0, or -errno; weir_error_name() names them. */
#ifndef WEIR_TASK_H
#define WEIR_TASK_H

#include <weir/base.h>
#include <weir/clock.h>

struct weir_loop;
struct weir_task;
struct weir_nursery;
struct weir_start_request;

/* ---- running ---- */

enum weir_idle {
    WEIR_IDLE_ADAPTIVE, /* spin a little, then sleep until the next timer, an interrupt, or 100 us */
    WEIR_IDLE_PAUSE,    /* never sleep, but tell the core that it is waiting                       */
    WEIR_IDLE_SPIN,     /* never sleep                                                             */
};

struct weir_run_options {
    unsigned tasks_max; /* alive at once; 0: 65536                                                  */
    size_t stack_size;  /* of each task, its guard page among it; 0: 64 KiB; a multiple of 4 KiB     */
    enum weir_idle idle;
    struct weir_clock *clock; /* NULL: weir_clock_tsc()                                                   */
    uint64_t shuffle_seed;    /* not 0: each batch of runnable tasks is shuffled, to expose order dependence */
    bool quiet;               /* do not print the error tree when the main task fails                     */
    bool deadlock_ends;       /* on a deadlock, besides reporting it, cancel the main task: -EDEADLK      */
    struct weir_instrument *const *instruments; /* there from the start, or NULL                          */
    unsigned instruments_count;
    void (*on_start)(struct weir_loop *loop, void *arg); /* called before the first task runs, or NULL    */
    void *on_start_arg;
};

/* Runs main(arg) as the first task on this thread until it and all its nurseries have ended. Not from inside a task.
 * options: NULL for the defaults. Returns what main returned; if that is negative, or errors were left unread, the
 * group's code, after printing the group as a tree to stderr; -EINTR if weir_interrupt() or Ctrl-C ended it; -ENOMEM if
 * stacks could not be set aside; -EBUSY inside another weir_run.
 * On the process's main thread, and unless somebody has installed a handler of his own, Ctrl-C (SIGINT) interrupts the
 * loop while it runs; the third one ends the process. */
WEIR_MUST_CHECK int weir_run(int (*main)(void *arg), void *arg, const struct weir_run_options *options);

/* Asks a loop to cancel its main task, as Ctrl-C does. From any thread, and from a signal handler, as long as the loop
 * is there; who cannot know that holds its token, and calls weir_token_interrupt. */
void weir_interrupt(struct weir_loop *loop);

/* Wakes a loop that sleeps while idle. From any thread, and from a signal handler, as long as the loop is there. */
void weir_loop_wake(struct weir_loop *loop);

/* Returns the loop that runs on this thread, or NULL. Checkpoint: never. */
struct weir_loop *weir_current_loop(void);

/* Returns a loop's number among those that run in this process: from 0 on, the least that was free when it began.
 * Checkpoint: never. */
unsigned weir_loop_number(const struct weir_loop *loop);

/* Returns the loop's time: read once a turn. Only inside weir_run. Checkpoint: never. */
weir_time weir_current_time(void);

/* ---- checkpoints and sleeping ---- */

/* Lets every other runnable task run once. Returns 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_checkpoint(void);

/* Only the test: returns 0 at once, or -ECANCELED in a cancelled scope (there it lets others run once in a while). */
WEIR_MUST_CHECK int weir_checkpoint_if_cancelled(void);

/* Lets others run, but is never cancelled. */
void weir_cancel_shielded_checkpoint(void);

/* Sleep for a time, until a time, until cancelled. A delay <= 0 or a past time is a plain checkpoint.
 * Return 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_sleep(weir_time delay);
WEIR_MUST_CHECK int weir_sleep_until(weir_time deadline);
WEIR_MUST_CHECK int weir_sleep_forever(void);

/* ---- cancel scopes ---- */

/* How far cancellation from outside reaches into a scope. */
enum weir_shield {
    WEIR_SHIELD_NONE,
    WEIR_SHIELD_FULL,  /* not at all: Trio's shield                                                     */
    WEIR_SHIELD_GRACE, /* only when the grace period of a cancelled scope is over: for orderly ends     */
};

/* Something to do at a time, in the loop. It must not outlive its being armed. */
struct weir_alarm {
    struct weir_timer timer;
    void (*fire)(struct weir_alarm *alarm);
};

/* A cancel scope. Fill it by opening it; read `cancel_called` and `cancelled_caught`, leave the rest alone. */
struct weir_scope {
    bool cancel_called;         /* somebody cancelled it, or its deadline passed                              */
    bool cancelled_caught;      /* a -ECANCELED of this scope was stopped at its end                          */
    bool effectively_cancelled; /* it or, unless shielded, a scope around it is cancelled                     */
    bool grace_over;            /* private: the same, and no grace is left                                    */
    uint8_t shield;             /* an enum weir_shield; set with weir_scope_set_shield                        */
    bool fails;                 /* opened by weir_fail_*                                                      */
    bool cancelled_alongside;   /* an error came out of a nursery in it together with a -ECANCELED; private   */
    bool hard;                  /* private: it was cancelled, and its own grace period has passed             */
    struct weir_scope *parent;
    struct weir_task *owner;      /* who opened it; NULL: closed           */
    struct weir_nursery *nursery; /* whose scope it is, or NULL            */
    struct weir_list children;    /* scopes right below                    */
    struct weir_list sibling;
    struct weir_alarm alarm;
    weir_time deadline, grace;    /* grace: how long it will be given */
    const struct weir_site *site; /* where it was opened */
    struct weir_reason reason;    /* set when it is cancelled, before anybody is woken */
};

/* Opens a scope in the current task, with a deadline (WEIR_NEVER: none). Prefer the blocks below.
 * A deadline already past cancels at once. Checkpoint: never. The scope must live until it is closed. */
#define weir_scope_open(scope, deadline) weir_scope_open_((scope), (deadline), WEIR_SITE("weir_scope_open"))

/* Closes a scope with the status of what ran inside. Returns the status to go on with: 0 for a -ECANCELED that was this
 * scope's (`cancelled_caught` is then true), -ETIMEDOUT for one in a weir_fail_* scope, else `status` unchanged. Scopes
 * that were opened inside and not closed are closed and reported, and the answer is -EINVAL unless `status` is an error
 * already; so is a scope that this task did not open. A nursery still open inside stays open, in the scope around this
 * one. Checkpoint: never. */
WEIR_MUST_CHECK int weir_scope_close(struct weir_scope *scope, int status);

/* Cancels a scope: from now on each checkpoint in it answers -ECANCELED; tasks waiting in it are woken. Again: nothing
 * (the first reason stands), but that a grace period under way is over at once. On a closed one it sets `cancel_called`
 * only. From any task of the loop. Checkpoint: never. */
#define weir_scope_cancel(scope) weir_scope_cancel_((scope), "cancelled", WEIR_SITE("weir_scope_cancel"))

/* The same, with words of your own for the reason (a string that outlives the scope: it is not copied). */
#define weir_scope_cancel_because(scope, what)                                                                         \
    weir_scope_cancel_((scope), (what), WEIR_SITE("weir_scope_cancel_because"))

/* The same, with a whole reason, which is copied: of another loop's task, say. */
void weir_scope_cancel_why(struct weir_scope *scope, const struct weir_reason *reason);

/* Cancels now all but what runs in scopes shielded with WEIR_SHIELD_GRACE (weir_with_grace); those too when `grace`
 * nanoseconds have passed. Again: the earlier end of the two counts. Checkpoint: never. */
#define weir_scope_cancel_gracefully(scope, grace)                                                                     \
    weir_scope_cancel_gracefully_((scope), (grace), WEIR_SITE("weir_scope_cancel_gracefully"))

/* Gives every cancellation of this scope, by its deadline or by a failed child too, a grace period, in nanoseconds. 0:
 * none, as at first. One that is under way is not changed. Checkpoint: never. */
void weir_scope_set_grace(struct weir_scope *scope, weir_time grace);

/* Why the current task is being cancelled: the reason of the outermost cancelled scope that it feels, which is the one
 * that will catch it. weir_reason_print prints it. Returns 0, or -ENOENT if it is not cancelled. Checkpoint: never. */
int weir_current_cancel_reason(struct weir_reason *reason);
int weir_task_cancel_reason(const struct weir_task *task, struct weir_reason *reason); /* of any task of the loop */

/* Moves a deadline, while others wait too; one already past cancels at once. On a closed scope: nothing.
 * Checkpoint: never. */
void weir_scope_set_deadline(struct weir_scope *scope, weir_time deadline);

/* Sets how far cancellation of scopes around reaches inside, whenever you like (true is WEIR_SHIELD_FULL, false
 * WEIR_SHIELD_NONE). Checkpoint: never. */
void weir_scope_set_shield(struct weir_scope *scope, enum weir_shield shield);

/* Returns the deadline by which the current task will be cancelled: the earliest of the scopes around it up to a full
 * shield, beyond a WEIR_SHIELD_GRACE with their grace periods; INT64_MIN if it is cancelled already. Checkpoint: never.
 */
weir_time weir_current_effective_deadline(void);

/* Blocks: weir_move_on_after(&scope, WEIR_SECONDS(5), rc) { ... rc = something(); ... }
 * `rc` is an int variable of yours, the block's status, which the block's end reads and may set (see weir_scope_close).
 * `break` leaves the block and is read alike; by `return` and `goto` the scope is closed too, but a status already
 * returned cannot be changed: inside a block, write WEIR_DO(rc, call) where you would write WEIR_TRY(call) outside.
 *
 * For an orderly end, which takes a while, in a scope that may be cancelled:
 *     int rc = serve(stream), end = 0;
 *     weir_with_grace(&scope, end) end = say_goodbye(stream);
 * Cancelled with a grace period, it has that long to say goodbye; cancelled without, say_goodbye's first checkpoint
 * answers -ECANCELED. */
#define weir_with_scope(scope, rc) WEIR_SCOPE_BLOCK_((scope), WEIR_NEVER, false, (rc), "weir_with_scope")
#define weir_with_shield(scope, rc) WEIR_SHIELD_BLOCK_((scope), WEIR_SHIELD_FULL, (rc), "weir_with_shield")
#define weir_with_grace(scope, rc) WEIR_SHIELD_BLOCK_((scope), WEIR_SHIELD_GRACE, (rc), "weir_with_grace")
#define weir_move_on_at(scope, deadline, rc) WEIR_SCOPE_BLOCK_((scope), (deadline), false, (rc), "weir_move_on_at")
#define weir_move_on_after(scope, delay, rc)                                                                           \
    WEIR_SCOPE_BLOCK_((scope), weir_time_add(weir_current_time(), (delay)), false, (rc), "weir_move_on_after")
#define weir_fail_at(scope, deadline, rc) WEIR_SCOPE_BLOCK_((scope), (deadline), true, (rc), "weir_fail_at")
#define weir_fail_after(scope, delay, rc)                                                                              \
    WEIR_SCOPE_BLOCK_((scope), weir_time_add(weir_current_time(), (delay)), true, (rc), "weir_fail_after")

/* rc = call; and leave the block if that is an error. Directly inside a block, not inside a loop in it. */
#define WEIR_DO(rc, call)                                                                                              \
    if (((rc) = (call)) < 0)                                                                                           \
    break

/* ---- nurseries ---- */

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

/* How many children are alive. Checkpoint: never. */
unsigned weir_nursery_child_count(const struct weir_nursery *nursery);

/* Starts fn(arg) as a task of the run itself: Trio's spawn_system_task. Cancelling the main task does not reach it;
 * once the main task has ended all system tasks are cancelled, and the run waits for them. One that ends with an error
 * cancels all else, and its error is the run's. From a task, or from a job or an alarm. Returns 0; -ENOMEM; -ESRCH: the
 * run is over. Checkpoint: never. */
#define weir_spawn_system_task(fn, arg) weir_spawn_system_task_((fn), (arg), WEIR_SITE(#fn))

/* ---- tasks, and the tree that they form ---- */

struct weir_task *weir_current_task(void);
const char *weir_task_name(const struct weir_task *task);

/* The task's name, and where it was started. Checkpoint: never. */
const struct weir_site *weir_task_site(const struct weir_task *task);

/* The tree, as Trio's parent_nursery, parent_task, child_nurseries and child_tasks. `after`: NULL for the first; NULL
 * comes after the last. At the top stands the run's own nursery, in which the main task is; it has no parent task.
 * System tasks come after all others. While weir_start waits, its child is in a nursery of the caller's that weir_start
 * opened, as in Trio; where it will move to is its eventual parent (NULL: nowhere, or it has reported). They may be
 * walked as long as no checkpoint comes between. Checkpoint: never. */
struct weir_task *weir_root_task(void); /* the main task; NULL once it has ended */
struct weir_nursery *weir_task_parent_nursery(const struct weir_task *task);
struct weir_nursery *weir_task_eventual_parent_nursery(const struct weir_task *task);
struct weir_task *weir_nursery_parent_task(const struct weir_nursery *nursery);
struct weir_nursery *weir_task_next_nursery(const struct weir_task *task, const struct weir_nursery *after);
struct weir_task *weir_nursery_next_child(const struct weir_nursery *nursery, const struct weir_task *after);

/* All living tasks, parents before their children: asyncio's all_tasks. */
struct weir_task *weir_next_task(const struct weir_task *after);

/* What a task does just now; and see weir_task_cancel_reason. */
struct weir_task_status {
    const struct weir_wait *wait; /* what it waits in; NULL: it runs, or is about to */
    const void *wait_arg;         /* for wait->describe                              */
    weir_time since;              /* when the wait began; without one: now           */
    weir_time deadline;           /* its effective one, as weir_current_effective_deadline */
    bool cancelled;               /* its next checkpoint will answer -ECANCELED       */
};
void weir_task_get_status(const struct weir_task *task, struct weir_task_status *status);

/* Prints the loop's tasks as a tree, with the nurseries and the scopes of interest (those that are cancelled or
 * shielded or have a deadline) that each has open: names, where they were started and opened, what each task waits in
 * and for how long, how much time is left. Where no loop runs it prints nothing. Wants 16 KiB of stack.
 * Checkpoint: never. */
void weir_print_tree(FILE *out);

/* ---- task-locals ---- */

/* A variable of which each task has its own value: Python's ContextVar. A task starts with the values that the task had
 * which started it, whosever nursery it is; what either sets later, the other does not see. The main task, system
 * tasks, and what an alarm or a job starts, start with none set. A constant, at file scope. */
struct weir_local {
    const char *name;
    void *initial;
};

/* Returns the current task's value, or the initial one. Checkpoint: never. */
void *weir_local_get(const struct weir_local *local);

/* Sets the current task's value; what it points to is not copied. Returns 0; -ENOMEM: it is as before; -ESRCH: outside
 * of all tasks. Checkpoint: never. */
WEIR_MUST_CHECK int weir_local_set(const struct weir_local *local, void *value);

/* Block: weir_with_local(&user, "ann", rc) { ... } Sets a local, and sets it back however the block is left. On an
 * error of weir_local_set's, which is then in rc, it does not run; else rc is left alone. */
#define weir_with_local(local, value, rc) WEIR_BLOCK_(weir_local_guard, weir_local_guard_open_((local), (value), &(rc)))

/* ---- instruments: told what the loop does; free when there is none ---- */

/* Trio's hooks, called in Trio's order. Each may be NULL, and then costs nothing; they stay as they are while the
 * instrument is there. None may wait, spawn or wake. Of a task that has exited only the name and site may be asked. A
 * timeout is in nanoseconds, WEIR_NEVER if none: at most so long the loop waits, 0 if there is something to do. While
 * one listens to tasks' steps, turns are shorter: each runs exactly what was runnable at its start, as Trio's. */
struct weir_instrument {
    struct weir_list link;
    void (*before_run)(struct weir_instrument *instrument);
    void (*after_run)(struct weir_instrument *instrument);
    void (*task_spawned)(struct weir_instrument *instrument, struct weir_task *task);
    void (*task_scheduled)(struct weir_instrument *instrument, struct weir_task *task);
    void (*before_task_step)(struct weir_instrument *instrument, struct weir_task *task);
    void (*after_task_step)(struct weir_instrument *instrument, struct weir_task *task);
    void (*task_exited)(struct weir_instrument *instrument, struct weir_task *task);
    void (*before_io_wait)(struct weir_instrument *instrument, weir_time timeout);
    void (*after_io_wait)(struct weir_instrument *instrument, weir_time timeout);
    uint64_t serial; /* private */
};

/* Adds an instrument to the running loop, or takes it out; from a hook too. It does not hear the rest of a hook that is
 * being called. One that is there already, or not there, is left alone. Those of weir_run_options are there from the
 * first task on, and all are taken out when the run ends. It is all zero but its hooks at first, and must outlive its
 * being there. Only inside weir_run. Checkpoint: never. */
void weir_instrument_add(struct weir_instrument *instrument);
void weir_instrument_remove(struct weir_instrument *instrument);

/* ---- the way in from outside: other threads, and signal handlers ---- */

/* What stands for a loop outside its thread; it outlives the loop. Trio's TrioToken. */
struct weir_token;

/* Something to do in the loop, between tasks, as an alarm's: it must not wait. All zero but `fn` at first. The memory
 * is the caller's, and must last until `fn` is called; from then on it may be queued again, or be gone. */
struct weir_job {
    struct weir_job *next; /* private */
    void (*fn)(struct weir_job *job);
    bool queued; /* private */
};

/* Returns the current loop's token, with a reference of its own: to be given back. Only inside weir_run.
 * Checkpoint: never. */
struct weir_token *weir_current_token(void);
struct weir_token *weir_token_hold(struct weir_token *token); /* one more reference; from any thread */
void weir_token_release(struct weir_token *token);            /* from any thread                     */

/* Has job->fn(job) called in the token's loop, soon, first in first out; wakes the loop. From any thread and from a
 * signal handler; allocates nothing, takes no lock. What a job queues itself is called one turn later. Returns 0;
 * -EALREADY: this very job waits to be called already, and will be called once; -ESRCH: the run has ended (or is about
 * to: then too the job was not and will not be called). */
WEIR_MUST_CHECK int weir_token_run_soon(struct weir_token *token, struct weir_job *job);

/* weir_interrupt, where the loop may have ended: then nothing happens. From any thread and from a signal handler. */
void weir_token_interrupt(struct weir_token *token);

/* A token for a signal handler, which cannot know whether some thread takes it away meanwhile. All zero: shut. */
struct weir_door {
    struct weir_token *token; /* private */
    unsigned inside;          /* private */
};

/* weir_token_run_soon through the door; -ESRCH if it is shut. For signal handlers. */
WEIR_MUST_CHECK int weir_door_run_soon(struct weir_door *door, struct weir_job *job);

/* Opens a door that is shut, with a reference of its own; shuts it again, when no handler is inside any more (they are
 * never long). Checkpoint: never. */
void weir_door_open(struct weir_door *door, struct weir_token *token);
void weir_door_close(struct weir_door *door);

/* Has a signal interrupt the main thread's loop as Ctrl-C does: the first one that comes before there is a loop
 * interrupts it when it begins; the third, whatever their kinds, ends the process. *before is who had it. And gives it
 * back, unless somebody else has taken it. For the main thread, outside weir_run. */
struct sigaction;
void weir_signal_interrupts(int number, struct sigaction *before);
void weir_signal_interrupts_no_more(int number, const struct sigaction *before);

/* While held, the loop does not take itself for deadlocked when all its tasks wait: somebody outside may yet wake one.
 * Counted. In the loop only. Checkpoint: never. */
void weir_expect_wake(void);
void weir_expect_no_wake(void);

struct weir_loop_statistics {
    unsigned tasks_living, tasks_runnable, tasks_max;
    unsigned errors_held; /* error records not yet freed */
    uint64_t turns;
};
void weir_current_statistics(struct weir_loop_statistics *statistics);

/* ---- for other rooms: how waiting is built ---- */

/* A kind of wait; a constant of whoever builds one. */
struct weir_wait {
    const char *name; /* of the call, as the nursery tree prints it: "weir_event_wait" */
    /* Called to take a waiting task out of what it waits in, because it is cancelled. Returns true if the wait is off
     * (the task then wakes with -ECANCELED), false if it must go on. Runs inside whoever cancels; must not wait.
     * NULL: the wait cannot be cancelled. */
    bool (*abort)(struct weir_task *task, void *arg);
    /* Says more of it, for the tree, on the same line: "held by writer". NULL: there is no more to say. */
    void (*describe)(FILE *out, const struct weir_task *task, const void *arg);
};

/* Parks the current task until weir_task_wake. Test for cancellation first (weir_checkpoint_if_cancelled): a scope
 * cancelled earlier does not abort. Returns what the waker passed, or -ECANCELED. Trio's wait_task_rescheduled. */
WEIR_MUST_CHECK int weir_task_park(const struct weir_wait *wait, void *arg);

/* Makes a parked task runnable, with a result. Once for each park. Checkpoint: never. */
void weir_task_wake(struct weir_task *task, int result);

/* For calls that ended without waiting: lets others run when this task did so many times in a row. Never cancelled. */
void weir_fast_path_done(void);

/* Arms an alarm of this loop, or moves it; disarms it. A past one fires in the next turn, or, armed by another alarm
 * that fires, in this one. */
void weir_alarm_init(struct weir_alarm *alarm, void (*fire)(struct weir_alarm *alarm));
void weir_alarm_set(struct weir_alarm *alarm, weir_time deadline);
void weir_alarm_clear(struct weir_alarm *alarm);

/* What plugs itself into the loop: called each turn, `poll` before the tasks run and `flush` after. */
struct weir_poller {
    struct weir_list link;
    int (*poll)(struct weir_poller *poller, weir_time now);   /* returns how much it found, 0: was idle   */
    void (*flush)(struct weir_poller *poller, weir_time now); /* or NULL */
    weir_time (*next_deadline)(struct weir_poller *poller);   /* when it wants to be polled; or NULL      */
    int (*interrupt)(struct weir_poller *poller, bool on);    /* descriptor to sleep on, or -ENOTSUP; or NULL */
};
void weir_poller_add(struct weir_poller *poller);
void weir_poller_remove(struct weir_poller *poller);

/* What a room keeps for each run, made when it is first asked for: Trio's RunVar. A constant of whoever keeps it. */
struct weir_run_state {
    const char *name;
    size_t size;                /* of what is kept; it begins all zero                                     */
    int (*open)(void *state);   /* sets it up: 0, or -errno; or NULL                                       */
    void (*close)(void *state); /* after the last task and the last job, the newest first; or NULL         */
};

/* Finds what this run keeps, or makes it. *state is written on success only. Returns 0, -ENOMEM, or what `open` said.
 * Only inside weir_run. Checkpoint: never. */
WEIR_MUST_CHECK int weir_run_state_get(const struct weir_run_state *kind, void **state);

/* The same, but NULL if there is none yet. Checkpoint: never. */
void *weir_run_state_find(const struct weir_run_state *kind);

/* Who wants to be told that nothing goes on: no task was runnable, no device found anything and no alarm fired, for
 * `cushion` nanoseconds of real time. Of several only those with the least cushion fire, and are removed; the others'
 * time begins anew. A virtual clock does not jump while one of these is there. */
struct weir_quiet {
    struct weir_list link;
    weir_time cushion;
    void (*fire)(struct weir_quiet *quiet);
};
void weir_quiet_add(struct weir_quiet *quiet);
void weir_quiet_remove(struct weir_quiet *quiet);

/* ---- the blocks' machinery; not for direct use ---- */

struct weir_scope_guard {
    void *open;
    int *status;
};
struct weir_nursery_guard {
    void *open;
    int *status;
};
struct weir_local_guard {
    const struct weir_local *open;
    struct weir_local_node *before;
};
struct weir_local_guard weir_local_guard_open_(const struct weir_local *local, void *value, int *status);
void weir_local_guard_close_(struct weir_local_guard *guard);
void weir_scope_cancel_(struct weir_scope *scope, const char *what, const struct weir_site *where);
void weir_scope_cancel_gracefully_(struct weir_scope *scope, weir_time grace, const struct weir_site *where);
void weir_scope_open_(struct weir_scope *scope, weir_time deadline, const struct weir_site *site);
struct weir_scope_guard weir_scope_guard_open_(struct weir_scope *scope, weir_time deadline, bool fails, int *status,
                                               const struct weir_site *site);
struct weir_scope_guard weir_shield_guard_open_(struct weir_scope *scope, enum weir_shield shield, int *status,
                                                const struct weir_site *site);
void weir_scope_guard_close_(struct weir_scope_guard *guard);
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

#define WEIR_CONCAT2_(a, b) a##b
#define WEIR_CONCAT_(a, b) WEIR_CONCAT2_(a, b)
#define WEIR_BLOCK_(kind, opened) WEIR_BLOCK2_(kind, opened, WEIR_CONCAT_(weir_guard_, __LINE__))
#define WEIR_BLOCK2_(kind, opened, guard)                                                                              \
    for (struct kind guard __attribute__((cleanup(kind##_close_))) = (opened); (guard).open != NULL;                   \
         kind##_close_(&(guard)))
#define WEIR_SCOPE_BLOCK_(scope, deadline, fails, rc, name)                                                            \
    WEIR_BLOCK_(weir_scope_guard, weir_scope_guard_open_((scope), (deadline), (fails), &(rc), WEIR_SITE(name)))
#define WEIR_SHIELD_BLOCK_(scope, shield, rc, name)                                                                    \
    WEIR_BLOCK_(weir_scope_guard, weir_shield_guard_open_((scope), (shield), &(rc), WEIR_SITE(name)))

#endif
