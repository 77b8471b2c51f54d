/* Those of Criterion's words that core's unit tests use: for other processors, where Criterion is not packaged, and for
 * valgrind, under which it takes a second a test, for it starts the program anew for each. Here each test is a fork.
 * See main.c beside it. */
#ifndef TEST_PLAIN_CRITERION_H
#define TEST_PLAIN_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct plain_options {
    bool disabled;
    void (*init)(void);
    void (*fini)(void);
    int signal, exit_code;
    double timeout;
    const char *description;
};

struct plain_test {
    const char *suite, *name;
    void (*run)(void);
    struct plain_options options;
    struct plain_test *next;
};

extern struct plain_test **plain_end; /* where the next one is to be linked */
void plain_check(const char *file, int line, const char *what, bool ends, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#define Test(suite_, name_, ...)                                                                                       \
    static void suite_##_##name_##_plain(void);                                                                        \
    static struct plain_test suite_##_##name_##_test = {                                                               \
        #suite_, #name_, suite_##_##name_##_plain, {.disabled = false, ##__VA_ARGS__}, NULL};                          \
    __attribute__((constructor)) static void suite_##_##name_##_add(void)                                              \
    {                                                                                                                  \
        *plain_end = &suite_##_##name_##_test;                                                                         \
        plain_end = &suite_##_##name_##_test.next;                                                                     \
    }                                                                                                                  \
    static void suite_##_##name_##_plain(void)

#define PLAIN_CHECK(ends, what, holds, ...)                                                                            \
    do {                                                                                                               \
        if (!(holds)) {                                                                                                \
            plain_check(__FILE__, __LINE__, what, ends, " " __VA_ARGS__);                                              \
            if (ends)                                                                                                  \
                abort(); /* it has ended: this is for the compiler */                                                  \
        }                                                                                                              \
    } while (0)
#define PLAIN_COMPARE(ends, a, operator, b, ...)                                                                       \
    PLAIN_CHECK(ends, #a " " #operator" " #b, (a) operator(b), ##__VA_ARGS__)

#define cr_assert(e, ...) PLAIN_CHECK(true, #e, e, ##__VA_ARGS__)
#define cr_assert_not(e, ...) PLAIN_CHECK(true, "not " #e, !(e), ##__VA_ARGS__)
#define cr_assert_fail(...) PLAIN_CHECK(true, "not to get here", false, ##__VA_ARGS__)
#define cr_assert_null(e, ...) PLAIN_CHECK(true, #e " is NULL", (e) == NULL, ##__VA_ARGS__)
#define cr_assert_not_null(e, ...) PLAIN_CHECK(true, #e " is not NULL", (e) != NULL, ##__VA_ARGS__)
#define cr_assert_eq(a, b, ...) PLAIN_COMPARE(true, a, ==, b, ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...) PLAIN_COMPARE(true, a, !=, b, ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...) PLAIN_COMPARE(true, a, <, b, ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...) PLAIN_COMPARE(true, a, <=, b, ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...) PLAIN_COMPARE(true, a, >, b, ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...) PLAIN_COMPARE(true, a, >=, b, ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) PLAIN_CHECK(true, #a " is " #b, strcmp((a), (b)) == 0, ##__VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PLAIN_CHECK(true, #a " is not " #b, strcmp((a), (b)) != 0, ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) PLAIN_CHECK(true, #a " is " #b, memcmp((a), (b), (size)) == 0, ##__VA_ARGS__)

#define cr_expect(e, ...) PLAIN_CHECK(false, #e, e, ##__VA_ARGS__)
#define cr_expect_not(e, ...) PLAIN_CHECK(false, "not " #e, !(e), ##__VA_ARGS__)
#define cr_expect_fail(...) PLAIN_CHECK(false, "not to get here", false, ##__VA_ARGS__)
#define cr_expect_null(e, ...) PLAIN_CHECK(false, #e " is NULL", (e) == NULL, ##__VA_ARGS__)
#define cr_expect_not_null(e, ...) PLAIN_CHECK(false, #e " is not NULL", (e) != NULL, ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...) PLAIN_COMPARE(false, a, ==, b, ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...) PLAIN_COMPARE(false, a, !=, b, ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...) PLAIN_COMPARE(false, a, <, b, ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...) PLAIN_COMPARE(false, a, <=, b, ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...) PLAIN_COMPARE(false, a, >, b, ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...) PLAIN_COMPARE(false, a, >=, b, ##__VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) PLAIN_CHECK(false, #a " is " #b, strcmp((a), (b)) == 0, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) PLAIN_CHECK(false, #a " is not " #b, strcmp((a), (b)) != 0, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) PLAIN_CHECK(false, #a " is " #b, memcmp((a), (b), (size)) == 0, ##__VA_ARGS__)

#define cr_log_info(...) (printf(__VA_ARGS__), putchar('\n'))
#define cr_log_warn(...) cr_log_info(__VA_ARGS__)
#define cr_log_error(...) cr_log_info(__VA_ARGS__)

#endif
