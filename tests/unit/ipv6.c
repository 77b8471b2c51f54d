/* IPv6 packets that come in: headers, extension headers, and what ICMPv6 says of them, both ways. */
#include "packet_ipv6.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(ipv6, .init = test_eal_init);

#define US "fd00::1"
#define PEER "fd00::2"

static struct test_net net;
static struct test_frame frame;
static struct weir_ip_rx rx;

static const struct weir_ip_stats *stats(void)
{
    return weir_ip_stats(net.ip);
}

/* With a peer whose MAC is known. */
static void open_ip(void)
{
    test_net_open(&net, &(struct weir_link_options){0}, 255);
    cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT(US), 64, 0), 0);
    weir_link_heard_of(net.link, net.now, TEST_AT(PEER), &test_mac_peer);
}

static uint8_t input(void)
{
    memset(&rx, 0x5a, sizeof(rx));
    return test_net_input(&net, &frame, &rx);
}

static void expect_nothing(void)
{
    cr_assert(!test_net_take(&net, &frame), "a frame of type %#x", test_get16(frame.bytes + 12));
}

static const uint8_t *expect_icmp(uint8_t type, uint8_t code, unsigned *length)
{
    const uint8_t *icmp;

    cr_assert(test_net_take(&net, &frame), "nothing was sent, not an ICMPv6 message of type %u", type);
    icmp = test_icmp6(&frame, US, PEER, length);
    cr_assert(icmp[0] == type && icmp[1] == code, "type %u code %u, not %u and %u", icmp[0], icmp[1], type, code);
    return icmp;
}

/* ---- echo ---- */

Test(ipv6, echo_is_answered_with_the_same_payload)
{
    const uint8_t *icmp;
    unsigned length;

    open_ip();
    test_frame_echo6(&frame, PEER, US, "the same");
    cr_assert_eq(input(), 0);
    icmp = expect_icmp(129, 0, &length);
    cr_assert_eq(length, 16);
    cr_assert(memcmp(icmp + 4, "\x12\x34\0\1the same", 12) == 0);
    cr_assert(memcmp(frame.bytes, &test_mac_peer, 6) == 0);
    expect_nothing();
    test_net_close(&net);
}

Test(ipv6, echo_to_all_nodes_is_answered_from_an_address_of_ours)
{
    open_ip();
    test_frame_echo6(&frame, PEER, "ff02::1", "anybody?");
    cr_assert_eq(input(), 0);
    expect_icmp(129, 0, NULL);
    test_net_close(&net);
}

Test(ipv6, wrong_checksum_is_not_answered)
{
    open_ip();
    test_frame_echo6(&frame, PEER, US, "spoilt");
    frame.bytes[60] ^= 1;
    cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->icmp_in_errors, 1);
    expect_nothing();
    test_net_close(&net);
}

/* ---- headers ---- */

static void udp_frame(const char *src, const char *dst)
{
    static const uint8_t datagram[12] = {0, 5, 0, 7, 0, 12};

    test_frame_ipv6(&frame, &(struct test_ipv6){.src = src, .dst = dst, .next_header = 17, .traffic_class = 0xb9},
                    datagram, sizeof(datagram));
}

Test(ipv6, transports_are_told_what_the_header_says)
{
    open_ip();
    udp_frame(PEER, US);
    cr_assert_eq(input(), 17);
    cr_assert(weir_address_equal(&rx.src, TEST_AT(PEER)) && weir_address_equal(&rx.dst, TEST_AT(US)));
    cr_assert(rx.protocol == 17 && rx.tos == 0xb9 && rx.ttl == 64 && !rx.broadcast);
    cr_assert_eq(rx.pseudo_sum, weir_sum_addresses(&rx.src, &rx.dst, 17));
    udp_frame(PEER, "ff02::1");
    cr_assert_eq(input(), 17);
    cr_assert(rx.broadcast);
    cr_assert_eq(stats()->in_delivers, 2);
    test_net_close(&net);
}

