/* A program that has a twin in Python: both print, line by line, what happened; tests/conform/run.py compares. */
#ifndef TEST_SUPPORT_TWIN_H
#define TEST_SUPPORT_TWIN_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

/* Prints a line. */
__attribute__((format(printf, 1, 2), unused)) static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

/* Seconds since the run began, on a clock that jumps. */
__attribute__((unused)) static double now(void)
{
    return (double)weir_current_time() / 1e9;
}

__attribute__((unused)) static const char *yes(bool value)
{
    return value ? "True" : "False";
}

/* Of a scope: whether it was cancelled, and whether it caught. */
__attribute__((unused)) static const char *caught(const struct weir_scope *scope)
{
    static const char *const words[] = {"False/False", "False/True", "True/False", "True/True"};
    return words[2 * scope->cancel_called + scope->cancelled_caught];
}

__attribute__((unused)) static const char *name(int rc)
{
    return weir_error_name(rc < 0 ? rc : 0);
}

__attribute__((unused)) static void say_leaves(const struct weir_error *error)
{
    for (; error != NULL; error = error->next)
        if (error->children == NULL)
            say("error: %s", name(error->code));
        else
            say_leaves(error->children);
}

/* What Trio raises where the caller did what is not allowed; other codes as name() says them. */
__attribute__((unused)) static const char *refusal(int rc)
{
    switch (-rc) {
    case EALREADY:
    case EDEADLK:
    case EPERM:
        return "RuntimeError";
    case EINVAL:
    case EOVERFLOW:
        return "ValueError";
    default:
        return name(rc);
    }
}

/* Takes a nursery's group and prints its leaves, the oldest first. */
__attribute__((unused)) static void say_group(struct weir_nursery *nursery)
{
    struct weir_error *group = weir_nursery_take_errors(nursery);
    say_leaves(group);
    weir_error_free(group);
}

__attribute__((unused)) static void say_branches(const struct weir_error *error, int depth)
{
    for (; error != NULL; error = error->next) {
        say("%*s%s", 2 * depth, "", error->children == NULL ? name(error->code) : "group");
        say_branches(error->children, depth + 1);
    }
}

/* Takes a nursery's group and prints which error is in which group. */
__attribute__((unused)) static void say_tree(struct weir_nursery *nursery)
{
    struct weir_error *group = weir_nursery_take_errors(nursery);
    say_branches(group, 1);
    weir_error_free(group);
}

/* What is reported on stderr from here on is as expected; else it would count as a difference. */
__attribute__((unused)) static void say_to_nobody(void)
{
    if (freopen("/dev/null", "w", stderr) == NULL)
        abort();
}

/* The tasks' order comes from the environment's SEED; without one it is first in, first out. */
static int run_twin(int (*main_task)(void *), struct weir_run_options options)
{
    struct weir_virtual_clock clock;
    const char *seed = getenv("SEED");
    weir_virtual_clock_init(&clock, 0, true);
    options.clock = &clock.clock;
    options.quiet = true;
    options.shuffle_seed = seed != NULL ? strtoull(seed, NULL, 10) : 0;
    int rc = weir_run(main_task, NULL, &options);
    say("run: %s", name(rc));
    return 0;
}

#define TWIN(main_task) TWIN_WITH(main_task, (struct weir_run_options){0})

#define TWIN_WITH(main_task, options)                                                                                  \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return run_twin(main_task, options);                                                                           \
    }

#endif
