/* core/base: lists, errors as values, log and randomness. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <weir/base.h>

struct item {
    struct weir_list link;
    int value;
};

Test(list, keeps_the_order_in_which_nodes_were_appended)
{
    struct weir_list list;
    struct item items[3] = {{.value = 0}, {.value = 1}, {.value = 2}}, *item;
    int next = 0;
    weir_list_init(&list);
    cr_assert(weir_list_empty(&list));
    cr_assert_null(WEIR_LIST_FIRST(&list, struct item, link));
    for (int i = 0; i < 3; i++)
        weir_list_append(&list, &items[i].link);
    WEIR_LIST_FOREACH (item, &list, struct item, link)
        cr_assert_eq(item->value, next++);
    cr_assert_eq(next, 3);
}

Test(list, allows_removal_of_the_current_node_while_walking)
{
    struct weir_list list;
    struct item items[4], *item;
    int seen = 0;
    weir_list_init(&list);
    for (int i = 0; i < 4; i++)
        weir_list_append(&list, &items[i].link);
    WEIR_LIST_FOREACH (item, &list, struct item, link) {
        weir_list_remove(&item->link);
        seen++;
    }
    cr_assert_eq(seen, 4);
    cr_assert(weir_list_empty(&list));
    weir_list_remove(&items[0].link); /* again: nothing */
    cr_assert(weir_list_empty(&items[0].link));
}

Test(errors, are_named_as_trio_does_or_as_errno_does)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {{-ECANCELED, "Cancelled"},
                 {-ETIMEDOUT, "TooSlowError"},
                 {-EAGAIN, "WouldBlock"},
                 {-ENODATA, "EndOfChannel"},
                 {-EPIPE, "BrokenResourceError"},
                 {-EBADF, "ClosedResourceError"},
                 {-EBUSY, "BusyResourceError"},
                 {0, "ok"},
                 {-EINVAL, "EINVAL"},
                 {-99999, "unknown error"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_expect_str_eq(weir_error_name(names[i].code), names[i].name);
        cr_expect_gt(strlen(weir_error_text(names[i].code)), 3);
    }
}

Test(errors, a_group_prints_as_a_tree)
{
    static const struct weir_site site = {"child", "file.c", "parent", 7};
    struct weir_error leaf2 = {.code = -EPIPE, .site = &site}, leaf1 = {.code = -EIO, .site = &site, .next = &leaf2};
    struct weir_error root = {.code = -EIO, .site = &site, .children = &leaf1};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    weir_error_print(out, &root);
    fclose(out);
    cr_assert_str_eq(text, "child: EIO (-5): Input/output error; started in parent, file.c:7\n"
                           "  child: EIO (-5): Input/output error; started in parent, file.c:7\n"
                           "  child: BrokenResourceError (-32): the other end is gone; started in parent, file.c:7\n");
    free(text);
}

Test(assertions, name_the_place_and_end_the_process, .signal = SIGABRT)
{
    WEIR_ASSERT(1 + 1 == 3);
}

Test(assertions, of_equality_evaluate_once_and_end_the_process, .signal = SIGABRT)
{
    int calls = 0;
    WEIR_ASSERT_EQ(++calls, 1);
    cr_assert_eq(calls, 1);
    WEIR_ASSERT_EQ(calls, 2);
}

static int tried(int code)
{
    WEIR_TRY(code);
    return 7;
}

Test(errors, try_returns_an_error_and_lets_success_pass)
{
    cr_assert_eq(tried(-EIO), -EIO);
    cr_assert_eq(tried(0), 7);
    cr_assert_eq(tried(3), 7);
}

Test(log, is_silent_below_its_threshold, .init = cr_redirect_stderr)
{
    weir_log_set_level(WEIR_LOG_WARNING);
    weir_log(WEIR_LOG_INFO, "not %d", 1);
    weir_log(WEIR_LOG_WARNING, "shown %d", 2);
    weir_log_set_level(WEIR_LOG_ERROR);
    weir_log(WEIR_LOG_WARNING, "not %d", 3);
    cr_assert_stderr_eq_str("weir: shown 2\n");
}

Test(log, takes_its_threshold_from_the_environment, .init = cr_redirect_stderr)
{
    setenv("WEIR_LOG", "debug", 1);
    weir_log(WEIR_LOG_DEBUG, "shown");
    cr_assert_stderr_eq_str("weir: shown\n");
}

Test(rng, replays_from_a_seed)
{
    struct weir_rng a, b, c;
    weir_rng_seed(&a, 0);
    weir_rng_seed(&b, 0);
    weir_rng_seed(&c, 1);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = weir_rng_next(&a);
        cr_assert_eq(x, weir_rng_next(&b));
        same += x == weir_rng_next(&c);
    }
    cr_assert_eq(same, 0);
}

Test(rng, below_stays_below_and_reaches_everything)
{
    struct weir_rng rng;
    unsigned count[7] = {0};
    weir_rng_seed(&rng, 42);
    for (int i = 0; i < 70000; i++) {
        uint64_t x = weir_rng_below(&rng, 7);
        cr_assert_lt(x, 7);
        count[x]++;
    }
    for (int i = 0; i < 7; i++) /* 10000 each; six standard deviations are 560 */
        cr_expect(count[i] > 9400 && count[i] < 10600, "%d came %u times", i, count[i]);
    cr_assert_eq(weir_rng_below(&rng, 1), 0);
    for (int i = 0; i < 1000; i++) {
        double d = weir_rng_double(&rng);
        cr_assert(d >= 0 && d < 1);
    }
}
