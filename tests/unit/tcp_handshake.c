/* How connections open: RFC 9293 section 3.5, RFC 7323's options, backlogs, sequence numbers. */
#include "tcp_wire.h"

static struct wire w;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
}

TestSuite(tcp_handshake, .init = setup, .timeout = 60);

static struct weir_endpoint peer(uint16_t port)
{
    return wire_remote(&w, port);
}

Test(tcp_handshake, passive_open_with_all_options)
{
    struct weir_tcp_listener *listener;
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN);
    seen = OUT(&w, SYN | ACK, 0, 1, 0);
    cr_assert_eq(seen.options.mss, 1460);
    cr_assert(seen.options.has_scale && seen.options.scale == 3, "262144 bytes need a scale of 3");
    cr_assert(seen.options.has_timestamps && seen.options.timestamp_echo == w.ts);
    cr_assert_eq(seen.window, 65535, "the window of a SYN is never scaled");
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, NULL, &c), -EAGAIN, "not established yet");
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    NOTHING(&w);
    cr_assert_eq(wire_events(&w, &w), WEIR_TCP_ACCEPTABLE);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    cr_assert_eq(weir_tcp_mss(c), 1448);
    cr_assert_eq(weir_tcp_stats(w.tcp)->passive_opens, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->curr_estab, 1);
    wire_close(&w);
}

Test(tcp_handshake, passive_open_without_options)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    w.timestamps = false;
    w.peer_scale = -1;
    w.peer_mss = 0;
    wire_open(&w);
    wire_listen(&w, 1);
    IN(&w, .flags = SYN);
    seen = OUT(&w, SYN | ACK, 0, 1, 0);
    cr_assert(!seen.options.has_scale && !seen.options.has_timestamps, "only what the peer offered");
    w.peer_port++;
    wire_close_quietly(&w);

    wire_open(&w);
    c = wire_established(&w);
    cr_assert_eq(weir_tcp_mss(c), w.ipv6 ? 1220 : 536, "RFC 9293 section 3.7.1");
    wire_close(&w);
}

Test(tcp_handshake, active_open_with_all_options)
{
    struct weir_endpoint remote = peer(w.peer_port), local;
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, 0, &w, &c), 0);
    wire_flush(&w);
    cr_assert(wire_next(&w, &seen));
    cr_assert(seen.flags == SYN && seen.options.mss == 1460 && seen.options.has_scale && seen.options.has_timestamps);
    weir_tcp_endpoints(c, &local, &remote);
    w.port = local.port;
    cr_assert(local.port == seen.port && local.port >= 32768 && remote.port == w.peer_port);
    IN(&w, .flags = SYN | ACK, .ack = 1);
    OUT(&w, ACK, 1, 1, 0);
    cr_assert_eq(wire_events(&w, &w), WEIR_TCP_CONNECTED);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    wire_close(&w);
}

Test(tcp_handshake, echo)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;
    struct wire_seen seen;

    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 100; i++) {
        unsigned in_use = rte_mempool_in_use_count(w.pool);

        IN(&w, .flags = ACK | PSH, .seq = 1 + 64 * i, .ack = 1 + 64 * i, .length = 64);
        cr_assert_eq(wire_events(&w, c), WEIR_TCP_READABLE);
        cr_assert_eq(weir_tcp_receive(w.tcp, c, &m), 64);
        cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
        wire_flush(&w);
        cr_assert(wire_next(&w, &seen));
        cr_assert(seen.flags == (ACK | PSH) && seen.seq == 1 + 64 * i && seen.ack == 1 + 64 * (i + 1));
        for (uint32_t b = 0; b < 64; b++)
            cr_assert_eq(seen.payload[b], wire_byte(false, 1 + 64 * i + b));
        cr_assert_eq(rte_mempool_in_use_count(w.pool), RTE_MAX(in_use, 1u), "one packet at most is held");
        NOTHING(&w);
        w.ts++;
        w.now += WEIR_MILLISECONDS(1);
    }
    wire_close(&w);
}

