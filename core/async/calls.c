/* Several calls side by side, each a task of a nursery that lasts as long as they do. */
#include "async_private.h"

static int run_call(void *arg)
{
    struct weir_call *call = arg;
    int status = call->fn(call->arg);
    call->result = weir_current_outcome(status);
    return status;
}

/* The same, but its error cancels nobody. It is in the nursery's trust, and comes out with the group. */
static int run_call_alone(void *arg)
{
    struct weir_trust trust = {0};
    int status = run_call(arg);
    return weir_trust_outcome(&trust, status);
}

static int start_all(struct weir_nursery *nursery, struct weir_call *calls, size_t n, int (*run)(void *),
                     const struct weir_site *site)
{
    for (size_t i = 0; i < n; i++)
        calls[i].result = -ECANCELED;
    for (size_t i = 0; i < n; i++)
        WEIR_TRY(weir_start_soon_(nursery, run, &calls[i], calls[i].site != NULL ? calls[i].site : site));
    return 0;
}

static bool was_cancelled(const struct weir_nursery *nursery)
{
    return nursery->child_cancelled && !nursery->scope.cancelled_caught;
}

/* The results have told the caller each call's code; what lies below is told here. */
static void results_were_read(struct weir_error *group)
{
    struct weir_error *next;
    for (; group != NULL; group = next) {
        next = group->next;
        group->next = NULL;
        weir_error_was_read(group);
    }
}

int weir_gather_(struct weir_call *calls, size_t n, enum weir_gather_mode mode, struct weir_error **errors,
                 const struct weir_site *site)
{
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    struct weir_nursery_guard guard = weir_nursery_guard_open_(&nursery, &rc, site);
    int started = start_all(&nursery, calls, n, mode == WEIR_FAIL_FAST ? run_call : run_call_alone, site);
    weir_nursery_guard_close_(&guard);
    if (errors != NULL)
        *errors = weir_nursery_take_errors(&nursery);
    if (mode == WEIR_FAIL_FAST || started < 0)
        return rc;
    if (errors == NULL)
        results_were_read(weir_nursery_take_errors(&nursery));
    return was_cancelled(&nursery) ? -ECANCELED : 0;
}

/* ---- race ---- */

struct race {
    struct weir_nursery nursery;
    struct weir_call *winner; /* NULL: none yet */
    const struct weir_site *site;
};

static int run_racer(void *arg)
{
    struct weir_call *call = arg;
    struct weir_nursery *nursery = weir_task_parent_nursery(weir_current_task());
    struct race *race = WEIR_CONTAINER_OF(nursery, struct race, nursery);
    int status = run_call(arg);
    if (race->winner == NULL && call->result != -ECANCELED) {
        race->winner = call;
        weir_scope_cancel_(&nursery->scope, "lost the race", race->site);
    }
    return status;
}

int weir_race_(struct weir_call *calls, size_t n, size_t *winner, struct weir_error **errors,
               const struct weir_site *site)
{
    struct race race = {.site = site};
    int rc = 0;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (n == 0) {
        weir_fast_path_done();
        return -EINVAL;
    }
    struct weir_nursery_guard guard = weir_nursery_guard_open_(&race.nursery, &rc, site);
    start_all(&race.nursery, calls, n, run_racer, site);
    weir_nursery_guard_close_(&guard);
    if (errors != NULL)
        *errors = weir_nursery_take_errors(&race.nursery);
    if (winner != NULL)
        *winner = race.winner != NULL ? (size_t)(race.winner - calls) : n;
    /* A winner beats a cancellation that came after it: what it brought would be lost. */
    bool won = race.winner != NULL && race.winner->result >= 0 && (rc >= 0 || rc == -ECANCELED);
    return won ? race.winner->result : rc;
}

/* ---- a call with a deadline ---- */

int weir_wait_for_(int (*fn)(void *), void *arg, weir_time delay, const struct weir_site *site)
{
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    struct weir_scope_guard guard =
        weir_scope_guard_open_(&scope, weir_time_add(weir_current_time(), delay), true, &rc, site);
    rc = fn(arg);
    weir_scope_guard_close_(&guard);
    weir_fast_path_done();
    return rc;
}
