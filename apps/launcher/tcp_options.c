/* The options of `weir run` that concern TCP. */
#include "tcp_options.h"
#include "value.h"
#include <string.h>

enum {
    CONGESTION = 0x400,
    ECN,
    SYN_COOKIES,
    NAGLE,
    KEEPALIVE,
    USER_TIMEOUT,
    DELAYED_ACK,
    MSS,
    MTU_PROBING,
    RTO_MIN,
    TIME_WAIT,
    BACKLOG,
    SYN_QUEUE,
    ORPHANS,
    RECEIVE_BUFFER,
    SEND_BUFFER,
};

enum { MODES = 3, MSS_LEAST = 88, MSS_MOST = 65495 };
enum { COUNT_MOST = 4000000, BUFFER_LEAST = 1024, BUFFER_MOST = 1 << 30 };

static const struct argp_option list[] = {
    {"congestion", CONGESTION, "NAME", 0, "How much may be in flight: cubic (RFC 9438; the default) or reno (RFC 5681)",
     0},
    {"ecn", ECN, "MODE", 0,
     "Heed marks of congestion (RFC 3168): accept (if the peer asks for it; the default), request (ask for it, too) or "
     "off",
     0},
    {"syn-cookies", SYN_COOKIES, NULL, 0, "Keep nothing of any SYN, and not only when there are too many (RFC 4987)",
     0},
    {"nagle", NAGLE, NULL, 0, "Keep a small segment while another is not acknowledged", 0},
    {"keepalive", KEEPALIVE, "TIME", 0,
     "Ask a peer that was silent for TIME (1s or more) whether it is still there. Default: never", 0},
    {"user-timeout", USER_TIMEOUT, "TIME", 0,
     "End a connection whose data was not acknowledged for TIME (1s or more). Default: some nine minutes", 0},
    {"delayed-ack", DELAYED_ACK, "TIME", 0,
     "How long the ACK of a lone segment may wait for a reply, 1ms to 500ms. Default: not beyond its turn", 0},
    {"mss", MSS, "BYTES", 0, "The largest segments to send and to ask for. Default: what the link has room for", 0},
    {"mtu-probing", MTU_PROBING, "MODE", 0,
     "Find out by probes what the path has room for (RFC 4821): black-hole (when large segments vanish; the default), "
     "always or off",
     0},
    {"rto-min", RTO_MIN, "TIME", 0, "The shortest time after which data is sent again. Default: 200ms", 0},
    {"time-wait", TIME_WAIT, "TIME", 0, "How long a closed connection is remembered. Default: 60s", 0},
    {"backlog", BACKLOG, "N", 0, "Connections that may wait to be accepted, by a listener. Default: 1024", 0},
    {"syn-queue", SYN_QUEUE, "N", 0,
     "Connections still shaking hands, of all listeners. Default: half of --connections", 0},
    {"orphans", ORPHANS, "N", 0,
     "Connections closed by the app and not yet by the peer. Default: half of --connections", 0},
    {"receive-buffer", RECEIVE_BUFFER, "BYTES", 0, "What a connection may hold for its reader. Default: 262144", 0},
    {"send-buffer", SEND_BUFFER, "BYTES", 0, "What a connection may hold until it is acknowledged. Default: 262144", 0},
    {0}};

static const char *name_of(int key)
{
    for (const struct argp_option *option = list; option->name != NULL; option++)
        if (option->key == key)
            return option->name;
    return "";
}

static void read_congestion(struct weir_stack_options *options, const char *argument, struct argp_state *state)
{
    options->congestion = weir_tcp_congestion_find(argument);
    if (options->congestion == NULL)
        argp_error(state, "--congestion '%s' is none of cubic, reno", argument);
}

/* The place of a word among others; each mode's is its number. */
static unsigned read_mode(const char *const *modes, int key, const char *argument, struct argp_state *state)
{
    for (unsigned i = 0; i < MODES; i++)
        if (strcmp(argument, modes[i]) == 0)
            return i;
    argp_error(state, "--%s '%s' is none of %s, %s, %s", name_of(key), argument, modes[0], modes[1], modes[2]);
    return 0;
}

