/* A device: packets in and out. A DPDK port, one end of an in-memory pair, or a decorator around another device. */
#ifndef WEIR_NET_DEV_H
#define WEIR_NET_DEV_H

#include <rte_ether.h>
#include <rte_mempool.h>
#include <weir/net/packet.h>

struct weir_dev;

/* What a device has counted: packets and bytes of frames that passed; dropped: lost for want of room or of packets (RFC
 * 2863's discards); errors: what the device or its driver found wrong. A driver may begin again at zero. */
struct weir_dev_stats {
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_errors;
    uint64_t tx_packets, tx_bytes, tx_dropped, tx_errors;
};

struct weir_dev_ops {
    /* Takes up to n received packets, which become the caller's. Returns how many. */
    uint16_t (*rx_burst)(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n);
    /* Gives n packets to be sent. Returns how many the device took, from the front; the rest stay the caller's. */
    uint16_t (*tx_burst)(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n);
    /* When a packet now held back will be due (delay in a decorator); WEIR_NEVER otherwise. NULL: never. */
    weir_time (*next_deadline)(struct weir_dev *dev);
    /* A descriptor that turns readable when packets wait, to sleep on, after on = true was asked for.
     * Returns the descriptor, or -ENOTSUP. NULL: not supported. */
    int (*rx_interrupt)(struct weir_dev *dev, bool on);
    void (*stats)(struct weir_dev *dev, struct weir_dev_stats *stats);
    /* Stops and frees the device and the packets that it holds; a decorator closes what it wraps. */
    void (*close)(struct weir_dev *dev);
};

/* What a device can do by itself; the stack does the rest in software. */
#define WEIR_DEV_TX_IPV4_CKSUM (1u << 0)
#define WEIR_DEV_TX_TCP_CKSUM (1u << 1)
#define WEIR_DEV_TX_UDP_CKSUM (1u << 2)
#define WEIR_DEV_TX_MULTI_SEGS (1u << 3)
#define WEIR_DEV_RX_CKSUM (1u << 4) /* sets RTE_MBUF_F_RX_*_CKSUM_* on what it receives                          */
#define WEIR_DEV_TX_TSO                                                                                                \
    (1u << 5)                         /* cuts a large TCP packet (RTE_MBUF_F_TX_TCP_SEG) into segments; with the two * \
                                       * that this takes, WEIR_DEV_TX_TCP_CKSUM and WEIR_DEV_TX_MULTI_SEGS            */
#define WEIR_DEV_RX_SCATTER (1u << 6) /* receives into several mbufs what does not fit one                          */
#define WEIR_DEV_RX_LRO (1u << 7)     /* joins TCP segments into packets of up to 64 KB                              */

struct weir_dev {
    const struct weir_dev_ops *ops;
    struct rte_ether_addr mac;
    uint16_t mtu;                   /* bytes of an IP packet, 1500 on plain Ethernet                            */
    uint32_t capabilities;          /* WEIR_DEV_*                                                               */
    struct rte_mempool *pool;       /* where received packets come from, and where packets to send may be taken */
    struct rte_mempool *references; /* mbufs without room, to refer to payload by; NULL: none               */
    uint16_t tx_segments_max;       /* mbufs that a packet to send may have, with WEIR_DEV_TX_TSO                  */
    struct rte_mempool *last; /* freed after the device is closed, which may hold packets of it until then; NULL */
    char name[64];
};

static inline uint16_t weir_dev_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    return dev->ops->rx_burst(dev, packets, n);
}

static inline uint16_t weir_dev_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    return dev->ops->tx_burst(dev, packets, n);
}

static inline void weir_dev_close(struct weir_dev *dev)
{
    struct rte_mempool *last;

    if (dev == NULL)
        return;
    last = dev->last;
    dev->ops->close(dev);
    rte_mempool_free(last);
}

/* Makes a pool of `count` packets of `room` bytes each (0: 2048) behind the headroom, on this socket.
 * `cache` objects are kept per lcore. Returns it, or NULL with rte_errno. Free with rte_mempool_free. */
struct rte_mempool *weir_packet_pool(const char *name, unsigned count, unsigned cache, uint16_t room);

/* The same for packets that have no room of their own, but refer to others' (rte_pktmbuf_attach). */
struct rte_mempool *weir_reference_pool(const char *name, unsigned count);

struct weir_port_options {
    const struct rte_ether_addr *mac; /* that the stack answers to; NULL: the port's                               */
    uint16_t mtu;     /* 0: 1500, or what the port can if that is less. A frame of it must fit a packet of the pool, *
                       * or the port be able to scatter it                                                           */
    uint32_t without; /* WEIR_DEV_*: what the port could do, and is not to                                           */
};

