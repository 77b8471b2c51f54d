/* The in-memory pair: a cable, and no more. */
#include "eal.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(dev_pair, .init = test_eal_init);

enum { DEPTH = 8 };

static struct rte_mempool *pool;
static struct weir_dev *ends[2];

static void open_pair(unsigned packets)
{
    pool = test_pool(packets);
    cr_assert_eq(weir_dev_open_pair(ends, pool, DEPTH), 0);
}

static void close_pair(void)
{
    weir_dev_close(ends[0]);
    weir_dev_close(ends[1]);
    test_pool_is_full(pool);
}

static uint16_t send_one(struct weir_dev *dev, struct rte_mbuf *m)
{
    return weir_dev_tx_burst(dev, &m, 1);
}

Test(dev_pair, ends_have_addresses_of_their_own)
{
    open_pair(64);
    cr_assert_eq(ends[0]->mac.addr_bytes[5], 1);
    cr_assert_eq(ends[1]->mac.addr_bytes[5], 2);
    cr_assert(rte_is_local_admin_ether_addr(&ends[0]->mac));
    cr_assert_eq(ends[0]->mtu, 1500);
    close_pair();
}

Test(dev_pair, packets_cross_both_ways_in_order_by_being_handed_over)
{
    struct rte_mbuf *sent[5], *got[DEPTH];

    open_pair(64);
    for (int way = 0; way < 2; way++) {
        for (char i = 0; i < 5; i++)
            sent[(int)i] = test_packet(pool, &i, 1);
        cr_assert_eq(weir_dev_tx_burst(ends[way], sent, 5), 5);
        cr_assert_eq(weir_dev_rx_burst(ends[way], got, DEPTH), 0, "a sender hears itself");
        cr_assert_eq(weir_dev_rx_burst(ends[1 - way], got, DEPTH), 5);
        for (int i = 0; i < 5; i++) {
            cr_assert_eq(got[i], sent[i]);
            rte_pktmbuf_free(got[i]);
        }
    }
    close_pair();
}

Test(dev_pair, a_full_line_refuses_and_leaves_the_rest_to_the_caller)
{
    struct rte_mbuf *sent[DEPTH + 3], *got[DEPTH + 3];

    open_pair(64);
    for (int i = 0; i < DEPTH + 3; i++)
        sent[i] = test_packet(pool, "x", 1);
    cr_assert_eq(weir_dev_tx_burst(ends[0], sent, DEPTH + 3), DEPTH);
    cr_assert_eq(weir_dev_rx_burst(ends[1], got, 2), 2);
    cr_assert_eq(weir_dev_tx_burst(ends[0], &sent[DEPTH], 3), 2);
    rte_pktmbuf_free(sent[DEPTH + 2]);
    rte_pktmbuf_free_bulk(got, 2);
    cr_assert_eq(weir_dev_rx_burst(ends[1], got, DEPTH + 3), DEPTH);
    rte_pktmbuf_free_bulk(got, DEPTH);
    close_pair();
}

Test(dev_pair, a_packet_that_the_sender_still_holds_crosses_as_a_copy)
{
    struct rte_mbuf *m, *got;

    open_pair(64);
    m = test_packet(pool, "kept", 4);
    rte_mbuf_refcnt_update(m, 1);
    cr_assert_eq(send_one(ends[0], m), 1);
    cr_assert_eq(rte_mbuf_refcnt_read(m), 1);
    memcpy(rte_pktmbuf_mtod(m, char *), "gone", 4);
    cr_assert_eq(weir_dev_rx_burst(ends[1], &got, 1), 1);
    cr_assert_neq(got, m);
    cr_assert_arr_eq(rte_pktmbuf_mtod(got, char *), "kept", 4);
    rte_pktmbuf_free(got);
    rte_pktmbuf_free(m);
    close_pair();
}

