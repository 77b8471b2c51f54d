/* IPv4 packets that come in: RFC 791 section 3.2, RFC 1122 section 3.2.1. */
#include "ip_private.h"

static uint8_t drop(uint64_t *counter, struct rte_mbuf *m, struct weir_ip_rx *rx)
{
    ++*counter;
    rte_pktmbuf_free(m);
    rx->protocol = 0;
    return 0;
}

/* The device's word where it gave one; else the sum of a right header is all ones. */
static inline bool checksum_is_good(const struct rte_mbuf *m, const void *header, uint8_t length)
{
    uint64_t flags = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

    if (flags != RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
        return flags != RTE_MBUF_F_RX_IP_CKSUM_BAD;
    return (WEIR_LIKELY(length == IPV4_LENGTH) ? weir_sum_ipv4(header) : weir_sum(header, length)) == 0xffff;
}

/* Source routes are the one option that could hurt a host; the others are skipped. RFC 7126 section 4.3. */
static bool options_are_fine(const uint8_t *header, uint8_t length)
{
    return weir_ipv4_source_routed(header + IPV4_LENGTH, (size_t)length - IPV4_LENGTH) == 0;
}

/* A protocol that nobody speaks here. */
static uint8_t unknown_protocol(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx)
{
    ip->stats.in_unknown_protos++;
    weir_ip_send_unreachable(ip, now, m, rx, WEIR_ICMP_UNREACHABLE_PROTOCOL);
    rx->protocol = 0;
    return 0;
}

/* Takes a fragment. Returns true if that was the last one missing: then *m is the whole packet, `header` its own. */
static __attribute__((noinline)) bool reassemble(struct weir_ip *ip, weir_time now, struct rte_mbuf **m,
                                                 struct weir_ipv4 *header)
{
    weir_packet_cut(*m, header->total_length);
    *m = ip_reassemble_v4(ip, now, *m, header);
    if (*m == NULL)
        return false;
    header->total_length = (uint16_t)(*m)->pkt_len;
    header->header_length = (uint8_t)(*m)->l3_len;
    return true;
}

static inline uint8_t ipv4_input(struct weir_ip *ip, weir_time now, struct rte_mbuf **packet, struct weir_ip_rx *rx)
{
    struct weir_ip_stats *stats = &ip->stats;
    struct rte_mbuf *m = *packet;
    struct weir_ipv4 header;
    const uint8_t *bytes;
    enum ip_whose whose;

    stats->in_receives++;
    if (WEIR_UNLIKELY(!weir_packet_pull(m, IPV4_LENGTH)))
        return drop(&stats->in_hdr_errors, m, rx);
    /* options in a further segment: 60 bytes are the most that a header can have */
    if (WEIR_UNLIKELY(m->data_len < 60 && m->next != NULL) && !weir_packet_pull(m, RTE_MIN(m->pkt_len, 60u)))
        return drop(&stats->in_hdr_errors, m, rx);
    bytes = rte_pktmbuf_mtod(m, const uint8_t *);
    if (WEIR_UNLIKELY(weir_ipv4_parse(bytes, m->data_len, &header) < 0))
        return drop(&stats->in_hdr_errors, m, rx);
    if (WEIR_UNLIKELY(!checksum_is_good(m, bytes, header.header_length)))
        return drop(&stats->in_cksum_errors, m, rx);
    if (WEIR_UNLIKELY(header.total_length > m->pkt_len))
        return drop(&stats->in_truncated, m, rx);
    if (WEIR_UNLIKELY(header.header_length > IPV4_LENGTH && !options_are_fine(bytes, header.header_length)))
        return drop(&stats->in_hdr_errors, m, rx);

    /* a packet from ourselves is another's: we do not send to us */
    if (WEIR_UNLIKELY(!weir_address_is_host_v4(header.src) || ip_whose_v4(ip, header.src) != IP_OTHERS))
        return drop(&stats->in_addr_errors, m, rx);
    whose = ip_whose_v4(ip, header.dst);
    if (WEIR_UNLIKELY(whose == IP_OTHERS))
        return drop(&stats->in_addr_errors, m, rx);
    if (WEIR_UNLIKELY(header.more_fragments || header.fragment_offset != 0)) {
        if (whose == IP_BROADCAST || ip_link_broadcast(m)) /* no use to anybody but a flood */
            return drop(&stats->in_addr_errors, m, rx);
        if (!reassemble(ip, now, packet, &header))
            return rx->protocol = 0;
        m = *packet;
    }

    rx->src = weir_address_v4(header.src);
    rx->dst = weir_address_v4(header.dst);
    rx->pseudo_sum = weir_sum_pseudo(header.src, header.dst, header.protocol);
    rx->protocol = header.protocol;
    rx->tos = header.tos;
    rx->ttl = header.ttl;
    rx->broadcast = whose == IP_BROADCAST || ip_link_broadcast(m);
    if (m->pkt_len != header.total_length) /* Ethernet's padding */
        weir_packet_cut(m, header.total_length);
    weir_packet_strip(m, header.header_length);
    m->l3_len = header.header_length;
    if (WEIR_LIKELY(header.protocol == IPPROTO_TCP || header.protocol == IPPROTO_UDP)) {
        stats->in_delivers++;
        return header.protocol;
    }
    if (header.protocol != IPPROTO_ICMP)
        return unknown_protocol(ip, now, m, rx);
    stats->in_delivers++;
    return rx->protocol = ip_icmp_input(ip, now, m, rx);
}

uint8_t weir_ip_input(struct weir_ip *ip, weir_time now, uint16_t ether_type, struct rte_mbuf **m,
                      struct weir_ip_rx *rx)
{
    if (WEIR_LIKELY(ether_type == RTE_ETHER_TYPE_IPV4))
        return ipv4_input(ip, now, m, rx);
    WEIR_ASSERT_EQ(ether_type, RTE_ETHER_TYPE_IPV6);
    return ip_ipv6_input(ip, now, m, rx);
}
