/* Runs scenarios in virtual time under many seeds, by IPv4 those that are odd, by IPv6 the others. A seed that fails is
 * printed with the line that replays it. */
#include "begin.h"
#include "capture.h"
#include "scenarios.h"
#include <argp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct scenario *const scenarios[] = {
    &sim_echo_zero_copy,   &sim_echo_copied, &sim_half_close, &sim_tiny_buffers, &sim_udp,       &sim_blackout,
    &sim_many_connections, &sim_aborts,      &sim_heavy_loss, &sim_changing_way, &sim_both_ways, &sim_crowd,
};

static struct {
    const char *scenario;
    uint64_t first;
    unsigned seeds;
    bool replay;
    FILE *capture;
} wanted = {.first = 1, .seeds = 100};

static error_t parse(int key, char *text, struct argp_state *state)
{
    switch (key) {
    case 'f':
        wanted.first = strtoull(text, NULL, 0);
        return 0;
    case 'n':
        wanted.seeds = (unsigned)strtoul(text, NULL, 0);
        return 0;
    case 's':
        wanted.first = strtoull(text, NULL, 0);
        wanted.seeds = 1;
        wanted.replay = true;
        return 0;
    case 'p':
        wanted.capture = capture_open(text);
        if (wanted.capture == NULL)
            argp_failure(state, EXIT_FAILURE, errno, "%s", text);
        return 0;
    case ARGP_KEY_ARG:
        wanted.scenario = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"first", 'f', "N", 0, "the first seed (1)"},
    {"seeds", 'n', "COUNT", 0, "how many seeds (100)"},
    {"seed", 's', "N", 0, "only this seed, and say what its frames amount to"},
    {"pcap", 'p', "FILE", 0, "write host 0's packets, in virtual time"},
    {0},
};

/* Each seed runs twice now and then: a world that does not replay would hide its failures. */
static bool run_seed(const struct scenario *scenario, uint64_t seed, struct rte_mempool *pool)
{
    static struct world world;
    bool held = world_run(&world, scenario, seed, pool, wanted.capture, DEVICE_PLAIN);
    if (held && (wanted.replay || seed % 15 == 0)) {
        uint64_t digest = world.digest;
        held = world_run(&world, scenario, seed, pool, NULL, DEVICE_PLAIN);
        if (held && world.digest != digest)
            held = world_fail(&world, "does not replay: %" PRIx64 " then %" PRIx64, digest, world.digest) == 0;
    }
    if (!held)
        fprintf(stderr, "FAILED %s: %s; again with: sim %s --seed %" PRIu64 "\n", scenario->name, world.failure,
                scenario->name, seed);
    else if (wanted.replay)
        printf("%s seed %" PRIu64 ": held, digest %016" PRIx64 ", %.3f s of virtual time\n", scenario->name, seed,
               world.digest, (double)world.clock.time / 1e9 - 1000);
    return held;
}

static unsigned cut; /* packets, by devices that do */

/* On the wire all is the same, whether the stacks cut or their devices. */
static bool compare_devices(const struct scenario *scenario, uint64_t seed, struct rte_mempool *pool)
{
    static struct world world;
    uint64_t digest;
    bool held = world_run(&world, scenario, seed, pool, NULL, DEVICE_COPIES);
    digest = world.digest;
    held = held && world_run(&world, scenario, seed, pool, NULL, DEVICE_CUTS);
    if (held && world.digest != digest)
        held = world_fail(&world, "differs where devices cut: %" PRIx64 " then %" PRIx64, digest, world.digest) == 0;
    if (!held)
        fprintf(stderr, "FAILED %s, seed %" PRIu64 ": %s\n", scenario->name, seed, world.failure);
    cut = world.nic->cut;
    return held;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[SCENARIO]", "Two stacks on a faulty cable, in virtual time."};
    unsigned passed = 0, failed = 0;
    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    struct rte_mempool *pool = sim_begin();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (wanted.scenario != NULL && strcmp(wanted.scenario, scenarios[i]->name) != 0)
            continue;
        unsigned held = 0;
        for (uint64_t seed = wanted.first; seed < wanted.first + wanted.seeds; seed++) {
            struct scenario scenario = *scenarios[i];
            scenario.ipv6 = seed % 2 == 0;
            bool compared = seed % 15 == 0;
            held += run_seed(&scenario, seed, pool) && (!compared || compare_devices(&scenario, seed, pool));
        }
        passed += held;
        failed += wanted.seeds - held;
        printf("%-18s %u of %u seeds held: %s\n", scenarios[i]->name, held, wanted.seeds, scenarios[i]->summary);
    }
    if (wanted.capture != NULL)
        fclose(wanted.capture);
    sim_end(pool);
    if (passed + failed == 0)
        fprintf(stderr, "sim: no scenario %s\n", wanted.scenario);
    printf("%u passed, %u failed; %u packets were cut by devices\n", passed, failed, cut);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
