/* A DPDK ethdev port as a device. Source: rte_ethdev.h, the DPDK programmer's guide, "Poll Mode Driver". */
#include "port_private.h"
#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RING_MAX = 1024, /* descriptors asked for each way */
    RING_MIN = 64,
    RING_SHARE = 4, /* a ring may hold that part of the pool at most */
    LINK_WAIT_MS = 500,
    LINK_NAP_MS = 2
};

uint16_t port_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    return rte_eth_rx_burst(port_of(dev)->id, 0, packets, n);
}

uint16_t port_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    return rte_eth_tx_burst(port_of(dev)->id, 0, packets, n);
}

int port_rx_interrupt(struct weir_dev *dev, bool on)
{
    struct port *port = port_of(dev);
    uint64_t events;

    if (port->interrupt < 0)
        return -ENOTSUP;
    if (port->latched && on)
        (void)rte_eth_dev_rx_intr_enable(port->id, 0);
    if (port->latched && !on) {
        (void)rte_eth_dev_rx_intr_disable(port->id, 0);
        if (read(port->interrupt, &events, sizeof(events)) < 0)
            return port->interrupt; /* nothing had happened */
    }
    return port->interrupt;
}

void port_stats(struct weir_dev *dev, struct weir_dev_stats *stats)
{
    struct rte_eth_stats counted = {0};

    (void)rte_eth_stats_get(port_of(dev)->id, &counted);
    *stats = (struct weir_dev_stats){.rx_packets = counted.ipackets,
                                     .rx_bytes = counted.ibytes,
                                     .rx_dropped = counted.imissed + counted.rx_nombuf,
                                     .rx_errors = counted.ierrors,
                                     .tx_packets = counted.opackets,
                                     .tx_bytes = counted.obytes,
                                     .tx_dropped = port_of(dev)->tx_refused,
                                     .tx_errors = counted.oerrors};
}

void port_close(struct weir_dev *dev)
{
    struct port *port = port_of(dev);

    if (port->started)
        (void)rte_eth_dev_stop(port->id);
    (void)rte_eth_dev_close(port->id);
    rte_mempool_free(port->dev.references);
    free(port);
}

static const struct weir_dev_ops port_ops = {.rx_burst = port_rx_burst,
                                             .tx_burst = port_tx_burst,
                                             .rx_interrupt = port_rx_interrupt,
                                             .stats = port_stats,
                                             .close = port_close};

/* ---- opening ---- */

int port_fail(struct opening *o, int code, const char *what)
{
    if (code >= 0)
        code = -EIO;
    snprintf(o->error, o->size, "%s: %s: %s", o->port->dev.name, what, rte_strerror(-code));
    return code;
}

static int configure(struct opening *o)
{
    int rc;

    WEIR_TRY(port_choose_mtu(o));
    port_choose_offloads(o);
    /* A driver that knows of no MTU (memif) has a limit that it does not mean. */
    if ((uint32_t)o->mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN <= o->info.max_rx_pktlen)
        o->conf.rxmode.mtu = o->mtu;
    o->conf.rxmode.max_lro_pkt_size = o->info.max_lro_pkt_size;
    o->conf.intr_conf.rxq = 1;
    rc = rte_eth_dev_configure(o->port->id, 1, 1, &o->conf);
    if (rc < 0) {
        o->conf.intr_conf.rxq = 0;
        rc = rte_eth_dev_configure(o->port->id, 1, 1, &o->conf);
    }
    return rc < 0 ? port_fail(o, rc, "cannot configure the port") : 0;
}

/* Rings as long as we like, the driver allows, and the pool can feed. */
static int size_rings(struct opening *o)
{
    const struct rte_mempool *pool = o->port->dev.pool;
    int rc;

    o->rx_ring = RING_MAX;
    while ((uint32_t)o->rx_ring * RING_SHARE > pool->size && o->rx_ring > RING_MIN)
        o->rx_ring /= 2;
    o->tx_ring = o->rx_ring;
    rc = rte_eth_dev_adjust_nb_rx_tx_desc(o->port->id, &o->rx_ring, &o->tx_ring);
    if (rc < 0)
        return port_fail(o, rc, "cannot size the rings");
    if ((uint32_t)o->rx_ring + o->tx_ring >= pool->size) {
        snprintf(o->error, o->size, "%s: its rings hold %u packets, and the pool has %" PRIu32 ": make the pool larger",
                 o->port->dev.name, (unsigned)o->rx_ring + o->tx_ring, pool->size);
        return -ENOMEM;
    }
    return 0;
}

static int set_up_queues(struct opening *o)
{
    struct rte_eth_txconf tx = o->info.default_txconf;
    struct rte_eth_rxconf rx = o->info.default_rxconf;
    int socket = rte_eth_dev_socket_id(o->port->id);
    int rc;

    WEIR_TRY(size_rings(o));
    tx.offloads = o->conf.txmode.offloads;
    rx.offloads = o->conf.rxmode.offloads;
    rc = rte_eth_rx_queue_setup(o->port->id, 0, o->rx_ring, (unsigned)socket, &rx, o->port->dev.pool);
    if (rc < 0)
        return port_fail(o, rc, "cannot set up the receive queue");
    rc = rte_eth_tx_queue_setup(o->port->id, 0, o->tx_ring, (unsigned)socket, &tx);
    return rc < 0 ? port_fail(o, rc, "cannot set up the send queue") : 0;
}

