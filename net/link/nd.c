/* Neighbour discovery: who is asked for an IPv6 neighbour, and what we answer. RFC 4861 section 7. */
#include "nd_private.h"

#define MESSAGE_ROOM (WEIR_IPV6_HEADER_LENGTH + WEIR_ROUTER_ALERT_LENGTH)

/* A packet with a message in it, m->data at the IPv6 header; NULL: no memory. The checksum is written in `message`. */
static struct rte_mbuf *make_packet(struct link *link, const struct nd_outgoing *out)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(link->pool);
    uint16_t alert = out->to_routers ? WEIR_ROUTER_ALERT_LENGTH : 0;
    struct weir_ipv6 header = {
        .src = out->src,
        .dst = out->dst,
        .payload_length = (uint16_t)(alert + out->length),
        .next_header = alert != 0 ? IPPROTO_HOPOPTS : IPPROTO_ICMPV6,
        .hop_limit = alert != 0 ? 1 : WEIR_ND_HOP_LIMIT,
    };
    uint8_t *bytes;

    if (m != NULL && (bytes = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(MESSAGE_ROOM + out->length))) != NULL) {
        rte_pktmbuf_trim(m, (uint16_t)(WEIR_ROUTER_ALERT_LENGTH - alert));
        weir_icmp6_seal(out->message, out->length, &out->src, &out->dst);
        weir_ipv6_write(bytes, &header);
        if (alert != 0)
            weir_router_alert(bytes + WEIR_IPV6_HEADER_LENGTH);
        memcpy(bytes + WEIR_IPV6_HEADER_LENGTH + alert, out->message, out->length);
        return m;
    }
    rte_pktmbuf_free(m);
    link->face.stats.tx_no_memory++;
    return NULL;
}

void nd_send(struct link *link, const struct nd_outgoing *out, const struct rte_ether_addr *to)
{
    struct rte_ether_addr many = weir_nd_multicast_mac(&out->dst);
    struct rte_mbuf *m = make_packet(link, out);

    if (m != NULL)
        m = link_frame(link, m, to != NULL ? to : &many, RTE_ETHER_TYPE_IPV6);
    if (m != NULL)
        weir_link_transmit(&link->face, m);
}

void nd_solicit(struct link *link, const struct weir_address *target, const struct rte_ether_addr *to)
{
    const struct weir_link_address *source = link_address_near(link, target);
    uint8_t message[WEIR_ND_LENGTH_MAX];
    struct weir_nd nd = {
        .type = WEIR_ICMP6_NEIGHBOUR_SOLICITATION, .target = *target, .has_mac = true, .mac = link->mac};

    if (source == NULL) /* none that has been found to be nobody else's yet */
        return;
    nd_send(link,
            &(struct nd_outgoing){.src = source->address,
                                  .dst = to != NULL ? *target : weir_nd_solicited_node(target),
                                  .message = message,
                                  .length = weir_nd_write(message, &nd)},
            to);
    link->face.stats.nd_solicits_out++;
}

void weir_link_solicit_routers(struct weir_link *face)
{
    struct link *link = link_of(face);
    struct weir_address routers = WEIR_ND_ALL_ROUTERS;
    const struct weir_link_address *source = link_address_near(link, &routers);
    uint8_t message[16];
    struct nd_outgoing out = {.dst = routers, .message = message};

    if (source != NULL && weir_address_is_link_local(&source->address))
        out.src = source->address;
    /* who has no address yet does not say where it is: RFC 4861 section 4.1 */
    out.length = weir_nd_solicit_router(message, weir_address_is_none(&out.src) ? NULL : &link->mac);
    nd_send(link, &out, NULL);
}

/* ---- what we answer ---- */

/* The neighbour who sent a solicitation, as our table shall have it from now on; NULL: it has no room, or nothing new.
 */
static struct neighbour *asker(struct link *link, weir_time now, const struct weir_link_message *in,
                               const struct weir_nd *nd)
{
    struct neighbour *neighbour = table_find(link, &in->src);

    if (neighbour == NULL) /* strangers may not push out whom we talk to */
        neighbour = table_make(link, now, &in->src, false);
    if (neighbour != NULL && nd->has_mac)
        neighbour_told(link, now, neighbour, &nd->mac);
    return neighbour;
}

