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
    return (struct weir_endpoint){.family = AF_INET, .port = port, .v4.s_addr = rte_cpu_to_be_32(w.peer_address)};
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
    cr_assert_eq(weir_tcp_mss(c), 536, "RFC 9293 section 3.7.1");
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
