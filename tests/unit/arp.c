/* ARP's life of a neighbour, in virtual time. */
#include "packet.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(arp, .init = test_eal_init);

static struct test_net net;
static struct test_frame frame;
static struct weir_ip_rx rx;

static void open_link(const struct weir_link_options *options)
{
    test_net_open(&net, options, 2047);
}

static const struct weir_link_stats *stats(void)
{
    return weir_link_stats(net.link);
}

/* ---- what tests say to the link ---- */

static void send_to(uint32_t address, const char *text)
{
    struct weir_neighbour *neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(address));

    cr_assert_not_null(neighbour);
    weir_link_send(net.link, net.now, neighbour, RTE_ETHER_TYPE_IPV4,
                   test_packet(net.pool, text, (uint16_t)strlen(text)));
}

static void pass(weir_time time)
{
    net.now += time;
    weir_link_timers(net.link, net.now);
}

/* Lets the timers run one by one up to a time from now. */
static void live(weir_time time)
{
    weir_time until = net.now + time, deadline;

    while ((deadline = weir_link_next_deadline(net.link)) <= until) {
        net.now = RTE_MAX(net.now, deadline);
        weir_link_timers(net.link, net.now);
        cr_assert_gt(weir_link_next_deadline(net.link), net.now, "a deadline that does not pass");
    }
    net.now = until;
}

static void hear(uint16_t operation, const struct rte_ether_addr *dst, const struct rte_ether_addr *mac,
                 uint32_t sender, uint32_t target)
{
    test_frame_arp(&frame, dst, operation, mac, sender, target);
    cr_assert_eq(test_net_input(&net, &frame, &rx), 0);
}

static void reply_from(uint32_t address, const struct rte_ether_addr *mac)
{
    hear(2, &test_mac_us, mac, address, TEST_US);
}

/* ---- what they expect of it ---- */

static void expect_nothing(void)
{
    cr_assert(!test_net_take(&net, &frame), "a frame of type %#x", test_get16(frame.bytes + 12));
}

static void expect_request(uint32_t target, const struct rte_ether_addr *dst)
{
    cr_assert(test_net_take(&net, &frame), "no request");
    cr_assert_eq(frame.length, 42);
    cr_assert_eq(memcmp(frame.bytes, dst, 6), 0);
    cr_assert_eq(memcmp(frame.bytes + 6, &test_mac_us, 6), 0);
    cr_assert_eq(memcmp(frame.bytes + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10), 0);
    cr_assert_eq(memcmp(frame.bytes + 22, &test_mac_us, 6), 0);
    cr_assert_eq(test_get32(frame.bytes + 28), TEST_US);
    cr_assert_eq(test_get32(frame.bytes + 38), target);
}

static void expect_reply(uint32_t to, const struct rte_ether_addr *mac)
{
    cr_assert(test_net_take(&net, &frame), "no reply");
    cr_assert_eq(frame.length, 42);
    cr_assert_eq(memcmp(frame.bytes, mac, 6), 0);
    cr_assert_eq(memcmp(frame.bytes + 12, "\x08\x06\0\1\x08\0\6\4\0\2", 10), 0);
    cr_assert_eq(memcmp(frame.bytes + 22, &test_mac_us, 6), 0);
    cr_assert_eq(test_get32(frame.bytes + 28), TEST_US);
    cr_assert_eq(memcmp(frame.bytes + 32, mac, 6), 0);
    cr_assert_eq(test_get32(frame.bytes + 38), to);
}

static void expect_packet(const char *text, const struct rte_ether_addr *mac)
{
    cr_assert(test_net_take(&net, &frame), "'%s' was not sent", text);
    cr_assert_eq(frame.length, 14 + strlen(text));
    cr_assert_eq(memcmp(frame.bytes, mac, 6), 0);
    cr_assert_eq(memcmp(frame.bytes + 6, &test_mac_us, 6), 0);
    cr_assert_eq(test_get16(frame.bytes + 12), 0x0800);
    cr_assert_eq(memcmp(frame.bytes + 14, text, strlen(text)), 0);
}

