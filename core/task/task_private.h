/* What the files of core/task share: the task, the loop, and the functions between them. */
#ifndef WEIR_TASK_PRIVATE_H
#define WEIR_TASK_PRIVATE_H

#include "context.h"
#include <stdatomic.h>
#include <weir/task.h>

/* Lives at the top of its own stack, so that an idle task costs one page. The first line is what a switch touches. */
struct weir_task {
    struct weir_context context;
    struct weir_scope *scope; /* innermost */
    int wake_result;
    bool abort_asked;             /* this wait was asked to end, and goes on */
    bool cancelled_alongside;     /* as a scope's, outside all scopes of its own */
    bool felt_outside;            /* it was told of a cancellation from outside all scopes of its own */
    bool canary;                  /* its stack has no guard page */
    const struct weir_wait *wait; /* what it is parked in; NULL: it runs, or is runnable */
    void *wait_arg;
    weir_time since; /* when it parked, or began; or CANCELLATION_NOTED */

    int (*fn)(void *arg);
    void *arg;
    const struct weir_site *site;
    struct weir_nursery *nursery; /* whose child it is */
    struct weir_list sibling;     /* among that nursery's children */
    struct weir_error *record;    /* set aside for its own failure; NULL: taken by the last one */
    struct weir_error *unread;    /* groups that its blocks did not read */
    struct weir_error **unread_end;
    struct weir_start_request *start; /* weir_start, until reported */
    struct weir_local_node *locals;   /* NULL: none is set; so before and after its life */
    struct weir_task *next_free;
    int unrecorded;         /* an error of a nursery's that found no record; 0: none */
    int alongside;          /* cancelled_alongside of which error */
    unsigned index;         /* in the slab */
    uint32_t cancel_points; /* see points.c */
    unsigned valgrind_id;
};

/* In a scope's `attention`, which scopes opened inside inherit. */
enum { ATTENTION_CANCELLED = 1, ATTENTION_COUNTED = 2 };

/* In `since`: the record says from which cancellation an error comes that may be on its way out of the task, and there
 * was no wait since, in which that would be forgotten. */
#define CANCELLATION_NOTED INT64_MIN

/* weir_start: the child runs in `old`, a nursery of the caller's own, until it reports; then it moves to `target`. */
struct weir_start_request {
    struct weir_nursery *target;
    struct weir_start_request *next; /* of those that end with the target's cancellation */
    struct weir_nursery old;
    void *value;
    bool reported, given_up;
};

/* Stacks: one address range, slots of `size` bytes: a guard page, the stack, the task at its (staggered) top. */
struct stack_slab {
    char *base;
    size_t size, length;
    unsigned count, used; /* slots in all; slots that were ever handed out */
    struct weir_task *free;
    enum { GUARD_INSTALL, GUARD_MPROTECT, GUARD_CANARY } guard;
    unsigned protected_max; /* how many mprotect may still split */
};

/* What others than the loop's thread touch; it may outlive the loop. */
struct weir_token {
    _Atomic(struct weir_job *) jobs; /* the newest first, or that there will be no more */
    atomic_bool woken;
    int wake_fd;
    atomic_uint references;
    struct weir_job interrupt;
};

/* What a switch touches comes first. */
struct weir_loop {
    struct weir_task *current; /* NULL: the loop itself runs */
    struct weir_task **ring;   /* runnable tasks, FIFO */
    uint64_t head, mask, tail; /* mask + 1 places are in use: few while there are few tasks, to stay in the cache */
    uint64_t turn_end;         /* where in the ring this turn stops */
    unsigned fast_left;        /* calls that may still end in this turn without letting others run */
    unsigned living;
    uint64_t spawn_room;  /* how many may live as the ring is; 0: each spawn is told to instruments   */
    uintptr_t wake_heard; /* 0, which no wait that is waited in is below; or each wake-up is told */
    struct weir_context context;
    struct stack_slab stacks;
    uint64_t ring_length; /* places in the ring at the most */

    weir_time now;
    struct weir_clock *clock;
    struct weir_wheel wheel; /* of struct weir_alarm */
    struct weir_list pollers;
    struct weir_list states; /* struct weir_run_state's */
    struct weir_list quiet;  /* the least cushion first */
    weir_time quiet_since;   /* in real time; WEIR_NEVER: busy just now */

    struct weir_nursery root;   /* holds the main task                    */
    struct weir_nursery system; /* its scope lies around that of the root */
    struct weir_task *main;     /* NULL: it has ended */
    bool ending;                /* the system tasks were told that the main task has ended */
    int result;
    unsigned tasks_max, number;
    uint64_t nursery_serial, turns;

    struct weir_error *errors_free, *errors_slab;
    unsigned errors_max, errors_used, errors_held;

    struct weir_list instruments; /* in the order in which they were added */
    uint64_t instruments_added;
    struct hook_walk *walk;        /* hooks being called, the innermost first      */
    bool steps_heard, io_heard;    /* some instrument has such hooks               */
    bool io_told;                  /* before_io_wait, and not yet after_io_wait    */
    weir_time io_timeout;          /* what it was told                             */
    struct weir_task *step_joined; /* whose step was under way when one was added  */

