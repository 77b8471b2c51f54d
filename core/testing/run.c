/* A run for tests. */
#include <inttypes.h>
#include <weir/testing.h>

int weir_test_run(int (*main)(void *arg), void *arg, uint64_t seed)
{
    struct weir_virtual_clock clock;
    weir_virtual_clock_init(&clock, 0, true);
    struct weir_run_options options = {.clock = &clock.clock, .shuffle_seed = seed, .deadlock_ends = true};
    int rc = weir_run(main, arg, &options);
    if (rc < 0 && seed != 0)
        weir_log(WEIR_LOG_ERROR, "that was weir_test_run with seed %" PRIu64, seed);
    return rc;
}
