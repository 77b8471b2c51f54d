#include "load.h"

#include <argp.h>
#include <arpa/inet.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_SECONDS 10
#define ENDING_SECONDS 0.2

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    stopped = 1;
}

enum option_key { KEY_WARMUP = 256, KEY_MAC, KEY_TIMEOUT, KEY_VERIFY, KEY_LINGER };

static const struct argp_option options[] = {
    {"connections", 'c', "N", 0, "connections at a time, or UDP flows (1)", 0},
    {"depth", 'd', "N", 0, "requests outstanding on each (1); raw: in all (512)", 0},
    {"size", 's', "BYTES", 0, "payload of a request, 8 to 1448 (64)", 0},
    {"seconds", 't', "S", 0, "how long to measure (2)", 0},
    {"warmup", KEY_WARMUP, "S", 0, "how long to run before that (0.2)", 0},
    {"address", 'a', "IP", 0, "our address (10.0.0.2)", 0},
    {"server", 'S', "IP", 0, "the server's (10.0.0.1)", 0},
    {"port", 'p', "PORT", 0, "the server's (7)", 0},
    {"server-mac", KEY_MAC, "MAC", 0, "the server's, for one that does not answer ARP (asked for)", 0},
    {"timestamps", 'T', NULL, 0, "tcp, crr: offer and send RFC 7323 timestamps", 0},
    {"timeout", KEY_TIMEOUT, "MS", 0, "repeat a request after this much silence (10)", 0},
    {"verify", KEY_VERIFY, "N", 0, "verify the checksums of one reply in N (256); 0: none", 0},
    {"linger", KEY_LINGER, NULL, 0, "once done, stay connected until stdin ends", 0},
    {0},
};

static const char *const mode_names[] = {"tcp", "udp", "raw", "crr", "reflect"};
static const struct load_driver *const drivers[] = {&load_tcp, &load_udp, &load_raw, &load_tcp, &load_reflect};

static uint32_t parse_address(const char *text, struct argp_state *state)
{
    struct in_addr address;

    if (inet_pton(AF_INET, text, &address) != 1)
        argp_error(state, "%s: not an IPv4 address", text);
    return ntohl(address.s_addr);
}

static double parse_number(const char *text, double low, double high, struct argp_state *state)
{
    char *end;
    double number = strtod(text, &end);

    if (end == text || *end != 0 || number < low || number > high)
        argp_error(state, "%s: not a number from %g to %g", text, low, high);
    return number;
}

