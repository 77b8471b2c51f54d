/* UDP: sockets, datagrams in and out. */
#include "packet.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include <weir/net/udp.h>

TestSuite(udp, .init = test_eal_init);

enum { PORT = 7, PEER_PORT = 4242 };

static struct test_net net;
static struct test_frame frame;
static struct weir_udp *udp;
static struct weir_udp_socket *sock;
static int user; /* its address is what events hand back */

static void open_udp(const struct weir_udp_options *options, uint32_t capabilities)
{
    test_net_open(&net, &(struct weir_link_options){.capabilities = capabilities}, 511);
    cr_assert_eq(weir_udp_open(&udp, options, net.ip), 0);
    cr_assert_eq(weir_udp_bind(udp, PORT, &user, &sock), 0);
    test_net_know(&net, TEST_PEER, &test_mac_peer);
}

static void close_udp(void)
{
    weir_udp_close(udp);
    test_net_close(&net);
}

static const struct weir_udp_stats *stats(void)
{
    return weir_udp_stats(udp);
}

/* Gives a packet (m->data at its frame) to link, IP and UDP. */
static void input_packet(struct rte_mbuf *m)
{
    struct weir_ip_rx rx;

    if (weir_link_input(net.link, net.now, m) != RTE_ETHER_TYPE_IPV4)
        return;
    switch (weir_ip_input(net.ip, net.now, RTE_ETHER_TYPE_IPV4, &m, &rx)) {
    case IPPROTO_UDP:
        weir_udp_input(udp, net.now, m, &rx);
        break;
    case IPPROTO_ICMP:
        weir_udp_icmp_error(udp, &rx);
        break;
    case IPPROTO_TCP:
        rte_pktmbuf_free(m);
        break;
    }
}

static void input(void)
{
    input_packet(test_frame_packet(net.pool, &frame));
}

static void datagram(uint16_t port, const char *text)
{
    test_frame_udp(&frame, TEST_PEER, PEER_PORT, TEST_US, port, text, (unsigned)strlen(text));
}

static void expect_received(const char *text)
{
    struct rte_mbuf *m;
    struct weir_endpoint from;
    struct test_frame got;

    cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), 1, "'%s' was not received", text);
    cr_assert_eq(from.family, AF_INET);
    cr_assert_eq(from.v4.s_addr, htonl(TEST_PEER));
    cr_assert_eq(from.port, PEER_PORT);
    test_packet_take(m, &got);
    cr_assert_eq(got.length, strlen(text));
    cr_assert_eq(memcmp(got.bytes, text, got.length), 0);
}

static void expect_empty(void)
{
    struct rte_mbuf *m;
    struct weir_endpoint from;

    cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), -EAGAIN);
}

static struct weir_endpoint endpoint(uint32_t address, uint16_t port)
{
    return (struct weir_endpoint){.family = AF_INET, .port = port, .v4 = {htonl(address)}};
}

static int send_packet(struct rte_mbuf *m, uint32_t address, uint16_t port)
{
    struct weir_endpoint to = endpoint(address, port);
    return weir_udp_send(udp, net.now, sock, &m, &to, NULL, 1);
}

static int send_text(const char *text, uint32_t address, uint16_t port)
{
    return send_packet(test_packet(net.pool, text, (uint16_t)strlen(text)), address, port);
}

/* Takes the next frame sent, which must be a right datagram from our port. */
static void expect_sent(const void *payload, unsigned length)
{
    cr_assert(test_net_take(&net, &frame), "nothing was sent");
    cr_assert_eq(frame.length, 42 + length);
    cr_assert_eq(frame.bytes[23], 17);
    cr_assert_eq(test_get16(frame.bytes + 34), PORT);
    cr_assert_eq(test_get16(frame.bytes + 38), 8 + length);
    cr_assert_neq(test_get16(frame.bytes + 40), 0, "a datagram without a checksum");
    cr_assert_eq(test_checksum(frame.bytes + 34, 8 + length,
                               test_pseudo(TEST_US, test_get32(frame.bytes + 30), 17, (uint16_t)(8 + length))),
                 0);
    cr_assert_eq(memcmp(frame.bytes + 42, payload, length), 0);
}

