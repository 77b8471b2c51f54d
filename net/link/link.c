/* A link: opens, takes frames apart, puts them together. */
#include "link_private.h"
#include <stdlib.h>
#include <weir/net/dev.h>

int weir_link_open(struct weir_link **opened, const struct weir_link_options *options, struct weir_burst *out)
{
    struct link *link = calloc(1, sizeof(*link));

    if (link == NULL)
        return -ENOMEM;
    link->face.out = out;
    link->mac = options->mac;
    link->mtu = options->mtu != 0 ? options->mtu : RTE_ETHER_MTU;
    link->capabilities = options->capabilities;
    link->pool = options->pool;
    link->pending_max = options->pending_max != 0 ? options->pending_max : 4;
    weir_rng_seed(&link->rng, options->seed);
    weir_wheel_init(&link->wheel, 0);
    if (table_open(link, options->neighbours_max != 0 ? options->neighbours_max : 1024) < 0) {
        weir_link_close(&link->face);
        return -ENOMEM;
    }
    *opened = &link->face;
    return 0;
}

void weir_link_close(struct weir_link *face)
{
    if (face == NULL)
        return;
    table_close(link_of(face));
    free(link_of(face));
}

/* Drops a frame that `counter` counts. */
static uint16_t drop(uint64_t *counter, struct rte_mbuf *m)
{
    ++*counter;
    rte_pktmbuf_free(m);
    return 0;
}

uint16_t weir_link_input(struct weir_link *face, weir_time now, struct rte_mbuf *m)
{
    struct link *link = link_of(face);
    struct weir_ethernet header;

    face->stats.rx_frames++;
    if (!weir_packet_pull(m, RTE_ETHER_HDR_LEN) ||
        weir_ethernet_parse(rte_pktmbuf_mtod(m, const void *), m->data_len, &header) < 0 ||
        rte_is_multicast_ether_addr(&header.src))
        return drop(&face->stats.rx_bad, m);
    if (!rte_is_same_ether_addr(&header.dst, &link->mac) && !rte_is_multicast_ether_addr(&header.dst))
        return drop(&face->stats.rx_not_for_us, m);

    weir_packet_strip(m, RTE_ETHER_HDR_LEN);
    m->tx_offload = rte_mbuf_tx_offload(RTE_ETHER_HDR_LEN, 0, 0, 0, 0, 0, 0);
    if (WEIR_LIKELY(header.type == RTE_ETHER_TYPE_IPV4))
        return RTE_ETHER_TYPE_IPV4;
    if (header.type != RTE_ETHER_TYPE_ARP)
        return drop(&face->stats.rx_unknown_type, m);
    arp_input(link, now, m);
    return 0;
}

struct rte_mbuf *link_frame(struct link *link, struct rte_mbuf *m, const struct rte_ether_addr *dst, uint16_t type)
{
    struct rte_ether_hdr header = {.dst_addr = *dst, .src_addr = link->mac, .ether_type = rte_cpu_to_be_16(type)};
    char *room = rte_pktmbuf_prepend(m, sizeof(header));

    if (room == NULL) {
        struct rte_mbuf *first = rte_pktmbuf_alloc(link->pool);
        if (first == NULL || !(link->capabilities & WEIR_DEV_TX_MULTI_SEGS) || rte_pktmbuf_chain(first, m) < 0) {
            link->face.stats.tx_no_memory++;
            rte_pktmbuf_free(first);
            rte_pktmbuf_free(m);
            return NULL;
        }
        room = rte_pktmbuf_prepend(first, sizeof(header));
        WEIR_ASSERT(room != NULL);
        m = first;
    }
    memcpy(room, &header, sizeof(header));
    return m;
}

const struct weir_link_stats *weir_link_stats(const struct weir_link *face)
{
    return &face->stats;
}

struct weir_burst *weir_link_burst(struct weir_link *face)
{
    return face->out;
}

void weir_link_mac(const struct weir_link *face, struct rte_ether_addr *mac)
{
    *mac = WEIR_CONTAINER_OF(face, const struct link, face)->mac;
}

uint16_t weir_link_mtu(const struct weir_link *face)
{
    return WEIR_CONTAINER_OF(face, const struct link, face)->mtu;
}

uint32_t weir_link_capabilities(const struct weir_link *face)
{
    return WEIR_CONTAINER_OF(face, const struct link, face)->capabilities;
}
