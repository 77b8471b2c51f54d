/* Lock: an owner, and a line of those who want to be. The rules are Trio's (trio.Lock). */
#include <weir/lock.h>

void weir_lock_init(struct weir_lock *lock)
{
    lock->owner = NULL;
    weir_parking_lot_init(&lock->lot);
}

int weir_lock_acquire_nowait(struct weir_lock *lock)
{
    struct weir_task *self = weir_current_task();
    if (lock->owner != NULL)
        return lock->owner == self ? -EDEADLK : -EAGAIN;
    lock->owner = self;
    return 0;
}

static void describe(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_waiter *waiter = arg;
    const struct weir_lock *lock = WEIR_CONTAINER_OF(waiter->lot, const struct weir_lock, lot);
    fprintf(out, "held by %s", weir_task_name(lock->owner));
}

static const struct weir_wait lock_wait = {
    .name = "weir_lock_acquire", .abort = weir_waiter_abort, .describe = describe};

int weir_lock_acquire(struct weir_lock *lock)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_lock_acquire_nowait(lock);
    if (rc == -EAGAIN) {
        struct weir_waiter waiter = {0};
        return weir_waiter_park(&waiter, &lock->lot, &lock_wait);
    }
    weir_fast_path_done();
    return rc;
}

int weir_lock_release(struct weir_lock *lock)
{
    if (lock->owner == NULL || lock->owner != weir_current_task())
        return -EPERM;
    struct weir_waiter *first = weir_parking_lot_first(&lock->lot);
    lock->owner = first != NULL ? first->task : NULL;
    if (first != NULL)
        weir_waiter_wake(first, 0);
    return 0;
}

void weir_lock_statistics(const struct weir_lock *lock, struct weir_lock_statistics *statistics)
{
    *statistics = (struct weir_lock_statistics){
        .locked = weir_lock_locked(lock), .owner = lock->owner, .tasks_waiting = weir_parking_lot_waiting(&lock->lot)};
}

/* ---- as a case, and as a block ---- */

static int attempt(struct weir_case *one)
{
    return weir_lock_acquire_nowait(one->waiter.object);
}

static int enter(struct weir_case *one)
{
    struct weir_lock *lock = one->waiter.object;
    weir_waiter_enter(&one->waiter, &lock->lot);
    return 0;
}

const struct weir_case_kind weir_lock_case = {
    .name = "weir_lock_acquire", .attempt = attempt, .enter = enter, .leave = weir_case_leave_line};

static int release(void *lock)
{
    return weir_lock_release(lock);
}

struct weir_hold_guard weir_lock_guard_open_(struct weir_lock *lock, int *status)
{
    int rc = weir_lock_acquire(lock);
    if (rc < 0)
        *status = rc;
    return (struct weir_hold_guard){rc < 0 ? NULL : lock, release, status};
}

void weir_hold_guard_close_(struct weir_hold_guard *guard)
{
    if (guard->open == NULL)
        return;
    int rc = guard->release(guard->open);
    if (rc < 0 && *guard->status >= 0)
        *guard->status = rc;
    guard->open = NULL;
}

/* ---- strict FIFO ---- */

void weir_strict_fifo_lock_init(struct weir_strict_fifo_lock *strict)
{
    weir_lock_init(&strict->lock);
}

int weir_strict_fifo_lock_acquire(struct weir_strict_fifo_lock *strict)
{
    return weir_lock_acquire(&strict->lock);
}

int weir_strict_fifo_lock_acquire_nowait(struct weir_strict_fifo_lock *strict)
{
    return weir_lock_acquire_nowait(&strict->lock);
}

int weir_strict_fifo_lock_release(struct weir_strict_fifo_lock *strict)
{
    return weir_lock_release(&strict->lock);
}

void weir_strict_fifo_lock_statistics(const struct weir_strict_fifo_lock *strict,
                                      struct weir_lock_statistics *statistics)
{
    weir_lock_statistics(&strict->lock, statistics);
}