/* To who asked; of one that looks whether an address is free (its own is unspecified), to all. Section 7.2.4. */
static void answer(struct link *link, weir_time now, const struct weir_link_message *in, const struct weir_nd *nd)
{
    bool to_all = weir_address_is_none(&in->src);
    uint8_t message[WEIR_ND_LENGTH_MAX];
    struct weir_nd advertisement = {.type = WEIR_ICMP6_NEIGHBOUR_ADVERTISEMENT,
                                    .solicited = !to_all,
                                    .override = true,
                                    .has_mac = true,
                                    .target = nd->target,
                                    .mac = link->mac};
    struct nd_outgoing out = {.src = nd->target,
                              .dst = to_all ? WEIR_ND_ALL_NODES : in->src,
                              .message = message,
                              .length = weir_nd_write(message, &advertisement)};
    struct neighbour *neighbour = to_all ? NULL : asker(link, now, in, nd);

    link->face.stats.nd_advertisements_out++;
    if (to_all || nd->has_mac) {
        nd_send(link, &out, to_all ? NULL : &nd->mac);
    } else if (neighbour != NULL) { /* it did not say where it is */
        struct rte_mbuf *m = make_packet(link, &out);
        if (m != NULL)
            weir_link_send(&link->face, now, &neighbour->face, RTE_ETHER_TYPE_IPV6, m);
    }
}

/* RFC 4861 section 7.1.1: who has no address yet asks the group, and does not say where it is. */
static bool solicitation_is_good(const struct weir_link_message *in, const struct weir_nd *nd)
{
    struct weir_address group = weir_nd_solicited_node(&nd->target);

    if (weir_address_is_none(&in->src))
        return weir_address_equal(&in->dst, &group) && !nd->has_mac;
    return !weir_address_is_multicast(&in->src);
}

static void solicitation(struct link *link, weir_time now, const struct weir_link_message *in, const struct weir_nd *nd)
{
    const struct weir_link_address *ours = link_address_of(link, &nd->target);

    if (!solicitation_is_good(in, nd)) {
        link->face.stats.nd_bad++;
        return;
    }
    link->face.stats.nd_solicits_in++;
    if (ours == NULL || link_address_of(link, &in->src) != NULL)
        return; /* another's business, or our own message come back */
    if (!(ours->flags & WEIR_ADDRESS_TENTATIVE))
        answer(link, now, in, nd);
    else if (weir_address_is_none(&in->src))
        dad_rival(link, &nd->target, nd->has_nonce ? nd->nonce : NULL);
}

/* ---- what we are answered ---- */

/* RFC 4861 section 7.2.5, and the table of its appendix C. */
static void learn(struct link *link, weir_time now, struct neighbour *neighbour, const struct weir_nd *nd)
{
    bool resolving = neighbour->state == NEIGHBOUR_RESOLVING;
    bool other = nd->has_mac && !rte_is_same_ether_addr(&neighbour->mac, &nd->mac);
    const struct rte_ether_addr *mac = nd->has_mac ? &nd->mac : &neighbour->mac;

    if (neighbour->state == NEIGHBOUR_IDLE || (resolving && !nd->has_mac))
        return; /* nobody was asked, or the answer is missing */
    if (!resolving && other && !nd->override) {
        if (neighbour->state == NEIGHBOUR_REACHABLE) /* whom to believe? Probed, the right one will answer */
            neighbour_distrust(link, now, neighbour);
        return;
    }
    if (nd->solicited)
        neighbour_heard(link, now, neighbour, mac);
    else if (resolving || other)
        neighbour_told(link, now, neighbour, mac);
}

static void advertisement(struct link *link, weir_time now, const struct weir_link_message *in,
                          const struct weir_nd *nd)
{
    const struct weir_link_address *ours = link_address_of(link, &nd->target);
    struct neighbour *neighbour;

    if (weir_address_is_multicast(&in->dst) && nd->solicited) { /* section 7.1.2 */
        link->face.stats.nd_bad++;
        return;
    }
    link->face.stats.nd_advertisements_in++;
    if (ours != NULL && ours->flags & WEIR_ADDRESS_TENTATIVE)
        dad_rival(link, &nd->target, NULL);
    else if (ours != NULL)
        link->face.stats.nd_conflicts++;
    else if ((neighbour = table_find(link, &nd->target)) != NULL)
        learn(link, now, neighbour, nd);
}

void weir_link_discovery(struct weir_link *face, weir_time now, const struct weir_link_message *in)
{
    struct link *link = link_of(face);
    const uint8_t *type = in->bytes;
    struct weir_nd nd;

    WEIR_ASSERT(in->length > 0);
    if (*type == WEIR_ICMP6_MLD_QUERY)
        mld_query(link, now, in);
    else if (in->hop_limit != WEIR_ND_HOP_LIMIT || weir_nd_parse(in->bytes, in->length, &nd) < 0)
        face->stats.nd_bad++;
    else if (nd.type == WEIR_ICMP6_NEIGHBOUR_SOLICITATION)
        solicitation(link, now, in, &nd);
    else
        advertisement(link, now, in, &nd);
}

void weir_link_heard_of(struct weir_link *face, weir_time now, const struct weir_address *address,
                        const struct rte_ether_addr *mac)
{
    struct link *link = link_of(face);
    struct neighbour *neighbour = table_find(link, address);

    if (neighbour == NULL)
        neighbour = table_make(link, now, address, false);
    if (neighbour != NULL)
        neighbour_told(link, now, neighbour, mac);
}
