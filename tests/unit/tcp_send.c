/* What is sent, and when: windows, probes, zero copy, memory. RFC 9293 sections 3.8.6 and 3.10.2. */
#include "tcp_wire.h"

static struct wire w;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
}

TestSuite(tcp_send, .init = setup, .timeout = 60);

/* The bytes after this one are acknowledged; with a window, not scaled. */
static void ack_with_window(uint32_t ack, uint32_t window)
{
    IN(&w, .flags = ACK, .seq = 1, .ack = ack, .window_is = true, .window = window);
}

Test(tcp_send, payload_is_not_copied)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    w.hold = true;
    wire_open(&w);
    c = wire_established(&w);
    wire_release(&w);
    m = wire_payload(&w, 100);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
    OUT(&w, ACK | PSH, 1, 1, 100);
    cr_assert(w.held_count == 1 && w.held[0] == m, "the packet itself was sent");
    cr_assert_eq(rte_mbuf_refcnt_read(m), 2);
    cr_assert_eq(rte_mempool_in_use_count(w.pool), 1);
    wire_release(&w);
    cr_assert_eq(rte_mempool_in_use_count(w.pool), 1, "kept until it is acknowledged");
    cr_assert(!weir_tcp_drained(c));
    IN(&w, .flags = ACK, .seq = 1, .ack = 101);
    cr_assert(weir_tcp_drained(c));
    cr_assert_eq(rte_mempool_in_use_count(w.pool), 0);
    wire_close(&w);
}

Test(tcp_send, retransmission_reuses_the_packet_unless_the_device_has_it)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    w.hold = true;
    wire_open(&w);
    c = wire_established(&w);
    wire_release(&w);
    m = wire_payload(&w, 100);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
    OUT(&w, ACK, 1, 1, 100);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, ACK, 1, 1, 100);
    cr_assert(w.held_count == 2 && w.held[1] != m, "a copy: the device still reads the first");
    wire_release(&w);
    cr_assert_eq(rte_mbuf_refcnt_read(m), 1);
    wire_advance(&w, WEIR_MILLISECONDS(400));
    OUT(&w, ACK, 1, 1, 100);
    cr_assert(w.held_count == 1 && w.held[0] == m);
    wire_release(&w);
    wire_close(&w);
}

Test(tcp_send, acknowledged_parts_of_a_packet_are_not_repeated)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 1000);
    OUT(&w, ACK, 1, 1, 1000);
    IN(&w, .flags = ACK, .seq = 1, .ack = 301);
    wire_advance(&w, WEIR_MILLISECONDS(250));
    OUT(&w, ACK, 301, 1, 700);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1001);
    wire_close(&w);
}

Test(tcp_send, long_packets_are_split)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *head;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 2000);
    OUT(&w, ACK, 1, 1, 1448);
    OUT(&w, ACK | PSH, 1449, 1, 552);
    head = wire_payload(&w, 1000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(rte_pktmbuf_chain(head, wire_payload(&w, 1000)), 0);
    cr_assert_eq(weir_tcp_send(w.tcp, c, head), 0);
    for (uint32_t at = 2001; at < 2001 + 4344; at += 1448)
        OUT(&w, ACK, at, 1, 1448);
    OUT(&w, ACK, 6345, 1, 656);
    ack_with_window(7001, 65535);
    cr_assert(weir_tcp_drained(c));
    wire_close(&w);
}

Test(tcp_send, shared_indirect_and_headless_packets_are_copied)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m, *clone;

    wire_open(&w);
    c = wire_established(&w);
    m = wire_payload(&w, 100);
    rte_mbuf_refcnt_update(m, 1); /* the user keeps it */
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
    OUT(&w, ACK, 1, 1, 100);
    cr_assert_eq(m->pkt_len, 100, "it was not touched");
    rte_pktmbuf_free(m);

    m = wire_payload(&w, 100);
    clone = rte_pktmbuf_clone(m, w.pool);
    cr_assert_eq(weir_tcp_send(w.tcp, c, clone), 0);
    OUT(&w, ACK, 101, 1, 100);
    cr_assert_eq(m->pkt_len, 100);
    rte_pktmbuf_free(m);

    m = wire_payload(&w, 100);
    memmove(m->buf_addr, rte_pktmbuf_mtod(m, void *), 100);
    m->data_off = 0;
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
    OUT(&w, ACK, 201, 1, 100);
    ack_with_window(301, 65535);
    wire_close(&w);
}

