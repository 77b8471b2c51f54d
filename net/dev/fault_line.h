/* One direction of a fault device: what a bad wire does to the packets on it. Knows no device, reads no clock. */
#ifndef WEIR_NET_DEV_FAULT_LINE_H
#define WEIR_NET_DEV_FAULT_LINE_H

#include <weir/net/dev.h>

struct held {
    struct rte_mbuf *packet;
    weir_time departs; /* leaves the bottleneck         */
    weir_time due;     /* arrives at the other end, unless one before it has yet to: jitter does not reorder */
    bool reorder;      /* then waits for others to pass */
};

struct aside {
    struct rte_mbuf *packet;
    weir_time until;
    unsigned to_pass; /* packets still to go before it */
};

#define ASIDE_MAX 64 /* packets put aside at once; one more goes on in order */

struct fault_line {
    struct weir_fault fault;
    struct weir_fault_stats stats;
    struct weir_rng rng;
    struct rte_mempool *pool; /* for copies */
    weir_time busy_until;     /* of the bottleneck */
    /* Packets in order, counted from the first ever: [head, tail) are held, [departed, tail) queue at the bottleneck.
     */
    struct held *held;
    unsigned held_max;
    uint64_t head, departed, tail;
    struct aside aside[ASIDE_MAX];
    unsigned aside_count;
};

/* Sets up a line that holds `held_max` packets. Returns 0 or -ENOMEM. */
WEIR_MUST_CHECK int fault_line_init(struct fault_line *line, const struct weir_fault *fault, struct rte_mempool *pool,
                                    unsigned held_max, uint64_t seed);

/* Frees what the line holds. */
void fault_line_free(struct fault_line *line);

/* Puts a packet on the line. Takes it. */
void fault_line_put(struct fault_line *line, weir_time now, struct rte_mbuf *m);

/* Takes up to n packets that are due. They are the caller's. Returns how many. */
unsigned fault_line_take(struct fault_line *line, weir_time now, struct rte_mbuf **packets, unsigned n);

/* When the next packet is due; WEIR_NEVER for none. */
weir_time fault_line_deadline(const struct fault_line *line);

#endif
