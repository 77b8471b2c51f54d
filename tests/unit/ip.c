/* IPv4: what is taken, what is dropped and why, what goes out. */
#include "packet.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(ip, .init = test_eal_init);

static struct test_net net;
static struct test_frame frame;
static struct weir_ip_rx rx;

static void open_ip(uint32_t capabilities)
{
    test_net_open(&net, &(struct weir_link_options){.capabilities = capabilities}, 255);
}

static const struct weir_ip_stats *stats(void)
{
    return weir_ip_stats(net.ip);
}

static const struct test_ipv4 from_peer = {.src = TEST_PEER, .dst = TEST_US, .protocol = 17, .tos = 0x10, .ttl = 9};

static uint8_t input(void)
{
    memset(&rx, 0x5a, sizeof(rx));
    return test_net_input(&net, &frame, &rx);
}

static uint8_t input_from_to(uint32_t src, uint32_t dst)
{
    test_frame_ipv4(&frame, &(struct test_ipv4){.src = src, .dst = dst, .protocol = 17}, "12345678", 8);
    return input();
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

/* ---- in ---- */

Test(ip, packet_for_us_is_given_up_with_what_its_header_says)
{
    open_ip(0);
    test_frame_ipv4(&frame, &from_peer, "payload!", 8);
    struct rte_mbuf *m = test_frame_packet(net.pool, &frame);
    cr_assert_eq(weir_link_input(net.link, net.now, m), 0x0800);
    cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx), 17);
    cr_assert(weir_address_equal(&rx.src, TEST_ADDRESS(TEST_PEER)));
    cr_assert(weir_address_equal(&rx.dst, TEST_ADDRESS(TEST_US)));
    cr_assert_eq(rx.protocol, 17);
    cr_assert_eq(rx.tos, 0x10);
    cr_assert_eq(rx.ttl, 9);
    cr_assert(!rx.broadcast);
    cr_assert_eq(m->l3_len, 20);
    cr_assert_eq(m->l2_len, 14);
    cr_assert_eq(m->pkt_len, 8);
    cr_assert_eq(memcmp(rte_pktmbuf_mtod(m, char *), "payload!", 8), 0);
    cr_assert_eq(*rte_pktmbuf_mtod_offset(m, uint8_t *, -20), 0x45, "the header stays readable in front");
    rte_pktmbuf_free(m);
    cr_assert_eq(stats()->in_delivers, 1);
    test_net_close(&net);
}

Test(ip, ethernet_padding_is_cut_off_across_segments)
{
    open_ip(0);
    test_frame_ipv4(&frame, &from_peer, "12345678", 8);
    test_frame_append(&frame, "padding padding pad", 18);
    for (unsigned first = 20; first < 46; first++) {
        const unsigned sizes[] = {first, 5};
        struct rte_mbuf *m = input_segments(sizes, 2);
        cr_assert_not_null(m, "first segment %u", first);
        test_packet_take(m, &(struct test_frame){0});
    }
    const unsigned sizes[] = {46};
    struct rte_mbuf *m = input_segments(sizes, 1);
    cr_assert_eq(m->pkt_len, 8);
    cr_assert_eq(m->nb_segs, 1);
    rte_pktmbuf_free(m);
    test_net_close(&net);
}

Test(ip, header_in_pieces_is_drawn_together_or_dropped)
{
    const unsigned sizes[] = {7, 6, 9};
    struct rte_mbuf *m;

    open_ip(0);
    test_frame_ipv4(&frame, &from_peer, "12345678", 8);
    m = input_segments(sizes, 3);
    cr_assert_not_null(m);
    cr_assert_eq(memcmp(rte_pktmbuf_mtod(m, char *), "12345678", 8), 0);
    rte_pktmbuf_free(m);

    m = test_segments(net.pool, frame.bytes + 14, frame.length - 14, sizes, 3);
    for (struct rte_mbuf *segment = m; segment != NULL; segment = segment->next)
        rte_mbuf_refcnt_update(segment, 1); /* another holds it: not ours to write */
    cr_assert_eq(weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx), 0);
    cr_assert_eq(stats()->in_hdr_errors, 1);
    cr_assert_eq(m->nb_segs, 4);
    rte_pktmbuf_free(m);
    test_net_close(&net);
}

