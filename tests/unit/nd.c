/* Neighbour discovery: solicitations and advertisements, addresses that must be found free, groups that are joined. */
#include "packet_ipv6.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

TestSuite(nd, .init = test_eal_init);

#define US "fe80::1"
#define PEER "fe80::2"
#define OUR_GROUP "ff02::1:ff00:1"
#define PEERS_GROUP "ff02::1:ff00:2"

enum { ROUTER = 0x80, SOLICITED = 0x40, OVERRIDE = 0x20 };

static struct test_net net;
static struct test_frame frame;
static struct weir_ip_rx rx;

static void open_link(unsigned neighbours_max)
{
    test_net_open(&net, &(struct weir_link_options){.neighbours_max = neighbours_max}, 1023);
    cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT(US), 64, 0), 0);
}

static const struct weir_link_stats *stats(void)
{
    return weir_link_stats(net.link);
}

static void pass(weir_time time)
{
    net.now += time;
    if (net.now >= weir_link_next_deadline(net.link))
        weir_link_timers(net.link, net.now);
}

static void input(void)
{
    cr_assert_eq(test_net_input(&net, &frame, &rx), 0);
}

static void expect_nothing(void)
{
    cr_assert(!test_net_take(&net, &frame), "a frame of type %#x, ICMPv6 type %u", test_get16(frame.bytes + 12),
              frame.bytes[54]);
}

/* An ICMPv6 message of this type; what follows its header may be looked at. */
static const uint8_t *expect(uint8_t type, const char *src, const char *dst, const void *mac)
{
    const uint8_t *icmp;

    cr_assert(test_net_take(&net, &frame), "nothing was sent, not a message of type %u", type);
    icmp = test_icmp6(&frame, src, dst, NULL);
    cr_assert_eq(icmp[0], type);
    cr_assert(memcmp(frame.bytes, mac, 6) == 0, "to the wrong MAC");
    cr_assert_eq(frame.bytes[14 + 7], type == 143 ? 1 : 255, "hop limit");
    return icmp;
}

static void expect_solicit(const char *dst, const char *target, const void *mac)
{
    const uint8_t *icmp = expect(135, US, dst, mac);

    cr_assert(memcmp(icmp + 8, TEST_AT(target), 16) == 0, "not of %s", target);
    cr_assert(icmp[24] == 1 && icmp[25] == 1 && memcmp(icmp + 26, &test_mac_us, 6) == 0, "where we are");
}

static void send_to(const char *address)
{
    struct weir_neighbour *neighbour = weir_link_neighbour(net.link, net.now, TEST_AT(address));

    cr_assert_not_null(neighbour);
    weir_link_send(net.link, net.now, neighbour, RTE_ETHER_TYPE_IPV6, test_packet(net.pool, "packet", 6));
}

static void expect_packet(const struct rte_ether_addr *mac)
{
    cr_assert(test_net_take(&net, &frame), "the packet was not sent");
    cr_assert(frame.length == 20 && memcmp(frame.bytes + 14, "packet", 6) == 0, "no packet, but a frame of %u",
              frame.length);
    cr_assert(memcmp(frame.bytes, mac, 6) == 0, "to the wrong MAC");
}

static bool is_known(const char *address)
{
    struct rte_ether_addr mac;
    struct weir_neighbour *neighbour = weir_link_neighbour(net.link, net.now, TEST_AT(address));

    return neighbour != NULL && weir_neighbour_mac(neighbour, &mac);
}

/* The peer is asked for and answers. */
static void make_reachable(void)
{
    send_to(PEER);
    cr_assert(test_net_take(&net, &frame));
    test_frame_advertise(&frame, PEER, US, PEER, SOLICITED | OVERRIDE, &test_mac_peer);
    input();
    expect_packet(&test_mac_peer);
}

/* ---- asking ---- */

