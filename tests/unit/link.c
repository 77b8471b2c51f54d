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
    static const uint16_t types[] = {0, 46, 1500, 0x0801, 0x88a8, 0xffff};

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

/* ---- VLANs: IEEE 802.1Q ---- */

enum { VLAN = 7 };

static struct rte_mbuf *tagged(uint16_t tci, uint16_t type)
{
    uint8_t tag[4];

    test_put16(tag, tci);
    test_put16(tag + 2, type);
    test_frame_ethernet(&frame, &test_mac_us, &test_mac_peer, 0x8100);
    test_frame_append(&frame, tag, sizeof(tag));
    test_frame_append(&frame, "payload", 7);
    return test_frame_packet(net.pool, &frame);
}

static struct rte_mbuf *untagged(void)
{
    test_frame_ethernet(&frame, &test_mac_us, &test_mac_peer, 0x0800);
    test_frame_append(&frame, "payload", 7);
    return test_frame_packet(net.pool, &frame);
}

/* As a device hands it over that takes tags off. */
static struct rte_mbuf *stripped(uint16_t tci)
{
    struct rte_mbuf *m = untagged();

    m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    m->vlan_tci = tci;
    return m;
}

static bool goes_up(struct rte_mbuf *m, uint16_t l2_length)
{
    uint64_t others = stats()->rx_other_vlan;

    if (weir_link_input(net.link, net.now, m) == 0) {
        cr_assert_eq(stats()->rx_other_vlan, others + 1, "it is counted");
        return false;
    }
    cr_assert_eq(m->l2_len, l2_length);
    cr_assert_eq(memcmp(rte_pktmbuf_mtod_offset(m, char *, -(int)l2_length), &test_mac_us, 6), 0);
    cr_assert_eq(m->pkt_len, 7);
    cr_assert_eq(memcmp(rte_pktmbuf_mtod(m, char *), "payload", 7), 0);
    rte_pktmbuf_free(m);
    return true;
}

Test(link, vlan_takes_frames_of_its_own_tag_only)
{
    open_link(&(struct weir_link_options){.vlan = VLAN});
    cr_assert(goes_up(tagged(VLAN, 0x0800), 18));
    cr_assert(goes_up(tagged(5 << 13 | 1 << 12 | VLAN, 0x0800), 18), "with a priority");
    cr_assert(goes_up(stripped(VLAN), 14));
    cr_assert(goes_up(stripped(5 << 13 | VLAN), 14));
    cr_assert(!goes_up(tagged(VLAN + 1, 0x0800), 18));
    cr_assert(!goes_up(tagged(5 << 13, 0x0800), 18), "priority alone is no VLAN");
    cr_assert(!goes_up(stripped(VLAN + 1), 14));
    cr_assert(!goes_up(untagged(), 14));
    cr_assert_eq(weir_link_input(net.link, net.now, tagged(VLAN, 0x8100)), 0, "a tag in a tag");
    cr_assert_eq(stats()->rx_unknown_type, 1);
    struct rte_mbuf *m = tagged(VLAN, 0x0800);
    m->data_len = m->pkt_len = 17;
    cr_assert(!goes_up(m, 18));
    test_net_close(&net);
}

Test(link, without_a_vlan_a_tag_may_say_no_more_than_a_priority)
{
    open_link(&(struct weir_link_options){0});
    cr_assert(goes_up(untagged(), 14));
    cr_assert(goes_up(tagged(0, 0x0800), 18));
    cr_assert(goes_up(tagged(7 << 13, 0x0800), 18));
    cr_assert(goes_up(stripped(7 << 13), 14));
    cr_assert(!goes_up(tagged(VLAN, 0x0800), 18));
    cr_assert(!goes_up(stripped(VLAN), 14));
    test_net_close(&net);
}

Test(link, vlan_frames_go_out_tagged)
{
    const unsigned sizes[] = {15, 20};
    struct weir_ip_path path;
    struct rte_mbuf *m;

    open_link(&(struct weir_link_options){.vlan = VLAN});
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    weir_ip_send(net.ip, net.now, &path, test_packet(net.pool, "first", 5), 0);
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(memcmp(frame.bytes + 12, "\x81\x00\x00\x07\x08\x06", 6), 0, "ARP's request");
    cr_assert_eq(frame.length, 18 + 28);

    test_frame_arp(&frame, &test_mac_us, 2, &test_mac_peer, TEST_PEER, TEST_US);
    memmove(frame.bytes + 18, frame.bytes + 14, 28);
    memcpy(frame.bytes + 12, "\x81\x00\x00\x07\x08\x06", 6);
    frame.length += 4;
    m = test_segments(net.pool, frame.bytes, frame.length, sizes, 2);
    cr_assert_eq(weir_link_input(net.link, net.now, m), 0);
    for (unsigned i = 0; i < 2; i++) { /* by the link, for it waited; and by IP itself */
        cr_assert(test_net_take(&net, &frame));
        cr_assert_eq(memcmp(frame.bytes, &test_mac_peer, 6), 0);
        cr_assert_eq(memcmp(frame.bytes + 6, &test_mac_us, 6), 0);
        cr_assert_eq(memcmp(frame.bytes + 12, "\x81\x00\x00\x07\x08\x00\x45", 7), 0);
        cr_assert_eq(frame.length, 18 + 20 + 5);
        cr_assert_eq(test_checksum(frame.bytes + 18, 20, 0), 0);
        cr_assert_eq(memcmp(frame.bytes + 38, i == 0 ? "first" : "other", 5), 0);
        if (i == 0)
            weir_ip_send(net.ip, net.now, &path, test_packet(net.pool, "other", 5), 0);
    }
    cr_assert_eq(path.l2_length, 18);
    cr_assert_eq(path.mtu, 1500, "the tag is not part of it");
    test_net_close(&net);
}

Test(link, vlans_that_cannot_be_are_refused)
{
    struct weir_link_options options = {.mac = test_mac_us, .vlan = 4095};
    struct weir_link *link;

    open_link(&(struct weir_link_options){0});
    cr_assert_eq(weir_link_open(&link, &options, &net.burst), -EINVAL);
    test_net_close(&net);
}
