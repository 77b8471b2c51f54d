/* The sequencer: whose turn it is, and who waits for his. */
#include <weir/testing.h>

struct turn_waiter {
    struct weir_list link;
    struct weir_task *task;
    unsigned position;
};

void weir_sequencer_init(struct weir_sequencer *sequencer)
{
    *sequencer = (struct weir_sequencer){0};
    weir_list_init(&sequencer->waiters);
}

static struct turn_waiter *waiter_of(struct weir_sequencer *sequencer, unsigned position)
{
    struct turn_waiter *waiter;
    WEIR_LIST_FOREACH (waiter, &sequencer->waiters, struct turn_waiter, link)
        if (waiter->position == position)
            return waiter;
    return NULL;
}

static void wake(struct turn_waiter *waiter, int result)
{
    weir_list_remove(&waiter->link);
    weir_task_wake(waiter->task, result);
}

static void let_next_begin(struct weir_sequencer *sequencer)
{
    struct turn_waiter *next = waiter_of(sequencer, sequencer->turn);
    if (next != NULL) {
        sequencer->running = true;
        wake(next, 0);
    }
}

static void break_sequence(struct weir_sequencer *sequencer)
{
    struct turn_waiter *waiter;
    sequencer->broken = true;
    WEIR_LIST_FOREACH (waiter, &sequencer->waiters, struct turn_waiter, link)
        wake(waiter, -EPIPE);
}

static bool abort_wait(struct weir_task *task, void *arg)
{
    struct turn_waiter *waiter = arg;
    weir_list_remove(&waiter->link);
    return true;
}

static const struct weir_wait turn_wait = {.name = "weir_sequencer_begin", .abort = abort_wait};

int weir_sequencer_begin(struct weir_sequencer *sequencer, unsigned position)
{
    struct turn_waiter waiter = {.task = weir_current_task(), .position = position};
    bool had = position < sequencer->turn || (position == sequencer->turn && sequencer->running);
    if (had || waiter_of(sequencer, position) != NULL)
        return -EEXIST;
    if (sequencer->broken)
        return -EPIPE;
    int rc = weir_checkpoint_if_cancelled();
    if (rc == 0 && position == sequencer->turn) {
        sequencer->running = true;
        weir_fast_path_done();
        return 0;
    }
    if (rc == 0) {
        weir_list_append(&sequencer->waiters, &waiter.link);
        rc = weir_task_park(&turn_wait, &waiter);
    }
    if (rc == -ECANCELED)
        break_sequence(sequencer);
    return rc;
}

void weir_sequencer_end(struct weir_sequencer *sequencer)
{
    WEIR_ASSERT(sequencer->running);
    sequencer->running = false;
    sequencer->turn++;
    if (!sequencer->broken)
        let_next_begin(sequencer);
}

struct weir_turn_guard weir_turn_guard_open_(struct weir_sequencer *sequencer, unsigned position, int *status)
{
    int rc = weir_sequencer_begin(sequencer, position);
    if (rc < 0)
        *status = rc;
    return (struct weir_turn_guard){rc < 0 ? NULL : sequencer};
}

void weir_turn_guard_close_(struct weir_turn_guard *guard)
{
    if (guard->open != NULL)
        weir_sequencer_end(guard->open);
    guard->open = NULL;
}
