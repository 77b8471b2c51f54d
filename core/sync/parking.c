/* Parking lots: lines of waiting tasks. */
#include <limits.h>
#include <weir/select.h>

void weir_parking_lot_init(struct weir_parking_lot *lot)
{
    weir_list_init(&lot->parked);
}

bool weir_waiter_abort(struct weir_task *task, void *waiter)
{
    weir_list_remove(&((struct weir_waiter *)waiter)->link);
    return true;
}

static const struct weir_wait park_wait = {.name = "weir_parking_lot_park", .abort = weir_waiter_abort};

int weir_parking_lot_park(struct weir_parking_lot *lot)
{
    struct weir_waiter waiter = {0};
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

unsigned weir_parking_lot_waiting(const struct weir_parking_lot *lot)
{
    unsigned count = 0;
    for (const struct weir_list *at = lot->parked.next; at != &lot->parked; at = at->next)
        count++;
    return count;
}

void weir_parking_lot_statistics(const struct weir_parking_lot *lot, struct weir_parking_lot_statistics *statistics)
{
    statistics->tasks_waiting = weir_parking_lot_waiting(lot);
}

static int attempt(struct weir_case *one)
{
    return -EAGAIN;
}

static int enter(struct weir_case *one)
{
    weir_waiter_enter(&one->waiter, one->waiter.object);
    return 0;
}

const struct weir_case_kind weir_parking_lot_case = {
    .name = "weir_parking_lot_park", .attempt = attempt, .enter = enter, .leave = weir_case_leave_line};
