/* Checksums against a naive one, and each codec against whole, short and malformed headers. */
#include "packet.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <weir/net/wire.h>

TestSuite(wire, .init = test_eal_init);

enum { SEED = 20260101 };

/* What a sum, as it lies in memory, is as a checksum in host order. */
static uint16_t as_checksum(uint16_t sum)
{
    return (uint16_t)~rte_be_to_cpu_16(sum);
}

/* 0 and 0xffff are one number in one's complement; sums of no bytes, or of zeros, are the only true 0. */
static void fill(struct weir_rng *rng, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)weir_rng_next(rng);
}

Test(wire, sum_is_that_of_the_naive_loop_at_each_length_and_alignment)
{
    static uint8_t bytes[4096 + 64];
    struct weir_rng rng;

    weir_rng_seed(&rng, SEED);
    for (unsigned length = 0; length <= 2100; length++) {
        unsigned offset = (unsigned)weir_rng_below(&rng, 33);
        fill(&rng, bytes, sizeof(bytes));
        cr_assert_eq(as_checksum(weir_sum(bytes + offset, length)), test_checksum(bytes + offset, length, 0),
                     "length %u offset %u seed %u", length, offset, SEED);
    }
}

Test(wire, sum_reads_nothing_beyond_its_bytes)
{
    for (size_t length = 0; length < 300; length++) { /* the heap's red zones watch, in a build with sanitizers */
        uint8_t *bytes = malloc(length + 1);
        memset(bytes, 0x5a, length);
        bytes[length] = 0xff;
        cr_assert_eq(as_checksum(weir_sum(bytes, length)), test_checksum(bytes, length, 0));
        uint8_t *exact = realloc(bytes, length > 0 ? length : 1);
        cr_assert_eq(as_checksum(weir_sum(exact, length)), test_checksum(exact, length, 0));
        free(exact);
    }
}

Test(wire, sum_of_all_ones_and_of_all_zeros_does_not_overflow)
{
    static uint8_t bytes[300001];

    cr_assert_eq(weir_sum(bytes, sizeof(bytes)), 0);
    memset(bytes, 0xff, sizeof(bytes));
    for (unsigned length = 2; length <= sizeof(bytes); length = length * 3 + 1)
        cr_assert_eq(as_checksum(weir_sum(bytes, length)), test_checksum(bytes, length, 0), "length %u", length);
    cr_assert_eq(as_checksum(weir_sum(bytes, 65536)), 0);
    cr_assert_eq(as_checksum(weir_sum(bytes, 300000)), 0);
}

Test(wire, sum_of_a_packet_does_not_see_its_segments)
{
    struct rte_mempool *pool = test_pool(64);
    static uint8_t bytes[3000];
    struct weir_rng rng;

    weir_rng_seed(&rng, SEED);
    for (unsigned round = 0; round < 400; round++) {
        unsigned sizes[5], length = (unsigned)weir_rng_below(&rng, 1500);
        unsigned offset = (unsigned)weir_rng_below(&rng, length + 1);
        unsigned part = (unsigned)weir_rng_below(&rng, length - offset + 1);
        fill(&rng, bytes, length);
        for (unsigned i = 0; i < 5; i++)
            sizes[i] = (unsigned)weir_rng_below(&rng, 3) == 0 ? (unsigned)weir_rng_below(&rng, 3)
                                                              : (unsigned)weir_rng_below(&rng, 400);
        struct rte_mbuf *m = test_segments(pool, bytes, length, sizes, (unsigned)weir_rng_below(&rng, 6));
        cr_assert_eq(as_checksum(weir_sum_packet(m, offset, part)), test_checksum(bytes + offset, part, 0),
                     "round %u seed %u", round, SEED);
        rte_pktmbuf_free(m);
    }
    test_pool_is_full(pool);
}

Test(wire, update_gives_what_a_new_computation_gives)
{
    struct weir_rng rng;
    uint8_t bytes[20];

    weir_rng_seed(&rng, SEED);
    for (unsigned round = 0; round < 20000; round++) {
        uint16_t checksum, before16, after16 = (uint16_t)weir_rng_next(&rng);
        uint32_t before32, after32 = (uint32_t)weir_rng_next(&rng);

        fill(&rng, bytes, sizeof(bytes));
        if (round % 16 == 0) /* the corner of RFC 1624 section 4 */
            memset(bytes, round % 32 == 0 ? 0 : 0xff, 6), after16 = round % 32 == 0 ? 0xffff : 0;
        checksum = (uint16_t)~weir_sum(bytes, sizeof(bytes));
        memcpy(&before16, bytes + 4, 2);
        memcpy(bytes + 4, &after16, 2);
        checksum = weir_checksum_update16(checksum, before16, after16);
        memcpy(&before32, bytes + 8, 4);
        memcpy(bytes + 8, &after32, 4);
        checksum = weir_checksum_update32(checksum, before32, after32);
        cr_assert_eq(checksum, (uint16_t)~weir_sum(bytes, sizeof(bytes)), "round %u seed %u", round, SEED);
    }
}

