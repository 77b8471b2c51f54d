/* A DPDK port, as its files know it. */
#ifndef WEIR_NET_DEV_PORT_PRIVATE_H
#define WEIR_NET_DEV_PORT_PRIVATE_H

#include <weir/net/dev.h>

struct port {
    struct weir_dev dev;
    uint16_t id;
    bool started;
    bool latched;  /* the interrupt descriptor counts events, and is to be read; else it is readable by itself */
    int interrupt; /* descriptor, or -1 */

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

/* Gives a started memif port operations that its driver survives. Returns 0 or -errno. */
WEIR_MUST_CHECK int memif_tame(struct port *port);

#endif
