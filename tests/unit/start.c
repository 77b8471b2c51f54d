/* core/task: weir_start and weir_started. DESIGN section 4, point 7. */
#include "../support/core.h"

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
    cr_expect_null(weir_nursery_take_errors(&nursery), "it never was this nursery's child");
    struct weir_error *group = *(bool *)arg ? weir_start_take_errors() : NULL;
    weir_error_free(group);
    return rc;
}

static unsigned count(const struct weir_error *group)
{
    unsigned errors = 0;
    for (; group != NULL; group = group->next)
        errors += 1 + count(group->children);
    return errors;
}

TASK_TEST(start, a_whole_group_before_the_report_is_left_to_be_read)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        cr_expect_eq(weir_start(&nursery, fail_as_a_group, NULL, NULL), -EIO);
        cr_expect_eq(weir_start(&nursery, fail_before, NULL, NULL), -EADDRINUSE);
        cr_expect_eq(weir_start(&nursery, fail_as_a_group, NULL, NULL), -EIO);
    }
    struct weir_error *groups = weir_start_take_errors();
    cr_assert(groups != NULL && groups->next != NULL && groups->next->next == NULL);
    cr_expect_str_eq(groups->site->name, "fail_as_a_group");
    cr_expect_eq(count(groups), 2 * 3);
    cr_expect_null(weir_start_take_errors());
    weir_error_free(groups);
    cr_expect_eq(errors_held(), 0);
    return rc;
}

Test(start, a_whole_group_that_nobody_read_joins_the_tasks_result, .timeout = 30)
{
    cr_expect_eq(run(start_a_group, &(bool){false}), -EIO);
    cr_expect_eq(run(start_a_group, &(bool){true}), 0);
}

static int slip_cancelled_out(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        WEIR_TRY(weir_checkpoint()); /* past the scope's end: WEIR_DO is meant */
    }
    return rc;
}

TASK_TEST(start, a_cancelled_that_slipped_out_of_the_child_is_neither_lost_nor_returned)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        cr_expect_eq(weir_start(&nursery, slip_cancelled_out, NULL, NULL), -EPROTO);
    struct weir_error *error = weir_start_take_errors();
    cr_assert_not_null(error);
    cr_expect_eq(error->code, -ECANCELED);
    weir_error_free(error);
    return rc;
}

static int time_out_before(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_fail_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_sleep_forever();
    return rc;
}

static int start_what_times_out(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        rc = weir_start(&nursery, time_out_before, NULL, NULL);
    return rc;
}

TASK_TEST(start, the_reason_of_a_timeout_in_the_child_is_the_callers_too)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, start_what_times_out, NULL);
    struct weir_error *error = weir_nursery_take_errors(&nursery);
    cr_expect_eq(error->code, -ETIMEDOUT);
    cr_assert_not_null(error->reason.what);
    cr_expect_str_eq(error->reason.where->function, "time_out_before");
    weir_error_free(error);
    return 0;
}

static int report_for(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    cr_expect_eq(weir_started(NULL), 0, "this one is not asked to");
    cr_expect_eq(weir_started_for(arg, &value), 0);
    cr_expect_eq(weir_started_for(arg, &value), -EALREADY);
    return weir_sleep(WEIR_SECONDS(1));
}

static int have_reported(void *arg)
{
    struct weir_nursery inner;
    int rc = 0;
    weir_with_nursery (&inner, rc) {
        weir_start_soon(&inner, report_for, weir_current_task());
        rc = weir_sleep_forever();
        note("%s %g", weir_error_name(rc), now());
    }
    return rc;
}

TASK_TEST(start, another_task_may_report_in_the_childs_place)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    void *got = NULL;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            rc = weir_start(&nursery, have_reported, NULL, &got);
            weir_scope_cancel(&scope); /* around the call, not around the nursery */
        }
        cr_expect_eq(got, &value);
        cr_expect_eq(now(), 1);
        cr_expect_eq(weir_nursery_child_count(&nursery), 1);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(notes, "Cancelled 3");
    return rc;
}

static int wait_to_be_reported(void *arg)
{
    *(struct weir_task **)arg = weir_current_task();
    int rc = weir_sleep_forever();
    note("%s %g", weir_error_name(rc), now());
    return rc;
}

static int report_at_1(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return weir_started_for(*(struct weir_task **)arg, NULL);
}

