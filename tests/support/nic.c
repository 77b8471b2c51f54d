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

/* The sums of a whole TCP segment, or of a UDP datagram; IPv4's too, which cutting changes. */
static NIC_ANY_BYTE void compute_sums(struct rte_mbuf *m, bool v4, bool tcp)
{
    struct rte_ipv4_hdr *ip = header_at(m, m->l2_len);
    uint32_t l4 = (uint32_t)(m->l2_len + m->l3_len);
    uint16_t *sum = header_at(
        m, l4 + (uint32_t)(tcp ? offsetof(struct rte_tcp_hdr, cksum) : offsetof(struct rte_udp_hdr, dgram_cksum)));

    *sum = 0;
    if (v4) {
        ip->hdr_checksum = 0;
        ip->hdr_checksum = rte_ipv4_cksum(ip);
        *sum = rte_ipv4_udptcp_cksum_mbuf(m, ip, (uint16_t)l4);
    } else {
        *sum = rte_ipv6_udptcp_cksum_mbuf(m, header_at(m, m->l2_len), (uint16_t)l4);
    }
}

static int cut_v4(struct nic *nic, struct rte_mbuf *m, uint32_t headers, struct rte_mbuf **segments)
{
    const struct rte_gso_ctx context = {.direct_pool = nic->pool,
                                        .indirect_pool = nic->references,
                                        .flag = RTE_GSO_FLAG_IPID_FIXED,
                                        .gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO,
                                        .gso_size = (uint16_t)(headers + m->tso_segsz)};

    m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4;
    return rte_gso_segment(m, &context, segments, NIC_SEGMENTS_MAX);
}

/* The library (22.11) cuts no IPv6. */
static NIC_ANY_BYTE int cut_v6(struct nic *nic, struct rte_mbuf *m, uint32_t headers, struct rte_mbuf **segments)
{
    int count = 0;

    for (uint32_t at = headers; at < m->pkt_len; at += m->tso_segsz) {
        uint32_t length = RTE_MIN(m->pkt_len - at, (uint32_t)m->tso_segsz);
        struct rte_mbuf *segment = rte_pktmbuf_copy(m, nic->pool, 0, headers);
        struct rte_mbuf *payload = rte_pktmbuf_copy(m, nic->pool, at, length);
        struct rte_ipv6_hdr *ip;
        struct rte_tcp_hdr *tcp;

        WEIR_ASSERT(segment != NULL && payload != NULL && rte_pktmbuf_chain(segment, payload) == 0);
        ip = header_at(segment, m->l2_len);
        tcp = header_at(segment, (uint32_t)(m->l2_len + m->l3_len));
        ip->payload_len = rte_cpu_to_be_16((uint16_t)(headers - m->l2_len - sizeof(*ip) + length));
        tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + at - headers);
        if (at + length < m->pkt_len)
            tcp->tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
        WEIR_ASSERT(count < NIC_SEGMENTS_MAX);
        segments[count++] = segment;
    }
    return count;
}

unsigned nic_finish(struct nic *nic, struct rte_mbuf *m, struct rte_mbuf *segments[NIC_SEGMENTS_MAX])
{
    bool cut = (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) || (m->ol_flags & RTE_MBUF_F_RX_LRO);
    bool sum = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) ||
               (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
    struct rte_net_hdr_lens lengths;
    uint32_t type = rte_net_get_ptype(m, &lengths, RTE_PTYPE_ALL_MASK);
    uint32_t headers = (uint32_t)lengths.l2_len + lengths.l3_len + lengths.l4_len;
    bool v4 = RTE_ETH_IS_IPV4_HDR(type);
    int count = 1;

    segments[0] = m;
    if (!cut && !sum)
        return 1;
    WEIR_ASSERT(v4 || RTE_ETH_IS_IPV6_HDR(type));
    m->l2_len = lengths.l2_len;
    m->l3_len = lengths.l3_len;
    m->l4_len = lengths.l4_len;
    m->ol_flags = 0;
    if (cut) {
        count = (v4 ? cut_v4 : cut_v6)(nic, m, headers, segments);
        WEIR_ASSERT(count > 0);
        nic->cut++;
        rte_pktmbuf_free(m); /* its segments hold what they refer to */
    }
    for (int i = 0; i < count; i++) {
        segments[i]->l2_len = lengths.l2_len;
        segments[i]->l3_len = lengths.l3_len;
        compute_sums(segments[i], v4, (type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP);
    }
    return (unsigned)count;
}
