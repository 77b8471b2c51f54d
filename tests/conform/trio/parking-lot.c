#include "twin.h"

static struct weir_parking_lot lot;
static char names[][2] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static int parker(void *who)
{
    WEIR_TRY(weir_parking_lot_park(&lot));
    say("%s: out %.1f", (char *)who, now());
    return 0;
}

static int main_task(void *arg)
{
    struct weir_parking_lot_statistics statistics;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_parking_lot_init(&lot);
    say("main: %u", weir_parking_lot_unpark(&lot, 1));
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 6; i++)
            weir_start_soon(&nursery, parker, names[i]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_parking_lot_statistics(&lot, &statistics);
        say("main: %u %u", weir_parking_lot_waiting(&lot), statistics.tasks_waiting);
        weir_parking_lot_unpark(&lot, 1);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_parking_lot_unpark(&lot, 2);
        say("main: %u", weir_parking_lot_waiting(&lot));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_parking_lot_park(&lot);
        say("main: %s %u", yes(scope.cancelled_caught), weir_parking_lot_waiting(&lot));
        say("main: %u", weir_parking_lot_unpark(&lot, 10));
        say("main: %u", weir_parking_lot_unpark_all(&lot));
    }
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, parker, names[6]);
        weir_start_soon(&nursery, parker, names[7]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say("main: %u", weir_parking_lot_unpark_all(&lot));
    }
    return rc;
}

TWIN(main_task)
