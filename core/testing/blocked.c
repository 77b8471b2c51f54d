/* Waiting until all other tasks are blocked. */
#include <weir/testing.h>

struct quiet_waiter {
    struct weir_quiet quiet;
    struct weir_task *task;
};

static void wake_waiter(struct weir_quiet *quiet)
{
    weir_task_wake(WEIR_CONTAINER_OF(quiet, struct quiet_waiter, quiet)->task, 0);
}

static bool abort_wait(struct weir_task *task, void *arg)
{
    weir_quiet_remove(arg);
    return true;
}

static const struct weir_wait quiet_wait = {.name = "weir_wait_all_tasks_blocked", .abort = abort_wait};

int weir_wait_all_tasks_blocked(weir_time cushion)
{
    struct quiet_waiter waiter = {.quiet = {.cushion = cushion, .fire = wake_waiter}, .task = weir_current_task()};
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_quiet_add(&waiter.quiet);
    return weir_task_park(&quiet_wait, &waiter.quiet);
}
