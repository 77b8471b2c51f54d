/* core/task: why a scope was cancelled: what, who, where; and how error trees say it. */
#include "../support/core.h"
#include <criterion/redirect.h>

static int eio = -EIO;

/* Whether a reason reads so when it is printed; "*" in `expected` stands for anything. */
static bool reads(const struct weir_reason *reason, const char *expected)
{
    char text[512] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    weir_reason_print(out, reason);
    fclose(out);
    const char *at = text, *star;
    while ((star = strchr(expected, '*')) != NULL) {
        if (strncmp(at, expected, (size_t)(star - expected)) != 0)
            break;
        expected = star + 1;
        at = strstr(at, strndupa(expected, strcspn(expected, "*")));
        if (at == NULL)
            break;
    }
    if (at != NULL && strcmp(at, expected) == 0)
        return true;
    fprintf(stderr, "it reads: %s\n", text);
    return false;
}

TASK_TEST(reason, there_is_none_where_nothing_is_cancelled)
{
    struct weir_reason reason;
    cr_expect_eq(weir_current_cancel_reason(&reason), -ENOENT);
    return 0;
}

TASK_TEST(reason, of_a_cancel_is_the_task_that_called_and_where)
{
    struct weir_scope scope;
    struct weir_reason reason;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_current_cancel_reason(&reason), 0);
        cr_expect_str_eq(reason.what, "cancelled");
        cr_expect_eq(reason.who, weir_task_site(weir_current_task()));
        cr_expect_str_eq(reason.where->function, __func__);
        cr_expect_eq(reason.code, 0);
        cr_expect_eq(reason.loop, weir_loop_number(weir_current_loop()));
        weir_scope_cancel_because(&scope, "no longer wanted");
        cr_expect_str_eq(scope.reason.what, "cancelled", "the first stands");
        rc = weir_checkpoint();
    }
    weir_with_scope (&scope, rc) {
        weir_scope_cancel_because(&scope, "no longer wanted");
        rc = weir_checkpoint();
    }
    cr_expect(reads(&scope.reason,
                    "no longer wanted (by main; weir_scope_cancel_because in reason_of_a_cancel_*, *reason.c:*)"));
    return rc;
}

TASK_TEST(reason, of_a_deadline_is_where_the_scope_was_opened)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_sleep_forever();
    cr_expect_null(scope.reason.who);
    cr_expect(reads(&scope.reason, "deadline passed (weir_move_on_after in reason_of_a_deadline_*, *reason.c:*)"));
    return rc;
}

TASK_TEST(reason, of_a_failed_child_is_the_child_and_its_error)
{
    struct weir_nursery nursery;
    struct weir_reason reason;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_with, &eio);
        rc = weir_sleep_forever();
        cr_expect_eq(weir_current_cancel_reason(&reason), 0);
    }
    cr_expect_eq(reason.code, -EIO);
    cr_expect(reads(&reason, "a child failed: EIO (by fail_with; nursery in reason_of_a_failed_child_*, *reason.c:*)"));
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

static int expect_block_failed(void *arg)
{
    struct weir_reason reason;
    int rc = weir_sleep_forever();
    cr_expect_eq(weir_current_cancel_reason(&reason), 0);
    cr_expect(reads(&reason, "the nursery's block failed: ENOENT (by main; nursery in *)"));
    return rc;
}

TASK_TEST(reason, of_a_failed_block_is_its_task_and_its_error)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, expect_block_failed, NULL);
        WEIR_DO(rc, weir_checkpoint());
        rc = -ENOENT;
    }
    cr_expect_eq(rc, -ENOENT);
    return 0;
}

