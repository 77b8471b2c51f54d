/* What becomes of received payload: order, overlaps, windows, memory. RFC 9293 sections 3.4, 3.8.6, 3.10.7.4. */
#include "tcp_wire.h"

static struct wire w;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
}

TestSuite(tcp_receive, .init = setup, .timeout = 60);

Test(tcp_receive, data_in_order_is_acknowledged_once_a_turn)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 5; i++)
        IN(&w, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .length = 1000);
    OUT(&w, ACK, 1, 5001, 0);
    NOTHING(&w);
    cr_assert_eq(wire_events(&w, c), WEIR_TCP_READABLE);
    cr_assert_eq(wire_read(&w, c), 5000);
    OUT(&w, ACK, 1, 5001, 0); /* the window has opened by more than two segments */
    wire_close(&w);
}

Test(tcp_receive, old_duplicates_are_acknowledged_and_dropped)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    OUT(&w, ACK, 1, 101, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    IN(&w, .flags = ACK, .seq = 51, .ack = 1, .length = 50);
    OUT(&w, ACK, 1, 101, 0);
    OUT(&w, ACK, 1, 101, 0);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->duplicates, 2);
    cr_assert_eq(wire_read(&w, c), 100);
    wire_close(&w);
}

Test(tcp_receive, overlap_with_what_is_there_is_cut_off)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    IN(&w, .flags = ACK, .seq = 51, .ack = 1, .length = 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 300, .segments = 5);
    OUT(&w, ACK, 1, 301, 0);
    cr_assert_eq(wire_read(&w, c), 300);
    wire_close(&w);
}

/* All orders of five segments, some of which overlap, and the same in several mbufs. */
static void reassemble(const unsigned order[5], unsigned segments, uint32_t widen)
{
    struct weir_tcp_connection *c;

    wire_init(&w);
    w.isn = 0u - 700; /* the numbers wrap in the middle */
    wire_open(&w);
    c = wire_established(&w);
    for (int i = 0; i < 5; i++)
        IN(&w, .flags = ACK, .seq = 1 + 300 * order[i], .ack = 1, .length = 300 + widen, .segments = segments);
    wire_flush(&w);
    cr_assert_eq(wire_read(&w, c), 1500 + widen);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, &(struct rte_mbuf *){NULL}), -EAGAIN);
    wire_close_quietly(&w);
}

Test(tcp_receive, out_of_order_from_every_direction)
{
    unsigned order[5];

    for (unsigned code = 0; code < 3125; code++) {
        unsigned seen = 0, rest = code;

        for (int i = 0; i < 5; i++, rest /= 5)
            seen |= 1u << (order[i] = rest % 5);
        if (seen != 31)
            continue;
        reassemble(order, 1, 0);
        reassemble(order, 3, 120);
        reassemble(order, 1, 450);
    }
}

Test(tcp_receive, each_segment_out_of_order_gives_a_duplicate_ack)
{
    struct weir_tcp_connection *c;
    struct wire_seen first, seen;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    first = OUT(&w, ACK, 1, 1001, 0);
    cr_assert_eq(wire_read(&w, c), 1000);
    for (uint32_t i = 0; i < 4; i++)
        IN(&w, .flags = ACK, .seq = 2001 + 1000 * i, .ack = 1, .length = 1000);
    for (int i = 0; i < 4; i++) {
        seen = OUT(&w, ACK, 1, 1001, 0);
        cr_assert_eq(seen.window, first.window, "else it is no duplicate, RFC 5681 section 2");
    }
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_of_order, 4);
    IN(&w, .flags = ACK, .seq = 1001, .ack = 1, .length = 1000);
    OUT(&w, ACK, 1, 6001, 0);
    NOTHING(&w);
    cr_assert_eq(wire_read(&w, c), 5000);
    OUT(&w, ACK, 1, 6001, 0); /* reading has opened the window by more than two segments */
    wire_close(&w);
}

Test(tcp_receive, duplicate_acks_keep_the_window_and_an_update_follows)
{
    struct weir_tcp_connection *c;
    struct wire_seen before, seen;

    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 10; i++)
        IN(&w, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .length = 1000);
    before = OUT(&w, ACK, 1, 10001, 0);
    for (uint32_t i = 0; i < 2; i++)
        IN(&w, .flags = ACK, .seq = 11001 + 1000 * i, .ack = 1, .length = 1000);
    cr_assert_eq(wire_read(&w, c), 10000);
    for (int i = 0; i < 2; i++) {
        seen = OUT(&w, ACK, 1, 10001, 0);
        cr_assert_eq(seen.window, before.window);
    }
    seen = OUT(&w, ACK, 1, 10001, 0);
    cr_assert_eq(seen.window, before.window + 1250, "10000 bytes, by 8");
    wire_close(&w);
}

