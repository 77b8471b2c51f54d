#include "twin.h"

static struct weir_nursery nursery;
static int depths[] = {0, 1, 2, 3, 4}, totals[5];

static int link_of_chain(void *arg)
{
    int depth = *(int *)arg;
    void *below = &totals[0];
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    if (depth > 1)
        WEIR_TRY(weir_start(&nursery, link_of_chain, &depths[depth - 1], &below));
    say("%d: below %d %.1f", depth, *(int *)below, now());
    totals[depth] = *(int *)below + depth;
    weir_started(&totals[depth]);
    int rc = weir_sleep(WEIR_SECONDS(10 * depth));
    say("%d: ends %.1f", depth, now());
    return rc;
}

static int main_task(void *arg)
{
    struct weir_scope scope;
    void *value;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, link_of_chain, &depths[4], &value));
        say("main: %d %u %.1f", *(int *)value, weir_nursery_child_count(&nursery), now());
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(25)));
        weir_nursery_cancel(&nursery);
    }
    say("main: %.1f", now());
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(2.5), rc)
            rc = weir_start(&nursery, link_of_chain, &depths[4], NULL);
        say("main: %s %u %.1f", yes(scope.cancelled_caught), weir_nursery_child_count(&nursery), now());
    }
    return rc;
}

TWIN(main_task)
