/* Locks, conditions and semaphores. They are for tasks of one loop: between two checkpoints a task is alone anyway, so
 * a lock is for what has checkpoints in it. Each hands itself to the first who waits: nobody can barge in. */
#ifndef WEIR_LOCK_H
#define WEIR_LOCK_H

#include <weir/select.h>

/* ---- lock: one owner, not re-entrant ---- */

struct weir_lock {
    struct weir_task *owner; /* NULL: nobody's */
    struct weir_parking_lot lot;
};

struct weir_lock_statistics {
    bool locked;
    struct weir_task *owner;
    unsigned tasks_waiting;
};

/* Sets up a lock that is nobody's. Checkpoint: never. */
void weir_lock_init(struct weir_lock *lock);

/* Waits until the lock is the current task's. Returns 0; -EDEADLK: it is already; -ECANCELED: it is not.
 * Checkpoint: always. A task is to release it before it ends. */
WEIR_MUST_CHECK int weir_lock_acquire(struct weir_lock *lock);

/* The same without waiting: -EAGAIN if it is another's. Checkpoint: never. */
WEIR_MUST_CHECK int weir_lock_acquire_nowait(struct weir_lock *lock);

/* Hands the lock to the first who waits for it, or to nobody. Returns 0; -EPERM: it is not the current task's.
 * Checkpoint: never. */
int weir_lock_release(struct weir_lock *lock);

static inline bool weir_lock_locked(const struct weir_lock *lock)
{
    return lock->owner != NULL;
}

/* Whose it is, or NULL. Checkpoint: never. */
static inline struct weir_task *weir_lock_owner(const struct weir_lock *lock)
{
    return lock->owner;
}

void weir_lock_statistics(const struct weir_lock *lock, struct weir_lock_statistics *statistics);

/* Block: weir_with_lock(&lock, rc) { ... } acquires the lock, and releases it however it is left. If it cannot be
 * acquired the block does not run, and rc is the error. (If its body released it, rc is -EPERM, unless it was an error
 * already.) */
#define weir_with_lock(lock, rc) WEIR_BLOCK_(weir_hold_guard, weir_lock_guard_open_((lock), &(rc)))

/* A case of a weir_select: acquires it. */
#define WEIR_CASE_LOCK(lock) WEIR_CASE_(weir_lock_case, struct weir_lock, (lock), NULL)

/* ---- strict FIFO lock: the same, for those who rely on getting it in the order in which they asked ---- */

struct weir_strict_fifo_lock {
    struct weir_lock lock;
};

void weir_strict_fifo_lock_init(struct weir_strict_fifo_lock *strict);
WEIR_MUST_CHECK int weir_strict_fifo_lock_acquire(struct weir_strict_fifo_lock *strict);
WEIR_MUST_CHECK int weir_strict_fifo_lock_acquire_nowait(struct weir_strict_fifo_lock *strict);
int weir_strict_fifo_lock_release(struct weir_strict_fifo_lock *strict);
void weir_strict_fifo_lock_statistics(const struct weir_strict_fifo_lock *strict,
                                      struct weir_lock_statistics *statistics);

static inline bool weir_strict_fifo_lock_locked(const struct weir_strict_fifo_lock *strict)
{
    return weir_lock_locked(&strict->lock);
}

static inline struct weir_task *weir_strict_fifo_lock_owner(const struct weir_strict_fifo_lock *strict)
{
    return weir_lock_owner(&strict->lock);
}

#define weir_with_strict_fifo_lock(strict, rc) weir_with_lock (&(strict)->lock, rc)

/* ---- condition: waiting, with a lock, for something that others do with it ---- */

struct weir_condition {
    struct weir_lock *lock;
    struct weir_lock own; /* the lock, if none was given */
    struct weir_parking_lot lot;
};

struct weir_condition_statistics {
    unsigned tasks_waiting; /* in weir_condition_wait, and not yet notified */
    struct weir_lock_statistics lock_statistics;
};

/* Sets one up with a lock of the caller's, which may serve several, or (NULL) with one of its own. It stays where it
 * is. Checkpoint: never. */