Test(nd, unknown_neighbour_is_asked_for_by_its_group)
{
    open_link(0);
    send_to(PEER);
    expect_solicit(PEERS_GROUP, PEER, "\x33\x33\xff\0\0\2");
    expect_nothing();
    test_frame_advertise(&frame, PEER, US, PEER, SOLICITED | OVERRIDE, &test_mac_peer);
    input();
    expect_packet(&test_mac_peer);
    cr_assert(is_known(PEER));
    send_to(PEER);
    expect_packet(&test_mac_peer);
    test_net_close(&net);
}

Test(nd, nobody_answers_three_questions_and_what_waits_is_dropped)
{
    open_link(0);
    send_to(PEER);
    for (unsigned i = 0; i < 3; i++) {
        expect_solicit(PEERS_GROUP, PEER, "\x33\x33\xff\0\0\2");
        expect_nothing();
        pass(WEIR_SECONDS(1));
    }
    expect_nothing();
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 0);
    test_net_close(&net);
}

/* RFC 4861 section 7.3.3: believed for 30 s to 60 s; used again, it has 5 s to give a sign of life; then it is asked.
 */
Test(nd, neighbour_in_use_is_probed_by_unicast_unless_it_shows_that_it_hears)
{
    struct weir_neighbour *neighbour;

    open_link(0);
    make_reachable();
    pass(WEIR_SECONDS(61));
    cr_assert(!is_known(PEER));
    send_to(PEER);
    expect_packet(&test_mac_peer);
    expect_nothing();
    pass(WEIR_SECONDS(4));
    expect_nothing();
    pass(WEIR_SECONDS(1));
    expect_solicit(PEER, PEER, &test_mac_peer);
    test_frame_advertise(&frame, PEER, US, PEER, SOLICITED, NULL); /* need not say where it is */
    input();
    cr_assert(is_known(PEER));

    pass(WEIR_SECONDS(61));
    send_to(PEER);
    expect_packet(&test_mac_peer);
    neighbour = weir_link_neighbour(net.link, net.now, TEST_AT(PEER));
    weir_link_confirm(net.link, net.now, neighbour);
    pass(WEIR_SECONDS(6));
    expect_nothing();
    test_net_close(&net);
}

Test(nd, neighbour_that_no_longer_answers_is_forgotten)
{
    open_link(0);
    make_reachable();
    pass(WEIR_SECONDS(61));
    send_to(PEER);
    expect_packet(&test_mac_peer);
    pass(WEIR_SECONDS(5));
    for (unsigned i = 0; i < 3; i++) {
        expect_solicit(PEER, PEER, &test_mac_peer);
        pass(WEIR_SECONDS(1));
    }
    expect_nothing();
    send_to(PEER);
    expect_solicit(PEERS_GROUP, PEER, "\x33\x33\xff\0\0\2");
    test_net_close(&net);
}

/* ---- answering ---- */

static void expect_advertisement(const char *dst, uint8_t flags, const void *mac)
{
    const uint8_t *icmp = expect(136, US, dst, mac);

    cr_assert_eq(icmp[4], flags);
    cr_assert(memcmp(icmp + 8, TEST_AT(US), 16) == 0, "not of us");
    cr_assert(icmp[24] == 2 && icmp[25] == 1 && memcmp(icmp + 26, &test_mac_us, 6) == 0, "where we are");
}

Test(nd, question_for_us_is_answered_and_the_asker_remembered)
{
    open_link(0);
    test_frame_solicit(&frame, PEER, OUR_GROUP, US, &test_mac_peer);
    input();
    expect_advertisement(PEER, SOLICITED | OVERRIDE, &test_mac_peer);
    cr_assert(!is_known(PEER), "that it asks is no proof that it hears");
    send_to(PEER);
    expect_packet(&test_mac_peer);
    expect_nothing();
    test_net_close(&net);
}

