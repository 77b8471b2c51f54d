/* Peers with connections of their own, who mean harm by them: what they can cost is bounded, in memory and in what is
 * sent. Named for what the field called them when they were found. */
#include "../support/tcp_wire.h"

static struct wire w;
static struct weir_tcp_listener *listener;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
}

TestSuite(greedy, .init = setup, .timeout = 60);

static void open(void)
{
    wire_open(&w);
    listener = wire_listen(&w, 64);
}

static struct weir_tcp_connection *accept_from(uint16_t port)
{
    w.peer_port = port;
    return wire_accept(&w, listener);
}

static struct weir_tcp_info info_of(const struct weir_tcp_connection *c)
{
    struct weir_tcp_info info;

    weir_tcp_get_info(w.tcp, c, &info);
    return info;
}

/* Takes what came out; returns how many bytes of payload that was. */
static uint32_t drain(void)
{
    struct wire_seen seen;
    uint32_t bytes = 0;

    wire_flush(&w);
    while (wire_next(&w, &seen))
        bytes += seen.length;
    return bytes;
}

static void send_much(struct weir_tcp_connection *c, uint32_t bytes)
{
    while (bytes > 0) {
        struct rte_mbuf *m = wire_payload(&w, RTE_MIN(bytes, 1400u));

        bytes -= m->pkt_len;
        if (weir_tcp_send(w.tcp, c, m) != 0) {
            rte_pktmbuf_free(m);
            return;
        }
    }
}

/* ---- acknowledgements ---- */