/* ---- in ---- */

Test(udp, datagram_reaches_its_socket_with_its_headers_in_the_headroom)
{
    struct rte_mbuf *m;
    struct weir_endpoint from;

    open_udp(&(struct weir_udp_options){0}, 0);
    datagram(PORT, "hello");
    input();
    cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), 1);
    cr_assert_eq(m->pkt_len, 5);
    cr_assert_eq(rte_pktmbuf_headroom(m), RTE_PKTMBUF_HEADROOM + 42);
    cr_assert_eq(memcmp(rte_pktmbuf_mtod_offset(m, char *, -42), frame.bytes, 47), 0);
    rte_pktmbuf_free(m);
    cr_assert_eq(stats()->in_datagrams, 1);
    close_udp();
}

Test(udp, datagrams_come_oldest_first_and_in_bursts)
{
    struct rte_mbuf *m[4];
    struct weir_endpoint from[4];
    char text[2] = "0";

    open_udp(&(struct weir_udp_options){0}, 0);
    expect_empty();
    for (unsigned i = 0; i < 10; i++, text[0]++) {
        datagram(PORT, text);
        input();
    }
    for (unsigned i = 0; i < 10;) {
        int n = weir_udp_receive(sock, m, from, 4);
        cr_assert_eq(n, i < 8 ? 4 : 2);
        for (int j = 0; j < n; j++, i++) {
            cr_assert_eq(*rte_pktmbuf_mtod(m[j], char *), (char)('0' + i));
            rte_pktmbuf_free(m[j]);
        }
    }
    expect_empty();
    close_udp();
}

Test(udp, empty_datagram_is_one_too)
{
    open_udp(&(struct weir_udp_options){0}, 0);
    datagram(PORT, "");
    input();
    expect_received("");
    close_udp();
}

Test(udp, full_queue_drops_the_newest)
{
    open_udp(&(struct weir_udp_options){.queue_max = 2}, 0);
    datagram(PORT, "one");
    input();
    datagram(PORT, "two");
    input();
    datagram(PORT, "three");
    input();
    cr_assert_eq(stats()->rcvbuf_errors, 1);
    expect_received("one");
    datagram(PORT, "four");
    input();
    expect_received("two");
    expect_received("four");
    expect_empty();
    close_udp();
}

Test(udp, wrong_checksum_is_dropped_and_none_accepted)
{
    open_udp(&(struct weir_udp_options){0}, 0);
    for (unsigned bit = 0; bit < (8 + 5) * 8; bit++) {
        datagram(PORT, "hello");
        frame.bytes[34 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        input();
        expect_empty();
    }
    /* flipping the length makes it impossible, or the datagram shorter: the checksum covers that */
    cr_assert_eq(stats()->in_errors, 13 * 8);
    datagram(PORT, "hello");
    test_put16(frame.bytes + 40, 0);
    input();
    expect_received("hello");
    close_udp();
}

Test(udp, device_is_believed_about_checksums)
{
    static const struct {
        uint64_t flags;
        bool right, taken;
    } cases[] = {
        {RTE_MBUF_F_RX_L4_CKSUM_GOOD, false, true},
        {RTE_MBUF_F_RX_L4_CKSUM_BAD, true, false},
        {RTE_MBUF_F_RX_L4_CKSUM_NONE, false, true},
        {0, false, false},
    };
    open_udp(&(struct weir_udp_options){0}, 0);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        datagram(PORT, "hello");
        frame.bytes[40] ^= cases[i].right ? 0 : 1;
        struct rte_mbuf *m = test_frame_packet(net.pool, &frame);
        m->ol_flags |= cases[i].flags;
        input_packet(m);
        if (cases[i].taken)
            expect_received("hello");
        else
            expect_empty();
    }
    cr_assert_eq(stats()->in_cksum_errors, 2);
    close_udp();
}