    bool busy;   /* the last turn found something to do */
    bool asleep; /* for who glances at it from outside */
    struct weir_token *token;
    bool interruptible;     /* runs on the main thread: signals may interrupt it */
    bool caught_sigint;     /* and it was this run that has caught this one      */
    bool interrupted_late;  /* when its tasks had ended                          */
    uint64_t deadlock_seen; /* at which `head` one was reported */
    bool deadlock_ends;
    unsigned wakes_expected; /* weir_expect_wake */
    enum weir_idle idle;
    weir_time idle_since;
    bool shuffle;
    struct weir_rng rng;
};

enum { FAST_PATH_MAX = 64, TURN_MIN = 128 };

extern __thread struct weir_loop *weir_loop_ __attribute__((tls_model("initial-exec")));

/* stack.c */
int weir_stacks_open(struct stack_slab *stacks, unsigned count, size_t size);
void weir_stacks_close(struct stack_slab *stacks);
struct weir_task *weir_stacks_take_new(struct stack_slab *stacks);        /* one never used before; NULL: all are */
void weir_stack_check(struct stack_slab *stacks, struct weir_task *task); /* canaries; aborts by name */

/* overflow.c */
int weir_overflow_handler_install(void);
void weir_overflow_handler_remove(void);

static inline void *weir_stack_top(struct weir_task *task)
{
    return task; /* aligned as a stack must be */
}

static inline void weir_stacks_give(struct stack_slab *stacks, struct weir_task *task)
{
    task->next_free = stacks->free;
    stacks->free = task;
}

/* run.c */
void weir_ring_grow(struct weir_loop *loop);

/* interrupt.c */
void weir_interrupts_begin(struct weir_loop *loop);
void weir_interrupts_end(struct weir_loop *loop);
void weir_interrupt_run(struct weir_job *job);

/* loop.c */
void weir_turn(struct weir_loop *loop);
bool weir_poll_devices(struct weir_loop *loop); /* returns whether they had something */

/* idle.c */
void weir_rest(struct weir_loop *loop);
weir_time weir_rest_timeout(struct weir_loop *loop); /* how long it would take at the most */

/* deadlock.c */
void weir_deadlock_check(struct weir_loop *loop); /* reports one; may end it: then tasks are runnable */

/* instrument.c */
void weir_instruments_open(struct weir_loop *loop, struct weir_instrument *const *instruments, unsigned count);
void weir_instruments_close(struct weir_loop *loop);
void weir_tell_spawned(struct weir_loop *loop, struct weir_task *task);
void weir_tell_scheduled(struct weir_loop *loop, struct weir_task *task);
void weir_tell_before_step(struct weir_loop *loop, struct weir_task *task);
void weir_tell_after_step(struct weir_loop *loop, struct weir_task *task);
void weir_tell_before_io_wait(struct weir_loop *loop, weir_time timeout);
void weir_tell_after_io_wait(struct weir_loop *loop);

/* run.c */
void weir_end_system_tasks(struct weir_loop *loop); /* when the main task has ended */

/* run_state.c */
void weir_run_states_close(struct weir_loop *loop);

/* sleep.c */
extern const struct weir_wait weir_forever_wait;

/* token.c */
int weir_token_open(struct weir_token **opened);
bool weir_token_run_jobs(struct weir_token *token); /* returns whether there were any */
void weir_token_close(struct weir_token *token);    /* runs the last ones; what comes later is refused */

/* errors.c */
int weir_errors_open(struct weir_loop *loop, unsigned count);
void weir_errors_close(struct weir_loop *loop);
struct weir_error *weir_error_take(struct weir_loop *loop); /* NULL: none left */
void weir_error_give(struct weir_loop *loop, struct weir_error *error);

/* trust.c */
void weir_trust_end(struct weir_nursery *nursery); /* what nobody read joins the nursery's group */

/* task.c */
void weir_task_wake_heard(struct weir_loop *loop, struct weir_task *task, int result);
void weir_task_note_cancellation(struct weir_task *task, int code, const struct weir_reason *reason);
struct weir_error *weir_task_record(struct weir_task *task, int *status);
struct weir_task *weir_task_spawn(struct weir_loop *loop, struct weir_nursery *nursery, int (*fn)(void *), void *arg,
                                  const struct weir_site *site);

/* scope.c */
void weir_scope_open_in(struct weir_scope *scope, struct weir_task *owner, struct weir_scope *parent,
                        weir_time deadline, const struct weir_site *site);
int weir_scope_leave(struct weir_scope *scope, int status); /* the innermost one */
int weir_scope_abandon_(struct weir_task *task, struct weir_scope *outer, int status);