static bool is_known(uint32_t address)
{
    struct rte_ether_addr mac;
    return weir_neighbour_mac(weir_link_neighbour(net.link, net.now, TEST_ADDRESS(address)), &mac);
}

/* ---- ARP: being asked ---- */

Test(arp, request_for_us_is_answered_and_its_sender_remembered)
{
    open_link(&(struct weir_link_options){0});
    hear(1, &test_mac_broadcast, &test_mac_peer, TEST_PEER, TEST_US);
    expect_reply(TEST_PEER, &test_mac_peer);
    cr_assert_eq(stats()->arp_requests_in, 1);
    cr_assert_eq(stats()->arp_replies_out, 1);
    send_to(TEST_PEER, "known already");
    expect_packet("known already", &test_mac_peer);
    expect_nothing();
    test_net_close(&net);
}

Test(arp, request_for_others_is_neither_answered_nor_remembered)
{
    open_link(&(struct weir_link_options){0});
    hear(1, &test_mac_broadcast, &test_mac_peer, TEST_PEER, TEST_GATEWAY);
    expect_nothing();
    cr_assert(!is_known(TEST_PEER));
    test_net_close(&net);
}

Test(arp, reply_that_nobody_asked_for_makes_no_entry)
{
    open_link(&(struct weir_link_options){0});
    reply_from(TEST_PEER, &test_mac_peer);
    cr_assert(!is_known(TEST_PEER));
    cr_assert_eq(stats()->arp_replies_in, 1);
    test_net_close(&net);
}

Test(arp, gratuitous_announcement_updates_who_is_known_only)
{
    open_link(&(struct weir_link_options){0});
    hear(1, &test_mac_broadcast, &test_mac_peer, TEST_PEER, TEST_PEER);
    cr_assert(!is_known(TEST_PEER));
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    hear(1, &test_mac_broadcast, &test_mac_other, TEST_PEER, TEST_PEER);
    expect_nothing();
    send_to(TEST_PEER, "moved");
    expect_packet("moved", &test_mac_other);
    test_net_close(&net);
}

Test(arp, probe_is_answered_but_not_remembered)
{
    open_link(&(struct weir_link_options){0});
    hear(1, &test_mac_broadcast, &test_mac_peer, 0, TEST_US);
    expect_reply(0, &test_mac_peer);
    hear(1, &test_mac_broadcast, &test_mac_peer, 0, TEST_PEER);
    expect_nothing();
    test_net_close(&net);
}

Test(arp, our_address_claimed_by_another_is_counted_and_not_believed)
{
    open_link(&(struct weir_link_options){0});
    hear(1, &test_mac_broadcast, &test_mac_other, TEST_US, TEST_US);
    hear(2, &test_mac_us, &test_mac_other, TEST_US, TEST_US);
    cr_assert_eq(stats()->arp_conflicts, 2);
    expect_nothing();
    hear(1, &test_mac_broadcast, &test_mac_us, TEST_US, TEST_US);
    cr_assert_eq(stats()->arp_conflicts, 2, "our own announcement come back is no conflict");
    test_net_close(&net);
}

