/* core/async: task handles. */
#include "../support/core.h"
#include <criterion/redirect.h>
#include <weir/testing.h>

struct job {
    double seconds;
    int result;
};

static int work(void *arg)
{
    struct job *job = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(job->seconds)));
    return job->result;
}

TASK_TEST(handle, has_the_tasks_result)
{
    struct job job = {2, 42};
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, work, &job, &handle));
        cr_expect_not(weir_handle_is_done(&handle));
        cr_expect_eq(weir_handle_result(&handle), -EINPROGRESS);
        cr_expect_str_eq(weir_handle_name(&handle), "work");
        cr_expect_eq(weir_handle_wait(&handle), 42);
        cr_expect_eq(now(), 2);
        cr_expect(weir_handle_is_done(&handle) && !weir_handle_is_cancelled(&handle));
        cr_expect_eq(weir_handle_wait(&handle), 42);
        cr_expect_eq(weir_handle_result(&handle), 42);
        cr_expect_eq(weir_handle_cancel(&handle, "late"), -EALREADY);
        cr_expect_eq(weir_handle_cancelling(&handle), 0);
    }
    return rc;
}

static int is_current(void *arg)
{
    struct weir_handle *handle = arg;
    cr_expect_eq(weir_handle_task(handle), weir_current_task());
    cr_expect_eq(weir_handle_wait(handle), -EDEADLK);
    return 0;
}

TASK_TEST(handle, knows_its_task_from_the_start_to_the_end)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, is_current, &handle, &handle));
        struct weir_task *task = weir_handle_task(&handle);
        cr_assert_not_null(task);
        cr_expect_str_eq(weir_task_name(task), "is_current");
        cr_expect_eq(weir_task_parent_nursery(task), &nursery);
        cr_expect_eq(weir_handle_wait(&handle), 0);
        cr_expect_null(weir_handle_task(&handle));
        weir_handle_set_name(&handle, "renamed");
        cr_expect_str_eq(weir_handle_name(&handle), "renamed");
    }
    return rc;
}

static int join(void *arg)
{
    int rc = weir_handle_wait(arg);
    note("%g:%d", now(), rc);
    return rc == -ECANCELED ? rc : 0;
}

TASK_TEST(handle, several_may_wait)
{
    struct job job = {1, 3};
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, work, &job, &handle));
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, join, &handle);
    }
    cr_expect_str_eq(notes, "1:3 1:3 1:3");
    return rc;
}

TASK_TEST(handle, cancelling_who_waits_does_not_cancel_the_task)
{
    struct job job = {3, 7};
    struct weir_handle handle;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, work, &job, &handle));
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
            rc = weir_handle_wait(&handle);
            cr_expect_eq(rc, -ECANCELED);
        }
        cr_expect(scope.cancelled_caught && !weir_handle_is_done(&handle));
        cr_expect_eq(weir_handle_cancelling(&handle), 0);
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            rc = weir_handle_wait(&handle);
            cr_expect_eq(rc, -ECANCELED);
        }
        cr_expect_eq(weir_handle_wait(&handle), 7);
        cr_expect_eq(now(), 3);
    }
    return rc;
}

TASK_TEST(handle, waiting_for_one_that_is_done_is_a_checkpoint)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        rc = weir_spawn(&nursery, return_at_once, NULL, &handle);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_handle_wait(&handle);
        cr_expect_eq(rc, -ECANCELED);
    }
    return rc;
}

/* ---- cancelling ---- */

static int sleep_and_note(void *arg)
{
    note("began");
    int rc = weir_sleep_forever();
    note("%s", weir_error_name(rc));
    return rc;
}

TASK_TEST(handle, cancels_its_task_alone)
{
    struct job job = {2, 1};
    struct weir_handle handle, sibling;
    struct weir_nursery nursery;
    struct weir_reason reason;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, sleep_and_note, NULL, &handle));
        WEIR_DO(rc, weir_spawn(&nursery, work, &job, &sibling));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        cr_expect_eq(weir_handle_cancel(&handle, "no longer needed"), 0);
        cr_expect_eq(weir_handle_wait(&handle), -EOWNERDEAD); /* we are not cancelled */
        cr_expect_eq(now(), 1);
        cr_expect(weir_handle_is_done(&handle) && weir_handle_is_cancelled(&handle));
        cr_expect_eq(weir_handle_result(&handle), -ECANCELED);
        cr_expect_eq(weir_future_cancel_reason(&handle.future, &reason), 0);
        cr_expect_str_eq(reason.what, "no longer needed");
        cr_expect_str_eq(reason.who->name, "main");
        cr_expect_eq(weir_handle_wait(&sibling), 1);
    }
    cr_expect_str_eq(notes, "began Cancelled");
    cr_expect_not(nursery.scope.cancel_called);
    return rc;
}