TASK_TEST(start, a_waiting_child_that_is_moved_into_a_cancelled_nursery_is_cancelled)
{
    struct weir_nursery outer, nursery;
    struct weir_scope shield;
    struct weir_task *child;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_with_shield (&shield, rc) {
                weir_start_soon(&outer, report_at_1, &child);
                weir_nursery_cancel(&nursery);
                rc = weir_start(&nursery, wait_to_be_reported, &child, NULL);
            }
        }
    }
    cr_expect_str_eq(notes, "Cancelled 1");
    return rc;
}

/* ---- starts that cannot deadlock ---- */

static int swallow_cancelled(void *arg)
{
    cr_expect_eq(weir_sleep_forever(), -ECANCELED);
    return 0;
}

TASK_TEST(start, cancelled_and_the_child_takes_it_lightly_is_cancelled_all_the_same)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
            rc = weir_start(&nursery, swallow_cancelled, NULL, NULL);
            cr_expect_eq(rc, -ECANCELED);
        }
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

/* Begins to serve in a shield, although it was cancelled before it reported. */
static int serve_shielded(void *arg)
{
    struct weir_scope shield;
    int rc = 0;
    weir_with_shield (&shield, rc) {
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        WEIR_DO(rc, weir_started(&value));
        note("moved");
        rc = weir_sleep_forever();
    }
    return rc;
}

TASK_TEST(start, cancelled_is_said_by_the_report_so_that_the_child_can_end)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_start(&nursery, serve_shielded, NULL, NULL);
        cr_expect(scope.cancelled_caught);
        cr_expect_eq(weir_nursery_child_count(&nursery), 0);
        cr_expect_eq(now(), 2);
    }
    cr_expect_str_eq(notes, "");
    return rc;
}

/* Both are cancelled: wherever the child is, there is a scope that catches. */
static int serve_a_while_shielded(void *arg)
{
    struct weir_scope shield;
    int rc = 0;
    weir_with_shield (&shield, rc) {
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        WEIR_DO(rc, weir_started(&value));
        cr_expect_eq(weir_task_parent_nursery(weir_current_task()), arg);
        rc = weir_sleep(WEIR_SECONDS(2));
    }
    return weir_checkpoint();
}

TASK_TEST(start, cancelled_together_with_the_nursery_moves_the_child)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    void *got = NULL;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_nursery_cancel(&nursery);
        weir_with_scope (&scope, rc) {
            weir_scope_set_shield(&scope, WEIR_SHIELD_FULL);
            weir_scope_cancel(&scope);
            cr_expect_eq(weir_start(&nursery, serve_a_while_shielded, &nursery, &got), 0);
            cr_expect_eq(got, &value);
            cr_expect_eq(now(), 2);
        }
    }
    cr_expect_eq(now(), 4);
    return rc;
}

struct service {
    struct weir_nursery nursery;
    struct weir_event ready;
    bool opened;
};

static int wait_then_report(void *arg)
{
    struct service *service = arg;
    int rc = weir_event_wait(&service->ready);
    if (rc == 0)
        weir_started(&value);
    note("client %s %g", weir_error_name(rc), now());
    return rc;
}

static int fail_after_1(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return -EIO; /* without having set `ready` */
}

static int run_service(void *arg)
{
    struct service *service = arg;
    int rc = 0;
    weir_with_nursery (&service->nursery, rc) {
        weir_start_soon(&service->nursery, fail_after_1, NULL);
        weir_started(&service->nursery);
    }
    note("service %s %g", weir_error_name(rc), now());
    weir_error_free(weir_nursery_take_errors(&service->nursery));
    return 0;
}

TASK_TEST(start, unless_cancelled_gives_up_when_what_it_waits_for_has_failed)
{
    static struct service service;
    struct weir_nursery nursery;
    int rc = 0;
    weir_event_init(&service.ready);
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, run_service, &service, NULL));
        rc = weir_start_unless_cancelled(&service.nursery, wait_then_report, &service, NULL);
        note("start %s", weir_error_name(rc));
        cr_expect_eq(rc, -ESHUTDOWN);
        rc = weir_checkpoint();
    }
    cr_expect_str_eq(notes, "client Cancelled 1 start ESHUTDOWN service EIO 1");
    return rc;
}

TASK_TEST(start, unless_cancelled_is_as_any_other_where_nothing_is_cancelled)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    void *got = NULL;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        cr_expect_eq(weir_start_unless_cancelled(&nursery, report_then_sleep, NULL, &got), 0);
        cr_expect_eq(got, &value);
        cr_expect_eq(weir_start_unless_cancelled(&nursery, fail_before, NULL, NULL), -EADDRINUSE);
        cr_expect_eq(weir_start_unless_cancelled(&nursery, return_at_once, NULL, NULL), -EPROTO);
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_start_unless_cancelled(&nursery, report_never, NULL, NULL);
        cr_expect(scope.cancelled_caught);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(notes, "reported child Cancelled Cancelled");
    return rc;
}

