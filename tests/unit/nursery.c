/* core/task: nurseries and their errors. DESIGN section 3 and section 4, points 5 and 6. */
#include "../support/core.h"
#include <criterion/redirect.h>

static int eio = -EIO, epipe = -EPIPE, enoent = -ENOENT;

TASK_TEST(nursery, waits_for_all_its_children)
{
    double seconds[] = {1, 3, 2};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, sleep_for, &seconds[i]);
        cr_expect_eq(weir_nursery_child_count(&nursery), 3);
        rc = 5;
    }
    cr_expect_eq(now(), 3);
    cr_expect_eq(rc, 5);
    return 0;
}

static int note_and_sleep(void *arg)
{
    note("began");
    int rc = weir_sleep_forever();
    note("%s", weir_error_name(rc));
    return rc;
}

TASK_TEST(nursery, a_failed_child_cancels_the_rest_and_the_body)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, note_and_sleep, NULL);
        weir_start_soon(&nursery, fail_with, &eio);
        rc = weir_sleep_forever();
        note("body %s", weir_error_name(rc));
    }
    cr_expect_str_eq(notes, "began body Cancelled Cancelled");
    cr_expect_eq(rc, -EIO);
    cr_expect(nursery.scope.cancel_called && nursery.scope.cancelled_caught);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

static int clean_up_slowly(void *arg)
{
    struct weir_scope shield;
    int rc = weir_sleep_forever(), cleanup = 0;
    weir_with_scope (&shield, cleanup) {
        weir_scope_set_shield(&shield, true);
        cleanup = weir_sleep(WEIR_SECONDS(5));
    }
    return rc;
}

TASK_TEST(nursery, a_failed_body_cancels_the_children_and_waits_for_them)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, clean_up_slowly, NULL);
        WEIR_DO(rc, weir_checkpoint());
        rc = -EIO;
    }
    cr_expect_eq(rc, -EIO);
    cr_expect_eq(now(), 5);
    cr_expect_null(weir_nursery_take_errors(&nursery)); /* the children were only cancelled */
    return 0;
}

TASK_TEST(nursery, cancelled_is_no_error)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        rc = weir_checkpoint();
        weir_nursery_cancel(&nursery);
    }
    cr_expect_eq(rc, 0);
    cr_expect(nursery.scope.cancelled_caught);
    return 0;
}

TASK_TEST(nursery, its_end_is_not_a_place_where_cancellation_is_raised)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        weir_with_nursery (&nursery, rc)
            rc = 3; /* no children */
        cr_expect_eq(rc, 3);
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, return_at_once, NULL); /* one that reaches no checkpoint */
        cr_expect_eq(rc, 3);
    }
    cr_expect_not(scope.cancelled_caught);
    return 0;
}

TASK_TEST(nursery, waiting_at_its_end_children_are_cancelled_by_a_scope_around)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(2), rc) {
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, sleep_forever, NULL);
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_eq(rc, 0);
    cr_expect(scope.cancelled_caught && !nursery.scope.cancelled_caught);
    return 0;
}

static int note_checkpoint(void *arg)
{
    note("ran");
    int rc = weir_checkpoint();
    note("%s", weir_error_name(rc));
    return rc;
}

TASK_TEST(nursery, a_child_started_in_a_cancelled_open_one_runs_to_its_first_checkpoint)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_nursery_cancel(&nursery);
        cr_expect_eq(weir_start_soon(&nursery, note_checkpoint, NULL), 0);
    }
    cr_expect_str_eq(notes, "ran Cancelled");
    cr_expect_eq(rc, 0);
    return 0;
}

static int start_in_closed(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        rc = weir_checkpoint();
    cr_expect_eq(weir_start_soon(&nursery, return_at_once, NULL), -EBADF);
    cr_expect_eq(weir_try_start_soon(&nursery, return_at_once, NULL), -EBADF);
    cr_expect_eq(weir_start(&nursery, return_at_once, NULL, NULL), -EBADF);
    return 0;
}

Test(nursery, starting_in_a_closed_one_is_an_error_and_reported, .init = cr_redirect_stderr)
{
    cr_assert_eq(run(start_in_closed, NULL), 0);
    char text[512] = "";
    cr_assert_not_null(fgets(text, sizeof text, cr_get_redirected_stderr()));
    cr_assert_not_null(strstr(text, "weir: return_at_once was to start in a nursery that is closed"));
}

static int start_from_cancelled_scope(void *arg)
{
    struct weir_nursery *nursery = arg;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        weir_start_soon(nursery, note_checkpoint, NULL);
        rc = weir_checkpoint();
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

TASK_TEST(nursery, children_inherit_its_scopes_and_not_the_starters)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, start_from_cancelled_scope, &nursery);
    cr_expect_str_eq(notes, "ran ok");
    struct weir_scope scope;
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc) {
            struct weir_scope shield;
            weir_with_scope (&shield, rc) { /* inside the nursery: its children do not have it */
                weir_scope_set_shield(&shield, true);
                weir_start_soon(&nursery, sleep_forever, NULL);
                weir_scope_cancel(&scope);
            }
        }
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