Test(ip, short_packets_and_impossible_headers_are_dropped)
{
    open_ip(0);
    test_frame_ipv4(&frame, &from_peer, "12345678", 8);
    for (frame.length = 14; frame.length < 34; frame.length++)
        cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->in_hdr_errors, 20);
    for (frame.length = 34; frame.length < 42; frame.length++)
        cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->in_truncated, 8);
    for (unsigned first = 0; first < 256; first++) {
        frame.bytes[14] = (uint8_t)first;
        if (first != 0x45 && first != 0x46 && first != 0x47) /* options may well look like 12345678 */
            cr_assert_eq(input(), 0, "version and length %#x", first);
    }
    cr_assert_eq(stats()->in_hdr_errors, 20 + 253);
    test_net_close(&net);
}

Test(ip, wrong_checksum_is_dropped_unless_the_device_vouches_for_it)
{
    static const struct {
        uint64_t flags;
        bool right, taken;
    } cases[] = {
        {0, true, true},
        {0, false, false},
        {RTE_MBUF_F_RX_IP_CKSUM_GOOD, false, true},
        {RTE_MBUF_F_RX_IP_CKSUM_BAD, true, false},
        {RTE_MBUF_F_RX_IP_CKSUM_NONE, false, true},
    };
    open_ip(0);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        test_frame_ipv4(&frame, &from_peer, "12345678", 8);
        frame.bytes[14 + 8] ^= cases[i].right ? 0 : 1;
        struct rte_mbuf *m = test_packet(net.pool, frame.bytes + 14, (uint16_t)(frame.length - 14));
        m->ol_flags |= cases[i].flags;
        bool taken = weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx) == 17;
        cr_assert_eq(taken, cases[i].taken, "case %u", i);
        if (taken)
            rte_pktmbuf_free(m);
    }
    cr_assert_eq(stats()->in_cksum_errors, 2);
    test_net_close(&net);
}