TASK_TEST(reason, is_the_one_of_the_outermost_scope_that_is_felt)
{
    struct weir_scope outer, shield, inner;
    struct weir_reason reason;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&shield, rc) {
            weir_with_scope (&inner, rc) {
                weir_scope_cancel_because(&inner, "inner");
                weir_scope_cancel_because(&outer, "outer");
                cr_expect_eq(weir_current_cancel_reason(&reason), 0);
                cr_expect_str_eq(reason.what, "outer");
                weir_scope_set_shield(&shield, true);
                cr_expect_eq(weir_current_cancel_reason(&reason), 0);
                cr_expect_str_eq(reason.what, "inner");
            }
            cr_expect_eq(weir_current_cancel_reason(&reason), -ENOENT);
        }
    }
    return rc;
}

static struct weir_scope *to_cancel;

static void cancel_from_alarm(struct weir_alarm *alarm)
{
    weir_scope_cancel(to_cancel);
}

TASK_TEST(reason, of_a_cancel_outside_all_tasks_names_nobody)
{
    struct weir_scope scope;
    struct weir_alarm alarm;
    int rc = 0;
    to_cancel = &scope;
    weir_alarm_init(&alarm, cancel_from_alarm);
    weir_alarm_set(&alarm, 5);
    weir_with_scope (&scope, rc)
        rc = weir_sleep_forever();
    cr_expect_null(scope.reason.who);
    cr_expect(reads(&scope.reason, "cancelled (weir_scope_cancel in cancel_from_alarm, *reason.c:*)"));
    return rc;
}

TASK_TEST(reason, can_be_given_whole)
{
    static const struct weir_site far = {"far_away", "far.c", "beyond", 7};
    struct weir_reason given = {.what = "a child failed", .who = &far, .where = &far, .code = -EIO, .loop = 3};
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel_why(&scope, &given);
        rc = weir_checkpoint();
    }
    cr_expect(reads(&scope.reason, "a child failed: EIO (by far_away on loop 3; far_away in beyond, far.c:7)"));
    return rc;
}

static int other_number(void *arg)
{
    *(unsigned *)arg = weir_loop_number(weir_current_loop());
    return 0;
}

Test(reason, loops_have_the_least_number_that_is_free)
{
    unsigned number = 9;
    cr_expect_eq(run(other_number, &number), 0);
    cr_expect_eq(number, 0);
    number = 9;
    cr_expect_eq(run(other_number, &number), 0);
    cr_expect_eq(number, 0, "the first is gone");
}

/* ---- in error trees ---- */

static int time_out(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_fail_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_sleep_forever();
    return rc;
}

/* Runs fn(arg) in a nursery, by the name of "fn", and takes what it ended with. */
static struct weir_error *error_of(int (*fn)(void *), void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fn, arg);
    struct weir_error *error = weir_nursery_take_errors(&nursery);
    cr_assert(error != NULL && error->next == NULL);
    return error;
}

TASK_TEST(error_reason, of_a_timeout_is_the_deadline)
{
    struct weir_error *error = error_of(time_out, NULL);
    cr_expect_eq(error->code, -ETIMEDOUT);
    cr_expect(reads(&error->reason, "deadline passed (weir_fail_after in time_out, *reason.c:*)"));
    weir_error_free(error);
    return 0;
}

static int time_out_in_nursery(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL); /* has to be waited for */
        rc = time_out(NULL);
    }
    return rc;
}

TASK_TEST(error_reason, of_a_timeout_outlives_the_end_of_a_nursery)
{
    struct weir_error *error = error_of(time_out_in_nursery, NULL);
    cr_expect_eq(error->code, -ETIMEDOUT);
    cr_expect_str_eq(error->reason.what, "deadline passed");
    weir_error_free(error);
    return 0;
}

static int time_out_then_wait(void *arg)
{
    cr_expect_eq(time_out(NULL), -ETIMEDOUT);
    WEIR_TRY(weir_sleep(1));
    return -ETIMEDOUT; /* of a peer, say */
}

static int time_out_then_fail(void *arg)
{
    cr_expect_eq(time_out(NULL), -ETIMEDOUT);
    return -EIO;
}

