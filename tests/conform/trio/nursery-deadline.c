#include "twin.h"

struct child {
    int number;
    struct weir_nursery *nursery;
};

static int twice(struct child *child)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(child->number)));
    say("%d: slept %.1f", child->number, now());
    weir_scope_set_deadline(&child->nursery->scope, child->nursery->scope.deadline + WEIR_SECONDS(1));
    return weir_sleep(WEIR_SECONDS(child->number));
}

static int run_child(void *arg)
{
    struct child *child = arg;
    int rc = twice(child);
    say("%d: ends %.1f", child->number, now());
    return rc;
}

static int main_task(void *arg)
{
    static const int numbers[] = {1, 2, 3, 9};
    struct weir_nursery nursery;
    struct child children[4];
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_scope_set_deadline(&nursery.scope, WEIR_SECONDS(2.5));
        for (int i = 0; i < 4; i++) {
            children[i] = (struct child){numbers[i], &nursery};
            weir_start_soon(&nursery, run_child, &children[i]);
        }
        rc = weir_sleep(WEIR_SECONDS(20));
        say("main: %s %.1f", name(rc), now());
    }
    say("main: %s %.1f", yes(nursery.scope.cancelled_caught), now());
    return rc;
}

TWIN(main_task)