static int start_a_sibling(void *arg)
{
    return weir_start_soon(arg, note_checkpoint, NULL);
}

TASK_TEST(nursery, stays_open_for_children_that_children_start)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, start_a_sibling, &nursery);
    cr_expect_str_eq(notes, "ran ok");
    return rc;
}

/* ---- errors ---- */

TASK_TEST(errors, even_a_single_one_is_a_group)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fail_with, &eio);
    cr_expect_eq(rc, -EIO);
    cr_expect_eq(errors_held(), 1);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_assert_not_null(group);
    cr_expect(group->code == -EIO && group->next == NULL && group->children == NULL);
    cr_expect_str_eq(group->site->name, "fail_with");
    cr_expect_null(weir_nursery_take_errors(&nursery)); /* taken once */
    weir_error_free(group);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

TASK_TEST(errors, all_are_gathered_the_oldest_first)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, &eio);
        weir_start_soon(&nursery, fail_with, &epipe);
        weir_start_soon(&nursery, fail_with, &enoent);
        rc = -ENOTDIR; /* the body's own comes first */
    }
    cr_expect_eq(rc, -ENOTDIR);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_assert(group->code == -EIO && group->next->code == -EPIPE && group->next->next->code == -ENOENT);
    cr_assert_null(group->next->next->next);
    weir_error_free(group);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

static int nest(void *arg)
{
    int depth = *(int *)arg, below = depth - 1, rc = 0;
    struct weir_nursery nursery;
    if (depth == 0)
        return -EIO;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, nest, &below);
        weir_start_soon(&nursery, nest, &below);
    }
    return rc;
}

static unsigned leaves(const struct weir_error *group, int depth)
{
    unsigned count = 0;
    for (; group != NULL; group = group->next) {
        cr_expect_eq(group->code, -EIO);
        count += depth == 0 ? 1 : leaves(group->children, depth - 1);
    }
    return count;
}

TASK_TEST(errors, of_nested_nurseries_are_a_tree)
{
    struct weir_nursery nursery;
    int depth = 3, rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, nest, &depth);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect_eq(leaves(group, 3), 8);
    cr_expect_eq(errors_held(), 1 + 2 + 4 + 8);
    weir_error_free(group);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

static int leave_unread(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fail_with, arg);
    return 0; /* rc was not looked at */
}

TASK_TEST(errors, an_unread_group_joins_the_tasks_result)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, leave_unread, &epipe);
    cr_expect_eq(rc, -EPIPE);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_assert_eq(group->code, -EPIPE);
    cr_assert_str_eq(group->site->name, "leave_unread");
    cr_assert_eq(group->children->code, -EPIPE);
    weir_error_free(group);
    return 0;
}

static int take_and_go_on(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fail_with, arg);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

Test(errors, what_is_unread_at_the_top_is_the_runs_result)
{
    cr_assert_eq(run(leave_unread, &epipe), -EPIPE);
    cr_assert_eq(run(take_and_go_on, &epipe), 0);
    cr_assert_eq(run(fail_with, &eio), -EIO);
}

static int leave_by_return(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, arg);
        return 0;
    }
    return rc;
}

static int leave_by_goto(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, arg);
        goto out;
    }
out:
    return 0;
}

static int leave_by_break(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, arg);
        break;
    }
    return rc;
}

Test(errors, none_is_lost_when_a_block_is_left_early)
{
    cr_expect_eq(run(leave_by_return, &epipe), -EPIPE);
    cr_expect_eq(run(leave_by_goto, &epipe), -EPIPE);
    cr_expect_eq(run(leave_by_break, &epipe), -EPIPE);
}

static int unread_in_a_loop(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        struct weir_nursery nursery;
        int rc = 0;
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, fail_with, i % 2 == 0 ? &epipe : &eio);
        if (i % 2 == 0) {
            struct weir_error *group = weir_nursery_take_errors(&nursery);
            cr_assert(group != NULL && group->code == -EPIPE && group->next == NULL);
            weir_error_free(group);
        }
    }
    cr_expect_eq(errors_held(), 500);
    return 0;
}

Test(errors, unread_groups_gather_while_others_are_taken)
{
    cr_assert_eq(run(unread_in_a_loop, NULL), -EIO);
}

