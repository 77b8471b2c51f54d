/* Fragments of IPv6: RFC 8200 section 4.5, by librte_ip_frag, which wants the fragment header right behind the IPv6
 * header.
 */
#include "ipv6_private.h"

#define FRAGMENT_LENGTH 8u

/* Code 1 of ICMPv6's time exceeded, RFC 4443 section 3.3. */
#define REASSEMBLY_TIME_EXCEEDED 1

static unsigned offset_of(const struct rte_ipv6_fragment_ext *fragment)
{
    return rte_be_to_cpu_16(fragment->frag_data) & RTE_IPV6_EHDR_FO_MASK;
}

void ip_expired_v6(struct weir_ip *ip, weir_time now, struct rte_mbuf *m)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);
    struct rte_ipv6_fragment_ext fragment;
    struct weir_ipv6 header;

    WEIR_ASSERT(m->data_len >= IPV6_LENGTH + FRAGMENT_LENGTH && weir_ipv6_parse(bytes, m->data_len, &header) == 0);
    memcpy(&fragment, bytes + IPV6_LENGTH, sizeof(fragment));
    if (offset_of(&fragment) != 0) {
        rte_pktmbuf_free(m);
        return;
    }
    m->l3_len = IPV6_LENGTH + FRAGMENT_LENGTH;
    weir_packet_strip(m, IPV6_LENGTH + FRAGMENT_LENGTH);
    ip_icmp6_error(ip, now, m, &(struct weir_ip_rx){.src = header.src, .dst = header.dst},
                   &(struct icmp6_error){.type = WEIR_ICMP6_TIME_EXCEEDED, .code = REASSEMBLY_TIME_EXCEEDED});
}

/* What a fragment is refused for, as an offset into the packet that a parameter problem points to; 0: nothing. A length
 * that is not of eights though others follow, and an end beyond what a packet can hold. */
static uint16_t problem(const struct rte_mbuf *m, const struct rte_ipv6_fragment_ext *fragment, uint16_t at)
{
    unsigned length = m->pkt_len - at - FRAGMENT_LENGTH;

    if ((fragment->frag_data & RTE_BE16(RTE_IPV6_EHDR_MF_MASK)) && length % 8 != 0)
        return offsetof(struct rte_ipv6_hdr, payload_len);
    if (offset_of(fragment) + length > UINT16_MAX)
        return (uint16_t)(at + offsetof(struct rte_ipv6_fragment_ext, frag_data));
    return 0;
}

/* Moves the IPv6 header up to the fragment header: what stands between them was for this fragment alone. */
static void close_up(struct rte_mbuf *m, uint16_t at)
{
    char *bytes = rte_pktmbuf_mtod(m, char *);
    struct rte_ipv6_hdr header;

    memcpy(&header, bytes, sizeof(header));
    header.proto = IPPROTO_FRAGMENT;
    weir_packet_strip(m, (uint16_t)(at - IPV6_LENGTH));
    header.payload_len = rte_cpu_to_be_16((uint16_t)(m->pkt_len - IPV6_LENGTH));
    memcpy(rte_pktmbuf_mtod(m, void *), &header, sizeof(header));
}

struct rte_mbuf *ip_reassemble_v6(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx,
                                  const struct weir_ipv6_chain *chain)
{
    struct rte_ipv6_fragment_ext fragment;
    struct rte_ipv6_hdr *header;
    uint16_t at = chain->offset, pointer;

    m = ip_reassembly_begin(ip, now, m);
    if (m == NULL)
        return NULL;
    memcpy(&fragment, rte_pktmbuf_mtod_offset(m, void *, at), sizeof(fragment));
    pointer = problem(m, &fragment, at);
    if (pointer != 0 || m->pkt_len == at + FRAGMENT_LENGTH) {
        ip->stats.reasm_fails++;
        if (pointer != 0)
            ip_icmp6_error(ip, now, m, rx,
                           &(struct icmp6_error){.type = WEIR_ICMP6_PARAMETER_PROBLEM, .value = pointer});
        else
            rte_pktmbuf_free(m);
        return NULL;
    }
    close_up(m, at);
    m->l3_len = IPV6_LENGTH + FRAGMENT_LENGTH;
    header = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
    m = rte_ipv6_frag_reassemble_packet(ip->reassembly.table, &ip->reassembly.row, m, (uint64_t)now, header,
                                        (struct rte_ipv6_fragment_ext *)(header + 1));
    m = ip_reassembly_end(ip, m);
    if (m != NULL)
        m->l3_len = 0; /* m->data is at the header: nothing lies in front of it that an error could quote */
    return m;
}
