/* Semaphore. The rules are Trio's (trio.Semaphore). Nobody waits while the value is above 0. */
#include <weir/lock.h>

int weir_semaphore_init(struct weir_semaphore *semaphore, size_t initial, size_t max)
{
    if (max < initial)
        return -EINVAL;
    semaphore->value = initial;
    semaphore->max = max;
    weir_parking_lot_init(&semaphore->lot);
    return 0;
}

int weir_semaphore_acquire_nowait(struct weir_semaphore *semaphore)
{
    if (semaphore->value == 0)
        return -EAGAIN;
    semaphore->value--;
    return 0;
}

static const struct weir_wait semaphore_wait = {.name = "weir_semaphore_acquire", .abort = weir_waiter_abort};

int weir_semaphore_acquire(struct weir_semaphore *semaphore)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_semaphore_acquire_nowait(semaphore);
    if (rc == -EAGAIN) {
        struct weir_waiter waiter = {0};
        return weir_waiter_park(&waiter, &semaphore->lot, &semaphore_wait);
    }
    weir_fast_path_done();
    return rc;
}

int weir_semaphore_release(struct weir_semaphore *semaphore)
{
    if (weir_parking_lot_unpark(&semaphore->lot, 1) == 1)
        return 0;
    if (semaphore->value == semaphore->max)
        return -EOVERFLOW;
    semaphore->value++;
    return 0;
}

void weir_semaphore_statistics(const struct weir_semaphore *semaphore, struct weir_semaphore_statistics *statistics)
{
    statistics->tasks_waiting = weir_parking_lot_waiting(&semaphore->lot);
}

/* ---- as a case, and as a block ---- */

static int attempt(struct weir_case *one)
{
    return weir_semaphore_acquire_nowait(one->waiter.object);
}

static int enter(struct weir_case *one)
{
    struct weir_semaphore *semaphore = one->waiter.object;
    weir_waiter_enter(&one->waiter, &semaphore->lot);
    return 0;
}

const struct weir_case_kind weir_semaphore_case = {
    .name = "weir_semaphore_acquire", .attempt = attempt, .enter = enter, .leave = weir_case_leave_line};

static int release(void *semaphore)
{
    return weir_semaphore_release(semaphore);
}

struct weir_hold_guard weir_semaphore_guard_open_(struct weir_semaphore *semaphore, int *status)
{
    int rc = weir_semaphore_acquire(semaphore);
    if (rc < 0)
        *status = rc;
    return (struct weir_hold_guard){rc < 0 ? NULL : semaphore, release, status};
}