Test(ipv6, padding_is_cut_and_what_is_missing_refused)
{
    struct rte_mbuf *m;

    open_ip();
    udp_frame(PEER, US);
    test_frame_append(&frame, "padding", 7);
    m = test_frame_packet(net.pool, &frame);
    cr_assert_eq(weir_link_input(net.link, net.now, m), RTE_ETHER_TYPE_IPV6);
    cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV6, &m, &rx), 17);
    cr_assert_eq(m->pkt_len, 12);
    cr_assert_eq(m->l3_len, 40);
    rte_pktmbuf_free(m);
    udp_frame(PEER, US);
    frame.length--;
    cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->in_truncated, 1);
    test_net_close(&net);
}

Test(ipv6, header_in_pieces_is_understood)
{
    open_ip();
    udp_frame(PEER, US);
    for (unsigned split = 1; split < 52; split += 3) {
        struct rte_mbuf *m = test_segments(net.pool, frame.bytes + 14, frame.length - 14, &split, 1);
        cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV6, &m, &rx), 17, "split at %u", split);
        rte_pktmbuf_free(m);
    }
    test_net_close(&net);
}

Test(ipv6, malformed_headers_are_dropped)
{
    open_ip();
    udp_frame(PEER, US);
    frame.bytes[14] = 0x45;
    cr_assert_eq(input(), 0);
    udp_frame(PEER, US);
    frame.length = 14 + 39;
    cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->in_hdr_errors, 2);
    test_net_close(&net);
}

Test(ipv6, addresses_that_make_no_sense_are_refused)
{
    static const char *const pairs[][2] = {
        {PEER, "fd00::3"},       {"ff02::1", US},           {"::1", US},       {"::", US}, {US, US}, {PEER, "::1"},
        {"::ffff:10.0.0.2", US}, {PEER, "::ffff:10.0.0.1"}, {PEER, "fd00::7"},
    };

    open_ip();
    cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT("fd00::7"), 64, WEIR_ADDRESS_TENTATIVE), 0);
    for (unsigned i = 0; i < RTE_DIM(pairs); i++) {
        udp_frame(pairs[i][0], pairs[i][1]);
        cr_assert_eq(input(), 0, "%s to %s", pairs[i][0], pairs[i][1]);
        cr_assert_eq(stats()->in_addr_errors, i + 1, "%s to %s", pairs[i][0], pairs[i][1]);
    }
    expect_nothing();
    test_net_close(&net);
}

/* ---- extension headers ---- */

/* Bytes behind the IPv6 header, then 12 of UDP. */
static void extended_frame(const char *dst, uint8_t first, const uint8_t *headers, unsigned length)
{
    uint8_t payload[1024] = {0};

    memcpy(payload, headers, length);
    test_put16(payload + length + 4, 12);
    test_frame_ipv6(&frame, &(struct test_ipv6){.src = PEER, .dst = dst, .next_header = first}, payload, length + 12);
}

Test(ipv6, extension_headers_are_walked_over)
{
    static const uint8_t all[] = {
        60, 0, 1,  4, 0, 0, 0, 0,                         /* hop by hop: PadN */
        43, 1, 0,  0, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0, /* destination options: Pad1, PadN */
        44, 0, 9,  0, 0, 0, 0, 0,                         /* routing, no segments left, of a type that is not known */
        60, 0, 0,  0, 1, 2, 3, 4,                         /* a fragment that is all of the packet */
        17, 0, 30, 4, 0, 0, 0, 0,                         /* an option that is not known, to be skipped */
    };

    open_ip();
    extended_frame(US, 0, all, sizeof(all));
    cr_assert_eq(input(), 17);
    cr_assert_eq(rx.pseudo_sum, weir_sum_addresses(&rx.src, &rx.dst, 17));
    expect_nothing();
    test_net_close(&net);
}