Test(arp, malformed_packets_are_counted_and_change_nothing)
{
    const struct rte_ether_addr zero = {{0}}, multicast = {{0x03, 0, 0, 0, 0, 1}};
    static const uint32_t senders[] = {UINT32_MAX, WEIR_IPV4(127, 0, 0, 1), WEIR_IPV4(224, 0, 0, 1),
                                       WEIR_IPV4(240, 0, 0, 1)};
    uint64_t bad = 0;

    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    for (unsigned i = 0; i < RTE_DIM(senders); i++, bad++)
        hear(1, &test_mac_us, &test_mac_other, senders[i], TEST_US);
    for (unsigned at = 0; at < 8; at++, bad++) {
        test_frame_arp(&frame, &test_mac_us, 1, &test_mac_other, TEST_PEER, TEST_US);
        frame.bytes[14 + at] ^= 0x10;
        cr_assert_eq(test_net_input(&net, &frame, &rx), 0);
    }
    for (unsigned length = 14; length < 42; length++, bad++) {
        test_frame_arp(&frame, &test_mac_us, 1, &test_mac_other, TEST_PEER, TEST_US);
        frame.length = length;
        cr_assert_eq(test_net_input(&net, &frame, &rx), 0);
    }
    for (unsigned i = 0; i < 2; i++, bad++) {
        test_frame_arp(&frame, &test_mac_us, 1, &test_mac_other, TEST_PEER, TEST_US);
        memcpy(frame.bytes + 14 + 8, i == 0 ? &zero : &multicast, 6);
        cr_assert_eq(test_net_input(&net, &frame, &rx), 0);
    }
    cr_assert_eq(stats()->arp_bad, bad);
    expect_nothing();
    send_to(TEST_PEER, "still there");
    expect_packet("still there", &test_mac_peer);
    test_net_close(&net);
}

Test(arp, packet_in_segments_is_understood)
{
    const unsigned sizes[] = {14, 5, 9};

    open_link(&(struct weir_link_options){0});
    test_frame_arp(&frame, &test_mac_broadcast, 1, &test_mac_peer, TEST_PEER, TEST_US);
    test_frame_append(&frame, "padding, as of sixty bytes", 18);
    weir_link_input(net.link, net.now, test_segments(net.pool, frame.bytes, frame.length, sizes, 3));
    expect_reply(TEST_PEER, &test_mac_peer);
    test_net_close(&net);
}

Test(arp, announcement_names_our_address)
{
    open_link(&(struct weir_link_options){0});
    cr_assert_eq(weir_link_add_address(net.link, TEST_ADDRESS(TEST_US + 50), 120, 0), 0);
    weir_link_announce(net.link, net.now, TEST_ADDRESS(TEST_US + 50));
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(test_get32(frame.bytes + 28), TEST_US + 50);
    cr_assert_eq(test_get32(frame.bytes + 38), TEST_US + 50);
    expect_nothing();
    test_net_close(&net);
}

/* ---- ARP: asking ---- */

Test(arp, packets_wait_and_leave_in_order_once_resolved)
{
    open_link(&(struct weir_link_options){0});
    send_to(TEST_PEER, "one");
    send_to(TEST_PEER, "two");
    expect_request(TEST_PEER, &test_mac_broadcast);
    expect_nothing();
    reply_from(TEST_PEER, &test_mac_peer);
    expect_packet("one", &test_mac_peer);
    expect_packet("two", &test_mac_peer);
    send_to(TEST_PEER, "three");
    expect_packet("three", &test_mac_peer);
    expect_nothing();
    cr_assert_eq(stats()->arp_requests_out, 1);
    test_net_close(&net);
}

Test(arp, looking_a_neighbour_up_sends_nothing)
{
    open_link(&(struct weir_link_options){0});
    cr_assert(!is_known(TEST_PEER));
    live(WEIR_SECONDS(300));
    expect_nothing();
    cr_assert_eq(weir_link_next_deadline(net.link), WEIR_NEVER);
    test_net_close(&net);
}

Test(arp, unanswered_is_asked_three_times_a_second_apart_then_what_waits_is_dropped)
{
    open_link(&(struct weir_link_options){0});
    send_to(TEST_PEER, "lost");
    for (unsigned i = 0; i < 3; i++) {
        expect_request(TEST_PEER, &test_mac_broadcast);
        send_to(TEST_PEER, "lost too");
        pass(WEIR_SECONDS(1) - 1);
        expect_nothing();
        pass(1);
    }
    expect_nothing();
    cr_assert_eq(stats()->arp_unresolved_dropped, 4);
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 0);
    send_to(TEST_PEER, "anew");
    expect_request(TEST_PEER, &test_mac_broadcast);
    test_net_close(&net);
}

