/* What tests of core/ share: a run under virtual time that jumps, and notes that show in which order things happened.
 */
#ifndef TEST_SUPPORT_CORE_H
#define TEST_SUPPORT_CORE_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

static char notes[8192];

/* Adds words to the notes, with a space between. */
__attribute__((format(printf, 1, 2), unused)) static void note(const char *format, ...)
{
    size_t used = strlen(notes);
    va_list arguments;
    if (used > 0)
        notes[used++] = ' ';
    va_start(arguments, format);
    vsnprintf(notes + used, sizeof notes - used, format, arguments);
    va_end(arguments);
}

/* How many of something a test is to do, `count` if it runs at full speed: where it is emulated, or under valgrind, the
 * environment's WEIR_TEST_PATIENCE says how many times as long all takes. */
__attribute__((unused)) static unsigned fewer(unsigned count)
{
    const char *patience = getenv("WEIR_TEST_PATIENCE");
    unsigned slower = patience != NULL ? (unsigned)strtoul(patience, NULL, 10) : 1;
    return slower > 1 ? count / slower + 1 : count;
}

/* Runs main(arg) from time 0 on a clock that jumps to the next deadline when all is idle. */
__attribute__((unused)) static int run_with(int (*main)(void *), void *arg, struct weir_run_options options)
{
    struct weir_virtual_clock clock;
    weir_virtual_clock_init(&clock, 0, true);
    options.clock = &clock.clock;
    options.quiet = true;
    if (options.tasks_max == 0)
        options.tasks_max = 4096;
    return weir_run(main, arg, &options);
}

__attribute__((unused)) static int run(int (*main)(void *), void *arg)
{
    return run_with(main, arg, (struct weir_run_options){0});
}

__attribute__((unused)) static unsigned errors_held(void)
{
    struct weir_loop_statistics statistics;
    weir_current_statistics(&statistics);
    return statistics.errors_held;
}

/* Seconds on the loop's clock. */
__attribute__((unused)) static double now(void)
{
    return (double)weir_current_time() / 1e9;
}

/* ---- tasks ---- */

__attribute__((unused)) static int sleep_forever(void *arg)
{
    return weir_sleep_forever();
}

/* Sleeps for *(double *)arg seconds. */
__attribute__((unused)) static int sleep_for(void *arg)
{
    return weir_sleep(WEIR_SECONDS(*(double *)arg));
}

__attribute__((unused)) static int return_at_once(void *arg)
{
    return 0;
}

/* Fails with *(int *)arg, after no checkpoint. */
__attribute__((unused)) static int fail_with(void *arg)
{
    return *(int *)arg;
}

/* Runs a test's body in a task: TASK_TEST(scope, name) { ... return 0; } */
#define TASK_TEST(suite, name)                                                                                         \
    static int suite##_##name##_body(void *arg);                                                                       \
    Test(suite, name, .timeout = 30)                                                                                   \
    {                                                                                                                  \
        cr_assert_eq(run(suite##_##name##_body, NULL), 0);                                                             \
    }                                                                                                                  \
    static int suite##_##name##_body(void *arg)

#endif