Test(ip, every_flipped_bit_of_a_header_is_noticed)
{
    open_ip(0);
    for (unsigned bit = 0; bit < 160; bit++) {
        test_frame_ipv4(&frame, &from_peer, "12345678", 8);
        frame.bytes[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(input(), 0, "bit %u", bit);
    }
    test_net_close(&net);
}

Test(ip, packets_for_others_are_dropped)
{
    open_ip(0);
    cr_assert_eq(input_from_to(TEST_PEER, TEST_PEER), 0);
    cr_assert_eq(input_from_to(TEST_PEER, WEIR_IPV4(10, 0, 1, 255)), 0, "another network's broadcast");
    cr_assert_eq(input_from_to(TEST_PEER, WEIR_IPV4(127, 0, 0, 1)), 0);
    cr_assert_eq(input_from_to(TEST_PEER, 0), 0);
    cr_assert_eq(input_from_to(TEST_PEER, WEIR_IPV4(240, 0, 0, 1)), 0);
    cr_assert_eq(stats()->in_addr_errors, 5);
    expect_nothing();
    test_net_close(&net);
}

Test(ip, broadcasts_and_multicasts_are_flagged)
{
    open_ip(0);
    cr_assert_eq(input_from_to(TEST_PEER, UINT32_MAX), 17);
    cr_assert(rx.broadcast);
    cr_assert_eq(input_from_to(TEST_PEER, WEIR_IPV4(10, 0, 0, 255)), 17);
    cr_assert(rx.broadcast);
    cr_assert_eq(input_from_to(TEST_PEER, WEIR_IPV4(224, 0, 0, 1)), 17);
    cr_assert(rx.broadcast);
    cr_assert_eq(input_from_to(TEST_PEER, WEIR_IPV4(239, 255, 255, 255)), 17);
    cr_assert(rx.broadcast);
    cr_assert_eq(input_from_to(TEST_PEER, TEST_US), 17);
    cr_assert(!rx.broadcast);
    memcpy(frame.bytes, &test_mac_broadcast, 6);
    cr_assert_eq(input(), 17);
    cr_assert(rx.broadcast, "our address in a broadcast frame");
    test_net_close(&net);
}

Test(ip, senders_that_no_host_can_be_are_dropped)
{
    static const uint32_t senders[] = {0,
                                       WEIR_IPV4(0, 0, 0, 9),
                                       UINT32_MAX,
                                       WEIR_IPV4(10, 0, 0, 255),
                                       WEIR_IPV4(127, 0, 0, 1),
                                       WEIR_IPV4(127, 255, 255, 254),
                                       WEIR_IPV4(224, 0, 0, 1),
                                       WEIR_IPV4(239, 1, 1, 1),
                                       WEIR_IPV4(240, 0, 0, 1),
                                       TEST_US};
    open_ip(0);
    for (unsigned i = 0; i < RTE_DIM(senders); i++)
        cr_assert_eq(input_from_to(senders[i], TEST_US), 0, "sender %#x", senders[i]);
    cr_assert_eq(stats()->in_addr_errors, RTE_DIM(senders));
    cr_assert_eq(input_from_to(TEST_FAR, TEST_US), 17);
    test_net_close(&net);
}

Test(ip, dont_fragment_alone_is_no_fragment)
{
    struct test_ipv4 ip = from_peer;

    open_ip(0);
    ip.fragment = 0x4000;
    test_frame_ipv4(&frame, &ip, "12345678", 8);
    cr_assert_eq(input(), 17);
    expect_nothing();
    test_net_close(&net);
}

Test(ip, options_are_skipped_and_source_routes_dropped)
{
    const uint8_t fine[40] = {7, 39, 4}, loose[8] = {1, 131, 7, 4}, strict[8] = {137, 7, 4}, wrong[4] = {7, 99};
    struct test_ipv4 ip = from_peer;

    open_ip(0);
    ip.options = fine;
    ip.options_length = 40;
    test_frame_ipv4(&frame, &ip, "payload!", 8);
    const unsigned sizes[] = {30};
    struct rte_mbuf *m = input_segments(sizes, 1);
    cr_assert_not_null(m);
    cr_assert_eq(m->l3_len, 60);
    cr_assert_eq(memcmp(rte_pktmbuf_mtod(m, char *), "payload!", 8), 0);
    rte_pktmbuf_free(m);
    ip.options_length = 8;
    ip.options = loose;
    test_frame_ipv4(&frame, &ip, "payload!", 8);
    cr_assert_eq(input(), 0);
    ip.options = strict;
    test_frame_ipv4(&frame, &ip, "payload!", 8);
    cr_assert_eq(input(), 0);
    ip.options = wrong;
    ip.options_length = 4;
    test_frame_ipv4(&frame, &ip, "payload!", 8);
    cr_assert_eq(input(), 0);
    cr_assert_eq(stats()->in_hdr_errors, 3);
    expect_nothing();
    test_net_close(&net);
}

/* ---- opening ---- */

Test(ip, impossible_options_are_refused)
{
    static const struct {
        uint32_t address, gateway;
        uint8_t prefix;
        int answer;
    } cases[] = {
        {TEST_US, TEST_GATEWAY, 24, 0},
        {TEST_US, 0, 32, 0},
        {TEST_US, TEST_US ^ 1, 31, 0},
        {TEST_US, TEST_FAR, 0, 0},
        {0, 0, 24, 0},
        {0, TEST_GATEWAY, 24, -EINVAL},
        {WEIR_IPV4(224, 0, 0, 1), 0, 24, -EINVAL},
        {WEIR_IPV4(127, 0, 0, 1), 0, 8, -EINVAL},
        {WEIR_IPV4(10, 0, 0, 255), 0, 24, -EINVAL},
        {TEST_US, 0, 33, -EINVAL},
        {TEST_US, TEST_FAR, 24, -EINVAL},
        {TEST_US, TEST_US, 24, -EINVAL},
        {TEST_US, WEIR_IPV4(10, 0, 0, 255), 24, -EINVAL},
    };
    open_ip(0);
    weir_ip_close(net.ip);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        struct weir_ip_options options = {
            .address = cases[i].address, .gateway = cases[i].gateway, .prefix = cases[i].prefix, .pool = net.pool};
        int rc = weir_ip_open(&net.ip, &options, net.link);
        cr_assert_eq(rc, cases[i].answer, "case %u: %d", i, rc);
        cr_assert_eq(net.link->addresses_count, rc == 0 && cases[i].address != 0, "case %u", i);
        if (rc < 0)
            continue;
        cr_assert_eq(weir_ip_address(net.ip), cases[i].address);
        cr_assert_eq(weir_ip_link(net.ip), net.link);
        weir_ip_close(net.ip);
    }
    net.ip = NULL;
    test_net_close(&net);
}