/* What is answered to headers that lie behind the IPv6 header: a parameter problem's code and pointer, or nothing. */
static const struct refusal {
    const char *what;
    uint8_t first, headers[24];
    unsigned length;
    int code; /* -1: nothing */
    uint32_t pointer;
    bool to_many; /* told of a multicast packet too */
} refusals[] = {
    /* RFC 5095 section 3, RFC 8200 section 4.4: at the routing type */
    {"routing of type 0", 43, {17, 0, 0, 1}, 8, 0, 42, true},
    {"routing of type 4", 43, {17, 0, 4, 2}, 8, 0, 42, true},
    {"routing after options", 0, {43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1}, 16, 0, 50, true},
    /* section 4.2: by the option's two high bits */
    {"option 0x40", 60, {17, 0, 0x40, 4}, 8, -1, 0, false},
    {"option 0x80", 60, {17, 0, 0x80, 4}, 8, 2, 42, true},
    {"option 0xc0", 60, {17, 0, 0, 0xc0, 3}, 8, 2, 43, false},
    {"option 0xc1 of each hop", 0, {17, 0, 1, 0, 0xc1, 2}, 8, 2, 44, false},
    /* section 4: the octet that names it */
    {"protocol 200", 200, {0}, 8, 1, 6, false},
    {"protocol 200 after options", 60, {200, 0, 1, 4}, 8, 1, 40, false},
    {"hop by hop, but not first", 60, {0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4}, 16, 1, 40, true},
    {"no next header", 59, {0}, 8, -1, 0, false},
    {"an option past the end", 60, {17, 0, 1, 5}, 8, -1, 0, false},
    {"a header past the end", 60, {17, 9, 1, 4}, 8, -1, 0, false},
};

Test(ipv6, refused_headers_are_told_of)
{
    open_ip();
    for (unsigned i = 0; i < RTE_DIM(refusals); i++) {
        const struct refusal *row = &refusals[i];
        const uint8_t *icmp;
        extended_frame(US, row->first, row->headers, row->length);
        cr_assert_eq(input(), 0, "%s", row->what);
        if (row->code >= 0) {
            icmp = expect_icmp(4, (uint8_t)row->code, NULL);
            cr_assert_eq(test_get32(icmp + 4), row->pointer, "%s: pointer %u", row->what, test_get32(icmp + 4));
            cr_assert(memcmp(icmp + 8 + 24, TEST_AT(US), 16) == 0, "%s: the quote", row->what);
        }
        extended_frame("ff02::1", row->first, row->headers, row->length);
        cr_assert_eq(input(), 0, "%s", row->what);
        if (row->code >= 0 && row->to_many)
            expect_icmp(4, (uint8_t)row->code, NULL);
        cr_assert(!test_net_take(&net, &frame), "%s: answered", row->what);
    }
    test_net_close(&net);
}

/* ---- errors that go out ---- */

static struct rte_mbuf *udp_packet(const char *dst, unsigned length)
{
    static uint8_t payload[2000];
    struct rte_mbuf *m;

    test_frame_ipv6(&frame, &(struct test_ipv6){.src = PEER, .dst = dst, .next_header = 17}, payload, length);
    m = test_frame_packet(net.pool, &frame);
    cr_assert_eq(weir_link_input(net.link, net.now, m), RTE_ETHER_TYPE_IPV6);
    cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV6, &m, &rx), 17);
    return m;
}

Test(ipv6, port_unreachable_quotes_what_fits_the_smallest_path)
{
    unsigned length;
    const uint8_t *icmp;

    open_ip();
    weir_ip_send_unreachable(net.ip, net.now, udp_packet(US, 100), &rx, 3);
    icmp = expect_icmp(1, 4, &length);
    cr_assert_eq(length, 8 + 40 + 100);
    cr_assert_eq(test_get32(icmp + 4), 0);
    cr_assert_eq(icmp[8] >> 4, 6);
    weir_ip_send_unreachable(net.ip, net.now, udp_packet(US, 1440), &rx, 3);
    expect_icmp(1, 4, &length);
    cr_assert_eq(length, 1240);
    weir_ip_send_unreachable(net.ip, net.now, udp_packet("ff02::1", 100), &rx, 3);
    expect_nothing();
    test_net_close(&net);
}

