/* core/async: futures. */
#include "../support/core.h"
#include <criterion/redirect.h>
#include <weir/testing.h>

static char seven[] = "seven";

struct setter {
    struct weir_future *future;
    double after;
    int code; /* >= 0: a result; -ECANCELED: cancel; else an error */
    void *value;
};

static int set(void *arg)
{
    struct setter *setter = arg;
    if (setter->after > 0)
        WEIR_TRY(weir_sleep(WEIR_SECONDS(setter->after)));
    if (setter->code >= 0)
        return weir_future_set_result(setter->future, setter->code, setter->value);
    if (setter->code == -ECANCELED)
        return weir_future_cancel(setter->future, "not wanted");
    return weir_future_set_error(setter->future, setter->code);
}

static int wait_and_note(void *arg)
{
    void *value = NULL;
    int rc = weir_future_wait(arg, &value);
    note("%s%s", rc >= 0 ? (const char *)value : weir_error_name(rc), rc == -ECANCELED ? "!" : "");
    return rc == -ECANCELED ? rc : 0;
}

static int wait_by_three(struct setter setter)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, wait_and_note, setter.future);
        weir_start_soon(&nursery, set, &setter);
    }
    return rc;
}

TASK_TEST(future, a_result_reaches_all_who_wait)
{
    struct weir_future future;
    void *value = NULL;
    weir_future_init(&future);
    cr_expect_not(weir_future_is_done(&future));
    cr_expect_eq(weir_future_result(&future, &value), -EINPROGRESS);
    cr_expect_eq(wait_by_three((struct setter){&future, 1, 7, seven}), 0);
    cr_expect_str_eq(notes, "seven seven seven");
    cr_expect(weir_future_is_done(&future) && !weir_future_is_cancelled(&future));
    cr_expect_eq(weir_future_result(&future, &value), 7);
    cr_expect_str_eq(value, "seven");
    cr_expect_eq(weir_future_wait(&future, NULL), 7); /* as often as one likes */
    return 0;
}

TASK_TEST(future, an_error_reaches_all_who_wait)
{
    struct weir_future future;
    void *value = &future;
    weir_future_init(&future);
    cr_expect_eq(wait_by_three((struct setter){&future, 1, -EIO}), 0);
    cr_expect_str_eq(notes, "EIO EIO EIO");
    cr_expect_eq(weir_future_result(&future, &value), -EIO);
    cr_expect_eq(value, &future); /* written with a result only */
    cr_expect_eq(errors_held(), 0);
    return 0;
}

TASK_TEST(future, cancelled_it_is_not_the_waiters_own_cancellation)
{
    struct weir_future future;
    struct weir_reason reason;
    weir_future_init(&future);
    cr_expect_eq(weir_future_cancel_reason(&future, &reason), -ENOENT);
    cr_expect_eq(wait_by_three((struct setter){&future, 1, -ECANCELED}), 0);
    cr_expect_str_eq(notes, "CancelledError CancelledError CancelledError");
    cr_expect(weir_future_is_done(&future) && weir_future_is_cancelled(&future));
    cr_expect_eq(weir_future_result(&future, NULL), -ECANCELED);
    cr_expect_eq(weir_future_wait(&future, NULL), -EOWNERDEAD);
    cr_expect_eq(weir_future_cancel_reason(&future, &reason), 0);
    cr_expect_str_eq(reason.what, "not wanted");
    cr_expect_str_eq(reason.who->name, "set");
    cr_expect_str_eq(reason.where->function, "set");
    return 0;
}

