/* A decorator that puts a bad wire before a device, both ways. */
#include "fault_line.h"
#include <rte_ethdev.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 4096, BURST = 32 };

/* The two directions are two streams of one seed. */
#define TX_STREAM 0x9e3779b97f4a7c15ull

struct fault_dev {
    struct weir_dev dev;
    struct weir_dev *inner;
    struct weir_clock *clock;
    struct fault_line rx, tx;
    /* Off the tx line, and refused by the inner device so far. */
    struct rte_mbuf *ready[BURST];
    uint16_t ready_count;
};

static struct fault_dev *fault_of(struct weir_dev *dev)
{
    return WEIR_CONTAINER_OF(dev, struct fault_dev, dev);
}

/* Sends what has come through the tx line, as far as the inner device takes it. */
static void push_out(struct fault_dev *fault, weir_time now)
{
    for (;;) {
        uint16_t room = BURST - fault->ready_count, sent;

        fault->ready_count += (uint16_t)fault_line_take(&fault->tx, now, &fault->ready[fault->ready_count], room);
        if (fault->ready_count == 0)
            return;
        sent = weir_dev_tx_burst(fault->inner, fault->ready, fault->ready_count);
        fault->ready_count -= sent;
        memmove(fault->ready, &fault->ready[sent], fault->ready_count * sizeof(fault->ready[0]));
        if (sent == 0)
            return;
    }
}

static uint16_t fault_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct fault_dev *fault = fault_of(dev);
    weir_time now = fault->clock->now(fault->clock);
    struct rte_mbuf *fresh[BURST];
    uint16_t got, want, fetched;

    push_out(fault, now); /* whoever polls also moves the held packets along */
    got = (uint16_t)fault_line_take(&fault->rx, now, packets, n);
    want = RTE_MIN(n - got, BURST);
    fetched = weir_dev_rx_burst(fault->inner, fresh, want);
    for (uint16_t i = 0; i < fetched; i++) {
        /* What the NIC found out about a checksum, it found out before our wire. */
        fresh[i]->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
        fault_line_put(&fault->rx, now, fresh[i]);
    }
    return got + (uint16_t)fault_line_take(&fault->rx, now, packets + got, n - got);
}

/* A wire takes all that it is given; what does not fit is lost on it, not refused. */
static uint16_t fault_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct fault_dev *fault = fault_of(dev);
    weir_time now = fault->clock->now(fault->clock);

    for (uint16_t i = 0; i < n; i++)
        fault_line_put(&fault->tx, now, packets[i]);
    push_out(fault, now);
    return n;
}

static weir_time fault_next_deadline(struct weir_dev *dev)
{
    struct fault_dev *fault = fault_of(dev);
    weir_time rx = fault_line_deadline(&fault->rx), tx = fault_line_deadline(&fault->tx);
    weir_time inner =
        fault->inner->ops->next_deadline != NULL ? fault->inner->ops->next_deadline(fault->inner) : WEIR_NEVER;

    if (fault->ready_count > 0)
        return INT64_MIN;
    return RTE_MIN(RTE_MIN(rx, tx), inner);
}

static int fault_rx_interrupt(struct weir_dev *dev, bool on)
{
    struct weir_dev *inner = fault_of(dev)->inner;

    return inner->ops->rx_interrupt != NULL ? inner->ops->rx_interrupt(inner, on) : -ENOTSUP;
}

static void fault_dev_stats(struct weir_dev *dev, struct weir_dev_stats *stats)
{
    struct weir_dev *inner = fault_of(dev)->inner;

    inner->ops->stats(inner, stats);
}

static void fault_free(struct fault_dev *fault)
{
    for (uint16_t i = 0; i < fault->ready_count; i++)
        rte_pktmbuf_free(fault->ready[i]);
    fault_line_free(&fault->rx);
    fault_line_free(&fault->tx);
    free(fault);
}

static void fault_close(struct weir_dev *dev)
{
    struct fault_dev *fault = fault_of(dev);

    weir_dev_close(fault->inner);
    fault_free(fault);
}

static const struct weir_dev_ops fault_ops = {.rx_burst = fault_rx_burst,
                                              .tx_burst = fault_tx_burst,
                                              .next_deadline = fault_next_deadline,
                                              .rx_interrupt = fault_rx_interrupt,
                                              .stats = fault_dev_stats,
                                              .close = fault_close};

int weir_dev_open_fault(struct weir_dev **dev, struct weir_dev *inner, struct weir_clock *clock,
                        const struct weir_fault *rx, const struct weir_fault *tx, unsigned held_max, uint64_t seed)
{
    struct fault_dev *fault = calloc(1, sizeof(*fault));

    if (fault == NULL)
        return -ENOMEM;
    if (held_max == 0)
        held_max = HELD_MAX;
    if (fault_line_init(&fault->rx, rx, inner->pool, held_max, seed) < 0 ||
        fault_line_init(&fault->tx, tx, inner->pool, held_max, seed ^ TX_STREAM) < 0) {
        fault_free(fault);
        return -ENOMEM;
    }
    fault->inner = inner;
    fault->clock = clock;
    fault->dev = *inner;
    fault->dev.ops = &fault_ops;
    /* A NIC that finishes checksums behind our wire would make every corrupted packet a valid one. */
    fault->dev.capabilities &= WEIR_DEV_TX_MULTI_SEGS;
    *dev = &fault->dev;
    return 0;
}

void weir_dev_fault_stats(struct weir_dev *dev, struct weir_fault_stats *rx, struct weir_fault_stats *tx)
{
    WEIR_ASSERT(dev->ops == &fault_ops);
    *rx = fault_of(dev)->rx.stats;
    *tx = fault_of(dev)->tx.stats;
}

void weir_dev_fault_set(struct weir_dev *dev, const struct weir_fault *rx, const struct weir_fault *tx)
{
    WEIR_ASSERT(dev->ops == &fault_ops);
    if (rx != NULL)
        fault_of(dev)->rx.fault = *rx;
    if (tx != NULL)
        fault_of(dev)->tx.fault = *tx;
}
