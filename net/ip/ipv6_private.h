/* Private to net/ip: IPv6 and ICMPv6. */
#ifndef WEIR_IPV6_PRIVATE_H
#define WEIR_IPV6_PRIVATE_H

#include "ip_private.h"
#include <weir/net/wire_ipv6.h>

struct icmp6_error {
    uint8_t type, code;
    uint32_t value; /* a parameter problem's pointer */
    bool to_many;   /* even about a multicast packet. RFC 4443 section 2.4 (e.3) */
};

/* Takes a fragment, m->data at its IPv6 header, its padding cut, its fragment header where `chain` says. Returns the
 * packet, m->data at its IPv6 header, which no fragment header follows, when all of it is there; NULL: it is kept, or
 * was dropped (counted, and its sender told). */
struct rte_mbuf *ip_reassemble_v6(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx,
                                  const struct weir_ipv6_chain *chain);

/* Takes an ICMPv6 message, m->data at its header; `fragmented`: a fragment header led to it. Consumes it. Returns
 * IPPROTO_ICMP if `rx` now tells of an error. */
uint8_t ip_icmp6_input(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx, bool fragmented);

/* Tells the sender of m what was wrong with it: m->data is behind m->l3_len bytes that are quoted too. Consumes m.
 * Rate limited; nothing is said where RFC 4443 section 2.4 (e) forbids it. */
void ip_icmp6_error(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx,
                    const struct icmp6_error *error);

#endif