Test(tcp_send, window_of_the_peer_is_kept)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    w.window = 3000;
    wire_open(&w);
    c = wire_established(&w);
    for (int i = 0; i < 6; i++)
        wire_send(&w, c, 1000);
    for (uint32_t i = 0; i < 3; i++)
        OUT(&w, ACK, 1 + 1000 * i, 1, 1000);
    NOTHING(&w);
    ack_with_window(1001, 2000);
    NOTHING(&w);
    ack_with_window(1001, 3000); /* an update, no duplicate */
    OUT(&w, ACK, 3001, 1, 1000);
    ack_with_window(4001, 2000);
    OUT(&w, ACK, 4001, 1, 1000);
    OUT(&w, ACK | PSH, 5001, 1, 1000);
    ack_with_window(6001, 2000);
    cr_assert(weir_tcp_drained(c));
    wire_close(&w);
}

Test(tcp_send, old_segments_do_not_change_the_window)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .window_is = true, .window = 2000);
    IN(&w, .flags = ACK, .seq = 11, .ack = 1, .length = 10, .window_is = true, .window = 500);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 21, .window_is = true, .window = 2000);
    OUT(&w, ACK, 1, 22, 0);
    wire_send(&w, c, 600);
    NOTHING(&w);
    IN(&w, .flags = ACK, .seq = 22, .ack = 1, .window_is = true, .window = 600);
    OUT(&w, ACK, 1, 22, 600);
    wire_read(&w, c);
    wire_close_quietly(&w);
}

Test(tcp_send, closed_window_is_probed_ever_more_seldom)
{
    struct weir_tcp_connection *c;
    static const int after_ms[] = {200, 400, 800, 1600};

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    ack_with_window(1, 0);
    wire_send(&w, c, 500);
    NOTHING(&w);
    for (unsigned i = 0; i < RTE_DIM(after_ms); i++) {
        wire_advance(&w, WEIR_MILLISECONDS(after_ms[i]) - 1);
        NOTHING(&w);
        wire_advance(&w, 1);
        OUT(&w, ACK, 1, 1, 1);
        ack_with_window(1, 0);
        NOTHING(&w);
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->zero_window_probes, 4);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 0, "answers to probes are no duplicates");
    ack_with_window(1, 5000);
    OUT(&w, ACK | PSH, 1, 1, 500);
    ack_with_window(501, 5000);
    cr_assert(weir_tcp_drained(c));
    wire_close(&w);
}

Test(tcp_send, acks_are_not_put_beyond_a_closed_window)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    ack_with_window(1, 0);
    wire_send(&w, c, 500);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, ACK, 1, 1, 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .window_is = true);
    OUT(&w, ACK, 1, 11, 0);
    cr_assert_eq(wire_read(&w, c), 10);
    wire_close(&w);
}

Test(tcp_send, probe_that_is_taken_counts)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    ack_with_window(1, 0);
    wire_send(&w, c, 500);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, ACK, 1, 1, 1);
    ack_with_window(2, 100); /* too little for what waits, and less than half of the best */
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, ACK, 2, 1, 100);
    ack_with_window(102, 10000);
    OUT(&w, ACK, 102, 1, 399);
    ack_with_window(501, 10000);
    cr_assert(weir_tcp_drained(c));
    wire_close(&w);
}

Test(tcp_send, probe_that_opens_too_small_a_window_is_followed_up)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    w.window = 1000;
    wire_open(&w);
    c = wire_established(&w);
    ack_with_window(1, 0);
    wire_send(&w, c, 500);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, ACK, 1, 1, 1);
    ack_with_window(1, 3);
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, ACK, 1, 1, 3);
    ack_with_window(4, 1000);
    OUT(&w, ACK, 4, 1, 497);
    wire_close(&w);
}

