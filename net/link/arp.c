/* ARP: RFC 826, with RFC 5227 and RFC 1122 section 2.3.2.1. */
#include "link_private.h"
#include <rte_arp.h>

static void arp_send(struct link *link, const struct rte_ether_addr *dst, const struct weir_arp *arp)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(link->pool);
    struct rte_mbuf *frame;

    if (m == NULL) {
        link->face.stats.tx_no_memory++;
        return;
    }
    weir_arp_write(rte_pktmbuf_append(m, WEIR_ARP_LENGTH), arp);
    frame = link_frame(link, m, dst, RTE_ETHER_TYPE_ARP);
    if (frame == NULL)
        return;
    if (arp->operation == RTE_ARP_OP_REQUEST)
        link->face.stats.arp_requests_out++;
    else
        link->face.stats.arp_replies_out++;
    weir_link_transmit(&link->face, frame);
}

void arp_request(struct link *link, uint32_t source, uint32_t target, const struct rte_ether_addr *to)
{
    static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct weir_arp arp = {
        .operation = RTE_ARP_OP_REQUEST, .sender_mac = link->mac, .sender = source, .target = target};

    arp_send(link, to != NULL ? to : &broadcast, &arp);
}

static void arp_reply(struct link *link, const struct weir_arp *request)
{
    struct weir_arp arp = {
        .operation = RTE_ARP_OP_REPLY,
        .sender_mac = link->mac,
        .sender = request->target,
        .target_mac = request->sender_mac,
        .target = request->sender,
    };
    arp_send(link, &request->sender_mac, &arp);
}

/* May a host have this address? 0 may not, nor loopback's, nor multicast's and what is above. */
static bool is_host(uint32_t address)
{
    return address != 0 && address >> 24 != 127 && address < WEIR_IPV4(224, 0, 0, 0);
}

/* RFC 826's "packet reception": merge, then create if it was for us, then answer. */
static void arp_understood(struct link *link, weir_time now, const struct weir_arp *arp)
{
    struct weir_address sender = weir_address_v4(arp->sender), target = weir_address_v4(arp->target);
    bool for_us = link_is_ours(link, &target), request = arp->operation == RTE_ARP_OP_REQUEST;
    struct neighbour *neighbour;

    if (arp->sender == 0) { /* a probe, RFC 5227 section 2.1.1: nobody to remember yet */
        if (for_us && request)
            arp_reply(link, arp);
        return;
    }
    neighbour = table_find(link, &sender);
    if (neighbour == NULL && for_us && request)
        /* strangers may not push out whom we talk to */
        neighbour = table_make(link, now, &sender, false);
    if (neighbour != NULL)
        neighbour_heard(link, now, neighbour, &arp->sender_mac);
    if (for_us && request)
        arp_reply(link, arp);
}

static bool claims_ours(const struct link *link, const struct weir_arp *arp)
{
    struct weir_address sender = weir_address_v4(arp->sender);
    return link_is_ours(link, &sender);
}

void arp_input(struct link *link, weir_time now, struct rte_mbuf *m)
{
    struct weir_link_stats *stats = &link->face.stats;
    uint8_t copy[WEIR_ARP_LENGTH];
    const void *bytes = rte_pktmbuf_read(m, 0, sizeof(copy), copy);
    struct weir_arp arp;

    if (bytes == NULL || weir_arp_parse(bytes, sizeof(copy), &arp) < 0 || (arp.sender != 0 && !is_host(arp.sender))) {
        stats->arp_bad++;
    } else if (rte_is_same_ether_addr(&arp.sender_mac, &link->mac)) {
        stats->rx_not_for_us++; /* our own, come back */
    } else if (claims_ours(link, &arp)) {
        stats->arp_conflicts++;
    } else {
        if (arp.operation == RTE_ARP_OP_REQUEST)
            stats->arp_requests_in++;
        else
            stats->arp_replies_in++;
        arp_understood(link, now, &arp);
    }
    rte_pktmbuf_free(m);
}
