/* A link: opens, takes frames apart, puts them together. */
#include "nd_private.h"
#include <stdlib.h>
#include <weir/net/dev.h>

#define VLAN_MAX 4094 /* 4095 is reserved: IEEE 802.1Q table 9-2 */

int weir_link_open(struct weir_link **opened, const struct weir_link_options *options, struct weir_burst *out)
{
    struct link *link;

    if (options->vlan > VLAN_MAX)
        return -EINVAL;
    link = calloc(1, sizeof(*link));
    if (link == NULL)
        return -ENOMEM;
    link->face.out = out;
    link->mac = options->mac;
    link->mtu = options->mtu != 0 ? options->mtu : RTE_ETHER_MTU;
    link->vlan = options->vlan;
    link->capabilities = options->capabilities;
    link->pool = options->pool;
    link->pending_max = options->pending_max != 0 ? options->pending_max : 4;
    weir_rng_seed(&link->rng, options->seed);
    weir_wheel_init(&link->wheel, 0);
    link->report_due = link->discovery_due = WEIR_NEVER;
    link->retrans_timer = REQUEST_INTERVAL;
    for (unsigned i = 0; i < RTE_DIM(link->detections); i++)
        link->detections[i].due = WEIR_NEVER;
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

/* Reads the tag of a frame that has one, or should. Returns the length of the header with it, and the type after it; 0:
 * it belongs to another VLAN, or to none and we do. Where it names none it is about priority alone (IEEE 802.1Q section
 * 6.9.1): as if it were not there. */
static uint16_t take_tag(const struct link *link, struct rte_mbuf *m, uint16_t *type)
{
    uint16_t length = RTE_ETHER_HDR_LEN, tci = 0;
    struct rte_vlan_hdr tag;

    if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
        tci = m->vlan_tci;
        m->ol_flags &= ~(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
    } else if (*type == RTE_ETHER_TYPE_VLAN) {
        length += RTE_VLAN_HLEN;
        if (!weir_packet_pull(m, length))
            return 0;
        memcpy(&tag, rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_HDR_LEN), sizeof(tag));
        tci = rte_be_to_cpu_16(tag.vlan_tci);
        *type = rte_be_to_cpu_16(tag.eth_proto);
    }
    return (tci & RTE_VLAN_ID_MASK) == link->vlan ? length : 0;
}

/* A port that is open to all groups lets others' in too. */
static bool is_for_us(const struct link *link, const struct rte_ether_addr *dst)
{
    return !rte_is_multicast_ether_addr(dst) || mld_is_ours(link, dst);
}

uint16_t weir_link_input(struct weir_link *face, weir_time now, struct rte_mbuf *m)
{
    struct link *link = link_of(face);
    struct weir_ethernet header;
    uint16_t length = RTE_ETHER_HDR_LEN;

    face->stats.rx_frames++;
    if (!weir_packet_pull(m, RTE_ETHER_HDR_LEN) ||
        weir_ethernet_parse(rte_pktmbuf_mtod(m, const void *), m->data_len, &header) < 0 ||
        rte_is_multicast_ether_addr(&header.src))
        return drop(&face->stats.rx_bad, m);
    if (!rte_is_same_ether_addr(&header.dst, &link->mac) && !rte_is_multicast_ether_addr(&header.dst))
        return drop(&face->stats.rx_not_for_us, m);

    if (WEIR_UNLIKELY(header.type == RTE_ETHER_TYPE_VLAN || m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ||
                      link->vlan != 0)) {
        length = take_tag(link, m, &header.type);
        if (length == 0)
            return drop(&face->stats.rx_other_vlan, m);
    }
    weir_packet_strip(m, length);
    m->tx_offload = rte_mbuf_tx_offload(length, 0, 0, 0, 0, 0, 0);
    if (WEIR_LIKELY(header.type == RTE_ETHER_TYPE_IPV4))
        return RTE_ETHER_TYPE_IPV4;
    if (header.type == RTE_ETHER_TYPE_IPV6)
        return is_for_us(link, &header.dst) ? RTE_ETHER_TYPE_IPV6 : drop(&face->stats.rx_not_for_us, m);
    if (header.type != RTE_ETHER_TYPE_ARP)
        return drop(&face->stats.rx_unknown_type, m);
    arp_input(link, now, m);
    return 0;
}

uint8_t weir_link_header(const struct weir_link *face, const struct rte_ether_addr *dst, uint16_t ether_type,
                         uint8_t *header)
{
    const struct link *link = WEIR_CONTAINER_OF(face, const struct link, face);
    struct rte_ether_hdr ethernet = {.src_addr = link->mac, .ether_type = rte_cpu_to_be_16(ether_type)};
    struct rte_vlan_hdr tag = {.vlan_tci = rte_cpu_to_be_16(link->vlan), .eth_proto = ethernet.ether_type};

    if (dst != NULL)
        ethernet.dst_addr = *dst;
    if (link->vlan == 0) {
        memcpy(header, &ethernet, sizeof(ethernet));
        return sizeof(ethernet);
    }
    ethernet.ether_type = RTE_BE16(RTE_ETHER_TYPE_VLAN);
    memcpy(header, &ethernet, sizeof(ethernet));
    memcpy(header + sizeof(ethernet), &tag, sizeof(tag));
    return sizeof(ethernet) + sizeof(tag);
}

struct rte_mbuf *link_frame(struct link *link, struct rte_mbuf *m, const struct rte_ether_addr *dst, uint16_t type)
{
    uint8_t header[WEIR_LINK_HEADER_MAX];
    uint8_t length = weir_link_header(&link->face, dst, type, header);
    char *room = rte_pktmbuf_prepend(m, length);

    if (room == NULL) {
        struct rte_mbuf *first = rte_pktmbuf_alloc(link->pool);
        if (first == NULL || !(link->capabilities & WEIR_DEV_TX_MULTI_SEGS) || rte_pktmbuf_chain(first, m) < 0) {
            link->face.stats.tx_no_memory++;
            rte_pktmbuf_free(first);
            rte_pktmbuf_free(m);
            return NULL;
        }
        room = rte_pktmbuf_prepend(first, length);
        WEIR_ASSERT(room != NULL);
        m = first;
    }
    memcpy(room, header, length);
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