/* Reports at once, so that in a cancelled nursery too it has begun. */
static int report_at_once(void *arg)
{
    cr_expect_eq(weir_started(&value), 0);
    int rc = weir_sleep_forever();
    note("child %s", weir_error_name(rc));
    return rc;
}

TASK_TEST(start, unless_cancelled_of_a_nursery_that_is_runs_to_the_first_checkpoint)
{
    struct weir_nursery nursery;
    struct weir_scope shield;
    void *got = NULL;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_shield (&shield, rc) {
            weir_nursery_cancel(&nursery);
            cr_expect_eq(weir_start_unless_cancelled(&nursery, report_then_sleep, NULL, NULL), -ESHUTDOWN);
            cr_expect_eq(weir_start_unless_cancelled(&nursery, report_at_once, NULL, &got), 0);
            cr_expect_eq(got, &value);
            note("started");
        }
    }
    cr_expect_eq(now(), 0);
    cr_expect_str_eq(notes, "child Cancelled started");
    return rc;
}

static int report_orderly(void *arg)
{
    struct weir_scope orderly;
    int rc = weir_sleep_forever(), end = 0;
    note("%s %g", weir_error_name(rc), now());
    weir_with_grace (&orderly, end)
        end = weir_sleep_forever();
    note("%s %g", weir_error_name(end), now());
    return rc;
}

static int cancel_gracefully(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_scope_cancel_gracefully(arg, WEIR_SECONDS(3));
    return 0;
}

TASK_TEST(start, unless_cancelled_gives_the_nurserys_grace)
{
    struct weir_nursery outer, nursery;
    struct weir_scope shield;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_with_shield (&shield, rc) {
                weir_start_soon(&outer, cancel_gracefully, &nursery.scope);
                cr_expect_eq(weir_start_unless_cancelled(&nursery, report_orderly, NULL, NULL), -ESHUTDOWN);
            }
        }
    }
    cr_expect_str_eq(notes, "Cancelled 1 Cancelled 4");
    return rc;
}

static int start_in_cancelled(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope shield;
    int rc = 0, start = 0;
    weir_with_nursery (&nursery, rc) {
        weir_scope_cancel_because(&nursery.scope, "enough");
        weir_with_shield (&shield, rc)
            start = weir_start_unless_cancelled(&nursery, sleep_forever, NULL, NULL);
    }
    return start;
}

TASK_TEST(start, unless_cancelled_says_why_it_gave_up)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, start_in_cancelled, NULL);
    struct weir_error *error = weir_nursery_take_errors(&nursery);
    cr_expect_eq(error->code, -ESHUTDOWN);
    cr_assert_not_null(error->reason.what);
    cr_expect_str_eq(error->reason.what, "enough");
    weir_error_free(error);
    return 0;
}

/* ---- what else is in the caller's nursery when the child reports ---- */

static int note_end(void *arg)
{
    int rc = weir_sleep_forever();
    note("sibling %s", weir_error_name(rc));
    return rc;
}

static int start_a_sibling_then_report(void *arg)
{
    struct weir_nursery *own = weir_task_parent_nursery(weir_current_task());
    weir_start_soon(own, note_end, NULL);
    WEIR_TRY(weir_checkpoint()); /* it waits by now */
    weir_started(NULL);
    cr_expect_eq(weir_nursery_child_count(own), 0);
    return 0;
}

TASK_TEST(start, siblings_of_the_child_move_along)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            rc = weir_start(&nursery, start_a_sibling_then_report, NULL, NULL);
            weir_scope_cancel(&scope); /* around the call, not around the nursery */
        }
        cr_expect_eq(weir_nursery_child_count(&nursery), 1, "the child itself has ended");
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_str_eq(notes, "");
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(notes, "sibling Cancelled");
    return rc;
}

TASK_TEST(start, siblings_that_move_into_a_cancelled_nursery_are_cancelled)
{
    struct weir_nursery nursery;
    struct weir_scope shield;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_shield (&shield, rc) {
            weir_nursery_cancel(&nursery);
            rc = weir_start(&nursery, start_a_sibling_then_report, NULL, NULL);
        }
    }
    cr_expect_str_eq(notes, "sibling Cancelled");
    return rc;
}
