/* What tasks of one loop meet at. Events are here; the rest has headers of its own, which this one gathers. */
#ifndef WEIR_SYNC_H
#define WEIR_SYNC_H

#include <weir/channel.h> /* memory channels, permits */
#include <weir/limiter.h> /* capacity limiter */
#include <weir/lock.h>    /* lock, strict FIFO lock, condition, semaphore */
#include <weir/parking.h> /* parking lot */
#include <weir/select.h>  /* waiting for the first of several */

/* ---- event ---- */

struct weir_event {
    bool is_set;
    struct weir_parking_lot lot;
};

/* Sets up an event that is not set. */
void weir_event_init(struct weir_event *event);

/* Sets it, once and for all, and wakes all who wait. Checkpoint: never. */
void weir_event_set(struct weir_event *event);

static inline bool weir_event_is_set(const struct weir_event *event)
{
    return event->is_set;
}

/* Waits until it is set. Returns 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_event_wait(struct weir_event *event);

/* How many tasks wait. Checkpoint: never. */
unsigned weir_event_waiting(const struct weir_event *event);

struct weir_event_statistics {
    unsigned tasks_waiting;
};
void weir_event_statistics(const struct weir_event *event, struct weir_event_statistics *statistics);

/* A case of a weir_select: happens when it is set. */
#define WEIR_CASE_EVENT(event) WEIR_CASE_(weir_event_case, struct weir_event, (event), NULL)

extern const struct weir_case_kind weir_event_case;

#endif