/* ---- out ---- */

static struct weir_ip_path path;

static void send_text(const char *text)
{
    weir_ip_send(net.ip, net.now, &path, test_packet(net.pool, text, (uint16_t)strlen(text)), 0xb8);
}

static void expect_ipv4(const char *text, uint32_t dst, const struct rte_ether_addr *mac)
{
    cr_assert(test_net_take(&net, &frame), "'%s' was not sent", text);
    cr_assert_eq(frame.length, 34 + strlen(text));
    cr_assert_eq(memcmp(frame.bytes, mac, 6), 0);
    cr_assert_eq(memcmp(frame.bytes + 6, &test_mac_us, 6), 0);
    cr_assert_eq(memcmp(frame.bytes + 12, "\x08\0\x45\xb8", 4), 0);
    cr_assert_eq(test_get16(frame.bytes + 16), 20 + strlen(text));
    cr_assert_eq(memcmp(frame.bytes + 18, "\0\0\x40\0\x40\x11", 6), 0, "id 0, DF, TTL 64, UDP");
    cr_assert_eq(test_checksum(frame.bytes + 14, 20, 0), 0);
    cr_assert_eq(test_get32(frame.bytes + 26), TEST_US);
    cr_assert_eq(test_get32(frame.bytes + 30), dst);
    cr_assert_eq(memcmp(frame.bytes + 34, text, strlen(text)), 0);
}

Test(ip, packet_to_a_known_neighbour_goes_out_at_once)
{
    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    cr_assert_eq(path.mtu, 1500);
    send_text("hello");
    expect_ipv4("hello", TEST_PEER, &test_mac_peer);
    test_net_close(&net);
}

Test(ip, header_checksum_is_right_for_each_length_and_tos)
{
    static char text[1481];
    struct weir_rng rng;

    weir_rng_seed(&rng, 3);
    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    for (unsigned length = 1; length <= 1480; length++) {
        struct rte_mbuf *m = test_packet(net.pool, text, (uint16_t)length);
        weir_ip_send(net.ip, net.now, &path, m, (uint8_t)weir_rng_next(&rng));
        cr_assert(test_net_take(&net, &frame));
        cr_assert_eq(test_checksum(frame.bytes + 14, 20, 0), 0, "length %u", length);
        cr_assert_eq(test_get16(frame.bytes + 16), 20 + length);
    }
    weir_ip_send(net.ip, net.now, &path, test_packet(net.pool, text, 1481), 0);
    expect_nothing();
    cr_assert_eq(stats()->out_discards, 1, "larger than the MTU");
    cr_assert_eq(stats()->out_requests, 1481);
    test_net_close(&net);
}

Test(ip, header_checksum_survives_a_carry_out_of_a_carry)
{
    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    for (unsigned sum = 0; sum <= 0xffff; sum++) { /* whatever the rest of the header sums up to */
        struct rte_mbuf *m = test_packet(net.pool, "x", 1);
        uint16_t checksum;
        path.header_sum = (uint16_t)sum;
        weir_ip_send(net.ip, net.now, &path, m, 0xff);
        checksum = test_get16(rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + 10));
        cr_assert_eq(checksum, test_checksum(NULL, 0, rte_be_to_cpu_16((uint16_t)sum) + 21u + 0xffu), "%#x", sum);
        net.burst.count = 0;
        rte_pktmbuf_free(m);
    }
    test_net_close(&net);
}