static int only_time_out(void *arg)
{
    cr_expect_eq(time_out(NULL), -ETIMEDOUT);
    return 0;
}

static int peer_timed_out(void *arg)
{
    return -ETIMEDOUT;
}

TASK_TEST(error_reason, is_not_of_a_timeout_that_was_dealt_with)
{
    int (*const functions[])(void *) = {time_out_then_wait, time_out_then_fail, peer_timed_out};
    for (int i = 0; i < 3; i++) {
        struct weir_nursery nursery; /* whose task takes the place of the one before */
        int rc = 0;
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, only_time_out, NULL);
        struct weir_error *error = error_of(functions[i], NULL);
        cr_expect_null(error->reason.what);
        weir_error_free(error);
    }
    return 0;
}

static int slip_out(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel_because(&scope, "enough");
        WEIR_TRY(weir_checkpoint()); /* past the scope's end: WEIR_DO is meant */
    }
    return rc;
}

TASK_TEST(error_reason, of_a_cancelled_that_slipped_past_its_scope)
{
    struct weir_error *error = error_of(slip_out, NULL);
    cr_expect_eq(error->code, -ECANCELED);
    cr_expect(reads(&error->reason, "enough (by fn; weir_scope_cancel_because in slip_out, *reason.c:*)"));
    weir_error_free(error);
    return 0;
}

static int fail_when_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    return rc == -ECANCELED ? -EPIPE : rc;
}

TASK_TEST(error_reason, of_an_error_under_cancellation_is_what_cancelled)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_when_cancelled, NULL);
        weir_start_soon(&nursery, fail_with, &eio);
    }
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect_eq(group->code, -EIO);
    cr_expect_null(group->reason.what, "it came first");
    cr_expect_eq(group->next->code, -EPIPE);
    cr_expect(reads(&group->next->reason, "a child failed: EIO (by fail_with; nursery in *)"));
    weir_error_free(group);
    return 0;
}

static int all_kinds(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, time_out, NULL);
        weir_start_soon(&nursery, fail_when_cancelled, NULL);
    }
    return rc;
}

Test(error_reason, is_printed_on_the_errors_line, .init = cr_redirect_stderr)
{
    struct weir_virtual_clock clock;
    char line[4][512] = {"", "", "", ""};
    weir_virtual_clock_init(&clock, 0, true);
    cr_assert_eq(weir_run(all_kinds, NULL, &(struct weir_run_options){.clock = &clock.clock}), -ETIMEDOUT);
    for (int i = 0; i < 4; i++)
        if (fgets(line[i], sizeof line[i], cr_get_redirected_stderr()) == NULL)
            line[i][0] = '\0';
    cr_assert_not_null(strstr(line[0], "main: TooSlowError (-110): took longer than its deadline allows; started in"));
    cr_assert_not_null(strstr(line[1], "  time_out: TooSlowError (-110): took longer than its deadline allows; "
                                       "deadline passed (weir_fail_after in time_out, "));
    cr_assert_not_null(strstr(line[1], "); started in all_kinds, "));
    cr_assert_not_null(strstr(line[2], "  fail_when_cancelled: BrokenResourceError (-32): the other end is gone; "
                                       "while cancelled: a child failed: TooSlowError (by time_out; nursery in "));
    cr_assert_eq(line[3][0], '\0');
}

static int fail_when_interrupted(void *arg)
{
    weir_interrupt(weir_current_loop());
    int rc = weir_sleep_forever();
    cr_expect_eq(rc, -ECANCELED);
    return -EIO;
}

Test(error_reason, of_an_interrupted_run_says_so, .init = cr_redirect_stderr)
{
    char line[512] = "";
    cr_assert_eq(weir_run(fail_when_interrupted, NULL, NULL), -EIO);
    cr_assert_not_null(fgets(line, sizeof line, cr_get_redirected_stderr()));
    cr_assert_not_null(strstr(line, "main: EIO (-5): Input/output error; while cancelled: interrupted; started in"));
}
