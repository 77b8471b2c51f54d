/* Cancelling scopes. Each knows whether it is cancelled in effect, so that a checkpoint's test is one load; a
 * cancellation therefore goes through the scopes that it changes, once for `cancelled`, and once more when its grace is
 * over. */
#include "task_private.h"

/* Whether cancellation from around reaches into a scope, and has no grace left. */
static bool parent_is_over(const struct weir_scope *scope)
{
    return scope->shield != WEIR_SHIELD_FULL && scope->parent != NULL && scope->parent->grace_over;
}

/* That a -ECANCELED was the nursery's matters when this no longer shows, for a shield was put up since: it still is one
 * when the task ends with it. */
void weir_task_feel_(struct weir_task *task)
{
    const struct weir_scope *scope = task->scope, *outside = &task->nursery->scope;
    while (scope != outside && weir_scope_parent_felt(scope))
        scope = scope->parent;
    task->felt_outside = scope == outside;
}

/* Level-triggered: a task that runs finds out at its next checkpoint; one that waits is taken out of its wait. */
static void deliver(struct weir_task *task, struct weir_scope *scope)
{
    if (task == NULL || task->scope != scope || task->wait == NULL || task->wait->abort == NULL || task->abort_asked)
        return;
    task->abort_asked = true;
    if (!task->wait->abort(task, task->wait_arg))
        return;
    weir_task_feel(task);
    weir_task_wake(task, -ECANCELED);
}

void weir_scope_move_task(struct weir_task *task, struct weir_scope *scope)
{
    task->scope = scope;
    if (scope->effectively_cancelled)
        deliver(task, scope);
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
        bool cancelled = at->cancel_called || weir_scope_parent_felt(at), over = at->hard || parent_is_over(at);
        bool newly = cancelled && !at->effectively_cancelled;
        bool changed = cancelled != at->effectively_cancelled || over != at->grace_over;
        at->effectively_cancelled = cancelled;
        at->attention = (uint8_t)((at->attention & ATTENTION_COUNTED) | (cancelled ? ATTENTION_CANCELLED : 0));
        at->grace_over = over;
        if (newly)
            deliver_to_all(at);
        if (changed && at->nursery != NULL && at->nursery->starts != NULL)
            weir_nursery_cancel_starts(at->nursery);
        at = next_below(at, top, changed);
    }
}

static void end_grace(struct weir_scope *scope)
{
    scope->hard = true;
    weir_scope_update(scope);
}

/* The run's own scope is nobody's, but open as long as anybody can see it. */
static bool is_closed(const struct weir_scope *scope)
{
    return scope->owner == NULL && (scope->nursery == NULL || scope->nursery->parent != NULL);
}

/* When a scope that is not over yet will be, as far as one can tell. */
static weir_time over_at(const struct weir_scope *scope)
{
    const struct weir_timer *timer = &scope->alarm.timer;
    if (!scope->cancel_called)
        return weir_time_add(scope->deadline, scope->grace);
    return weir_timer_armed(timer) ? timer->deadline : WEIR_NEVER;
}

static void cancel_with_grace(struct weir_scope *scope, const struct weir_reason *reason, weir_time grace)
{
    if (scope->hard)
        return;
    bool again = scope->cancel_called;
    if (!again) {
        scope->cancel_called = true;
        scope->reason = *reason;
    }
    if (is_closed(scope))
        return;
    if (grace <= 0) {
        weir_alarm_clear(&scope->alarm);
        end_grace(scope);
        return;
    }
    weir_time end = weir_time_add(weir_loop_->now, grace);
    if (!again || end < over_at(scope))
        weir_alarm_set(&scope->alarm, end);
    weir_scope_update(scope);
}

void weir_scope_cancel_once(struct weir_scope *scope, const struct weir_reason *reason)
{
    if (!scope->cancel_called)
        cancel_with_grace(scope, reason, scope->grace);
}

/* For a scope in which a cancellation is felt already, here or elsewhere: as hard as that, and no harder by itself. */
void weir_scope_cancel_as_felt(struct weir_scope *scope, const struct weir_reason *reason, bool over)
{
    cancel_with_grace(scope, reason, over ? 0 : WEIR_NEVER);
}

static void deadline_passed(struct weir_scope *scope)
{
    weir_scope_cancel_once(
        scope, &(struct weir_reason){.what = "deadline passed", .where = scope->site, .loop = weir_loop_->number});
}

/* One alarm serves both: a scope that is cancelled has no deadline any more. */
void weir_scope_time_passed(struct weir_alarm *alarm)
{
    struct weir_scope *scope = WEIR_CONTAINER_OF(alarm, struct weir_scope, alarm);
    if (scope->cancel_called)
        end_grace(scope);
    else
        deadline_passed(scope);
}

void weir_scope_cancel_why(struct weir_scope *scope, const struct weir_reason *reason)
{
    cancel_with_grace(scope, reason, scope->cancel_called ? 0 : scope->grace);
}

static struct weir_reason reason_of_call(const char *what, const struct weir_site *where)
{
    struct weir_task *self = weir_current_task();
    return (struct weir_reason){.what = what,
                                .who = self != NULL ? self->site : NULL,
                                .where = where,
                                .loop = weir_loop_ != NULL ? weir_loop_->number : 0};
}

void weir_scope_cancel_(struct weir_scope *scope, const char *what, const struct weir_site *where)
{
    struct weir_reason reason = reason_of_call(what, where);
    weir_scope_cancel_why(scope, &reason);
}

void weir_scope_cancel_gracefully_(struct weir_scope *scope, weir_time grace, const struct weir_site *where)
{
    struct weir_reason reason = reason_of_call("cancelled", where);
    cancel_with_grace(scope, &reason, grace);
}

void weir_scope_set_grace(struct weir_scope *scope, weir_time grace)
{
    scope->grace = grace > 0 ? grace : 0;
}

int weir_scope_reason(const struct weir_scope *scope, struct weir_reason *reason)
{
    const struct weir_scope *outermost = NULL;
    bool beyond = false; /* a shield that lets through only what has no grace left */
    if (!scope->effectively_cancelled)
        return -ENOENT;
    for (; scope != NULL; scope = weir_scope_parent_felt(scope) ? scope->parent : NULL) {
        if (beyond ? scope->hard : scope->cancel_called)
            outermost = scope;
        beyond |= scope->shield == WEIR_SHIELD_GRACE;
    }
    *reason = outermost->reason;
    return 0;
}

int weir_task_cancel_reason(const struct weir_task *task, struct weir_reason *reason)
{
    return weir_scope_reason(task->scope, reason);
}

int weir_current_cancel_reason(struct weir_reason *reason)
{
    return weir_task_cancel_reason(weir_loop_->current, reason);
}

void weir_scope_set_deadline(struct weir_scope *scope, weir_time deadline)
{
    scope->deadline = deadline;
    if (scope->cancel_called || is_closed(scope))
        return;
    if (deadline <= weir_loop_->now)
        deadline_passed(scope);
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
    bool beyond = false; /* a shield that lets through only what has no grace left */
    if (scope->effectively_cancelled)
        return INT64_MIN;
    for (; scope != NULL; scope = scope->shield != WEIR_SHIELD_FULL ? scope->parent : NULL) {
        weir_time felt_at = beyond ? over_at(scope) : scope->deadline;
        if (felt_at < earliest)
            earliest = felt_at;
        beyond |= scope->shield == WEIR_SHIELD_GRACE;
    }
    return earliest;
}

weir_time weir_current_effective_deadline(void)
{
    return weir_scope_effective_deadline(weir_loop_->current->scope);
}