TASK_TEST(future, is_set_only_once)
{
    struct weir_future future;
    weir_future_init(&future);
    cr_expect_eq(weir_future_set_result(&future, 1, NULL), 0);
    cr_expect_eq(weir_future_set_result(&future, 2, NULL), -EALREADY);
    cr_expect_eq(weir_future_set_error(&future, -EIO), -EALREADY);
    cr_expect_eq(weir_future_cancel(&future, "late"), -EALREADY);
    cr_expect_eq(weir_future_wait(&future, NULL), 1);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

TASK_TEST(future, takes_no_result_below_0_no_error_that_is_none_and_no_made_up_cancellation)
{
    struct weir_future future;
    weir_future_init(&future);
    cr_expect_eq(weir_future_set_result(&future, -1, NULL), -EINVAL);
    cr_expect_eq(weir_future_set_error(&future, 0), -EINVAL);
    cr_expect_eq(weir_future_set_error(&future, 5), -EINVAL);
    cr_expect_eq(weir_future_set_error(&future, -ECANCELED), -EINVAL);
    cr_expect_not(weir_future_is_done(&future));
    return 0;
}

TASK_TEST(future, a_cancelled_waiter_leaves_it_as_it_was)
{
    struct weir_future future;
    struct weir_scope scope;
    int rc = 0;
    weir_future_init(&future);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_future_wait(&future, NULL);
    cr_expect(scope.cancelled_caught);
    cr_expect(weir_list_empty(&future.lot.parked));
    cr_expect_eq(weir_future_set_result(&future, 3, NULL), 0);
    weir_with_scope (&scope, rc) { /* done or not: a checkpoint */
        weir_scope_cancel(&scope);
        rc = weir_future_wait(&future, NULL);
        cr_expect_eq(rc, -ECANCELED);
    }
    return rc;
}

static int set_then_cancel(void *arg)
{
    WEIR_TRY(weir_future_set_result(((void **)arg)[0], 4, NULL));
    weir_scope_cancel(((void **)arg)[1]);
    return 0;
}

TASK_TEST(future, a_result_before_the_cancellation_is_delivered)
{
    struct weir_future future;
    struct weir_scope scope;
    struct weir_nursery nursery;
    void *both[] = {&future, &scope};
    int rc = 0;
    weir_future_init(&future);
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, set_then_cancel, both);
            cr_expect_eq(weir_future_wait(&future, NULL), 4);
        }
    }
    cr_expect(scope.cancel_called && !scope.cancelled_caught);
    return rc;
}

TASK_TEST(future, to_wait_is_a_checkpoint_and_nothing_else_is)
{
    struct weir_future future, other;
    struct weir_case one = WEIR_CASE_FUTURE(&future, NULL);
    int rc = 0;
    weir_assert_no_checkpoints(rc)
    {
        weir_future_init(&future);
        weir_future_init(&other);
        WEIR_DO(rc, weir_future_set_result(&future, 1, NULL));
        WEIR_DO(rc, weir_future_cancel(&other, "not wanted"));
        WEIR_DO(rc, weir_future_result(&future, NULL));
        weir_future_close(&future);
        rc = 0;
    }
    weir_assert_checkpoints(rc) rc = weir_future_wait(&future, NULL);
    weir_assert_checkpoints(rc) rc = weir_select(&one, 1);
    return rc < 0 ? rc : 0;
}

/* ---- callbacks ---- */

struct noting {
    struct weir_done_callback callback;
    const char *name;
    struct noting *removes;
};

static void note_done(struct weir_done_callback *callback, struct weir_future *future)
{
    struct noting *noting = WEIR_CONTAINER_OF(callback, struct noting, callback);
    cr_expect(weir_future_is_done(future));
    note("%s:%d", noting->name, weir_future_result(future, NULL));
    if (noting->removes != NULL)
        cr_expect(weir_future_remove_done_callback(&noting->removes->callback));
}

TASK_TEST(future, callbacks_are_called_once_in_the_order_of_adding)
{
    struct weir_future future;
    struct noting a = {{.fn = note_done}, "a"}, b = {{.fn = note_done}, "b"}, late = {{.fn = note_done}, "late"};
    weir_future_init(&future);
    weir_future_add_done_callback(&future, &a.callback);
    weir_future_add_done_callback(&future, &b.callback);
    cr_expect_str_eq(notes, "");
    WEIR_TRY(weir_future_set_result(&future, 5, NULL));
    cr_expect_str_eq(notes, "a:5 b:5");
    weir_future_add_done_callback(&future, &late.callback);
    cr_expect_str_eq(notes, "a:5 b:5 late:5");
    cr_expect_not(weir_future_remove_done_callback(&a.callback));
    return 0;
}

