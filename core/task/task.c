/* A task's life: spawned, parked, woken, ended. */
#include "task_private.h"

__thread struct weir_loop *weir_loop_ __attribute__((tls_model("initial-exec")));

struct weir_loop *weir_current_loop(void)
{
    return weir_loop_;
}

void weir_task_note_cancellation(struct weir_task *task, int code, const struct weir_reason *reason)
{
    task->record->code = code;
    task->record->reason = *reason;
    task->since = CANCELLATION_NOTED;
}

/* Makes the task's own record say what it ended with. Returns it, or NULL if nothing went wrong (or only -ECANCELED,
 * which scopes further out account for). */
struct weir_error *weir_task_record(struct weir_task *task, int *status)
{
    struct weir_error *unread = task->unread;
    int left = unread != NULL ? unread->code : task->unrecorded; /* what its blocks did not read */
    if (WEIR_UNLIKELY(left != 0)) {                              /* for the next task here */
        task->unread = NULL;
        task->unread_end = &task->unread;
        task->unrecorded = 0;
    }
    if (*status != task->alongside)
        task->cancelled_alongside = false; /* it was dealt with */
    if (*status >= 0) {
        if (left == 0)
            return NULL;
        *status = left;
    }
    if (*status == -ECANCELED) {
        task->cancelled_alongside = true;
        task->alongside = *status;
        if (left == 0 && (task->scope->effectively_cancelled || task->felt_outside))
            return NULL;
        /* One that was not handed to it from outside has slipped past its scope's end (by `return`): no cancellation
         * but an error. */
        if (left != 0)
            *status = left;
    }
    struct weir_error *error = task->record;
    task->record = NULL;
    weir_loop_->errors_held++;
    if ((task->since != CANCELLATION_NOTED || error->code != *status) &&
        weir_task_cancel_reason(task, &error->reason) < 0)
        error->reason = (struct weir_reason){0};
    error->code = *status;
    error->site = task->site;
    error->children = unread;
    return error;
}

static void end(struct weir_loop *loop, struct weir_task *task, int status)
{
    /* Scopes that it opened by hand and did not close lie on a stack that is about to go. (Nurseries it has none.) */
    status = weir_scope_abandon(task, &task->nursery->scope, status);
    int code = status;
    struct weir_error *error = weir_task_record(task, &code);
    weir_locals_drop(task);
    loop->living--;
    weir_list_remove(&task->sibling);
    weir_nursery_child_ended(task->nursery, task, error, status);
    if (WEIR_UNLIKELY(loop->stacks.guard == GUARD_CANARY))
        weir_stack_check(&loop->stacks, task);
    weir_stacks_give(&loop->stacks, task); /* still stood upon: nobody takes it before we are gone */
}

static WEIR_NORETURN void task_main(void)
{
    weir_context_entered();
    struct weir_loop *loop = weir_loop_;
    struct weir_task *task = loop->current;
    end(loop, task, task->fn(task->arg));
    weir_context_leave(weir_pick(loop));
}

/* Has a stack in front of the free ones, with a record. Returns whether there was one. */
static bool make_one_ready(struct weir_loop *loop)
{
    struct stack_slab *stacks = &loop->stacks;
    if (stacks->free == NULL) {
        struct weir_task *task = weir_stacks_take_new(stacks);
        if (task == NULL)
            return false;
        weir_stacks_give(stacks, task);
    }
    if (stacks->free->record == NULL)
        stacks->free->record = weir_error_take(loop);
    return stacks->free->record != NULL;
}

/* What few spawns need is done apart, so that the others save no registers for it. */
static __attribute__((noinline)) struct weir_task *spawn_anew(struct weir_loop *loop, struct weir_nursery *nursery,
                                                              int (*fn)(void *), void *arg,
                                                              const struct weir_site *site)
{
    return make_one_ready(loop) ? weir_task_spawn(loop, nursery, fn, arg, site) : NULL;
}

