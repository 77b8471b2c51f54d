/* Segments that come together, joined to one packet. */
#include "tcp_wire.h"
#include <weir/net/dev.h>

TestSuite(dev_gro, .init = test_eal_init);

static struct wire w;
static struct weir_dev *near, *far;
static struct rte_mbuf *got[32];
static unsigned count;

static struct weir_tcp_connection *begin(void)
{
    struct weir_dev *ends[2];

    wire_init(&w);
    w.sack = true;
    wire_open(&w);
    cr_assert_eq(weir_dev_open_pair(ends, w.pool, 32), 0);
    cr_assert_eq(weir_dev_open_gro(&near, ends[0]), 0);
    far = ends[1];
    count = 0;
    return wire_established(&w);
}

static void end(void)
{
    weir_dev_close(near);
    weir_dev_close(far);
    wire_close_quietly(&w);
}

/* From a peer that lets nobody cut its packets: others' need to be numbered in a row. */
static struct rte_mbuf *frame(struct wire_segment segment)
{
    struct rte_mbuf *m;
    struct rte_ipv4_hdr *ip;

    segment.ack = 1;
    segment.flags |= ACK;
    m = wire_frame(&w, &segment);
    ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
    ip->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    return m;
}
#define FRAME(...) frame((struct wire_segment){__VA_ARGS__})

/* Sends them as one burst; what came out is in `got`. */
static void pass(struct rte_mbuf **frames, uint16_t n)
{
    cr_assert_eq(weir_dev_tx_burst(far, frames, n), n);
    count = weir_dev_rx_burst(near, got, RTE_DIM(got));
}

static void feed_all(void)
{
    for (unsigned i = 0; i < count; i++)
        wire_feed(&w, got[i]);
}

Test(dev_gro, segments_in_a_row_become_one_packet)
{
    struct weir_tcp_connection *c = begin();
    struct rte_mbuf *frames[10];

    for (uint32_t i = 0; i < 10; i++)
        frames[i] = FRAME(.seq = 1 + i * 1000, .length = 1000);
    pass(frames, 10);
    cr_assert_eq(count, 1);
    cr_assert_eq(got[0]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
    feed_all();
    OUT(&w, ACK, 1, 10001, 0);
    cr_assert_eq(wire_read(&w, c), 10000);
    end();
}

Test(dev_gro, a_flows_segments_do_not_change_places)
{
    struct weir_tcp_connection *c = begin();
    struct rte_mbuf *frames[9];

    for (uint32_t i = 0; i < 9; i++) /* one in three asks to be passed on: it is not joined */
        frames[i] = FRAME(.flags = i % 3 == 2 ? PSH : 0, .seq = 1 + i * 1000, .length = 1000);
    pass(frames, 9);
    cr_assert_eq(count, 6);
    feed_all();
    OUT(&w, ACK, 1, 9001, 0);
    cr_assert_eq(wire_read(&w, c), 9000);
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_of_order, 0);
    end();
}

Test(dev_gro, a_wrong_checksum_spoils_no_other_segment)
{
    struct weir_tcp_connection *c = begin();
    struct rte_mbuf *frames[5];

    for (uint32_t i = 0; i < 5; i++)
        frames[i] = FRAME(.seq = 1 + i * 1000, .length = 1000, .bad_checksum = i == 2);
    pass(frames, 5);
    cr_assert_eq(count, 3);
    feed_all();
    cr_assert_eq(weir_tcp_stats(w.tcp)->in_cksum_errors, 1);
    cr_assert_eq(wire_read(&w, c), 2000);
    wire_feed(&w, FRAME(.seq = 2001, .length = 1000));
    cr_assert_eq(wire_read(&w, c), 3000);
    end();
}

/* RFC 3168 section 6.1.3: a mark that a segment carries is told, whatever it came with. */
Test(dev_gro, a_mark_of_congestion_is_not_lost_among_others)
{
    struct rte_mbuf *frames[3];

    begin();
    for (uint32_t i = 0; i < 3; i++)
        frames[i] = FRAME(.seq = 1 + i * 1000, .length = 1000, .tos = i == 1 ? 3 : 2);
    pass(frames, 3);
    cr_assert_eq(count, 3);
    feed_all();
    end();
}

Test(dev_gro, what_is_no_segment_of_data_passes_as_it_is)
{
    struct rte_mbuf *frames[3];

    begin();
    frames[0] = test_packet(w.pool, "x", 1);
    frames[1] = FRAME(.seq = 1);
    frames[2] = test_packet(w.pool, "a frame of no kind that anybody knows", 37);
    pass(frames, 3);
    cr_assert_eq(count, 3);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(got[i], frames[i]);
    rte_pktmbuf_free_bulk(got, 3);
    end();
}
