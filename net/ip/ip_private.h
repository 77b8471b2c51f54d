/* Private to net/ip. */
#ifndef WEIR_IP_PRIVATE_H
#define WEIR_IP_PRIVATE_H

#include <rte_ip_frag.h>
#include <weir/net/ip.h>
#include <weir/net/route.h>
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

/* The way to a network: by a gateway, or (none) directly on the link. */
struct route {
    struct weir_address destination, gateway;
    uint8_t bits; /* of 128 */
};

struct ip_autoconf;

struct weir_ip {
    struct weir_link *link;
    struct weir_ip_stats stats;
    unsigned routes_count;
    struct route routes[WEIR_ROUTES_MAX]; /* the longest prefixes first */
    uint64_t label_key[3];
    uint16_t mtu;
    uint8_t ttl;
    bool multi_segs; /* the device sends packets of several segments */
    bool ipv4_cksum; /* the device can compute the header's checksum */
    struct rte_mempool *pool;
    struct ip_reassembly reassembly;
    struct ip_autoconf *autoconf; /* NULL: off */
    uint16_t mtu_v6;              /* as routers say; never more than mtu */
    uint8_t hop_limit;            /* of IPv6 */
    /* the token bucket of ICMP errors, in nanoseconds of credit; RFC 1812 section 4.3.2.8 */
    weir_time icmp_cost, icmp_credit, icmp_credit_max, icmp_refilled;
};

/* ---- whose an address is ---- */

enum ip_whose { IP_OTHERS, IP_OURS, IP_BROADCAST }; /* a multicast address is broadcast: to many, and not refused */

/* One walk over the addresses; a host has one or two of IPv4's. Source: RFC 1122 section 3.2.1.3. */
static inline enum ip_whose ip_whose_v4(const struct weir_ip *ip, uint32_t address)
{
    for (unsigned i = 0; i < ip->link->addresses_count; i++) {
        const struct weir_link_address *ours = &ip->link->addresses[i];
        if (address == ours->v4_broadcast)
            return IP_BROADCAST;
        if (address == ours->v4)
            return IP_OURS;
    }
    return address == UINT32_MAX || address >> 28 == 14 ? IP_BROADCAST : IP_OTHERS;
}

/* The entry of one of ours; NULL: it is not ours. */
static inline const struct weir_link_address *ip_address_of(const struct weir_ip *ip,
                                                            const struct weir_address *address)
{
    for (unsigned i = 0; i < ip->link->addresses_count; i++)
        if (weir_address_equal(&ip->link->addresses[i].address, address))
            return &ip->link->addresses[i];
    return NULL;
}

/* Of either family. One that is tentative yet is not ours: RFC 4862 section 5.4. */
static inline bool ip_is_ours(const struct weir_ip *ip, const struct weir_address *address)
{
    const struct weir_link_address *ours = ip_address_of(ip, address);

    return ours != NULL && !(ours->flags & WEIR_ADDRESS_TENTATIVE);
}

/* May a packet come from, or go to, this address as one host's, ours or another's? */
static inline bool ip_is_host(const struct weir_ip *ip, const struct weir_address *address)
{
    return weir_address_is_host(address) &&
           !(weir_address_is_v4(address) && ip_whose_v4(ip, weir_address_to_v4(address)) == IP_BROADCAST);
}

/* Was the frame itself sent to many? Its Ethernet header still lies in front. */
static inline bool ip_link_broadcast(const struct rte_mbuf *m)
{
    return m->l2_len != 0 && (*rte_pktmbuf_mtod_offset(m, const uint8_t *, -(int)m->l2_len) & 1);
}

/* ---- ipv6_input.c ---- */

/* As weir_ip_input. */
uint8_t ip_ipv6_input(struct weir_ip *ip, weir_time now, struct rte_mbuf **m, struct weir_ip_rx *rx);

/* ---- route.c, source.c ---- */

/* Where on this link a packet to dst goes; false: nowhere. */
bool ip_next_hop(const struct weir_ip *ip, const struct weir_address *dst, struct weir_address *hop);

/* Which of our addresses to send from; NULL: there is none of that family. */
const struct weir_address *ip_source(const struct weir_ip *ip, const struct weir_address *dst,
                                     const struct weir_address *hop);

/* ---- reassembly.c, icmp.c ---- */

int ip_reassembly_open(struct ip_reassembly *reassembly, unsigned packets_max);
void ip_reassembly_close(struct ip_reassembly *reassembly);

/* What a fragment of either family goes through before the table takes it, and what becomes of the table's answer. Both
 * return NULL if there is nothing to go on with. */
struct rte_mbuf *ip_reassembly_begin(struct weir_ip *ip, weir_time now, struct rte_mbuf *m);
struct rte_mbuf *ip_reassembly_end(struct weir_ip *ip, struct rte_mbuf *m);

/* Takes an IPv6 fragment whose packet was given up, m->data at its header. Consumes it. */
void ip_expired_v6(struct weir_ip *ip, weir_time now, struct rte_mbuf *m);

/* Takes a fragment, m->data at its header and its padding cut. Returns the packet, m->data at its header, when all of
 * it is there; NULL: it is kept, or was dropped (counted). */
struct rte_mbuf *ip_reassemble_v4(struct weir_ip *ip, weir_time now, struct rte_mbuf *m,
                                  const struct weir_ipv4 *header);

/* Tells the sender of m (m->data behind the IP header, m->l3_len set) that its fragments came too slowly, code 1.
 * Consumes m. */
void ip_send_time_exceeded(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx);

/* Takes a token, if there is one: errors, of both families, are not sent too often. RFC 1812 section 4.3.2.8, RFC 4443
 * section 2.4 (f). */
bool ip_may_send_error(struct weir_ip *ip, weir_time now);

/* Takes an ICMP message, m->data at its header. Consumes it. Returns IPPROTO_ICMP if `rx` now tells of an error. */
uint8_t ip_icmp_input(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx);

#endif
