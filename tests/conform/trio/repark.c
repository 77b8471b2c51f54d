/* Who is moved to another lot is at the end of its line, and is cancelled out of it. */
#include "twin.h"

static struct weir_parking_lot one, other;

struct parker {
    const char *who;
    struct weir_parking_lot *lot;
    struct weir_scope scope;
};

static int park(void *arg)
{
    struct parker *parker = arg;
    int rc = 0;
    weir_with_scope (&parker->scope, rc) {
        WEIR_DO(rc, weir_parking_lot_park(parker->lot));
        say("%s: out %.1f", parker->who, now());
    }
    if (parker->scope.cancelled_caught)
        say("%s: cancelled %.1f", parker->who, now());
    return rc;
}

static void report(void)
{
    say("main: %u %u", weir_parking_lot_waiting(&one), weir_parking_lot_waiting(&other));
}

static int main_task(void *arg)
{
    static struct parker parkers[] = {{"a", &one}, {"b", &one}, {"c", &one}, {"d", &one}, {"e", &other}, {"f", &other}};
    struct weir_nursery nursery;
    int rc = 0;
    weir_parking_lot_init(&one);
    weir_parking_lot_init(&other);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 6; i++)
            weir_start_soon(&nursery, park, &parkers[i]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_parking_lot_repark(&one, &other, 1);
        report();
        weir_parking_lot_repark(&one, &other, 2);
        report();
        weir_scope_cancel(&parkers[0].scope);
        report();
        weir_parking_lot_unpark(&other, 2);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_parking_lot_repark_all(&one, &other);
        report();
        weir_parking_lot_unpark_all(&other);
    }
    return rc;
}

TWIN(main_task)