Test(arp, oldest_waiting_packet_makes_room)
{
    open_link(&(struct weir_link_options){.pending_max = 2});
    send_to(TEST_PEER, "one");
    send_to(TEST_PEER, "two");
    send_to(TEST_PEER, "three");
    expect_request(TEST_PEER, &test_mac_broadcast);
    cr_assert_eq(stats()->arp_unresolved_dropped, 1);
    reply_from(TEST_PEER, &test_mac_peer);
    expect_packet("two", &test_mac_peer);
    expect_packet("three", &test_mac_peer);
    test_net_close(&net);
}

Test(arp, packets_waiting_for_many_do_not_empty_the_pool)
{
    open_link(&(struct weir_link_options){0});
    for (uint32_t i = 0; i < 1000; i++)
        send_to(TEST_PEER + i * 256, "to nobody");
    while (test_net_take(&net, &frame))
        cr_assert_eq(test_get16(frame.bytes + 12), 0x0806);
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 256);
    cr_assert_eq(stats()->arp_unresolved_dropped, 1000 - 256);
    live(WEIR_SECONDS(5));
    cr_assert_eq(stats()->arp_unresolved_dropped, 1000);
    test_net_close(&net);
}

Test(arp, no_memory_for_a_request_is_counted_and_tried_again)
{
    struct rte_mbuf *all[2047];
    struct weir_neighbour *neighbour;

    open_link(&(struct weir_link_options){0});
    cr_assert_eq(rte_pktmbuf_alloc_bulk(net.pool, all, 2047), 0);
    neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    rte_pktmbuf_append(all[0], 4);
    weir_link_send(net.link, net.now, neighbour, 0x0800, all[0]);
    cr_assert_eq(stats()->tx_no_memory, 1);
    cr_assert_eq(stats()->arp_requests_out, 0);
    rte_pktmbuf_free_bulk(all + 1, 2046);
    pass(WEIR_SECONDS(1));
    expect_request(TEST_PEER, &test_mac_broadcast);
    test_net_close(&net);
}

/* ---- ARP: believing and doubting ---- */

Test(arp, neighbour_in_use_is_asked_by_unicast_and_keeps_its_generation)
{
    struct weir_neighbour *neighbour;
    uint32_t generation;

    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    generation = weir_neighbour_generation(neighbour);
    while (stats()->arp_requests_out == 0) {
        send_to(TEST_PEER, "use");
        expect_packet("use", &test_mac_peer);
        live(WEIR_SECONDS(1));
    }
    cr_assert_geq(net.now, WEIR_SECONDS(31), "asked too early");
    cr_assert_leq(net.now, WEIR_SECONDS(62), "asked too late");
    expect_request(TEST_PEER, &test_mac_peer);
    reply_from(TEST_PEER, &test_mac_peer);
    expect_nothing();
    cr_assert_eq(weir_neighbour_generation(neighbour), generation);
    cr_assert(is_known(TEST_PEER));
    test_net_close(&net);
}

Test(arp, neighbour_in_use_that_is_silent_is_forgotten_after_three_questions)
{
    struct weir_neighbour *neighbour;
    uint32_t generation;

    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    generation = weir_neighbour_generation(neighbour);
    pass(1);
    send_to(TEST_PEER, "use");
    expect_packet("use", &test_mac_peer);
    live(WEIR_SECONDS(70));
    for (unsigned i = 0; i < 3; i++)
        expect_request(TEST_PEER, &test_mac_peer);
    expect_nothing();
    cr_assert_neq(weir_neighbour_generation(neighbour), generation);
    send_to(TEST_PEER, "where");
    expect_request(TEST_PEER, &test_mac_broadcast);
    test_net_close(&net);
}