Test(nd, asker_who_does_not_say_where_it_is_is_asked_first)
{
    open_link(0);
    test_frame_solicit(&frame, PEER, US, US, NULL);
    input();
    expect_solicit(PEERS_GROUP, PEER, "\x33\x33\xff\0\0\2");
    test_frame_advertise(&frame, PEER, US, PEER, SOLICITED | OVERRIDE, &test_mac_peer);
    input();
    expect_advertisement(PEER, SOLICITED | OVERRIDE, &test_mac_peer);
    test_net_close(&net);
}

/* RFC 4861 section 7.2.4: who looks whether an address is free has none to be answered at. */
Test(nd, who_looks_whether_our_address_is_free_is_told_before_all)
{
    open_link(0);
    test_frame_solicit(&frame, "::", OUR_GROUP, US, NULL);
    input();
    expect_advertisement("ff02::1", OVERRIDE, "\x33\x33\0\0\0\1");
    test_net_close(&net);
}

Test(nd, questions_for_others_are_none_of_our_business)
{
    open_link(0);
    test_frame_solicit(&frame, PEER, OUR_GROUP, "fe80::100:1", &test_mac_peer); /* of the same group */
    input();
    test_frame_solicit(&frame, PEER, PEERS_GROUP, "fe80::102", &test_mac_peer);
    input();
    cr_assert_eq(stats()->rx_not_for_us, 1, "the frame of a group that is not ours");
    expect_nothing();
    test_net_close(&net);
}

/* RFC 4861 sections 7.1.1 and 7.1.2 */
Test(nd, messages_that_no_neighbour_sends_are_ignored)
{
    static const struct {
        const char *what;
        unsigned at;
        uint8_t value;
    } spoilt[] = {{"hop limit", 14 + 7, 254},         {"code", 54 + 1, 1},
                  {"multicast target", 54 + 8, 0xff}, {"option of no length", 54 + 25, 0},
                  {"option too long", 54 + 25, 2},    {"MAC of a group", 54 + 26, 1}};

    open_link(0);
    for (unsigned i = 0; i < RTE_DIM(spoilt); i++) {
        struct test_frame good;
        uint8_t hop_limit;
        test_frame_solicit(&good, PEER, OUR_GROUP, US, &test_mac_peer);
        good.bytes[spoilt[i].at] = spoilt[i].value;
        hop_limit = good.bytes[14 + 7];
        test_frame_icmp6(&frame, &(struct test_ipv6){.src = PEER, .dst = OUR_GROUP, .hop_limit = hop_limit},
                         good.bytes + 54, good.length - 54);
        input();
        cr_assert_eq(stats()->nd_bad, i + 1, "%s", spoilt[i].what);
    }
    test_frame_solicit(&frame, "::", OUR_GROUP, US, &test_mac_peer); /* has no address, but says where it is */
    input();
    test_frame_solicit(&frame, "::", "ff02::1", US, NULL); /* not to our group */
    input();
    test_frame_advertise(&frame, PEER, "ff02::1", PEER, SOLICITED, &test_mac_peer); /* solicited by all? */
    input();
    cr_assert_eq(stats()->nd_bad, RTE_DIM(spoilt) + 3);
    expect_nothing();
    test_net_close(&net);
}

/* RFC 4861 section 7.2.3: only another MAC makes a neighbour doubtful. */
Test(nd, question_from_where_the_asker_is_known_to_be_changes_nothing)
{
    open_link(0);
    make_reachable();
    test_frame_solicit(&frame, PEER, OUR_GROUP, US, &test_mac_peer);
    input();
    expect_advertisement(PEER, SOLICITED | OVERRIDE, &test_mac_peer);
    cr_assert(is_known(PEER));
    test_net_close(&net);
}

