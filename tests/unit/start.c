/* core/task: weir_start and weir_started. DESIGN section 4, point 7. */
#include "../support/core.h"
#include <criterion/redirect.h>

static int value = 42;

static int report_then_sleep(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    cr_expect_eq(weir_started(&value), 0);
    note("reported");
    int rc = weir_sleep(WEIR_SECONDS(5));
    note("%s", weir_error_name(rc));
    return rc;
}

TASK_TEST(start, returns_when_the_child_reports_and_the_child_goes_on)
{
    struct weir_nursery nursery;
    void *got = NULL;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        rc = weir_start(&nursery, report_then_sleep, NULL, &got);
        cr_expect_eq(got, &value);
        cr_expect_eq(now(), 1);
        cr_expect_eq(weir_nursery_child_count(&nursery), 1);
        note("back");
    }
    cr_expect_eq(now(), 6);
    cr_expect_str_eq(notes, "reported back ok");
    return rc;
}

static int fail_before(void *arg)
{
    WEIR_TRY(weir_checkpoint());
    return -EADDRINUSE;
}

TASK_TEST(start, answers_with_the_error_of_a_child_that_did_not_report)
{
    struct weir_nursery nursery;
    void *got = &nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        cr_expect_eq(weir_start(&nursery, fail_before, NULL, &got), -EADDRINUSE);
        cr_expect_eq(got, &nursery, "written on success only");
        cr_expect_not(nursery.scope.cancel_called, "it never was this nursery's child");
        rc = weir_checkpoint();
    }
    cr_expect_eq(rc, 0);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

TASK_TEST(start, a_child_that_ends_well_without_reporting_is_an_error)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        cr_expect_eq(weir_start(&nursery, return_at_once, NULL, NULL), -EPROTO);
    return rc;
}

static int report_then_fail(void *arg)
{
    weir_started(NULL);
    WEIR_TRY(weir_checkpoint());
    return -EIO;
}

TASK_TEST(start, an_error_after_the_report_is_the_nurserys)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        cr_expect_eq(weir_start(&nursery, report_then_fail, NULL, NULL), 0);
        rc = weir_sleep_forever();
    }
    cr_expect_eq(rc, -EIO);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

static int report_never(void *arg)
{
    int rc = weir_sleep_forever();
    note("child %s", weir_error_name(rc));
    return rc;
}

TASK_TEST(start, cancelled_before_the_report_cancels_the_child)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
            rc = weir_start(&nursery, report_never, NULL, NULL);
            note("start %s", weir_error_name(rc));
        }
        cr_expect(scope.cancelled_caught);
        cr_expect_not(nursery.scope.cancel_called);
    }
    cr_expect_str_eq(notes, "child Cancelled start Cancelled");
    return rc;
}

TASK_TEST(start, in_a_cancelled_scope_runs_the_child_to_its_first_checkpoint)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            rc = weir_start(&nursery, report_then_sleep, NULL, NULL);
        }
        cr_expect(scope.cancelled_caught);
    }
    cr_expect_str_eq(notes, "");
    return rc;
}

/* Reports although it was cancelled: it may already carry a -ECANCELED, so it stays where a scope catches that. */
static int report_when_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    weir_started(&value);
    return rc;
}

TASK_TEST(start, a_child_that_reports_after_it_was_cancelled_is_not_moved)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_start(&nursery, report_when_cancelled, NULL, NULL);
        cr_expect(scope.cancelled_caught);
        cr_expect_not(nursery.scope.cancel_called);
        rc = weir_checkpoint();
    }
    return rc;
}

TASK_TEST(start, cancels_after_the_report_come_from_the_new_nursery_only)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            rc = weir_start(&nursery, report_then_sleep, NULL, NULL);
            weir_scope_cancel(&scope); /* around the call, not around the nursery */
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        note("cancel");
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(notes, "reported cancel Cancelled");
    cr_expect_eq(now(), 2);
    return rc;
}

static int report_inside_blocks(void *arg)
{
    struct weir_nursery inner;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&inner, rc) {
            weir_start_soon(&inner, sleep_forever, NULL);
            WEIR_DO(rc, weir_checkpoint());
            weir_started(NULL);
            rc = weir_sleep_forever();
        }
    }
    note("%s", weir_error_name(rc));
    return rc;
}

TASK_TEST(start, scopes_open_at_the_report_move_along)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            rc = weir_start(&nursery, report_inside_blocks, NULL, NULL);
            weir_scope_cancel(&scope);
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        cr_expect_str_eq(notes, "");
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(notes, "Cancelled");
    return rc;
}

TASK_TEST(start, into_a_cancelled_nursery_cancels_at_the_report)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        struct weir_scope shield;
        weir_with_scope (&shield, rc) {
            weir_scope_set_shield(&shield, true);
            weir_nursery_cancel(&nursery);
            rc = weir_start(&nursery, report_then_sleep, NULL, NULL);
            cr_expect_eq(rc, 0);
        }
    }
    cr_expect_str_eq(notes, "reported Cancelled");
    return rc;
}

TASK_TEST(start, into_a_cancelled_nursery_cancels_scopes_that_move_along)
{
    struct weir_nursery nursery;
    struct weir_scope shield;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&shield, rc) {
            weir_scope_set_shield(&shield, true);
            weir_nursery_cancel(&nursery);
            rc = weir_start(&nursery, report_inside_blocks, NULL, NULL);
        }
    }
    cr_expect_str_eq(notes, "Cancelled");
    return rc;
}

static int report_twice(void *arg)
{
    cr_expect_eq(weir_started(NULL), 0);
    cr_expect_eq(weir_started(NULL), -EALREADY);
    return 0;
}

TASK_TEST(start, reporting_twice_is_refused_and_without_start_it_is_nothing)
{
    struct weir_nursery nursery;
    int rc = weir_started(NULL);
    cr_expect_eq(rc, 0);
    weir_with_nursery (&nursery, rc)
        rc = weir_start(&nursery, report_twice, NULL, NULL);
    return rc;
}

static int start_elsewhere(void *arg)
{
    return weir_start(arg, report_then_sleep, NULL, NULL);
}

TASK_TEST(start, under_way_keeps_the_nursery_open)
{
    struct weir_nursery outer, nursery;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&outer, start_elsewhere, &nursery);
            rc = weir_checkpoint();
            /* no child yet: only the start under way keeps it open */
            cr_expect_eq(weir_nursery_child_count(&nursery), 0);
        }
        cr_expect_eq(now(), 6);
    }
    return rc;
}

static int fail_as_a_group(void *arg)
{
    static int eio = -EIO;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, &eio);
        weir_start_soon(&nursery, fail_with, &eio);
    }
    return rc;
}

static int start_a_group(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        cr_expect_eq(weir_start(&nursery, fail_as_a_group, NULL, NULL), -EIO);
    cr_expect_eq(errors_held(), 0);
    return rc;
}

Test(start, a_whole_group_before_the_report_is_shown, .init = cr_redirect_stderr)
{
    char text[512] = "";
    cr_assert_eq(run(start_a_group, NULL), 0);
    cr_assert_not_null(fgets(text, sizeof text, cr_get_redirected_stderr()));
    cr_assert_not_null(strstr(text, "fail_as_a_group: EIO"));
}