static int tell_reason(void *arg)
{
    struct weir_reason reason;
    int rc = weir_checkpoint();
    cr_expect_eq(weir_current_cancel_reason(&reason), 0);
    note("%s %s by %s", weir_error_name(rc), reason.what, reason.who->name);
    return rc;
}

TASK_TEST(handle, cancelled_before_it_began_it_runs_to_its_first_checkpoint)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, tell_reason, NULL, &handle));
        cr_expect_eq(weir_handle_cancel(&handle, "at once"), 0);
        cr_expect_str_eq(notes, "");
        cr_expect_eq(weir_handle_wait(&handle), -EOWNERDEAD);
    }
    cr_expect_str_eq(notes, "Cancelled at once by main");
    return rc;
}

TASK_TEST(handle, cancelled_twice_the_first_reason_stands)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    struct weir_reason reason;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, sleep_forever, NULL, &handle));
        WEIR_DO(rc, weir_checkpoint());
        cr_expect_eq(weir_handle_cancel(&handle, "first"), 0);
        cr_expect_eq(weir_handle_cancel(&handle, "second"), 0);
        cr_expect_eq(weir_handle_cancelling(&handle), 2);
        cr_expect_eq(weir_handle_wait(&handle), -EOWNERDEAD);
        cr_expect_eq(weir_handle_cancel(&handle, "third"), -EALREADY);
        cr_expect_eq(weir_future_cancel_reason(&handle.future, &reason), 0);
        cr_expect_str_eq(reason.what, "first");
    }
    return rc;
}

static int return_all_the_same(void *arg)
{
    int rc = weir_sleep_forever();
    cr_expect_eq(rc, -ECANCELED);
    cr_expect_eq(weir_checkpoint(), -ECANCELED); /* as long as the task lasts */
    return 9;
}

TASK_TEST(handle, a_task_may_end_well_though_it_was_cancelled)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, return_all_the_same, NULL, &handle));
        WEIR_DO(rc, weir_checkpoint());
        weir_handle_cancel(&handle, "in vain");
        cr_expect_eq(weir_handle_wait(&handle), 9);
        cr_expect_not(weir_handle_is_cancelled(&handle));
    }
    return rc;
}

static int fail_when_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    cr_expect_eq(rc, -ECANCELED);
    return -EIO;
}

TASK_TEST(handle, an_error_of_a_cancelled_task_is_an_error)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, fail_when_cancelled, NULL, &handle));
        WEIR_DO(rc, weir_checkpoint());
        weir_handle_cancel(&handle, "and it fails");
        rc = weir_sleep_forever();
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_eq(rc, -EIO);
    cr_expect_eq(weir_handle_result(&handle), -EIO);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

TASK_TEST(handle, a_scope_around_the_nursery_catches_its_own_cancellation)
{
    struct weir_handle handle, kept;
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct weir_reason reason;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc) {
            WEIR_DO(rc, weir_spawn(&nursery, sleep_forever, NULL, &handle));
            WEIR_DO(rc, weir_spawn_kept(&nursery, sleep_forever, NULL, &kept));
        }
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_eq(rc, 0);
    cr_expect(scope.cancelled_caught);
    cr_expect(weir_handle_is_cancelled(&handle) && weir_handle_is_cancelled(&kept));
    cr_expect_eq(weir_future_cancel_reason(&handle.future, &reason), 0);
    cr_expect_str_eq(reason.what, "deadline passed");
    return rc;
}

static int cancel_itself(void *arg)
{
    cr_expect_eq(weir_handle_cancel(arg, "enough"), 0);
    return weir_checkpoint();
}

TASK_TEST(handle, a_task_may_cancel_itself)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, cancel_itself, &handle, &handle));
        cr_expect_eq(weir_handle_wait(&handle), -EOWNERDEAD);
    }
    return rc;
}

/* ---- errors ---- */