/* RFC 6980 section 5 */
Test(nd, messages_behind_a_fragment_header_are_ignored)
{
    uint8_t payload[64] = {IPPROTO_ICMPV6};
    struct test_ipv6 ip = {.src = PEER, .dst = US, .next_header = IPPROTO_FRAGMENT, .hop_limit = 255};

    open_link(0);
    test_frame_solicit(&frame, PEER, US, US, &test_mac_peer);
    memcpy(payload + 8, frame.bytes + 54, 32);
    test_frame_ipv6(&frame, &ip, payload, 8 + 32);
    input();
    test_put16(payload + 2, 1); /* in two */
    test_frame_ipv6(&frame, &ip, payload, 8 + 16);
    input();
    test_put16(payload + 2, 16);
    memcpy(payload + 8, payload + 8 + 16, 16);
    test_frame_ipv6(&frame, &ip, payload, 8 + 16);
    input();
    expect_nothing();
    cr_assert_eq(weir_ip_stats(net.ip)->reasm_oks, 1);
    cr_assert_eq(weir_ip_stats(net.ip)->icmp_in_errors, 2);
    test_net_close(&net);
}

Test(nd, ipv4_neighbours_are_for_arp_to_tell_of)
{
    open_link(0);
    test_frame_advertise(&frame, PEER, US, "::ffff:10.0.0.2", SOLICITED | OVERRIDE, &test_mac_other);
    input();
    test_frame_solicit(&frame, PEER, US, "::ffff:10.0.0.1", &test_mac_other);
    input();
    cr_assert_eq(stats()->nd_bad, 2);
    expect_nothing();
    test_net_close(&net);
}

Test(nd, strangers_who_ask_all_nodes_push_out_nobody_whom_we_talk_to)
{
    open_link(16);
    make_reachable();
    send_to(PEER);
    for (unsigned i = 0; i < 64; i++) {
        char stranger[INET6_ADDRSTRLEN];
        snprintf(stranger, sizeof(stranger), "fe80::100:%x", i);
        test_frame_echo6(&frame, stranger, "ff02::1", "anybody?");
        input();
        while (test_net_take(&net, &frame))
            ;
    }
    cr_assert(is_known(PEER));
    test_net_close(&net);
}

/* ---- advertisements. RFC 4861 section 7.2.5 and appendix C ---- */

Test(nd, advertisement_that_nobody_asked_for_makes_no_neighbour)
{
    open_link(0);
    test_frame_advertise(&frame, PEER, "ff02::1", PEER, OVERRIDE, &test_mac_peer);
    input();
    send_to(PEER);
    expect_solicit(PEERS_GROUP, PEER, "\x33\x33\xff\0\0\2");
    test_net_close(&net);
}

Test(nd, whom_to_believe_is_for_the_flags_to_say)
{
    static const struct {
        uint8_t flags;
        bool other; /* says another MAC */
        bool known, moved;
    } rows[] = {
        {0, false, true, false},
        {0, true, false, false}, /* not overridden, but doubted */
        {SOLICITED, true, false, false},
        {OVERRIDE, true, false, true},
        {SOLICITED | OVERRIDE, true, true, true},
        {SOLICITED | OVERRIDE, false, true, false},
    };

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        open_link(0);
        make_reachable();
        test_frame_advertise(&frame, PEER, rows[i].flags & SOLICITED ? US : "ff02::1", PEER, rows[i].flags,
                             rows[i].other ? &test_mac_other : &test_mac_peer);
        input();
        cr_assert_eq(is_known(PEER), rows[i].known, "row %u", i);
        send_to(PEER);
        expect_packet(rows[i].moved ? &test_mac_other : &test_mac_peer);
        test_net_close(&net);
    }
}

Test(nd, answer_without_a_mac_is_none)
{
    open_link(0);
    send_to(PEER);
    cr_assert(test_net_take(&net, &frame));
    test_frame_advertise(&frame, PEER, US, PEER, SOLICITED | OVERRIDE, NULL);
    input();
    expect_nothing();
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 1);
    test_net_close(&net);
}

Test(nd, our_address_claimed_by_another_is_counted)
{
    open_link(0);
    test_frame_advertise(&frame, US, "ff02::1", US, OVERRIDE, &test_mac_other);
    input();
    cr_assert_eq(stats()->nd_conflicts, 1);
    test_net_close(&net);
}

