/* Cancel scopes: a tree. Each knows whether it is cancelled in effect, so a checkpoint's test is one load.
 * The rules are Trio's (its reference, "Cancellation and timeouts"; DESIGN section 4). */
#include "task_private.h"

static bool parent_is_felt(const struct weir_scope *scope)
{
    return !scope->shield && scope->parent != NULL && scope->parent->effectively_cancelled;
}

static void deadline_passed(struct weir_alarm *alarm)
{
    struct weir_scope *scope = WEIR_CONTAINER_OF(alarm, struct weir_scope, alarm);
    weir_scope_cancel_why(
        scope, &(struct weir_reason){.what = "deadline passed", .where = scope->site, .loop = weir_loop_->number});
}

void weir_scope_open_in(struct weir_scope *scope, struct weir_task *owner, struct weir_scope *parent,
                        weir_time deadline, const struct weir_site *site)
{
    scope->cancel_called = scope->cancelled_caught = scope->fails = scope->cancelled_alongside = false;
    scope->grace_over = false;
    scope->shield = WEIR_SHIELD_NONE;
    scope->site = site;
    scope->parent = parent;
    scope->owner = owner;
    scope->nursery = NULL;
    scope->deadline = WEIR_NEVER;
    scope->effectively_cancelled = parent_is_felt(scope);
    weir_list_init(&scope->children);
    weir_alarm_init(&scope->alarm, deadline_passed);
    if (parent != NULL)
        weir_list_append(&parent->children, &scope->sibling);
    else
        weir_list_init(&scope->sibling);
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

/* Takes a scope out of the tree; scopes still below go up to its parent. */
void weir_scope_unlink(struct weir_scope *scope)
{
    if (weir_timer_armed(&scope->alarm.timer))
        weir_alarm_clear(&scope->alarm);
    weir_list_remove(&scope->sibling);
    struct weir_scope *child;
    WEIR_LIST_FOREACH (child, &scope->children, struct weir_scope, sibling) {
        weir_list_remove(&child->sibling);
        child->parent = scope->parent;
        weir_list_append(&scope->parent->children, &child->sibling);
        weir_scope_update(child);
    }
    scope->parent = NULL;
    scope->owner = NULL;
}

/* The status that goes on past a scope's end. A scope catches only what is its own: of two cancelled ones, the outer.
 */
static int caught(struct weir_task *self, struct weir_scope *scope, int status)
{
    if (WEIR_LIKELY(!scope->effectively_cancelled) || parent_is_felt(scope))
        return status;
    if (status >= 0) { /* nothing to catch, unless it slips out by `return` */
        weir_task_note_cancellation(self, -ECANCELED, &scope->reason);
        return status;
    }
    if (status == -ECANCELED || scope->cancelled_alongside)
        scope->cancelled_caught = true;
    scope->cancelled_alongside = false;
    if (status != -ECANCELED)
        return status;
    if (!scope->fails)
        return 0;
    weir_task_note_cancellation(self, -ETIMEDOUT, &scope->reason);
    return -ETIMEDOUT;
}

int weir_scope_leave(struct weir_scope *scope, int status)
{
    struct weir_task *self = weir_loop_->current;
    WEIR_ASSERT(self->scope == scope);
    status = caught(self, scope, status);
    self->scope = scope->parent;
    if (WEIR_UNLIKELY(scope->cancelled_alongside) && status < 0 && status != -ECANCELED) {
        /* Goes on beside the error, for a scope further out to catch. */
        if (self->scope == &self->nursery->scope)
            self->cancelled_alongside = true;
        else
            self->scope->cancelled_alongside = true;
    }
    weir_scope_unlink(scope);
    return status;
}

int weir_scope_abandon_(struct weir_task *task, struct weir_scope *outer)
{
    weir_log(WEIR_LOG_ERROR, "task %s left a cancel scope open inside another; close the one opened last first",
             weir_task_name(task));
    while (task->scope != outer) {
        struct weir_scope *scope = task->scope;
        WEIR_ASSERT(scope->nursery == NULL);
        task->scope = scope->parent;
        weir_scope_unlink(scope);
    }
    return -EINVAL;
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
static int close_misnested(struct weir_task *self, struct weir_scope *scope)
{
    struct weir_scope *nursery;
    if (scope->nursery != NULL || !is_open(self, scope, &nursery)) {
        weir_log(WEIR_LOG_ERROR, "task %s closes a cancel scope that it has not opened, or has closed already",
                 weir_task_name(self));
        return -EINVAL;
    }
    if (nursery == NULL)
        return weir_scope_leave(scope, weir_scope_abandon(self, scope, -EINVAL));
    /* Its children cannot be abandoned: the nursery stays, and what lies between the two goes. */
    weir_log(WEIR_LOG_ERROR, "task %s closes a cancel scope before a nursery that was opened inside it",
             weir_task_name(self));
    for (struct weir_scope *at = nursery->parent, *outer = scope->parent, *next; at != outer; at = next) {
        next = at->parent;
        weir_scope_unlink(at);
    }
    return -EINVAL;
}

int weir_scope_close(struct weir_scope *scope, int status)
{
    struct weir_task *self = weir_loop_->current;
    if (WEIR_UNLIKELY(self->scope != scope || scope->nursery != NULL))
        return close_misnested(self, scope);
    return weir_scope_leave(scope, status);
}

/* Level-triggered: a task that runs finds out at its next checkpoint; one that waits is taken out of its wait. */
static void deliver(struct weir_task *task, struct weir_scope *scope)
{
    if (task == NULL || task->scope != scope || task->wait == NULL || task->wait->abort == NULL || task->abort_asked)
        return;
    task->abort_asked = true;
    if (task->wait->abort(task, task->wait_arg))
        weir_task_wake(task, -ECANCELED);
}

static void deliver_to_all(struct weir_scope *scope)
{
    deliver(scope->owner, scope);
    if (scope->nursery == NULL)
        return;
    struct weir_task *child;
    WEIR_LIST_FOREACH (child, &scope->nursery->children, struct weir_task, sibling)
        deliver(child, scope);
}

/* The next scope in depth-first order below `top`; skips what is below `at` unless `deeper`. */
static struct weir_scope *next_below(struct weir_scope *at, struct weir_scope *top, bool deeper)
{
    if (deeper && !weir_list_empty(&at->children))
        return WEIR_CONTAINER_OF(at->children.next, struct weir_scope, sibling);
    for (; at != top; at = at->parent)
        if (at->sibling.next != &at->parent->children)
            return WEIR_CONTAINER_OF(at->sibling.next, struct weir_scope, sibling);
    return NULL;
}

void weir_scope_update(struct weir_scope *top)
{
    for (struct weir_scope *at = top; at != NULL;) {
        bool cancelled = at->cancel_called || parent_is_felt(at);
        bool changed = cancelled != at->effectively_cancelled;
        at->effectively_cancelled = cancelled;
        if (changed && cancelled)
            deliver_to_all(at);
        at = next_below(at, top, changed);
    }
}

void weir_scope_cancel_why(struct weir_scope *scope, const struct weir_reason *reason)
{
    if (scope->cancel_called)
        return;
    scope->cancel_called = true;
    scope->reason = *reason;
    weir_alarm_clear(&scope->alarm);
    weir_scope_update(scope);
}

void weir_scope_cancel_(struct weir_scope *scope, const char *what, const struct weir_site *where)
{
    struct weir_task *self = weir_current_task();
    weir_scope_cancel_why(scope, &(struct weir_reason){.what = what,
                                                       .who = self != NULL ? self->site : NULL,
                                                       .where = where,
                                                       .loop = weir_loop_ != NULL ? weir_loop_->number : 0});
}

int weir_task_cancel_reason(const struct weir_task *task, struct weir_reason *reason)
{
    const struct weir_scope *scope = task->scope, *outermost = NULL;
    if (!scope->effectively_cancelled)
        return -ENOENT;
    for (; scope != NULL; scope = parent_is_felt(scope) ? scope->parent : NULL)
        if (scope->cancel_called)
            outermost = scope;
    *reason = outermost->reason;
    return 0;
}

int weir_current_cancel_reason(struct weir_reason *reason)
{
    return weir_task_cancel_reason(weir_loop_->current, reason);
}

void weir_scope_set_deadline(struct weir_scope *scope, weir_time deadline)
{
    scope->deadline = deadline;
    if (scope->cancel_called || scope->owner == NULL)
        return;
    if (deadline <= weir_loop_->now)
        deadline_passed(&scope->alarm);
    else
        weir_alarm_set(&scope->alarm, deadline);
}

void weir_scope_set_shield(struct weir_scope *scope, enum weir_shield shield)
{
    scope->shield = shield;
    weir_scope_update(scope);
}

weir_time weir_scope_effective_deadline(const struct weir_scope *scope)
{
    weir_time earliest = WEIR_NEVER;
    if (scope->effectively_cancelled)
        return INT64_MIN;
    for (; scope != NULL; scope = scope->shield ? NULL : scope->parent)
        if (scope->deadline < earliest)
            earliest = scope->deadline;
    return earliest;
}

weir_time weir_current_effective_deadline(void)
{
    return weir_scope_effective_deadline(weir_loop_->current->scope);
}

struct weir_scope_guard weir_scope_guard_open_(struct weir_scope *scope, weir_time deadline, bool fails, int *status,
                                               const struct weir_site *site)
{
    weir_scope_open_(scope, deadline, site);
    scope->fails = fails;
    return (struct weir_scope_guard){scope, status};
}

void weir_scope_guard_close_(struct weir_scope_guard *guard)
{
    if (guard->open == NULL)
        return;
    *guard->status = weir_scope_close(guard->open, *guard->status);
    guard->open = NULL;
}
