/* Ethernet: which frames go up, and how packets become frames. */
#include "packet.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(link, .init = test_eal_init);

static struct test_net net;
static struct test_frame frame;

static void open_link(const struct weir_link_options *options)
{
    test_net_open(&net, options, 2047);
}

static const struct weir_link_stats *stats(void)
{
    return weir_link_stats(net.link);
}

Test(link, ipv4_for_us_or_for_all_goes_up_with_its_header_stripped)
{
    const struct rte_ether_addr multicast = {{0x01, 0, 0x5e, 0, 0, 1}};
    const struct rte_ether_addr *to[] = {&test_mac_us, &test_mac_broadcast, &multicast};

    open_link(&(struct weir_link_options){0});
    for (unsigned i = 0; i < 3; i++) {
        test_frame_ethernet(&frame, to[i], &test_mac_peer, 0x0800);
        test_frame_append(&frame, "payload", 7);
        struct rte_mbuf *m = test_frame_packet(net.pool, &frame);
        cr_assert_eq(weir_link_input(net.link, net.now, m), 0x0800);
        cr_assert_eq(m->pkt_len, 7);
        cr_assert_eq(m->l2_len, 14);
        cr_assert_eq(memcmp(rte_pktmbuf_mtod(m, char *), "payload", 7), 0);
        rte_pktmbuf_free(m);
    }
    cr_assert_eq(stats()->rx_frames, 3);
    test_net_close(&net);
}

Test(link, frames_for_others_are_dropped)
{
    open_link(&(struct weir_link_options){0});
    test_frame_ethernet(&frame, &test_mac_other, &test_mac_peer, 0x0800);
    test_frame_append(&frame, "payload", 7);
    cr_assert_eq(weir_link_input(net.link, net.now, test_frame_packet(net.pool, &frame)), 0);
    cr_assert_eq(stats()->rx_not_for_us, 1);
    test_net_close(&net);
}

Test(link, short_frames_and_multicast_senders_are_bad)
{
    open_link(&(struct weir_link_options){0});
    test_frame_ethernet(&frame, &test_mac_us, &test_mac_peer, 0x0800);
    for (frame.length = 0; frame.length < 14; frame.length++)
        cr_assert_eq(weir_link_input(net.link, net.now, test_frame_packet(net.pool, &frame)), 0);
    cr_assert_eq(stats()->rx_bad, 14);
    test_frame_ethernet(&frame, &test_mac_us, &test_mac_broadcast, 0x0800);
    cr_assert_eq(weir_link_input(net.link, net.now, test_frame_packet(net.pool, &frame)), 0);
    cr_assert_eq(stats()->rx_bad, 15);
    test_net_close(&net);
}

Test(link, other_types_are_dropped_and_counted)
{
    static const uint16_t types[] = {0, 46, 1500, 0x0801, 0x8100, 0x86dd, 0xffff};

    open_link(&(struct weir_link_options){0});
    for (unsigned i = 0; i < RTE_DIM(types); i++) {
        test_frame_ethernet(&frame, &test_mac_us, &test_mac_peer, types[i]);
        cr_assert_eq(weir_link_input(net.link, net.now, test_frame_packet(net.pool, &frame)), 0);
    }
    cr_assert_eq(stats()->rx_unknown_type, RTE_DIM(types));
    test_net_close(&net);
}

Test(link, header_in_pieces_is_drawn_together)
{
    const unsigned sizes[] = {3, 8};

    open_link(&(struct weir_link_options){0});
    test_frame_ethernet(&frame, &test_mac_us, &test_mac_peer, 0x0800);
    test_frame_append(&frame, "payload", 7);
    struct rte_mbuf *m = test_segments(net.pool, frame.bytes, frame.length, sizes, 2);
    cr_assert_eq(weir_link_input(net.link, net.now, m), 0x0800);
    cr_assert_eq(memcmp(rte_pktmbuf_mtod(m, char *), "payload", 7), 0);
    rte_pktmbuf_free(m);
    test_net_close(&net);
}

Test(link, packet_without_headroom_gets_a_segment_for_its_header_where_the_device_takes_that)
{
    for (unsigned able = 0; able < 2; able++) {
        open_link(&(struct weir_link_options){.capabilities = able ? WEIR_DEV_TX_MULTI_SEGS : 0});
        test_net_know(&net, TEST_PEER, &test_mac_peer);
        struct rte_mbuf *m = test_packet(net.pool, "payload", 7);
        rte_pktmbuf_prepend(m, rte_pktmbuf_headroom(m));
        rte_pktmbuf_adj(m, 0);
        weir_link_send(net.link, net.now, weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER)), 0x0800, m);
        m = test_net_sent(&net);
        cr_assert_eq(m != NULL, able);
        if (m != NULL) {
            cr_assert_eq(m->nb_segs, 2);
            cr_assert_eq(m->pkt_len, 14 + 7 + RTE_PKTMBUF_HEADROOM);
            rte_pktmbuf_free(m);
        }
        cr_assert_eq(stats()->tx_no_memory, !able);
        test_net_close(&net);
    }
}

Test(link, options_have_defaults_and_addresses_a_limit)
{
    open_link(&(struct weir_link_options){.capabilities = WEIR_DEV_RX_CKSUM});
    cr_assert_eq(weir_link_mtu(net.link), 1500);
    cr_assert_eq(weir_link_capabilities(net.link), WEIR_DEV_RX_CKSUM);
    cr_assert_eq(weir_link_burst(net.link), &net.burst);
    for (uint32_t i = 1; i < WEIR_LINK_ADDRESSES_MAX; i++)
        cr_assert_eq(weir_link_add_address(net.link, TEST_ADDRESS(TEST_US + 16 + i), 120, 0), 0);
    cr_assert_eq(weir_link_add_address(net.link, TEST_ADDRESS(TEST_US + 99), 120, 0), -ENOSPC);
    cr_assert_eq(weir_link_add_address(net.link, TEST_ADDRESS(TEST_US), 120, 0), -EEXIST);
    test_frame_arp(&frame, &test_mac_broadcast, 1, &test_mac_peer, TEST_PEER, TEST_US + 16 + 7);
    cr_assert_eq(test_net_input(&net, &frame, NULL), 0);
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(test_get32(frame.bytes + 28), TEST_US + 16 + 7);
    test_net_close(&net);
}
