/* Parking lots: lines of waiting tasks. */
#include <limits.h>
#include <weir/parking.h>

void weir_parking_lot_init(struct weir_parking_lot *lot)
{
    weir_list_init(&lot->parked);
}

int weir_waiter_park(struct weir_waiter *waiter, struct weir_parking_lot *lot, const struct weir_wait *wait)
{
    waiter->task = weir_current_task();
    waiter->lot = lot;
    weir_list_append(&lot->parked, &waiter->link);
    return weir_task_park(wait, waiter);
}

bool weir_waiter_abort(struct weir_task *task, void *waiter)
{
    weir_list_remove(&((struct weir_waiter *)waiter)->link);
    return true;
}

static const struct weir_wait park_wait = {.name = "weir_parking_lot_park", .abort = weir_waiter_abort};

int weir_parking_lot_park(struct weir_parking_lot *lot)
{
    struct weir_waiter waiter;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    return weir_waiter_park(&waiter, lot, &park_wait);
}

unsigned weir_parking_lot_unpark(struct weir_parking_lot *lot, unsigned count)
{
    struct weir_waiter *first;
    unsigned done = 0;
    for (; done < count && (first = weir_parking_lot_first(lot)) != NULL; done++)
        weir_waiter_wake(first, 0);
    return done;
}

unsigned weir_parking_lot_unpark_all(struct weir_parking_lot *lot)
{
    return weir_parking_lot_unpark(lot, UINT_MAX);
}

unsigned weir_parking_lot_repark(struct weir_parking_lot *lot, struct weir_parking_lot *to, unsigned count)
{
    struct weir_waiter *first;
    unsigned done = 0;
    if (lot == to)
        return 0;
    for (; done < count && (first = weir_parking_lot_first(lot)) != NULL; done++) {
        weir_list_remove(&first->link);
        first->lot = to;
        weir_list_append(&to->parked, &first->link);
    }
    return done;
}

unsigned weir_parking_lot_repark_all(struct weir_parking_lot *lot, struct weir_parking_lot *to)
{
    return weir_parking_lot_repark(lot, to, UINT_MAX);
}

void weir_parking_lot_statistics(const struct weir_parking_lot *lot, struct weir_parking_lot_statistics *statistics)
{
    unsigned count = 0;
    for (const struct weir_list *at = lot->parked.next; at != &lot->parked; at = at->next)
        count++;
    statistics->tasks_waiting = count;
}
