/* The options of `weir run`. */
#include "run_options.h"
#include "arguments.h"
#include "fault_option.h"
#include "plugin.h"
#include "tcp_options.h"
#include "value.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <weir/net/wire.h>

enum {
    DEVICE = 0x200,
    MAC,
    MTU,
    GRO,
    ADDRESS,
    GATEWAY,
    ROUTE,
    SLAAC,
    VLAN,
    IDLE,
    MBUFS,
    CONNECTIONS,
    FAULT,
    PCAP,
    STATISTICS,
    TRACE,
    WATCHDOG,
    COUNTERS,
    TELEMETRY,
    DURATION,
    QUIET,
};

enum { CONNECTIONS_DEFAULT = 16384, CONNECTIONS_MOST = 4000000, VLAN_MOST = 4094 };

/* Of the net that is for examples and nobody's (RFC 5737): whatever the machine's own networks are, these are not. */
#define ADDRESS_DEFAULT "192.0.2.2/24"
#define ADDRESS_DEFAULT_CLIENT "192.0.2.1/24"

static const struct argp_option list[] = {
    {NULL, 0, NULL, 0, "The network:", 1},
    {"device", DEVICE, "DEVICE", 0, "What to send and receive through: " DEVICE_HELP ". Default: tap", 0},
    {"mac", MAC, "MAC", 0,
     "The MAC address to answer to. Default: the device's; on a TAP, whose own is the kernel's, one "
     "made from it",
     0},
    {"mtu", MTU, "BYTES", 0,
     "The largest IP packet on the wire, 1280 to 9000; all hosts on it must agree. Default: 1500, or what the device "
     "can",
     0},
    {"gro", GRO, NULL, 0,
     "Join TCP segments that come together, in software. Default: only devices that do it by themselves", 0},
    {"address", ADDRESS, "ADDRESS/PREFIX", 0,
     "An address to answer to, and its network, such as 10.0.0.2/24 or 2001:db8::2/64; may be given several times. "
     "Default: 192.0.2.2/24; with memif-client, 192.0.2.1/24; with --slaac, none",
     0},
    {"slaac", SLAAC, NULL, 0,
     "Take IPv6 addresses, networks and gateways from the routers on the link, and wait 10 seconds at most for the "
     "first",
     0},
    {"gateway", GATEWAY, "ADDRESS", 0, "The way to all other networks of its family. Default: none", 0},
    {"route", ROUTE, "NETWORK/PREFIX=GATEWAY", 0,
     "The way to a network, by a gateway or, without one, directly; may be given several times", 0},
    {"vlan", VLAN, "N", 0, "Be on that VLAN (802.1Q), 1 to 4094: send and take frames with its tag only", 0},
    {NULL, 0, NULL, 0, "Resources:", 2},
    {"idle", IDLE, "MODE", 0,
     "What to do when there is nothing to do: adaptive (sleep until something comes; the default), pause or spin "
     "(never sleep)",
     0},
    {"mbufs", MBUFS, "N", 0,
     "How many packets to set aside memory for, up to 4 KB each, 12 KB with a large --mtu. Default: 16383, or what the "
     "EAL's memory allows",
     0},
    {"connections", CONNECTIONS, "N", 0, "How many TCP connections at once. Default: 16384", 0},
    {NULL, 0, NULL, 0, "Looking and testing:", 3},
    {"stats", STATISTICS, "SECONDS", 0, "Print a line of statistics that often", 0},
    {"counters", COUNTERS, NULL, 0, "At the end, print all counters that are not zero, by the names of nstat", 0},
    {"telemetry", TELEMETRY, NULL, 0,
     "Answer `dpdk-telemetry.py -f weir-PID`: /weir/stats, /weir/connections, /weir/connection,NUMBER. With EAL "
     "arguments DPDK does so anyway, under the file prefix that they name",
     0},
    {"pcap", PCAP, "FILE", 0, "Also write all packets to FILE, for tcpdump and Wireshark", 0},
    {"trace", TRACE, "FILE", 0,
     "Write what each task does to FILE, up to 256 MiB, for https://ui.perfetto.dev. To see once what they are at, "
     "send "
     "SIGUSR1, which prints the connections and the counters, too",
     0},
    {"watchdog", WATCHDOG, "TIME", 0,
     "Say which task holds the processor longer than TIME (such as 10ms), and where it is", 0},
    {"fault", FAULT, "WHAT=HOW,...", 0,
     "Make the wire bad, both ways: loss=0.1, duplicate=0.1, reorder=0.1, corrupt=0.1, delay=10ms, jitter=1ms, "
     "rate=100M (bits a second), queue=1000 (packets), seed=N (the same faults again)",
     0},
    {"duration", DURATION, "SECONDS", 0, "End by itself after that long", 0},
    {"quiet", QUIET, NULL, 0, "Print errors only", 0},
    {0}};