Test(dev_pair, a_packet_of_another_pool_crosses_as_a_copy)
{
    struct rte_mempool *other;
    struct rte_mbuf *m, *got;

    open_pair(64);
    other = test_pool(16);
    m = test_packet(other, "x", 1);
    cr_assert_eq(send_one(ends[0], m), 1);
    test_pool_is_full(other); /* and it may go */
    cr_assert_eq(weir_dev_rx_burst(ends[1], &got, 1), 1);
    cr_assert_eq(got->pool, pool);
    rte_pktmbuf_free(got);
    close_pair();
}

Test(dev_pair, a_chain_comes_out_in_one_piece)
{
    struct rte_mbuf *head, *got;

    open_pair(64);
    head = test_packet(pool, "head", 4);
    cr_assert_eq(rte_pktmbuf_chain(head, test_packet(pool, "tail", 4)), 0);
    cr_assert_eq(send_one(ends[0], head), 1);
    cr_assert_eq(weir_dev_rx_burst(ends[1], &got, 1), 1);
    cr_assert_eq(got->nb_segs, 1);
    cr_assert_eq(got->pkt_len, 8);
    cr_assert_arr_eq(rte_pktmbuf_mtod(got, char *), "headtail", 8);
    rte_pktmbuf_free(got);
    close_pair();
}

Test(dev_pair, no_flag_of_the_sender_reaches_the_receiver)
{
    struct rte_mbuf *m, *got;

    open_pair(64);
    m = test_packet(pool, "x", 1);
    m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    m->l2_len = 14;
    cr_assert_eq(send_one(ends[0], m), 1);
    cr_assert_eq(weir_dev_rx_burst(ends[1], &got, 1), 1);
    cr_assert_eq(got->ol_flags, 0);
    cr_assert_eq(got->l2_len, 0);
    rte_pktmbuf_free(got);
    close_pair();
}

Test(dev_pair, a_receiver_without_packets_drops_and_counts)
{
    struct weir_dev_stats stats;
    struct rte_mbuf *m;

    open_pair(1);
    m = test_packet(pool, "x", 1);
    rte_mbuf_refcnt_update(m, 1);
    cr_assert_eq(send_one(ends[0], m), 1, "a wire does not refuse because the far end is out of memory");
    ends[1]->ops->stats(ends[1], &stats);
    cr_assert_eq(stats.rx_dropped, 1);
    rte_pktmbuf_free(m);
    close_pair();
}

Test(dev_pair, closing_an_end_frees_what_was_on_the_way_and_unplugs_the_other)
{
    struct weir_dev_stats stats;

    open_pair(64);
    cr_assert_eq(send_one(ends[0], test_packet(pool, "x", 1)), 1);
    weir_dev_close(ends[1]);
    cr_assert_eq(rte_mempool_in_use_count(pool), 0);
    for (int i = 0; i < 2 * DEPTH; i++)
        cr_assert_eq(send_one(ends[0], test_packet(pool, "x", 1)), 1);
    ends[0]->ops->stats(ends[0], &stats);
    cr_assert_eq(stats.tx_dropped, 2 * DEPTH);
    weir_dev_close(ends[0]);
    test_pool_is_full(pool);
}

Test(dev_pair, both_ends_count_packets_and_bytes)
{
    struct weir_dev_stats tx, rx;
    struct rte_mbuf *got;

    open_pair(64);
    cr_assert_eq(send_one(ends[0], test_packet(pool, "12345", 5)), 1);
    cr_assert_eq(weir_dev_rx_burst(ends[1], &got, 1), 1);
    rte_pktmbuf_free(got);
    ends[0]->ops->stats(ends[0], &tx);
    ends[1]->ops->stats(ends[1], &rx);
    cr_assert_eq(tx.tx_packets, 1);
    cr_assert_eq(tx.tx_bytes, 5);
    cr_assert_eq(rx.rx_packets, 1);
    cr_assert_eq(rx.rx_bytes, 5);
    close_pair();
}
