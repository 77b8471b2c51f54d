/* core/task: what other rooms keep for each run. */
#include "../support/core.h"

static int open_number(void *state)
{
    note("open");
    *(int *)state += 7; /* it begins all zero */
    return 0;
}

static void close_number(void *state)
{
    cr_expect_not_null(weir_current_loop());
    cr_expect_null(weir_current_task());
    note("close %d", *(int *)state);
}

static int refuse(void *state)
{
    return -EMFILE;
}

static const struct weir_run_state number = {"number", sizeof(int), open_number, close_number};
static const struct weir_run_state other = {"other", sizeof(int), NULL, close_number};
static const struct weir_run_state refused = {"refused", sizeof(int), refuse, close_number};
static const struct weir_run_state bare = {"bare", sizeof(int), NULL, NULL};

static int keep_both(void *arg)
{
    void *first, *second, *again;
    cr_expect_null(weir_run_state_find(&number));
    cr_expect_eq(weir_run_state_get(&number, &first), 0);
    cr_expect_eq(weir_run_state_get(&other, &second), 0);
    cr_expect_eq(weir_run_state_get(&number, &again), 0);
    cr_expect(again == first && second != first);
    cr_expect_eq(weir_run_state_find(&number), first);
    *(int *)second = 2;
    note("main");
    return 0;
}

Test(run_state, is_made_once_and_closed_after_the_last_task_the_newest_first)
{
    cr_expect_eq(run(keep_both, NULL), 0);
    cr_expect_str_eq(notes, "open main close 2 close 7");
}

Test(run_state, is_anew_for_each_run)
{
    cr_expect_eq(run(keep_both, NULL), 0);
    notes[0] = '\0';
    cr_expect_eq(run(keep_both, NULL), 0);
    cr_expect_str_eq(notes, "open main close 2 close 7");
}

TASK_TEST(run_state, that_cannot_be_made_is_not_there)
{
    void *state = NULL;
    cr_expect_eq(weir_run_state_get(&refused, &state), -EMFILE);
    cr_expect_null(state);
    cr_expect_null(weir_run_state_find(&refused));
    return 0;
}

TASK_TEST(run_state, needs_neither_open_nor_close)
{
    void *state;
    cr_expect_eq(weir_run_state_get(&bare, &state), 0);
    cr_expect_eq(*(int *)state, 0);
    return 0;
}

static void close_with_another(void *state)
{
    void *bare_state;
    note("with another");
    cr_expect_eq(weir_run_state_get(&other, &bare_state), 0);
}

static const struct weir_run_state late = {"late", 1, NULL, close_with_another};

static int keep_late(void *arg)
{
    void *state;
    return weir_run_state_get(&late, &state);
}

Test(run_state, made_while_another_is_closed_is_closed_too)
{
    cr_expect_eq(run(keep_late, NULL), 0);
    cr_expect_str_eq(notes, "with another close 0");
}
