/* core/testing: asserting what is a checkpoint, and the run for tests. */
#include "../support/core.h"
#include <weir/testing.h>

static int never_done(void)
{
    return 0;
}

/* What a call ought to do that does not wait. */
static int fast_path(void)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_fast_path_done();
    return 3;
}

static int forgets_to_let_others_run(void)
{
    return weir_checkpoint_if_cancelled();
}

static int forgets_the_test(void)
{
    weir_fast_path_done();
    return 0;
}

static int shielded(void)
{
    weir_cancel_shielded_checkpoint();
    return 0;
}

static int sleeps(void)
{
    return weir_sleep(1);
}

static int sleeps_not(void)
{
    return weir_sleep(0);
}

static int fails(void)
{
    return -ENOENT;
}

static int is_checkpoint(int (*call)(void))
{
    int rc = 0;
    weir_assert_checkpoints(rc) rc = call();
    return rc;
}

static int is_no_checkpoint(int (*call)(void))
{
    int rc = 0;
    weir_assert_no_checkpoints(rc) rc = call();
    return rc;
}

TASK_TEST(assert_checkpoints, wants_both_a_test_for_cancellation_and_a_chance_for_others)
{
    cr_expect_eq(is_checkpoint(weir_checkpoint), 0);
    cr_expect_eq(is_checkpoint(sleeps), 0);
    cr_expect_eq(is_checkpoint(sleeps_not), 0);
    cr_expect_eq(is_checkpoint(never_done), -EPROTO);
    cr_expect_eq(is_checkpoint(forgets_to_let_others_run), -EPROTO);
    cr_expect_eq(is_checkpoint(forgets_the_test), -EPROTO);
    cr_expect_eq(is_checkpoint(shielded), -EPROTO);
    cr_expect_eq(is_checkpoint(fails), -ENOENT, "an error need not be one");
    return 0;
}

TASK_TEST(assert_checkpoints, a_fast_path_counts_whether_it_switches_or_not)
{
    for (int i = 0; i < 300; i++)
        cr_assert_eq(is_checkpoint(fast_path), 3, "call %d", i);
    return 0;
}

TASK_TEST(assert_no_checkpoints, wants_neither)
{
    cr_expect_eq(is_no_checkpoint(never_done), 0);
    cr_expect_eq(is_no_checkpoint(fails), -ENOENT);
    cr_expect_eq(is_no_checkpoint(weir_checkpoint), -EPROTO);
    cr_expect_eq(is_no_checkpoint(fast_path), -EPROTO);
    cr_expect_eq(is_no_checkpoint(forgets_to_let_others_run), -EPROTO);
    cr_expect_eq(is_no_checkpoint(forgets_the_test), -EPROTO);
    cr_expect_eq(is_no_checkpoint(shielded), -EPROTO);
    cr_expect_eq(is_no_checkpoint(sleeps), -EPROTO);
    return 0;
}

static int many_checkpoints(void *arg)
{
    for (int i = 0; i < 100; i++)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

static int waits_without_a_test(void)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, many_checkpoints, NULL);
    return rc;
}

TASK_TEST(assert_checkpoints, counts_this_task_only)
{
    cr_expect_eq(is_checkpoint(waits_without_a_test), -EPROTO, "the child's tests are not ours");
    return 0;
}

TASK_TEST(assert_checkpoints, may_be_nested_and_left)
{
    int outer = 0, inner = 0;
    weir_assert_checkpoints(outer)
    {
        weir_assert_no_checkpoints(inner) inner = never_done();
        outer = weir_checkpoint();
    }
    cr_expect_eq(outer, 0);
    cr_expect_eq(inner, 0);
    weir_assert_checkpoints(outer)
    {
        if (outer == 0)
            break;
        outer = weir_checkpoint();
    }
    cr_expect_eq(outer, -EPROTO, "left by break it is looked at too");
    return 0;
}

/* ---- weir_test_run ---- */

static int note_letter(void *arg)
{
    note("%s", (const char *)arg);
    return 0;
}

static int letters(void *arg)
{
    static char all[][2] = {"a", "b", "c", "d", "e", "f"};
    struct weir_nursery nursery;
    int rc = 0;
    cr_expect_eq(weir_current_time(), 0);
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 6; i++)
            weir_start_soon(&nursery, note_letter, all[i]);
    WEIR_TRY(rc);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(86400)));
    return arg != NULL ? *(int *)arg : 5;
}

Test(test_run, is_in_virtual_time_and_in_an_order_that_the_seed_decides, .timeout = 20)
{
    char first[64];
    cr_expect_eq(weir_test_run(letters, NULL, 0), 5);
    cr_expect_str_eq(notes, "a b c d e f");
    notes[0] = '\0';
    cr_expect_eq(weir_test_run(letters, NULL, 7), 5);
    cr_expect_str_neq(notes, "a b c d e f");
    snprintf(first, sizeof first, "%s", notes);
    notes[0] = '\0';
    cr_expect_eq(weir_test_run(letters, NULL, 7), 5);
    cr_expect_str_eq(notes, first, "again");
}

Test(test_run, says_what_the_main_task_says, .timeout = 20)
{
    int eio = -EIO;
    cr_expect_eq(weir_test_run(letters, &eio, 3), -EIO);
}