Test(ipv6, errors_are_no_more_than_the_rate_allows)
{
    unsigned sent = 0;

    open_ip();
    for (unsigned i = 0; i < 200; i++)
        weir_ip_send_unreachable(net.ip, net.now, udp_packet(US, 8), &rx, 3);
    while (test_net_take(&net, &frame))
        sent++;
    cr_assert(sent > 0 && sent <= 50, "%u", sent);
    cr_assert_eq(stats()->icmp_out_rate_limited, 200 - sent);
    test_net_close(&net);
}

/* RFC 4443 section 2.4 (e.1) */
Test(ipv6, errors_are_not_answered_by_errors)
{
    static const uint8_t headers[] = {58, 0, 0x80, 4, 0, 0, 0, 0, /* an option that is to be refused */
                                      1,  4, 0,    0, 0, 0, 0, 0};

    open_ip();
    extended_frame(US, 60, headers, sizeof(headers));
    cr_assert_eq(input(), 0);
    expect_nothing();
    test_net_close(&net);
}

/* ---- errors that come in ---- */

static void error_frame(uint8_t type, uint8_t code, uint32_t value, const char *src, const char *dst, uint8_t protocol)
{
    uint8_t message[8 + 40 + 8] = {type, code, [8] = 0x60, [12] = 0, 20, protocol, 64};

    test_put32(message + 4, value);
    memcpy(message + 16, TEST_AT(src), 16);
    memcpy(message + 32, TEST_AT(dst), 16);
    memcpy(message + 48, "\1\2\3\4\5\6\7\10", 8);
    test_frame_icmp6(&frame, &(struct test_ipv6){.src = "fd00::fe", .dst = US}, message, sizeof(message));
}

/* Transports know ICMP's types: unreachable 3, time exceeded 11, parameter problem 12. */
Test(ipv6, errors_are_told_to_transports_in_the_words_of_icmp)
{
    static const struct {
        uint8_t type, code;
        uint32_t value;
        uint8_t as_type, as_code;
        uint16_t mtu;
    } rows[] = {
        {1, 0, 0, 3, 0, 0},
        {1, 1, 0, 3, 13, 0},
        {1, 3, 0, 3, 1, 0},
        {1, 4, 0, 3, 3, 0},
        {1, 200, 0, 3, 0, 0},
        {2, 0, 1280, 3, 4, 1280},
        {2, 0, 1u << 20, 3, 4, 65535},
        {3, 0, 0, 11, 0, 0},
        {4, 1, 6, 12, 1, 0},
    };

    open_ip();
    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        error_frame(rows[i].type, rows[i].code, rows[i].value, US, "2001:db8::9", 6);
        cr_assert_eq(input(), IPPROTO_ICMP, "row %u", i);
        cr_assert(rx.icmp_type == rows[i].as_type && rx.icmp_code == rows[i].as_code && rx.icmp_mtu == rows[i].mtu,
                  "row %u: %u %u %u", i, rx.icmp_type, rx.icmp_code, rx.icmp_mtu);
        cr_assert(rx.quoted_protocol == 6 && memcmp(rx.icmp_quote, "\1\2\3\4\5\6\7\10", 8) == 0);
        cr_assert(weir_address_equal(&rx.quoted_src, TEST_AT(US)));
        cr_assert(weir_address_equal(&rx.quoted_dst, TEST_AT("2001:db8::9")));
    }
    test_net_close(&net);
}

Test(ipv6, errors_that_cannot_be_meant_for_us_are_ignored)
{
    open_ip();
    error_frame(2, 0, 1279, US, "2001:db8::9", 6); /* RFC 8201 section 4: no link is that narrow */
    cr_assert_eq(input(), 0);
    error_frame(1, 4, 0, PEER, "2001:db8::9", 6); /* not of a packet of ours */
    cr_assert_eq(input(), 0);
    error_frame(1, 4, 0, US, US, 6);
    cr_assert_eq(input(), 0);
    error_frame(1, 4, 0, US, "2001:db8::9", 58); /* not of a transport's */
    cr_assert_eq(input(), 0);
    error_frame(77, 0, 0, US, "2001:db8::9", 6);
    cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->icmp_in_errors, 5);
    test_net_close(&net);
}
