/* Event: a flag that tasks wait for. */
#include <weir/sync.h>

void weir_event_init(struct weir_event *event)
{
    event->is_set = false;
    weir_parking_lot_init(&event->lot);
}

void weir_event_set(struct weir_event *event)
{
    event->is_set = true;
    weir_parking_lot_unpark_all(&event->lot);
}

static const struct weir_wait event_wait = {.name = "weir_event_wait", .abort = weir_waiter_abort};

int weir_event_wait(struct weir_event *event)
{
    struct weir_waiter waiter = {0};
    if (event->is_set)
        return weir_checkpoint();
    WEIR_TRY(weir_checkpoint_if_cancelled());
    return weir_waiter_park(&waiter, &event->lot, &event_wait);
}

unsigned weir_event_waiting(const struct weir_event *event)
{
    return weir_parking_lot_waiting(&event->lot);
}

void weir_event_statistics(const struct weir_event *event, struct weir_event_statistics *statistics)
{
    statistics->tasks_waiting = weir_event_waiting(event);
}

static int attempt(struct weir_case *one)
{
    const struct weir_event *event = one->waiter.object;
    return event->is_set ? 0 : -EAGAIN;
}

static int enter(struct weir_case *one)
{
    struct weir_event *event = one->waiter.object;
    weir_waiter_enter(&one->waiter, &event->lot);
    return 0;
}

const struct weir_case_kind weir_event_case = {
    .name = "weir_event_wait", .attempt = attempt, .enter = enter, .leave = weir_case_leave_line};