Test(tcp_handshake, lost_syn_is_sent_again_and_given_up)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;
    static const int at_s[] = {1, 3, 7, 15, 31, 63, 123};

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    for (int i = 0, before = 0; i < 7; before = at_s[i++]) {
        wire_advance(&w, WEIR_SECONDS(at_s[i] - before) - 1);
        NOTHING(&w);
        wire_advance(&w, 1);
        OUT(&w, SYN, 0, 0, 0);
    }
    wire_advance(&w, WEIR_SECONDS(60) - 1); /* three minutes in all: RFC 9293 section 3.8.3, MUST-23 */
    cr_assert_eq(wire_events(&w, &w), 0);
    wire_advance(&w, 1);
    NOTHING(&w);
    cr_assert(wire_events(&w, &w) & WEIR_TCP_FAILED);
    cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT);
    cr_assert_eq(weir_tcp_stats(w.tcp)->attempt_fails, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1, "the user still holds it");
    weir_tcp_close(w.tcp, w.now, c);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    wire_close(&w);
}

Test(tcp_handshake, host_that_does_not_answer_arp_is_unreachable)
{
    struct weir_address nobody = wire_host(w.ipv6, 3);
    struct weir_endpoint remote = weir_endpoint_of(&nobody, w.peer_port);
    struct weir_tcp_connection *c;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    wire_advance(&w, WEIR_SECONDS(31) - 1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_error(c), 0);
    wire_advance(&w, 1);
    cr_assert_eq(weir_tcp_error(c), -EHOSTUNREACH);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_handshake, lost_syn_ack_is_sent_again_and_forgotten)
{
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    wire_advance(&w, WEIR_SECONDS(1));
    OUT(&w, SYN | ACK, 0, 1, 0);
    IN(&w, .flags = SYN); /* the peer's again: our answer was lost */
    OUT(&w, SYN | ACK, 0, 1, 0);
    wire_advance(&w, WEIR_SECONDS(62));
    for (int i = 0; i < 4; i++)
        OUT(&w, SYN | ACK, 0, 1, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    weir_tcp_unlisten(w.tcp, w.now, listener);
    wire_close(&w);
}

Test(tcp_handshake, refused)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    IN(&w, .flags = RST | ACK, .ack = 2); /* not of our SYN */
    cr_assert_eq(wire_events(&w, &w), 0);
    IN(&w, .flags = RST); /* without an ACK anybody might have sent it */
    cr_assert_eq(wire_events(&w, &w), 0);
    IN(&w, .flags = RST | ACK, .ack = 1);
    cr_assert(wire_events(&w, &w) & WEIR_TCP_FAILED);
    cr_assert_eq(weir_tcp_error(c), -ECONNREFUSED);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_handshake, unacceptable_ack_of_a_syn_is_reset)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    IN(&w, .flags = SYN | ACK, .ack = 77);
    OUT(&w, RST, 77, 0, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_SYN_SENT);
    IN(&w, .flags = SYN | ACK, .ack = 1);
    OUT(&w, ACK, 1, 1, 0);
    weir_tcp_abort(w.tcp, w.now, c);
    OUT(&w, RST | ACK, 1, 1, 0);
    wire_close(&w);
}

Test(tcp_handshake, unacceptable_ack_of_a_syn_ack_is_reset)
{
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 2);
    OUT(&w, RST, 2, 0, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 0);
    OUT(&w, RST, 0, 0, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1);
    weir_tcp_unlisten(w.tcp, w.now, listener);
    OUT(&w, RST | ACK, 1, 1, 0);
    wire_close(&w);
}

Test(tcp_handshake, simultaneous_open)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    IN(&w, .flags = SYN);
    seen = OUT(&w, SYN | ACK, 0, 1, 0);
    cr_assert(seen.options.has_scale && seen.options.has_timestamps);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_SYN_RECEIVED);
    cr_assert_eq(weir_tcp_send(w.tcp, c, NULL), -ENOTCONN);
    IN(&w, .flags = SYN | ACK, .ack = 1);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    cr_assert_eq(wire_events(&w, &w), WEIR_TCP_CONNECTED);
    wire_send(&w, c, 10);
    OUT(&w, ACK, 1, 1, 10);
    weir_tcp_abort(w.tcp, w.now, c);
    OUT(&w, RST | ACK, 11, 1, 0);
    wire_close(&w);
}

/* RFC 7323 section 2.2: the window of a segment with a SYN is never scaled. */
Test(tcp_handshake, window_of_a_simultaneous_syn_ack_is_not_scaled)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;

    w.peer_scale = 7;
    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    IN(&w, .flags = SYN, .window_is = true, .window = 1000);
    OUT(&w, SYN | ACK, 0, 1, 0);
    IN(&w, .flags = SYN | ACK, .ack = 1, .window_is = true, .window = 1000);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    wire_send(&w, c, 900);
    wire_send(&w, c, 900);
    OUT(&w, ACK, 1, 1, 900);
    NOTHING(&w);
    wire_close(&w);
}

