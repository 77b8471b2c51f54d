#define ALLOW_EXPERIMENTAL_API /* rte_ipv4_udptcp_cksum_mbuf is called so in 22.11 */
#include "nic.h"
#include <inttypes.h>
#include <rte_ethdev.h>
#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <weir/net/dev.h>

void nic_open(struct nic *nic)
{
    char name[32];

    nic->cut = 0;
    snprintf(name, sizeof(name), "nic-%" PRIxPTR, (uintptr_t)nic & 0xffffffff);
    nic->pool = weir_packet_pool(name, 2047, 0, 0);
    snprintf(name, sizeof(name), "nic-refs-%" PRIxPTR, (uintptr_t)nic & 0xffffffff);
    nic->references = weir_reference_pool(name, 8191);
    WEIR_ASSERT(nic->pool != NULL && nic->references != NULL);
}

void nic_close(struct nic *nic)
{
    WEIR_ASSERT(rte_mempool_full(nic->pool) && rte_mempool_full(nic->references));
    rte_mempool_free(nic->pool);
    rte_mempool_free(nic->references);
}

static void *header_at(const struct rte_mbuf *m, uint32_t offset)
{
    return rte_pktmbuf_mtod_offset(m, void *, offset);
}

/* The sums of a whole TCP segment, or of a UDP datagram; IP's too, which cutting changes. */
static void compute_sums(struct rte_mbuf *m, bool tcp)
{
    struct rte_ipv4_hdr *ip = header_at(m, m->l2_len);
    uint32_t l4 = (uint32_t)(m->l2_len + m->l3_len);
    uint16_t *sum = header_at(
        m, l4 + (uint32_t)(tcp ? offsetof(struct rte_tcp_hdr, cksum) : offsetof(struct rte_udp_hdr, dgram_cksum)));

    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    *sum = 0;
    *sum = rte_ipv4_udptcp_cksum_mbuf(m, ip, (uint16_t)l4);
}

unsigned nic_finish(struct nic *nic, struct rte_mbuf *m, struct rte_mbuf *segments[NIC_SEGMENTS_MAX])
{
    bool cut = (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) || (m->ol_flags & RTE_MBUF_F_RX_LRO);
    bool sum = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) ||
               (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
    struct rte_gso_ctx context = {.direct_pool = nic->pool,
                                  .indirect_pool = nic->references,
                                  .flag = RTE_GSO_FLAG_IPID_FIXED,
                                  .gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO};
    struct rte_net_hdr_lens lengths;
    uint32_t type = rte_net_get_ptype(m, &lengths, RTE_PTYPE_ALL_MASK);
    int count = 1;

    segments[0] = m;
    if (!cut && !sum)
        return 1;
    WEIR_ASSERT(RTE_ETH_IS_IPV4_HDR(type));
    m->l2_len = lengths.l2_len;
    m->l3_len = lengths.l3_len;
    m->l4_len = lengths.l4_len;
    m->ol_flags = 0;
    if (cut) {
        m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4;
        context.gso_size = (uint16_t)(m->l2_len + m->l3_len + m->l4_len + m->tso_segsz);
        count = rte_gso_segment(m, &context, segments, NIC_SEGMENTS_MAX);
        WEIR_ASSERT(count > 0);
        nic->cut++;
        rte_pktmbuf_free(m); /* its segments hold what they refer to */
    }
    for (int i = 0; i < count; i++) {
        segments[i]->l2_len = lengths.l2_len;
        segments[i]->l3_len = lengths.l3_len;
        compute_sums(segments[i], (type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP);
    }
    return (unsigned)count;
}
