/* core/testing: waiting until all else is blocked, and the sequencer. */
#include "../support/core.h"
#include <weir/testing.h>

static int run_a_while(void *arg)
{
    for (int i = 0; i < 500; i++)
        WEIR_TRY(weir_checkpoint());
    note("done");
    return weir_sleep(WEIR_SECONDS(1));
}

TASK_TEST(blocked, returns_when_every_other_task_is_blocked_and_time_has_not_moved)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, run_a_while, NULL);
        weir_start_soon(&nursery, run_a_while, NULL);
        rc = weir_wait_all_tasks_blocked(0);
        note("blocked");
        cr_expect_eq(now(), 0, "the clock jumps only when nobody waits here");
    }
    cr_expect_str_eq(notes, "done done blocked");
    cr_expect_eq(now(), 1);
    return rc;
}

static int wait_blocked(void *arg)
{
    int rc = weir_wait_all_tasks_blocked(WEIR_MILLISECONDS(*(double *)arg));
    note("%g", *(double *)arg);
    weir_cancel_shielded_checkpoint();
    note("%g.", *(double *)arg);
    return rc;
}

TASK_TEST(blocked, the_least_cushion_wakes_first)
{
    static double cushions[] = {4, 0, 2, 0};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, wait_blocked, &cushions[i]);
    cr_expect_str_eq(notes, "0 0 0. 0. 2 2. 4 4.");
    cr_expect_eq(now(), 0, "cushions are real time");
    return rc;
}

TASK_TEST(blocked, can_be_cancelled)
{
    static double hour = 3600e3;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_wait_all_tasks_blocked(0);
    }
    cr_expect(scope.cancelled_caught);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_blocked, &hour);
        rc = weir_wait_all_tasks_blocked(0);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

static int real_clock(void *arg)
{
    struct weir_nursery nursery;
    double millisecond = 1;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, run_a_while, NULL);
        weir_start_soon(&nursery, wait_blocked, &millisecond);
        rc = weir_wait_all_tasks_blocked(0);
        note("blocked");
        weir_time began = weir_current_time();
        WEIR_DO(rc, weir_wait_all_tasks_blocked(WEIR_MILLISECONDS(2)));
        cr_expect_geq(weir_current_time(), began + WEIR_MILLISECONDS(2));
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(notes, "done blocked 1 1.");
    return rc;
}

Test(blocked, works_in_real_time_too)
{
    struct weir_run_options spin = {.idle = WEIR_IDLE_SPIN};
    cr_assert_eq(weir_run(real_clock, NULL, NULL), 0);
    notes[0] = '\0';
    cr_assert_eq(weir_run(real_clock, NULL, &spin), 0);
}

/* ---- sequencer ---- */

struct pieces {
    struct weir_sequencer *sequencer;
    unsigned first, second;
};

static int two_pieces(void *arg)
{
    struct pieces *pieces = arg;
    int rc = 0;
    weir_with_turn(pieces->sequencer, pieces->first, rc)
    {
        note("%u", pieces->first);
        rc = weir_checkpoint();
        note("%u.", pieces->first);
    }
    WEIR_TRY(rc);
    weir_with_turn(pieces->sequencer, pieces->second, rc) note("%u", pieces->second);
    return rc;
}

static int six_pieces(void *arg)
{
    struct weir_sequencer sequencer;
    struct pieces pieces[] = {{&sequencer, 0, 4}, {&sequencer, 2, 5}, {&sequencer, 1, 3}};
    struct weir_nursery nursery;
    int rc = 0;
    notes[0] = '\0';
    weir_sequencer_init(&sequencer);
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, two_pieces, &pieces[i]);
    cr_expect_str_eq(notes, "0 0. 1 1. 2 2. 3 4 5");
    return rc;
}

Test(sequencer, puts_pieces_of_several_tasks_into_one_order)
{
    cr_expect_eq(run(six_pieces, NULL), 0);
    for (uint64_t seed = 1; seed < 50; seed++)
        cr_expect_eq(run_with(six_pieces, NULL, (struct weir_run_options){.shuffle_seed = seed}), 0);
}

TASK_TEST(sequencer, a_position_is_taken_once)
{
    struct weir_sequencer sequencer;
    int rc = 0;
    weir_sequencer_init(&sequencer);
    weir_with_turn(&sequencer, 0, rc)
    {
        int again = 0;
        weir_with_turn(&sequencer, 0, again) cr_assert_fail("it runs already");
        cr_expect_eq(again, -EEXIST);
    }
    weir_with_turn(&sequencer, 0, rc) cr_assert_fail("it has run");
    cr_expect_eq(rc, -EEXIST);
    return 0;
}

static int wait_turn(void *arg)
{
    int rc = 0;
    weir_with_turn(arg, 5, rc) cr_assert_fail("never its turn");
    note("%s", weir_error_name(rc));
    return 0;
}

TASK_TEST(sequencer, a_cancelled_wait_breaks_the_sequence)
{
    struct weir_sequencer sequencer;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_sequencer_init(&sequencer);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_turn, &sequencer);
        weir_move_on_after (&scope, 5, rc)
            weir_with_turn(&sequencer, 1, rc) cr_assert_fail("never its turn");
        cr_expect(scope.cancelled_caught);
        weir_with_turn(&sequencer, 0, rc) cr_assert_fail("it is broken");
        cr_expect_eq(rc, -EPIPE);
        rc = 0;
    }
    cr_expect_str_eq(notes, "BrokenResourceError");
    return rc;
}