TASK_TEST(handle, an_error_fails_the_nursery_and_can_be_read)
{
    struct job job = {1, -EIO};
    struct weir_handle handle, sibling;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, work, &job, &handle));
        WEIR_DO(rc, weir_spawn(&nursery, sleep_forever, NULL, &sibling));
    }
    cr_expect_eq(rc, -EIO);
    cr_expect_eq(weir_handle_result(&handle), -EIO);
    cr_expect_eq(weir_handle_result(&sibling), -ECANCELED);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect(group != NULL && group->next == NULL && strcmp(group->site->name, "work") == 0);
    weir_error_free(group);
    return 0;
}

TASK_TEST(handle, a_kept_error_cancels_nobody_and_is_read_by_who_waits)
{
    struct job fails = {1, -EIO}, ends = {2, 5};
    struct weir_handle bad, good;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn_kept(&nursery, work, &fails, &bad));
        WEIR_DO(rc, weir_spawn_kept(&nursery, work, &ends, &good));
        cr_expect_eq(weir_handle_wait(&bad), -EIO);
        cr_expect_eq(weir_handle_wait(&good), 5);
        cr_expect_eq(errors_held(), 0);
    }
    cr_expect_not(nursery.scope.cancel_called);
    cr_expect_null(weir_nursery_take_errors(&nursery));
    return rc;
}

TASK_TEST(handle, a_kept_error_that_nobody_reads_joins_the_nurserys_group)
{
    struct job first = {1, -EIO}, second = {2, -EPIPE}, third = {3, -ENOENT};
    struct weir_handle handles[3];
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn_kept(&nursery, work, &first, &handles[0]));
        WEIR_DO(rc, weir_spawn_kept(&nursery, work, &second, &handles[1]));
        WEIR_DO(rc, weir_spawn_kept(&nursery, work, &third, &handles[2]));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(4)));
        cr_expect_eq(weir_handle_result(&handles[1]), -EPIPE); /* read, from their midst */
    }
    cr_expect_eq(now(), 4); /* it cancelled nobody */
    cr_expect_eq(rc, -EIO);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_assert(group != NULL && group->next != NULL && group->next->next == NULL);
    cr_expect(group->code == -EIO && group->next->code == -ENOENT); /* the oldest first */
    weir_error_free(group);
    cr_expect_eq(weir_handle_result(&handles[0]), -EIO); /* it can be read still */
    cr_expect_null(weir_future_take_error(&handles[0].future));
    cr_expect_eq(errors_held(), 0);
    return 0;
}

static int fail_below(void *arg)
{
    static int eio = -EIO, epipe = -EPIPE;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, &eio);
        weir_start_soon(&nursery, fail_with, &epipe);
    }
    return 0; /* and does not look */
}

TASK_TEST(handle, what_a_task_left_unread_is_its_error)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn_kept(&nursery, fail_below, NULL, &handle));
        WEIR_DO(rc, weir_sleep(1));
        struct weir_error *error = weir_future_take_error(&handle.future);
        cr_assert_not_null(error);
        cr_expect(error->code == -EIO && error->children->code == -EIO && error->children->next->code == -EPIPE);
        cr_expect_str_eq(error->site->name, "fail_below");
        weir_error_free(error);
        cr_expect_eq(weir_handle_result(&handle), -EIO);
    }
    return rc;
}

static int read_group_by_its_code(void *arg)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn_kept(&nursery, fail_below, NULL, &handle));
        cr_expect_eq(weir_handle_wait(&handle), -EIO);
    }
    cr_expect_eq(errors_held(), 0);
    return rc;
}

Test(handle, an_error_that_says_more_than_its_code_is_printed_when_only_that_is_read, .init = cr_redirect_stderr)
{
    char text[1024] = "";
    cr_expect_eq(run(read_group_by_its_code, NULL), 0);
    fflush(stderr);
    text[fread(text, 1, sizeof text - 1, cr_get_redirected_stderr())] = '\0';
    cr_expect(strstr(text, "fail_below") != NULL && strstr(text, "BrokenResourceError") != NULL, "%s", text);
}

static int make_up_a_cancellation(void *arg)
{
    return -ECANCELED;
}

TASK_TEST(handle, a_made_up_cancellation_is_kept_as_an_error)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        rc = weir_spawn_kept(&nursery, make_up_a_cancellation, NULL, &handle);
    cr_expect_eq(rc, -ECANCELED);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect(group != NULL && group->code == -ECANCELED);
    weir_error_free(group);
    return 0;
}

static int fail_beside_cancellation(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        weir_start_soon(&nursery, fail_when_cancelled, NULL);
    }
    return rc;
}

