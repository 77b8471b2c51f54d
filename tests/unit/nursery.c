/* core/task: nurseries. DESIGN section 4, points 5 and 6. */
#include "../support/core.h"
#include <criterion/redirect.h>

static int eio = -EIO;

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