/* cancel.c */
void weir_scope_update(struct weir_scope *top); /* recomputes what is felt below, and wakes */
void weir_scope_move_task(struct weir_task *task, struct weir_scope *scope); /* from a scope that is not its own */
void weir_scope_cancel_once(struct weir_scope *scope, const struct weir_reason *reason); /* nothing if it is already */
void weir_scope_cancel_as_felt(struct weir_scope *scope, const struct weir_reason *reason, bool over);
void weir_scope_time_passed(struct weir_alarm *alarm);
void weir_task_feel_(struct weir_task *task);
int weir_scope_reason(const struct weir_scope *scope, struct weir_reason *reason);
weir_time weir_scope_effective_deadline(const struct weir_scope *scope);

/* Whether cancellation from around reaches into a scope. */
static inline bool weir_scope_parent_felt(const struct weir_scope *scope)
{
    const struct weir_scope *parent = scope->parent;
    if (WEIR_LIKELY(scope->shield == WEIR_SHIELD_NONE))
        return parent != NULL && parent->effectively_cancelled;
    return scope->shield == WEIR_SHIELD_GRACE && parent != NULL && parent->grace_over;
}

/* Called where a -ECANCELED is handed to the task. */
static inline void weir_task_feel(struct weir_task *task)
{
    if (!task->felt_outside)
        weir_task_feel_(task);
}

/* nursery.c */
struct weir_error *weir_task_take_unread(struct weir_task *task, uint64_t serial);
void weir_nursery_gather(struct weir_nursery *nursery, struct weir_error *error);
void weir_nursery_child_ended(struct weir_nursery *nursery, struct weir_task *task, struct weir_error *error,
                              int status);
void weir_nursery_let_go(struct weir_nursery *nursery); /* by one of those that hold it open */

/* local.c */
void weir_locals_inherit_(struct weir_task *child, struct weir_task *from);
void weir_locals_drop_(struct weir_task *task);

static inline void weir_locals_inherit(struct weir_task *child, struct weir_task *from)
{
    if (WEIR_UNLIKELY(from != NULL && from->locals != NULL))
        weir_locals_inherit_(child, from);
}

static inline void weir_locals_drop(struct weir_task *task)
{
    if (WEIR_UNLIKELY(task->locals != NULL))
        weir_locals_drop_(task);
}

/* start.c */
void weir_nursery_cancel_starts(struct weir_nursery *nursery);

/* Closes the scopes that the task opened inside `outer` and left open, and says so. Returns the status to go on with:
 * if there were any, -EINVAL, but that an error that there is already is not lost for it. */
static inline int weir_scope_abandon(struct weir_task *task, struct weir_scope *outer, int status)
{
    return WEIR_LIKELY(task->scope == outer) ? status : weir_scope_abandon_(task, outer, status);
}

/* Whether tasks are run one by one, to look at each. */
static inline bool weir_steps(const struct weir_loop *loop)
{
    return loop->steps_heard || loop->stacks.guard == GUARD_CANARY;
}

static inline void weir_make_runnable(struct weir_loop *loop, struct weir_task *task)
{
    loop->ring[loop->tail++ & loop->mask] = task;
}

/* weir_task_wake. */
static inline void weir_wake(struct weir_loop *loop, struct weir_task *task, int result)
{
    if (WEIR_UNLIKELY((uintptr_t)task->wait <=
                      loop->wake_heard)) { /* told to instruments, or none: one test for both */
        weir_task_wake_heard(loop, task, result);
        return;
    }
    task->wait = NULL;
    task->wake_result = result;
    weir_make_runnable(loop, task);
}

static inline struct weir_context *weir_take(struct weir_loop *loop, uint64_t head)
{
    struct weir_task *task = loop->ring[head & loop->mask];
    if (loop->tail - head > 17) { /* hide the misses of tasks further back: the task itself, then its stack */
        __builtin_prefetch(loop->ring[(head + 16) & loop->mask]);
        __builtin_prefetch(loop->ring[(head + 8) & loop->mask]->context.sp);
    }
    loop->head = head + 1;
    loop->current = task;
    return &task->context;
}

/* What runs next: another task of this turn, or the loop. */
static inline struct weir_context *weir_pick(struct weir_loop *loop)
{
    uint64_t head = loop->head;
    if (WEIR_UNLIKELY(head == loop->tail || head == loop->turn_end)) {
        loop->current = NULL;
        return &loop->context;
    }
    return weir_take(loop, head);
}

/* Gives the lcore away to `next`; returns `self` when it is switched to again. */
static inline struct weir_task *weir_switch_away(struct weir_task *self, struct weir_context *next)
{
    return WEIR_CONTAINER_OF(weir_context_switch(&self->context, next), struct weir_task, context);
}

/* weir_task_park. */
static inline int weir_park(struct weir_loop *loop, const struct weir_wait *wait, void *arg)
{
    struct weir_task *self = loop->current;
    self->wait = wait;
    self->wait_arg = arg;
    self->since = loop->now;
    self->abort_asked = false;
    return weir_switch_away(self, weir_pick(loop))->wake_result;
}

#endif
