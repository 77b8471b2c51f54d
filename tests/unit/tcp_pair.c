/* Two machines and a bad wire between them, in virtual time, all from a seed: whatever is lost, doubled, delayed and
 * overtaken, the bytes that go in come out, and nothing is left behind. WEIR_SEED=n runs one seed, WEIR_SEEDS=n so
 * many.
 */
#include "tcp_wire.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define FLIGHTS_MAX 4096
#define TIME_MAX WEIR_SECONDS(36000)

struct flight {
    weir_time due;
    int to;
    struct wire_frame frame;
};

/* What one side's application does. */
struct side {
    struct wire wire;
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;
    uint32_t to_write, written, read;
    uint32_t packet_max; /* of what it sends at once */
    bool lazy;           /* reads seldom, and little */
    bool copies;         /* by weir_tcp_receive_copy */
    bool shut, ended, closed;
};

static struct {
    uint64_t seed;
    struct weir_rng rng;
    struct side sides[2];
    struct flight *flights;
    unsigned flying;
    double loss, duplicate;
    weir_time delay, jitter;
    bool strip; /* a middlebox takes the options off SYNs */
    weir_time now;
} t;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            cr_assert_fail("seed %" PRIu64 ": line %d: %s", t.seed, __LINE__, #condition);                             \
    } while (0)

static void print_seed(int signal)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "seed %" PRIu64 "\n", t.seed);

    (void)!write(STDERR_FILENO, line, (size_t)n);
    (void)signal;
}

static uint64_t draw(uint64_t below)
{
    return weir_rng_below(&t.rng, below);
}

/* ---- the wire ---- */

/* Turns the options of a SYN into NOPs. */
static void strip_options(struct wire_frame *frame)
{
    uint8_t *tcp = frame->bytes + 34;
    uint16_t length = frame->length - 34, checksum = 0;
    uint32_t addresses[2];

    if (!(tcp[13] & SYN))
        return;
    memset(tcp + 20, 1, (size_t)(tcp[12] >> 4) * 4 - 20);
    memcpy(addresses, frame->bytes + 26, sizeof(addresses));
    memcpy(tcp + 16, &checksum, sizeof(checksum));
    checksum =
        weir_checksum_join(weir_sum_pseudo(rte_be_to_cpu_32(addresses[0]), rte_be_to_cpu_32(addresses[1]), IPPROTO_TCP),
                           length, weir_sum(tcp, length));
    memcpy(tcp + 16, &checksum, sizeof(checksum));
}

static void launch(int to, const struct wire_frame *frame)
{
    struct flight *flight = &t.flights[t.flying];

    if (t.flying == FLIGHTS_MAX || weir_rng_double(&t.rng) < t.loss)
        return;
    t.flying++;
    flight->to = to;
    flight->due = t.now + t.delay + (t.jitter > 0 ? (weir_time)draw((uint64_t)t.jitter) : 0);
    flight->frame = *frame;
    if (t.strip)
        strip_options(&flight->frame);
}

static void flush(int i)
{
    struct wire *w = &t.sides[i].wire;

    w->now = t.now;
    wire_flush(w);
    for (unsigned n = 0; n < w->sent_count; n++) {
        launch(!i, &w->sent[n]);
        if (weir_rng_double(&t.rng) < t.duplicate)
            launch(!i, &w->sent[n]);
    }
    w->sent_count = 0;
}

/* Hands one side all that has arrived, as bursts. */
static void deliver(int i)
{
    struct wire *w = &t.sides[i].wire;
    struct rte_mbuf *packets[64];
    struct weir_ip_rx rx[64];
    unsigned n = 0;

    w->now = t.now;
    for (unsigned at = 0; at < t.flying;) {
        struct flight *flight = &t.flights[at];
        struct rte_mbuf *m;

        if (flight->to != i || flight->due > t.now) {
            at++;
            continue;
        }
        m = rte_pktmbuf_alloc(w->pool);
        if (m != NULL) { /* else the NIC has no buffer */
            memcpy(rte_pktmbuf_append(m, flight->frame.length), flight->frame.bytes, flight->frame.length);
            CHECK(weir_ip_input(w->ip, t.now, weir_link_input(w->link, t.now, m), &m, &rx[n]) == IPPROTO_TCP);
            packets[n++] = m;
        }
        *flight = t.flights[--t.flying];
        if (n == RTE_DIM(packets)) {
            weir_tcp_input(w->tcp, t.now, packets, rx, n);
            n = 0;
        }
    }
    weir_tcp_input(w->tcp, t.now, packets, rx, n);
}

