/* Event: a flag that tasks wait for. */
#include <weir/sync.h>

struct event_waiter {
    struct weir_list link;
    struct weir_task *task;
};

void weir_event_init(struct weir_event *event)
{
    event->is_set = false;
    weir_list_init(&event->waiters);
}

void weir_event_set(struct weir_event *event)
{
    struct event_waiter *waiter;
    event->is_set = true;
    WEIR_LIST_FOREACH (waiter, &event->waiters, struct event_waiter, link) {
        weir_list_remove(&waiter->link);
        weir_task_wake(waiter->task, 0);
    }
}

static bool abort_wait(struct weir_task *task, void *arg)
{
    struct event_waiter *waiter = arg;
    weir_list_remove(&waiter->link);
    return true;
}

static const struct weir_wait event_wait = {.name = "weir_event_wait", .abort = abort_wait};

int weir_event_wait(struct weir_event *event)
{
    struct event_waiter waiter = {.task = weir_current_task()};
    if (event->is_set)
        return weir_checkpoint();
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_list_append(&event->waiters, &waiter.link);
    return weir_task_park(&event_wait, &waiter);
}

unsigned weir_event_waiting(const struct weir_event *event)
{
    unsigned count = 0;
    for (const struct weir_list *at = event->waiters.next; at != &event->waiters; at = at->next)
        count++;
    return count;
}