static const char *const ecn_modes[MODES] = {
    [WEIR_TCP_ECN_ACCEPT] = "accept", [WEIR_TCP_ECN_REQUEST] = "request", [WEIR_TCP_ECN_OFF] = "off"};
static const char *const probing_modes[MODES] = {
    [WEIR_TCP_MTU_BLACK_HOLE] = "black-hole", [WEIR_TCP_MTU_ALWAYS] = "always", [WEIR_TCP_MTU_OFF] = "off"};

static error_t read_time(weir_time *time, int key, weir_time least, const char *argument, struct argp_state *state)
{
    if (value_time(argument, time) < 0 || *time < least)
        argp_error(state, "--%s '%s' is no time of %s or more", name_of(key), argument,
                   least >= WEIR_SECONDS(1) ? "1s" : "1ms");
    return 0;
}

static error_t read_count(unsigned *count, int key, const char *argument, struct argp_state *state)
{
    uint64_t number = 0;

    if (value_number(argument, 1, COUNT_MOST, &number) < 0)
        argp_error(state, "--%s '%s' is no number from 1 to %d", name_of(key), argument, COUNT_MOST);
    *count = (unsigned)number;
    return 0;
}

static error_t read_bytes(uint32_t *bytes, int key, const char *argument, struct argp_state *state)
{
    uint64_t amount = 0;

    if (value_amount(argument, &amount) < 0 || amount < BUFFER_LEAST || amount > BUFFER_MOST)
        argp_error(state, "--%s '%s' is no amount from %d to %d, such as 256k", name_of(key), argument, BUFFER_LEAST,
                   BUFFER_MOST);
    *bytes = (uint32_t)amount;
    return 0;
}

static error_t read_mss(uint16_t *mss, const char *argument, struct argp_state *state)
{
    uint64_t number = 0;

    if (value_number(argument, MSS_LEAST, MSS_MOST, &number) < 0)
        argp_error(state, "--mss '%s' is no number from %d to %d", argument, MSS_LEAST, MSS_MOST);
    *mss = (uint16_t)number;
    return 0;
}

static error_t read_delay(weir_time *delay, const char *argument, struct argp_state *state)
{
    if (value_time(argument, delay) < 0 || *delay < WEIR_MILLISECONDS(1) || *delay > WEIR_MILLISECONDS(500))
        argp_error(state, "--delayed-ack '%s' is no time from 1ms to 500ms", argument); /* RFC 9293 section 3.8.6.3 */
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct weir_stack_options *options = state->input;

    switch (key) {
    case CONGESTION:
        read_congestion(options, argument, state);
        return 0;
    case ECN:
        options->ecn = (enum weir_tcp_ecn)read_mode(ecn_modes, key, argument, state);
        return 0;
    case MTU_PROBING:
        options->mtu_probing = (enum weir_tcp_mtu_probing)read_mode(probing_modes, key, argument, state);
        return 0;
    case MSS:
        return read_mss(&options->mss_max, argument, state);
    case DELAYED_ACK:
        return read_delay(&options->delayed_ack, argument, state);
    case SYN_COOKIES:
        options->syn_cookies = true;
        return 0;
    case NAGLE:
        options->settings.nagle = true;
        return 0;
    case KEEPALIVE:
        return read_time(&options->settings.keepalive_idle, key, WEIR_SECONDS(1), argument, state);
    case USER_TIMEOUT:
        return read_time(&options->settings.user_timeout, key, WEIR_SECONDS(1), argument, state);
    case RTO_MIN:
        return read_time(&options->rto_min, key, WEIR_MILLISECONDS(1), argument, state);
    case TIME_WAIT:
        return read_time(&options->time_wait, key, WEIR_MILLISECONDS(1), argument, state);
    case BACKLOG:
        return read_count(&options->backlog, key, argument, state);
    case SYN_QUEUE:
        return read_count(&options->embryonic_max, key, argument, state);
    case ORPHANS:
        return read_count(&options->orphans_max, key, argument, state);
    case RECEIVE_BUFFER:
        return read_bytes(&options->receive_buffer, key, argument, state);
    case SEND_BUFFER:
        return read_bytes(&options->send_buffer, key, argument, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp tcp_options = {.options = list, .parser = parse};