/* Opens a DPDK ethdev port as a device: configures one queue pair, offloads where the port has them, promiscuous off,
 * an RX interrupt where the port has one, and starts it. `options` may be NULL. The pool stays the caller's and must
 * outlive the device.
 * Returns 0, or -errno with one line in `error` (of `size` bytes): -ENODEV no such port, -ENOMEM pool too small for the
 * rings, -EINVAL no such MTU, or what the driver said. Checkpoint: never. Source: rte_ethdev.h. */
WEIR_MUST_CHECK int weir_dev_open_port(struct weir_dev **dev, uint16_t port_id, const struct weir_port_options *options,
                                       struct rte_mempool *pool, char *error, size_t size);

/* Opens two devices joined by a cable: what one sends the other receives, in order, `depth` packets at most each way
 * (more are refused, as a full ring does). Packets cross by being handed over; the pools may be one.
 * Locally administered MACs 02:00:00:00:00:01 and :02. Returns 0 or -ENOMEM. Checkpoint: never. */
WEIR_MUST_CHECK int weir_dev_open_pair(struct weir_dev *ends[2], struct rte_mempool *pool, unsigned depth);

/* What the fault device does to each packet, in each direction; all zero does nothing. Probabilities are in [0, 1]. */
struct weir_fault {
    double loss;              /* dropped                                                                  */
    double duplicate;         /* delivered twice (a full copy)                                            */
    double reorder;           /* held until `reorder_by` later packets have passed, or 10 ms have         */
    unsigned reorder_by;      /* 0: 3                                                                     */
    double corrupt;           /* one random bit flipped, in a private copy                                */
    weir_time delay;          /* held this long                                                           */
    weir_time jitter;         /* and up to this much longer, uniformly; order is kept unless reorder says */
    uint64_t bits_per_second; /* a bottleneck's rate; 0: none                                             */
    unsigned queue;           /* packets the bottleneck holds before it drops the tail; 0: 1000           */
    weir_time blackout_from, blackout_until; /* nothing passes in between                                  */
};

struct weir_fault_stats {
    uint64_t passed, lost, duplicated, reordered, corrupted, queue_dropped;
};

/* Wraps a device in faults, drawn from `seed`; rx is what it receives, tx what it sends. Time is read from `clock`.
 * The decorator owns `inner` from then on. Its own store of held packets is bounded (`held_max`, 0: 4096; beyond it
 * packets are dropped and counted as queue_dropped). Returns 0 or -ENOMEM (inner stays the caller's). */
WEIR_MUST_CHECK int weir_dev_open_fault(struct weir_dev **dev, struct weir_dev *inner, struct weir_clock *clock,
                                        const struct weir_fault *rx, const struct weir_fault *tx, unsigned held_max,
                                        uint64_t seed);

/* Reads what a fault device did so far. `dev` must be one. */
void weir_dev_fault_stats(struct weir_dev *dev, struct weir_fault_stats *rx, struct weir_fault_stats *tx);

/* Changes the faults of a running fault device; NULL leaves a direction as it is. */
void weir_dev_fault_set(struct weir_dev *dev, const struct weir_fault *rx, const struct weir_fault *tx);

/* Wraps a device so that TCP segments that come in one burst, each where the one before it ends, are joined to one
 * packet (librte_gro), which is said to have right checksums: they were looked at. IPv4 only. No flow's segments change
 * places. Costs more than it saves the stack: for readers that would rather have few large packets.
 * Returns 0 or -ENOMEM. The decorator owns `inner` from then on, not on failure. Checkpoint: never. */
WEIR_MUST_CHECK int weir_dev_open_gro(struct weir_dev **dev, struct weir_dev *inner);

/* Wraps a device so that all packets are also written to a pcapng file, both ways, with the clock's times: real ones
 * count from 1970 there, those of a clock that is told the time (it has an `idle`) from its zero. Packets that the
 * device refuses are not in it; those that it received are written before the caller sees them. Whatever happens to the
 * file later is logged once and ends the capture, not the device. Returns 0, -ENOMEM, or -errno of opening and writing
 * the file. The decorator owns `inner` from then on, not on failure. Checkpoint: never; but the file is written to in
 * each burst. Source: draft-ietf-opsawg-pcapng. */
WEIR_MUST_CHECK int weir_dev_open_pcap(struct weir_dev **dev, struct weir_dev *inner, struct weir_clock *clock,
                                       const char *path);

#endif
