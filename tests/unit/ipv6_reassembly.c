/* Fragments of IPv6: RFC 8200 section 4.5, RFC 5722, RFC 6946. */
#include "packet_ipv6.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(ipv6_reassembly, .init = test_eal_init);

#define US "fd00::1"
#define PEER "fd00::2"

static struct test_net net;
static struct weir_ip_rx rx;
static uint8_t body[4096]; /* of the whole packet, behind its fragment header */

static void open_ip(void)
{
    test_net_open(&net, &(struct weir_link_options){0}, 2047);
    cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT(US), 64, 0), 0);
    weir_link_heard_of(net.link, net.now, TEST_AT(PEER), &test_mac_peer);
    for (unsigned i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i * 29 + i / 256);
}

static const struct weir_ip_stats *stats(void)
{
    return weir_ip_stats(net.ip);
}

static unsigned kept(void)
{
    return rte_mempool_in_use_count(net.pool);
}

static struct rte_mbuf *feed(const struct test_frame *frame)
{
    struct rte_mbuf *m = test_frame_packet(net.pool, frame);

    cr_assert_eq(weir_link_input(net.link, net.now, m), RTE_ETHER_TYPE_IPV6);
    return weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV6, &m, &rx) != 0 ? m : NULL;
}

/* Puts in bytes `from` to `to` of packet `id`; behind a destination options header if `behind_options`. */
static struct rte_mbuf *put_behind(bool behind_options, uint8_t id, unsigned from, unsigned to, bool last)
{
    uint8_t payload[2048] = {IPPROTO_FRAGMENT, 0, 1, 4}; /* the options: padding of four bytes */
    uint8_t *fragment = payload + (behind_options ? 8 : 0);
    struct test_ipv6 ip = {.src = PEER, .dst = US, .next_header = behind_options ? IPPROTO_DSTOPTS : IPPROTO_FRAGMENT};
    struct test_frame frame;

    fragment[0] = IPPROTO_UDP;
    fragment[1] = 0;
    test_put16(fragment + 2, (uint16_t)(from | !last));
    test_put32(fragment + 4, id);
    memcpy(fragment + 8, body + from, to - from);
    test_frame_ipv6(&frame, &ip, payload, (unsigned)(fragment + 8 - payload) + to - from);
    return feed(&frame);
}

static struct rte_mbuf *put(uint8_t id, unsigned from, unsigned to, bool last)
{
    return put_behind(false, id, from, to, last);
}

static void expect_body(struct rte_mbuf *m, unsigned length)
{
    uint8_t copy[sizeof(body)];

    cr_assert_not_null(m);
    cr_assert_eq(rx.protocol, IPPROTO_UDP);
    cr_assert_eq(m->pkt_len, length);
    cr_assert_eq(memcmp(rte_pktmbuf_read(m, 0, length, copy), body, length), 0);
    cr_assert(weir_address_equal(&rx.src, TEST_AT(PEER)));
    rte_pktmbuf_free(m);
}

static void advance(weir_time by)
{
    weir_time until = net.now + by;

    while (weir_ip_next_deadline(net.ip) <= until) {
        net.now = weir_ip_next_deadline(net.ip);
        weir_ip_timers(net.ip, net.now);
    }
    net.now = until;
}

static const uint8_t *expect_icmp(struct test_frame *frame, uint8_t type, uint8_t code)
{
    unsigned length;
    const uint8_t *icmp;

    cr_assert(test_net_take(&net, frame), "nothing was sent");
    icmp = test_icmp6(frame, US, PEER, &length);
    cr_assert(icmp[0] == type && icmp[1] == code, "type %u code %u", icmp[0], icmp[1]);
    return icmp;
}

Test(ipv6_reassembly, fragments_in_any_order_become_the_packet)
{
    static const unsigned edges[] = {0, 16, 24, 1000, 1003};

    open_ip();
    for (unsigned order = 0; order < 4; order++) {
        for (unsigned i = 0; i < 3; i++) {
            unsigned k = (order + 3 * i) % 4;
            cr_assert_null(put((uint8_t)order, edges[k], edges[k + 1], k == 3));
        }
        unsigned k = (order + 9) % 4;
        expect_body(put((uint8_t)order, edges[k], edges[k + 1], k == 3), 1003);
    }
    cr_assert_eq(stats()->reasm_oks, 4);
    cr_assert_eq(kept(), 0);
    test_net_close(&net);
}

Test(ipv6_reassembly, large_packet_with_a_short_first_fragment)
{
    open_ip();
    cr_assert_null(put(1, 0, 8, false));
    cr_assert_null(put(1, 8, 1408, false));
    expect_body(put(1, 1408, 2800, true), 2800);
    test_net_close(&net);
}