Test(udp, impossible_lengths_are_dropped)
{
    open_udp(&(struct weir_udp_options){0}, 0);
    for (unsigned length = 0; length < 16; length++) {
        datagram(PORT, "hello");
        test_put16(frame.bytes + 38, (uint16_t)length);
        test_put16(frame.bytes + 40, 0);
        input();
        if (length >= 8 && length <= 13) {
            char text[6] = "hello";
            text[length - 8] = '\0';
            expect_received(text); /* the rest is IP's, not the datagram's */
        }
        expect_empty();
    }
    cr_assert_eq(stats()->in_errors, 8 + 2);
    for (unsigned length = 0; length < 8; length++) {
        test_frame_ipv4(&frame, &(struct test_ipv4){.src = TEST_PEER, .dst = TEST_US, .protocol = 17},
                        "\x10\x92\0\7\0\x08\0\0", length);
        input();
    }
    cr_assert_eq(stats()->in_errors, 8 + 2 + 8);
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 0);
    close_udp();
}

Test(udp, datagram_in_segments_is_delivered_whole)
{
    static char text[1201];
    const unsigned sizes[][3] = {{14, 20, 3}, {34, 8, 100}, {42, 1, 1}, {41, 300, 301}, {47, 1000, 1}};

    open_udp(&(struct weir_udp_options){0}, 0);
    for (unsigned i = 0; i < 1200; i++)
        text[i] = (char)('a' + i % 26);
    datagram(PORT, text);
    for (unsigned i = 0; i < RTE_DIM(sizes); i++) {
        input_packet(test_segments(net.pool, frame.bytes, frame.length, sizes[i], 3));
        expect_received(text);
    }
    close_udp();
}

Test(udp, closed_port_is_answered_unreachable_but_not_to_a_broadcast)
{
    struct test_frame about;

    open_udp(&(struct weir_udp_options){0}, 0);
    datagram(PORT + 1, "anyone");
    about = frame;
    input();
    cr_assert_eq(stats()->no_ports, 1);
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(memcmp(frame.bytes + 34, "\3\3", 2), 0);
    cr_assert_eq(memcmp(frame.bytes + 42, about.bytes + 14, about.length - 14), 0);
    test_frame_udp(&frame, TEST_PEER, PEER_PORT, WEIR_IPV4(10, 0, 0, 255), PORT + 1, "anyone", 6);
    input();
    cr_assert_eq(stats()->no_ports, 2);
    cr_assert(!test_net_take(&net, &frame));
    close_udp();
}

Test(udp, broadcast_reaches_a_bound_port)
{
    open_udp(&(struct weir_udp_options){0}, 0);
    test_frame_udp(&frame, TEST_PEER, PEER_PORT, UINT32_MAX, PORT, "all", 3);
    input();
    expect_received("all");
    close_udp();
}

/* ---- sockets ---- */

Test(udp, port_belongs_to_one_socket_until_unbound)
{
    struct weir_udp_socket *other;

    open_udp(&(struct weir_udp_options){0}, 0);
    cr_assert_eq(weir_udp_port(sock), PORT);
    cr_assert_eq(weir_udp_bind(udp, PORT, &user, &other), -EADDRINUSE);
    datagram(PORT, "dies with its socket");
    input();
    weir_udp_unbind(udp, sock);
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 0);
    cr_assert_null(weir_udp_next_event(udp));
    cr_assert_eq(weir_udp_bind(udp, PORT, &user, &sock), 0);
    expect_empty();
    close_udp();
}

