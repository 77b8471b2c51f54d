/* `weir run`: everything an app needs, made in order, and unmade in reverse. */
#include "run.h"
#include "settle.h"
#include "statistics.h"
#include "telemetry.h"
#include <inttypes.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_pdump.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <weir/debug.h>
#include <weir/lcore.h>

enum {
    PAGE = 4096,               /* each packet takes whole ones, where pages are small */
    ROOM_DEFAULT = 2048,       /* bytes of a frame that fit a packet  */
    FRAME_OVERHEAD = 64,       /* headers and trailer of a frame, and what drivers put in front: ample */
    MBUF_OVERHEAD = 384,       /* of a packet, before its frame: ample */
    MEMORY_SPARE_MB = 32,      /* the stack's small packets, queues, drivers */
    TASKS_SPARE = 256,         /* besides one for each connection            */
    CONNECTIONS_PRINTED = 256, /* on a signal: the loop does nothing else meanwhile */
    TRACE_MAX = 256 << 20      /* bytes of --trace                           */
};

struct run {
    struct run_options *options;
    struct rte_mempool *pool;
    struct weir_dev *dev;
    struct weir_trace *trace; /* or NULL */
    bool keeps_packets;       /* the device's driver does: see check_pool */
    char place[720];
    char error[512]; /* the one line, when something fails */
};

#define FAIL(run, code, ...)                                                                                           \
    ({                                                                                                                 \
        snprintf((run)->error, sizeof((run)->error), __VA_ARGS__);                                                     \
        (code);                                                                                                        \
    })

/* ---- memory ---- */

/* A frame fits one packet, so that its payload can be sent on, and read, in one piece. */
static uint16_t room_of(const struct run_options *options)
{
    return (uint16_t)RTE_MAX(options->mtu + FRAME_OVERHEAD, ROOM_DEFAULT);
}

static unsigned memory_wanted_mb(const struct run_options *options)
{
    uint64_t bytes = RTE_ALIGN(room_of(options) + MBUF_OVERHEAD, PAGE);
    uint64_t mbufs = options->mbufs != 0 ? options->mbufs : MBUFS_DEFAULT;

    return (unsigned)((mbufs * bytes >> 20) + 2 * MEMORY_SPARE_MB);
}

/* The kernel promises memory that it has not, and kills whoever takes it at its word: ask before. */
static int check_memory(struct run *run)
{
    FILE *in = fopen("/proc/meminfo", "r");
    unsigned wanted = memory_wanted_mb(run->options);
    unsigned long free_kb = 0;
    char line[128];

    if (in == NULL)
        return 0;
    while (fgets(line, sizeof(line), in) != NULL && sscanf(line, "MemAvailable: %lu kB", &free_kb) != 1)
        ;
    fclose(in);
    if (free_kb == 0 || wanted <= free_kb >> 10)
        return 0;
    return FAIL(run, -ENOMEM, "not enough memory: %u packets would take %u MiB, and %lu are free: lower --mbufs",
                run->options->mbufs, wanted, free_kb >> 10);
}

/* Whether the EAL still has memory for all that is not the pool. */
static bool memory_is_spare(void)
{
    void *spare = rte_malloc(NULL, (size_t)MEMORY_SPARE_MB << 20, 0);

    rte_free(spare);
    return spare != NULL;
}

/* As large as was asked for; else as large as the EAL's memory allows, down to a size that is still of use. */
static int make_pool(struct run *run)
{
    struct run_options *options = run->options;
    bool fixed = options->mbufs != 0;

    if (!fixed)
        options->mbufs = MBUFS_DEFAULT;
    for (;; options->mbufs /= 2) {
        run->pool = weir_packet_pool("weir-packets", options->mbufs, 256, room_of(options));
        if (run->pool != NULL && (fixed || memory_is_spare()))
            return 0;
        rte_mempool_free(run->pool);
        run->pool = NULL;
        if (fixed || options->mbufs / 2 < MBUFS_LEAST)
            break;
    }
    return FAIL(run, -rte_errno, "cannot make a pool of %u packets: %s: lower --mbufs%s", run->options->mbufs,
                rte_strerror(rte_errno), run->options->eal != NULL ? ", or give the EAL more memory" : "");
}

