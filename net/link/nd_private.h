/* Private to net/link: neighbour discovery, and the multicast groups that it needs. */
#ifndef WEIR_ND_PRIVATE_H
#define WEIR_ND_PRIVATE_H

#include "link_private.h"
#include <weir/net/wire_nd.h>

/* A message to be sent on this link, `length` bytes, its checksum not written yet. */
struct nd_outgoing {
    struct weir_address src, dst;
    void *message;
    uint16_t length;
    bool to_routers; /* with a router alert, and hop limit 1 */
};

/* ---- nd.c ---- */

/* Sends it to a MAC, or (NULL) to that of its multicast destination. */
void nd_send(struct link *link, const struct nd_outgoing *out, const struct rte_ether_addr *to);
/* Asks for a neighbour: by unicast if `to` is its MAC, else its solicited-node group (NULL). */
void nd_solicit(struct link *link, const struct weir_address *target, const struct rte_ether_addr *to);

/* ---- dad.c: is an address of ours free? ---- */

void dad_start(struct link *link, weir_time now, const struct weir_address *address);
/* The address is ours no more. */
void dad_stop(struct link *link, const struct weir_address *address);
/* Somebody else has the address, or wants it too; `nonce` is that of a solicitation, or NULL. */
void dad_rival(struct link *link, const struct weir_address *address, const uint8_t *nonce);
void dad_timers(struct link *link, weir_time now);
/* Tells the link that we have an address, and which group is ours with it. */
void dad_announce(struct link *link, weir_time now, const struct weir_address *address);

/* ---- mld.c: our multicast groups ---- */

bool mld_is_ours(const struct link *link, const struct rte_ether_addr *group);
void mld_joined(struct link *link, weir_time now, const struct weir_address *address);
void mld_query(struct link *link, weir_time now, const struct weir_link_message *in);
void mld_timers(struct link *link, weir_time now);

#endif
