/* How large a segment may be: the option that caps it, black holes, probes, and what routers say. RFC 4821, RFC 1191,
 * RFC 9293 section 3.7.1. */
#include "tcp_wire.h"

#define MSS 1448u
#define HEADERS (w.ipv6 ? 72u : 52u)              /* and timestamps */
#define LEAST ((w.ipv6 ? 1280u : 552u) - HEADERS) /* RFC 8200 section 5; RFC 5927 section 7.2 */
#define BASE RTE_MAX(1024u - HEADERS, LEAST)
#define STREAM (1u << 20)

static struct wire w;
static struct weir_tcp_connection *c;

/* The peer behind a path that drops, without a word, what is longer than `limit` payload bytes. */
static struct {
    uint32_t limit, longest, lost;
    bool has[STREAM];
    uint32_t next, farthest; /* what is expected, and how far data has come */
} peer;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.pool_size = 2048;
    w.sack = true;
    w.options.send_buffer = 1 << 18;
    w.options.congestion = &weir_tcp_reno;
    w.options.mtu_probing = WEIR_TCP_MTU_BLACK_HOLE;
    peer.limit = MSS;
    peer.next = 1;
}

static void open(void)
{
    wire_open(&w);
    c = wire_established(&w);
}

TestSuite(tcp_mtu, .init = setup, .timeout = 60);

static struct weir_tcp_info info(void)
{
    struct weir_tcp_info info;

    weir_tcp_get_info(w.tcp, c, &info);
    return info;
}

static void take(const struct wire_seen *seen)
{
    uint32_t left = seen->seq, right = seen->seq + seen->length;

    peer.longest = RTE_MAX(peer.longest, seen->length);
    if (seen->length > peer.limit) {
        peer.lost++;
        return;
    }
    cr_assert_lt(right, STREAM);
    for (uint32_t i = left; i < right; i++) {
        cr_assert_eq(seen->payload[i - left], wire_byte(true, i), "byte %u is wrong", i);
        peer.has[i] = true;
    }
    peer.farthest = RTE_MAX(peer.farthest, right);
    while (peer.next < peer.farthest && peer.has[peer.next])
        peer.next++;
    if (left <= peer.next || !w.sack) {
        IN(&w, .flags = ACK, .seq = 1, .ack = peer.next);
        return;
    }
    while (peer.has[left - 1])
        left--;
    while (right < peer.farthest && peer.has[right])
        right++;
    IN(&w, .flags = ACK, .seq = 1, .ack = peer.next, .sack_count = 1, .sack = {{left, right}});
}

/* One round trip of 10 ms. Returns how many segments came out. */
static unsigned round_trip(void)
{
    struct wire_seen seen[64];
    unsigned count = 0;

    wire_flush(&w);
    while (count < RTE_DIM(seen) && wire_next(&w, &seen[count]))
        count++;
    wire_advance(&w, WEIR_MILLISECONDS(10));
    w.ts += 10;
    for (unsigned i = 0; i < count; i++)
        take(&seen[i]);
    return count;
}

/* Writes so much in packets of this size, and sees it through; then a pause of a second. Returns how long it took. */
static weir_time volley(uint32_t bytes, uint32_t size)
{
    weir_time start = w.now;

    for (uint32_t sent = 0; sent < bytes; sent += size)
        wire_send(&w, c, size);
    while (!weir_tcp_drained(c) && w.now - start < WEIR_SECONDS(100))
        round_trip();
    cr_assert(weir_tcp_drained(c));
    start = w.now - start;
    wire_advance(&w, WEIR_SECONDS(1));
    w.ts += 1000;
    return start;
}

static void icmp(uint16_t mtu, uint32_t seq)
{
    struct weir_ip_rx rx = {.protocol = IPPROTO_ICMP,
                            .icmp_type = WEIR_ICMP_UNREACHABLE,
                            .icmp_code = WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED,
                            .icmp_mtu = mtu,
                            .quoted_protocol = IPPROTO_TCP,
                            .quoted_src = w.address,
                            .quoted_dst = w.peer_address};
    uint16_t ports[2] = {rte_cpu_to_be_16(w.port), rte_cpu_to_be_16(w.peer_port)};

    seq = rte_cpu_to_be_32(w.iss + seq);
    memcpy(rx.icmp_quote, ports, 4);
    memcpy(rx.icmp_quote + 4, &seq, 4);
    weir_tcp_icmp_error(w.tcp, w.now, &rx);
}