TASK_TEST(handle, a_kept_error_beside_a_cancellation_leaves_that_to_the_scope_that_it_is_of)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        weir_with_nursery (&nursery, rc)
            rc = weir_spawn_kept(&nursery, fail_beside_cancellation, NULL, &handle);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(weir_handle_result(&handle), -EIO);
    cr_expect_eq(rc, -EIO);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect(group != NULL && group->code == -EIO && group->next == NULL);
    weir_error_free(group);
    return 0;
}

/* ---- what cannot be started ---- */

static int spawn_in_closed(void *arg)
{
    struct weir_handle handle, kept;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        rc = weir_checkpoint();
    cr_expect_eq(weir_spawn(&nursery, return_at_once, NULL, &handle), -EBADF);
    cr_expect_eq(weir_spawn_kept(&nursery, return_at_once, NULL, &kept), -EBADF);
    cr_expect(weir_handle_is_done(&handle) && weir_handle_task(&handle) == NULL);
    cr_expect_eq(weir_handle_wait(&kept), -EBADF);
    return rc;
}

Test(handle, in_a_closed_nursery_it_is_done_at_once, .init = cr_redirect_stderr)
{
    cr_expect_eq(run(spawn_in_closed, NULL), 0);
}

static int out_of_tasks(void *arg)
{
    struct weir_handle one, two;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, sleep_forever, NULL, &one));
        cr_expect_eq(weir_spawn_kept(&nursery, return_at_once, NULL, &two), -ENOMEM);
        cr_expect_eq(weir_handle_result(&two), -ENOMEM);
        cr_expect_not(nursery.scope.cancel_called);
        cr_expect_eq(weir_spawn(&nursery, return_at_once, NULL, &two), -ENOMEM);
        cr_expect_eq(weir_handle_wait(&two), -ECANCELED);
    }
    cr_expect_eq(rc, -ENOMEM);
    cr_expect(weir_handle_is_cancelled(&one));
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

Test(handle, without_a_task_left_it_is_done_with_that)
{
    cr_expect_eq(run_with(out_of_tasks, NULL, (struct weir_run_options){.tasks_max = 2}), 0);
}

static int keep_more_than_there_is_room_for(void *arg)
{
    static struct weir_handle handles[8];
    static struct job job = {0, -EIO};
    struct weir_nursery nursery;
    int rc = 0, kept = 0;
    weir_with_nursery (&nursery, rc) {
        for (; kept < 8 && rc == 0; kept++) {
            rc = weir_spawn_kept(&nursery, work, &job, &handles[kept]);
            if (rc == 0)
                rc = weir_sleep(1);
        }
    }
    cr_expect_eq(rc, -EIO);
    unsigned told = 0;
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    for (struct weir_error *error = group; error != NULL; error = error->next)
        told += error->code == -EIO;
    cr_expect_geq(told, 1);
    for (int i = 0; i < kept; i++)
        told -= handles[i].future.code == -EIO;
    cr_expect_eq(told, 0); /* each that failed is in the group */
    weir_error_free(group);
    return 0;
}

Test(handle, where_no_record_is_left_a_kept_error_fails_the_nursery_after_all)
{
    cr_expect_eq(run_with(keep_more_than_there_is_room_for, NULL, (struct weir_run_options){.tasks_max = 2}), 0);
}

static int keep_often(void *arg)
{
    struct job ends = {0, 1}, fails = {0, -EIO};
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 20 && rc == 0; i++) {
            rc = weir_spawn_kept(&nursery, work, i % 2 == 0 ? &ends : &fails, &handle);
            cr_expect_eq(weir_handle_wait(&handle), i % 2 == 0 ? 1 : -EIO);
        }
    }
    return rc;
}

Test(handle, records_are_used_again)
{
    cr_expect_eq(run_with(keep_often, NULL, (struct weir_run_options){.tasks_max = 2}), 0);
}

static int keep_among_the_runs_own(void *arg)
{
    static struct weir_handle handle;
    static struct job fails = {1, -EPIPE};
    return weir_spawn_kept(weir_task_parent_nursery(weir_current_task()), work, &fails, &handle);
}

static int with_a_system_task(void *arg)
{
    WEIR_TRY(weir_spawn_system_task(keep_among_the_runs_own, NULL));
    return weir_sleep(WEIR_SECONDS(2));
}

Test(handle, a_kept_error_of_a_system_task_fails_the_run)
{
    cr_expect_eq(run(with_a_system_task, NULL), -EPIPE);
}

