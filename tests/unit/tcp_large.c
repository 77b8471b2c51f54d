/* Packets of many segments, which the device cuts: what is on the wire is the same, to the byte. */
#include "bulk.h"

TestSuite(tcp_large, .init = test_eal_init, .timeout = 60);

#define TSO (WEIR_DEV_TX_TSO | WEIR_DEV_TX_TCP_CKSUM | WEIR_DEV_TX_MULTI_SEGS)

static struct wire plain, other;

static void compare(const struct bulk *bulk)
{
    static const uint32_t capabilities[] = {WEIR_DEV_TX_MULTI_SEGS, WEIR_DEV_TX_TCP_CKSUM | WEIR_DEV_TX_IPV4_CKSUM, TSO,
                                            TSO | WEIR_DEV_TX_IPV4_CKSUM};

    wire_init(&plain);
    bulk_talk(&plain, bulk);
    for (size_t i = 0; i < RTE_DIM(capabilities); i++) {
        wire_init(&other);
        other.finish = true;
        other.capabilities = capabilities[i];
        bulk_talk(&other, bulk);
        bulk_compare(&plain, &other);
        cr_assert_eq(other.nic.cut > 20, other.capabilities & WEIR_DEV_TX_TSO ? 1 : 0, "%u were cut", other.nic.cut);
        wire_close_quietly(&other);
    }
    wire_close_quietly(&plain);
}

Test(tcp_large, segments_on_the_wire_are_the_same)
{
    compare(&(struct bulk){.peer_mss = 1460, .sack = true});
    compare(&(struct bulk){.peer_mss = 1460});
    compare(&(struct bulk){.peer_mss = 536, .sack = true});
}

Test(tcp_large, segments_are_the_same_with_nagle)
{
    compare(&(struct bulk){.peer_mss = 1460, .sack = true, .nagle = true});
}

Test(tcp_large, segments_are_the_same_with_marks_of_congestion)
{
    compare(&(struct bulk){.peer_mss = 1460, .sack = true, .ecn = WEIR_TCP_ECN_REQUEST});
}

/* ---- what the user sends in large packets ---- */

/* RFC 2018 section 5: what is missing goes again, and no more. */
Test(tcp_large, only_the_part_that_is_lost_is_sent_again)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    for (int cuts = 0; cuts < 2; cuts++) {
        wire_init(&other);
        other.finish = true;
        other.sack = true;
        other.capabilities = cuts ? TSO : 0;
        wire_open(&other);
        c = wire_established(&other);
        bulk_send_chain(&other, c, 10 * 1448);
        for (uint32_t i = 0; i < 10; i++)
            OUT(&other, ACK, 1 + i * 1448, 1, 1448);
        wire_advance(&other, WEIR_MILLISECONDS(1));
        IN(&other, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 2,
           .sack = {{1 + 1448, 1 + 3 * 1448}, {1 + 4 * 1448, 1 + 10 * 1448}});
        OUT(&other, ACK, 1, 1, 1448);
        OUT(&other, ACK, 1 + 3 * 1448, 1, 1448);
        IN(&other, .flags = ACK, .seq = 1, .ack = 1 + 10 * 1448);
        wire_flush(&other);
        cr_assert(!wire_next(&other, &seen));
        cr_assert(weir_tcp_drained(c));
        wire_close_quietly(&other);
    }
}

Test(tcp_large, every_byte_goes_out_with_few_references_or_none)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    for (unsigned references = 0; references < 40; references += references == 0 ? 2 : 5) {
        uint32_t sent = 1;

        wire_init(&other);
        other.finish = true;
        other.capabilities = TSO;
        other.references_size = references;
        other.peer_scale = 7;
        wire_open(&other);
        c = wire_established(&other);
        bulk_send_chain(&other, c, 30000);
        for (int turn = 0; turn < 40 && sent < 30001; turn++) {
            wire_flush(&other);
            for (; wire_next(&other, &seen); sent += seen.length) {
                cr_assert_eq(seen.seq, sent);
                for (uint32_t i = 0; i < seen.length; i++)
                    cr_assert_eq(seen.payload[i], wire_byte(true, sent + i));
            }
            IN(&other, .flags = ACK, .seq = 1, .ack = sent);
        }
        cr_assert_eq(sent, 30001, "%u references", references);
        cr_assert(weir_tcp_drained(c));
        wire_close_quietly(&other);
    }
}