static void parse_mode(const char *text, struct load_options *o, struct argp_state *state)
{
    for (unsigned i = 0; i < RTE_DIM(mode_names); i++)
        if (strcmp(text, mode_names[i]) == 0) {
            o->mode = i;
            return;
        }
    argp_error(state, "%s: the mode is tcp, udp, raw, crr or reflect", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct load_options *o = state->input;

    switch (key) {
    case 'c':
        o->connections = (unsigned)parse_number(arg, 1, 50000, state);
        break;
    case 'd':
        o->depth = (unsigned)parse_number(arg, 1, 16384, state);
        break;
    case 's':
        o->size = (unsigned)parse_number(arg, LOAD_SIZE_MIN, LOAD_SIZE_MAX, state);
        break;
    case 't':
        o->seconds = parse_number(arg, 0.01, 86400, state);
        break;
    case KEY_WARMUP:
        o->warmup = parse_number(arg, 0, 3600, state);
        break;
    case 'a':
        o->address = parse_address(arg, state);
        break;
    case 'S':
        o->server = parse_address(arg, state);
        break;
    case 'p':
        o->port = (uint16_t)parse_number(arg, 1, 65535, state);
        break;
    case KEY_MAC:
        if (rte_ether_unformat_addr(arg, &o->server_mac) != 0)
            argp_error(state, "%s: not a MAC address", arg);
        break;
    case 'T':
        o->timestamps = true;
        break;
    case KEY_TIMEOUT:
        o->timeout_ms = (unsigned)parse_number(arg, 1, 60000, state);
        break;
    case KEY_VERIFY:
        o->verify_every = (unsigned)parse_number(arg, 0, 1e9, state);
        break;
    case KEY_LINGER:
        o->linger = true;
        break;
    case ARGP_KEY_ARG:
        parse_mode(arg, o, state);
        break;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        break;
    case ARGP_KEY_END:
        if (o->depth == 0)
            o->depth = o->mode == MODE_RAW ? 512 : 1;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "tcp|udp|raw|crr|reflect -- EAL-OPTIONS",
    "Loads an echo server over a DPDK port and says how fast it answers.\v"
    "tcp: requests on standing connections; crr: connect, one request, close; udp: datagrams in a window for each "
    "flow; "
    "raw: one window of UDP frames, and nothing kept of them; reflect: be an echo server without a stack. testpmd's "
    "5tswap answers udp and raw, given any --server-mac.\n"
    "One JSON line on stdout, one for people on stderr. Exits 1 if a reply was wrong or nothing was answered.",
    NULL,
    NULL,
    NULL};

/* Our options stand before "--", the EAL's behind it. Returns what argv holds of ours. */
static int split(int argc, char **argv, int *eal_argc, char ***eal_argv)
{
    int ours = 1;

    while (ours < argc && strcmp(argv[ours], "--") != 0)
        ours++;
    *eal_argc = ours < argc ? argc - ours : 1;
    *eal_argv = ours < argc ? argv + ours : argv;
    return ours;
}

/* One turn: what came in, what goes out. The time from one reading of the clock to the next is the former turn's. */
static void turn(struct load *load, const struct load_driver *driver, void *state)
{
    struct rte_mbuf *in[LOAD_BURST];
    uint16_t n = rte_eth_rx_burst(load->port_id, 0, in, LOAD_BURST);
    uint64_t before = load->now;

    load->now = rte_rdtsc();
    if (load->busy)
        load->busy_cycles += load->now - before;
    load->busy = n != 0;
    for (uint16_t i = 0; i < n; i++)
        driver->input(state, in[i]);
    if (load->out_count != 0)
        load_flush(load);
}

/* Runs for so many seconds, or until `done` says so, or a signal comes. */
static void run(struct load *load, const struct load_driver *driver, void *state, double seconds, bool (*done)(void *))
{
    uint64_t millisecond = rte_get_tsc_hz() / 1000, next = 0;
    uint64_t until = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());

    load->now = rte_rdtsc();
    while (load->now < until && !stopped && !(done != NULL && done(state))) {
        turn(load, driver, state);
        if (load->now >= next) {
            driver->every_millisecond(state);
            next = load->now + millisecond;
        }
    }
}

/* Sets up, warms up, measures, ends. Returns the seconds measured. */
static double measure(struct load *load)
{
    const struct load_driver *driver = drivers[load->options.mode];
    void *state = driver->open(load);
    uint64_t from;
    double seconds;

    run(load, driver, state, PATIENCE_SECONDS, driver->ready);
    if (!driver->ready(state) && !stopped)
        rte_exit(EXIT_FAILURE, "weir-load: not all connections are established after %d s (%" PRIu64 " resets)\n",
                 PATIENCE_SECONDS, load->stats.resets);
    run(load, driver, state, load->options.warmup, NULL);
    load->measuring = true;
    load->busy_cycles = 0;
    from = load->now;
    run(load, driver, state, load->options.mode == MODE_REFLECT ? 1e6 : load->options.seconds, NULL);
    seconds = (double)(load->now - from) / (double)rte_get_tsc_hz();
    load->measuring = false;
    if (driver->finish != NULL)
        driver->finish(state);
    run(load, driver, state, ENDING_SECONDS, driver->finished);
    return seconds;
}

static double percentile_us(const struct load *load, double fraction)
{
    return histogram_percentile(&load->latency, fraction) * 1e6 / (double)rte_get_tsc_hz();
}

static void report(const struct load *load, double seconds)
{
    const struct load_options *o = &load->options;
    const struct load_stats *s = &load->stats;
    double rate = (double)s->replies / seconds;
    double busy = (double)load->busy_cycles / (seconds * (double)rte_get_tsc_hz());

    printf("{\"mode\": \"%s\", \"connections\": %u, \"depth\": %u, \"size\": %u, \"seconds\": %.3f, \"rate\": %.0f, "
           "\"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"busy\": %.3f, \"retransmits\": %" PRIu64
           ", \"resets\": %" PRIu64 ", \"bad_tags\": %" PRIu64 ", \"bad_cksums\": %" PRIu64
           ", \"out_of_order\": %" PRIu64 ", \"tx_dropped\": %" PRIu64 "}\n",
           mode_names[o->mode], o->connections, o->depth, o->size, seconds, rate, percentile_us(load, 0.5),
           percentile_us(load, 0.99), percentile_us(load, 0.999), busy, s->retransmits, s->resets, s->bad_tags,
           s->bad_cksums, s->out_of_order, s->tx_dropped);
    fprintf(stderr,
            "%s: %.3f M/s, p50 %.1f us, p99 %.1f us; busy %.0f %%, %" PRIu64 " repeated, %" PRIu64 " reset, %" PRIu64
            " wrong\n",
            mode_names[o->mode], rate / 1e6, percentile_us(load, 0.5), percentile_us(load, 0.99), busy * 100,
            s->retransmits, s->resets, s->bad_tags + s->bad_cksums);
}

/* The memif driver of DPDK 22.11 can crash a server that polls while its client leaves: let the server leave first. */
static void linger(void)
{
    char byte;

    fflush(stdout);
    while (!stopped && read(STDIN_FILENO, &byte, 1) > 0)
        ;
}

static void open_port(struct load *load)
{
    load_port_open(load);
    load->server_mac = load->options.server_mac;
    if (rte_is_zero_ether_addr(&load->server_mac) && load->options.mode != MODE_REFLECT)
        load_port_resolve(load);
}

int main(int argc, char **argv)
{
    static struct load load = {.options = {.connections = 1,
                                           .size = 64,
                                           .seconds = 2,
                                           .warmup = 0.2,
                                           .address = RTE_IPV4(10, 0, 0, 2),
                                           .server = RTE_IPV4(10, 0, 0, 1),
                                           .port = 7,
                                           .timeout_ms = 10,
                                           .verify_every = 256}};
    char **eal_argv;
    int eal_argc, ours = split(argc, argv, &eal_argc, &eal_argv);
    double seconds;

    argp_parse(&argp, ours, argv, 0, NULL, &load.options);
    load.until_verified = load.options.verify_every;
    eal_argv[0] = argv[0];
    if (rte_eal_init(eal_argc, eal_argv) < 0)
        rte_exit(EXIT_FAILURE, "weir-load: EAL: %s\n", rte_strerror(rte_errno));
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    open_port(&load);
    seconds = measure(&load);
    if (load.options.mode != MODE_REFLECT)
        report(&load, seconds);
    if (load.options.linger)
        linger();
    rte_eth_dev_stop(load.port_id);
    rte_eal_cleanup();
    return load.options.mode != MODE_REFLECT &&
           (load.stats.replies == 0 || load.stats.bad_tags + load.stats.bad_cksums != 0);
}