Test(arp, expired_entry_is_asked_again_while_its_packets_go_out)
{
    struct weir_neighbour *neighbour;
    struct rte_ether_addr mac;
    uint32_t generation;

    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    generation = weir_neighbour_generation(neighbour);
    live(WEIR_SECONDS(60));
    expect_nothing();
    cr_assert_neq(weir_neighbour_generation(neighbour), generation, "a path must look again");
    cr_assert(!weir_neighbour_mac(neighbour, &mac), "no longer believed");
    send_to(TEST_PEER, "at once");
    expect_request(TEST_PEER, &test_mac_peer);
    expect_packet("at once", &test_mac_peer);
    cr_assert(weir_neighbour_mac(neighbour, &mac));
    reply_from(TEST_PEER, &test_mac_peer);
    live(WEIR_SECONDS(5));
    expect_nothing();
    test_net_close(&net);
}

Test(arp, unused_entry_is_forgotten)
{
    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    live(WEIR_SECONDS(121));
    expect_nothing();
    cr_assert_eq(weir_link_next_deadline(net.link), WEIR_NEVER);
    send_to(TEST_PEER, "new");
    expect_request(TEST_PEER, &test_mac_broadcast);
    test_net_close(&net);
}

Test(arp, confirmed_neighbour_is_not_asked)
{
    struct weir_neighbour *neighbour;

    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    for (unsigned second = 0; second < 200; second++) {
        live(WEIR_SECONDS(1));
        send_to(TEST_PEER, "use");
        expect_packet("use", &test_mac_peer);
        weir_link_confirm(net.link, net.now, neighbour);
        expect_nothing();
    }
    test_net_close(&net);
}

Test(arp, confirmation_ends_the_questions)
{
    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    live(WEIR_SECONDS(60));
    send_to(TEST_PEER, "stale");
    expect_request(TEST_PEER, &test_mac_peer);
    expect_packet("stale", &test_mac_peer);
    weir_link_confirm(net.link, net.now, weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER)));
    live(WEIR_SECONDS(10));
    expect_nothing();
    cr_assert(is_known(TEST_PEER));
    test_net_close(&net);
}

Test(arp, doubted_neighbour_is_asked_by_broadcast_and_believed_meanwhile)
{
    struct weir_neighbour *neighbour;

    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_other); /* the wrong one: its owner would not answer a unicast request */
    neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    weir_link_doubt(net.link, net.now, neighbour);
    weir_link_doubt(net.link, net.now, neighbour);
    expect_request(TEST_PEER, &test_mac_broadcast);
    expect_nothing();
    send_to(TEST_PEER, "meanwhile");
    expect_packet("meanwhile", &test_mac_other);
    pass(WEIR_SECONDS(1));
    expect_request(TEST_PEER, &test_mac_broadcast);
    reply_from(TEST_PEER, &test_mac_peer);
    send_to(TEST_PEER, "found");
    expect_packet("found", &test_mac_peer);
    weir_link_doubt(net.link, net.now, neighbour); /* it may be doubted anew */
    expect_request(TEST_PEER, &test_mac_broadcast);
    test_net_close(&net);
}

Test(arp, another_mac_changes_the_generation_and_the_same_does_not)
{
    struct weir_neighbour *neighbour;
    uint32_t generation;

    open_link(&(struct weir_link_options){0});
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    neighbour = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    generation = weir_neighbour_generation(neighbour);
    cr_assert_neq(generation, 0);
    reply_from(TEST_PEER, &test_mac_peer);
    cr_assert_eq(weir_neighbour_generation(neighbour), generation);
    reply_from(TEST_PEER, &test_mac_other);
    cr_assert_neq(weir_neighbour_generation(neighbour), generation);
    test_net_close(&net);
}

/* ---- ARP: a full table ---- */

