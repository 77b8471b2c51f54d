/* Waiting for several futures: until so many are done, or for one after the other. Whoever waits brings the records. */
#include "async_private.h"

static void watch_all(struct weir_watch *watches, size_t n, void *owner,
                      void (*fn)(struct weir_done_callback *callback, struct weir_future *future))
{
    for (size_t i = 0; i < n; i++) {
        watches[i].owner = owner;
        watches[i].callback.fn = fn;
        weir_future_add_done_callback(watches[i].future, &watches[i].callback);
    }
}

static void unwatch_all(struct weir_watch *watches, size_t n)
{
    for (size_t i = 0; i < n; i++)
        weir_future_remove_done_callback(&watches[i].callback);
}

/* ---- until so many are done ---- */

struct waiting {
    enum weir_return_when when;
    size_t left;
    bool enough;
    struct weir_task *task; /* NULL: it does not wait, or has been woken */
};

static void one_is_done(struct weir_done_callback *callback, struct weir_future *future)
{
    struct waiting *waiting = WEIR_CONTAINER_OF(callback, struct weir_watch, callback)->owner;
    bool failed = future->code < 0 && future->code != -ECANCELED;
    waiting->left--;
    if (waiting->left == 0 || waiting->when == WEIR_FIRST_COMPLETED || (waiting->when == WEIR_FIRST_ERROR && failed))
        waiting->enough = true;
    if (waiting->enough && waiting->task != NULL) {
        weir_task_wake(waiting->task, 0);
        waiting->task = NULL;
    }
}

static bool abort_wait(struct weir_task *task, void *arg)
{
    struct waiting *waiting = arg;
    waiting->task = NULL;
    return true;
}

static void describe_wait(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct waiting *waiting = arg;
    fprintf(out, "for %s%zu", waiting->when == WEIR_ALL_COMPLETED ? "" : "one of ", waiting->left);
}

static const struct weir_wait several_wait = {.name = "weir_wait", .abort = abort_wait, .describe = describe_wait};

int weir_wait(struct weir_watch *watches, size_t n, enum weir_return_when when)
{
    struct waiting waiting = {.when = when, .left = n, .enough = n == 0};
    int rc = 0;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    watch_all(watches, n, &waiting, one_is_done);
    if (waiting.enough) {
        weir_fast_path_done();
    } else {
        waiting.task = weir_current_task();
        rc = weir_task_park(&several_wait, &waiting);
    }
    unwatch_all(watches, n);
    return rc < 0 ? rc : (int)(n - waiting.left);
}

/* ---- one after the other ---- */

static void one_completed(struct weir_done_callback *callback, struct weir_future *future)
{
    struct weir_completions *completions = WEIR_CONTAINER_OF(callback, struct weir_watch, callback)->owner;
    weir_list_append(&completions->done, &callback->link); /* free again: it has been called */
    if (completions->waiting != NULL && !completions->woken) {
        completions->woken = true;
        weir_task_wake(completions->waiting, 0);
    }
}

void weir_as_completed(struct weir_completions *completions, struct weir_watch *watches, size_t n)
{
    *completions = (struct weir_completions){.watches = watches, .n = n, .left = n, .begun = true};
    weir_list_init(&completions->done);
    watch_all(watches, n, completions, one_completed);
}

void weir_completions_end(struct weir_completions *completions)
{
    unwatch_all(completions->watches, completions->n);
    completions->n = completions->left = 0;
}

static bool abort_next(struct weir_task *task, void *arg)
{
    struct weir_completions *completions = arg;
    completions->woken = true;
    return true;
}

static const struct weir_wait next_wait = {.name = "weir_next_completed", .abort = abort_next};

static void take_first(struct weir_completions *completions, struct weir_watch **watch)
{
    struct weir_done_callback *first = WEIR_LIST_FIRST(&completions->done, struct weir_done_callback, link);
    weir_list_remove(&first->link);
    completions->left--;
    *watch = WEIR_CONTAINER_OF(first, struct weir_watch, callback);
}

int weir_next_completed(struct weir_completions *completions, struct weir_watch **watch)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (completions->waiting == NULL && completions->left > 0 && weir_list_empty(&completions->done)) {
        completions->waiting = weir_current_task();
        completions->woken = false;
        int rc = weir_task_park(&next_wait, completions);
        completions->waiting = NULL;
        if (rc == 0)
            take_first(completions, watch);
        return rc;
    }
    int rc = completions->waiting != NULL ? -EBUSY : completions->left == 0 ? -ENODATA : 0;
    if (rc == 0)
        take_first(completions, watch);
    weir_fast_path_done();
    return rc;
}

struct weir_watch *weir_each_completed_(struct weir_completions *completions, struct weir_watch *watches, size_t n,
                                        int *status)
{
    struct weir_watch *watch;
    if (*status < 0) /* the body's */
        return NULL;
    if (!completions->begun)
        weir_as_completed(completions, watches, n);
    int rc = weir_next_completed(completions, &watch);
    if (rc == 0)
        return watch;
    *status = rc == -ENODATA ? *status : rc;
    return NULL;
}