Test(wire, join_is_zero_on_a_right_segment_and_gives_the_checksum_of_an_empty_field)
{
    uint8_t udp[13] = {0x12, 0x34, 0, 7, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o'};
    uint16_t pseudo = weir_sum_pseudo(TEST_PEER, TEST_US, 17), checksum;

    checksum = weir_checksum_join(pseudo, 13, weir_sum(udp, 13));
    memcpy(udp + 6, &checksum, 2);
    cr_assert_eq(test_checksum(udp, 13, test_pseudo(TEST_PEER, TEST_US, 17, 13)), 0);
    cr_assert_eq(weir_checksum_join(pseudo, 13, weir_sum(udp, 13)), 0);
    udp[9] ^= 1;
    cr_assert_neq(weir_checksum_join(pseudo, 13, weir_sum(udp, 13)), 0);
}

Test(wire, ethernet_is_read_whole_or_not_at_all)
{
    struct weir_ethernet header;
    struct test_frame frame;

    test_frame_ethernet(&frame, &test_mac_us, &test_mac_peer, 0x86dd);
    cr_assert_eq(weir_ethernet_parse(frame.bytes, 14, &header), 0);
    cr_assert(rte_is_same_ether_addr(&header.dst, &test_mac_us));
    cr_assert(rte_is_same_ether_addr(&header.src, &test_mac_peer));
    cr_assert_eq(header.type, 0x86dd);
    for (unsigned length = 0; length < 14; length++)
        cr_assert_eq(weir_ethernet_parse(frame.bytes, length, &header), -EBADMSG);
}

Test(wire, arp_reads_what_it_writes_at_any_alignment)
{
    struct weir_arp in = {.operation = 2,
                          .sender_mac = test_mac_peer,
                          .target_mac = test_mac_us,
                          .sender = TEST_PEER,
                          .target = TEST_US},
                    out;
    uint8_t bytes[40];

    for (unsigned offset = 0; offset < 8; offset++) {
        weir_arp_write(bytes + offset, &in);
        cr_assert_eq(weir_arp_parse(bytes + offset, 28, &out), 0);
        cr_assert_eq(out.operation, 2);
        cr_assert(rte_is_same_ether_addr(&out.sender_mac, &test_mac_peer));
        cr_assert(rte_is_same_ether_addr(&out.target_mac, &test_mac_us));
        cr_assert_eq(out.sender, TEST_PEER);
        cr_assert_eq(out.target, TEST_US);
    }
    struct test_frame frame;
    test_frame_arp(&frame, &test_mac_us, 2, &test_mac_peer, TEST_PEER, TEST_US);
    cr_assert_eq(memcmp(bytes + 7, frame.bytes + 14, 28), 0);
}

Test(wire, arp_of_other_kinds_is_refused)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } wrong[] = {{0, 1}, {1, 6}, {2, 0x86}, {3, 1}, {4, 8}, {5, 16}, {6, 1}, {7, 0}, {7, 3}, {8, 0x03}};
    struct test_frame frame;
    struct weir_arp arp;

    test_frame_arp(&frame, &test_mac_us, 1, &test_mac_peer, TEST_PEER, TEST_US);
    for (unsigned length = 0; length < 28; length++)
        cr_assert_eq(weir_arp_parse(frame.bytes + 14, length, &arp), -EBADMSG);
    for (unsigned i = 0; i < RTE_DIM(wrong); i++) {
        uint8_t bytes[28];
        memcpy(bytes, frame.bytes + 14, 28);
        bytes[wrong[i].at] = wrong[i].value;
        cr_assert_eq(weir_arp_parse(bytes, 28, &arp), -EBADMSG, "byte %u", wrong[i].at);
    }
    memset(frame.bytes + 14 + 8, 0, 6);
    cr_assert_eq(weir_arp_parse(frame.bytes + 14, 28, &arp), -EBADMSG, "a sender without a MAC");
}

