/* Select: waits for the first of several. */
#ifndef WEIR_SELECT_H
#define WEIR_SELECT_H

#include <weir/parking.h>

/* One of the things that a weir_select waits for. Made by the WEIR_CASE_ macros: WEIR_CASE_UNTIL here, the others
 * beside what they wait for (WEIR_CASE_RECEIVE, WEIR_CASE_SEND, WEIR_CASE_RESERVE, WEIR_CASE_EVENT, WEIR_CASE_LOCK,
 * WEIR_CASE_SEMAPHORE, WEIR_CASE_CAPACITY_LIMITER, WEIR_CASE_PARKING_LOT; other rooms add theirs). */
struct weir_case {
    const struct weir_case_kind *kind; /* NULL: it never happens */
    int result;                        /* of the case that happened: >= 0 or -errno, as its own call answers */
    weir_time until;
    struct weir_waiter waiter; /* object and arg are what the macro was given; the rest is private */
    struct weir_alarm alarm;
    struct weir_select *select;
};

/* A case that never happens: to keep a place in the array while there is nothing to wait for. */
#define WEIR_CASE_NEVER                                                                                                \
    {                                                                                                                  \
        .kind = NULL                                                                                                   \
    }

/* Happens at a time, with 0. */
#define WEIR_CASE_UNTIL(time)                                                                                          \
    {                                                                                                                  \
        .kind = &weir_until_case, .until = (time)                                                                      \
    }

/* Happens when it is unparked. */
#define WEIR_CASE_PARKING_LOT(lot) WEIR_CASE_(weir_parking_lot_case, struct weir_parking_lot, (lot), NULL)

/* Waits until one of the cases can happen, and has it happen; the others did not happen at all: no message of theirs
 * was taken or sent, no lock acquired. If several can at once, the first in the array does: where one of them always
 * can, put what must not starve before it. A case that fails (a channel that ended, say) has happened too, with that
 * error as its result: a loop over weir_select puts WEIR_CASE_NEVER in its place, or ends.
 *
 *     struct weir_case cases[] = {WEIR_CASE_RECEIVE(&requests, &request), WEIR_CASE_EVENT(&stop),
 *                                 WEIR_CASE_UNTIL(weir_time_add(weir_current_time(), WEIR_SECONDS(5)))};
 *     int which = weir_select(cases, 3);
 *
 * The array is the caller's, and may be used again as it is. Returns the index of the case that happened, whose
 * `result` says how; or -ECANCELED: none did. Checkpoint: always. */
WEIR_MUST_CHECK int weir_select(struct weir_case *cases, unsigned count);

/* The same without waiting: -EAGAIN if it would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_select_nowait(struct weir_case *cases, unsigned count);

/* ---- for who builds something to wait for ---- */

/* A kind of case; a constant. None of the three may wait. */
struct weir_case_kind {
    const char *name; /* of the call that waits for this alone, as the nursery tree prints it */
    /* Does it, if that needs no waiting, and returns its result; -EAGAIN: it would have to wait, nothing was done. */
    int (*attempt)(struct weir_case *one);
    /* Takes a place in line, after an attempt that would have had to wait: mostly one->waiter's, by weir_waiter_enter.
     * Whoever lets it happen wakes that waiter, or calls weir_case_happened; that may be at once. Returns 0; a failure
     * is the result. */
    int (*enter)(struct weir_case *one);
    /* Gives the place up: it will not happen. Must wake nobody. */
    void (*leave)(struct weir_case *one);
};

/* For weir_case_kind.leave: takes one->waiter out of its line. */
void weir_case_leave_line(struct weir_case *one);

extern const struct weir_case_kind weir_until_case, weir_parking_lot_case;

/* Fills a case; the compiler sees whether `object` points to a `type`. */
#define WEIR_CASE_(case_kind, type, pointer, argument)                                                                 \
    {                                                                                                                  \
        .kind = &case_kind, .waiter = {.object = 0 ? (type *)NULL : (pointer), .arg = (argument) }                     \
    }

#endif