Test(udp, sockets_have_a_limit)
{
    struct weir_udp_socket *other;

    open_udp(&(struct weir_udp_options){.sockets_max = 2}, 0);
    cr_assert_eq(weir_udp_bind(udp, PORT + 1, &user, &other), 0);
    cr_assert_eq(weir_udp_bind(udp, PORT + 2, &user, &sock), -ENOMEM);
    weir_udp_unbind(udp, other);
    cr_assert_eq(weir_udp_bind(udp, PORT + 2, &user, &other), 0);
    close_udp();
}

Test(udp, ephemeral_ports_are_drawn_from_the_seed_and_run_out)
{
    struct weir_udp_socket *first, *again;
    uint16_t port;

    open_udp(&(struct weir_udp_options){.sockets_max = 20000, .seed = 1}, 0);
    cr_assert_eq(weir_udp_bind(udp, 0, &user, &first), 0);
    port = weir_udp_port(first);
    cr_assert_geq(port, 49152);
    for (unsigned i = 1; i < 16384; i++) {
        cr_assert_eq(weir_udp_bind(udp, 0, &user, &again), 0, "port %u of 16384", i);
        cr_assert_neq(weir_udp_port(again), port);
    }
    cr_assert_eq(weir_udp_bind(udp, 0, &user, &again), -EADDRINUSE);
    weir_udp_unbind(udp, first);
    cr_assert_eq(weir_udp_bind(udp, 0, &user, &again), 0);
    cr_assert_eq(weir_udp_port(again), port, "the only free one");
    close_udp();
}

Test(udp, event_is_reported_once_for_what_came_since)
{
    struct weir_udp_socket *second, *third, *mute;
    int users[2];

    open_udp(&(struct weir_udp_options){0}, 0);
    cr_assert_eq(weir_udp_bind(udp, 8, &users[0], &second), 0);
    cr_assert_eq(weir_udp_bind(udp, 9, &users[1], &third), 0);
    cr_assert_eq(weir_udp_bind(udp, 10, NULL, &mute), 0);
    cr_assert_null(weir_udp_next_event(udp));
    for (uint16_t port = 10; port >= PORT; port--) {
        datagram(port, "one");
        input();
        input();
    }
    weir_udp_unbind(udp, second); /* from the middle of the list */
    cr_assert_eq(weir_udp_next_event(udp), &users[1]);
    cr_assert_eq(weir_udp_next_event(udp), &user);
    cr_assert_null(weir_udp_next_event(udp));
    datagram(PORT, "three"); /* not yet drained, yet news */
    input();
    cr_assert_eq(weir_udp_next_event(udp), &user);
    input();
    datagram(9, "more");
    input();
    weir_udp_unbind(udp, third); /* the last of the list */
    cr_assert_eq(weir_udp_bind(udp, 11, &users[0], &second), 0);
    datagram(11, "four");
    input();
    cr_assert_eq(weir_udp_next_event(udp), &user);
    cr_assert_eq(weir_udp_next_event(udp), &users[0]);
    cr_assert_null(weir_udp_next_event(udp));
    close_udp();
}

Test(udp, close_frees_sockets_and_their_datagrams)
{
    open_udp(&(struct weir_udp_options){0}, 0);
    for (unsigned i = 0; i < 20; i++) {
        datagram(PORT, "left");
        input();
    }
    close_udp();
}

/* ---- out ---- */

Test(udp, payload_is_sent_with_right_headers)
{
    static char payload[1472];
    struct weir_rng rng;

    weir_rng_seed(&rng, 9);
    open_udp(&(struct weir_udp_options){0}, 0);
    for (unsigned length = 0; length <= 1472; length += length < 80 ? 1 : 87) {
        for (unsigned i = 0; i < length; i++)
            payload[i] = (char)weir_rng_next(&rng);
        cr_assert_eq(send_packet(test_packet(net.pool, payload, (uint16_t)length), TEST_PEER, PEER_PORT), 1);
        expect_sent(payload, length);
        cr_assert_eq(test_get16(frame.bytes + 36), PEER_PORT);
        cr_assert_eq(test_get32(frame.bytes + 30), TEST_PEER);
        cr_assert_eq(memcmp(frame.bytes, &test_mac_peer, 6), 0);
    }
    close_udp();
}

