/* UDP sockets: bound to an address, connected to a peer, their bounds, and answers from the address that was asked. */
#include "packet.h"
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>
#include <weir/net/udp.h>

TestSuite(udp_socket, .init = test_eal_init);

enum { PORT = 7, PEER_PORT = 40000 };
#define ALSO_US (TEST_US + 10)
#define OTHER (TEST_PEER + 1)

static struct test_net net;
static struct test_frame frame;
static struct weir_udp *udp;
static struct weir_udp_socket *sock;
static int user;

static void open_udp(const struct weir_udp_options *options)
{
    test_net_open(&net, &(struct weir_link_options){0}, 511);
    cr_assert_eq(weir_ip_add_address(net.ip, TEST_ADDRESS(ALSO_US), 24, 0), 0);
    cr_assert_eq(weir_udp_open(&udp, options, net.ip), 0);
    cr_assert_eq(weir_udp_bind(udp, PORT, &user, &sock), 0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
    test_net_know(&net, OTHER, &test_mac_other);
}

static void close_udp(void)
{
    weir_udp_close(udp);
    test_net_close(&net);
}

static void input(void)
{
    struct rte_mbuf *m = test_frame_packet(net.pool, &frame);
    struct weir_ip_rx rx;

    cr_assert_eq(weir_link_input(net.link, net.now, m), RTE_ETHER_TYPE_IPV4);
    switch (weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx)) {
    case IPPROTO_UDP:
        weir_udp_input(udp, net.now, m, &rx);
        break;
    case IPPROTO_ICMP:
        weir_udp_icmp_error(udp, &rx);
        break;
    }
}

static void datagram(uint32_t src, uint16_t port, uint32_t dst)
{
    test_frame_udp(&frame, src, port, dst, PORT, "hello", 5);
    input();
}

/* Takes what was received; false: nothing was. */
static bool received(void)
{
    struct weir_endpoint from;
    struct rte_mbuf *m;
    int n = weir_udp_receive(sock, &m, &from, 1);

    if (n != 1) {
        cr_assert_eq(n, -EAGAIN);
        return false;
    }
    rte_pktmbuf_free(m);
    return true;
}

static void expect_unreachable(void)
{
    cr_assert(test_net_take(&net, &frame), "no answer");
    cr_assert_eq(frame.bytes[14 + 9], IPPROTO_ICMP);
    cr_assert_eq(memcmp(frame.bytes + 34, "\x03\x03", 2), 0, "port unreachable");
}

static int send_to(const struct weir_endpoint *to, const struct weir_address *from)
{
    struct rte_mbuf *m = test_packet(net.pool, "hello", 5);
    return weir_udp_send(udp, net.now, sock, &m, to, from, 1);
}

static void expect_sent(uint32_t src, uint32_t dst, uint16_t port)
{
    cr_assert(test_net_take(&net, &frame), "nothing was sent");
    cr_assert_eq(test_get32(frame.bytes + 26), src);
    cr_assert_eq(test_get32(frame.bytes + 30), dst);
    cr_assert_eq(test_get16(frame.bytes + 34), PORT);
    cr_assert_eq(test_get16(frame.bytes + 36), port);
    cr_assert_eq(test_checksum(frame.bytes + 34, 13, test_pseudo(src, dst, 17, 13)), 0);
}

static struct weir_endpoint endpoint(uint32_t address, uint16_t port)
{
    return weir_endpoint_of(TEST_ADDRESS(address), port);
}

Test(udp_socket, connected_one_hears_its_peer_alone)
{
    struct weir_endpoint peer = endpoint(TEST_PEER, PEER_PORT);

    open_udp(&(struct weir_udp_options){0});
    cr_assert_eq(weir_udp_connect(sock, net.now, &peer), 0);
    datagram(TEST_PEER, PEER_PORT, TEST_US);
    cr_assert(received());
    datagram(TEST_PEER, PEER_PORT + 1, TEST_US);
    cr_assert(!received());
    expect_unreachable();
    datagram(OTHER, PEER_PORT, TEST_US);
    cr_assert(!received());
    expect_unreachable();
    cr_assert_eq(weir_udp_stats(udp)->no_ports, 2);
    cr_assert_eq(weir_udp_connect(sock, net.now, NULL), 0);
    datagram(OTHER, PEER_PORT, TEST_US);
    cr_assert(received());
    close_udp();
}