Test(tcp_mtu, segments_are_as_large_as_both_ends_say_and_no_larger)
{
    static const struct {
        uint16_t most, peers;
        uint32_t announced, used;
    } rows[] = {
        {0, 1460, 1460, 1448},    {1000, 1460, 1000, 988}, {0, 536, 1460, 524},
        {9000, 1460, 1460, 1448}, {0, 1, 1460, 52}, /* a peer that asks for nothing but headers: RFC 9293 section 3.7.1
                                                       leaves it to us */
    };

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        for (int cookies = 0; cookies < 2; cookies++) {
            struct weir_tcp_listener *listener;
            struct wire_seen seen;

            w.options.mss_max = rows[i].most;
            w.options.syn_cookies = cookies;
            w.peer_mss = rows[i].peers;
            wire_open(&w);
            listener = wire_listen(&w, 1);
            IN(&w, .flags = SYN);
            seen = OUT(&w, SYN | ACK, 0, 1, 0);
            cr_assert_eq(seen.options.mss, rows[i].announced);
            IN(&w, .flags = ACK, .seq = 1, .ack = 1);
            cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
            if (!cookies) /* which round it down */
                cr_assert_eq(weir_tcp_mss(c), rows[i].used, "row %u", i);
            w.written = 0;
            wire_send(&w, c, 1500);
            OUT(&w, ACK, 1, 1, weir_tcp_mss(c));
            wire_close_quietly(&w);
        }
    }
}

Test(tcp_mtu, connection_that_begins_small_finds_what_the_path_has_room_for)
{
    w.options.mtu_probing = WEIR_TCP_MTU_ALWAYS;
    for (int size = 0; size < 2; size++) { /* packets of a segment, and small ones that a probe joins */
        memset(&peer, 0, sizeof(peer));
        peer.limit = MSS;
        peer.next = 1;
        open();
        cr_assert_eq(weir_tcp_mss(c), BASE);
        volley(24 * MSS, size == 0 ? MSS : 100);
        cr_assert_eq(weir_tcp_mss(c), MSS);
        cr_assert_eq(peer.longest, MSS);
        cr_assert_eq(weir_tcp_stats(w.tcp)->mtu_probes_delivered, 1);
        cr_assert_eq(weir_tcp_stats(w.tcp)->retrans_segs, 0);
        wire_close(&w);
    }
}

/* RFC 4821 sections 7.3 and 7.6.2. */
static void find(uint32_t limit)
{
    peer.limit = limit;
    for (int i = 0; i < 12; i++) {
        cr_assert_lt(volley(24 * MSS, MSS), WEIR_MILLISECONDS(200), "no timeout");
        cr_assert_eq(info().ssthresh, UINT32_MAX, "the loss of a probe is no congestion");
    }
    cr_assert(weir_tcp_mss(c) <= limit && weir_tcp_mss(c) > limit - 8, "%u of %u", weir_tcp_mss(c), limit);
    cr_assert_eq(peer.lost, weir_tcp_stats(w.tcp)->mtu_probes_lost);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 0);
    cr_assert(peer.lost >= 2 && peer.lost < 8, "%u probes were lost", peer.lost);
    wire_close(&w);
}

Test(tcp_mtu, lost_probes_narrow_the_search_and_slow_nothing_down)
{
    w.options.mtu_probing = WEIR_TCP_MTU_ALWAYS;
    open();
    find(1300);
}

Test(tcp_mtu, lost_probes_narrow_the_search_without_sack_too)
{
    w.options.mtu_probing = WEIR_TCP_MTU_ALWAYS;
    w.sack = false;
    open();
    find(1250);
}

