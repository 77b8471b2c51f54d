/* Waiting in line: the parking lot, of which the tools of core/sync are built, and others may build theirs. */
#ifndef WEIR_PARKING_H
#define WEIR_PARKING_H

#include <weir/task.h>

struct weir_case;

/* ---- parking lots: tasks wait in one, first come, first served, until others let them out ---- */

struct weir_parking_lot {
    struct weir_list parked; /* of struct weir_waiter */
};

struct weir_parking_lot_statistics {
    unsigned tasks_waiting;
};

/* Sets up an empty lot. It must outlive whoever parks in it. Checkpoint: never. */
void weir_parking_lot_init(struct weir_parking_lot *lot);

/* Waits until somebody unparks this task. Returns 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_parking_lot_park(struct weir_parking_lot *lot);

/* Wakes the `count` that have waited longest, or as many as there are. Returns how many. Checkpoint: never. */
unsigned weir_parking_lot_unpark(struct weir_parking_lot *lot, unsigned count);
unsigned weir_parking_lot_unpark_all(struct weir_parking_lot *lot);

/* Moves the `count` that have waited longest, or as many as there are, to the end of another lot's line, in order;
 * they wait on. Returns how many. Checkpoint: never. */
unsigned weir_parking_lot_repark(struct weir_parking_lot *lot, struct weir_parking_lot *to, unsigned count);
unsigned weir_parking_lot_repark_all(struct weir_parking_lot *lot, struct weir_parking_lot *to);

/* How many wait. Checkpoint: never. */
unsigned weir_parking_lot_waiting(const struct weir_parking_lot *lot);
void weir_parking_lot_statistics(const struct weir_parking_lot *lot, struct weir_parking_lot_statistics *statistics);

/* ---- for who builds on them: a place in line that carries something ---- */

/* A task's place in a lot, on its own stack for as long as it waits. */
struct weir_waiter {
    struct weir_list link;
    struct weir_parking_lot *lot;
    struct weir_task *task;
    struct weir_case *of;         /* the case of a weir_select that waits here; NULL: the task waits for this alone */
    void *object, *arg;           /* what whoever wakes it is to know: who borrows, where the message lies */
    const struct weir_wait *kind; /* tells those apart who wait for different things in one line */
};

/* Takes a place at the end of the line. Checkpoint: never. */
static inline void weir_waiter_enter(struct weir_waiter *waiter, struct weir_parking_lot *lot)
{
    waiter->lot = lot;
    waiter->task = weir_current_task();
    weir_list_append(&lot->parked, &waiter->link);
}

/* The same, and parks there: in a wait whose `abort` is weir_waiter_abort, or calls it. Test for cancellation first.
 * Returns what the waker passed, or -ECANCELED. */
WEIR_MUST_CHECK static inline int weir_waiter_park(struct weir_waiter *waiter, struct weir_parking_lot *lot,
                                                   const struct weir_wait *wait)
{
    weir_waiter_enter(waiter, lot);
    return weir_task_park(wait, waiter);
}

/* For weir_wait.abort: leaves the line. `waiter`: the struct weir_waiter. Returns true. */
bool weir_waiter_abort(struct weir_task *task, void *waiter);

/* Ends the wait of a case with its result: it happened, and none of the others did. Checkpoint: never. */
void weir_case_happened(struct weir_case *one, int result);

/* Takes it out of the line, and wakes its task with a result. Another waiter, of the same task, may leave this or
 * another line thereby: look at the lines anew. Checkpoint: never. */
static inline void weir_waiter_wake(struct weir_waiter *waiter, int result)
{
    weir_list_remove(&waiter->link);
    if (WEIR_UNLIKELY(waiter->of != NULL))
        weir_case_happened(waiter->of, result);
    else
        weir_task_wake(waiter->task, result);
}

/* Who is first in line, or NULL. */
static inline struct weir_waiter *weir_parking_lot_first(const struct weir_parking_lot *lot)
{
    return WEIR_LIST_FIRST(&lot->parked, struct weir_waiter, link);
}

#endif
