/* core/sync: parking lots. */
#include "../support/core.h"

static char names[][2] = {"a", "b", "c", "d", "e"};

static struct weir_parking_lot lot, other;

static int park(void *name)
{
    int rc = weir_parking_lot_park(&lot);
    note("%s", (char *)name);
    return rc;
}

static unsigned parked(const struct weir_parking_lot *in)
{
    struct weir_parking_lot_statistics statistics;
    weir_parking_lot_statistics(in, &statistics);
    return statistics.tasks_waiting;
}

static void park_some(struct weir_nursery *nursery)
{
    weir_parking_lot_init(&lot);
    weir_parking_lot_init(&other);
    for (int i = 0; i < 5; i++)
        weir_start_soon(nursery, park, names[i]);
}

TASK_TEST(parking, lets_out_in_order_as_many_as_it_is_told)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        park_some(&nursery);
        cr_expect_eq(weir_parking_lot_unpark(&lot, 1), 0);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(parked(&lot), 5);
        cr_expect_eq(weir_parking_lot_unpark(&lot, 2), 2);
        cr_expect_eq(parked(&lot), 3);
        WEIR_DO(rc, weir_sleep(1));
        note("main");
        cr_expect_eq(weir_parking_lot_unpark_all(&lot), 3);
        cr_expect_eq(weir_parking_lot_unpark_all(&lot), 0);
    }
    cr_expect_str_eq(notes, "a b main c d e");
    return rc;
}

TASK_TEST(parking, moves_them_to_another_lot_in_order)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        park_some(&nursery);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_parking_lot_repark(&lot, &other, 2), 2);
        cr_expect_eq(weir_parking_lot_repark_all(&lot, &lot), 0);
        cr_expect_eq(parked(&lot), 3);
        cr_expect_eq(parked(&other), 2);
        weir_parking_lot_unpark(&lot, 1);
        cr_expect_eq(weir_parking_lot_repark_all(&lot, &other), 2);
        cr_expect_eq(weir_parking_lot_unpark_all(&other), 4);
    }
    cr_expect_str_eq(notes, "c a b d e");
    return rc;
}

TASK_TEST(parking, who_is_cancelled_leaves_the_lot_he_was_moved_to)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        park_some(&nursery);
        WEIR_DO(rc, weir_sleep(1));
        weir_parking_lot_repark(&lot, &other, 2);
        weir_nursery_cancel(&nursery);
        cr_expect_eq(parked(&lot) + parked(&other), 0);
    }
    return rc;
}