static error_t read_device(struct run_options *options, const char *argument, struct argp_state *state)
{
    char error[512];

    if (device_parse(argument, &options->device, error, sizeof(error)) < 0)
        argp_error(state, "%s", error);
    options->device_named = true;
    return 0;
}

static error_t read_idle(struct run_options *options, const char *argument, struct argp_state *state)
{
    static const char *const modes[] = {
        [WEIR_IDLE_ADAPTIVE] = "adaptive", [WEIR_IDLE_PAUSE] = "pause", [WEIR_IDLE_SPIN] = "spin"};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argument, modes[i]) != 0)
            continue;
        options->idle = (enum weir_idle)i;
        return 0;
    }
    argp_error(state, "--idle '%s' is none of adaptive, pause, spin", argument);
    return EINVAL;
}

static error_t read_count(unsigned *count, const char *option, const char *argument, uint64_t least, uint64_t most,
                          struct argp_state *state)
{
    uint64_t number = 0;

    if (value_number(argument, least, most, &number) < 0)
        argp_error(state, "%s '%s' is no number from %" PRIu64 " to %" PRIu64, option, argument, least, most);
    *count = (unsigned)number;
    return 0;
}

/* RFC 8200 section 5: no link's is smaller. */
static error_t read_mtu(struct run_options *options, const char *argument, struct argp_state *state)
{
    unsigned mtu = 0;

    (void)read_count(&mtu, "--mtu", argument, 1280, 9000, state);
    options->mtu = (uint16_t)mtu;
    return 0;
}

static error_t read_time(weir_time *time, const char *option, const char *argument, struct argp_state *state)
{
    if (value_time(argument, time) < 0 || *time < WEIR_MILLISECONDS(10))
        argp_error(state, "%s '%s' is no time of 0.01 seconds or more", option, argument);
    return 0;
}

static error_t read_watchdog(struct run_options *options, const char *argument, struct argp_state *state)
{
    if (value_time(argument, &options->watchdog) < 0 || options->watchdog < WEIR_MILLISECONDS(1))
        argp_error(state, "--watchdog '%s' is no time of 1ms or more", argument);
    return 0;
}

static error_t read_fault(struct run_options *options, char *argument, struct argp_state *state)
{
    char error[256];

    if (fault_option(argument, &options->fault, &options->fault_seed, error, sizeof(error)) < 0)
        argp_error(state, "%s", error);
    options->faulty = true;
    return 0;
}

static error_t read_network(struct run_options *options, int key, const char *argument, struct argp_state *state)
{
    const char *name = "--address", *example = "no host's ADDRESS/PREFIX, such as 192.0.2.2/24 or 2001:db8::2/64";
    int rc;

    if (key == ADDRESS) {
        rc = network_add_address(&options->network, argument);
    } else if (key == GATEWAY) {
        name = "--gateway", example = "no host's address, such as 192.0.2.1 or fe80::1";
        rc = network_add_gateway(&options->network, argument);
    } else {
        name = "--route", example = "no NETWORK/PREFIX=GATEWAY, such as 10.0.0.0/8=192.0.2.1";
        rc = network_add_route(&options->network, argument);
    }
    if (rc < 0)
        argp_error(state, "%s '%s' is %s", name, argument,
                   rc == -EEXIST   ? "given twice"
                   : rc == -ENOSPC ? "one too many"
                                   : example);
    return 0;
}

static error_t read_vlan(struct run_options *options, const char *argument, struct argp_state *state)
{
    unsigned vlan = 0;

    read_count(&vlan, "--vlan", argument, 1, VLAN_MOST, state);
    options->network.vlan = (uint16_t)vlan;
    return 0;
}