Test(wire, ipv4_fields_come_in_host_order)
{
    struct test_frame frame;
    struct weir_ipv4 header;

    test_frame_ipv4(&frame,
                    &(struct test_ipv4){.src = TEST_PEER,
                                        .dst = TEST_US,
                                        .protocol = 6,
                                        .tos = 0xb8,
                                        .ttl = 7,
                                        .fragment = 0x2003,
                                        .options = (const uint8_t[]){1, 1, 1, 0},
                                        .options_length = 4},
                    "abcdef", 6);
    cr_assert_eq(weir_ipv4_parse(frame.bytes + 14, 24, &header), 0);
    cr_assert_eq(header.src, TEST_PEER);
    cr_assert_eq(header.dst, TEST_US);
    cr_assert_eq(header.total_length, 30);
    cr_assert_eq(header.header_length, 24);
    cr_assert_eq(header.protocol, 6);
    cr_assert_eq(header.tos, 0xb8);
    cr_assert_eq(header.ttl, 7);
    cr_assert_eq(header.fragment_offset, 24);
    cr_assert(header.more_fragments);
}

Test(wire, ipv4_with_impossible_lengths_is_refused)
{
    struct test_frame frame;
    struct weir_ipv4 header;
    uint8_t *ip = frame.bytes + 14;

    test_frame_ipv4(&frame, &(struct test_ipv4){.src = TEST_PEER, .dst = TEST_US, .protocol = 6}, "abcdefgh", 8);
    for (unsigned length = 0; length < 20; length++)
        cr_assert_eq(weir_ipv4_parse(ip, length, &header), -EBADMSG);
    cr_assert_eq(weir_ipv4_parse(ip, 20, &header), 0);
    for (unsigned first = 0; first < 256; first++) {
        ip[0] = (uint8_t)first;
        bool fine = first >> 4 == 4 && (first & 15) >= 5 && (first & 15) * 4 <= 28;
        cr_assert_eq(weir_ipv4_parse(ip, 28, &header), fine ? 0 : -EBADMSG, "version and length %#x", first);
    }
    ip[0] = 0x46;
    cr_assert_eq(weir_ipv4_parse(ip, 23, &header), -EBADMSG, "options that are not there");
    test_put16(ip + 2, 23);
    cr_assert_eq(weir_ipv4_parse(ip, 28, &header), -EBADMSG, "shorter than its own header");
}

Test(wire, source_routes_are_found_among_options)
{
    static const struct {
        uint8_t bytes[8];
        unsigned length;
        int answer;
    } cases[] = {
        {{0}, 0, 0},
        {{1, 1, 1, 1}, 4, 0},
        {{0, 131, 3, 4}, 4, 0}, /* after the end */
        {{131, 3, 4, 0}, 4, 1},
        {{1, 137, 3, 4}, 4, 1},
        {{148, 4, 0, 0, 131, 3, 4, 0}, 8, 1}, /* after router alert */
        {{7, 3, 4, 0}, 4, 0},                 /* record route */
        {{7, 1, 0, 0}, 4, -EBADMSG},
        {{7, 0, 0, 0}, 4, -EBADMSG},
        {{7, 5, 0, 0}, 4, -EBADMSG},
        {{1, 1, 1, 7}, 4, -EBADMSG},
    };
    for (unsigned i = 0; i < RTE_DIM(cases); i++)
        cr_assert_eq(weir_ipv4_source_routed(cases[i].bytes, cases[i].length), cases[i].answer, "case %u", i);
}

Test(wire, icmp_says_an_mtu_only_where_one_is)
{
    uint8_t bytes[8] = {3, 4, 0, 0, 0, 0, 0x05, 0x78};
    struct weir_icmp icmp;

    cr_assert_eq(weir_icmp_parse(bytes, 8, &icmp), 0);
    cr_assert_eq(icmp.type, 3);
    cr_assert_eq(icmp.code, 4);
    cr_assert_eq(icmp.mtu, 1400);
    bytes[1] = 3;
    cr_assert_eq(weir_icmp_parse(bytes, 8, &icmp), 0);
    cr_assert_eq(icmp.mtu, 0);
    for (unsigned length = 0; length < 8; length++)
        cr_assert_eq(weir_icmp_parse(bytes, length, &icmp), -EBADMSG);
}

Test(wire, icmp_quote_needs_a_header_and_eight_bytes)
{
    struct test_frame frame;
    struct weir_icmp_quote quote;
    uint8_t *ip = frame.bytes + 14;

    test_frame_ipv4(&frame, &(struct test_ipv4){.src = TEST_US, .dst = TEST_PEER, .protocol = 17}, "12345678", 8);
    cr_assert_eq(weir_icmp_quote_parse(ip, 28, &quote), 0);
    cr_assert_eq(quote.src, TEST_US);
    cr_assert_eq(quote.dst, TEST_PEER);
    cr_assert_eq(quote.protocol, 17);
    cr_assert_eq(memcmp(quote.transport, "12345678", 8), 0);
    for (unsigned length = 0; length < 28; length++)
        cr_assert_eq(weir_icmp_quote_parse(ip, length, &quote), -EBADMSG);
    test_put16(ip + 2, 1500);
    cr_assert_eq(weir_icmp_quote_parse(ip, 28, &quote), 0, "quotes are cut short");
    test_put16(ip + 2, 27);
    cr_assert_eq(weir_icmp_quote_parse(ip, 28, &quote), -EBADMSG);
    test_put16(ip + 2, 28);
    test_put16(ip + 6, 1);
    cr_assert_eq(weir_icmp_quote_parse(ip, 28, &quote), -EBADMSG, "a later fragment has no ports");
}

