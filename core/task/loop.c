/* The run loop: one turn rests if there is nothing to do, polls, expires timers, runs the runnable, flushes. */
#include "task_private.h"

weir_time weir_current_time(void)
{
    return weir_loop_->now;
}

void weir_current_statistics(struct weir_loop_statistics *statistics)
{
    struct weir_loop *loop = weir_loop_;
    *statistics = (struct weir_loop_statistics){
        .tasks_living = loop->living,
        .tasks_runnable = (unsigned)(loop->tail - loop->head),
        .tasks_max = loop->tasks_max,
        .errors_held = loop->errors_held,
        .turns = loop->turns,
    };
}

/* The loop writes these as it pleases; each is one word, and read once. */
void weir_loop_glance(const struct weir_loop *loop, struct weir_glance *glance)
{
    const struct weir_task *task = __atomic_load_n(&loop->current, __ATOMIC_RELAXED);
    *glance = (struct weir_glance){
        .task = task,
        .site = task != NULL ? __atomic_load_n(&task->site, __ATOMIC_RELAXED) : NULL,
        .steps = __atomic_load_n(&loop->head, __ATOMIC_RELAXED),
        .turns = __atomic_load_n(&loop->turns, __ATOMIC_RELAXED),
        .asleep = __atomic_load_n(&loop->asleep, __ATOMIC_RELAXED),
    };
}

void weir_poller_add(struct weir_poller *poller)
{
    weir_list_append(&weir_loop_->pollers, &poller->link);
}

void weir_poller_remove(struct weir_poller *poller)
{
    weir_list_remove(&poller->link);
}

bool weir_poll_devices(struct weir_loop *loop)
{
    int found = 0;
    struct weir_poller *poller;
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link)
        found += poller->poll(poller, loop->now);
    return found > 0;
}

static void flush_devices(struct weir_loop *loop)
{
    struct weir_poller *poller;
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link)
        if (poller->flush != NULL)
            poller->flush(poller, loop->now);
}

static bool take_messages(struct weir_loop *loop)
{
    if (WEIR_LIKELY(!atomic_load_explicit(&loop->token->woken, memory_order_relaxed)))
        return false;
    return weir_token_run_jobs(loop->token);
}

static bool expire_timers(struct weir_loop *loop)
{
    struct weir_timer *timer;
    bool fired = false;
    while ((timer = weir_wheel_expire(&loop->wheel, loop->now)) != NULL) {
        struct weir_alarm *alarm = WEIR_CONTAINER_OF(timer, struct weir_alarm, timer);
        alarm->fire(alarm);
        fired = true;
    }
    return fired;
}

/* Fisher and Yates over what is runnable now. */
static void shuffle_batch(struct weir_loop *loop)
{
    for (uint64_t left = loop->tail - loop->head; left > 1; left--) {
        struct weir_task **a = &loop->ring[(loop->head + left - 1) & loop->mask];
        struct weir_task **b = &loop->ring[(loop->head + weir_rng_below(&loop->rng, left)) & loop->mask];
        struct weir_task *swap = *a;
        *a = *b;
        *b = swap;
    }
}

/* Runs tasks until the ring's place `end`, or until none is runnable. */
static void run_until(struct weir_loop *loop, uint64_t end)
{
    loop->turn_end = end;
    struct weir_context *next = weir_pick(loop);
    if (next != &loop->context)
        weir_context_switch(&loop->context, next);
    WEIR_ASSERT(loop->current == NULL);
}

/* The same, one by one, with a look at each: only here, so that a switch costs nothing where nobody looks. */
static void step_until(struct weir_loop *loop, uint64_t end)
{
    if (loop->step_joined != NULL)
        weir_tell_after_step(loop, loop->step_joined);
    loop->step_joined = NULL;
    while (loop->head != end && loop->head != loop->tail) {
        struct weir_task *task = loop->ring[loop->head & loop->mask];
        weir_tell_before_step(loop, task);
        run_until(loop, loop->head + 1);
        weir_stack_check(&loop->stacks, task);
        weir_tell_after_step(loop, task);
    }
}

/* Runs what is runnable now; and, as long as that is little, what it makes runnable: a turn costs a clock read and a
 * poll of each device, which a few short runs must not pay each. A batch that is shuffled or listened to is exactly
 * one. */
static void run_tasks(struct weir_loop *loop)
{
    uint64_t runnable = loop->tail - loop->head;
    if (loop->shuffle)
        shuffle_batch(loop);
    bool exact = loop->shuffle || loop->steps_heard;
    uint64_t end = loop->head + (runnable < TURN_MIN && !exact ? TURN_MIN : runnable);
    loop->fast_left = FAST_PATH_MAX;
    if (WEIR_LIKELY(!weir_steps(loop)))
        run_until(loop, end);
    if (WEIR_UNLIKELY(weir_steps(loop))) /* an instrument that comes meanwhile ends that */
        step_until(loop, end);
}

void weir_turn(struct weir_loop *loop)
{
    if (WEIR_UNLIKELY(loop->io_heard))
        weir_tell_before_io_wait(loop, loop->tail != loop->head || loop->busy ? 0 : weir_rest_timeout(loop));
    if (loop->tail != loop->head || loop->busy) {
        loop->idle_since = loop->now;
        loop->quiet_since = WEIR_NEVER;
    } else {
        weir_rest(loop);
    }
    loop->turns++;
    loop->now = loop->clock->now(loop->clock);
    loop->busy = weir_poll_devices(loop);
    loop->busy |= take_messages(loop);
    if (WEIR_UNLIKELY(loop->io_told))
        weir_tell_after_io_wait(loop);
    loop->busy |= expire_timers(loop);
    loop->busy |= loop->head != loop->tail;
    run_tasks(loop);
    flush_devices(loop);
    if (WEIR_UNLIKELY(weir_list_empty(&loop->root.children)))
        weir_end_system_tasks(loop);
}
