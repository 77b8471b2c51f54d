/* What a port does by itself, of what we can make use of: checksums, cutting and joining segments, packets in several
 * pieces, and how large a packet may be. */
#include "port_private.h"
#include <string.h>

/* What we can make use of, by our name and by DPDK's. MBUF_FAST_FREE is not here: it has the driver put packets back
 * into the pool without looking at their reference count, and TCP holds a reference until the peer acknowledges. */
static const struct {
    uint32_t name; /* WEIR_DEV_* */
    uint64_t rx, tx;
} offloads[] = {
    {WEIR_DEV_TX_IPV4_CKSUM, 0, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM},
    {WEIR_DEV_TX_TCP_CKSUM, 0, RTE_ETH_TX_OFFLOAD_TCP_CKSUM},
    {WEIR_DEV_TX_UDP_CKSUM, 0, RTE_ETH_TX_OFFLOAD_UDP_CKSUM},
    {WEIR_DEV_TX_MULTI_SEGS, 0, RTE_ETH_TX_OFFLOAD_MULTI_SEGS},
    {WEIR_DEV_TX_TSO, 0, RTE_ETH_TX_OFFLOAD_TCP_TSO},
    {WEIR_DEV_RX_CKSUM, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM, 0},
    {WEIR_DEV_RX_SCATTER, RTE_ETH_RX_OFFLOAD_SCATTER, 0},
    {WEIR_DEV_RX_LRO, RTE_ETH_RX_OFFLOAD_TCP_LRO, 0},
};

enum {
    FRAME_OVERHEAD = RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN + RTE_ETHER_CRC_LEN,
    REFERENCES = 8191,    /* to payload that is being sent in large packets: some hundred of these */
    REFERENCES_FEW = 1023 /* where it is sent in segments */
};

int port_choose_mtu(struct opening *o)
{
    uint16_t most = o->info.max_mtu != 0 ? o->info.max_mtu : UINT16_MAX;

    o->mtu = o->options->mtu != 0 ? o->options->mtu : RTE_MIN(most, (uint16_t)RTE_ETHER_MTU);
    if (o->mtu <= most)
        return 0;
    snprintf(o->error, o->size, "%s: its MTU can be %u at most", o->port->dev.name, most);
    return -EINVAL;
}

static bool frame_fits_a_packet(const struct opening *o)
{
    uint32_t room = rte_pktmbuf_data_room_size(o->port->dev.pool);

    return (uint32_t)o->mtu + FRAME_OVERHEAD + RTE_PKTMBUF_HEADROOM <= room;
}

void port_choose_offloads(struct opening *o)
{
    uint64_t *rx = &o->conf.rxmode.offloads, *tx = &o->conf.txmode.offloads;

    for (size_t i = 0; i < RTE_DIM(offloads); i++) {
        if (o->options->without & offloads[i].name)
            continue;
        *rx |= o->info.rx_offload_capa & offloads[i].rx;
        *tx |= o->info.tx_offload_capa & offloads[i].tx;
    }
    if (!(*rx & RTE_ETH_RX_OFFLOAD_SCATTER))
        *rx &= ~RTE_ETH_RX_OFFLOAD_TCP_LRO;
    if (frame_fits_a_packet(o) && !(*rx & RTE_ETH_RX_OFFLOAD_TCP_LRO))
        *rx &= ~RTE_ETH_RX_OFFLOAD_SCATTER; /* drivers are slower for it */
    /* DPDK's TAP cuts in software, and refuses segments that fill the MTU: it adds Ethernet's header. (22.11) */
    if (strcmp(o->info.driver_name, "net_tap") == 0)
        *tx &= ~RTE_ETH_TX_OFFLOAD_TCP_TSO;
    if (!(*tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) || !(*tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
        *tx &= ~RTE_ETH_TX_OFFLOAD_TCP_TSO;
}

/* ---- large packets to send ---- */

/* For drivers that want to see a packet before they cut it (virtio's sums differ from what ethdev asks for). What they
 * refuse could never be sent: it is dropped. */
static uint16_t tx_burst_prepared(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct port *port = port_of(dev);
    uint16_t good = rte_eth_tx_prepare(port->id, 0, packets, n);
    uint16_t sent = rte_eth_tx_burst(port->id, 0, packets, good);

    if (WEIR_LIKELY(good == n) || sent < good)
        return sent;
    port->tx_refused++;
    rte_pktmbuf_free(packets[sent]);
    return sent + 1;
}

static const struct weir_dev_ops prepared_ops = {.rx_burst = port_rx_burst,
                                                 .tx_burst = tx_burst_prepared,
                                                 .rx_interrupt = port_rx_interrupt,
                                                 .stats = port_stats,
                                                 .close = port_close};

static int make_references(struct opening *o, bool cuts)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    snprintf(name, sizeof(name), "weir-references-%u", o->port->id);
    o->port->dev.references = weir_reference_pool(name, cuts ? REFERENCES : REFERENCES_FEW);
    return o->port->dev.references != NULL ? 0 : port_fail(o, -ENOMEM, "no memory to refer to what is sent");
}

int port_take_offloads(struct opening *o)
{
    for (size_t i = 0; i < RTE_DIM(offloads); i++)
        if ((o->conf.rxmode.offloads & offloads[i].rx) || (o->conf.txmode.offloads & offloads[i].tx))
            o->port->dev.capabilities |= offloads[i].name;
    WEIR_TRY(make_references(o, o->port->dev.capabilities & WEIR_DEV_TX_TSO));
    if (o->port->dev.capabilities & WEIR_DEV_TX_TSO) {
        o->port->dev.tx_segments_max = o->info.tx_desc_lim.nb_seg_max;
        o->port->dev.ops = &prepared_ops;
    }
    return 0;
}
