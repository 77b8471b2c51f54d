/* A memif port whose peer may go. When it does, DPDK's interrupt thread unmaps the memory that the two shared, and pays
 * no heed to a burst that is under way: the process dies of it, once in some ten disconnects. (Seen in 22.11; the
 * driver's memif_disconnect and eth_memif_rx share no lock.) So that thread is held still, and let run between two
 * bursts. */
#include "port_private.h"
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <weir/lcore.h>

enum {
    CLOCK_EVERY = 32,     /* bursts: the clock costs a good part of one           */
    PASSES_CONNECTED = 5, /* a second: only to learn that the peer has gone       */
    PASSES_LONELY = 1000, /* a second: to greet one, some messages to and fro     */
    LAST_WORDS_US = 5000
};

static void pass(struct port *port)
{
    uint64_t now = rte_get_timer_cycles();
    struct rte_eth_link link = {0};

    port->bursts = 0;
    if (now < port->next_pass)
        return;
    weir_interrupts_pass();
    (void)rte_eth_link_get_nowait(port->id, &link);
    port->next_pass =
        now + rte_get_timer_hz() / (link.link_status == RTE_ETH_LINK_UP ? PASSES_CONNECTED : PASSES_LONELY);
}

static inline void between_bursts(struct port *port)
{
    if (WEIR_UNLIKELY(++port->bursts >= CLOCK_EVERY))
        pass(port);
}

static uint16_t memif_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    between_bursts(port_of(dev));
    return port_rx_burst(dev, packets, n);
}

static uint16_t memif_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    between_bursts(port_of(dev));
    return port_tx_burst(dev, packets, n);
}

static void memif_close(struct weir_dev *dev)
{
    rte_delay_us_sleep(LAST_WORDS_US); /* what the peer has not read by then it never will: a last ACK, say */
    port_close(dev);                   /* the driver tears down in this thread what its other one may be at */
    weir_interrupts_release();
}

static const struct weir_dev_ops memif_ops = {.rx_burst = memif_rx_burst,
                                              .tx_burst = memif_tx_burst,
                                              .rx_interrupt = port_rx_interrupt,
                                              .stats = port_stats,
                                              .close = memif_close};

int memif_tame(struct port *port)
{
    WEIR_TRY(weir_interrupts_hold());
    port->dev.ops = &memif_ops;
    return 0;
}