void weir_condition_init(struct weir_condition *condition, struct weir_lock *lock);

/* Releases the lock, waits to be notified, and acquires it again, as it does too when it is cancelled: whatever this
 * returns, the lock is the task's. Returns 0; -EPERM: the lock is not the task's; -ECANCELED: it was not notified (if
 * it was, but had not yet the lock, the next one who waits is, instead). Checkpoint: always, but for -EPERM. */
WEIR_MUST_CHECK int weir_condition_wait(struct weir_condition *condition);

/* Notify the `count` that have waited longest, or all: each goes on when it has the lock again. Return 0; -EPERM: the
 * lock is not the current task's. Checkpoint: never. */
int weir_condition_notify(struct weir_condition *condition, unsigned count);
int weir_condition_notify_all(struct weir_condition *condition);

void weir_condition_statistics(const struct weir_condition *condition, struct weir_condition_statistics *statistics);

/* Its lock's. */
WEIR_MUST_CHECK int weir_condition_acquire(struct weir_condition *condition);
WEIR_MUST_CHECK int weir_condition_acquire_nowait(struct weir_condition *condition);
int weir_condition_release(struct weir_condition *condition);

static inline bool weir_condition_locked(const struct weir_condition *condition)
{
    return weir_lock_locked(condition->lock);
}

#define weir_with_condition(condition, rc) weir_with_lock ((condition)->lock, rc)

/* ---- semaphore: a number that is never below 0 ---- */

#define WEIR_NO_MAXIMUM SIZE_MAX

struct weir_semaphore {
    size_t value, max;
    struct weir_parking_lot lot;
};

struct weir_semaphore_statistics {
    unsigned tasks_waiting;
};

/* Sets one up with a value of `initial`, and at the most `max`, or WEIR_NO_MAXIMUM. Returns 0, or -EINVAL: `max` is
 * less than `initial`. Checkpoint: never. */
WEIR_MUST_CHECK int weir_semaphore_init(struct weir_semaphore *semaphore, size_t initial, size_t max);

/* Waits until the value is above 0, and takes 1 from it. First come, first served. Returns 0 or -ECANCELED.
 * Checkpoint: always. */
WEIR_MUST_CHECK int weir_semaphore_acquire(struct weir_semaphore *semaphore);

/* The same without waiting: -EAGAIN if it would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_semaphore_acquire_nowait(struct weir_semaphore *semaphore);

/* Adds 1, which goes to the first who waits; from any task. Returns 0; -EOVERFLOW: the value is at its maximum.
 * Checkpoint: never. */
int weir_semaphore_release(struct weir_semaphore *semaphore);

static inline size_t weir_semaphore_value(const struct weir_semaphore *semaphore)
{
    return semaphore->value;
}

static inline size_t weir_semaphore_max_value(const struct weir_semaphore *semaphore)
{
    return semaphore->max;
}

void weir_semaphore_statistics(const struct weir_semaphore *semaphore, struct weir_semaphore_statistics *statistics);

/* Block: weir_with_semaphore(&semaphore, rc) { ... } as weir_with_lock. */
#define weir_with_semaphore(semaphore, rc) WEIR_BLOCK_(weir_hold_guard, weir_semaphore_guard_open_((semaphore), &(rc)))

/* A case of a weir_select: acquires it. */
#define WEIR_CASE_SEMAPHORE(semaphore) WEIR_CASE_(weir_semaphore_case, struct weir_semaphore, (semaphore), NULL)

extern const struct weir_case_kind weir_lock_case, weir_semaphore_case;

/* ---- the blocks' machinery; not for direct use ---- */

struct weir_hold_guard {
    void *open;
    int (*release)(void *open);
    int *status;
};
struct weir_hold_guard weir_lock_guard_open_(struct weir_lock *lock, int *status);
struct weir_hold_guard weir_semaphore_guard_open_(struct weir_semaphore *semaphore, int *status);
void weir_hold_guard_close_(struct weir_hold_guard *guard);

#endif