/* ---- the device ---- */

static int find_port(struct run *run, uint16_t *port)
{
    const struct run_options *options = run->options;

    if (options->eal == NULL)
        return device_make(&options->device, room_of(options), port, run->error, sizeof(run->error));
    RTE_ETH_FOREACH_DEV(*port)
    return 0;
    return FAIL(run, -ENODEV,
                "the EAL arguments brought no port: name one, with -a ADDRESS (and bind it to vfio-pci) or "
                "--vdev%s%s",
                weir_eal_log_kept()[0] != '\0' ? "; DPDK said: " : "", weir_eal_log_kept());
}

static bool port_is(uint16_t port, const char *driver)
{
    struct rte_eth_dev_info info;

    return rte_eth_dev_info_get(port, &info) == 0 && strcmp(info.driver_name, driver) == 0;
}

/* A TAP has one address, and it is that of the kernel's end: ours must be another. */
static const struct rte_ether_addr *choose_mac(const struct run *run, uint16_t port, struct rte_ether_addr *mac)
{
    if (run->options->mac_named)
        return &run->options->mac;
    if (!port_is(port, "net_tap") || rte_eth_macaddr_get(port, mac) < 0)
        return NULL;
    mac->addr_bytes[0] |= RTE_ETHER_LOCAL_ADMIN_ADDR;
    mac->addr_bytes[5] ^= 1;
    return mac;
}

static int add_fault(struct run *run)
{
    uint64_t seed = run->options->fault_seed;
    int rc;

    if (!run->options->faulty)
        return 0;
    if (seed == 0 && getrandom(&seed, sizeof(seed), 0) < 0)
        return FAIL(run, -errno, "no random seed for --fault: %s", strerror(errno));
    rc =
        weir_dev_open_fault(&run->dev, run->dev, weir_clock_tsc(), &run->options->fault, &run->options->fault, 0, seed);
    if (rc < 0)
        return FAIL(run, rc, "--fault: %s", strerror(-rc));
    if (!run->options->quiet)
        printf("weir: the faults replay with seed=%" PRIu64 "\n", seed);
    return 0;
}

/* Outside the faults: what the capture shows is what the stack sees and does. */
static int add_pcap(struct run *run)
{
    int rc;

    if (run->options->pcap == NULL)
        return 0;
    rc = weir_dev_open_pcap(&run->dev, run->dev, weir_clock_tsc(), run->options->pcap);
    return rc < 0 ? FAIL(run, rc, "--pcap %s: %s", run->options->pcap, strerror(-rc)) : 0;
}

static void describe(struct run *run, const struct weir_stack *stack)
{
    char network[512], device[192];

    if (run->options->eal == NULL)
        device_describe(&run->options->device, device, sizeof(device));
    else
        snprintf(device, sizeof(device), "%s", run->dev->name);
    network_describe(&run->options->network, stack, network, sizeof(network));
    snprintf(run->place, sizeof(run->place), "%s on %s", network, device);
}

static int open_device(struct run *run)
{
    struct weir_port_options options = {.mtu = run->options->mtu};
    struct rte_ether_addr mac;
    uint16_t port = 0;
    int rc;

    WEIR_TRY(find_port(run, &port));
    run->keeps_packets = port_is(port, "net_af_xdp");
    options.mac = choose_mac(run, port, &mac);
    if (run->options->faulty) /* what befalls a wire befalls packets as they are on it */
        options.without = ~WEIR_DEV_TX_MULTI_SEGS;
    rc = weir_dev_open_port(&run->dev, port, &options, run->pool, run->error, sizeof(run->error));
    if (rc < 0) {
        size_t length = strlen(run->error);

        if (weir_eal_log_kept()[0] != '\0') /* a driver's return codes say less than its log */
            snprintf(run->error + length, sizeof(run->error) - length, " (%s)", weir_eal_log_kept());
        return rc;
    }
    WEIR_TRY(add_fault(run));
    if (run->options->gro && (rc = weir_dev_open_gro(&run->dev, run->dev)) < 0)
        return FAIL(run, rc, "--gro: %s", strerror(-rc));
    return add_pcap(run);
}

