/* core/task: task-locals. As Python's contextvars in Trio. */
#include "../support/core.h"
#include "../support/no_memory.h"
#include <malloc.h>

static char initial[] = "initial", ann[] = "ann", bob[] = "bob", eve[] = "eve";
static const struct weir_local user = {"user", initial}, color = {"color", NULL}, shape = {"shape", NULL};

static const char *get(const struct weir_local *local)
{
    const char *value = weir_local_get(local);
    return value != NULL ? value : "none";
}

static void set(const struct weir_local *local, char *value)
{
    cr_assert_eq(weir_local_set(local, value), 0);
}

static int note_user(void *arg)
{
    note("%s", get(&user));
    return 0;
}

TASK_TEST(local, has_its_initial_value_until_it_is_set)
{
    cr_expect_str_eq(get(&user), "initial");
    cr_expect_str_eq(get(&color), "none");
    set(&user, ann);
    set(&color, bob);
    cr_expect_str_eq(get(&user), "ann");
    cr_expect_str_eq(get(&color), "bob");
    cr_expect_str_eq(get(&shape), "none");
    set(&user, NULL);
    cr_expect_str_eq(get(&user), "none", "not the initial one");
    return 0;
}

static int see_and_set(void *arg)
{
    note("%s", get(&user));
    WEIR_TRY(weir_checkpoint());
    note("%s", get(&user));
    set(&user, eve);
    WEIR_TRY(weir_checkpoint());
    note("%s", get(&user));
    return 0;
}

TASK_TEST(local, is_inherited_as_it_was_and_then_each_tasks_own)
{
    struct weir_nursery nursery;
    int rc = 0;
    set(&user, ann);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, see_and_set, NULL);
        set(&user, bob); /* it has not even run */
        WEIR_DO(rc, weir_checkpoint());
        WEIR_DO(rc, weir_checkpoint());
        note("%s", get(&user));
    }
    note("%s", get(&user));
    cr_expect_str_eq(notes, "ann ann bob eve bob");
    return rc;
}

static int set_and_start(void *arg)
{
    set(&user, eve);
    weir_start_soon(arg, note_user, NULL);
    return 0;
}

TASK_TEST(local, comes_from_who_starts_and_not_from_whose_nursery_it_is)
{
    struct weir_nursery nursery;
    int rc = 0;
    set(&user, ann);
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, set_and_start, &nursery);
    cr_expect_str_eq(notes, "eve");
    return rc;
}

static int report_user(void *arg)
{
    note_user(arg);
    set(&user, bob);
    weir_started(NULL);
    note_user(arg);
    return 0;
}

TASK_TEST(local, survives_the_move_of_what_weir_start_started)
{
    struct weir_nursery nursery;
    int rc = 0;
    set(&user, ann);
    weir_with_nursery (&nursery, rc)
        rc = weir_start(&nursery, report_user, NULL, NULL);
    note_user(NULL);
    cr_expect_str_eq(notes, "ann bob ann");
    return rc;
}

static struct weir_nursery *to_start_in;

static void start_from_alarm(struct weir_alarm *alarm)
{
    cr_expect_str_eq(get(&user), "initial", "here is no task");
    cr_expect_eq(weir_local_set(&user, eve), -ESRCH);
    weir_start_soon(to_start_in, note_user, NULL);
}

TASK_TEST(local, is_not_inherited_where_no_task_starts)
{
    struct weir_nursery nursery;
    struct weir_alarm alarm;
    int rc = 0;
    to_start_in = &nursery;
    set(&user, ann);
    weir_alarm_init(&alarm, start_from_alarm);
    weir_with_nursery (&nursery, rc) {
        weir_alarm_set(&alarm, 5);
        WEIR_DO(rc, weir_spawn_system_task(note_user, NULL));
        rc = weir_sleep(10);
    }
    cr_expect_str_eq(notes, "initial initial");
    return rc;
}

TASK_TEST(local, of_the_task_that_had_the_same_stack_before_is_gone)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, see_and_set, NULL);
    notes[0] = '\0';
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, note_user, NULL);
    cr_expect_str_eq(notes, "initial");
    return rc;
}

/* ---- the block ---- */

static int leave_by_return(void)
{
    int rc = 0;
    weir_with_local (&user, eve, rc)
        return 7;
    return rc;
}