Test(udp_socket, connected_one_sends_without_an_address)
{
    struct weir_endpoint peer = endpoint(TEST_PEER, PEER_PORT), other = endpoint(OTHER, PEER_PORT);
    struct weir_endpoint none = {0}, lost = endpoint(TEST_PEER, 0), us = endpoint(TEST_US, 9);

    open_udp(&(struct weir_udp_options){0});
    cr_assert_eq(send_to(NULL, NULL), -EDESTADDRREQ);
    cr_assert_eq(weir_udp_connect(sock, net.now, &none), -EINVAL);
    cr_assert_eq(weir_udp_connect(sock, net.now, &lost), -EINVAL);
    cr_assert_eq(weir_udp_connect(sock, net.now, &us), -EINVAL);
    cr_assert_eq(weir_udp_connect(sock, net.now, &peer), 0);
    cr_assert_eq(send_to(NULL, NULL), 1);
    expect_sent(TEST_US, TEST_PEER, PEER_PORT);
    cr_assert_eq(send_to(&peer, NULL), 1);
    expect_sent(TEST_US, TEST_PEER, PEER_PORT);
    cr_assert_eq(send_to(&other, NULL), -EISCONN);
    cr_assert_eq(weir_udp_connect(sock, net.now, &other), 0, "to another");
    cr_assert_eq(send_to(NULL, NULL), 1);
    expect_sent(TEST_US, OTHER, PEER_PORT);
    close_udp();
}

/* A port unreachable about the datagram that was sent last. */
static void refused(uint16_t port)
{
    uint8_t message[8 + 28] = {3, 3};

    memcpy(message + 8, frame.bytes + 14, 28);
    test_put16(message + 8 + 22, port);
    test_put16(message + 2, test_checksum(message, sizeof(message), 0));
    test_frame_ipv4(&frame, &(struct test_ipv4){.src = TEST_PEER, .dst = TEST_US, .protocol = IPPROTO_ICMP}, message,
                    sizeof(message));
    input();
}

Test(udp_socket, connected_one_is_told_of_its_peers_errors_alone)
{
    struct weir_endpoint peer = endpoint(TEST_PEER, PEER_PORT), from;
    struct rte_mbuf *m;

    open_udp(&(struct weir_udp_options){0});
    cr_assert_eq(weir_udp_connect(sock, net.now, &peer), 0);
    cr_assert_eq(send_to(NULL, NULL), 1);
    expect_sent(TEST_US, TEST_PEER, PEER_PORT);
    refused(PEER_PORT + 1);
    cr_assert(!received(), "about what was not sent");
    cr_assert_eq(send_to(NULL, NULL), 1);
    expect_sent(TEST_US, TEST_PEER, PEER_PORT);
    refused(PEER_PORT);
    cr_assert_eq(weir_udp_next_event(udp), &user, "at once");
    cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), -ECONNREFUSED);
    cr_assert(!received());
    close_udp();
}

Test(udp_socket, bound_to_an_address_it_is_of_no_other)
{
    struct weir_endpoint peer = endpoint(TEST_PEER, PEER_PORT);

    open_udp(&(struct weir_udp_options){0});
    cr_assert_eq(weir_udp_bind_address(sock, TEST_ADDRESS(TEST_US + 77)), -EADDRNOTAVAIL);
    cr_assert_eq(weir_udp_bind_address(sock, TEST_ADDRESS(ALSO_US)), 0);
    datagram(TEST_PEER, PEER_PORT, ALSO_US);
    cr_assert(received());
    datagram(TEST_PEER, PEER_PORT, TEST_US);
    cr_assert(!received());
    expect_unreachable();
    cr_assert_eq(send_to(&peer, NULL), 1);
    expect_sent(ALSO_US, TEST_PEER, PEER_PORT);
    cr_assert_eq(weir_udp_bind_address(sock, &(struct weir_address){0}), 0);
    cr_assert_eq(send_to(&peer, NULL), 1);
    expect_sent(TEST_US, TEST_PEER, PEER_PORT);
    close_udp();
}

Test(udp_socket, answer_comes_from_the_address_that_was_asked)
{
    static const uint32_t asked[] = {ALSO_US, TEST_US, ALSO_US};

    open_udp(&(struct weir_udp_options){0});
    for (unsigned i = 0; i < RTE_DIM(asked); i++) {
        struct weir_endpoint from;
        struct weir_address local;
        struct rte_mbuf *m;

        datagram(TEST_PEER, PEER_PORT, asked[i]);
        cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), 1);
        local = weir_udp_asked(m);
        cr_assert(weir_address_equal(&local, TEST_ADDRESS(asked[i])));
        cr_assert_eq(weir_udp_send(udp, net.now, sock, &m, &from, &local, 1), 1);
        expect_sent(asked[i], TEST_PEER, PEER_PORT);
    }
    struct weir_endpoint peer = endpoint(TEST_PEER, PEER_PORT);
    cr_assert_eq(send_to(&peer, TEST_ADDRESS(TEST_US + 77)), -EADDRNOTAVAIL);
    close_udp();
}

