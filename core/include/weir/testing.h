/* For tests: run under virtual time, wait until everything else is blocked, force tasks into one order, assert what is
 * a checkpoint; streams in memory, and checks for streams of any kind. The clock that jumps is weir_virtual_clock, in
 * clock.h; how many tasks live says weir_current_statistics, in task.h. */
#ifndef WEIR_TESTING_H
#define WEIR_TESTING_H

#include <weir/check_streams.h>
#include <weir/points.h>
#include <weir/task.h>
#include <weir/testing_streams.h>

/* Runs main(arg) as weir_run does, on a virtual clock that begins at 0 and jumps to the next deadline when all is idle.
 * seed: not 0, the order of tasks is shuffled by it; a failure names it, so that it can be run again. A deadlock ends
 * the run. Returns as weir_run. Trio's trio_test and autojump_clock. */
WEIR_MUST_CHECK int weir_test_run(int (*main)(void *arg), void *arg, uint64_t seed);

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

/* Blocks: weir_assert_checkpoints(rc) { ... rc = call(); ... } asserts that what runs inside, unless it ends with an
 * error in rc, is a checkpoint: tests for cancellation, and lets others run or is counted as a call that ended well
 * without (of which a task may make few in a row). weir_assert_no_checkpoints asserts that it does neither. If it is
 * not so, one line says where, and rc, unless it is an error already, is -EPROTO. Left by return or goto, only the line
 * says it. */
#define weir_assert_checkpoints(rc) WEIR_POINTS_BLOCK_((rc), true, "weir_assert_checkpoints")
#define weir_assert_no_checkpoints(rc) WEIR_POINTS_BLOCK_((rc), false, "weir_assert_no_checkpoints")

#define WEIR_POINTS_BLOCK_(rc, expected, name)                                                                         \
    WEIR_BLOCK_(weir_points_guard,                                                                                     \
                weir_points_guard_open_(&(struct weir_points){0}, &(rc), (expected), WEIR_SITE(name)))

struct weir_points_guard {
    void *open;
    int *status;
    bool expected;
};
struct weir_points_guard weir_points_guard_open_(struct weir_points *points, int *status, bool expected,
                                                 const struct weir_site *site);
void weir_points_guard_close_(struct weir_points_guard *guard);

struct weir_turn_guard {
    void *open;
};
struct weir_turn_guard weir_turn_guard_open_(struct weir_sequencer *sequencer, unsigned position, int *status);
void weir_turn_guard_close_(struct weir_turn_guard *guard);

#endif