/* RFC 4821 section 7.7; then it searches for what is lost by that. */
Test(tcp_mtu, way_out_of_a_black_hole_is_found)
{
    for (int sack = 0; sack < 2; sack++) {
        memset(&peer, 0, sizeof(peer));
        w.sack = sack;
        peer.limit = 1300;
        peer.next = 1;
        open();
        cr_assert_eq(weir_tcp_mss(c), MSS);
        volley(24 * MSS, MSS);
        cr_assert_eq(weir_tcp_stats(w.tcp)->mtu_black_holes, 1);
        for (int i = 0; i < 12; i++)
            cr_assert_lt(volley(24 * MSS, MSS), WEIR_MILLISECONDS(300));
        cr_assert(weir_tcp_mss(c) <= 1300 && weir_tcp_mss(c) > 1300 - 8, "%u", weir_tcp_mss(c));
        wire_close(&w);
    }
}

Test(tcp_mtu, deeper_black_hole_is_left_in_steps_but_not_below_the_smallest_mtu)
{
    peer.limit = 100; /* nothing at all gets through */
    open();
    wire_send(&w, c, MSS);
    for (int i = 0; i < 60 * 100; i++)
        round_trip();
    cr_assert_eq(weir_tcp_mss(c), LEAST);
    cr_assert_eq(weir_tcp_stats(w.tcp)->mtu_black_holes,
                 w.ipv6 ? 1 : 2); /* of 1448, 972 and 500 bytes, or 1448 and 1208 */
    wire_close_quietly(&w);
}

Test(tcp_mtu, small_segments_that_vanish_do_so_for_another_reason)
{
    peer.limit = 100;
    open();
    wire_send(&w, c, 500);
    for (int i = 0; i < 20 * 100; i++)
        round_trip();
    cr_assert_gt(weir_tcp_stats(w.tcp)->timeouts, 4);
    cr_assert_eq(weir_tcp_mss(c), MSS);
    wire_close_quietly(&w);
}

Test(tcp_mtu, nothing_is_searched_for_where_that_is_switched_off)
{
    w.options.mtu_probing = WEIR_TCP_MTU_OFF;
    peer.limit = 1300;
    open();
    wire_send(&w, c, MSS);
    for (int i = 0; i < 20 * 100; i++)
        round_trip();
    cr_assert_eq(weir_tcp_mss(c), MSS);
    cr_assert_eq(peer.longest, MSS);
    wire_close_quietly(&w);
}

/* RFC 1191 section 6.3: the path may be another one by now. */
Test(tcp_mtu, what_a_router_said_is_looked_into_after_ten_minutes)
{
    open();
    wire_send(&w, c, MSS);
    OUT(&w, ACK, 1, 1, MSS);
    icmp(1400, 1);
    cr_assert_eq(weir_tcp_mss(c), 1400 - HEADERS);
    peer.limit = 1400 - HEADERS;
    volley(12 * MSS, MSS);
    cr_assert_eq(peer.longest, 1400 - HEADERS);
    wire_advance(&w, WEIR_SECONDS(590));
    volley(12 * MSS, MSS);
    cr_assert_eq(peer.longest, 1400 - HEADERS);
    wire_advance(&w, WEIR_SECONDS(20));
    peer.limit = MSS;
    volley(12 * MSS, MSS);
    volley(12 * MSS, MSS);
    cr_assert_eq(weir_tcp_mss(c), MSS);
    wire_close(&w);
}

/* RFC 4821 section 7.6.3: it need not be found by halves. */
Test(tcp_mtu, router_that_speaks_of_a_probe_ends_the_search)
{
    struct wire_seen seen;

    w.options.mtu_probing = WEIR_TCP_MTU_ALWAYS;
    peer.limit = 1350;
    open();
    for (unsigned i = 0; i < 24; i++)
        wire_send(&w, c, MSS);
    for (;;) {
        wire_flush(&w);
        cr_assert(wire_next(&w, &seen));
        if (seen.length > BASE)
            break;
        wire_advance(&w, WEIR_MILLISECONDS(1));
        take(&seen);
    }
    icmp((uint16_t)(1350 + HEADERS), seen.seq);
    cr_assert_eq(weir_tcp_mss(c), BASE, "what is smaller than that goes on");
    take(&seen);
    for (int i = 0; i < 4; i++)
        volley(12 * MSS, MSS);
    cr_assert_leq(weir_tcp_stats(w.tcp)->mtu_probes_lost, 1);
    cr_assert_gt(weir_tcp_mss(c), 1250);
    wire_close_quietly(&w);
}
