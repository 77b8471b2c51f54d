#include "twin.h"

static struct weir_event event;

static int waiter(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(*(int *)arg)));
    return weir_event_wait(&event);
}

static void report(void)
{
    struct weir_event_statistics statistics;
    weir_event_statistics(&event, &statistics);
    say("main: %s %u", yes(weir_event_is_set(&event)), statistics.tasks_waiting);
}

static int main_task(void *arg)
{
    static int starts[] = {0, 1, 2, 3};
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&event);
    report();
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, waiter, &starts[i]);
        for (int i = 0; i < 4 && rc == 0; i++) {
            rc = weir_sleep(WEIR_SECONDS(0.7));
            report();
        }
        weir_move_on_after (&scope, WEIR_SECONDS(0.5), rc)
            rc = weir_event_wait(&event);
        report();
        weir_event_set(&event);
        weir_event_set(&event);
        report();
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
    }
    report();
    return rc;
}

TWIN(main_task)
