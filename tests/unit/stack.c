/* core/task: stacks: an overflow is caught and named by whatever guard there is; tops are staggered; slots are reused.
 */
#include "../../core/task/task_private.h"
#include "../support/core.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void with_mprotect(struct weir_loop *loop, void *arg)
{
    loop->stacks.guard = GUARD_MPROTECT;
}

static void with_canary(struct weir_loop *loop, void *arg)
{
    loop->stacks.guard = GUARD_MPROTECT;
    loop->stacks.protected_max = 0;
}

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    frame[1023] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + frame[0] - frame[1023];
}

static int overflow_by_a_lot(void *arg)
{
    return recurse(10000);
}

/* Just into the canary, and then to a switch, or to the end of the task. */
static int overflow_a_little(void *arg)
{
    struct weir_task *self = weir_current_task();
    char *slot = weir_current_loop()->stacks.base + (size_t)self->index * weir_current_loop()->stacks.size;
    memset(slot, 1, 64);
    return arg != NULL ? 0 : weir_checkpoint();
}

struct overflow {
    int (*fn)(void *);
    void *arg;
};

static int run_overflow(void *arg)
{
    struct overflow *overflow = arg;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon_(&nursery, overflow->fn, overflow->arg, WEIR_SITE("greedy"));
    return rc;
}

/* Runs it in a child process. Returns the signal that ended it; text is what it wrote to stderr. */
static int signal_of(struct overflow overflow, void (*prepare)(struct weir_loop *, void *), char *text, size_t size)
{
    int pipes[2], status;
    cr_assert_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        dup2(pipes[1], STDERR_FILENO);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        _exit(run_with(run_overflow, &overflow, (struct weir_run_options){.on_start = prepare}) == 0 ? 0 : 1);
    }
    close(pipes[1]);
    size_t used = 0;
    for (ssize_t n; used < size - 1 && (n = read(pipes[0], text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = '\0';
    close(pipes[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

Test(stack, an_overflow_hits_the_guard_and_is_named, .timeout = 30)
{
    void (*const prepare[])(struct weir_loop *, void *) = {NULL, with_mprotect};
    for (int i = 0; i < 2; i++) {
        char text[4096];
        int signal = signal_of((struct overflow){overflow_by_a_lot, NULL}, prepare[i], text, sizeof text);
        cr_expect(signal == SIGSEGV || (WEIR_ASAN && signal == SIGABRT), "%d: signal %d: %s", i, signal, text);
        cr_expect_not_null(strstr(text, "weir: task greedy (started in run_overflow, "), "%s", text);
        cr_expect_not_null(strstr(text, "overflowed its stack of "));
    }
}

Test(stack, without_guards_a_canary_finds_it_at_the_next_switch_or_the_end, .timeout = 30)
{
    for (uintptr_t at_end = 0; at_end <= 1; at_end++) {
        char text[4096];
        int signal = signal_of((struct overflow){overflow_a_little, (void *)at_end}, with_canary, text, sizeof text);
        cr_expect_eq(signal, SIGABRT, "%s", text);
        cr_expect_not_null(strstr(text, "weir: no guard pages after 1 stacks"), "never in silence: %s", text);
        cr_expect_not_null(strstr(text, "task greedy overflowed its stack"), "%s", text);
    }
}

static int use_much(void *arg)
{
    return recurse(40); /* 40 KiB of 64 */
}

static int use_much_everywhere(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 100; i++)
            weir_start_soon(&nursery, use_much, NULL);
    return rc;
}

Test(stack, what_fits_is_no_overflow_whatever_the_guard)
{
    cr_expect_eq(run(use_much_everywhere, NULL), 0);
    cr_expect_eq(run_with(use_much_everywhere, NULL, (struct weir_run_options){.on_start = with_mprotect}), 0);
    cr_expect_eq(run_with(use_much_everywhere, NULL, (struct weir_run_options){.on_start = with_canary}), 0);
}

static uintptr_t tops[64];
static unsigned topped;

static int note_top(void *arg)
{
    tops[topped++] = (uintptr_t)weir_current_task();
    return 0;
}

TASK_TEST(stack, tops_are_staggered_by_cache_lines)
{
    struct weir_nursery nursery;
    unsigned lines[64] = {0}; /* of a page */
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 64; i++)
            weir_start_soon(&nursery, note_top, NULL);
    for (int i = 0; i < 64; i++) {
        cr_expect_eq(tops[i] % 64, 0);
        cr_expect_leq(++lines[tops[i] / 64 % 64], 2);
    }
    return rc;
}

TASK_TEST(stack, is_taken_again_by_the_next_task)
{
    struct weir_nursery nursery;
    int rc = 0;
    for (int i = 0; i < 64; i++)
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, note_top, NULL);
    for (int i = 1; i < 64; i++)
        cr_expect_eq(tops[i], tops[0]);
    return rc;
}

static int start_many(void *arg)
{
    struct weir_nursery nursery;
    unsigned count = fewer(100000);
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (unsigned i = 0; i < count; i++)
            WEIR_DO(rc, weir_try_start_soon(&nursery, sleep_forever, NULL));
        rc = weir_checkpoint();
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

Test(stack, a_hundred_thousand_have_guards, .timeout = 60)
{
    struct weir_run_options many = {.tasks_max = 100001, .stack_size = 32 * 1024};
    cr_expect_eq(run_with(start_many, NULL, many), 0);
}
