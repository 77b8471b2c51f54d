#include "twin.h"

static struct weir_event event;

static int waiter(void *arg)
{
    WEIR_TRY(weir_event_wait(&event));
    say("%d: woken %.1f", *(int *)arg, now());
    return 0;
}

static int main_task(void *arg)
{
    static int numbers[] = {0, 1, 2};
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, waiter, &numbers[i]);
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_event_wait(&event);
        say("main: %s %u", yes(scope.cancelled_caught), weir_event_waiting(&event));
        weir_event_set(&event);
        say("main: %s %u", yes(weir_event_is_set(&event)), weir_event_waiting(&event));
        rc = weir_event_wait(&event);
    }
    return rc;
}

TWIN(main_task)
