/* Instruments: told what the loop does. What nobody listens to costs nothing: the loop runs tasks one by one only for
 * them (step_until), and where a task is spawned or woken they hide in tests that are made anyway. */
#include "task_private.h"

/* A hook being called, of one instrument after the other; hooks may add and remove any. */
struct hook_walk {
    struct weir_list *next;
    uint64_t serial; /* those added later are not for this call */
    struct hook_walk *outer;
};

/* What is in front of the hooks of loop->instruments, as all of them are reached alike. */
#define TELL(loop, hook, ...)                                                                                          \
    do {                                                                                                               \
        struct hook_walk walk_;                                                                                        \
        begin_walk((loop), &walk_);                                                                                    \
        for (struct weir_instrument * at_; (at_ = next_of((loop), &walk_)) != NULL;)                                   \
            if (at_->hook != NULL)                                                                                     \
                at_->hook(at_, ##__VA_ARGS__);                                                                         \
        (loop)->walk = walk_.outer;                                                                                    \
    } while (0)

static void begin_walk(struct weir_loop *loop, struct hook_walk *walk)
{
    *walk = (struct hook_walk){loop->instruments.next, loop->instruments_added, loop->walk};
    loop->walk = walk;
}

static struct weir_instrument *next_of(struct weir_loop *loop, struct hook_walk *walk)
{
    if (walk->next == &loop->instruments)
        return NULL;
    struct weir_instrument *instrument = WEIR_CONTAINER_OF(walk->next, struct weir_instrument, link);
    walk->next = walk->next->next;
    return instrument->serial <= walk->serial ? instrument : NULL; /* they stand in order */
}

/* Looks anew which hooks there are. */
static void listen(struct weir_loop *loop)
{
    bool spawned = false, scheduled = false, steps = false, io = false;
    struct weir_instrument *at;
    WEIR_LIST_FOREACH (at, &loop->instruments, struct weir_instrument, link) {
        spawned |= at->task_spawned != NULL;
        scheduled |= at->task_scheduled != NULL;
        steps |= at->before_task_step != NULL || at->after_task_step != NULL || at->task_exited != NULL;
        io |= at->before_io_wait != NULL || at->after_io_wait != NULL;
    }
    loop->wake_heard = scheduled ? UINTPTR_MAX : 0;
    loop->spawn_room = spawned || scheduled ? 0 : loop->mask + 1;
    loop->steps_heard = steps || scheduled; /* a task that lets others run is scheduled by itself */
    loop->io_heard = io;
}

static bool is_there(const struct weir_instrument *instrument)
{
    return instrument->link.next != NULL && !weir_list_empty(&instrument->link);
}

void weir_instrument_add(struct weir_instrument *instrument)
{
    struct weir_loop *loop = weir_loop_;
    if (is_there(instrument))
        return;
    bool stepped = weir_steps(loop);
    instrument->serial = ++loop->instruments_added;
    weir_list_append(&loop->instruments, &instrument->link);
    listen(loop);
    if (loop->current != NULL && !stepped && weir_steps(loop)) { /* the end of this very step is to be told */
        loop->step_joined = loop->current;
        loop->turn_end = loop->head;
    }
}

void weir_instrument_remove(struct weir_instrument *instrument)
{
    struct weir_loop *loop = weir_loop_;
    if (!is_there(instrument))
        return;
    for (struct hook_walk *walk = loop->walk; walk != NULL; walk = walk->outer)
        if (walk->next == &instrument->link)
            walk->next = walk->next->next;
    weir_list_remove(&instrument->link);
    listen(loop);
}

void weir_instruments_open(struct weir_loop *loop, struct weir_instrument *const *instruments, unsigned count)
{
    weir_list_init(&loop->instruments);
    listen(loop);
    for (unsigned i = 0; i < count; i++)
        weir_instrument_add(instruments[i]);
    TELL(loop, before_run);
}

void weir_instruments_close(struct weir_loop *loop)
{
    struct weir_instrument *instrument;
    TELL(loop, after_run);
    while ((instrument = WEIR_LIST_FIRST(&loop->instruments, struct weir_instrument, link)) != NULL)
        weir_list_remove(&instrument->link);
}

void weir_tell_spawned(struct weir_loop *loop, struct weir_task *task)
{
    TELL(loop, task_spawned, task);
    TELL(loop, task_scheduled, task);
}

void weir_tell_scheduled(struct weir_loop *loop, struct weir_task *task)
{
    TELL(loop, task_scheduled, task);
}

void weir_tell_before_step(struct weir_loop *loop, struct weir_task *task)
{
    TELL(loop, before_task_step, task);
}

/* A task that has ended is in no nursery; one that neither ended nor waits let others run. */
void weir_tell_after_step(struct weir_loop *loop, struct weir_task *task)
{
    if (weir_list_empty(&task->sibling))
        TELL(loop, task_exited, task);
    else if (task->wait == NULL)
        TELL(loop, task_scheduled, task);
    TELL(loop, after_task_step, task);
}

void weir_tell_before_io_wait(struct weir_loop *loop, weir_time timeout)
{
    loop->io_told = true;
    loop->io_timeout = timeout;
    TELL(loop, before_io_wait, timeout);
}

void weir_tell_after_io_wait(struct weir_loop *loop)
{
    if (!loop->io_told)
        return;
    loop->io_told = false;
    TELL(loop, after_io_wait, loop->io_timeout);
}
