/* core/task: error groups: what nurseries gather, and that none is lost. DESIGN section 3. */
#include "../support/core.h"
#include <criterion/redirect.h>

static int eio = -EIO, epipe = -EPIPE, enoent = -ENOENT;

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

static int hold_all_records(void *arg)
{
    struct weir_error *held[8];
    struct weir_nursery nursery;
    int rc = 0;
    unsigned count = 0;
    do {
        rc = 0;
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, fail_with, &eio);
    } while ((held[count] = weir_nursery_take_errors(&nursery)) != NULL && ++count < 8);
    cr_expect_eq(rc, -ENOMEM, "there is a task left, but no record for it");
    cr_expect_eq(count, 7); /* tasks_max is 4: twice as many records, one of them ours */
    if (*(bool *)arg)
        rc = weir_start_soon(weir_task_parent_nursery(weir_current_task()), return_at_once, NULL);
    else
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, fail_with, &eio);
            goto out; /* and nobody looks */
        }
out:
    while (count > 0)
        weir_error_free(held[--count]);
    return 0;
}

Test(errors, what_finds_no_record_is_not_lost_either, .timeout = 30)
{
    struct weir_run_options few = {.tasks_max = 4};
    cr_expect_eq(run_with(hold_all_records, &(bool){false}, few), -ENOMEM);
    cr_expect_eq(run_with(hold_all_records, &(bool){true}, few), -ENOMEM);
}

static int look_and_put_back(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, &eio);
        weir_start_soon(&nursery, fail_with, &epipe);
        weir_start_soon(&nursery, fail_with, &enoent);
    }
    struct weir_error *group = weir_nursery_take_errors(&nursery), *first = group;
    group = first->next;
    first->next = NULL;
    weir_error_free(first);
    weir_error_rejoin(group);
    cr_expect_null(weir_nursery_take_errors(&nursery)); /* it is no nursery's any more */
    weir_error_rejoin(NULL);
    return 0;
}

TASK_TEST(errors, a_part_of_a_group_that_is_put_back_is_the_tasks)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, look_and_put_back, NULL);
    cr_expect_eq(rc, -EPIPE);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_assert(group != NULL && group->next == NULL && group->children != NULL);
    cr_expect(group->children->code == -EPIPE && group->children->next->code == -ENOENT);
    weir_error_free(group);
    cr_expect_eq(errors_held(), 0);
    return 0;
}