TASK_TEST(future, a_removed_callback_is_not_called)
{
    struct weir_future future;
    struct noting b = {{.fn = note_done}, "b"}, a = {{.fn = note_done}, "a", &b}, c = {{.fn = note_done}, "c"};
    weir_future_init(&future);
    weir_future_add_done_callback(&future, &a.callback);
    weir_future_add_done_callback(&future, &b.callback);
    weir_future_add_done_callback(&future, &c.callback);
    cr_expect(weir_future_remove_done_callback(&c.callback));
    cr_expect_not(weir_future_remove_done_callback(&c.callback));
    WEIR_TRY(weir_future_cancel(&future, "done with"));
    cr_expect_str_eq(notes, "a:-125"); /* it took b away while it was called */
    return 0;
}

static void free_future(struct weir_done_callback *callback, struct weir_future *future)
{
    free(future);
}

TASK_TEST(future, the_last_callback_may_free_it)
{
    struct weir_future *future = malloc(sizeof *future);
    struct weir_done_callback callback = {.fn = free_future};
    struct weir_nursery nursery;
    int rc = 0;
    weir_future_init(future);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_and_note, future);
        WEIR_DO(rc, weir_checkpoint());
        weir_future_add_done_callback(future, &callback);
        rc = weir_future_set_result(future, 7, seven);
    }
    cr_expect_str_eq(notes, "seven"); /* the waiter did not look at what is gone */
    return rc;
}

/* ---- no error is lost ---- */

static struct weir_future forgotten;

static int forget_an_error(void *arg)
{
    weir_future_init(&forgotten);
    return weir_future_set_error(&forgotten, -EIO);
}

Test(future, an_error_that_nobody_reads_fails_the_run)
{
    cr_expect_eq(run(forget_an_error, NULL), -EIO);
}

static int forget_and_print(void *arg)
{
    weir_future_init(&forgotten);
    return weir_future_set_error(&forgotten, -EPIPE);
}

Test(future, an_error_that_nobody_reads_is_printed_with_its_place, .init = cr_redirect_stderr)
{
    struct weir_virtual_clock clock;
    struct weir_run_options options = {.clock = &clock.clock};
    char text[512] = "";
    weir_virtual_clock_init(&clock, 0, true);
    cr_expect_eq(weir_run(forget_and_print, NULL, &options), -EPIPE);
    fflush(stderr);
    FILE *said = cr_get_redirected_stderr();
    text[fread(text, 1, sizeof text - 1, said)] = '\0';
    cr_expect(strstr(text, "BrokenResourceError") != NULL && strstr(text, "forget_and_print") != NULL, "%s", text);
}

static int read_in_time(void *arg)
{
    WEIR_TRY(forget_an_error(NULL));
    cr_expect_eq(errors_held(), 1);
    cr_expect_eq(weir_future_result(&forgotten, NULL), -EIO);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

Test(future, an_error_that_was_read_fails_nobody)
{
    cr_expect_eq(run(read_in_time, NULL), 0);
}

static int take_in_time(void *arg)
{
    WEIR_TRY(forget_an_error(NULL));
    struct weir_error *error = weir_future_take_error(&forgotten);
    cr_assert_not_null(error);
    cr_expect_eq(error->code, -EIO);
    cr_expect_str_eq(error->site->function, "forget_an_error");
    cr_expect_null(weir_future_take_error(&forgotten));
    weir_error_free(error);
    return 0;
}

Test(future, an_error_can_be_taken_whole)
{
    cr_expect_eq(run(take_in_time, NULL), 0);
}

static int close_unread(void *arg)
{
    struct weir_future future;
    weir_future_init(&future);
    WEIR_TRY(weir_future_set_error(&future, -EIO));
    weir_future_close(&future);
    return 0;
}

TASK_TEST(future, closed_its_unread_error_is_the_tasks)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, close_unread, NULL);
    cr_expect_eq(rc, -EIO);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect(group->children != NULL && strcmp(group->children->site->function, "close_unread") == 0);
    weir_error_free(group);
    return 0;
}