/* What depends on more than one option. */
static void finish(struct run_options *options, struct argp_state *state)
{
    bool client = options->device_named && options->device.kind == DEVICE_MEMIF_CLIENT;
    char error[128];

    if (options->eal != NULL && options->device_named)
        argp_error(state, "--device does not go with EAL arguments: name devices there, with -a or --vdev");
    if (options->network.addresses_count == 0 && !options->network.slaac &&
        network_add_address(&options->network, client ? ADDRESS_DEFAULT_CLIENT : ADDRESS_DEFAULT) < 0)
        WEIR_ASSERT(false);
    if (network_check(&options->network, error, sizeof(error)) < 0)
        argp_error(state, "%s", error);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct run_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->stack;
        if (options->app->argp != NULL) /* else it is no child */
            state->child_inputs[1] = options->settings;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not expected here: EAL arguments are followed by --", argument);
        return 0;
    case ARGP_KEY_END:
        finish(options, state);
        return 0;
    case DEVICE:
        return read_device(options, argument, state);
    case MAC:
        options->mac_named = true;
        if (value_mac(argument, &options->mac) < 0)
            argp_error(state, "--mac '%s' is no station's MAC address, such as 02:00:00:00:00:01", argument);
        return 0;
    case GRO:
        options->gro = true;
        return 0;
    case MTU:
        return read_mtu(options, argument, state);
    case ADDRESS:
    case GATEWAY:
    case ROUTE:
        return read_network(options, key, argument, state);
    case SLAAC:
        options->network.slaac = true;
        return 0;
    case VLAN:
        return read_vlan(options, argument, state);
    case IDLE:
        return read_idle(options, argument, state);
    case MBUFS:
        return read_count(&options->mbufs, "--mbufs", argument, MBUFS_LEAST, UINT32_MAX, state);
    case CONNECTIONS:
        return read_count(&options->connections, "--connections", argument, 1, CONNECTIONS_MOST, state);
    case FAULT:
        return read_fault(options, argument, state);
    case PCAP:
        options->pcap = argument;
        return 0;
    case TRACE:
        options->trace = argument;
        return 0;
    case WATCHDOG:
        return read_watchdog(options, argument, state);
    case STATISTICS:
        return read_time(&options->statistics, "--stats", argument, state);
    case COUNTERS:
        options->counters = true;
        return 0;
    case TELEMETRY:
        options->telemetry = true;
        return 0;
    case DURATION:
        return read_time(&options->duration, "--duration", argument, state);
    case QUIET:
        options->quiet = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What stands before "--" is the EAL's. Returns the index of the first of our own options, less one. */
static int find_own(struct run_options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        if (i > 1) {
            options->eal = argv + 1;
            options->eal_count = i - 1;
        }
        return i;
    }
    return 0;
}

static void *make_settings(const struct weir_app *app)
{
    void *settings = calloc(1, app->settings_size != 0 ? app->settings_size : 1);

    if (settings != NULL && app->settings_defaults != NULL)
        memcpy(settings, app->settings_defaults, app->settings_size);
    return settings;
}

void run_options_parse(struct run_options *options, int argc, char **argv)
{
    static char name[64], group[64], doc[512];
    char error[PATH_MAX + 256];
    int before;

    *options = (struct run_options){.name = "weir run", .connections = CONNECTIONS_DEFAULT};
    options->app = plugin_load(argv[0], error, sizeof(error));
    if (options->app == NULL) {
        fprintf(stderr, "weir run: %s\n", error);
        exit(strchr(argv[0], '/') == NULL && strstr(error, "there is no app") != NULL ? EX_USAGE : EXIT_FAILURE);
    }
    options->settings = make_settings(options->app);
    if (options->settings == NULL)
        arguments_wrong("weir run", "out of memory");
    snprintf(name, sizeof(name), "weir run %s", options->app->name);
    snprintf(group, sizeof(group), "Options of %s:", options->app->name);
    options->name = name;
    snprintf(
        doc, sizeof(doc),
        "%s\vDPDK's own EAL arguments come first, and end with --: they reach it unchanged, and the first port that "
        "they bring is used:\n\n  %s EAL-ARGUMENTS -- [OPTION...]",
        options->app->summary != NULL ? options->app->summary : "", name);

    const struct argp_child children[] = {
        {&tcp_options, 0, "TCP:", 2}, {options->app->argp, 0, options->app->argp != NULL ? group : NULL, -2}, {0}};
    const struct argp argp = {.options = list, .parser = parse, .doc = doc, .children = children};

    before = find_own(options, argc, argv);
    arguments_parse(&argp, name, argc - before, argv + before, options);
}
