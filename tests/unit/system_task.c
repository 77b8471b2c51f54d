/* core/task: tasks of the run itself. */
#include "../support/core.h"

static int note_end(void *arg)
{
    int rc = weir_sleep_forever();
    note("%s:%s", (char *)arg, weir_error_name(rc));
    return rc;
}

static int start_and_end(void *arg)
{
    static char name[] = "system";
    cr_expect_eq(weir_spawn_system_task(note_end, name), 0);
    int rc = weir_sleep(WEIR_SECONDS(1));
    note("main ends");
    return rc;
}

Test(system_task, is_cancelled_and_waited_for_when_the_main_task_has_ended)
{
    cr_expect_eq(run(start_and_end, NULL), 0);
    cr_expect_str_eq(notes, "main ends system:Cancelled");
}

static int note_steps(void *arg)
{
    for (int i = 0; i < 3; i++) {
        WEIR_TRY(weir_sleep(1));
        note("%d", i);
    }
    return 0;
}

static int be_cancelled(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    cr_expect_eq(weir_spawn_system_task(note_steps, NULL), 0);
    weir_interrupt(weir_current_loop());
    cr_expect_eq(weir_sleep_forever(), -ECANCELED);
    weir_with_scope (&scope, rc) {
        weir_scope_set_shield(&scope, WEIR_SHIELD_FULL);
        rc = weir_sleep(10);
    }
    note("main ends");
    return -ECANCELED;
}

Test(system_task, is_not_cancelled_with_the_main_task)
{
    cr_expect_eq(run(be_cancelled, NULL), -EINTR);
    cr_expect_str_eq(notes, "0 1 2 main ends");
}

static int io_error = -EIO;

static int fail_beside(void *arg)
{
    cr_expect_eq(weir_spawn_system_task(fail_with, &io_error), 0);
    int rc = weir_sleep_forever();
    note("main:%s", weir_error_name(rc));
    return arg != NULL ? *(int *)arg : rc;
}

Test(system_task, that_fails_cancels_the_main_task_and_is_the_runs_error)
{
    int own = 0;
    cr_expect_eq(run(fail_beside, NULL), -EIO);
    cr_expect_eq(run(fail_beside, &own), -EIO, "even if the main task ends well");
    own = -ENOENT;
    cr_expect_eq(run(fail_beside, &own), -ENOENT, "the main task's own error comes first");
    cr_expect_str_eq(notes, "main:Cancelled main:Cancelled main:Cancelled");
}

static void expect_names(const char *names)
{
    notes[0] = '\0';
    for (struct weir_task *task = NULL; (task = weir_next_task(task)) != NULL;)
        note("%s", weir_task_name(task));
    cr_expect_str_eq(notes, names);
}

static int look_when_alone(void *arg)
{
    cr_expect_eq(weir_sleep_forever(), -ECANCELED);
    cr_expect_null(weir_root_task());
    expect_names("look_when_alone");
    return 0;
}

TASK_TEST(system_task, comes_last_in_the_tree)
{
    struct weir_nursery nursery;
    int rc = 0;
    cr_expect_eq(weir_spawn_system_task(look_when_alone, NULL), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, return_at_once, NULL);
        expect_names("main return_at_once look_when_alone");
    }
    expect_names("main look_when_alone");
    return rc;
}

static int start_another(void *arg)
{
    cr_expect_eq(weir_sleep_forever(), -ECANCELED);
    cr_expect_eq(weir_spawn_system_task(note_end, arg), 0);
    return 0;
}

static int start_late(void *arg)
{
    static char name[] = "late";
    return weir_spawn_system_task(start_another, name);
}

Test(system_task, may_start_others_until_the_last_has_ended)
{
    cr_expect_eq(run(start_late, NULL), 0);
    cr_expect_str_eq(notes, "late:Cancelled");
}

static void start_in_job(struct weir_job *job)
{
    note("%s", weir_error_name(weir_spawn_system_task(return_at_once, NULL)));
}

static int queue_job(void *arg)
{
    struct weir_token *token = weir_current_token();
    int rc = weir_token_run_soon(token, arg);
    weir_token_release(token);
    return rc;
}

Test(system_task, is_refused_when_the_run_is_over)
{
    struct weir_job job = {.fn = start_in_job};
    cr_expect_eq(run(queue_job, &job), 0);
    cr_expect_str_eq(notes, "ESRCH");
}

static int fill_up(void *arg)
{
    cr_expect_eq(weir_spawn_system_task(return_at_once, NULL), 0);
    cr_expect_eq(weir_spawn_system_task(return_at_once, NULL), -ENOMEM);
    return 0;
}

Test(system_task, needs_a_stack_of_its_own)
{
    cr_expect_eq(run_with(fill_up, NULL, (struct weir_run_options){.tasks_max = 2}), 0);
}
