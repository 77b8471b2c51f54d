/* core: a million sleeping tasks on one lcore, each with its guard page, in at most 4.6 KB each: what the kernel counts
 * as ours, its page tables included. Cancelled and joined; then a million more, on the same stacks, that wake by
 * themselves. Fewer where a sanitizer, an emulator or valgrind needs more memory and time for each. */
#include "../support/core.h"
#include <inttypes.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { BYTES_MAX = 4600, SAMPLE_EVERY = 1000, PAGE = 4096, STACK = 64 * 1024 };

struct memory {
    int64_t anonymous, page_tables, mappings; /* bytes, bytes, number */
};

/* Returns the number behind `name` in a file of lines such as "VmPTE:  48 kB", in bytes. */
static int64_t kilobytes(const char *path, const char *name)
{
    char line[256];
    int64_t found = -1;
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    while (found < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            found = strtoll(line + strlen(name), NULL, 10) * 1024;
    fclose(file);
    return found;
}

static struct memory measure(void)
{
    struct memory memory = {kilobytes("/proc/self/status", "RssAnon:"), kilobytes("/proc/self/status", "VmPTE:"), 0};
    FILE *file = fopen("/proc/self/maps", "r");
    cr_assert_not_null(file);
    for (int c; (c = getc(file)) != EOF;)
        memory.mappings += c == '\n';
    fclose(file);
    return memory;
}

/* ---- the tasks ---- */

struct million {
    unsigned count, asleep, cancelled, slept, guarded, sampled;
    weir_time last; /* when one woke */
    struct memory before;
};
static struct million million;
static int pipes[2];

/* Whether a byte there can be read: asked of the kernel, which answers EFAULT where we would die. */
static bool readable(const char *at)
{
    char byte;
    return write(pipes[1], at, 1) == 1 && read(pipes[0], &byte, 1) == 1;
}

/* Walks down the running task's stack: below it must come its guard, and not its neighbour. */
static void look_for_guard(void)
{
    char *page = (char *)((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(PAGE - 1));
    int pages = 0;
    while (pages <= STACK / PAGE && readable(page - (size_t)pages * PAGE))
        pages++;
    million.sampled++;
    million.guarded += pages <= STACK / PAGE - 1;
}

static int sleep_till_cancelled(void *arg)
{
    uintptr_t number = (uintptr_t)arg;
    million.asleep++;
    int rc = weir_sleep(WEIR_SECONDS(1000) + (weir_time)(number * 7919 % 1000003) * 1000);
    million.cancelled += rc == -ECANCELED;
    if (number % SAMPLE_EVERY == 0)
        look_for_guard();
    return rc;
}

static int sleep_till_time(void *arg)
{
    uintptr_t number = (uintptr_t)arg;
    million.asleep++;
    WEIR_TRY(weir_sleep(1 + (weir_time)(number * 7919 % 1000003) * 1000));
    cr_assert_geq(weir_current_time(), million.last);
    million.last = weir_current_time();
    million.slept++;
    return 0;
}

static int start_all(struct weir_nursery *nursery, int (*fn)(void *))
{
    million.asleep = 0;
    for (uintptr_t i = 0; i < million.count; i++)
        WEIR_TRY(weir_start_soon(nursery, fn, (void *)i));
    while (million.asleep < million.count)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

static void report(const char *when)
{
    struct memory now = measure();
    double count = million.count;
    double anonymous = (double)(now.anonymous - million.before.anonymous) / count,
           tables = (double)(now.page_tables - million.before.page_tables) / count;
    printf("%s: %u tasks, of each %.0f bytes of memory and %.0f of page tables; %" PRId64 " mappings more\n", when,
           million.count, anonymous, tables, now.mappings - million.before.mappings);
    if (SANITIZED || fewer(100) != 100)
        return;
    cr_expect_leq(anonymous + tables, BYTES_MAX);
    cr_expect_lt(now.mappings - million.before.mappings, 100, "guards split no mapping");
}

static int cancel_all(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, start_all(&nursery, sleep_till_cancelled));
        report("asleep");
        weir_nursery_cancel(&nursery);
    }
    cr_expect_eq(million.cancelled, million.count);
    cr_expect(nursery.scope.cancelled_caught);
    WEIR_TRY(rc);
    report("joined");
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, start_all(&nursery, sleep_till_time));
        report("again");
    }
    cr_expect_eq(million.slept, million.count);
    return rc;
}

Test(million, sleep_are_cancelled_and_joined_and_sleep_again, .timeout = 100)
{
    million.count = SANITIZED || fewer(100) != 100 ? 10000 : 1000000;
    int64_t needed = (int64_t)million.count * (BYTES_MAX + BYTES_MAX / 4),
            free = kilobytes("/proc/meminfo", "MemAvailable:");
    cr_assert(SANITIZED || free > needed, "%u tasks need %" PRId64 " MB, there are %" PRId64, million.count,
              needed / 1000000, free / 1000000);
    cr_assert_eq(pipe(pipes), 0);
    million.before = measure();
    struct weir_run_options options = {.tasks_max = million.count + 1, .stack_size = SANITIZED ? 0 : STACK};
    cr_assert_eq(run_with(cancel_all, NULL, options), 0);
    struct memory after = measure();
    if (!SANITIZED) { /* it keeps shadows of all that ever was */
        cr_expect_lt(after.anonymous - million.before.anonymous, 16 << 20, "all is given back");
        cr_expect_gt(million.sampled, 0);
        cr_expect_eq(million.guarded, million.sampled);
    }
}