/* ---- the application ---- */

static struct rte_mbuf *make_packet(struct side *side, uint32_t length)
{
    struct rte_mbuf *head = NULL;
    bool chained = draw(8) == 0;

    for (uint32_t at = 0; at < length;) {
        struct rte_mbuf *m = rte_pktmbuf_alloc(side->wire.pool);
        uint32_t here = RTE_MIN(length - at, chained ? 1 + (uint32_t)draw(700) : 2000);
        uint8_t *bytes;

        if (m == NULL || (head != NULL && rte_pktmbuf_chain(head, m) < 0)) {
            rte_pktmbuf_free(m);
            break; /* as much as there is */
        }
        bytes = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)here);
        if (head != NULL)
            head->pkt_len += here;
        else
            head = m;
        for (uint32_t i = 0; i < here; i++)
            bytes[i] = wire_byte(side == &t.sides[0], side->written + at + i);
        at += here;
    }
    return head;
}

static void write_some(struct side *side)
{
    while (side->written < side->to_write && draw(4) != 0) {
        uint32_t length = 1 + (uint32_t)draw(RTE_MIN(side->packet_max, side->to_write - side->written));
        struct rte_mbuf *m = make_packet(side, length);
        int rc;

        if (m == NULL)
            return;
        length = m->pkt_len;
        rc = weir_tcp_send(side->wire.tcp, side->c, m);
        if (rc != 0) {
            rte_pktmbuf_free(m);
            CHECK(rc == -EAGAIN);
            return;
        }
        side->written += length;
    }
    if (side->written == side->to_write && !side->shut && draw(3) == 0) {
        CHECK(weir_tcp_shutdown(side->wire.tcp, side->c) == 0);
        side->shut = true;
    }
}

static void compare(struct side *side, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        CHECK(bytes[i] == wire_byte(side != &t.sides[0], side->read + i));
    side->read += length;
}

/* Returns what the machine said. */
static int read_once(struct side *side)
{
    uint8_t buffer[65536];
    struct rte_mbuf *m;
    const void *bytes;
    int n;

    if (side->copies) {
        n = weir_tcp_receive_copy(side->wire.tcp, side->c, buffer, 1 + (uint32_t)draw(side->lazy ? 500 : 8000));
        if (n > 0)
            compare(side, buffer, (uint32_t)n);
        return n;
    }
    n = weir_tcp_receive(side->wire.tcp, side->c, &m);
    if (n > 0) {
        bytes = rte_pktmbuf_read(m, 0, m->pkt_len, buffer);
        CHECK(bytes != NULL && (int)m->pkt_len == n);
        compare(side, bytes, (uint32_t)n);
        rte_pktmbuf_free(m);
    }
    return n;
}

static void read_some(struct side *side)
{
    int n = -EAGAIN;

    if (side->ended || (side->lazy && draw(6) != 0))
        return;
    do
        n = read_once(side);
    while (n > 0 && !side->lazy);
    if (n == 0) {
        CHECK(side->read == t.sides[side == &t.sides[0]].to_write);
        side->ended = true;
    } else {
        CHECK(n > 0 || n == -EAGAIN);
    }
}

static void act(struct side *side)
{
    unsigned events;

    while (weir_tcp_next_event(side->wire.tcp, &events) != NULL)
        CHECK(!(events & WEIR_TCP_FAILED));
    if (side->c == NULL && weir_tcp_accept(side->wire.tcp, side->listener, side, &side->c) != 0)
        return;
    if (side->closed)
        return;
    CHECK(weir_tcp_error(side->c) == 0);
    if (weir_tcp_state(side->c) == WEIR_TCP_SYN_SENT || weir_tcp_state(side->c) == WEIR_TCP_SYN_RECEIVED)
        return;
    write_some(side);
    read_some(side);
    if (side->ended && side->shut && draw(3) == 0) {
        weir_tcp_close(side->wire.tcp, t.now, side->c);
        side->closed = true;
    }
}

/* ---- the run ---- */