/* ---- the tasks ---- */

static int app_with_statistics(struct run *run, struct weir_stack *stack)
{
    const struct weir_app *app = run->options->app;
    struct statistics statistics = {.stack = stack, .every = run->options->statistics};
    struct weir_app_context context = {
        .stack = stack, .dev = run->dev, .place = run->place, .quiet = run->options->quiet};
    struct weir_nursery nursery;
    int rc = 0;

    WEIR_TRY(network_settle(&run->options->network, stack, run->error, sizeof(run->error)));
    describe(run, stack);
    weir_with_nursery (&nursery, rc) {
        if (statistics.every > 0)
            weir_start_soon(&nursery, statistics_task, &statistics);
        rc = app->main(&context, run->options->settings);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

/* Whoever wants to know what the tasks are at can ask by SIGUSR1, and by --watchdog. */
static int look_at_tasks(struct run *run)
{
    struct weir_watchdog_options watchdog = {.limit = run->options->watchdog};
    int rc = weir_tree_on_signal(SIGUSR1);

    if (rc == 0 && watchdog.limit > 0)
        rc = weir_watchdog_start(&watchdog);
    return rc < 0 ? FAIL(run, rc, "cannot look at tasks: %s", weir_error_text(rc)) : 0;
}

static void print_stack(FILE *out, void *stack)
{
    weir_stack_print_connections(stack, out, CONNECTIONS_PRINTED);
    weir_stack_print_counters(stack, out);
}

static void look_at_stack(struct weir_stack *stack)
{
    int rc = weir_tree_on_signal_also(print_stack, stack);

    WEIR_ASSERT_EQ(rc, 0);
    telemetry_open(stack);
}

static void look_no_more(struct run *run, struct weir_stack *stack)
{
    int rc = weir_tree_on_signal_also(NULL, NULL);

    WEIR_ASSERT_EQ(rc, 0);
    telemetry_close();
    if (run->options->counters)
        weir_stack_print_counters(stack, stdout);
}

static int main_task(void *arg)
{
    struct run *run = arg;
    const struct run_options *options = run->options;
    struct weir_stack_options stack_options = options->stack;
    weir_time duration = options->duration > 0 ? options->duration : WEIR_NEVER;
    struct weir_stack *stack;
    struct weir_scope limit;
    int rc = look_at_tasks(run);

    if (rc < 0)
        return rc;
    stack_options.vlan = options->network.vlan;
    stack_options.connections_max = options->connections;
    rc = weir_stack_open(&stack, run->dev, &stack_options);
    if (rc < 0)
        return FAIL(run, rc, "cannot make a stack for %u connections: %s: lower --connections", options->connections,
                    weir_error_text(rc));
    rc = network_apply(&options->network, stack);
    look_at_stack(stack);
    if (rc < 0)
        rc = FAIL(run, rc, "cannot use the addresses and routes: %s", weir_error_text(rc));
    else
        weir_move_on_after (&limit, duration, rc) {
            rc = app_with_statistics(run, stack);
        }
    look_no_more(run, stack);
    weir_stack_close(stack);
    return rc;
}

static int run_loop(struct run *run)
{
    struct weir_instrument *trace = run->trace != NULL ? weir_trace_instrument(run->trace) : NULL;
    struct weir_run_options options = {.tasks_max = run->options->connections + TASKS_SPARE,
                                       .idle = run->options->idle,
                                       .instruments = &trace,
                                       .instruments_count = trace != NULL};
    int rc = weir_run(main_task, run, &options);

    if (rc == -EINTR) /* Ctrl-C: as it should be */
        return 0;
    if (rc == -ENOMEM && run->error[0] == '\0')
        return FAIL(run, rc, "no memory for the stacks of %u tasks: lower --connections", options.tasks_max);
    return rc;
}

/* ---- the whole ---- */

/* Before anything that would have to be undone. */
static int open_trace(struct run *run)
{
    const char *path = run->options->trace;
    struct weir_trace_options options = {.size_max = TRACE_MAX};
    int rc = path != NULL ? weir_trace_open(&run->trace, path, &options) : 0;

    return rc < 0 ? FAIL(run, rc, "cannot write to %s: %s", path, strerror(-rc)) : 0;
}

static int close_trace(struct run *run)
{
    int rc = run->trace != NULL ? weir_trace_close(run->trace) : 0;

    return rc < 0 ? FAIL(run, rc, "%s is not whole: %s", run->options->trace, strerror(-rc)) : 0;
}

static int open_eal(struct run *run)
{
    const struct run_options *options = run->options;
    struct weir_eal_options eal = {.arguments = options->eal,
                                   .count = options->eal_count,
                                   .memory_mb = memory_wanted_mb(options),
                                   .telemetry = options->telemetry,
                                   .pci = options->device.kind == DEVICE_PCI ? options->device.value : NULL};

    int rc = weir_eal_open(&eal, run->error, sizeof(run->error));

    if (rc < 0 && options->eal == NULL && strstr(run->error, "memory") != NULL)
        return FAIL(run, rc, "DPDK could not have %u MiB of memory: lower --mbufs", eal.memory_mb);
    return rc;
}

static int set_up_and_run(struct run *run)
{
    int rc;

    if (weir_packet_register() < 0)
        return FAIL(run, -EBUSY, "another library has taken weir's place in DPDK's packets");
    WEIR_TRY(make_pool(run));
    weir_eal_log_keep(); /* drivers say a lot, and mean little */
    if (run->options->eal != NULL)
        (void)rte_pdump_init(); /* for dpdk-dumpcap, where other processes can join this one: else it fails, and says so
                                 */
    rc = open_device(run);
    weir_eal_log_pass();
    return rc < 0 ? rc : run_loop(run);
}

/* Every packet must be back where it came from; but DPDK's af_xdp keeps what it gave the kernel to fill. (22.11) */
static int check_pool(struct run *run)
{
    unsigned missing;

    weir_dev_close(run->dev);
    if (run->pool == NULL)
        return 0;
    missing = rte_mempool_in_use_count(run->pool);
    rte_mempool_free(run->pool);
    if (missing > 0 && !run->keeps_packets) {
        fprintf(stderr, "%s: %u of %u packets did not come back: a leak\n", run->options->name, missing,
                run->options->mbufs);
        return -EIO;
    }
    if (run->options->quiet || run->dev == NULL)
        return 0;
    if (missing > 0)
        printf("weir: all packets are back, but for %u of %u that the driver keeps\n", missing, run->options->mbufs);
    else
        printf("weir: all %u packets are back\n", run->options->mbufs);
    return 0;
}

int run_app(const struct run_options *given)
{
    struct run_options options = *given;
    struct run run = {.options = &options};
    int rc = 0;

    weir_signals_catch();
    rc = open_trace(&run);
    if (rc == 0 && options.eal == NULL) {
        rc = device_check(&options.device, run.error, sizeof(run.error));
        if (rc == 0)
            rc = check_memory(&run);
    }
    if (rc == 0)
        rc = open_eal(&run);
    if (rc == 0) {
        rc = set_up_and_run(&run);
        if (check_pool(&run) < 0)
            rc = -EIO;
        weir_eal_close();
    }
    if (close_trace(&run) < 0 && rc >= 0)
        rc = -EIO;
    if (run.error[0] != '\0')
        fprintf(stderr, "%s: %s\n", options.name, run.error);
    weir_signals_restore();
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