Test(ipv6_reassembly, headers_in_front_of_the_fragment_header_are_for_the_fragment)
{
    open_ip();
    cr_assert_null(put_behind(true, 1, 0, 64, false));
    expect_body(put_behind(true, 1, 64, 100, true), 100);
    cr_assert_null(put_behind(true, 2, 0, 64, false));
    expect_body(put(2, 64, 100, true), 100);
    test_net_close(&net);
}

Test(ipv6_reassembly, overlapping_fragments_are_discarded_with_their_packet)
{
    open_ip();
    cr_assert_null(put(1, 0, 32, false));
    cr_assert_null(put(1, 24, 64, false));
    cr_assert_null(put(1, 64, 72, true));
    cr_assert_eq(kept(), 0);
    cr_assert_eq(stats()->reasm_fails, 1);
    test_net_close(&net);
}

/* RFC 8200 section 4.5: not of eights, or beyond 65535; the pointer is to the field that is wrong. */
Test(ipv6_reassembly, impossible_fragments_are_refused_and_their_sender_told)
{
    uint8_t payload[24] = {IPPROTO_UDP, 0, 0xff, 0xf8};
    struct test_frame frame;
    const uint8_t *icmp;

    open_ip();
    cr_assert_null(put(1, 0, 9, false));
    icmp = expect_icmp(&frame, 4, 0);
    cr_assert_eq(test_get32(icmp + 4), 4);
    test_frame_ipv6(&frame, &(struct test_ipv6){.src = PEER, .dst = US, .next_header = IPPROTO_FRAGMENT}, payload, 24);
    cr_assert_null(feed(&frame));
    icmp = expect_icmp(&frame, 4, 0);
    cr_assert_eq(test_get32(icmp + 4), 42);
    cr_assert_eq(kept(), 0);
    test_net_close(&net);
}

Test(ipv6_reassembly, what_is_incomplete_in_time_is_given_up_and_its_sender_told)
{
    struct test_frame frame;

    open_ip();
    cr_assert_null(put(7, 0, 64, false));
    cr_assert_null(put(8, 64, 128, false));
    advance(WEIR_SECONDS(29));
    cr_assert_eq(kept(), 2);
    advance(WEIR_SECONDS(4));
    expect_icmp(&frame, 3, 1);
    cr_assert(!test_net_take(&net, &frame), "one that is not the first cannot be quoted");
    advance(WEIR_SECONDS(60));
    cr_assert_eq(kept(), 0);
    cr_assert_eq(weir_ip_next_deadline(net.ip), WEIR_NEVER);
    test_net_close(&net);
}

Test(ipv6_reassembly, fragments_within_fragments_are_dropped)
{
    open_ip();
    memset(body, 0, 16);
    body[0] = IPPROTO_UDP;
    body[3] = 1; /* a fragment header of its own, more to come */
    for (uint8_t id = 1; id < 3; id++) {
        uint8_t payload[24] = {IPPROTO_FRAGMENT, 0, 0, 1, 0, 0, 0, id};
        struct test_ipv6 ip = {.src = PEER, .dst = US, .next_header = IPPROTO_FRAGMENT};
        struct test_frame frame;

        memcpy(payload + 8, body, 16);
        test_frame_ipv6(&frame, &ip, payload, 24);
        cr_assert_null(feed(&frame));
        cr_assert_null(put(id, 16, 32, true));
    }
    cr_assert_eq(kept(), 0);
    test_net_close(&net);
}

/* RFC 8200 section 4: the packet is quoted as it was put together. */
Test(ipv6_reassembly, error_about_the_packet_quotes_it_from_its_header)
{
    uint8_t payload[24] = {253, 0, 0, 1};
    struct test_ipv6 ip = {.src = PEER, .dst = US, .next_header = IPPROTO_FRAGMENT};
    struct test_frame frame;
    const uint8_t *icmp;

    open_ip();
    test_frame_ipv6(&frame, &ip, payload, sizeof(payload));
    cr_assert_null(feed(&frame));
    test_put16(payload + 2, 16);
    test_frame_ipv6(&frame, &ip, payload, sizeof(payload));
    cr_assert_null(feed(&frame));
    icmp = expect_icmp(&frame, 4, 1);
    cr_assert_eq(icmp[7], 6, "the octet that names what is not known");
    cr_assert(icmp[8] >> 4 == 6 && icmp[8 + 6] == 253, "not the packet");
    cr_assert(memcmp(icmp + 8 + 8, TEST_AT(PEER), 16) == 0);
    test_net_close(&net);
}