Test(tcp_receive, filling_the_hole_takes_duplicates_back)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 1; i < 5; i++)
        IN(&w, .flags = ACK, .seq = 1 + 100 * i, .ack = 1, .length = 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    OUT(&w, ACK, 1, 501, 0);
    NOTHING(&w);
    IN(&w, .flags = ACK, .seq = 501, .ack = 1, .length = 100);
    IN(&w, .flags = ACK, .seq = 701, .ack = 1, .length = 100);
    OUT(&w, ACK, 1, 601, 0); /* in the order of the segments: the ACK, and its duplicate */
    OUT(&w, ACK, 1, 601, 0);
    NOTHING(&w);
    cr_assert_eq(wire_read(&w, c), 600);
    wire_close(&w);
}

Test(tcp_receive, nothing_beyond_the_window_is_taken)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    w.options.receive_buffer = 4096;
    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    seen = OUT(&w, ACK, 1, 1001, 0);
    cr_assert_eq(seen.window, 3096);
    IN(&w, .flags = ACK, .seq = 4097, .ack = 1, .length = 10);
    OUT(&w, ACK, 1, 1001, 0);
    IN(&w, .flags = ACK, .seq = 2001, .ack = 1, .length = 1448);
    OUT(&w, ACK, 1, 1001, 0);
    IN(&w, .flags = ACK, .seq = 3449, .ack = 1, .length = 1448); /* its last 800 bytes do not fit */
    OUT(&w, ACK, 1, 1001, 0);
    IN(&w, .flags = ACK, .seq = 1001, .ack = 1, .length = 1000);
    seen = OUT(&w, ACK, 1, 4097, 0);
    cr_assert_eq(seen.window, 0);
    cr_assert_eq(wire_read(&w, c), 4096);
    seen = OUT(&w, ACK, 1, 4097, 0);
    cr_assert_eq(seen.window, 4096);
    wire_close(&w);
}

Test(tcp_receive, right_edge_never_moves_left)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;
    uint32_t edge = 65536, at = 1;

    w.options.receive_buffer = 100000;
    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t length = 1 + i * 37 % 1448;

        IN(&w, .flags = ACK, .seq = at, .ack = 1, .length = length);
        at += length;
        if (i % 3 == 0)
            wire_read(&w, c);
        wire_flush(&w);
        while (wire_next(&w, &seen)) {
            uint32_t new_edge = seen.ack + (seen.window << 1);
            cr_assert_geq((int32_t)(new_edge - edge), 0, "round %u", i);
            cr_assert_leq((int32_t)(new_edge - at), 100000 + 1);
            edge = new_edge;
        }
        if (edge - at < 3000)
            wire_read(&w, c);
    }
    wire_read(&w, c);
    wire_close_quietly(&w);
}

Test(tcp_receive, silly_windows_are_not_offered)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;
    uint8_t bytes[500];

    w.options.receive_buffer = 8192;
    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 8; i++)
        IN(&w, .flags = ACK, .seq = 1 + 1024 * i, .ack = 1, .length = 1024);
    seen = OUT(&w, ACK, 1, 8193, 0);
    cr_assert_eq(seen.window, 0);
    cr_assert_eq(weir_tcp_receive_copy(w.tcp, c, bytes, 500), 500);
    cr_assert_eq(weir_tcp_receive_copy(w.tcp, c, bytes, 500), 500);
    NOTHING(&w); /* 1000 bytes are less than a segment */
    cr_assert_eq(weir_tcp_receive_copy(w.tcp, c, bytes, 500), 500);
    seen = OUT(&w, ACK, 1, 8193, 0);
    cr_assert_eq(seen.window, 1500);
    w.read = 1500;
    cr_assert_eq(wire_read(&w, c), 6692);
    OUT(&w, ACK, 1, 8193, 0);
    wire_close(&w);
}