Test(tcp_send, window_may_stay_closed_as_long_as_the_peer_answers)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    ack_with_window(1, 0);
    wire_send(&w, c, 500);
    for (int i = 0; i < 60; i++) {
        wire_advance(&w, WEIR_SECONDS(60));
        while (wire_next(&w, &seen))
            ack_with_window(1, 0);
    }
    cr_assert_eq(weir_tcp_error(c), 0);
    cr_assert_gt(weir_tcp_stats(w.tcp)->zero_window_probes, 50);
    wire_advance(&w, WEIR_SECONDS(2000));
    cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT, "but silence is not endured");
    wire_close_quietly(&w);
}

Test(tcp_send, fin_is_probed_for_too)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    ack_with_window(1, 0);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, FIN | ACK, 1, 1, 0);
    ack_with_window(2, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_FIN_WAIT_2);
    wire_close(&w);
}

/* Sent into a closed window it was not taken: once the window is open it goes at once, not when a timer that has backed
 * off runs out. */
Test(tcp_send, fin_follows_a_window_that_opens)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    ack_with_window(1, 0);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    wire_flush(&w);
    for (int i = 0, ms = 200; i < 5; i++, ms *= 2) {
        wire_advance(&w, WEIR_MILLISECONDS(ms));
        OUT(&w, FIN | ACK, 1, 1, 0);
        ack_with_window(1, 0);
    }
    NOTHING(&w);
    ack_with_window(1, 1000);
    OUT(&w, FIN | ACK, 1, 1, 0);
    wire_close(&w);
}

Test(tcp_send, silly_segments_are_not_sent)
{
    struct weir_tcp_connection *c;

    w.peer_scale = 0;
    w.window = 4000;
    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 2048); /* in one packet */
    wire_send(&w, c, 2048);
    OUT(&w, ACK, 1, 1, 1448);
    OUT(&w, ACK, 1449, 1, 600);
    OUT(&w, ACK, 2049, 1, 1448);
    NOTHING(&w); /* 600 are left, 504 would fit */
    ack_with_window(2049, 1952);
    NOTHING(&w);
    ack_with_window(3497, 600);
    OUT(&w, ACK | PSH, 3497, 1, 600);
    wire_close(&w);
}

Test(tcp_send, small_packets_are_sent_at_once)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 5; i++) {
        wire_send(&w, c, 1);
        OUT(&w, ACK | PSH, 1 + i, 1, 1);
    }
    wire_close(&w);
}

Test(tcp_send, send_buffer_is_bounded_and_reports_room)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    w.options.send_buffer = 4000;
    w.window = 0;
    wire_open(&w);
    c = wire_established(&w);
    cr_assert_eq(weir_tcp_send_room(c), 4000);
    for (int i = 0; i < 3; i++)
        wire_send(&w, c, 1400);
    cr_assert_eq(weir_tcp_send_room(c), 0);
    m = wire_payload(&w, 1);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), -EAGAIN);
    w.window = 65535;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    OUT(&w, ACK, 1, 1, 1400);
    OUT(&w, ACK, 1401, 1, 1400);
    OUT(&w, ACK, 2801, 1, 1400);
    IN(&w, .flags = ACK, .seq = 1, .ack = 501);
    cr_assert_eq(wire_events(&w, c), 0, "too little to wake anybody");
    IN(&w, .flags = ACK, .seq = 1, .ack = 1401);
    cr_assert_eq(wire_events(&w, c), WEIR_TCP_WRITABLE);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
    OUT(&w, ACK, 4201, 1, 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 4202);
    cr_assert_eq(wire_events(&w, c), 0, "nobody waits");
    wire_close(&w);
}

Test(tcp_send, packets_max_bounds_writers_too)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    w.options.packets_max = 3;
    wire_open(&w);
    c = wire_established(&w);
    for (int i = 0; i < 3; i++)
        wire_send(&w, c, 10);
    m = wire_payload(&w, 10);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), -EAGAIN);
    for (uint32_t i = 0; i < 3; i++)
        OUT(&w, ACK, 1 + 10 * i, 1, 10);
    IN(&w, .flags = ACK, .seq = 1, .ack = 11);
    cr_assert_eq(wire_events(&w, c), WEIR_TCP_WRITABLE);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
    OUT(&w, ACK, 31, 1, 10);
    wire_close(&w);
}

