/* Cancel scopes: a tree. Opened, closed in their order, and what happens when they are not. The rules are Trio's (its
 * reference, "Cancellation and timeouts"; DESIGN section 4). How they are cancelled: cancel.c. */
#include "task_private.h"

void weir_scope_open_in(struct weir_scope *scope, struct weir_task *owner, struct weir_scope *parent,
                        weir_time deadline, const struct weir_site *site)
{
    /* All at once, in one store. */
    scope->cancel_called = scope->cancelled_caught = scope->effectively_cancelled = scope->grace_over = false;
    scope->shield = WEIR_SHIELD_NONE;
    scope->fails = scope->cancelled_alongside = scope->hard = false;
    scope->attention = 0;
    scope->site = site;
    scope->parent = parent;
    scope->owner = owner;
    scope->nursery = NULL;
    scope->deadline = WEIR_NEVER;
    scope->grace = 0;
    weir_list_init(&scope->children);
    weir_alarm_init(&scope->alarm, weir_scope_time_passed);
    if (parent == NULL) {
        weir_list_init(&scope->sibling);
    } else {
        weir_list_append(&parent->children, &scope->sibling);
        if (WEIR_UNLIKELY(parent->attention != 0)) {
            scope->attention = parent->attention;
            scope->effectively_cancelled = parent->effectively_cancelled;
            scope->grace_over = parent->grace_over;
        }
    }
    if (owner != NULL)
        owner->scope = scope;
    if (deadline != WEIR_NEVER)
        weir_scope_set_deadline(scope, deadline);
}

void weir_scope_open_(struct weir_scope *scope, weir_time deadline, const struct weir_site *site)
{
    struct weir_task *self = weir_loop_->current;
    weir_scope_open_in(scope, self, self->scope, deadline, site);
}

/* Scopes still below go up to the parent of one that closes. */
static __attribute__((noinline)) void lift_children(struct weir_scope *scope)
{
    struct weir_scope *child;
    WEIR_LIST_FOREACH (child, &scope->children, struct weir_scope, sibling) {
        weir_list_remove(&child->sibling);
        child->parent = scope->parent;
        weir_list_append(&scope->parent->children, &child->sibling);
        weir_scope_update(child);
    }
}

/* Takes a scope out of the tree. */
static void unlink_scope(struct weir_scope *scope)
{
    if (weir_timer_armed(&scope->alarm.timer))
        weir_alarm_clear(&scope->alarm);
    weir_list_remove(&scope->sibling);
    if (WEIR_UNLIKELY(!weir_list_empty(&scope->children)))
        lift_children(scope);
    scope->parent = NULL;
    scope->owner = NULL;
}

/* The status that goes on past a scope's end. A scope catches only what is its own: of two cancelled ones, the outer.
 */
static int caught(struct weir_task *self, struct weir_scope *scope, int status)
{
    if (WEIR_LIKELY(!scope->effectively_cancelled) || weir_scope_parent_felt(scope))
        return status;
    if (status >= 0) { /* nothing to catch, unless it slips out by `return` */
        if (self->since != CANCELLATION_NOTED)
            weir_task_note_cancellation(self, -ECANCELED, &scope->reason);
        return status;
    }
    if (status == -ECANCELED || (scope->cancelled_alongside && scope->alongside == status))
        scope->cancelled_caught = true;
    scope->cancelled_alongside = false;
    if (status != -ECANCELED)
        return status;
    if (!scope->fails)
        return 0;
    weir_task_note_cancellation(self, -ETIMEDOUT, &scope->reason);
    return -ETIMEDOUT;
}

/* Goes on beside the error, for a scope further out to catch. */
static void pass_on_alongside(struct weir_task *self, int status)
{
    if (self->scope == &self->nursery->scope) {
        self->cancelled_alongside = true;
        self->alongside = status;
    } else {
        self->scope->cancelled_alongside = true;
        self->scope->alongside = status;
    }
}

int weir_scope_leave(struct weir_scope *scope, int status)
{
    struct weir_task *self = weir_loop_->current;
    WEIR_ASSERT(self->scope == scope);
    status = caught(self, scope, status);
    self->scope = scope->parent;
    if (WEIR_UNLIKELY(scope->cancelled_alongside) && scope->alongside == status)
        pass_on_alongside(self, status);
    unlink_scope(scope);
    return status;
}

static int misnested(int status)
{
    return status < 0 && status != -ECANCELED ? status : -EINVAL;
}

int weir_scope_abandon_(struct weir_task *task, struct weir_scope *outer, int status)
{
    weir_log(WEIR_LOG_ERROR, "task %s left a cancel scope open inside another; close the one opened last first",
             weir_task_name(task));
    while (task->scope != outer) {
        struct weir_scope *scope = task->scope;
        WEIR_ASSERT(scope->nursery == NULL);
        task->scope = scope->parent;
        unlink_scope(scope);
    }
    return misnested(status);
}

/* Whether `scope` is among those that the task itself opened; sets the outermost nursery's that is still open inside
 * it, if any. */
static bool is_open(struct weir_task *task, struct weir_scope *scope, struct weir_scope **nursery)
{
    *nursery = NULL;
    for (struct weir_scope *at = task->scope; at != &task->nursery->scope; at = at->parent) {
        if (at == scope)
            return true;
        if (at->nursery != NULL)
            *nursery = at;
    }
    return false;
}

/* A scope is to end before one that was opened inside it. */
static int close_misnested(struct weir_task *self, struct weir_scope *scope, int status)
{
    struct weir_scope *nursery;
    if (scope->nursery != NULL || !is_open(self, scope, &nursery)) {
        weir_log(WEIR_LOG_ERROR, "task %s closes a cancel scope that it has not opened, or has closed already",
                 weir_task_name(self));
        return misnested(status);
    }
    if (nursery == NULL)
        return weir_scope_leave(scope, weir_scope_abandon(self, scope, status));
    /* Its children cannot be abandoned: the nursery stays, and what lies between the two goes. */
    weir_log(WEIR_LOG_ERROR, "task %s closes a cancel scope before a nursery that was opened inside it",
             weir_task_name(self));
    for (struct weir_scope *at = nursery->parent, *outer = scope->parent, *next; at != outer; at = next) {
        next = at->parent;
        unlink_scope(at);
    }
    return misnested(status);
}

int weir_scope_close(struct weir_scope *scope, int status)
{
    struct weir_task *self = weir_loop_->current;
    if (WEIR_UNLIKELY(self->scope != scope || scope->nursery != NULL))
        return close_misnested(self, scope, status);
    return weir_scope_leave(scope, status);
}

struct weir_scope_guard weir_scope_guard_open_(struct weir_scope *scope, weir_time deadline, bool fails, int *status,
                                               const struct weir_site *site)
{
    weir_scope_open_(scope, deadline, site);
    scope->fails = fails;
    return (struct weir_scope_guard){scope, status};
}

struct weir_scope_guard weir_shield_guard_open_(struct weir_scope *scope, enum weir_shield shield, int *status,
                                                const struct weir_site *site)
{
    weir_scope_open_(scope, WEIR_NEVER, site);
    weir_scope_set_shield(scope, shield);
    return (struct weir_scope_guard){scope, status};
}

void weir_scope_guard_close_(struct weir_scope_guard *guard)
{
    if (guard->open == NULL)
        return;
    *guard->status = weir_scope_close(guard->open, *guard->status);
    guard->open = NULL;
}