Test(arp, full_table_gives_up_what_is_least_useful)
{
    struct weir_neighbour *in_use;
    uint32_t generation;

    open_link(&(struct weir_link_options){.neighbours_max = 4});
    for (uint32_t i = 0; i < 4; i++)
        test_net_know(&net, TEST_PEER + i, &test_mac_peer);
    pass(1000);
    in_use = weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER));
    generation = weir_neighbour_generation(in_use);
    send_to(TEST_PEER, "used");
    expect_packet("used", &test_mac_peer);
    for (uint32_t i = 10; i < 40; i++) {
        pass(1000);
        test_net_know(&net, TEST_PEER + i, &test_mac_other);
        cr_assert(is_known(TEST_PEER + i));
    }
    cr_assert_eq(weir_neighbour_generation(in_use), generation, "who is talked to was pushed out by strangers");
    test_net_close(&net);
}

Test(arp, strangers_never_push_out_those_in_use)
{
    open_link(&(struct weir_link_options){.neighbours_max = 4});
    for (uint32_t i = 0; i < 4; i++) {
        test_net_know(&net, TEST_PEER + i, &test_mac_peer);
        send_to(TEST_PEER + i, "used");
        expect_packet("used", &test_mac_peer);
    }
    for (uint32_t i = 10; i < 20; i++)
        test_net_know(&net, TEST_PEER + i, &test_mac_other); /* answered all the same */
    cr_assert_eq(stats()->arp_table_full, 10);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(is_known(TEST_PEER + i));
    test_net_close(&net);
}

Test(arp, whom_we_want_to_reach_pushes_out_the_longest_unused)
{
    open_link(&(struct weir_link_options){.neighbours_max = 4});
    for (uint32_t i = 0; i < 4; i++) {
        test_net_know(&net, TEST_PEER + i, &test_mac_peer);
        pass(1000);
    }
    for (uint32_t i = 0; i < 4; i++) {
        pass(1000);
        send_to(TEST_PEER + (i + 2) % 4, "used"); /* 2, 3, 0, 1 */
        expect_packet("used", &test_mac_peer);
    }
    send_to(TEST_PEER + 10, "new");
    expect_request(TEST_PEER + 10, &test_mac_broadcast);
    cr_assert(is_known(TEST_PEER + 3) && is_known(TEST_PEER) && is_known(TEST_PEER + 1));
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 1, "what waits was not dropped");
    test_net_close(&net);
}

Test(arp, resolving_entries_with_packets_waiting_are_kept_for_their_first_second)
{
    open_link(&(struct weir_link_options){.neighbours_max = 4});
    for (uint32_t i = 0; i < 4; i++) {
        pass(1000);
        send_to(TEST_PEER + i, "waits");
        expect_request(TEST_PEER + i, &test_mac_broadcast);
    }
    cr_assert_null(weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER + 10)));
    cr_assert_eq(stats()->arp_table_full, 1);
    cr_assert_eq(stats()->arp_unresolved_dropped, 0);
    pass(WEIR_SECONDS(1));
    cr_assert_not_null(weir_link_neighbour(net.link, net.now, TEST_ADDRESS(TEST_PEER + 10)));
    cr_assert_eq(stats()->arp_unresolved_dropped, 1);
    reply_from(TEST_PEER, &test_mac_peer); /* it had waited longest */
    for (unsigned i = 0; i < 4; i++)
        expect_request(TEST_PEER + i, &test_mac_broadcast);
    expect_nothing();
    test_net_close(&net);
}

Test(arp, thousand_neighbours_are_found_again)
{
    open_link(&(struct weir_link_options){.neighbours_max = 2048, .seed = 5});
    for (uint32_t i = 0; i < 1000; i++)
        test_net_know(&net, TEST_PEER + i * 7, &test_mac_peer);
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert(is_known(TEST_PEER + i * 7), "%u", i);
    test_net_close(&net);
}

Test(arp, close_frees_what_waits)
{
    open_link(&(struct weir_link_options){0});
    for (uint32_t i = 0; i < 20; i++)
        send_to(TEST_PEER + i, "waits");
    test_net_close(&net);
}