Test(tcp_receive, probes_of_a_closed_window_are_answered)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    w.options.receive_buffer = 2000;
    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 10);
    OUT(&w, ACK, 1, 1, 10);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    IN(&w, .flags = ACK, .seq = 1001, .ack = 1, .length = 1000);
    seen = OUT(&w, ACK, 11, 2001, 0);
    cr_assert_eq(seen.window, 0);
    IN(&w, .flags = ACK, .seq = 2001, .ack = 11, .length = 1); /* one byte that does not fit: but its ACK counts */
    seen = OUT(&w, ACK, 11, 2001, 0);
    cr_assert_eq(seen.window, 0);
    cr_assert(weir_tcp_drained(c));
    IN(&w, .flags = ACK, .seq = 2000, .ack = 11); /* Linux's way to probe */
    OUT(&w, ACK, 11, 2001, 0);
    cr_assert_eq(wire_read(&w, c), 2000);
    seen = OUT(&w, ACK, 11, 2001, 0);
    cr_assert_eq(seen.window, 2000);
    wire_close(&w);
}

Test(tcp_receive, sequence_numbers_wrap)
{
    struct weir_tcp_connection *c;

    w.isn = 0u - 5000;
    w.now = 0;
    wire_open(&w);
    weir_tcp_abort(w.tcp, w.now, wire_connect(&w)); /* to learn our number at this time */
    OUT(&w, RST | ACK, 1, 1, 0);
    w.now += (weir_time)(0u - 5000 - w.iss) * 4000;
    c = wire_connect(&w);
    cr_assert_eq(w.iss, 0u - 5000);
    for (uint32_t i = 0; i < 20; i++) {
        IN(&w, .flags = ACK, .seq = 1 + 700 * i, .ack = 1 + 600 * i, .length = 700);
        wire_send(&w, c, 600);
        OUT(&w, ACK, 1 + 600 * i, 1 + 700 * (i + 1), 600);
    }
    cr_assert_eq(wire_read(&w, c), 14000);
    IN(&w, .flags = ACK, .seq = 14001, .ack = 12001);
    cr_assert(weir_tcp_drained(c));
    wire_close_quietly(&w);
}

Test(tcp_receive, small_segments_share_a_packet)
{
    struct weir_tcp_connection *c;
    unsigned before;

    wire_open(&w);
    c = wire_established(&w);
    before = rte_mempool_in_use_count(w.pool);
    for (uint32_t i = 0; i < 1000; i++)
        IN(&w, .flags = ACK, .seq = 1 + i, .ack = 1, .length = 1);
    OUT(&w, ACK, 1, 1001, 0);
    cr_assert_leq(rte_mempool_in_use_count(w.pool) - before, 1);
    for (uint32_t i = 0; i < 10; i++)
        IN(&w, .flags = ACK, .seq = 1001 + 500 * i, .ack = 1, .length = 500);
    OUT(&w, ACK, 1, 6001, 0);
    cr_assert_leq(rte_mempool_in_use_count(w.pool) - before, 5);
    cr_assert_eq(wire_read(&w, c), 6000);
    wire_close_quietly(&w);
}

Test(tcp_receive, packet_that_others_hold_is_not_written_to)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *frame;

    wire_open(&w);
    c = wire_established(&w);
    frame = wire_frame(&w, &(struct wire_segment){.flags = ACK, .seq = 1, .ack = 1, .length = 10});
    rte_mbuf_refcnt_update(frame, 1);
    wire_feed(&w, frame);
    IN(&w, .flags = ACK, .seq = 11, .ack = 1, .length = 10);
    cr_assert_eq(frame->pkt_len, 10);
    OUT(&w, ACK, 1, 21, 0);
    cr_assert_eq(wire_read(&w, c), 20);
    rte_pktmbuf_free(frame);
    wire_close(&w);
}

Test(tcp_receive, packets_max_bounds_what_is_held)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;
    unsigned before;

    w.options.packets_max = 8;
    wire_open(&w);
    c = wire_established(&w);
    before = rte_mempool_in_use_count(w.pool);
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1, 1, 100);
    for (uint32_t i = 1; i < 20; i++)
        IN(&w, .flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .length = 1000);
    cr_assert_leq(rte_mempool_in_use_count(w.pool) - before, 5, "out of order, half of it");
    cr_assert_eq(weir_tcp_stats(w.tcp)->ofo_drop, 15);
    IN(&w, .flags = ACK, .seq = 20001, .ack = 101, .length = 1000);
    cr_assert(weir_tcp_drained(c), "the ACK of a segment that is dropped counts");
    for (uint32_t i = 0; i < 20; i++)
        IN(&w, .flags = ACK, .seq = 1 + 1000 * i, .ack = 101, .length = 1000);
    cr_assert_eq(rte_mempool_in_use_count(w.pool) - before, 8);
    cr_assert_eq(wire_read(&w, c), 8000);
    wire_flush(&w);
    while (wire_next(&w, &seen))
        ;
    cr_assert_eq(seen.ack, 8001);
    wire_close_quietly(&w);
}