/* ---- floods ---- */

Test(nd, strangers_never_push_out_those_in_use)
{
    char text[32];

    open_link(8);
    make_reachable();
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "fe80::bad:%x", i);
        test_frame_solicit(&frame, text, OUR_GROUP, US, &test_mac_other);
        input();
        cr_assert(test_net_take(&net, &frame), "not answered");
    }
    cr_assert(is_known(PEER));
    send_to(PEER);
    expect_packet(&test_mac_peer);
    test_net_close(&net);
}

/* ---- is an address free? RFC 4862 section 5.4 ---- */

#define NEW "fe80::77"
#define NEW_GROUP "ff02::1:ff00:77"

static uint8_t flags_of(const char *address)
{
    unsigned count;
    const struct weir_link_address *addresses = weir_ip_addresses(net.ip, &count);

    for (unsigned i = 0; i < count; i++)
        if (weir_address_equal(&addresses[i].address, TEST_AT(address)))
            return addresses[i].flags;
    cr_assert_fail("%s is gone", address);
    return 0;
}

/* A tentative address, whose question has been sent: `frame` is it. */
static const uint8_t *expect_report(void)
{
    return expect(143, US, "ff02::16", "\x33\x33\0\0\0\x16");
}

/* Switches must let the answer through before there is a question. RFC 4862 section 5.4.2 */
static void ask_whether_free(void)
{
    const uint8_t *icmp;

    cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT(NEW), 64, WEIR_ADDRESS_TENTATIVE), 0);
    weir_link_announce(net.link, net.now, TEST_AT(NEW));
    expect_nothing(); /* not at once: hosts that start together must not ask together */
    pass(WEIR_SECONDS(1));
    icmp = expect_report();
    cr_assert(icmp[8] == 4 && memcmp(icmp + 12, TEST_AT(NEW_GROUP), 16) == 0, "who has it may not be asked");
    icmp = expect(135, "::", NEW_GROUP, "\x33\x33\xff\0\0\x77");
    cr_assert(memcmp(icmp + 8, TEST_AT(NEW), 16) == 0);
    cr_assert(icmp[24] == 14 && icmp[25] == 1, "no nonce (RFC 7527)");
}

Test(nd, address_that_nobody_has_is_ours)
{
    open_link(0);
    ask_whether_free();
    cr_assert_eq(flags_of(NEW), WEIR_ADDRESS_TENTATIVE);
    test_frame_solicit(&frame, PEER, NEW_GROUP, NEW, &test_mac_peer);
    input();
    expect_nothing(); /* it is not ours to answer for yet */
    pass(WEIR_SECONDS(1));
    cr_assert_eq(flags_of(NEW), 0);
    expect_report();
    expect(136, NEW, "ff02::2", "\x33\x33\0\0\0\2"); /* RFC 9131 */
    expect_report();                                 /* of all groups */
    test_frame_solicit(&frame, PEER, NEW_GROUP, NEW, &test_mac_peer);
    input();
    expect(136, NEW, PEER, &test_mac_peer);
    test_net_close(&net);
}

static void expect_duplicate(void)
{
    cr_assert_eq(flags_of(NEW), WEIR_ADDRESS_TENTATIVE | WEIR_ADDRESS_DUPLICATE);
    cr_assert_eq(stats()->nd_duplicates, 1);
    pass(WEIR_SECONDS(5));
    cr_assert_eq(flags_of(NEW), WEIR_ADDRESS_TENTATIVE | WEIR_ADDRESS_DUPLICATE);
    expect_report();
    expect_nothing();
    test_net_close(&net);
}

Test(nd, address_that_another_has_is_not_ours)
{
    open_link(0);
    ask_whether_free();
    test_frame_advertise(&frame, NEW, "ff02::1", NEW, OVERRIDE, &test_mac_other);
    input();
    expect_duplicate();
}