/* What is of the user's memory, and not of a pool's, is not written to. */
Test(tcp_large, packets_that_the_user_keeps_are_as_they_were)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *kept;

    wire_init(&other);
    other.finish = true;
    other.capabilities = TSO;
    wire_open(&other);
    c = wire_established(&other);
    kept = wire_payload(&other, 2000);
    rte_mbuf_refcnt_update(kept, 1);
    cr_assert_eq(weir_tcp_send(other.tcp, c, kept), 0);
    OUT(&other, ACK, 1, 1, 1448);
    OUT(&other, ACK, 1449, 1, 552);
    IN(&other, .flags = ACK, .seq = 1, .ack = 2001);
    cr_assert_eq(rte_mbuf_refcnt_read(kept), 1);
    cr_assert_eq(kept->pkt_len, 2000);
    for (uint32_t i = 0; i < 2000; i++)
        cr_assert_eq(*rte_pktmbuf_mtod_offset(kept, uint8_t *, i), wire_byte(true, 1 + i));
    rte_pktmbuf_free(kept);
    wire_close_quietly(&other);
}

/* ---- received ---- */

/* A packet of several segments that the device has joined, as virtio hands it over. */
static struct rte_mbuf *joined(uint32_t seq, uint32_t length, uint64_t flags)
{
    const struct wire_segment first = {.flags = ACK, .seq = seq, .ack = 1, .length = 100, .bad_checksum = true};
    struct rte_mbuf *m = wire_frame(&other, &first);
    uint16_t total = rte_cpu_to_be_16((uint16_t)(m->pkt_len - sizeof(struct rte_ether_hdr) + length - 100));
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));

    for (uint32_t at = 100; at < length;) {
        uint32_t some = RTE_MIN(length - at, 2000u);
        struct rte_mbuf *more = rte_pktmbuf_alloc(other.pool);
        uint8_t *bytes = (uint8_t *)rte_pktmbuf_append(more, (uint16_t)some);

        for (uint32_t i = 0; i < some; i++)
            bytes[i] = wire_byte(false, seq + at + i);
        cr_assert_eq(rte_pktmbuf_chain(m, more), 0);
        at += some;
    }
    ip->total_length = total;
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    m->ol_flags = RTE_MBUF_F_RX_LRO | flags;
    m->tso_segsz = 1448;
    return m;
}

Test(tcp_large, joined_segments_are_received_and_their_checksum_is_the_devices_word)
{
    struct weir_tcp_connection *c;

    wire_init(&other);
    other.sack = true;
    wire_open(&other);
    c = wire_established(&other);
    wire_feed(&other, joined(1, 40000, RTE_MBUF_F_RX_L4_CKSUM_NONE));
    OUT(&other, ACK, 1, 40001, 0);
    wire_feed(&other, joined(60001, 20000, RTE_MBUF_F_RX_L4_CKSUM_GOOD)); /* out of order */
    OUT(&other, ACK, 1, 40001, 0);
    wire_feed(&other, joined(40001, 20000, RTE_MBUF_F_RX_L4_CKSUM_BAD));
    NOTHING(&other);
    wire_feed(&other, joined(40001, 20000, 0)); /* nobody has looked: it is wrong */
    NOTHING(&other);
    cr_assert_eq(weir_tcp_stats(other.tcp)->in_cksum_errors, 2);
    wire_feed(&other, joined(30001, 35000, RTE_MBUF_F_RX_L4_CKSUM_GOOD)); /* some of it known already */
    OUT(&other, ACK, 1, 80001, 0);
    cr_assert_eq(wire_read(&other, c), 80000);
    wire_close_quietly(&other);
}
