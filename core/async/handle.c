/* Task handles: a task that is wrapped in a scope of its own, and whose outcome is a future. */
#include "async_private.h"

static void set_up(struct weir_handle *handle, int (*fn)(void *), void *arg, bool kept, const struct weir_site *site)
{
    *handle = (struct weir_handle){.name = site->name, .kept = kept, .fn = fn, .arg = arg};
    weir_future_init_(&handle->future, site);
}

/* What is left of a cancellation by the handle once its scope has caught it. */
static int result_of(struct weir_handle *handle, int returned, int status)
{
    int code = weir_current_outcome(status);
    if (returned == -ECANCELED && code == 0)
        code = -ECANCELED;
    if (code == -ECANCELED && handle->cancelling == 0)
        weir_current_cancel_reason(&handle->future.reason); /* a scope around the nursery, or the nursery's */
    return code;
}

static int run_task(void *arg)
{
    struct weir_handle *handle = arg;
    weir_scope_open_(&handle->scope, WEIR_NEVER, handle->future.site);
    handle->opened = true;
    if (handle->cancelling > 0)
        weir_scope_cancel_why(&handle->scope, &handle->future.reason);
    int returned = handle->fn(handle->arg);
    int status = weir_scope_close(&handle->scope, returned);
    int code = result_of(handle, returned, status);
    if (handle->kept)
        status = weir_trust_outcome(&handle->future.trust, status);
    handle->task = NULL;
    weir_future_settle(&handle->future, code, NULL);
    return status;
}

static int spawned(struct weir_nursery *nursery, struct weir_handle *handle, int rc)
{
    if (rc < 0)
        weir_future_settle(&handle->future, rc, NULL);
    else
        handle->task = weir_nursery_newest_child(nursery);
    return rc;
}

int weir_spawn_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, struct weir_handle *handle,
                const struct weir_site *site)
{
    set_up(handle, fn, arg, false, site);
    return spawned(nursery, handle, weir_start_soon_(nursery, run_task, handle, site));
}

int weir_spawn_kept_(struct weir_nursery *nursery, int (*fn)(void *), void *arg, struct weir_handle *handle,
                     const struct weir_site *site)
{
    set_up(handle, fn, arg, true, site);
    return spawned(nursery, handle, weir_try_start_soon_(nursery, run_task, handle, site));
}

int weir_handle_cancel_(struct weir_handle *handle, const char *what, const struct weir_site *where)
{
    struct weir_task *self = weir_current_task();
    if (handle->future.done)
        return -EALREADY;
    if (handle->cancelling++ > 0)
        return 0;
    handle->future.reason =
        (struct weir_reason){.what = what, .who = self != NULL ? weir_task_site(self) : NULL, .where = where};
    if (handle->opened)
        weir_scope_cancel_why(&handle->scope, &handle->future.reason);
    return 0;
}

static const struct weir_wait handle_wait = {
    .name = "weir_handle_wait", .abort = weir_waiter_abort, .describe = weir_future_describe};

static bool is_own(const struct weir_handle *handle)
{
    return handle->task != NULL && handle->task == weir_current_task();
}

int weir_handle_wait(struct weir_handle *handle)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (is_own(handle)) {
        weir_fast_path_done();
        return -EDEADLK;
    }
    return weir_future_park(&handle->future, NULL, &handle_wait);
}
