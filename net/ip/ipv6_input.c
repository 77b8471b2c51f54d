/* IPv6 packets that come in: RFC 8200 sections 3 and 4, RFC 4291 section 2. */
#include "ipv6_private.h"

/* An mbuf's l3_len has 9 bits: longer chains of headers are refused. RFC 8504 section 5.3 asks for no more than 104. */
#define CHAIN_MAX 511

static uint8_t drop(uint64_t *counter, struct rte_mbuf *m, struct weir_ip_rx *rx)
{
    ++*counter;
    rte_pktmbuf_free(m);
    return rx->protocol = 0;
}

/* Of what a header is refused for, its sender is told; of a multicast packet only where the option asks for that. */
static uint8_t refuse(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx,
                      const struct weir_ipv6_chain *chain)
{
    ip_icmp6_error(ip, now, m, rx,
                   &(struct icmp6_error){.type = WEIR_ICMP6_PARAMETER_PROBLEM,
                                         .code = chain->problem_code,
                                         .value = chain->problem_at,
                                         .to_many = chain->to_many});
    return rx->protocol = 0;
}

/* A protocol that nobody speaks here, or an extension header that nobody knows. RFC 8200 section 4. */
static uint8_t unknown_protocol(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx,
                                const struct weir_ipv6_chain *chain)
{
    ip->stats.in_unknown_protos++;
    if (chain->protocol == IPPROTO_NONE) { /* section 4.7: there is nothing more, and nothing wrong */
        rte_pktmbuf_free(m);
    } else {
        ip_icmp6_error(ip, now, m, rx,
                       &(struct icmp6_error){.type = WEIR_ICMP6_PARAMETER_PROBLEM,
                                             .code = WEIR_ICMP6_PROBLEM_NEXT_HEADER,
                                             .value = chain->named_at});
    }
    return rx->protocol = 0;
}

static uint8_t deliver(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx,
                       const struct weir_ipv6_chain *chain)
{
    bool ours = chain->protocol == IPPROTO_TCP || chain->protocol == IPPROTO_UDP || chain->protocol == IPPROTO_ICMPV6;

    if (chain->offset > CHAIN_MAX)
        return drop(&ip->stats.in_hdr_errors, m, rx);
    if (!ours)
        return unknown_protocol(ip, now, m, rx, chain);
    ip->stats.in_delivers++;
    rx->protocol = chain->protocol;
    rx->pseudo_sum = weir_sum_addresses(&rx->src, &rx->dst, chain->protocol);
    weir_packet_strip(m, chain->offset);
    m->l3_len = chain->offset;
    if (WEIR_LIKELY(chain->protocol != IPPROTO_ICMPV6))
        return chain->protocol;
    return rx->protocol = ip_icmp6_input(ip, now, m, rx, chain->fragmented);
}

/* They must lie in one piece: where they do not, the packet is drawn together. */
static int walk(struct rte_mbuf *m, uint8_t next_header, struct weir_ipv6_chain *chain)
{
    int rc = weir_ipv6_walk(rte_pktmbuf_mtod(m, const void *), m->data_len, next_header, chain);

    if (rc == -EBADMSG && m->next != NULL && weir_packet_pull(m, RTE_MIN(m->pkt_len, (uint32_t)CHAIN_MAX)))
        rc = weir_ipv6_walk(rte_pktmbuf_mtod(m, const void *), m->data_len, next_header, chain);
    return rc;
}

/* Goes over the extension headers. `whole`: it was put together of fragments. */
static __attribute__((noinline)) uint8_t extended(struct weir_ip *ip, weir_time now, struct rte_mbuf **packet,
                                                  struct weir_ip_rx *rx, uint8_t next_header, bool whole)
{
    struct weir_ipv6_chain chain;
    struct rte_mbuf *m = *packet;

    switch (walk(m, next_header, &chain)) {
    case 0:
        break;
    case -EPROTO:
        ip->stats.in_hdr_errors++;
        return refuse(ip, now, m, rx, &chain);
    default:
        return drop(&ip->stats.in_hdr_errors, m, rx);
    }
    if (chain.protocol != IPPROTO_ICMPV6 && (weir_address_is_none(&rx->src) || ip_is_ours(ip, &rx->src)))
        return drop(&ip->stats.in_addr_errors, m, rx);
    chain.fragmented |= whole;
    if (chain.protocol != IPPROTO_FRAGMENT)
        return deliver(ip, now, m, rx, &chain);
    if (whole || rx->broadcast) /* fragments within fragments, or to many: no use to anybody but a flood */
        return drop(&ip->stats.in_hdr_errors, m, rx);
    *packet = m = ip_reassemble_v6(ip, now, m, rx, &chain);
    if (m == NULL)
        return rx->protocol = 0;
    return extended(ip, now, packet, rx, rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *)->proto, true);
}

/* IPv4's, mapped, do not come in IPv6's header. RFC 4942 section 2.2. */
static inline bool is_host(const struct weir_address *address)
{
    return weir_address_is_host(address) && !weir_address_is_v4(address);
}

/* Who has no address yet, and who has one that is ours (or so he says), may talk of that to neighbour discovery. */
static inline bool source_is_good(const struct weir_ip *ip, const struct weir_ipv6 *header)
{
    if (WEIR_UNLIKELY(header->next_header != IPPROTO_TCP && header->next_header != IPPROTO_UDP))
        return is_host(&header->src) || weir_address_is_none(&header->src);
    return is_host(&header->src) && !ip_is_ours(ip, &header->src);
}

/* The link has let no multicast frame in that is not of a group of ours. */
static inline bool is_for_us(const struct weir_ip *ip, const struct weir_address *dst)
{
    return dst->bytes[0] == 0xff || (ip_is_ours(ip, dst) && !weir_address_is_v4(dst));
}

uint8_t ip_ipv6_input(struct weir_ip *ip, weir_time now, struct rte_mbuf **packet, struct weir_ip_rx *rx)
{
    struct rte_mbuf *m = *packet;
    struct weir_ip_stats *stats = &ip->stats;
    struct weir_ipv6 header;
    uint32_t length;

    stats->in_receives++;
    if (WEIR_UNLIKELY(!weir_packet_pull(m, IPV6_LENGTH) ||
                      weir_ipv6_parse(rte_pktmbuf_mtod(m, const void *), m->data_len, &header) < 0))
        return drop(&stats->in_hdr_errors, m, rx);
    length = (uint32_t)IPV6_LENGTH + header.payload_length;
    if (WEIR_UNLIKELY(length > m->pkt_len))
        return drop(&stats->in_truncated, m, rx);
    if (WEIR_UNLIKELY(!source_is_good(ip, &header) || !is_for_us(ip, &header.dst)))
        return drop(&stats->in_addr_errors, m, rx);
    rx->src = header.src;
    rx->dst = header.dst;
    rx->tos = header.traffic_class;
    rx->ttl = header.hop_limit;
    rx->broadcast = header.dst.bytes[0] == 0xff || ip_link_broadcast(m);
    if (m->pkt_len != length) /* Ethernet's padding */
        weir_packet_cut(m, length);
    if (WEIR_LIKELY(header.next_header == IPPROTO_TCP || header.next_header == IPPROTO_UDP))
        return deliver(ip, now, m, rx,
                       &(struct weir_ipv6_chain){.protocol = header.next_header, .offset = IPV6_LENGTH});
    return extended(ip, now, packet, rx, header.next_header, false);
}