static void open_side(int i)
{
    struct side *side = &t.sides[i];
    struct wire *w = &side->wire;
    static const uint32_t buffers[] = {0, 1000, 4096, 20000, 65536, 1 << 20};

    *side = (struct side){.to_write = (uint32_t)draw(draw(4) == 0 ? 300000 : 30000),
                          .packet_max = draw(3) == 0   ? 10000
                                        : draw(2) == 0 ? 100
                                                       : 1448,
                          .lazy = draw(4) == 0,
                          .copies = draw(2) == 0};
    wire_init(w);
    w->now = t.now;
    if (i == 1) {
        w->address = wire_host(w->ipv6, 2);
        w->peer_address = wire_host(w->ipv6, 1);
        w->mac.addr_bytes[5] = 2;
        w->peer_mac.addr_bytes[5] = 1;
    }
    w->pool_size = draw(4) == 0 ? 48 : 1024;
    w->control_size = draw(4) == 0 ? 2 : 64;
    w->mtu = draw(4) == 0 ? 576 : 1500;
    w->options.connections_max = 2;
    w->options.receive_buffer = buffers[draw(RTE_DIM(buffers))];
    w->options.send_buffer = buffers[draw(RTE_DIM(buffers))];
    w->options.packets_max = draw(3) == 0 ? 12 : w->pool_size / 2;
    for (int k = 0; k < 16; k++)
        w->options.key[k] = (uint8_t)weir_rng_next(&t.rng);
    wire_open(w);
}

static void open_both(void)
{
    bool simultaneous = draw(5) == 0;

    for (int i = 0; i < 2; i++) {
        struct side *side = &t.sides[i];
        struct weir_endpoint remote;

        open_side(i);
        if (i == 1 && !simultaneous) {
            CHECK(weir_tcp_listen(side->wire.tcp, 7, 1, side, &side->listener) == 0);
            continue;
        }
        remote = wire_remote(&side->wire, 7);
        CHECK(weir_tcp_connect(side->wire.tcp, t.now, &remote, 7, side, &side->c) == 0);
    }
}

static bool finished(void)
{
    return t.sides[0].closed && t.sides[1].closed && weir_tcp_stats(t.sides[0].wire.tcp)->connections == 0 &&
           weir_tcp_stats(t.sides[1].wire.tcp)->connections == 0;
}

static weir_time next_time(void)
{
    weir_time next = t.now + WEIR_MILLISECONDS(1 + draw(30)); /* the applications act in between */

    if (t.sides[0].closed && t.sides[1].closed)
        next = WEIR_NEVER;
    for (int i = 0; i < 2; i++)
        next = RTE_MIN(next, weir_tcp_next_deadline(t.sides[i].wire.tcp));
    for (unsigned i = 0; i < t.flying; i++)
        next = RTE_MIN(next, t.flights[i].due);
    return RTE_MAX(next, t.now);
}

static void run(uint64_t seed)
{
    static const weir_time delays[] = {0, WEIR_MICROSECONDS(20), WEIR_MILLISECONDS(1), WEIR_MILLISECONDS(40)};

    t.seed = seed;
    t.flying = 0;
    weir_rng_seed(&t.rng, seed);
    t.loss = draw(2) == 0 ? 0 : weir_rng_double(&t.rng) * 0.25;
    t.duplicate = draw(2) == 0 ? 0 : weir_rng_double(&t.rng) * 0.2;
    t.delay = delays[draw(RTE_DIM(delays))];
    t.jitter = draw(2) == 0 ? 0 : 2 * t.delay + 1;
    t.strip = draw(4) == 0;
    t.now = WEIR_SECONDS(1000) + (weir_time)draw(20000) * WEIR_SECONDS(1); /* some start near the numbers' wrap */
    open_both();
    for (weir_time start = t.now; !finished(); t.now = next_time()) {
        CHECK(t.now - start < TIME_MAX);
        for (int i = 0; i < 2; i++) {
            deliver(i);
            weir_tcp_timers(t.sides[i].wire.tcp, t.now);
            act(&t.sides[i]);
            flush(i);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (t.sides[i].listener != NULL)
            weir_tcp_unlisten(t.sides[i].wire.tcp, t.now, t.sides[i].listener);
        wire_close_quietly(&t.sides[i].wire);
    }
}

Test(tcp_pair, bytes_in_are_bytes_out, .init = test_eal_init, .timeout = 110)
{
    const char *one = getenv("WEIR_SEED"), *many = getenv("WEIR_SEEDS");
    uint64_t seeds = many != NULL ? strtoull(many, NULL, 10) : 300;

    t.flights = calloc(FLIGHTS_MAX, sizeof(*t.flights));
    signal(SIGABRT, print_seed);
    if (one != NULL)
        run(strtoull(one, NULL, 10));
    else
        for (uint64_t seed = 1; seed <= seeds; seed++)
            run(seed);
    free(t.flights);
}