Test(errors, the_tree_is_printed_once_with_names_and_places, .init = cr_redirect_stderr)
{
    char line[3][256] = {"", "", ""};
    cr_assert_eq(weir_run(leave_unread, &epipe, NULL), -EPIPE);
    for (int i = 0; i < 3; i++)
        if (fgets(line[i], sizeof line[i], cr_get_redirected_stderr()) == NULL)
            line[i][0] = '\0';
    cr_assert_not_null(strstr(line[0], "main: BrokenResourceError (-32): the other end is gone; started in weir_run"));
    cr_assert_not_null(strstr(line[1], "  fail_with: BrokenResourceError (-32)"));
    cr_assert_not_null(strstr(line[1], "started in leave_unread"));
    cr_assert_eq(line[2][0], '\0');
}

static int start_too_many(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, started = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 10; i++)
            started += weir_start_soon(&nursery, sleep_forever, NULL) == 0;
        cr_expect_eq(weir_start_soon(&nursery, sleep_forever, NULL), -ENOMEM);
    }
    cr_expect_eq(started, 7); /* tasks_max is 8, and here is one */
    cr_expect_eq(rc, -ENOMEM);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_assert(group != NULL && group->code == -ENOMEM && group->next == NULL);
    cr_expect_str_eq(group->site->name, "sleep_forever");
    weir_error_free(group);
    weir_with_nursery (&nursery, rc) { /* there is room again */
        cr_expect_eq(weir_start_soon(&nursery, return_at_once, NULL), 0);
        rc = 0;
    }
    return rc;
}

static int start_too_many_and_return(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 9; i++)
            weir_start_soon(&nursery, sleep_forever, NULL);
        return 0;
    }
    return rc;
}

static int try_too_many(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, refused = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 10; i++)
            refused += weir_try_start_soon(&nursery, return_at_once, NULL) == -ENOMEM;
        cr_expect_eq(weir_checkpoint(), 0);
    }
    cr_expect_eq(refused, 3);
    return rc;
}

Test(errors, out_of_tasks_is_the_nurserys_error_unless_only_tried)
{
    struct weir_run_options few = {.tasks_max = 8};
    cr_expect_eq(run_with(start_too_many, NULL, few), 0);
    cr_expect_eq(run_with(start_too_many_and_return, NULL, few), -ENOMEM);
    cr_expect_eq(run_with(try_too_many, NULL, few), 0);
}

/* ---- a cancellation beside an error ---- */

/* Fails when it is cancelled. */
static int fail_when_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    return rc == -ECANCELED ? -EIO : rc;
}

static int error_beside_cancelled(struct weir_scope *outer, struct weir_scope *inner, bool cleanup)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_scope (outer, rc) {
        weir_with_scope (inner, rc) {
            weir_with_nursery (&nursery, rc) {
                weir_start_soon(&nursery, fail_when_cancelled, NULL);
                weir_start_soon(&nursery, sleep_forever, NULL);
                WEIR_DO(rc, weir_checkpoint());
                weir_scope_cancel(outer);
            }
            cr_expect_eq(rc, -EIO);
            if (cleanup) {
                struct weir_scope shield;
                int done = 0;
                weir_with_scope (&shield, done)
                    weir_scope_set_shield(&shield, true);
            }
        }
        cr_expect_eq(rc, -EIO);
    }
    weir_error_free(weir_nursery_take_errors(&nursery));
    return rc;
}

TASK_TEST(errors, a_cancellation_beside_an_error_is_caught_by_its_scope)
{
    struct weir_scope outer, inner;
    cr_expect_eq(error_beside_cancelled(&outer, &inner, false), -EIO);
    cr_expect(outer.cancelled_caught && !inner.cancelled_caught);
    cr_expect_eq(error_beside_cancelled(&outer, &inner, true), -EIO);
    cr_expect(outer.cancelled_caught && !inner.cancelled_caught);
    return 0;
}

static int error_and_cancelled_child(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_when_cancelled, NULL);
        rc = weir_sleep_forever();
    }
    return rc;
}

TASK_TEST(errors, a_cancellation_beside_an_error_travels_out_of_its_task)
{
    struct weir_nursery nursery;
    struct weir_scope outer;
    int rc = 0;
    weir_move_on_after (&outer, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, error_and_cancelled_child, NULL);
    }
    cr_expect_eq(rc, -EIO);
    cr_expect(outer.cancelled_caught);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

TASK_TEST(errors, that_a_cancelled_scope_did_not_cause_are_not_caught)
{
    struct weir_nursery nursery;
    struct weir_scope outer;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, fail_with, &eio);
        weir_scope_cancel(&outer); /* after the error: nothing in it was cancelled by this */
    }
    cr_expect_eq(rc, -EIO);
    cr_expect_not(outer.cancelled_caught);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

static int slip_cancelled_out(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        WEIR_TRY(weir_checkpoint()); /* returns past the scope's end: WEIR_DO is meant */
    }
    return rc;
}

TASK_TEST(errors, a_cancelled_that_slipped_past_its_scope_is_not_lost)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, slip_cancelled_out, NULL);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_assert(group != NULL && group->code == -ECANCELED);
    weir_error_free(group);
    return 0;
}