Test(tcp_receive, next_segment_pushes_out_later_ones)
{
    struct weir_tcp_connection *c;

    w.options.packets_max = 4;
    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    IN(&w, .flags = ACK, .seq = 1001, .ack = 1, .length = 1000);
    IN(&w, .flags = ACK, .seq = 3001, .ack = 1, .length = 1000);
    IN(&w, .flags = ACK, .seq = 4001, .ack = 1, .length = 1000);
    IN(&w, .flags = ACK, .seq = 2001, .ack = 1, .length = 1000); /* full, but this is what all wait for */
    cr_assert_eq(wire_read(&w, c), 3000);
    OUT(&w, ACK, 1, 3001, 0);
    wire_close(&w);
}

Test(tcp_receive, window_stops_growing_when_packets_run_out)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen, last;

    w.options.packets_max = 4;
    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 3; i++)
        IN(&w, .flags = ACK, .seq = 1 + 1448 * i, .ack = 1, .length = 1448);
    seen = OUT(&w, ACK, 1, 4345, 0);
    IN(&w, .flags = ACK, .seq = 4345, .ack = 1, .length = 1448);
    last = OUT(&w, ACK, 1, 5793, 0);
    cr_assert_eq(seen.ack + (seen.window << 3), last.ack + (last.window << 3), "the right edge stays");
    cr_assert_eq(wire_read(&w, c), 5792);
    last = OUT(&w, ACK, 1, 5793, 0);
    cr_assert_gt(last.ack + (last.window << 3), seen.ack + (seen.window << 3));
    wire_close(&w);
}

Test(tcp_receive, packets_of_others_keep_windows_small)
{
    struct weir_tcp_connection *c;
    struct wire_seen before, seen;

    w.options.packets_max = 4;
    wire_open(&w);
    c = wire_established(&w);
    for (int i = 0; i < 4; i++)
        wire_send(&w, c, 10);
    for (uint32_t i = 0; i < 4; i++)
        before = OUT(&w, ACK, 1 + 10 * i, 1, 10);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1448);
    cr_assert_eq(wire_read(&w, c), 1448, "one packet may always come");
    seen = OUT(&w, ACK, 41, 1449, 0);
    cr_assert_eq(before.ack + (before.window << 3), seen.ack + (seen.window << 3), "but the right edge stays");
    IN(&w, .flags = ACK, .seq = 1449, .ack = 41, .length = 1448);
    cr_assert_eq(wire_read(&w, c), 1448);
    seen = OUT(&w, ACK, 41, 2897, 0);
    cr_assert_gt(seen.ack + (seen.window << 3), before.ack + (before.window << 3), "as long as it must");
    wire_close(&w);
}

Test(tcp_receive, out_of_order_queue_is_bounded)
{
    struct weir_tcp_connection *c;
    unsigned before;

    w.options.receive_buffer = 8192; /* 32 packets */
    wire_open(&w);
    c = wire_established(&w);
    before = rte_mempool_in_use_count(w.pool);
    for (uint32_t i = 0; i < 200; i++)
        IN(&w, .flags = ACK, .seq = 3 + 2 * i, .ack = 1, .length = 1);
    cr_assert_leq(rte_mempool_in_use_count(w.pool) - before, 32);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 500);
    cr_assert_eq(wire_read(&w, c), 500);
    wire_close_quietly(&w);
}

Test(tcp_receive, bad_segments_are_counted_and_dropped)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *frame;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .bad_checksum = true);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000, .segments = 7, .bad_checksum = true);
    cr_assert_eq(weir_tcp_stats(w.tcp)->in_cksum_errors, 2);
    frame = wire_frame(&w, &(struct wire_segment){.flags = ACK, .seq = 1, .ack = 1, .length = 10});
    frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
    wire_feed(&w, frame);
    cr_assert_eq(weir_tcp_stats(w.tcp)->in_cksum_errors, 3);
    frame = wire_frame(&w, &(struct wire_segment){.flags = ACK, .seq = 1, .ack = 1, .length = 10, .bad_checksum = 1});
    frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD; /* the device knows better */
    wire_feed(&w, frame);
    OUT(&w, ACK, 1, 11, 0);
    cr_assert_eq(wire_read(&w, c), 10);
    wire_close(&w);
}
