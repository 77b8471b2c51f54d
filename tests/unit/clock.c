/* core/clock: real time and virtual time. */
#include <criterion/criterion.h>
#include <time.h>
#include <weir/clock.h>

static weir_time monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (weir_time)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

Test(clock, real_time_keeps_to_the_kernels)
{
    struct weir_clock *clock = weir_clock_tsc();
    cr_assert_eq(clock, weir_clock_tsc());
    for (int i = 0; i < 100; i++) {
        weir_time before = monotonic(), ours = clock->now(clock), after = monotonic();
        cr_assert_geq(ours, before - WEIR_MILLISECONDS(5));
        cr_assert_leq(ours, after + WEIR_MILLISECONDS(5));
    }
}

Test(clock, real_time_never_goes_back)
{
    struct weir_clock *clock = weir_clock_tsc();
    weir_time last = clock->now(clock);
    for (int i = 0; i < 100000; i++) {
        weir_time next = clock->now(clock);
        cr_assert_geq(next, last);
        last = next;
    }
}

Test(clock, virtual_time_stands_still_until_it_is_told)
{
    struct weir_virtual_clock clock;
    weir_virtual_clock_init(&clock, 5, false);
    cr_assert_eq(clock.clock.now(&clock.clock), 5);
    cr_assert_not(clock.clock.idle(&clock.clock, 100));
    cr_assert_eq(clock.clock.now(&clock.clock), 5);
    weir_virtual_clock_advance(&clock, 10);
    cr_assert_eq(clock.clock.now(&clock.clock), 15);
}

Test(clock, virtual_time_jumps_to_a_deadline_but_never_back_or_to_never)
{
    struct weir_virtual_clock clock;
    weir_virtual_clock_init(&clock, 50, true);
    cr_assert(clock.clock.idle(&clock.clock, 100));
    cr_assert_eq(clock.time, 100);
    cr_assert(clock.clock.idle(&clock.clock, 60));
    cr_assert_eq(clock.time, 100);
    cr_assert_not(clock.clock.idle(&clock.clock, WEIR_NEVER));
    cr_assert_eq(clock.time, 100);
}

Test(clock, sums_stop_at_the_end_of_time)
{
    cr_assert_eq(weir_time_add(5, WEIR_NEVER), WEIR_NEVER);
    cr_assert_eq(weir_time_add(WEIR_NEVER - 1, 5), WEIR_NEVER);
    cr_assert_eq(weir_time_add(-5, INT64_MIN), INT64_MIN);
    cr_assert_eq(weir_time_add(2, 3), 5);
}
