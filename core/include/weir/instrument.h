/* Instruments: told what the loop does; free when there is none. */
#ifndef WEIR_INSTRUMENT_H
#define WEIR_INSTRUMENT_H

#include <weir/loop.h>

struct weir_task;

/* Trio's hooks, called in Trio's order. Each may be NULL, and then costs nothing; they stay as they are while the
 * instrument is there. None may wait, spawn or wake. Of a task that has exited only the name and site may be asked. A
 * timeout is in nanoseconds, WEIR_NEVER if none: at most so long the loop waits, 0 if there is something to do. While
 * one listens to tasks' steps, turns are shorter: each runs exactly what was runnable at its start, as Trio's. */
struct weir_instrument {
    struct weir_list link;
    void (*before_run)(struct weir_instrument *instrument);
    void (*after_run)(struct weir_instrument *instrument);
    void (*task_spawned)(struct weir_instrument *instrument, struct weir_task *task);
    void (*task_scheduled)(struct weir_instrument *instrument, struct weir_task *task);
    void (*before_task_step)(struct weir_instrument *instrument, struct weir_task *task);
    void (*after_task_step)(struct weir_instrument *instrument, struct weir_task *task);
    void (*task_exited)(struct weir_instrument *instrument, struct weir_task *task);
    void (*before_io_wait)(struct weir_instrument *instrument, weir_time timeout);
    void (*after_io_wait)(struct weir_instrument *instrument, weir_time timeout);
    uint64_t serial; /* private */
};

/* Adds an instrument to the running loop, or takes it out; from a hook too. It does not hear the rest of a hook that is
 * being called. One that is there already, or not there, is left alone. Those of weir_run_options are there from the
 * first task on, and all are taken out when the run ends. It is all zero but its hooks at first, and must outlive its
 * being there. Only inside weir_run. Checkpoint: never. */
void weir_instrument_add(struct weir_instrument *instrument);
void weir_instrument_remove(struct weir_instrument *instrument);

#endif