Test(tcp_send, packets_max_counts_segments_not_packets)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    w.options.packets_max = 4;
    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 10);
    m = wire_payload(&w, 10);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(rte_pktmbuf_chain(m, wire_payload(&w, 10)), 0);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), -EAGAIN);
    OUT(&w, ACK, 1, 1, 10);
    IN(&w, .flags = ACK, .seq = 1, .ack = 11);
    cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
    OUT(&w, ACK, 11, 1, 40);
    wire_close(&w);
}

Test(tcp_send, checksums_are_left_to_a_device_that_computes_them)
{
    struct weir_tcp_connection *c;
    uint32_t length = WEIR_TCP_HEADER_LENGTH + WEIR_TCP_TIMESTAMPS_LENGTH + 100;
    uint16_t expected;

    w.capabilities = WEIR_DEV_TX_TCP_CKSUM | WEIR_DEV_TX_IPV4_CKSUM;
    w.hold = true;
    wire_open(&w);
    c = wire_established(&w);
    wire_release(&w);
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1, 1, 100);
    cr_assert(w.held[0]->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM);
    cr_assert(w.held[0]->l2_len == 14 && w.held[0]->l3_len == wire_ip_length(&w) && w.held[0]->l4_len == 32);
    expected = weir_sum_fold((uint64_t)weir_sum_addresses(&w.address, &w.peer_address, IPPROTO_TCP) +
                             rte_cpu_to_be_16((uint16_t)length));
    cr_assert_eq(rte_pktmbuf_mtod_offset(w.held[0], struct rte_tcp_hdr *, 14 + wire_ip_length(&w))->cksum, expected);
    wire_close(&w);
}

/* Takes packets until only this many are left. */
static unsigned starve(struct rte_mempool *pool, struct rte_mbuf **taken, unsigned left)
{
    unsigned n = 0;

    while (rte_mempool_avail_count(pool) > left)
        cr_assert_not_null(taken[n++] = rte_pktmbuf_alloc(pool));
    return n;
}

static void feed(struct rte_mbuf **taken, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        rte_pktmbuf_free(taken[i]);
}

Test(tcp_send, acks_and_fins_wait_for_a_dry_control_pool)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *taken[512];
    unsigned n;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    n = starve(w.control, taken, 0);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_next_deadline(w.tcp), w.now + WEIR_MILLISECONDS(1));
    wire_advance(&w, WEIR_MILLISECONDS(5));
    NOTHING(&w);
    feed(taken, n);
    OUT(&w, ACK, 1, 11, 0);
    n = starve(w.control, taken, 0);
    cr_assert_eq(wire_read(&w, c), 10);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    NOTHING(&w);
    feed(taken, n);
    OUT(&w, FIN | ACK, 1, 11, 0);
    wire_close(&w);
}

Test(tcp_send, data_that_must_be_copied_goes_in_smaller_packets_when_the_pool_is_dry)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *taken[512];
    unsigned n;

    w.control_room = 300;
    w.references_size = 0; /* else it would be queued as two segments */
    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 2000);
    n = starve(w.pool, taken, 0);
    for (uint32_t at = 1; at < 1801; at += 300)
        OUT(&w, ACK, at, 1, 300);
    OUT(&w, ACK | PSH, 1801, 1, 200);
    feed(taken, n);
    IN(&w, .flags = ACK, .seq = 1, .ack = 2001);
    wire_close(&w);
}

Test(tcp_send, data_waits_when_all_pools_are_dry)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *taken[512], *more[512];
    unsigned n, n_more;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 2000);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    n = starve(w.pool, taken, 0);
    n_more = starve(w.control, more, 1);
    OUT(&w, ACK, 1, 11, 1448);
    wire_advance(&w, WEIR_SECONDS(2));
    OUT(&w, ACK, 1449, 11, 552);
    w.sent_taken = w.sent_count;
    rte_pktmbuf_free(more[--n_more]);
    n_more += starve(w.control, more + n_more, 0);
    wire_advance(&w, WEIR_SECONDS(2));
    NOTHING(&w);
    cr_assert_leq(weir_tcp_next_deadline(w.tcp), w.now + WEIR_MILLISECONDS(1));
    feed(taken, n);
    feed(more, n_more);
    OUT(&w, ACK, 1, 11, 1448);
    cr_assert_eq(wire_read(&w, c), 10);
    wire_close_quietly(&w);
}