Test(nd, address_that_another_wants_too_is_neithers)
{
    open_link(0);
    ask_whether_free();
    test_frame_solicit(&frame, "::", NEW_GROUP, NEW, NULL);
    input();
    expect_duplicate();
}

/* RFC 7527: a switch that loops our frames back is no rival. */
Test(nd, our_own_question_come_back_is_no_rival)
{
    open_link(0);
    ask_whether_free();
    input();
    pass(WEIR_SECONDS(1));
    cr_assert_eq(flags_of(NEW), 0);
    test_net_close(&net);
}

Test(nd, address_taken_away_while_asked_for_is_forgotten)
{
    open_link(0);
    ask_whether_free();
    cr_assert_eq(weir_ip_remove_address(net.ip, TEST_AT(NEW)), 0);
    pass(WEIR_SECONDS(2));
    expect_report();
    expect_nothing();
    cr_assert(weir_link_next_deadline(net.link) == WEIR_NEVER);
    test_net_close(&net);
}

/* ---- groups. RFC 3810 ---- */

Test(nd, group_of_a_new_address_is_joined_and_told_twice)
{
    const uint8_t *icmp;

    open_link(0);
    weir_link_announce(net.link, net.now, TEST_AT(US));
    icmp = expect_report();
    cr_assert(memcmp(frame.bytes + 54, "\x3a\0\5\2\0\0\1\0", 8) == 0, "no router alert");
    cr_assert_eq(test_get16(icmp + 6), 1);
    cr_assert(icmp[8] == 4 && memcmp(icmp + 12, TEST_AT(OUR_GROUP), 16) == 0, "not joined");
    expect(136, US, "ff02::2", "\x33\x33\0\0\0\2");
    pass(WEIR_SECONDS(1));
    icmp = expect_report();
    cr_assert(icmp[8] == 2 && memcmp(icmp + 12, TEST_AT(OUR_GROUP), 16) == 0);
    expect_nothing();
    test_net_close(&net);
}

static void query(const char *src, int hop_limit, unsigned length)
{
    uint8_t message[28] = {130, [4] = 0x03, 0xe8}; /* within a second */

    test_frame_icmp6(&frame, &(struct test_ipv6){.src = src, .dst = "ff02::1", .hop_limit = hop_limit}, message,
                     length);
    input();
}

Test(nd, queries_are_answered_by_all_groups)
{
    const uint8_t *icmp;

    open_link(0);
    cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT("fd00::1"), 64, 0), 0); /* the same group */
    cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT("fd00::5"), 64, 0), 0);
    query(PEER, 1, 28);
    query(PEER, 1, 24); /* of version 1: one answer is enough for both */
    expect_nothing();
    pass(WEIR_SECONDS(1));
    icmp = expect_report();
    cr_assert_eq(test_get16(icmp + 6), 2, "%u groups", test_get16(icmp + 6));
    expect_nothing();

    query("fd00::2", 1, 28);
    query(PEER, 255, 28);
    query(PEER, 1, 20);
    cr_assert_eq(stats()->nd_bad, 3);
    pass(WEIR_SECONDS(2));
    expect_nothing();
    test_net_close(&net);
}

Test(nd, addresses_that_go_before_they_are_found_free_are_forgotten)
{
    open_link(0);
    for (unsigned i = 0; i < 3 * WEIR_LINK_ADDRESSES_MAX; i++) {
        char address[INET6_ADDRSTRLEN];
        snprintf(address, sizeof(address), "fd00::%x", i + 1);
        cr_assert_eq(weir_ip_add_address(net.ip, TEST_AT(address), 64, WEIR_ADDRESS_TENTATIVE), 0);
        weir_link_announce(net.link, net.now, TEST_AT(address));
        cr_assert_eq(weir_ip_remove_address(net.ip, TEST_AT(address)), 0);
    }
    pass(WEIR_SECONDS(1));
    pass(WEIR_SECONDS(1));
    expect_nothing();
    test_net_close(&net);
}
