/* Futures: a result that is yet to come. */
#include "async_private.h"

/* Whether a group tells more than its code: several errors, or one that became another. */
static bool says_more(const struct weir_error *error)
{
    for (; error != NULL; error = error->children)
        if (error->next != NULL || (error->children != NULL && error->children->code != error->code))
            return true;
    return false;
}

void weir_error_was_read(struct weir_error *group)
{
    if (says_more(group))
        weir_error_print(stderr, group);
    weir_error_free(group);
}

void weir_future_init_(struct weir_future *future, const struct weir_site *site)
{
    *future = (struct weir_future){.site = site};
    weir_parking_lot_init(&future->lot);
    weir_list_init(&future->callbacks);
}

/* As a waiter is told: its own cancellation must be the only -ECANCELED that it sees. */
static int outcome(struct weir_future *future, void **value)
{
    int rc = weir_future_result(future, value);
    return rc == -ECANCELED ? -EOWNERDEAD : rc;
}

/* They are told at once: the future may be gone before they run. */
static void wake_all(struct weir_future *future)
{
    struct weir_waiter *waiter;
    while ((waiter = weir_parking_lot_first(&future->lot)) != NULL)
        weir_waiter_wake(waiter, outcome(future, waiter->arg));
}

/* Nothing of the future is touched after the last callback: it may free it. */
void weir_future_settle(struct weir_future *future, int code, void *value)
{
    WEIR_ASSERT(!future->done);
    struct weir_list callbacks;
    struct weir_done_callback *callback;
    future->done = true;
    future->code = code;
    future->value = value;
    wake_all(future);
    weir_list_init(&callbacks);
    weir_list_append(&future->callbacks, &callbacks); /* takes the place of the head */
    weir_list_remove(&future->callbacks);
    while ((callback = WEIR_LIST_FIRST(&callbacks, struct weir_done_callback, link)) != NULL) {
        weir_list_remove(&callback->link);
        callback->fn(callback, future);
    }
}

int weir_future_set_result(struct weir_future *future, int result, void *value)
{
    if (result < 0)
        return -EINVAL;
    if (future->done)
        return -EALREADY;
    weir_future_settle(future, result, value);
    return 0;
}

int weir_future_set_error(struct weir_future *future, int code)
{
    if (code >= 0 || code == -ECANCELED)
        return -EINVAL;
    if (future->done)
        return -EALREADY;
    weir_trust_error(&future->trust, code, future->site); /* before anybody reads it */
    weir_future_settle(future, code, NULL);
    return 0;
}

struct weir_reason weir_reason_of_caller(const char *what, const struct weir_site *where)
{
    struct weir_task *self = weir_current_task();
    struct weir_loop *loop = weir_current_loop();
    return (struct weir_reason){.what = what,
                                .who = self != NULL ? weir_task_site(self) : NULL,
                                .where = where,
                                .loop = loop != NULL ? weir_loop_number(loop) : 0};
}

int weir_future_cancel_(struct weir_future *future, const char *what, const struct weir_site *where)
{
    struct weir_task *self = weir_current_task();
    if (future->done)
        return -EALREADY;
    future->reason =
        (struct weir_reason){.what = what, .who = self != NULL ? weir_task_site(self) : NULL, .where = where};
    weir_future_settle(future, -ECANCELED, NULL);
    return 0;
}

void weir_future_close(struct weir_future *future)
{
    if (!future->done)
        weir_future_settle(future, -EBADF, NULL);
    else if (weir_current_task() != NULL)
        weir_error_rejoin(weir_trust_take(&future->trust));
}

struct weir_error *weir_future_take_error(struct weir_future *future)
{
    return weir_trust_take(&future->trust);
}

int weir_future_result(struct weir_future *future, void **value)
{
    if (!future->done)
        return -EINPROGRESS;
    weir_error_was_read(weir_trust_take(&future->trust));
    if (future->code >= 0 && value != NULL)
        *value = future->value;
    return future->code;
}

int weir_future_cancel_reason(const struct weir_future *future, struct weir_reason *reason)
{
    if (!weir_future_is_cancelled(future))
        return -ENOENT;
    *reason = future->reason;
    return 0;
}

void weir_future_add_done_callback(struct weir_future *future, struct weir_done_callback *callback)
{
    weir_list_init(&callback->link);
    if (future->done)
        callback->fn(callback, future);
    else
        weir_list_append(&future->callbacks, &callback->link);
}

bool weir_future_remove_done_callback(struct weir_done_callback *callback)
{
    bool was_there = !weir_list_empty(&callback->link);
    weir_list_remove(&callback->link);
    return was_there;
}

/* ---- waiting ---- */

void weir_future_describe(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_waiter *waiter = arg;
    const struct weir_site *site = ((const struct weir_future *)waiter->object)->site;
    fprintf(out, "for %s (%s:%d)", site->name, site->file, site->line);
}

int weir_future_park(struct weir_future *future, void **value, const struct weir_wait *wait)
{
    struct weir_waiter waiter = {.object = future, .arg = value};
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (future->done) {
        int rc = outcome(future, value);
        weir_fast_path_done();
        return rc;
    }
    return weir_waiter_park(&waiter, &future->lot, wait);
}

static const struct weir_wait future_wait = {
    .name = "weir_future_wait", .abort = weir_waiter_abort, .describe = weir_future_describe};

int weir_future_wait(struct weir_future *future, void **value)
{
    return weir_future_park(future, value, &future_wait);
}

/* ---- as a case of a weir_select ---- */

static int attempt(struct weir_case *one)
{
    struct weir_future *future = one->waiter.object;
    return future->done ? outcome(future, one->waiter.arg) : -EAGAIN;
}

/* One that is done gets here only if its error is -EAGAIN itself. */
static int enter(struct weir_case *one)
{
    struct weir_future *future = one->waiter.object;
    if (future->done)
        return outcome(future, one->waiter.arg);
    weir_waiter_enter(&one->waiter, &future->lot);
    return 0;
}

const struct weir_case_kind weir_future_case = {
    .name = "weir_future_wait", .attempt = attempt, .enter = enter, .leave = weir_case_leave_line};