Test(udp_socket, broadcast_asked_nobody_in_particular)
{
    struct weir_endpoint from;
    struct weir_address local;
    struct rte_mbuf *m;

    open_udp(&(struct weir_udp_options){0});
    datagram(TEST_PEER, PEER_PORT, UINT32_MAX);
    cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), 1);
    local = weir_udp_asked(m);
    cr_assert(weir_address_is_none(&local));
    cr_assert_eq(weir_udp_send(udp, net.now, sock, &m, &from, &local, 1), 1);
    expect_sent(TEST_US, TEST_PEER, PEER_PORT);
    close_udp();
}

Test(udp_socket, queue_is_bounded_in_bytes_and_drops_are_the_sockets)
{
    struct weir_udp_socket_stats stats;

    open_udp(&(struct weir_udp_options){.queue_bytes = 12});
    for (unsigned i = 0; i < 3; i++)
        datagram(TEST_PEER, PEER_PORT, TEST_US);
    weir_udp_socket_stats(sock, &stats);
    cr_assert_eq(stats.in_datagrams, 2);
    cr_assert_eq(stats.queue_full, 1);
    cr_assert_eq(stats.queued, 2);
    cr_assert_eq(stats.queued_bytes, 10);
    cr_assert_eq(weir_udp_stats(udp)->rcvbuf_errors, 1);
    cr_assert(received());
    datagram(TEST_PEER, PEER_PORT, TEST_US);
    cr_assert(received() && received() && !received());
    weir_udp_socket_stats(sock, &stats);
    cr_assert_eq(stats.in_datagrams, 3);
    cr_assert_eq(stats.queued_bytes, 0);
    close_udp();
}

/* As IP hands it over: at UDP's header, IPv6's in front. */
static void datagram_v6(uint16_t checksum)
{
    struct weir_endpoint ends[2];
    uint8_t bytes[40 + 13] = {0x60};
    struct weir_ip_rx rx = {.protocol = IPPROTO_UDP};
    struct rte_mbuf *m;

    cr_assert_eq(weir_endpoint_parse("2001:db8::2", &ends[0]), 0);
    cr_assert_eq(weir_endpoint_parse("2001:db8::1", &ends[1]), 0);
    rx.src = weir_endpoint_address(&ends[0]);
    rx.dst = weir_endpoint_address(&ends[1]);
    rx.pseudo_sum = weir_sum_addresses(&rx.src, &rx.dst, IPPROTO_UDP);
    memcpy(bytes + 8, &rx.src, 16);
    memcpy(bytes + 24, &rx.dst, 16);
    test_put16(bytes + 40, PEER_PORT);
    test_put16(bytes + 42, PORT);
    test_put16(bytes + 44, 13);
    test_put16(bytes + 46, checksum);
    memcpy(bytes + 48, "hello", 5);
    m = test_packet(net.pool, bytes, sizeof(bytes));
    weir_packet_strip(m, 40);
    m->l3_len = 40;
    weir_udp_input(udp, net.now, m, &rx);
}

Test(udp_socket, ipv6_needs_a_checksum_and_comes_to_the_same_socket)
{
    struct weir_endpoint from, expected;
    struct weir_address asked;
    struct rte_mbuf *m;

    open_udp(&(struct weir_udp_options){0});
    datagram_v6(0);
    cr_assert(!received());
    cr_assert_eq(weir_udp_stats(udp)->in_cksum_errors, 1);
    datagram_v6(0xc445);
    cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), 1, "%" PRIu64, weir_udp_stats(udp)->in_cksum_errors);
    cr_assert_eq(weir_endpoint_parse("[2001:db8::2]:40000", &expected), 0);
    cr_assert_eq(memcmp(&from, &expected, sizeof(from)), 0);
    asked = weir_udp_asked(m);
    from = weir_endpoint_of(&asked, 0);
    cr_assert_eq(weir_endpoint_parse("2001:db8::1", &expected), 0);
    cr_assert_eq(memcmp(&from, &expected, sizeof(from)), 0);
    rte_pktmbuf_free(m);
    close_udp();
}
