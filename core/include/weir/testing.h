/* For tests: wait until everything else is blocked, and force tasks into one order. The clock that jumps is
 * weir_virtual_clock, in clock.h. */
#ifndef WEIR_TESTING_H
#define WEIR_TESTING_H

#include <weir/task.h>

/* Waits until no other task can run: none is runnable, no device finds anything and no timer is due, for `cushion`
 * nanoseconds of *real* time (0: at once). Of several waiters those with the least cushion wake; the others' time
 * begins anew. A virtual clock does not jump while a task waits here. Returns 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_wait_all_tasks_blocked(weir_time cushion);

/* Puts pieces of several tasks into one order: piece N runs when piece N-1 has ended, piece 0 at once. */
struct weir_sequencer {
    unsigned turn; /* whose turn it is */
    bool running;  /* that piece has begun */
    bool broken;
    struct weir_list waiters;
};

/* Sets up a sequencer whose piece 0 may begin. */
void weir_sequencer_init(struct weir_sequencer *sequencer);

/* Waits for the turn of piece `position`. Returns 0; -ECANCELED: that breaks the sequence for all; -EPIPE: it is
 * broken; -EEXIST: somebody had, or waits for, that position. Checkpoint: always. */
WEIR_MUST_CHECK int weir_sequencer_begin(struct weir_sequencer *sequencer, unsigned position);

/* Ends the piece that has begun: the next one's turn. Checkpoint: never. */
void weir_sequencer_end(struct weir_sequencer *sequencer);

/* Block: weir_with_turn(&sequencer, 3, rc) { ... } begins and ends piece 3. If it cannot begin, the block does not run
 * and rc is the error. */
#define weir_with_turn(sequencer, position, rc)                                                                        \
    WEIR_BLOCK_(weir_turn_guard, weir_turn_guard_open_((sequencer), (position), &(rc)))

struct weir_turn_guard {
    void *open;
};
struct weir_turn_guard weir_turn_guard_open_(struct weir_sequencer *sequencer, unsigned position, int *status);
void weir_turn_guard_close_(struct weir_turn_guard *guard);

#endif