TASK_TEST(local, set_for_a_block_is_set_back_however_that_is_left)
{
    int rc = 5;
    set(&user, ann);
    weir_with_local (&user, bob, rc) {
        cr_expect_str_eq(get(&user), "bob");
        weir_with_local (&user, eve, rc)
            cr_expect_str_eq(get(&user), "eve");
        cr_expect_str_eq(get(&user), "bob");
        set(&user, eve);
        set(&color, ann);
    }
    cr_expect_eq(rc, 5);
    cr_expect_str_eq(get(&user), "ann");
    cr_expect_str_eq(get(&color), "ann", "only the block's own is set back");
    weir_with_local (&user, bob, rc)
        break;
    cr_expect_str_eq(get(&user), "ann");
    cr_expect_eq(leave_by_return(), 7);
    cr_expect_str_eq(get(&user), "ann");
    weir_with_local (&shape, bob, rc)
        cr_expect_str_eq(get(&shape), "bob");
    cr_expect_str_eq(get(&shape), "none");
    return 0;
}

static int see_twice(void *arg)
{
    note("%s", get(&user));
    WEIR_TRY(weir_sleep(1));
    note("%s", get(&user));
    return 0;
}

TASK_TEST(local, set_for_a_block_stays_with_children_that_outlive_it)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_local (&user, bob, rc) {
            weir_start_soon(&nursery, see_twice, NULL);
            rc = weir_checkpoint();
        }
        note("%s", get(&user));
    }
    cr_expect_str_eq(notes, "bob initial bob");
    return rc;
}

/* ---- memory ---- */

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

TASK_TEST(local, set_over_and_over_takes_no_more_memory)
{
    struct weir_nursery nursery;
    int rc = 0;
    set(&shape, ann);
    weir_with_nursery (&nursery, rc) {
        size_t before = 0;
        for (int i = 0; i < 2000 && rc == 0; i++) {
            if (i == 1000)
                before = in_use();
            weir_start_soon(&nursery, note_user, NULL); /* who shares what is set */
            set(&color, i % 2 == 0 ? ann : bob);
            weir_with_local (&user, i % 2 == 0 ? ann : bob, rc) {
                weir_start_soon(&nursery, return_at_once, NULL);
                set(&shape, i % 2 == 0 ? ann : bob);
                rc = weir_checkpoint();
            }
            rc = weir_checkpoint();
            notes[0] = '\0';
        }
        cr_expect_leq(in_use(), before + 256);
    }
    return rc;
}

TASK_TEST(local, without_memory_is_as_before)
{
    struct weir_nursery nursery;
    int rc = 0;
    set(&user, ann);
    set(&color, ann);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL); /* shares both */
        for (mallocs_left = 0; mallocs_left < 2;) {     /* one for the value, one to copy what lies in front */
            long left = mallocs_left;
            cr_expect_eq(weir_local_set(&user, bob), -ENOMEM);
            cr_expect_str_eq(get(&user), "ann");
            cr_expect_str_eq(get(&color), "ann");
            mallocs_left = left + 1;
        }
        cr_expect_eq(weir_local_set(&user, bob), 0);
        cr_expect_eq(mallocs_left, 0);
        cr_expect_eq(weir_local_set(&user, eve), 0, "it is ours alone by now");
        cr_expect_str_eq(get(&color), "ann");
        mallocs_left = -1;
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

static int run_blocks(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, block = 3;
    set(&user, ann);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL); /* shares it */
        set(&color, ann);                               /* in front */
        mallocs_left = *(int *)arg;
        weir_with_local (&user, bob, block)
            note("ran");
        mallocs_left = 3;
        cr_expect_eq(block, -ENOMEM);
        cr_expect_str_eq(get(&user), "ann");
        weir_with_local (&user, bob, block) {
            note("%ld left", mallocs_left);
            weir_start_soon(&nursery, sleep_forever, NULL); /* shares it */
        }
        mallocs_left = -1;
        cr_expect_str_eq(get(&user), "ann");
        cr_expect_str_eq(get(&color), "ann");
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

Test(local, without_memory_the_block_does_not_run_and_one_that_runs_is_undone, .timeout = 30)
{
    for (int left = 0; left < 3; left++)
        cr_expect_eq(run(run_blocks, &left), 0);
    cr_expect_str_eq(notes, "0 left 0 left 0 left");
}