/* Not every driver knows of an MTU (memif does not): it is set only if it must change, and may stay as it is. */
static int agree_on_mtu(struct opening *o)
{
    uint16_t now = 0;
    int rc;

    if (rte_eth_dev_get_mtu(o->port->id, &now) == 0 && now != o->mtu) {
        rc = rte_eth_dev_set_mtu(o->port->id, o->mtu);
        if (rc < 0 && rc != -ENOTSUP)
            return port_fail(o, rc, o->conf.rxmode.mtu == 0 ? "its driver takes no such MTU" : "cannot set the MTU");
    }
    o->port->dev.mtu = o->mtu;
    return 0;
}

/* A second address if the port has filters for it; else all frames, if the port can be told; and one that can be told
 * nothing (TAP, memif) passes all frames anyway. The port's own address stays: a TAP's is also the kernel's end's. */
static int agree_on_mac(struct opening *o)
{
    struct port *port = o->port;
    struct rte_ether_addr own;
    int rc = rte_eth_macaddr_get(port->id, &own);

    if (rc < 0)
        return port_fail(o, rc, "has no address");
    port->dev.mac = own;
    if (o->options->mac == NULL || rte_is_same_ether_addr(o->options->mac, &own))
        return 0;
    port->dev.mac = *o->options->mac;
    if (rte_eth_dev_mac_addr_add(port->id, &port->dev.mac, 0) < 0)
        (void)rte_eth_promiscuous_enable(port->id);
    return 0;
}

static void find_interrupt(struct opening *o)
{
    struct port *port = o->port;
    int level = rte_log_get_level(rte_eth_dev_logtype);

    port->interrupt = -1;
    if (o->conf.intr_conf.rxq == 0)
        return;
    /* Most drivers accept rxq and have none: to learn that, one must ask, and is told as if it were an error. */
    (void)rte_log_set_level((uint32_t)rte_eth_dev_logtype, RTE_LOG_CRIT);
    port->interrupt = rte_eth_dev_rx_intr_ctl_q_get_fd(port->id, 0);
    (void)rte_log_set_level((uint32_t)rte_eth_dev_logtype, (uint32_t)level);
    if (port->interrupt < 0)
        return;
    /* A driver that need not be asked (TAP) hands out the descriptor it reads packets from. */
    port->latched = rte_eth_dev_rx_intr_enable(port->id, 0) == 0;
    if (port->latched)
        (void)rte_eth_dev_rx_intr_disable(port->id, 0);
}

/* Briefly: a memif has no link before its peer comes, and that is no error. */
static void wait_for_link(uint16_t id)
{
    struct rte_eth_link link;

    for (int waited = 0; waited < LINK_WAIT_MS; waited += LINK_NAP_MS) {
        if (rte_eth_link_get_nowait(id, &link) < 0 || link.link_status == RTE_ETH_LINK_UP)
            return;
        rte_delay_us_sleep(LINK_NAP_MS * 1000);
    }
}

static int start(struct opening *o)
{
    struct port *port = o->port;
    int rc = rte_eth_dev_info_get(port->id, &o->info);

    if (rc < 0)
        return port_fail(o, rc, "says nothing about itself");
    WEIR_TRY(configure(o));
    WEIR_TRY(set_up_queues(o));
    WEIR_TRY(agree_on_mtu(o));
    rc = rte_eth_dev_start(port->id);
    if (rc < 0)
        return port_fail(o, rc, "cannot start");
    port->started = true;
    WEIR_TRY(agree_on_mac(o));
    (void)rte_eth_allmulticast_enable(
        port->id); /* the link knows which groups are ours; who has no filter lets all in */
    find_interrupt(o);
    WEIR_TRY(port_take_offloads(o));
    wait_for_link(port->id);
    rc = strcmp(o->info.driver_name, "net_memif") == 0 ? memif_tame(port) : 0;
    return rc < 0 ? port_fail(o, rc, "cannot hold DPDK's interrupt thread") : 0;
}

int weir_dev_open_port(struct weir_dev **dev, uint16_t port_id, const struct weir_port_options *options,
                       struct rte_mempool *pool, char *error, size_t size)
{
    static const struct weir_port_options defaults;
    struct opening opening = {.options = options != NULL ? options : &defaults, .error = error, .size = size};
    struct port *port;
    int rc;

    if (!rte_eth_dev_is_valid_port(port_id)) {
        snprintf(error, size, "no DPDK port has the number %u", port_id);
        return -ENODEV;
    }
    port = calloc(1, sizeof(*port));
    if (port == NULL) {
        snprintf(error, size, "out of memory");
        return -ENOMEM;
    }
    port->dev.ops = &port_ops;
    port->dev.pool = pool;
    port->id = port_id;
    (void)rte_eth_dev_get_name_by_port(port_id, port->dev.name);
    opening.port = port;
    rc = start(&opening);
    if (rc < 0) {
        port_close(&port->dev);
        return rc;
    }
    *dev = &port->dev;
    return 0;
}
