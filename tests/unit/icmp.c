/* ICMP: echoes, errors that come in, errors that go out and how many. */
#include "packet.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(icmp, .init = test_eal_init);

static struct test_net net;
static struct test_frame frame;
static struct weir_ip_rx rx;

static const struct test_ipv4 from_peer = {.src = TEST_PEER, .dst = TEST_US, .protocol = 17};

static void open_ip(uint32_t capabilities)
{
    test_net_open(&net, &(struct weir_link_options){.capabilities = capabilities}, 255);
}

static const struct weir_ip_stats *stats(void)
{
    return weir_ip_stats(net.ip);
}

static uint8_t input(void)
{
    memset(&rx, 0x5a, sizeof(rx));
    return test_net_input(&net, &frame, &rx);
}

/* Gives a packet straight to IP, in segments; returns it if it is the caller's. */
static struct rte_mbuf *input_segments(const unsigned *sizes, unsigned count)
{
    struct rte_mbuf *m = test_segments(net.pool, frame.bytes + 14, frame.length - 14, sizes, count);
    return weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx) != 0 ? m : NULL;
}

static void expect_nothing(void)
{
    cr_assert(!test_net_take(&net, &frame), "a frame of type %#x", test_get16(frame.bytes + 12));
}

static uint8_t message[2048];

/* Builds an ICMP message from the peer, its checksum right. */
static void icmp_frame(uint32_t dst, uint8_t type, uint8_t code, const void *body, unsigned length)
{
    memset(message, 0, 8);
    message[0] = type;
    message[1] = code;
    memcpy(message + 4, body, length);
    test_put16(message + 2, test_checksum(message, 4 + length, 0));
    test_frame_ipv4(&frame, &(struct test_ipv4){.src = TEST_PEER, .dst = dst, .protocol = 1, .tos = 0x08}, message,
                    4 + length);
}

Test(icmp, echo_is_answered_with_the_same_payload)
{
    static uint8_t body[1400];
    static struct test_frame asked;

    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    for (unsigned length = 4; length <= 1400; length += 349) {
        for (unsigned i = 0; i < length; i++)
            body[i] = (uint8_t)(i * 7);
        icmp_frame(TEST_US, 8, 0, body, length);
        asked = frame;
        cr_assert_eq(input(), 0);
        cr_assert(test_net_take(&net, &frame), "no answer");
        cr_assert_eq(frame.length, asked.length);
        cr_assert_eq(memcmp(frame.bytes, &test_mac_peer, 6), 0);
        cr_assert_eq(test_get32(frame.bytes + 26), TEST_US);
        cr_assert_eq(test_get32(frame.bytes + 30), TEST_PEER);
        cr_assert_eq(frame.bytes[15], 0x08, "the same TOS");
        cr_assert_eq(test_checksum(frame.bytes + 14, 20, 0), 0);
        cr_assert_eq(frame.bytes[34], 0);
        cr_assert_eq(test_checksum(frame.bytes + 34, 4 + length, 0), 0);
        cr_assert_eq(memcmp(frame.bytes + 38, asked.bytes + 38, length), 0);
    }
    cr_assert_eq(stats()->icmp_in_echos, 5);
    cr_assert_eq(stats()->icmp_out_echo_reps, 5);
    test_net_close(&net);
}

Test(icmp, echo_held_by_another_or_in_segments_is_answered_all_the_same)
{
    const unsigned sizes[] = {20, 3, 9};

    open_ip(WEIR_DEV_TX_MULTI_SEGS);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    icmp_frame(TEST_US, 8, 0, "abcdefghijklmnop", 16);
    struct rte_mbuf *m = test_packet(net.pool, frame.bytes + 14, (uint16_t)(frame.length - 14));
    rte_mbuf_refcnt_update(m, 1);
    cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx), 0);
    cr_assert_eq(*rte_pktmbuf_mtod(m, uint8_t *), 8, "the other's bytes were changed");
    rte_pktmbuf_free(m);
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(test_checksum(frame.bytes + 34, 20, 0), 0);
    icmp_frame(TEST_US, 8, 0, "abcdefghijklmnop", 16);
    cr_assert_null(input_segments(sizes, 3));
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(test_checksum(frame.bytes + 34, 20, 0), 0);
    cr_assert_eq(memcmp(frame.bytes + 38, "abcdefghijklmnop", 16), 0);
    test_net_close(&net);
}