Test(ip, far_destinations_go_through_the_gateway)
{
    open_ip(0);
    test_net_know(&net, TEST_GATEWAY, &test_mac_other);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_FAR), IPPROTO_UDP), 0);
    send_text("far");
    expect_ipv4("far", TEST_FAR, &test_mac_other);
    test_net_close(&net);
}

Test(ip, unknown_neighbour_is_resolved_first)
{
    open_ip(0);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    expect_nothing();
    send_text("one");
    send_text("two");
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(test_get16(frame.bytes + 12), 0x0806);
    expect_nothing();
    test_frame_arp(&frame, &test_mac_us, 2, &test_mac_peer, TEST_PEER, TEST_US);
    input();
    expect_ipv4("one", TEST_PEER, &test_mac_peer);
    expect_ipv4("two", TEST_PEER, &test_mac_peer);
    send_text("three");
    expect_ipv4("three", TEST_PEER, &test_mac_peer);
    send_text("four");
    expect_ipv4("four", TEST_PEER, &test_mac_peer);
    cr_assert_eq(path.generation, weir_neighbour_generation(path.neighbour));
    test_net_close(&net);
}

Test(ip, path_follows_its_neighbour_to_a_new_mac)
{
    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    test_net_know(&net, TEST_PEER, &test_mac_other);
    for (unsigned i = 0; i < 3; i++) {
        send_text("moved");
        expect_ipv4("moved", TEST_PEER, &test_mac_other);
    }
    test_net_close(&net);
}

Test(ip, path_whose_entry_went_to_another_finds_its_own_again)
{
    test_net_open(&net, &(struct weir_link_options){.neighbours_max = 1}, 255);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    test_net_know(&net, TEST_PEER + 1, &test_mac_other); /* takes the only place */
    send_text("mine");
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(test_get16(frame.bytes + 12), 0x0806, "not to the other's MAC");
    cr_assert_eq(test_get32(frame.bytes + 38), TEST_PEER);
    test_net_close(&net);
}

Test(ip, use_of_a_path_keeps_its_neighbour_alive)
{
    uint64_t asked;

    open_ip(0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    for (unsigned second = 0; second < 62; second++) {
        net.now += WEIR_SECONDS(1);
        send_text("use");
        weir_ip_confirm(net.ip, net.now, &path);
        weir_link_timers(net.link, net.now);
        expect_ipv4("use", TEST_PEER, &test_mac_peer);
    }
    asked = weir_link_stats(net.link)->arp_requests_out;
    cr_assert_eq(asked, 0, "a confirmed neighbour was asked");
    for (unsigned second = 0; second < 62 && asked == 0; second++) {
        net.now += WEIR_SECONDS(1);
        send_text("use");
        expect_ipv4("use", TEST_PEER, &test_mac_peer);
        weir_link_timers(net.link, net.now);
        asked = weir_link_stats(net.link)->arp_requests_out;
    }
    cr_assert_eq(asked, 1, "unconfirmed, but in use: it is to be asked");
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(memcmp(frame.bytes, &test_mac_peer, 6), 0, "by unicast");
    test_net_close(&net);
}

Test(ip, destinations_without_a_way_are_refused)
{
    static const uint32_t invalid[] = {0,
                                       TEST_US,
                                       UINT32_MAX,
                                       WEIR_IPV4(10, 0, 0, 255),
                                       WEIR_IPV4(224, 0, 0, 5),
                                       WEIR_IPV4(240, 0, 0, 5),
                                       WEIR_IPV4(127, 0, 0, 1)};

    open_ip(0);
    for (unsigned i = 0; i < RTE_DIM(invalid); i++)
        cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(invalid[i]), 17), -EINVAL, "%#x",
                     invalid[i]);
    cr_assert_eq(weir_ip_remove_route(net.ip, TEST_ADDRESS(0), 0, TEST_ADDRESS(TEST_GATEWAY)), 0);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_FAR), 17), -ENETUNREACH);
    cr_assert_eq(stats()->out_no_routes, 1);
    test_net_close(&net);
}

