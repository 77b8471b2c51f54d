/* For tests of what goes on outside of the loop: nothing of it may be left when a run has ended. */
#ifndef TEST_SUPPORT_OUTSIDE_H
#define TEST_SUPPORT_OUTSIDE_H

#include "core.h"
#include <dirent.h>
#include <sched.h>
#include <sys/wait.h>

__attribute__((unused)) static int entries(const char *directory)
{
    int count = 0;
    DIR *dir = opendir(directory);
    cr_assert_not_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

__attribute__((unused)) static int descriptors(void)
{
    return entries("/proc/self/fd");
}

/* A thread that was joined may be listed for another moment: waits until no more than `wanted` are. */
__attribute__((unused)) static int threads(int wanted)
{
    int count = entries("/proc/self/task");
    for (int i = 0; i < 10000 && count > wanted; i++) {
        sched_yield();
        count = entries("/proc/self/task");
    }
    return count;
}

__attribute__((unused)) static bool children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Runs main(arg), and sees that no descriptor, thread or child is left. */
__attribute__((unused)) static int run_clean_with(int (*main)(void *), void *arg, struct weir_run_options options)
{
    int descriptors_before = descriptors(), threads_before = threads(1 << 20);
    int rc = run_with(main, arg, options);
    cr_expect_eq(descriptors(), descriptors_before, "descriptors are left");
    cr_expect_eq(threads(threads_before), threads_before, "threads are left");
    cr_expect_not(children(), "children are left");
    return rc;
}

__attribute__((unused)) static int run_clean(int (*main)(void *), void *arg)
{
    return run_clean_with(main, arg, (struct weir_run_options){0});
}

/* As TASK_TEST, and leaves nothing behind. */
#define CLEAN_TEST(suite, name)                                                                                        \
    static int suite##_##name##_body(void *arg);                                                                       \
    Test(suite, name, .timeout = 30)                                                                                   \
    {                                                                                                                  \
        cr_assert_eq(run_clean(suite##_##name##_body, NULL), 0);                                                       \
    }                                                                                                                  \
    static int suite##_##name##_body(void *arg)

#endif