TASK_TEST(handle, to_wait_is_a_checkpoint_and_nothing_else_is)
{
    struct weir_handle handle;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_assert_no_checkpoints(rc)
        {
            WEIR_DO(rc, weir_spawn(&nursery, return_at_once, NULL, &handle));
            weir_handle_cancel(&handle, "before it begins");
        }
        weir_assert_checkpoints(rc) rc = weir_handle_wait(&handle);
        weir_assert_checkpoints(rc) rc = weir_handle_wait(&handle);
    }
    return rc;
}

/* ---- callbacks ---- */

static void note_result(struct weir_done_callback *callback, struct weir_future *future)
{
    note("callback:%d", weir_future_result(future, NULL));
}

TASK_TEST(handle, done_callbacks_run_before_anybody_can_miss_the_task)
{
    struct job job = {1, 8};
    struct weir_handle handle;
    struct weir_nursery nursery;
    struct weir_done_callback callback = {.fn = note_result}, late = {.fn = note_result};
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, work, &job, &handle));
        weir_future_add_done_callback(&handle.future, &callback);
    }
    cr_expect_str_eq(notes, "callback:8");
    weir_future_add_done_callback(&handle.future, &late);
    cr_expect_str_eq(notes, "callback:8 callback:8");
    return rc;
}

/* ---- in the task tree ---- */

static int print_tree(void *arg)
{
    FILE *out = arg;
    WEIR_TRY(weir_sleep(1));
    weir_print_tree(out);
    return 0;
}

static int wait_for_all(void *arg)
{
    return weir_wait(arg, 2, WEIR_ALL_COMPLETED);
}

TASK_TEST(handle, the_tree_says_for_whom_a_task_waits)
{
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    struct job job = {1, 3};
    struct weir_handle handle, printer;
    struct weir_watch watches[] = {{&handle.future}, {&printer.future}};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, work, &job, &handle));
        WEIR_DO(rc, weir_spawn(&nursery, print_tree, out, &printer));
        weir_start_soon(&nursery, wait_for_all, watches);
        cr_expect_eq(weir_handle_wait(&handle), 3);
    }
    fclose(out);
    cr_expect(strstr(text, "weir_handle_wait") != NULL && strstr(text, "for work (") != NULL, "%s", text);
    cr_expect(strstr(text, "weir_wait") != NULL && strstr(text, "for 2") != NULL, "%s", text);
    return rc < 0 ? rc : 0;
}

/* ---- in a select ---- */

TASK_TEST(handle, is_a_case_of_a_select)
{
    struct job slow = {3, 3}, fails = {1, -EIO};
    struct weir_handle handles[2];
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn_kept(&nursery, work, &slow, &handles[0]));
        WEIR_DO(rc, weir_spawn_kept(&nursery, work, &fails, &handles[1]));
        struct weir_case cases[] = {WEIR_CASE_HANDLE(&handles[0]), WEIR_CASE_HANDLE(&handles[1])};
        cr_expect_eq(weir_select(cases, 2), 1);
        cr_expect_eq(cases[1].result, -EIO);
        cr_expect_eq(errors_held(), 0); /* it has been read */
        cr_expect_eq(now(), 1);
        cr_expect_not(weir_handle_is_done(&handles[0])); /* it goes on */
        cases[1] = (struct weir_case)WEIR_CASE_NEVER;
        cr_expect_eq(weir_select(cases, 2), 0);
        cr_expect_eq(cases[0].result, 3);
        cr_expect_eq(now(), 3);
    }
    return rc;
}

/* ---- any order of tasks ---- */

static int spawn_and_cancel_some(void *arg)
{
    static struct weir_handle handles[20];
    static struct job jobs[20];
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 20; i++) {
            jobs[i] = (struct job){i % 5, i % 3 == 0 ? -EIO : i};
            WEIR_DO(rc, weir_spawn_kept(&nursery, work, &jobs[i], &handles[i]));
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2.5)));
        for (int i = 0; i < 20; i++)
            cr_expect_eq(weir_handle_cancel(&handles[i], "half-time"), i % 5 <= 2 ? -EALREADY : 0);
        for (int i = 0; i < 20; i++)
            cr_expect_eq(weir_handle_wait(&handles[i]), i % 5 > 2 ? -EOWNERDEAD : jobs[i].result);
        cr_expect_eq(errors_held(), 0);
    }
    return rc;
}

Test(handle, in_any_order, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        cr_assert_eq(run_with(spawn_and_cancel_some, NULL, (struct weir_run_options){.shuffle_seed = seed}), 0,
                     "seed %lu", seed);
}
