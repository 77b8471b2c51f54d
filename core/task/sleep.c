/* Alarms of the loop, and sleeping. */
#include "task_private.h"

void weir_alarm_init(struct weir_alarm *alarm, void (*fire)(struct weir_alarm *alarm))
{
    weir_timer_init(&alarm->timer);
    alarm->fire = fire;
}

void weir_alarm_set(struct weir_alarm *alarm, weir_time deadline)
{
    weir_wheel_arm(&weir_loop_->wheel, &alarm->timer, deadline);
}

void weir_alarm_clear(struct weir_alarm *alarm)
{
    weir_wheel_disarm(&weir_loop_->wheel, &alarm->timer);
}

struct sleeper {
    struct weir_alarm alarm;
    struct weir_task *task;
};

static void wake_sleeper(struct weir_alarm *alarm)
{
    weir_task_wake(WEIR_CONTAINER_OF(alarm, struct sleeper, alarm)->task, 0);
}

static bool abort_sleep(struct weir_task *task, void *arg)
{
    struct sleeper *sleeper = arg;
    weir_alarm_clear(&sleeper->alarm);
    return true;
}

static const struct weir_wait sleep_wait = {.name = "weir_sleep", .abort = abort_sleep};

static bool abort_forever(struct weir_task *task, void *arg)
{
    return true;
}

const struct weir_wait weir_forever_wait = {.name = "weir_sleep_forever", .abort = abort_forever};

int weir_sleep_forever(void)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    return weir_task_park(&weir_forever_wait, NULL);
}

int weir_sleep_until(weir_time deadline)
{
    if (deadline <= weir_loop_->now)
        return weir_checkpoint();
    if (deadline == WEIR_NEVER)
        return weir_sleep_forever();
    struct sleeper sleeper = {.task = weir_loop_->current};
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_alarm_init(&sleeper.alarm, wake_sleeper);
    weir_alarm_set(&sleeper.alarm, deadline);
    WEIR_TRY(weir_task_park(&sleep_wait, &sleeper));
    /* As in Trio, where a sleep is a scope: a cancellation that came before we ran again is the outer one, and wins. */
    return weir_checkpoint_if_cancelled();
}

int weir_sleep(weir_time delay)
{
    return weir_sleep_until(weir_time_add(weir_loop_->now, delay));
}
