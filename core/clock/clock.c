/* Clocks: the cycle counter scaled to CLOCK_MONOTONIC, and the virtual one. */
#include <pthread.h>
#include <time.h>
#include <weir/clock.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

static weir_time monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (weir_time)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static weir_time monotonic_now(struct weir_clock *clock)
{
    return monotonic();
}

#if defined(__x86_64__)
static bool counter_is_invariant(void)
{
    unsigned a, b, c, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
}

static inline uint64_t counter(void)
{
    return __rdtsc();
}
#elif defined(__aarch64__)
static bool counter_is_invariant(void)
{
    return true; /* Arm ARM: the generic timer counts at a fixed frequency */
}

static inline uint64_t counter(void)
{
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
}
#endif

/* Written once, by calibrate(), before anyone reads. */
static struct {
    struct weir_clock clock;
    uint64_t counter_base;
    weir_time time_base;
    uint64_t scale; /* nanoseconds a count, times 2^32 */
} tsc;
static pthread_once_t calibrated = PTHREAD_ONCE_INIT;

static weir_time tsc_now(struct weir_clock *clock)
{
    uint64_t passed = counter() - tsc.counter_base;
    return tsc.time_base + (weir_time)(((unsigned __int128)passed * tsc.scale) >> 32);
}

/* 10 ms against CLOCK_MONOTONIC: its read costs some 50 ns, so the scale is good to a few parts in a million. */
static void calibrate(void)
{
    tsc.clock = (struct weir_clock){.now = monotonic_now};
    if (!counter_is_invariant())
        return;
    const struct timespec pause = {.tv_nsec = 10000000};
    tsc.time_base = monotonic();
    tsc.counter_base = counter();
    nanosleep(&pause, NULL);
    weir_time passed = monotonic() - tsc.time_base;
    uint64_t counted = counter() - tsc.counter_base;
    if (counted == 0)
        return; /* a counter that stands still is no clock */
    tsc.scale = (uint64_t)(((unsigned __int128)passed << 32) / counted);
    tsc.clock.now = tsc_now;
}

struct weir_clock *weir_clock_tsc(void)
{
    pthread_once(&calibrated, calibrate);
    return &tsc.clock;
}

static weir_time virtual_now(struct weir_clock *clock)
{
    return WEIR_CONTAINER_OF(clock, struct weir_virtual_clock, clock)->time;
}

static bool virtual_idle(struct weir_clock *clock, weir_time deadline)
{
    struct weir_virtual_clock *virtual = WEIR_CONTAINER_OF(clock, struct weir_virtual_clock, clock);
    if (!virtual->autojump || deadline == WEIR_NEVER)
        return false;
    if (deadline > virtual->time)
        virtual->time = deadline;
    return true;
}

void weir_virtual_clock_init(struct weir_virtual_clock *clock, weir_time start, bool autojump)
{
    WEIR_ASSERT(start >= 0);
    *clock = (struct weir_virtual_clock){.clock = {virtual_now, virtual_idle}, .time = start, .autojump = autojump};
}

void weir_virtual_clock_advance(struct weir_virtual_clock *clock, weir_time by)
{
    WEIR_ASSERT(by >= 0);
    clock->time += by;
}
