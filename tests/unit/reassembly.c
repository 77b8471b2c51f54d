/* Fragments of IPv4: RFC 791 section 3.2, RFC 1122 section 3.3.2, RFC 5722. */
#include "packet.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(reassembly, .init = test_eal_init);

enum { PACKETS = 2047, KEPT_MAX = 64, FRAGMENTS_MAX = 8 };

static struct test_net net;
static struct weir_ip_rx rx;
static uint8_t body[4096]; /* of the whole packet, behind its IP header */

static void open_ip(void)
{
    test_net_open(&net, &(struct weir_link_options){0}, PACKETS);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    for (unsigned i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i * 31 + i / 256);
}

static const struct weir_ip_stats *stats(void)
{
    return weir_ip_stats(net.ip);
}

/* What a fragment is of. */
struct piece {
    unsigned from, to; /* bytes of the body */
    bool last;
};

static struct rte_mbuf *feed(const struct test_frame *frame)
{
    struct rte_mbuf *m = test_frame_packet(net.pool, frame);

    cr_assert_eq(weir_link_input(net.link, net.now, m), 0x0800);
    return weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx) != 0 ? m : NULL;
}

/* Puts in a fragment of packet `id`; returns the packet, if it is complete now. */
static struct rte_mbuf *put(uint16_t id, struct piece piece)
{
    struct test_frame frame;
    struct test_ipv4 ip = {.src = TEST_PEER, .dst = TEST_US, .protocol = 17, .id = id};

    ip.fragment = (uint16_t)(piece.from / 8 | (piece.last ? 0 : 0x2000));
    test_frame_ipv4(&frame, &ip, body + piece.from, piece.to - piece.from);
    memset(frame.bytes + frame.length, 0xee, 4); /* Ethernet's padding */
    frame.length += 4;
    return feed(&frame);
}

static void expect_body(struct rte_mbuf *m, unsigned length)
{
    uint8_t copy[sizeof(body)];
    const uint8_t *bytes;

    cr_assert_not_null(m);
    cr_assert_eq(m->pkt_len, length);
    bytes = rte_pktmbuf_read(m, 0, length, copy);
    cr_assert_eq(memcmp(bytes, body, length), 0);
    cr_assert_eq(rx.protocol, 17);
    cr_assert(weir_address_equal(&rx.src, TEST_ADDRESS(TEST_PEER)));
    rte_pktmbuf_free(m);
}

static unsigned kept(void)
{
    return rte_mempool_in_use_count(net.pool);
}

static void advance(weir_time by)
{
    weir_time until = net.now + by;

    while (weir_ip_next_deadline(net.ip) <= until) {
        net.now = weir_ip_next_deadline(net.ip);
        weir_ip_timers(net.ip, net.now);
        cr_assert_gt(weir_ip_next_deadline(net.ip), net.now, "a deadline that does not pass");
    }
    net.now = until;
}

Test(reassembly, fragments_in_any_order_become_the_packet)
{
    static const struct piece pieces[] = {{0, 16, false}, {16, 24, false}, {24, 1000, false}, {1000, 1003, true}};
    uint16_t id = 0;

    open_ip();
    for (unsigned a = 0; a < 4; a++)
        for (unsigned b = 0; b < 4; b++)
            for (unsigned c = 0; c < 4; c++) {
                if (a == b || b == c || a == c)
                    continue;
                id++;
                cr_assert_null(put(id, pieces[a]));
                cr_assert_null(put(id, pieces[b]));
                cr_assert_null(put(id, pieces[c]));
                expect_body(put(id, pieces[6 - a - b - c]), 1003);
            }
    cr_assert_eq(stats()->reasm_reqds, 4 * 24);
    cr_assert_eq(stats()->reasm_oks, 24);
    cr_assert_eq(stats()->reasm_fails, 0);
    cr_assert_eq(kept(), 0);
    test_net_close(&net);
}

Test(reassembly, packets_do_not_mix)
{
    open_ip();
    for (uint16_t id = 1; id <= 8; id++)
        cr_assert_null(put(id, (struct piece){0, 8u * id, false}));
    for (uint16_t id = 8; id >= 1; id--)
        expect_body(put(id, (struct piece){8u * id, 8u * id + 5, true}), 8u * id + 5);
    test_net_close(&net);
}

Test(reassembly, overlapping_fragments_are_discarded_with_their_packet)
{
    open_ip();
    cr_assert_null(put(1, (struct piece){0, 32, false}));
    cr_assert_null(put(1, (struct piece){24, 64, false})); /* RFC 5722 section 3; RFC 1858 section 4 */
    cr_assert_null(put(1, (struct piece){64, 72, true}));
    cr_assert_eq(kept(), 0);
    cr_assert_eq(stats()->reasm_fails, 1);
    cr_assert_eq(stats()->reasm_oks, 0);
    test_net_close(&net);
}

Test(reassembly, more_fragments_than_can_be_kept_are_given_up)
{
    unsigned i;

    open_ip();
    for (i = 0; i <= FRAGMENTS_MAX; i++)
        cr_assert_null(put(1, (struct piece){8 * i, 8 * i + 8, false}));
    cr_assert_leq(kept(), FRAGMENTS_MAX);
    cr_assert_geq(stats()->reasm_fails, 1);
    advance(WEIR_SECONDS(62));
    cr_assert_eq(kept(), 0);
    test_net_close(&net);
}