Test(udp, checksum_that_comes_out_zero_is_sent_as_ones)
{
    uint8_t payload[2] = {0, 0};
    uint16_t checksum;

    open_udp(&(struct weir_udp_options){0}, 0);
    cr_assert_eq(send_packet(test_packet(net.pool, payload, 2), TEST_PEER, PEER_PORT), 1);
    expect_sent(payload, 2);
    checksum = test_get16(frame.bytes + 40);
    test_put16(payload, checksum); /* as payload it fills the sum up to all ones */
    cr_assert_eq(send_packet(test_packet(net.pool, payload, 2), TEST_PEER, PEER_PORT), 1);
    expect_sent(payload, 2);
    cr_assert_eq(test_get16(frame.bytes + 40), 0xffff);
    close_udp();
}

Test(udp, received_packet_goes_back_without_a_copy)
{
    struct rte_mbuf *m, *sent;
    struct weir_endpoint from;

    open_udp(&(struct weir_udp_options){0}, 0);
    datagram(PORT, "echo");
    input();
    cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), 1);
    cr_assert_eq(weir_udp_send(udp, net.now, sock, &m, &from, NULL, 1), 1);
    sent = test_net_sent(&net);
    cr_assert_eq(sent, m);
    cr_assert_eq(rte_pktmbuf_headroom(sent), RTE_PKTMBUF_HEADROOM);
    net.sent_taken--;
    expect_sent("echo", 4);
    close_udp();
}

Test(udp, burst_goes_to_many_peers_and_the_first_error_is_told)
{
    enum { N = 24 };
    struct rte_mbuf *m[N];
    struct weir_endpoint to[N];

    open_udp(&(struct weir_udp_options){0}, 0);
    for (uint32_t i = 0; i < N; i++) { /* more than a socket remembers */
        test_net_know(&net, TEST_PEER + i, &test_mac_peer);
        to[i] = endpoint(TEST_PEER + i % 12, (uint16_t)(1000 + i));
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < N; i++)
            m[i] = test_packet(net.pool, "burst", 5);
        if (round == 1) {
            to[5] = endpoint(0, 7);
            to[9].family = AF_INET6;
            to[10].port = 0;
        }
        cr_assert_eq(weir_udp_send(udp, net.now, sock, m, to, NULL, N), round == 0 ? N : -EINVAL);
        for (unsigned i = 0; i < N; i++) {
            if (round == 1 && (i == 5 || i == 9 || i == 10))
                continue;
            expect_sent("burst", 5);
            cr_assert_eq(test_get32(frame.bytes + 30), TEST_PEER + i % 12);
            cr_assert_eq(test_get16(frame.bytes + 36), 1000 + i);
        }
    }
    cr_assert_eq(stats()->out_datagrams, 2 * N - 3);
    cr_assert_eq(stats()->out_errors, 3);
    close_udp();
}

Test(udp, what_cannot_be_sent_is_consumed_and_told)
{
    static char large[1473];

    open_udp(&(struct weir_udp_options){0}, 0);
    cr_assert_eq(send_packet(test_packet(net.pool, large, 1473), TEST_PEER, 1), -EMSGSIZE);
    cr_assert_eq(send_text("us", TEST_US, 1), -EINVAL);
    cr_assert_eq(send_text("broadcast", UINT32_MAX, 1), -EINVAL);
    cr_assert_eq(rte_mempool_in_use_count(net.pool), 0);
    close_udp();
}

Test(udp, packet_that_others_hold_is_copied)
{
    struct rte_mbuf *m;

    open_udp(&(struct weir_udp_options){0}, 0);
    m = test_packet(net.pool, "shared", 6);
    rte_mbuf_refcnt_update(m, 1);
    for (unsigned i = 0; i < 2; i++) {
        if (i == 1)
            rte_mbuf_refcnt_update(m, 1);
        cr_assert_eq(send_packet(m, TEST_PEER, PEER_PORT), 1);
        cr_assert_eq(m->pkt_len, 6);
        cr_assert_eq(rte_mbuf_refcnt_read(m), 1);
        expect_sent("shared", 6);
    }
    rte_pktmbuf_free(m);
    close_udp();
}