/* The timer runs out in the turn in which the answer comes at last: no SYN is sent on an open connection. */
Test(tcp_handshake, syn_is_not_sent_again_once_it_is_answered)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    w.now += WEIR_SECONDS(1);
    weir_tcp_timers(w.tcp, w.now);
    IN(&w, .flags = SYN | ACK, .ack = 1);
    OUT(&w, ACK, 1, 1, 0);
    wire_close(&w);
}

Test(tcp_handshake, simultaneous_open_with_a_bare_ack)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    wire_close(&w);
}

/* Opens as far as the SYN and ACK from another port. */
static void knock(uint16_t port)
{
    w.peer_port = port;
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
}

Test(tcp_handshake, syn_queue_is_bounded)
{
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 3);
    for (uint16_t i = 0; i < 3; i++)
        knock(40000 + i);
    w.peer_port = 40003;
    knock(40003); /* a cookie: nothing is kept. See unit-tcp_cookie */
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 3);
    cr_assert_eq(weir_tcp_stats(w.tcp)->req_q_full_do_cookies, 1);
    IN(&w, .flags = RST, .seq = 1); /* of another connection than any */
    w.peer_port = 40001;
    IN(&w, .flags = RST, .seq = 1); /* one gives up: there is room again */
    knock(40003);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 3);
    weir_tcp_unlisten(w.tcp, w.now, listener);
    wire_close_quietly(&w);
}

Test(tcp_handshake, accept_queue_is_bounded)
{
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;
    uint32_t iss;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    knock(40000);
    iss = w.iss;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    w.peer_port = 40001;
    IN(&w, .flags = SYN);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->listen_overflows, 1);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
    knock(40001);
    w.iss = iss;
    wire_close(&w);
}

Test(tcp_handshake, established_connection_waits_for_room_to_be_accepted)
{
    struct weir_tcp_connection *first, *second;
    struct weir_tcp_listener *listener;
    uint32_t iss;

    wire_open(&w);
    listener = wire_listen(&w, 2);
    knock(40000);
    iss = w.iss;
    knock(40001);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    knock(40002);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1); /* two are ready: no room for the first of all */
    w.peer_port = 40000;
    w.iss = iss;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 5);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &first, &first), 0);
    wire_advance(&w, WEIR_SECONDS(1));
    OUT(&w, SYN | ACK, 0, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 5);
    OUT(&w, ACK, 1, 6, 0);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &second, &second), 0);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &second, &second), 0);
    cr_assert_eq(wire_read(&w, second), 5);
    wire_close(&w);
}

/* The peer believes itself connected: it must not wait for ever. */
Test(tcp_handshake, connection_that_never_found_room_is_reset)
{
    struct weir_tcp_listener *listener;
    uint32_t iss;

    wire_open(&w);
    listener = wire_listen(&w, 2);
    knock(40000);
    iss = w.iss;
    knock(40001);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    knock(40002);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    w.peer_port = 40000;
    w.iss = iss;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    for (int i = 0; i < 5; i++) {
        wire_advance(&w, WEIR_SECONDS(1 << i));
        OUT(&w, SYN | ACK, 0, 1, 0);
        IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    }
    wire_advance(&w, WEIR_SECONDS(32));
    OUT(&w, RST | ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 2, "but for those that wait");
    weir_tcp_unlisten(w.tcp, w.now, listener);
    wire_close_quietly(&w);
}

Test(tcp_handshake, unlisten_resets_what_was_not_accepted)
{
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 8);
    knock(40000);
    knock(40001);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    OUT(&w, ACK, 1, 101, 0);
    weir_tcp_unlisten(w.tcp, w.now, listener);
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_rsts, 2);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    cr_assert_eq(wire_events(&w, &w), 0, "a listener that is closed has no events");
    wire_close_quietly(&w);
}

Test(tcp_handshake, reset_of_an_embryonic_connection_frees_it)
{
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 8);
    knock(40000);
    IN(&w, .flags = RST, .seq = 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    knock(40000);
    IN(&w, .flags = SYN, .seq = 10); /* in the window: back to LISTEN, RFC 9293 section 3.10.7.4 */
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    weir_tcp_unlisten(w.tcp, w.now, listener);
    wire_close(&w);
}

