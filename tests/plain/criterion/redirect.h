/* Criterion's redirection, for criterion.h beside it: what a test writes to a standard stream, kept to be looked at. */
#ifndef TEST_PLAIN_REDIRECT_H
#define TEST_PLAIN_REDIRECT_H

#include <criterion/criterion.h>

bool plain_said(FILE *stream, const char *expected);
void cr_redirect_stderr(void);
void cr_redirect_stdout(void);
FILE *cr_get_redirected_stderr(void);
FILE *cr_get_redirected_stdout(void);

#define cr_assert_stderr_eq_str(expected, ...)                                                                         \
    PLAIN_CHECK(true, "stderr is " #expected, plain_said(stderr, (expected)), ##__VA_ARGS__)
#define cr_assert_stdout_eq_str(expected, ...)                                                                         \
    PLAIN_CHECK(true, "stdout is " #expected, plain_said(stdout, (expected)), ##__VA_ARGS__)

#endif