/* Savage et al., TCP Congestion Control with a Misbehaving Receiver: ACK division. RFC 3465: bytes are counted. */
Test(greedy, an_ack_for_each_byte_opens_the_window_no_more_than_one_for_all)
{
    struct weir_tcp_connection *c;
    uint32_t before;

    open();
    c = accept_from(40000);
    before = info_of(c).cwnd;
    send_much(c, 100000);
    (void)drain();
    for (uint32_t ack = 2; ack <= 1401; ack++)
        IN(&w, .flags = ACK, .seq = 1, .ack = ack);
    cr_assert_leq(info_of(c).cwnd - before, 1400);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* The same: duplicate ACK spoofing. Each lets at most what it says has left the network in again, and there were but
 * ten. RFC 5681 section 3.2. */
static void spoof_duplicates(bool sack)
{
    struct weir_tcp_connection *c;
    uint32_t sent;

    w.sack = sack;
    w.window = 65535;
    open();
    c = accept_from(40000);
    send_much(c, 100 * 1400);
    (void)drain();
    sent = 0;
    for (unsigned i = 0; i < 1000; i++) {
        IN(&w, .flags = ACK, .seq = 1, .ack = 1);
        sent += drain();
    }
    cr_assert_leq(sent, 12 * 1448, "%u bytes", sent);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

Test(greedy, duplicate_acks_without_sack)
{
    spoof_duplicates(false);
}

Test(greedy, duplicate_acks_with_sack)
{
    spoof_duplicates(true);
}

/* The same: optimistic ACKing. What was not sent cannot be acknowledged. */
Test(greedy, acks_of_what_was_never_sent)
{
    struct weir_tcp_connection *c;
    uint32_t before;

    open();
    c = accept_from(40000);
    before = info_of(c).cwnd;
    send_much(c, 100000);
    (void)drain();
    for (uint32_t i = 0; i < 1000; i++)
        IN(&w, .flags = ACK, .seq = 1, .ack = 100001 + 1400 * i);
    cr_assert_eq(info_of(c).cwnd, before);
    cr_assert_gt(info_of(c).unacked, 0);
    wire_flush(&w);
    cr_assert_leq(w.sent_count, 1, "one challenge a turn");
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* An ACK is never answered by an ACK. */
Test(greedy, acks_that_say_nothing)
{
    struct weir_tcp_connection *c;

    open();
    c = accept_from(40000);
    for (unsigned i = 0; i < 100000; i++) {
        IN(&w, .flags = ACK, .seq = 1, .ack = 1, .window_is = true, .window = i & 0xffff);
        if (i % 64 == 0)
            wire_flush(&w);
    }
    NOTHING(&w);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* ---- SACK: CVE-2019-11477 to 11479 (SACK panic, SACK slowness, small MSS) ---- */

Test(greedy, tiny_mss_and_sacks_of_every_other_byte)
{
    struct weir_tcp_connection *c;
    unsigned packets;

    w.peer_mss = 1;
    w.timestamps = false;
    w.peer_scale = 0;
    w.pool_size = 1024;
    open();
    c = accept_from(40000);
    cr_assert_geq(weir_tcp_mss(c), 64, "crumbs are not baked");
    send_much(c, 14000);
    (void)drain();
    packets = rte_mempool_in_use_count(w.pool);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t at = 3 + 2 * (i * 37 % 300);

        IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 3,
           .sack = {{at, at + 1}, {at + 600, at + 601}, {at + 1200, at + 1201}});
        if (i % 16 == 0)
            (void)drain();
    }
    cr_assert_leq(rte_mempool_in_use_count(w.pool), packets, "no ACK takes memory");
    IN(&w, .flags = ACK, .seq = 1, .ack = 641);
    (void)drain();
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* ... of what was never sent, backwards, or of everything there is. RFC 2018 section 8, RFC 2883. */
Test(greedy, sacks_of_nonsense)
{
    struct weir_tcp_connection *c;
    struct weir_rng rng;

    weir_rng_seed(&rng, 1);
    open();
    c = accept_from(40000);
    send_much(c, 14000);
    (void)drain();
    for (uint32_t i = 0; i < 20000; i++) {
        struct wire_segment segment = {.flags = ACK, .seq = 1, .ack = 1, .sack_count = 3};

        for (unsigned k = 0; k < 3; k++)
            segment.sack[k] = (struct weir_tcp_sack_block){(uint32_t)weir_rng_below(&rng, 20000) - 3000,
                                                           (uint32_t)weir_rng_below(&rng, 20000) - 3000};
        wire_put(&w, segment);
        if (i % 16 == 0)
            (void)drain();
    }
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    IN(&w, .flags = ACK, .seq = 1, .ack = 14001);
    (void)drain();
    cr_assert(weir_tcp_drained(c));
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* ---- what waits out of order: CVE-2018-5390 (SegmentSmack) ---- */

Test(greedy, single_bytes_out_of_order)
{
    struct weir_tcp_connection *c;
    struct weir_rng rng;
    unsigned before;

    weir_rng_seed(&rng, 1);
    w.pool_size = 2047;
    open();
    c = accept_from(40000);
    before = rte_mempool_in_use_count(w.pool);
    for (uint32_t i = 0; i < 100000; i++) {
        IN(&w, .flags = ACK, .seq = 3 + 2 * (uint32_t)weir_rng_below(&rng, 30000), .ack = 1, .length = 1);
        if (i % 32 == 0)
            (void)drain();
    }
    cr_assert_leq(rte_mempool_in_use_count(w.pool) - before, 16 + 262144 / 512);
    cr_assert_gt(weir_tcp_stats(w.tcp)->ofo_drop, 0);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* In order, and nobody reads: what is held is counted in packets, not only in bytes. */
Test(greedy, single_bytes_in_order)
{
    struct weir_tcp_connection *c;
    unsigned before;

    open();
    c = accept_from(40000);
    before = rte_mempool_in_use_count(w.pool);
    for (uint32_t i = 0; i < 50000; i++) {
        IN(&w, .flags = ACK, .seq = 1 + i, .ack = 1, .length = 1);
        if (i % 32 == 0)
            (void)drain();
    }
    cr_assert_leq(rte_mempool_in_use_count(w.pool) - before, 50000 / 1500, "%u packets hold 50000 bytes",
                  rte_mempool_in_use_count(w.pool) - before);
    cr_assert_eq(wire_read(&w, c), 50000);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* ---- peers that never let go: CVE-2008-4609 (sockstress) ---- */

/* Windows that stay closed while much is to be sent to each: all together hold no more than they may; and who has had
 * enough of it gets everything back. */
Test(greedy, windows_that_stay_closed)
{
    enum { PEERS = 64 };
    struct weir_tcp_connection *c[PEERS];

    w.window = 0;
    w.pool_size = 2047;
    w.options.packets_max = 512;
    w.options.connections_max = PEERS;
    open();
    for (uint16_t i = 0; i < PEERS; i++) {
        c[i] = accept_from((uint16_t)(40000 + i));
        send_much(c[i], 100 * 1400);
    }
    cr_assert_leq(rte_mempool_in_use_count(w.pool), 512 + PEERS);
    for (unsigned minute = 0; minute < 10; minute++) {
        wire_advance(&w, WEIR_SECONDS(60));
        (void)drain();
    }
    for (uint16_t i = 0; i < PEERS; i++)
        weir_tcp_abort(w.tcp, w.now, c[i]);
    (void)drain();
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    cr_assert_eq(rte_mempool_in_use_count(w.pool), 0);
    wire_close_quietly(&w);
}

/* The same, but the user has closed them all: nobody is left to have had enough. Peers that answer each probe, window
 * still closed, hold a slot each for some minutes, and half of the slots at most. */
Test(greedy, closed_connections_whose_peers_answer_probes)
{
    enum { PEERS = 8 };
    struct weir_tcp_connection *c;
    struct wire_seen seen;
    uint32_t iss[PEERS];

    w.window = 0;
    w.options.connections_max = PEERS;
    open();
    for (uint16_t i = 0; i < PEERS; i++) {
        c = accept_from((uint16_t)(40000 + i));
        iss[i] = w.iss;
        send_much(c, 1400);
        weir_tcp_close(w.tcp, w.now, c);
        wire_flush(&w);
        w.sent_taken = w.sent_count = 0;
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, PEERS / 2);
    cr_assert_eq(weir_tcp_stats(w.tcp)->abort_on_memory, PEERS / 2);
    c = accept_from(41000);
    for (unsigned second = 0; second < 1800 && weir_tcp_stats(w.tcp)->connections > 1; second++) {
        wire_advance(&w, WEIR_SECONDS(1));
        while (wire_next(&w, &seen))
            if (seen.peer_port < 41000 && !(seen.flags & RST)) {
                w.peer_port = seen.peer_port;
                w.iss = iss[seen.peer_port - 40000];
                IN(&w, .flags = ACK, .seq = 1, .ack = 1);
            }
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1, "only the one that is in use");
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* FINs that are answered by nothing, or by half of what ends a connection. */
Test(greedy, closed_connections_whose_peers_do_not_close)
{
    enum { PEERS = 32 };
    struct weir_tcp_connection *c;

    w.options.connections_max = PEERS;
    w.options.orphans_max = PEERS;
    open();
    for (uint16_t i = 0; i < PEERS; i++) {
        c = accept_from((uint16_t)(40000 + i));
        weir_tcp_close(w.tcp, w.now, c);
        OUT(&w, FIN | ACK, 1, 1, 0);
        if (i % 2 == 0)
            IN(&w, .flags = ACK, .seq = 1, .ack = 2); /* FIN_WAIT_2 */
    }
    wire_advance(&w, WEIR_SECONDS(61));
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, PEERS / 2);
    wire_advance(&w, WEIR_SECONDS(600));
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    wire_close_quietly(&w);
}

/* TIME_WAIT for a minute each, and far more of them than there are slots: none is refused. */
Test(greedy, more_time_waits_than_slots)
{
    enum { SLOTS = 16 };
    struct weir_tcp_connection *c;

    w.options.connections_max = SLOTS;
    open();
    for (uint16_t i = 0; i < 100 * SLOTS; i++) {
        c = accept_from((uint16_t)(10000 + i));
        weir_tcp_close(w.tcp, w.now, c);
        OUT(&w, FIN | ACK, 1, 1, 0);
        IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
        OUT(&w, ACK, 2, 2, 0);
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->time_wait_overflow, 99 * SLOTS);
    cr_assert_eq(weir_tcp_stats(w.tcp)->no_connection_memory, 0);
    wire_close_quietly(&w);
}

/* Connections that are opened and never used take all slots that there are, and no more. */
Test(greedy, more_idle_connections_than_slots)
{
    enum { SLOTS = 16 };
    struct weir_tcp_connection *c[SLOTS];
    struct wire_seen seen;

    w.options.connections_max = SLOTS;
    open();
    for (uint16_t i = 0; i < SLOTS; i++)
        c[i] = accept_from((uint16_t)(40000 + i));
    for (uint16_t i = 0; i < 1000; i++) {
        w.peer_port = (uint16_t)(41000 + i);
        IN(&w, .flags = SYN);
    }
    wire_flush(&w);
    cr_assert(!wire_next(&w, &seen), "no promise that cannot be kept");
    cr_assert_eq(weir_tcp_stats(w.tcp)->no_connection_memory, 1000);
    cr_assert_eq(weir_tcp_stats(w.tcp)->listen_drops, 1000);
    for (uint16_t i = 0; i < SLOTS; i++) {
        cr_assert_eq(weir_tcp_state(c[i]), WEIR_TCP_ESTABLISHED);
        weir_tcp_abort(w.tcp, w.now, c[i]);
    }
    (void)drain();
    c[0] = accept_from(43000);
    weir_tcp_abort(w.tcp, w.now, c[0]);
    wire_close_quietly(&w);
}
