/* Nurseries: where children run, and where their errors are gathered. The rules are Trio's (DESIGN section 4). */
#include "task_private.h"

void weir_nursery_gather(struct weir_nursery *nursery, struct weir_error *error)
{
    error->nursery = nursery->serial;
    *nursery->errors_end = error;
    nursery->errors_end = &error->next;
    if (nursery->code == 0)
        nursery->code = error->code;
}

void weir_nursery_let_go(struct weir_nursery *nursery)
{
    if (--nursery->held == 0 && nursery->waiting) {
        nursery->waiting = false;
        weir_wake(weir_loop_, nursery->parent, 0);
    }
}

/* Cancels the rest for what `task`, a child or the parent, ended with. Where that is a cancellation from around, which
 * the others feel too, it makes theirs no harder than it is. */
static void cancel_for(struct weir_nursery *nursery, struct weir_task *task, const char *what, int code)
{
    struct weir_scope *scope = &nursery->scope;
    if (scope->cancel_called)
        return;
    struct weir_reason reason = {
        .what = what, .who = task->site, .where = nursery->site, .code = code, .loop = weir_loop_->number};
    if (code == -ECANCELED && scope->effectively_cancelled)
        weir_scope_cancel_as_felt(scope, &reason, scope->grace_over);
    else
        weir_scope_cancel_once(scope, &reason);
}

void weir_nursery_child_ended(struct weir_nursery *nursery, struct weir_task *task, struct weir_error *error,
                              int status)
{
    if (WEIR_UNLIKELY(error != NULL))
        weir_nursery_gather(nursery, error);
    if (WEIR_UNLIKELY(status < 0 || error != NULL)) {
        nursery->child_cancelled |= task->cancelled_alongside;
        cancel_for(nursery, task, error == NULL ? "a child was cancelled" : "a child failed",
                   error != NULL ? error->code : status);
    }
    weir_nursery_let_go(nursery);
}

void weir_nursery_open_(struct weir_nursery *nursery, const struct weir_site *site)
{
    struct weir_loop *loop = weir_loop_;
    weir_scope_open_(&nursery->scope, WEIR_NEVER, site);
    nursery->scope.nursery = nursery;
    nursery->parent = loop->current;
    nursery->serial = ++loop->nursery_serial;
    nursery->site = site;
    nursery->held = 1;
    nursery->waiting = nursery->child_cancelled = nursery->out_of_tasks = false;
    nursery->code = 0;
    nursery->starts = NULL;
    nursery->errors = NULL;
    nursery->errors_end = &nursery->errors;
    nursery->trust = NULL;
    weir_list_init(&nursery->children);
}

/* What the block amounts to: the body's error, a child's, a cancellation, or what the body left. */
static int combine(struct weir_nursery *nursery, int status)
{
    bool beside = nursery->scope.cancelled_alongside && nursery->scope.alongside == status;
    bool cancelled = status == -ECANCELED || nursery->child_cancelled || beside;
    int result = status < 0 && status != -ECANCELED ? status : nursery->code;
    nursery->scope.cancelled_alongside = cancelled && result < 0;
    nursery->scope.alongside = result;
    if (result < 0)
        return result;
    return cancelled ? -ECANCELED : status;
}

static const struct weir_wait children_wait = {.name = "a nursery's children"};

int weir_nursery_close_(struct weir_nursery *nursery, int status)
{
    struct weir_task *self = nursery->parent;
    WEIR_ASSERT(self == weir_loop_->current);
    status = weir_scope_abandon(self, &nursery->scope, status);
    if (status < 0)
        cancel_for(nursery, self,
                   status == -ECANCELED ? "the nursery's block was cancelled" : "the nursery's block failed", status);
    if (--nursery->held == 0) {
        weir_fast_path_done();
    } else {
        bool noted = self->since == CANCELLATION_NOTED;
        nursery->waiting = true;
        int waited = weir_park(weir_loop_, &children_wait, NULL);
        WEIR_ASSERT_EQ(waited, 0);
        if (WEIR_UNLIKELY(noted)) /* an error that comes out of the block is on its way still */
            self->since = CANCELLATION_NOTED;
    }
    if (WEIR_UNLIKELY(nursery->trust != NULL))
        weir_trust_end(nursery);
    if (WEIR_UNLIKELY(nursery->errors != NULL)) {
        *self->unread_end = nursery->errors;
        self->unread_end = nursery->errors_end;
        nursery->errors = NULL;
    }
    return weir_scope_leave(&nursery->scope, combine(nursery, status));
}

static void gather_no_memory(struct weir_nursery *nursery, const struct weir_site *site)
{
    struct weir_error *error = weir_error_take(weir_loop_);
    if (error == NULL) {
        if (nursery->code == 0)
            nursery->code = -ENOMEM;
        if (nursery->parent != NULL)
            nursery->parent->unrecorded = -ENOMEM;
        return;
    }
    weir_loop_->errors_held++;
    error->code = -ENOMEM;
    error->site = site;
    error->reason = (struct weir_reason){0};
    weir_nursery_gather(nursery, error);
}

int weir_try_start_soon_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, const struct weir_site *site)
{
    if (WEIR_UNLIKELY(nursery->held == 0)) {
        weir_log(WEIR_LOG_ERROR, "%s was to start in a nursery that is closed (%s:%d)", site->name, site->file,
                 site->line);
        return -EBADF;
    }
    return weir_task_spawn(weir_loop_, nursery, fn, arg, site) != NULL ? 0 : -ENOMEM;
}

int weir_start_soon_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, const struct weir_site *site)
{
    int rc = weir_try_start_soon_(nursery, fn, arg, site);
    if (WEIR_UNLIKELY(rc == -ENOMEM)) {
        if (!nursery->out_of_tasks) /* said once, or it would eat the records that tasks need */
            gather_no_memory(nursery, site);
        nursery->out_of_tasks = true;
        weir_scope_cancel_once(
            &nursery->scope,
            &(struct weir_reason){.what = "out of tasks", .where = site, .code = -ENOMEM, .loop = weir_loop_->number});
    }
    return rc;
}

int weir_spawn_system_task_(int (*fn)(void *), void *arg, const struct weir_site *site)
{
    struct weir_loop *loop = weir_loop_;
    if (loop->system.held == 0)
        return -ESRCH;
    struct weir_task *task = weir_task_spawn(loop, &loop->system, fn, arg, site);
    if (task == NULL)
        return -ENOMEM;
    weir_locals_drop(task); /* it is nobody's child */
    return 0;
}

struct weir_error *weir_task_take_unread(struct weir_task *task, uint64_t serial)
{
    struct weir_error *taken = NULL, **end = &taken, **at = &task->unread;
    while (*at != NULL) {
        struct weir_error *error = *at;
        if (error->nursery != serial) {
            at = &error->next;
            continue;
        }
        *at = error->next;
        error->next = NULL;
        *end = error;
        end = &error->next;
    }
    task->unread_end = at;
    return taken;
}

struct weir_error *weir_nursery_take_errors(struct weir_nursery *nursery)
{
    weir_loop_->current->unrecorded = 0;
    return weir_task_take_unread(weir_loop_->current, nursery->serial);
}

void weir_error_rejoin(struct weir_error *group)
{
    struct weir_task *self = weir_loop_->current;
    *self->unread_end = group;
    for (; group != NULL; group = group->next) {
        group->nursery = 0; /* no nursery's any more */
        self->unread_end = &group->next;
    }
}