Test(tcp_handshake, reset_before_accept_is_never_accepted)
{
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 8);
    knock(40000);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 3);
    IN(&w, .flags = RST, .seq = 4);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), -EAGAIN);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    wire_close(&w);
}

Test(tcp_handshake, segments_for_nobody_are_reset)
{
    wire_open(&w);
    IN(&w, .flags = SYN);
    OUT(&w, RST | ACK, 0, 1, 0);
    IN(&w, .flags = ACK, .seq = 5, .ack = 9, .length = 3);
    OUT(&w, RST, 9, 0, 0);
    IN(&w, .flags = FIN, .seq = 5, .length = 3);
    OUT(&w, RST | ACK, 0, 9, 0);
    IN(&w, .flags = RST, .seq = 5);
    NOTHING(&w);
    wire_listen(&w, 1);
    IN(&w, .flags = ACK, .seq = 5, .ack = 9); /* RFC 9293 section 3.10.7.2 */
    OUT(&w, RST, 9, 0, 0);
    IN(&w, .flags = 0, .seq = 5);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_rsts, 4);
    wire_close(&w);
}

Test(tcp_handshake, ports_and_addresses_are_checked)
{
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;
    struct weir_endpoint remote = peer(w.peer_port), bad = remote;

    w.options.listeners_max = 1;
    w.options.connections_max = 1;
    wire_open(&w);
    cr_assert_eq(weir_tcp_listen(w.tcp, 7, 1, &w, &listener), 0);
    cr_assert_eq(weir_tcp_listener_port(listener), 7);
    cr_assert_eq(weir_tcp_listen(w.tcp, 7, 1, &w, &listener), -EADDRINUSE);
    cr_assert_eq(weir_tcp_listen(w.tcp, 8, 1, &w, &listener), -ENOMEM);
    bad.port = 0;
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &bad, 0, &w, &c), -EINVAL);
    bad = remote;
    bad.v6.s6_addr[0] = 0x20; /* of another network, of either family */
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &bad, 0, &w, &c), -ENETUNREACH);
    bad = weir_endpoint_of(&w.address, 7);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &bad, 0, &w, &c), -EINVAL);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, 1234, &w, &c), 0);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, 1234, &w, &c), -EADDRINUSE);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, 1235, &w, &c), -ENOMEM);
    cr_assert_eq(weir_tcp_stats(w.tcp)->no_connection_memory, 1);
    wire_close_quietly(&w);
}

Test(tcp_handshake, ephemeral_ports_do_not_repeat)
{
    struct weir_tcp_connection *c[50];
    struct weir_endpoint remote = peer(w.peer_port), local[50];

    wire_open(&w);
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, 0, &w, &c[i]), 0);
        weir_tcp_endpoints(c[i], &local[i], NULL);
        for (int j = 0; j < i; j++)
            cr_assert_neq(local[i].port, local[j].port);
        if (i > 0)
            cr_assert_neq(local[i].port, local[i - 1].port + 1, "a guess would find it");
    }
    wire_close_quietly(&w);
}

/* Connects from a port and takes the connection back. Returns the SYN. */
static struct wire_seen syn_of(uint16_t port, uint16_t remote_port)
{
    struct weir_endpoint remote = peer(remote_port);
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, port, &w, &c), 0);
    wire_flush(&w);
    cr_assert(wire_next(&w, &seen));
    seen.seq = w.iss;
    weir_tcp_abort(w.tcp, w.now, c);
    return seen;
}

Test(tcp_handshake, initial_numbers_grow_per_tuple_and_differ_across)
{
    struct wire_seen a, b, other;

    wire_open(&w);
    a = syn_of(1000, 80);
    other = syn_of(1001, 80);
    w.now += WEIR_SECONDS(1);
    b = syn_of(1000, 80);
    cr_assert_eq(b.seq - a.seq, 250000, "the clock of RFC 6528: 4 microseconds");
    cr_assert_eq(b.options.timestamp - a.options.timestamp, 1000);
    cr_assert_gt((uint32_t)abs((int32_t)(other.seq - a.seq)), 1000);
    cr_assert_neq(other.options.timestamp, a.options.timestamp);
    wire_close(&w);

    w.options.key[5] ^= 1; /* another secret, other numbers */
    w.now -= WEIR_SECONDS(1);
    wire_open(&w);
    b = syn_of(1000, 80);
    cr_assert_gt((uint32_t)abs((int32_t)(b.seq - a.seq)), 1000);
    wire_close(&w);
}