Test(udp, clone_leaves_the_original_as_it_is)
{
    for (unsigned able = 0; able < 2; able++) {
        struct rte_mbuf *m, *clone;
        char before[RTE_PKTMBUF_HEADROOM];

        open_udp(&(struct weir_udp_options){0}, able ? WEIR_DEV_TX_MULTI_SEGS : 0);
        m = test_packet(net.pool, "shared", 6);
        memset(m->buf_addr, 0x5a, sizeof(before));
        memset(before, 0x5a, sizeof(before));
        clone = rte_pktmbuf_clone(m, net.pool);
        cr_assert_not_null(clone);
        cr_assert_eq(send_packet(clone, TEST_PEER, PEER_PORT), 1);
        cr_assert_eq(memcmp(m->buf_addr, before, sizeof(before)), 0, "the original's headroom was written");
        expect_sent("shared", 6);
        rte_pktmbuf_free(m);
        close_udp();
    }
}

Test(udp, packet_without_headroom_or_in_segments_is_sent_whole)
{
    const unsigned sizes[] = {1, 2, 4};

    for (unsigned able = 0; able < 2; able++) {
        open_udp(&(struct weir_udp_options){0}, able ? WEIR_DEV_TX_MULTI_SEGS : 0);
        struct rte_mbuf *m = rte_pktmbuf_alloc(net.pool);
        m->data_off = 0;
        memcpy(rte_pktmbuf_append(m, 5), "tight", 5);
        cr_assert_eq(send_packet(m, TEST_PEER, PEER_PORT), 1);
        expect_sent("tight", 5);
        m = test_segments(net.pool, "abcdefghijklm", 13, sizes, 3);
        cr_assert_eq(send_packet(m, TEST_PEER, PEER_PORT), 1);
        expect_sent("abcdefghijklm", 13);
        close_udp();
    }
}

Test(udp, no_memory_for_a_copy_is_an_error_value)
{
    struct rte_mbuf *all[511], *m;
    unsigned got = 0;

    open_udp(&(struct weir_udp_options){0}, 0);
    m = test_packet(net.pool, "shared", 6);
    rte_mbuf_refcnt_update(m, 1);
    while (got < 511 && (all[got] = rte_pktmbuf_alloc(net.pool)) != NULL)
        got++;
    cr_assert_eq(send_packet(m, TEST_PEER, PEER_PORT), -ENOBUFS);
    rte_pktmbuf_free_bulk(all, got);
    rte_pktmbuf_free(m);
    cr_assert_eq(stats()->out_errors, 1);
    close_udp();
}

Test(udp, device_that_does_checksums_gets_the_pseudo_headers_sum)
{
    open_udp(&(struct weir_udp_options){0}, WEIR_DEV_TX_UDP_CKSUM);
    struct rte_mbuf *m = test_packet(net.pool, "hello", 5);
    m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_TX_TCP_CKSUM; /* of an earlier life */
    cr_assert_eq(send_packet(m, TEST_PEER, PEER_PORT), 1);
    m = test_net_sent(&net);
    cr_assert_eq(m->ol_flags, RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4);
    cr_assert_eq(m->l2_len, 14);
    cr_assert_eq(m->l3_len, 20);
    cr_assert_eq(rte_validate_tx_offload(m), 0);
    test_packet_take(m, &frame);
    cr_assert_eq((uint16_t)~test_checksum(NULL, 0, test_pseudo(TEST_US, TEST_PEER, 17, 13)),
                 test_get16(frame.bytes + 40));
    close_udp();
}