Test(wire, udp_with_impossible_lengths_is_refused)
{
    uint8_t bytes[8] = {0x12, 0x34, 0, 7, 0, 9, 0xab, 0xcd};
    struct weir_udp_header header;

    cr_assert_eq(weir_udp_parse(bytes, 8, &header), 0);
    cr_assert_eq(header.src_port, 0x1234);
    cr_assert_eq(header.dst_port, 7);
    cr_assert_eq(header.length, 9);
    cr_assert_eq(memcmp(&header.checksum, bytes + 6, 2), 0);
    for (unsigned length = 0; length < 8; length++)
        cr_assert_eq(weir_udp_parse(bytes, length, &header), -EBADMSG);
    bytes[5] = 7;
    cr_assert_eq(weir_udp_parse(bytes, 8, &header), -EBADMSG);
}

/* ---- the packet itself: weir/net/packet.h ---- */

TestSuite(packet, .init = test_eal_init);

Test(packet, registering_again_is_fine)
{
    cr_assert_eq(weir_packet_register(), 0);
    cr_assert_eq(weir_packet_register(), 0);
}

Test(packet, pool_has_the_room_that_was_asked_for)
{
    struct rte_mempool *pool = weir_packet_pool("room", 15, 0, 300);
    struct rte_mempool *usual = test_pool(15);

    cr_assert_not_null(pool);
    cr_assert_eq(rte_pktmbuf_data_room_size(pool), 300 + RTE_PKTMBUF_HEADROOM);
    cr_assert_eq(rte_pktmbuf_data_room_size(usual), 2048 + RTE_PKTMBUF_HEADROOM);
    cr_assert_null(weir_packet_pool("vast", 15, 0, 65535));
    test_pool_is_full(pool);
    test_pool_is_full(usual);
}

Test(packet, queue_is_first_in_first_out_and_frees_what_is_left)
{
    struct rte_mempool *pool = test_pool(15);
    struct weir_packet_queue queue;

    weir_packet_queue_init(&queue);
    cr_assert_null(weir_packet_queue_pop(&queue));
    for (char i = 0; i < 5; i++)
        weir_packet_queue_push(&queue, test_packet(pool, &i, 1));
    for (char i = 0; i < 3; i++) {
        struct rte_mbuf *m = weir_packet_queue_pop(&queue);
        cr_assert_eq(*rte_pktmbuf_mtod(m, char *), i);
        rte_pktmbuf_free(m);
    }
    weir_packet_queue_free(&queue);
    cr_assert_null(weir_packet_queue_pop(&queue));
    test_pool_is_full(pool);
}

Test(packet, cut_frees_the_segments_that_are_left_empty)
{
    struct rte_mempool *pool = test_pool(63);
    const unsigned sizes[] = {10, 20, 0, 30};
    uint8_t bytes[100];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    for (unsigned length = 0; length <= 100; length++) {
        struct rte_mbuf *m = test_segments(pool, bytes, 100, sizes, 4);
        struct test_frame frame;
        weir_packet_cut(m, length);
        cr_assert_eq(m->nb_segs, length <= 10 ? 1 : length <= 30 ? 2 : length <= 60 ? 4 : 5, "length %u", length);
        test_packet_take(m, &frame);
        cr_assert_eq(frame.length, length);
        cr_assert_eq(memcmp(frame.bytes, bytes, length), 0);
    }
    test_pool_is_full(pool);
}

Test(packet, pull_joins_segments_and_refuses_what_others_hold)
{
    struct rte_mempool *pool = test_pool(15);
    const unsigned sizes[] = {3, 4};
    struct rte_mbuf *m = test_segments(pool, "abcdefghijklmnop", 16, sizes, 2);

    cr_assert(weir_packet_pull(m, 3));
    cr_assert_eq(m->nb_segs, 3);
    cr_assert(!weir_packet_pull(m, 17));
    rte_mbuf_refcnt_update(m, 1);
    cr_assert(!weir_packet_pull(m, 8));
    rte_mbuf_refcnt_update(m, -1);
    cr_assert(weir_packet_pull(m, 8));
    cr_assert_eq(memcmp(rte_pktmbuf_mtod(m, char *), "abcdefgh", 8), 0);
    rte_pktmbuf_free(m);
    test_pool_is_full(pool);
}