Test(reassembly, impossible_fragments_are_refused)
{
    struct test_frame frame;
    struct test_ipv4 ip = {.src = TEST_PEER, .dst = TEST_US, .protocol = 17, .id = 1};

    open_ip();
    cr_assert_null(put(1, (struct piece){0, 9, false})); /* not of eights, and not the last */
    ip.fragment = 0x1fff;                                /* ends at byte 65536 + 4, with its header */
    test_frame_ipv4(&frame, &ip, body, 12);
    cr_assert_null(feed(&frame));
    ip.fragment = 0x2001; /* empty */
    test_frame_ipv4(&frame, &ip, body, 0);
    cr_assert_null(feed(&frame));
    cr_assert_eq(kept(), 0);
    cr_assert_eq(stats()->reasm_fails, 3);
    ip.dst = UINT32_MAX; /* to everybody */
    ip.fragment = 0x2000;
    test_frame_ipv4(&frame, &ip, body, 8);
    cr_assert_null(feed(&frame));
    cr_assert_eq(kept(), 0);
    test_net_close(&net);
}

Test(reassembly, what_is_incomplete_after_thirty_seconds_is_given_up_and_its_sender_told)
{
    struct test_frame frame;

    open_ip();
    cr_assert_eq(weir_ip_next_deadline(net.ip), WEIR_NEVER);
    cr_assert_null(put(7, (struct piece){0, 64, false}));
    advance(WEIR_SECONDS(29));
    cr_assert_eq(kept(), 1);
    advance(WEIR_SECONDS(3));
    cr_assert(test_net_take(&net, &frame), "nobody was told");
    cr_assert_eq(frame.bytes[34], 11); /* time exceeded... */
    cr_assert_eq(frame.bytes[35], 1);  /* ... in reassembly */
    cr_assert_eq(test_get32(frame.bytes + 30), TEST_PEER);
    cr_assert_eq(test_get16(frame.bytes + 42 + 4), 7, "the quote is of another packet");
    cr_assert_eq(test_checksum(frame.bytes + 34, frame.length - 34, 0), 0);
    advance(WEIR_SECONDS(60));
    cr_assert_eq(kept(), 0);
    cr_assert_eq(weir_ip_next_deadline(net.ip), WEIR_NEVER);
    cr_assert_null(put(7, (struct piece){64, 72, true}), "what came too late completes nothing");
    advance(WEIR_SECONDS(62));
    cr_assert(!test_net_take(&net, &frame), "a fragment that is not the first cannot be quoted");
    cr_assert_eq(stats()->icmp_out_time_excds, 1);
    test_net_close(&net);
}

Test(reassembly, flood_of_fragments_is_bounded_and_passes)
{
    struct rte_mbuf *m;

    open_ip();
    for (unsigned i = 0; i < 20000; i++) {
        cr_assert_null(put((uint16_t)i, (struct piece){8 * (i % 7), 8 * (i % 7) + 8, false}));
        cr_assert_leq(kept(), KEPT_MAX * FRAGMENTS_MAX);
    }
    advance(WEIR_SECONDS(62));
    while ((m = test_net_sent(&net)) != NULL) /* what the senders were told */
        rte_pktmbuf_free(m);
    cr_assert_eq(kept(), 0);
    cr_assert_null(put(1, (struct piece){0, 8, false}));
    expect_body(put(1, (struct piece){8, 16, true}), 16);
    test_net_close(&net);
}

Test(reassembly, fragment_that_another_holds_too_is_copied)
{
    struct test_frame frame;
    struct test_ipv4 ip = {.src = TEST_PEER, .dst = TEST_US, .protocol = 17, .id = 3, .fragment = 0x2000};
    struct rte_mbuf *m, *held;

    open_ip();
    test_frame_ipv4(&frame, &ip, body, 8);
    m = held = test_frame_packet(net.pool, &frame);
    rte_mbuf_refcnt_update(m, 1);
    cr_assert_eq(weir_link_input(net.link, net.now, m), 0x0800);
    cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx), 0);
    expect_body(put(3, (struct piece){8, 24, true}), 24);
    cr_assert_null(held->next);
    rte_pktmbuf_free(held);
    test_net_close(&net);
}

/* As of a driver that lends its own buffers. */
Test(reassembly, fragments_in_buffers_that_are_not_ours_become_the_packet)
{
    struct rte_mbuf *m = NULL;

    test_net_open(&net, &(struct weir_link_options){.capabilities = WEIR_DEV_TX_MULTI_SEGS}, PACKETS);
    for (unsigned i = 0; i < 2; i++) {
        struct test_frame frame;
        struct test_ipv4 ip = {.src = TEST_PEER, .dst = TEST_US, .protocol = 17, .id = 1};

        ip.fragment = i == 0 ? 0x2000 : 2;
        memset(body + 16 * i, (int)i + 1, 16);
        test_frame_ipv4(&frame, &ip, body + 16 * i, 16);
        struct rte_mbuf *lender = test_frame_packet(net.pool, &frame);
        m = rte_pktmbuf_clone(lender, net.pool);
        rte_pktmbuf_free(lender);
        cr_assert_eq(weir_link_input(net.link, net.now, m), 0x0800);
        cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx), i == 0 ? 0 : 17);
    }
    expect_body(m, 32);
    cr_assert_eq(kept(), 0);
    test_net_close(&net);
}