Test(udp, unresolved_peer_gets_its_datagram_later)
{
    open_udp(&(struct weir_udp_options){0}, 0);
    cr_assert_eq(send_text("later", TEST_PEER + 5, PEER_PORT), 1);
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(test_get16(frame.bytes + 12), 0x0806);
    test_frame_arp(&frame, &test_mac_us, 2, &test_mac_other, TEST_PEER + 5, TEST_US);
    input();
    expect_sent("later", 5);
    cr_assert_eq(memcmp(frame.bytes, &test_mac_other, 6), 0);
    close_udp();
}

/* ---- ICMP's word ---- */

static void icmp_about(uint8_t type, uint8_t code, uint16_t mtu, uint32_t dst)
{
    static struct test_frame quoted;
    uint8_t message[8 + 28] = {type, code};

    test_frame_udp(&quoted, TEST_US, PORT, dst, PEER_PORT, "lost", 4);
    test_put16(message + 6, mtu);
    memcpy(message + 8, quoted.bytes + 14, 28);
    test_put16(message + 2, test_checksum(message, sizeof(message), 0));
    test_frame_ipv4(&frame, &(struct test_ipv4){.src = TEST_GATEWAY, .dst = TEST_US, .protocol = 1}, message,
                    sizeof(message));
    input();
}

Test(udp, icmp_error_is_reported_once)
{
    static const struct {
        uint8_t type, code;
        int error;
    } cases[] = {{3, 3, -ECONNREFUSED}, {3, 1, -EHOSTUNREACH}, {3, 0, -EHOSTUNREACH}, {11, 0, -EHOSTUNREACH}};
    struct rte_mbuf *m;
    struct weir_endpoint from;

    open_udp(&(struct weir_udp_options){0}, 0);
    cr_assert_eq(send_text("lost", TEST_PEER, PEER_PORT), 1);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        icmp_about(cases[i].type, cases[i].code, 0, TEST_PEER);
        cr_assert_eq(weir_udp_next_event(udp), &user);
        cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), cases[i].error);
        expect_empty();
    }
    icmp_about(3, 3, 0, TEST_PEER + 1);
    expect_empty(); /* we never sent there: forged */
    close_udp();
}

Test(udp, eight_peers_are_remembered)
{
    struct rte_mbuf *m;
    struct weir_endpoint from;

    open_udp(&(struct weir_udp_options){0}, 0);
    for (uint32_t i = 0; i < 9; i++)
        cr_assert_eq(send_text("lost", TEST_PEER + i, PEER_PORT), 1);
    for (uint32_t i = 1; i < 9; i++) {
        icmp_about(3, 3, 0, TEST_PEER + i);
        cr_assert_eq(weir_udp_receive(sock, &m, &from, 1), -ECONNREFUSED, "peer %u", i);
    }
    icmp_about(3, 3, 0, TEST_PEER); /* the ninth took its place */
    expect_empty();
    close_udp();
}

Test(udp, fragmentation_needed_lowers_the_paths_mtu)
{
    static char payload[1472];

    open_udp(&(struct weir_udp_options){0}, 0);
    cr_assert_eq(send_packet(test_packet(net.pool, payload, 1472), TEST_PEER, 1), 1);
    icmp_about(3, 4, 1400, TEST_PEER);
    expect_empty();
    cr_assert_eq(send_packet(test_packet(net.pool, payload, 1373), TEST_PEER, 1), -EMSGSIZE);
    cr_assert_eq(send_packet(test_packet(net.pool, payload, 1372), TEST_PEER, 1), 1);
    icmp_about(3, 4, 20, TEST_PEER); /* nobody's MTU */
    cr_assert_eq(send_packet(test_packet(net.pool, payload, 548), TEST_PEER, 1), 1);
    icmp_about(3, 4, 9000, TEST_PEER); /* it never grows */
    cr_assert_eq(send_packet(test_packet(net.pool, payload, 549), TEST_PEER, 1), -EMSGSIZE);
    close_udp();
}
