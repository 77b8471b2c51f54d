/* A DPDK port, as its files know it. */
#ifndef WEIR_NET_DEV_PORT_PRIVATE_H
#define WEIR_NET_DEV_PORT_PRIVATE_H

#include <rte_ethdev.h>
#include <weir/net/dev.h>

struct port {
    struct weir_dev dev;
    uint16_t id;
    bool started;
    bool latched;  /* the interrupt descriptor counts events, and is to be read; else it is readable by itself */
    int interrupt; /* descriptor, or -1 */
    uint64_t tx_refused;

    /* memif.c */
    unsigned bursts;    /* since the clock was read last                  */
    uint64_t next_pass; /* when the interrupt thread is let run, in cycles */
};

static inline struct port *port_of(struct weir_dev *dev)
{
    return WEIR_CONTAINER_OF(dev, struct port, dev);
}

/* What every port does. */
uint16_t port_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n);
uint16_t port_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n);
int port_rx_interrupt(struct weir_dev *dev, bool on);
void port_stats(struct weir_dev *dev, struct weir_dev_stats *stats);
void port_close(struct weir_dev *dev);

/* What opening gathers on the way. */
struct opening {
    struct port *port;
    const struct weir_port_options *options;
    uint16_t mtu;
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf;
    uint16_t rx_ring, tx_ring;
    char *error;
    size_t size;
};

/* Says what failed, in one line. Returns the code, which is negative. */
int port_fail(struct opening *o, int code, const char *what);

/* port_offload.c: before the port is configured; and once it has started. */
WEIR_MUST_CHECK int port_choose_mtu(struct opening *o);
void port_choose_offloads(struct opening *o);
WEIR_MUST_CHECK int port_take_offloads(struct opening *o);

/* Gives a started memif port operations that its driver survives. Returns 0 or -errno. */
WEIR_MUST_CHECK int memif_tame(struct port *port);

#endif