Test(ip, full_neighbour_table_is_an_error_value)
{
    test_net_open(&net, &(struct weir_link_options){.neighbours_max = 1}, 255);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), 17), 0);
    send_text("waits");
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &(struct weir_ip_path){0}, NULL, TEST_ADDRESS(TEST_PEER + 1), 17),
                 -ENOBUFS);
    test_net_close(&net);
}

Test(ip, device_that_does_checksums_is_told_where_they_lie)
{
    open_ip(WEIR_DEV_TX_UDP_CKSUM | WEIR_DEV_TX_IPV4_CKSUM);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
    struct rte_mbuf *m = test_packet(net.pool, "12345678", 8);
    m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
    weir_ip_send(net.ip, net.now, &path, m, 0);
    m = test_net_sent(&net);
    cr_assert_not_null(m);
    cr_assert(m->ol_flags & RTE_MBUF_F_TX_IPV4);
    cr_assert_eq(m->l2_len, 14);
    cr_assert_eq(m->l3_len, 20);
    cr_assert_eq(rte_validate_tx_offload(m), 0);
    test_packet_take(m, &frame);
    cr_assert_eq(test_checksum(frame.bytes + 14, 20, 0), 0);
    test_net_close(&net);
}

static struct rte_mbuf *without_headroom(const char *text)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(net.pool);

    cr_assert_not_null(m);
    m->data_off = 0;
    memcpy(rte_pktmbuf_append(m, (uint16_t)strlen(text)), text, strlen(text));
    return m;
}

Test(ip, packet_without_headroom_is_given_some)
{
    for (unsigned able = 0; able < 2; able++) {
        open_ip(able ? WEIR_DEV_TX_MULTI_SEGS : 0);
        test_net_know(&net, TEST_PEER, &test_mac_peer);
        cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
        weir_ip_send(net.ip, net.now, &path, without_headroom("tight"), 0xb8);
        expect_ipv4("tight", TEST_PEER, &test_mac_peer);
        test_net_close(&net);
    }
}

Test(ip, chain_is_copied_for_a_device_that_takes_one_segment)
{
    const unsigned sizes[] = {3, 4};

    for (unsigned able = 0; able < 2; able++) {
        open_ip(able ? WEIR_DEV_TX_MULTI_SEGS : 0);
        test_net_know(&net, TEST_PEER, &test_mac_peer);
        cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
        weir_ip_send(net.ip, net.now, &path, test_segments(net.pool, "abcdefghijk", 11, sizes, 2), 0xb8);
        struct rte_mbuf *m = test_net_sent(&net);
        cr_assert_eq(m->nb_segs, able ? 3 : 1);
        net.sent_taken--;
        expect_ipv4("abcdefghijk", TEST_PEER, &test_mac_peer);
        test_net_close(&net);
    }
}

Test(ip, no_memory_is_counted_and_loses_no_packet)
{
    struct rte_mbuf *all[255], *m;
    unsigned got;

    for (unsigned able = 0; able < 2; able++) {
        open_ip(able ? WEIR_DEV_TX_MULTI_SEGS : 0);
        test_net_know(&net, TEST_PEER, &test_mac_peer);
        cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_ADDRESS(TEST_PEER), IPPROTO_UDP), 0);
        m = without_headroom("tight");
        for (got = 0; got < 255 && (all[got] = rte_pktmbuf_alloc(net.pool)) != NULL; got++)
            ;
        weir_ip_send(net.ip, net.now, &path, m, 0);
        cr_assert_eq(stats()->out_discards, 1);
        rte_pktmbuf_free_bulk(all, got);
        expect_nothing();
        test_net_close(&net);
    }
}