Test(tcp_handshake, closing_before_it_is_open_forgets_it)
{
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;

    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN, 0, 0, 0);
    cr_assert_eq(weir_tcp_send(w.tcp, c, NULL), -ENOTCONN);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), -ENOTCONN);
    weir_tcp_close(w.tcp, w.now, c);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    IN(&w, .flags = SYN | ACK, .ack = 1);
    OUT(&w, RST, 1, 0, 0);
    wire_close(&w);
}

Test(tcp_handshake, events_wait_for_a_user)
{
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;
    struct rte_mbuf *m;

    wire_open(&w);
    listener = wire_listen(&w, 8);
    knock(40000);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 9);
    OUT(&w, ACK, 1, 10, 0);
    wire_events(&w, &w);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, NULL, &c), 0);
    cr_assert_eq(wire_events(&w, c), 0);
    weir_tcp_set_user(c, c);
    cr_assert_eq(wire_events(&w, c), WEIR_TCP_READABLE);
    cr_assert_eq(wire_events(&w, c), 0, "once");
    cr_assert_eq(weir_tcp_receive(w.tcp, c, &m), 9);
    rte_pktmbuf_free(m);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, &m), -EAGAIN);
    wire_close(&w);
}

/* An ICMP error of the peer's router about our SYN or data, with this sequence number. */
static void icmp(uint8_t type, uint8_t code, uint16_t mtu, uint32_t seq)
{
    struct weir_ip_rx rx = {.protocol = IPPROTO_ICMP,
                            .icmp_type = type,
                            .icmp_code = code,
                            .icmp_mtu = mtu,
                            .quoted_protocol = IPPROTO_TCP,
                            .quoted_src = w.address,
                            .quoted_dst = w.peer_address};
    uint16_t ports[2] = {rte_cpu_to_be_16(w.port), rte_cpu_to_be_16(w.peer_port)};

    seq = rte_cpu_to_be_32(w.iss + seq);
    memcpy(rx.icmp_quote, ports, 4);
    memcpy(rx.icmp_quote + 4, &seq, 4);
    weir_tcp_icmp_error(w.tcp, w.now, &rx);
}

Test(tcp_handshake, icmp_errors_end_only_what_is_not_yet_open)
{
    static const struct {
        uint8_t code;
        int error;
    } cases[] = {{0, -ENETUNREACH}, {1, -EHOSTUNREACH}, {3, -ECONNREFUSED}, {2, -ECONNREFUSED}, {13, -EHOSTUNREACH}};
    struct weir_endpoint remote = peer(w.peer_port);
    struct weir_tcp_connection *c;

    wire_open(&w);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
        OUT(&w, SYN, 0, 0, 0);
        icmp(3, cases[i].code, 0, 5);
        cr_assert_eq(weir_tcp_error(c), 0, "not our sequence number");
        icmp(3, cases[i].code, 0, 0);
        cr_assert_eq(weir_tcp_error(c), cases[i].error);
        weir_tcp_close(w.tcp, w.now, c);
    }
    c = wire_connect(&w);
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1, 1, 100);
    icmp(3, 1, 0, 1);
    cr_assert_eq(weir_tcp_error(c), 0, "RFC 1122 section 4.2.3.9");
    wire_advance(&w, WEIR_SECONDS(1000));
    cr_assert_eq(weir_tcp_error(c), -EHOSTUNREACH, "but it explains a timeout");
    weir_tcp_close(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

Test(tcp_handshake, path_mtu_is_obeyed)
{
    uint16_t mtu = (uint16_t)(wire_ip_length(&w) + 1380);
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 1448);
    OUT(&w, ACK, 1, 1, 1448);
    icmp(3, 4, mtu, 5000);
    icmp(3, 4, 100, 1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_mss(c), 1448);
    icmp(3, 4, mtu, 1);
    cr_assert_eq(weir_tcp_mss(c), 1348);
    OUT(&w, ACK, 1, 1, 1348);
    OUT(&w, ACK, 1349, 1, 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1449);
    cr_assert(weir_tcp_drained(c));
    wire_close(&w);
}