Test(icmp, echo_to_a_broadcast_or_with_a_wrong_checksum_is_not_answered)
{
    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    icmp_frame(WEIR_IPV4(10, 0, 0, 255), 8, 0, "abcd", 4);
    cr_assert_eq(input(), 0);
    icmp_frame(TEST_US, 8, 0, "abcd", 4);
    memcpy(frame.bytes, &test_mac_broadcast, 6);
    cr_assert_eq(input(), 0);
    icmp_frame(TEST_US, 8, 0, "abcd", 4);
    frame.bytes[38] ^= 1;
    cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->icmp_in_errors, 1);
    icmp_frame(TEST_US, 8, 0, "abc", 3); /* shorter than ICMP's header */
    cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->icmp_in_errors, 2);
    icmp_frame(TEST_US, 0, 0, "abcd", 4); /* an answer to nothing */
    cr_assert_eq(input(), 0);
    icmp_frame(TEST_US, 5, 1, "\x0a\0\0\x09", 4); /* a redirect */
    cr_assert_eq(input(), 0);
    expect_nothing();
    test_net_close(&net);
}

/* The body of an ICMP error about a packet of ours to TEST_FAR. */
static uint8_t body[4 + 28];

static void quote_packet(uint16_t mtu)
{
    static struct test_frame quoted;

    test_frame_ipv4(&quoted, &(struct test_ipv4){.src = TEST_US, .dst = TEST_FAR, .protocol = 6},
                    "\x12\x34\x00\x50SEQ!", 8);
    test_put32(body, mtu);
    memcpy(body + 4, quoted.bytes + 14, 28);
}

Test(icmp, errors_about_what_we_sent_are_reported)
{
    static const struct {
        uint8_t type, code;
        uint16_t mtu;
    } cases[] = {{3, 3, 0}, {3, 1, 0}, {3, 4, 1400}, {11, 0, 0}, {12, 0, 0}};

    open_ip(0);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        quote_packet(cases[i].mtu);
        icmp_frame(TEST_US, cases[i].type, cases[i].code, body, sizeof(body));
        cr_assert_eq(input(), IPPROTO_ICMP, "case %u", i);
        cr_assert_eq(rx.protocol, IPPROTO_ICMP);
        cr_assert_eq(rx.icmp_type, cases[i].type);
        cr_assert_eq(rx.icmp_code, cases[i].code);
        cr_assert_eq(rx.icmp_mtu, cases[i].mtu);
        cr_assert_eq(rx.quoted_protocol, 6);
        cr_assert(weir_address_equal(&rx.quoted_src, TEST_ADDRESS(TEST_US)));
        cr_assert(weir_address_equal(&rx.quoted_dst, TEST_ADDRESS(TEST_FAR)));
        cr_assert_eq(memcmp(rx.icmp_quote, "\x12\x34\x00\x50SEQ!", 8), 0);
    }
    cr_assert_eq(stats()->icmp_in_dest_unreachs, 3);
    cr_assert_eq(stats()->icmp_in_time_excds, 1);
    expect_nothing();
    test_net_close(&net);
}

Test(icmp, errors_about_what_we_cannot_have_sent_are_not_believed)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } wrong[] = {
        {0, 0x65}, {0, 0x44}, {0, 0x4f}, /* version, lengths */
        {3, 27},                         /* no room for ports */
        {7, 1},                          /* a later fragment */
        {9, 1},    {9, 47},              /* not a protocol of ours */
        {15, 9},                         /* another's source */
        {16, 0},   {16, 127}, {16, 224}, /* a destination that is none */
    };
    open_ip(0);
    for (unsigned i = 0; i < RTE_DIM(wrong); i++) {
        quote_packet(0);
        body[4 + wrong[i].at] = wrong[i].value;
        icmp_frame(TEST_US, 3, 3, body, sizeof(body));
        cr_assert_eq(input(), 0, "case %u", i);
    }
    quote_packet(0);
    test_put32(body + 4 + 16, TEST_US);
    icmp_frame(TEST_US, 3, 3, body, sizeof(body));
    cr_assert_eq(input(), 0, "from us to us");
    quote_packet(0);
    for (unsigned length = 4; length < sizeof(body); length++) {
        icmp_frame(TEST_US, 3, 3, body, length);
        cr_assert_eq(input(), 0, "length %u", length);
    }
    icmp_frame(UINT32_MAX, 3, 3, body, sizeof(body));
    cr_assert_eq(input(), 0, "broadcast");
    cr_assert_eq(stats()->icmp_in_errors, RTE_DIM(wrong) + 1 + 28 + 1);
    test_net_close(&net);
}

