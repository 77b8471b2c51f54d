/* Waiting: checkpoints and sleeping; and how other rooms build what they wait in. */
#ifndef WEIR_WAIT_H
#define WEIR_WAIT_H

#include <weir/base.h>
#include <weir/clock.h>

struct weir_task;

/* Lets every other runnable task run once. Returns 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_checkpoint(void);

/* Only the test: returns 0 at once, or -ECANCELED in a cancelled scope (there it lets others run once in a while). */
WEIR_MUST_CHECK int weir_checkpoint_if_cancelled(void);

/* Lets others run, but is never cancelled. */
void weir_cancel_shielded_checkpoint(void);

/* Sleep for a time, until a time, until cancelled. A delay <= 0 or a past time is a plain checkpoint.
 * Return 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_sleep(weir_time delay);
WEIR_MUST_CHECK int weir_sleep_until(weir_time deadline);
WEIR_MUST_CHECK int weir_sleep_forever(void);

/* ---- for other rooms: how waiting is built ---- */

/* A kind of wait; a constant of whoever builds one. */
struct weir_wait {
    const char *name; /* of the call, as the nursery tree prints it: "weir_event_wait" */
    /* Called to take a waiting task out of what it waits in, because it is cancelled. Returns true if the wait is off
     * (the task then wakes with -ECANCELED), false if it must go on. Runs inside whoever cancels; must not wait.
     * NULL: the wait cannot be cancelled. */
    bool (*abort)(struct weir_task *task, void *arg);
    /* Says more of it, for the tree, on the same line: "held by writer". NULL: there is no more to say. */
    void (*describe)(FILE *out, const struct weir_task *task, const void *arg);
};

/* Parks the current task until weir_task_wake. Test for cancellation first (weir_checkpoint_if_cancelled): a scope
 * cancelled earlier does not abort. Returns what the waker passed, or -ECANCELED. Trio's wait_task_rescheduled. */
WEIR_MUST_CHECK int weir_task_park(const struct weir_wait *wait, void *arg);

/* Makes a parked task runnable, with a result. Once for each park. Checkpoint: never. */
void weir_task_wake(struct weir_task *task, int result);

/* For calls that ended without waiting: lets others run when this task did so many times in a row. Never cancelled. */
void weir_fast_path_done(void);

/* Something to do at a time, in the loop. It must not outlive its being armed. */
struct weir_alarm {
    struct weir_timer timer;
    void (*fire)(struct weir_alarm *alarm);
};

/* Arms an alarm of this loop, or moves it; disarms it. A past one fires in the next turn, or, armed by another alarm
 * that fires, in this one. */
void weir_alarm_init(struct weir_alarm *alarm, void (*fire)(struct weir_alarm *alarm));
void weir_alarm_set(struct weir_alarm *alarm, weir_time deadline);
void weir_alarm_clear(struct weir_alarm *alarm);

#endif