static __attribute__((noinline)) struct weir_task *spawned_specially(struct weir_loop *loop, struct weir_task *task)
{
    weir_locals_inherit(task, loop->current);
    if (loop->living > loop->mask + 1)
        weir_ring_grow(loop);
    weir_tell_spawned(loop, task);
    weir_make_runnable(loop, task);
    return task;
}

struct weir_task *weir_task_spawn(struct weir_loop *loop, struct weir_nursery *nursery, int (*fn)(void *), void *arg,
                                  const struct weir_site *site)
{
    struct weir_task *task = loop->stacks.free;
    if (WEIR_UNLIKELY(task == NULL || task->record == NULL))
        return spawn_anew(loop, nursery, fn, arg, site);
    loop->stacks.free = task->next_free;
    task->fn = fn;
    task->arg = arg;
    task->site = site;
    task->nursery = nursery;
    task->scope = &nursery->scope;
    task->start = NULL;
    task->cancelled_alongside = task->felt_outside = false;
    task->since = loop->now;
    weir_list_append(&nursery->children, &task->sibling);
    nursery->held++;
    weir_context_prepare(&task->context, weir_stack_top(task), task_main);
    const struct weir_task *self = loop->current;
    if (WEIR_UNLIKELY(++loop->living > loop->spawn_room || (self != NULL && self->locals != NULL)))
        return spawned_specially(loop, task);
    weir_make_runnable(loop, task);
    return task;
}

int weir_task_park(const struct weir_wait *wait, void *arg)
{
    return weir_park(weir_loop_, wait, arg);
}

void weir_task_wake_heard(struct weir_loop *loop, struct weir_task *task, int result)
{
    WEIR_ASSERT(task->wait != NULL);
    weir_tell_scheduled(loop, task);
    task->wait = NULL;
    task->wake_result = result;
    weir_make_runnable(loop, task);
}

void weir_task_wake(struct weir_task *task, int result)
{
    weir_wake(weir_loop_, task, result);
}

/* Whoever is next is taken first: a load from the ring waits for the store into it that came last, even where that was
 * to another place. */
static inline struct weir_task *yield(struct weir_loop *loop, struct weir_task *self)
{
    struct weir_context *next = weir_pick(loop);
    weir_make_runnable(loop, self);
    if (WEIR_UNLIKELY(next == &loop->context))
        next = weir_pick(loop); /* nobody else was runnable; or this turn is over, and it is the loop again */
    return weir_switch_away(self, next);
}

/* A checkpoint that has more to look at: it is cancelled, or counted. A call, so that the compiler makes a branch of
 * the test, which is predicted, and not arithmetic, which waits. */
static __attribute__((noinline, cold)) int attend(struct weir_task *self)
{
    self->cancel_points++;
    if (!self->scope->effectively_cancelled)
        return 0;
    weir_task_feel(self);
    return -ECANCELED;
}

/* The switch comes first, so that the test sees what happened meanwhile. */
int weir_checkpoint(void)
{
    struct weir_loop *loop = weir_loop_;
    struct weir_task *self = yield(loop, loop->current);
    return WEIR_UNLIKELY(self->scope->attention != 0) ? attend(self) : 0;
}

/* Apart, so that the test of each call sets up no frame. */
static __attribute__((noinline, cold)) int attend_in_passing(struct weir_task *self)
{
    int rc = attend(self);
    if (rc < 0)
        weir_fast_path_done(); /* or a task that does not heed it would keep the lcore */
    return rc;
}

int weir_checkpoint_if_cancelled(void)
{
    struct weir_task *self = weir_loop_->current;
    return WEIR_LIKELY(self->scope->attention == 0) ? 0 : attend_in_passing(self);
}

void weir_cancel_shielded_checkpoint(void)
{
    yield(weir_loop_, weir_loop_->current);
}

/* Apart, so that the fast path saves no registers. */
static __attribute__((noinline)) void yield_at_last(struct weir_loop *loop)
{
    loop->fast_left = FAST_PATH_MAX;
    yield(loop, loop->current);
}

void weir_fast_path_done(void)
{
    struct weir_loop *loop = weir_loop_;
    if (WEIR_UNLIKELY(--loop->fast_left == 0))
        yield_at_last(loop);
}