static void expect_unreachable(uint8_t code, const struct test_frame *about)
{
    unsigned quoted = RTE_MIN(about->length - 14, 548u);

    cr_assert(test_net_take(&net, &frame), "no unreachable");
    cr_assert_eq(frame.length, 14 + 20 + 8 + quoted);
    cr_assert_eq(test_get32(frame.bytes + 30), TEST_PEER);
    cr_assert_eq(frame.bytes[23], 1);
    cr_assert_eq(frame.bytes[34], 3);
    cr_assert_eq(frame.bytes[35], code);
    cr_assert_eq(test_get32(frame.bytes + 38), 0);
    cr_assert_eq(test_checksum(frame.bytes + 34, frame.length - 34, 0), 0);
    cr_assert_eq(memcmp(frame.bytes + 42, about->bytes + 14, quoted), 0);
}

Test(icmp, unknown_protocol_is_answered_with_as_much_as_fits)
{
    static char payload[1400];
    static struct test_frame about;
    struct test_ipv4 ip = from_peer;

    ip.protocol = 132;
    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    for (unsigned length = 0; length <= 1400; length += 140) {
        test_frame_ipv4(&frame, &ip, payload, length);
        about = frame;
        cr_assert_eq(input(), 0);
        expect_unreachable(2, &about);
    }
    const unsigned sizes[] = {25, 100, 300};
    frame = about;
    cr_assert_null(input_segments(sizes, 3));
    expect_unreachable(2, &about);
    cr_assert_eq(stats()->in_unknown_protos, 12);
    test_net_close(&net);
}

Test(icmp, broadcasts_are_never_answered_by_errors)
{
    struct test_ipv4 ip = from_peer;

    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    ip.protocol = 132;
    ip.dst = UINT32_MAX;
    test_frame_ipv4(&frame, &ip, "12345678", 8);
    cr_assert_eq(input(), 0);
    expect_nothing();
    test_net_close(&net);
}

Test(icmp, errors_are_limited_in_rate_and_flow_again_later)
{
    struct test_ipv4 ip = from_peer;
    unsigned sent = 0;

    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    ip.protocol = 132;
    for (unsigned i = 0; i < 500; i++) { /* all at one time */
        test_frame_ipv4(&frame, &ip, "12345678", 8);
        input();
        sent += test_net_take(&net, &frame);
    }
    cr_assert_eq(sent, 50, "%u", sent);
    cr_assert_eq(stats()->icmp_out_rate_limited, 450);
    for (unsigned i = 0; i < 5000; i++) { /* one second, five times as many as may be */
        net.now += WEIR_MICROSECONDS(200);
        test_frame_ipv4(&frame, &ip, "12345678", 8);
        input();
        sent += test_net_take(&net, &frame);
    }
    cr_assert_eq(sent, 50 + 1000, "%u", sent);
    test_net_close(&net);
}

Test(icmp, no_memory_for_an_error_is_counted)
{
    struct rte_mbuf *all[255];
    struct test_ipv4 ip = from_peer;

    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    ip.protocol = 132;
    test_frame_ipv4(&frame, &ip, "12345678", 8);
    struct rte_mbuf *m = test_packet(net.pool, frame.bytes + 14, (uint16_t)(frame.length - 14));
    unsigned got = 0;
    while (got < 255 && (all[got] = rte_pktmbuf_alloc(net.pool)) != NULL)
        got++;
    cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx), 0);
    cr_assert_eq(stats()->out_discards, 1);
    rte_pktmbuf_free_bulk(all, got);
    expect_nothing();
    test_net_close(&net);
}