TASK_TEST(future, closed_it_wakes_who_waits)
{
    struct weir_future future;
    struct weir_nursery nursery;
    int rc = 0;
    weir_future_init(&future);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_and_note, &future);
        WEIR_DO(rc, weir_checkpoint());
        weir_future_close(&future);
    }
    cr_expect_str_eq(notes, "ClosedResourceError");
    return rc;
}

enum { MANY = 5 };

static int more_errors_than_records(void *arg)
{
    static struct weir_future futures[MANY];
    for (int i = 0; i < MANY; i++) {
        weir_future_init(&futures[i]);
        WEIR_TRY(weir_future_set_error(&futures[i], -EIO));
    }
    for (int i = 0; i < MANY; i++)
        cr_expect_eq(weir_future_wait(&futures[i], NULL), -EIO);
    return 0;
}

Test(future, an_error_for_which_no_record_is_left_still_fails_the_run, .init = cr_redirect_stderr)
{
    /* two records for each task there may be, and the main task holds one */
    cr_expect_eq(run_with(more_errors_than_records, NULL, (struct weir_run_options){.tasks_max = 1}), -EIO);
}

struct at {
    struct weir_alarm alarm;
    struct weir_future *future;
};

static void set_from_alarm(struct weir_alarm *alarm)
{
    int rc = weir_future_set_error(WEIR_CONTAINER_OF(alarm, struct at, alarm)->future, -EPIPE);
    cr_expect_eq(rc, 0);
}

TASK_TEST(future, can_be_set_by_an_alarm)
{
    struct weir_future future;
    struct at at = {.future = &future};
    weir_future_init(&future);
    weir_alarm_init(&at.alarm, set_from_alarm);
    weir_alarm_set(&at.alarm, WEIR_SECONDS(2));
    cr_expect_eq(weir_future_wait(&future, NULL), -EPIPE);
    cr_expect_eq(now(), 2);
    return 0;
}

/* ---- in a select ---- */

static int select_one(struct weir_future *future, void **value, double seconds, int *result)
{
    struct weir_case cases[] = {WEIR_CASE_FUTURE(future, value),
                                WEIR_CASE_UNTIL(weir_time_add(weir_current_time(), WEIR_SECONDS(seconds)))};
    int which = weir_select(cases, 2);
    if (which >= 0)
        *result = cases[which].result;
    cr_expect(weir_list_empty(&future->lot.parked));
    return which;
}

TASK_TEST(future, is_a_case_of_a_select)
{
    static const int codes[] = {5, -EIO, -ECANCELED, -EAGAIN};
    static const int seen[] = {5, -EIO, -EOWNERDEAD, -EAGAIN};
    for (int i = 0; i < 4; i++) {
        struct weir_nursery nursery;
        struct weir_future future;
        struct setter setter = {&future, 2, codes[i], seven};
        void *value = NULL;
        int rc = 0, result = 0;
        weir_future_init(&future);
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, set, &setter);
            cr_expect_eq(select_one(&future, &value, 1, &result), 1); /* the time came first */
            cr_expect_eq(select_one(&future, &value, 9, &result), 0);
            cr_expect_eq(result, seen[i]);
            cr_expect_eq(value, i == 0 ? seven : NULL);
            cr_expect_eq(select_one(&future, NULL, 9, &result), 0); /* done already */
            cr_expect_eq(result, seen[i]);
        }
        WEIR_TRY(rc);
    }
    cr_expect_eq(now(), 8);
    cr_expect_eq(errors_held(), 0);
    return 0;
}

TASK_TEST(future, a_cancelled_select_leaves_it_as_it_was)
{
    struct weir_future future;
    struct weir_scope scope;
    int rc = 0, result;
    weir_future_init(&future);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = select_one(&future, NULL, 9, &result);
    cr_expect(scope.cancelled_caught);
    return rc;
}
