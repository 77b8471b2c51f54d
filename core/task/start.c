/* weir_start: a child that is its caller's until it reports, and its nursery's from then on. The rules are Trio's
 * (DESIGN section 4, point 7). */
#include "task_private.h"

enum { START_SERIAL = 0 }; /* of errors that weir_start left: no nursery has it */

static struct weir_start_request start_done; /* what task->start points to after the report; never written */

/* The target's cancellation becomes that of starts that are to end with it. */
void weir_nursery_cancel_starts(struct weir_nursery *nursery)
{
    struct weir_reason reason;
    if (weir_scope_reason(&nursery->scope, &reason) < 0)
        return;
    for (struct weir_start_request *start = nursery->starts; start != NULL; start = start->next) {
        start->given_up = true;
        weir_scope_cancel_as_felt(&start->old.scope, &reason, nursery->scope.grace_over);
    }
}

static void link_start(struct weir_start_request *request)
{
    request->next = request->target->starts;
    request->target->starts = request;
    weir_nursery_cancel_starts(request->target);
}

static void unlink_start(struct weir_start_request *request)
{
    struct weir_start_request **at = &request->target->starts;
    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
}

/* What a child that ended well without reporting amounts to. */
static int not_started(struct weir_task *self, const struct weir_start_request *request)
{
    if (self->scope->effectively_cancelled)
        return -ECANCELED;
    if (!request->given_up)
        return -EPROTO;
    weir_task_note_cancellation(self, -ESHUTDOWN, &request->old.scope.reason);
    return -ESHUTDOWN;
}

/* What the child ended with before it reported. A lone error is the code that weir_start returns; a group says more
 * than that, and is left to be read. */
static void leave_errors(struct weir_task *self, struct weir_error *errors, int status)
{
    if (errors == NULL)
        return;
    if (errors->code == status && errors->next == NULL && errors->children == NULL) {
        if (errors->reason.what != NULL)
            weir_task_note_cancellation(self, status, &errors->reason);
        weir_error_free(errors);
        return;
    }
    *self->unread_end = errors;
    for (; errors != NULL; errors = errors->next) {
        errors->nursery = START_SERIAL;
        self->unread_end = &errors->next;
    }
}

int weir_start_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, void **value, bool unless_cancelled,
                const struct weir_site *site)
{
    struct weir_task *self = weir_loop_->current;
    struct weir_start_request request = {.target = nursery};
    if (nursery->held == 0)
        return -EBADF;
    nursery->held++;
    weir_nursery_open_(&request.old, site);
    if (unless_cancelled)
        link_start(&request);
    struct weir_task *task = weir_task_spawn(weir_loop_, &request.old, fn, arg, site);
    if (task != NULL)
        task->start = &request;
    int status = weir_nursery_close_(&request.old, task != NULL ? 0 : -ENOMEM);
    if (unless_cancelled)
        unlink_start(&request);
    weir_nursery_let_go(nursery);
    if (status >= 0 && !request.reported)
        status = not_started(self, &request);
    leave_errors(self, weir_task_take_unread(self, request.old.serial), status);
    if (status >= 0 && value != NULL)
        *value = request.value;
    return status < 0 ? status : 0;
}

/* All that is in the one nursery goes over to the other: the child, whatever it has opened, and what else was started
 * there. */
static void move_children(struct weir_nursery *from, struct weir_nursery *to)
{
    struct weir_task *task;
    struct weir_scope *scope;
    WEIR_LIST_FOREACH (task, &from->children, struct weir_task, sibling) {
        weir_list_remove(&task->sibling);
        weir_list_append(&to->children, &task->sibling);
        task->nursery = to;
        to->held++;
        if (task->scope == &from->scope)
            weir_scope_move_task(task, &to->scope);
        weir_nursery_let_go(from);
    }
    WEIR_LIST_FOREACH (scope, &from->scope.children, struct weir_scope, sibling) {
        weir_list_remove(&scope->sibling);
        scope->parent = &to->scope;
        weir_list_append(&to->scope.children, &scope->sibling);
        weir_scope_update(scope);
    }
}

int weir_started_for(struct weir_task *task, void *value)
{
    struct weir_start_request *request = task->start;
    if (request == NULL)
        return 0;
    if (request == &start_done)
        return -EALREADY;
    task->start = &start_done;
    request->reported = true;
    request->value = value;
    struct weir_nursery *old = &request->old, *target = request->target;
    /* Something in it may already carry a -ECANCELED, which must end where a scope catches it. */
    if (old->scope.effectively_cancelled && !target->scope.effectively_cancelled)
        return -ECANCELED;
    WEIR_ASSERT(target->held > 0);
    move_children(old, target);
    return 0;
}

int weir_started(void *value)
{
    return weir_started_for(weir_loop_->current, value);
}

struct weir_error *weir_start_take_errors(void)
{
    return weir_task_take_unread(weir_loop_->current, START_SERIAL);
}
