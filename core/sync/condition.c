/* Condition: who waits lets go of the lock; who notifies sends him to stand in line for it again.
 * The rules are Trio's (trio.Condition), but that a notification whose task was cancelled goes to another. */
#include <limits.h>
#include <weir/lock.h>

void weir_condition_init(struct weir_condition *condition, struct weir_lock *lock)
{
    weir_lock_init(&condition->own);
    condition->lock = lock != NULL ? lock : &condition->own;
    weir_parking_lot_init(&condition->lot);
}

static bool is_held(const struct weir_condition *condition)
{
    return condition->lock->owner != NULL && condition->lock->owner == weir_current_task();
}

static bool abort_wait(struct weir_task *task, void *arg)
{
    struct weir_waiter *waiter = arg;
    struct weir_condition *condition = waiter->object;
    if (waiter->lot != &condition->lot)
        weir_parking_lot_repark(&condition->lot, &condition->lock->lot, 1);
    return weir_waiter_abort(task, waiter);
}

static void describe_lock(FILE *out, const struct weir_lock *lock)
{
    if (lock->owner != NULL)
        fprintf(out, "lock held by %s", weir_task_name(lock->owner));
}

static void describe_wait(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_waiter *waiter = arg;
    const struct weir_condition *condition = waiter->object;
    if (waiter->lot == &condition->lot)
        fprintf(out, "not notified");
    else
        describe_lock(out, condition->lock);
}

static void describe_return(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_waiter *waiter = arg;
    describe_lock(out, WEIR_CONTAINER_OF(waiter->lot, const struct weir_lock, lot));
}

static const struct weir_wait condition_wait = {
    .name = "weir_condition_wait", .abort = abort_wait, .describe = describe_wait};
/* No abort: it must have the lock. */
static const struct weir_wait return_wait = {.name = "weir_condition_wait", .describe = describe_return};

static void acquire_again(struct weir_lock *lock)
{
    int rc = weir_lock_acquire_nowait(lock);
    if (rc == -EAGAIN) {
        struct weir_waiter waiter = {0};
        rc = weir_waiter_park(&waiter, &lock->lot, &return_wait);
    }
    WEIR_ASSERT_EQ(rc, 0);
}

int weir_condition_wait(struct weir_condition *condition)
{
    struct weir_waiter waiter = {.object = condition};
    if (!is_held(condition))
        return -EPERM;
    weir_lock_release(condition->lock);
    int rc = weir_checkpoint_if_cancelled();
    if (rc == 0)
        rc = weir_waiter_park(&waiter, &condition->lot, &condition_wait); /* the lock's release wakes it */
    if (rc < 0)
        acquire_again(condition->lock);
    return rc;
}

int weir_condition_notify(struct weir_condition *condition, unsigned count)
{
    if (!is_held(condition))
        return -EPERM;
    weir_parking_lot_repark(&condition->lot, &condition->lock->lot, count);
    return 0;
}

int weir_condition_notify_all(struct weir_condition *condition)
{
    return weir_condition_notify(condition, UINT_MAX);
}

void weir_condition_statistics(const struct weir_condition *condition, struct weir_condition_statistics *statistics)
{
    statistics->tasks_waiting = weir_parking_lot_waiting(&condition->lot);
    weir_lock_statistics(condition->lock, &statistics->lock_statistics);
}

int weir_condition_acquire(struct weir_condition *condition)
{
    return weir_lock_acquire(condition->lock);
}

int weir_condition_acquire_nowait(struct weir_condition *condition)
{
    return weir_lock_acquire_nowait(condition->lock);
}

int weir_condition_release(struct weir_condition *condition)
{
    return weir_lock_release(condition->lock);
}
