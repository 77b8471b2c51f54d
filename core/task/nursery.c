/* Nurseries: where children run, and where their errors are gathered. The rules are Trio's (DESIGN section 4). */
#include "task_private.h"

static struct start_request start_done; /* what task->start points to after the report; never written */

static void gather(struct weir_nursery *nursery, struct weir_error *error)
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
        weir_task_wake(nursery->parent, 0);
    }
}

/* Cancels the rest for what `task`, a child or the parent, ended with. */
static void cancel_for(struct weir_nursery *nursery, struct weir_task *task, const char *what, int code)
{
    weir_scope_cancel_once(
        &nursery->scope,
        &(struct weir_reason){
            .what = what, .who = task->site, .where = nursery->site, .code = code, .loop = weir_loop_->number});
}

void weir_nursery_child_ended(struct weir_nursery *nursery, struct weir_task *task, struct weir_error *error,
                              int status)
{
    if (WEIR_UNLIKELY(error != NULL))
        gather(nursery, error);
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
    nursery->errors = NULL;
    nursery->errors_end = &nursery->errors;
    weir_list_init(&nursery->children);
    weir_list_append(&loop->current->nurseries, &nursery->sibling);
}

/* What the block amounts to: the body's error, a child's, a cancellation, or what the body left. */
static int combine(struct weir_nursery *nursery, int status)
{
    bool beside = status < 0 && nursery->scope.cancelled_alongside;
    bool cancelled = status == -ECANCELED || nursery->child_cancelled || beside;
    int result = status < 0 && status != -ECANCELED ? status : nursery->code;
    nursery->scope.cancelled_alongside = cancelled && result < 0;
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
    weir_nursery_let_go(nursery);
    if (nursery->held == 0) {
        weir_fast_path_done();
    } else {
        bool noted = self->since == CANCELLATION_NOTED;
        nursery->waiting = true;
        int waited = weir_task_park(&children_wait, NULL);
        WEIR_ASSERT_EQ(waited, 0);
        if (WEIR_UNLIKELY(noted)) /* an error that comes out of the block is on its way still */
            self->since = CANCELLATION_NOTED;
    }
    weir_list_remove(&nursery->sibling);
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
        return;
    }
    weir_loop_->errors_held++;
    error->code = -ENOMEM;
    error->site = site;
    error->reason = (struct weir_reason){0};
    gather(nursery, error);
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
    return weir_task_spawn(loop, &loop->system, fn, arg, site) != NULL ? 0 : -ENOMEM;
}

int weir_start_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, void **value, const struct weir_site *site)
{
    struct start_request request = {.target = nursery};
    if (nursery->held == 0)
        return -EBADF;
    nursery->held++;
    weir_nursery_open_(&request.old, site);
    struct weir_task *task = weir_task_spawn(weir_loop_, &request.old, fn, arg, site);
    if (task != NULL)
        task->start = &request;
    int status = weir_nursery_close_(&request.old, task != NULL ? 0 : -ENOMEM);
    weir_nursery_let_go(nursery);
    struct weir_error *errors = weir_nursery_take_errors(&request.old);
    if (errors != NULL && errors->children != NULL) /* a whole group says more than the one code that we return */
        weir_error_print(stderr, errors);
    weir_error_free(errors);
    if (status < 0)
        return status;
    if (!request.reported)
        return -EPROTO;
    if (value != NULL)
        *value = request.value;
    return 0;
}

int weir_started(void *value)
{
    struct weir_task *self = weir_loop_->current;
    struct start_request *request = self->start;
    if (request == NULL)
        return 0;
    if (request == &start_done)
        return -EALREADY;
    self->start = &start_done;
    request->reported = true;
    request->value = value;
    struct weir_nursery *old = &request->old, *target = request->target;
    /* A child that may already carry a -ECANCELED must end where a scope catches it. */
    if (old->scope.effectively_cancelled)
        return 0;
    WEIR_ASSERT(target->held > 0);
    weir_list_remove(&self->sibling);
    weir_list_append(&target->children, &self->sibling);
    self->nursery = target;
    target->held++;
    if (self->scope == &old->scope)
        self->scope = &target->scope;
    struct weir_scope *scope;
    WEIR_LIST_FOREACH (scope, &old->scope.children, struct weir_scope, sibling) {
        weir_list_remove(&scope->sibling);
        scope->parent = &target->scope;
        weir_list_append(&target->scope.children, &scope->sibling);
        weir_scope_update(scope);
    }
    weir_nursery_let_go(old);
    return 0;
}

struct weir_error *weir_nursery_take_errors(struct weir_nursery *nursery)
{
    struct weir_task *self = weir_loop_->current;
    struct weir_error *taken = NULL, **end = &taken, **at = &self->unread;
    while (*at != NULL) {
        struct weir_error *error = *at;
        if (error->nursery != nursery->serial) {
            at = &error->next;
            continue;
        }
        *at = error->next;
        error->next = NULL;
        *end = error;
        end = &error->next;
    }
    self->unread_end = at;
    return taken;
}
