/* Private to net/ip. */
#ifndef WEIR_IP_PRIVATE_H
#define WEIR_IP_PRIVATE_H

#include <rte_ip_frag.h>
#include <weir/net/ip.h>
#include <weir/net/wire.h>

#define IPV4_LENGTH ((uint16_t)sizeof(struct rte_ipv4_hdr))
#define IPV6_LENGTH ((uint16_t)sizeof(struct rte_ipv6_hdr))
#define FRAME_ROOM ((uint16_t)WEIR_IP_HEADERS_MAX)

/* Packets of which only some fragments have come. */
struct ip_reassembly {
    struct rte_ip_frag_tbl *table;
    struct rte_ip_frag_death_row row; /* what the table has thrown out, to be freed */
    weir_time last, deadline;         /* when a fragment came; when to look for what is too old */
};

struct weir_ip {
    struct weir_link *link;
    struct weir_ip_stats stats;
    uint32_t address, mask;
    uint32_t broadcast; /* of our network; our own address where a network has none (RFC 3021) */
    uint32_t gateway;
    uint16_t mtu;
    uint8_t ttl;
    bool multi_segs; /* the device sends packets of several segments */
    bool ipv4_cksum; /* the device can compute the header's checksum */
    struct rte_mempool *pool;
    /* the token bucket of ICMP errors, in nanoseconds of credit; RFC 1812 section 4.3.2.8 */
    struct ip_reassembly reassembly;
    weir_time icmp_cost, icmp_credit, icmp_credit_max, icmp_refilled;
};

/* May a packet come from, or go to, this address as one host's? Source: RFC 1122 section 3.2.1.3. */
static inline bool ip_is_host(const struct weir_ip *ip, uint32_t address)
{
    return address >> 24 != 0 && address >> 24 != 127 && address < WEIR_IPV4(224, 0, 0, 0) &&
           (address != ip->broadcast || address == ip->address);
}

int ip_reassembly_open(struct ip_reassembly *reassembly, unsigned packets_max);
void ip_reassembly_close(struct ip_reassembly *reassembly);

/* Takes a fragment, m->data at its header and its padding cut. Returns the packet, m->data at its header, when all of
 * it is there; NULL: it is kept, or was dropped (counted). */
struct rte_mbuf *ip_reassemble_v4(struct weir_ip *ip, weir_time now, struct rte_mbuf *m,
                                  const struct weir_ipv4 *header);

/* Tells the sender of m (m->data behind the IP header, m->l3_len set) that its fragments came too slowly, code 1.
 * Consumes m. */
void ip_send_time_exceeded(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx);

/* Takes an ICMP message, m->data at its header. Consumes it. Returns IPPROTO_ICMP if `rx` now tells of an error. */
uint8_t ip_icmp_input(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx);

#endif
