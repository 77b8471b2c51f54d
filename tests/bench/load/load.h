/* weir-load: a load generator leaner than what it measures. One core, one DPDK port, one loop; frames are prebuilt and
 * a reply's own buffer carries the next request, so that what is measured is the other side. */
#ifndef LOAD_H
#define LOAD_H

#include "histogram.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdbool.h>

#define LOAD_BURST 32
#define LOAD_OUT_MAX 256
#define LOAD_SIZE_MIN 8 /* the tag and the time stamp that each request carries */
#define LOAD_SIZE_MAX 1448

enum load_mode { MODE_TCP, MODE_UDP, MODE_RAW, MODE_CRR, MODE_REFLECT };

struct load_options {
    enum load_mode mode;
    unsigned connections; /* tcp, crr: at a time; udp: flows                      */
    unsigned depth;       /* requests outstanding on each; raw: in all             */
    unsigned size;        /* payload bytes of a request                            */
    double seconds, warmup;
    uint32_t address, server; /* host order                                        */
    uint16_t port;
    struct rte_ether_addr server_mac; /* zero: ask by ARP                           */
    bool timestamps;                  /* tcp: RFC 7323                              */
    bool linger;                      /* stay connected when done                   */
    unsigned timeout_ms;              /* silence after which a request is repeated  */
    unsigned verify_every;            /* every Nth reply's checksums are checked; 0: none */
};

/* What went over the wire, counted while measuring only, but for the errors, which count always. */
struct load_stats {
    uint64_t replies;      /* answered requests; crr: whole conversations */
    uint64_t retransmits;  /* requests repeated after silence             */
    uint64_t resets;       /* connections that the server reset or closed */
    uint64_t bad_tags;     /* a reply that is not what was asked          */
    uint64_t bad_cksums;   /* of those sampled                            */
    uint64_t out_of_order; /* segments or datagrams not expected          */
    uint64_t tx_dropped;   /* the port stayed full for a millisecond      */
};

struct load {
    struct load_options options;
    uint16_t port_id;
    struct rte_ether_addr mac, server_mac;
    struct rte_mempool *pool;
    uint64_t now; /* cycles, read once a turn */
    bool measuring;
    bool busy;               /* the turn now ending received something */
    unsigned until_verified; /* replies until the next sampled checksum */
    unsigned out_count;
    struct rte_mbuf *out[LOAD_OUT_MAX];
    uint64_t busy_cycles; /* of turns that received something */
    struct load_stats stats;
    struct histogram latency; /* in cycles */
};

/* What a mode does: with each received frame (which it consumes), once a millisecond, and to say it is ready. */
struct load_driver {
    void *(*open)(struct load *load);
    void (*input)(void *driver, struct rte_mbuf *m);
    void (*every_millisecond)(void *driver);
    bool (*ready)(void *driver);  /* all is set up: measuring may begin            */
    void (*finish)(void *driver); /* begin to end conversations; may be NULL       */
    bool (*finished)(void *driver);
};

extern const struct load_driver load_tcp, load_udp, load_raw, load_reflect;

/* Hands a frame to the port, at the end of the turn or when LOAD_OUT_MAX are waiting. Consumes it. */
void load_flush(struct load *load);
static inline void load_send(struct load *load, struct rte_mbuf *m)
{
    load->out[load->out_count++] = m;
    if (load->out_count == LOAD_OUT_MAX)
        load_flush(load);
}

/* Takes a buffer; the pool is sized so that there always is one. */
struct rte_mbuf *load_alloc(struct load *load);

/* True when it is time to look at a reply's checksums, one in verify_every. */
static inline bool load_sample(struct load *load)
{
    if (load->until_verified == 0 || --load->until_verified != 0)
        return false;
    load->until_verified = load->options.verify_every;
    return true;
}

/* port.c: the port up and running, with its link; the server's MAC by ARP. Exits with one line if it cannot be. */
void load_port_open(struct load *load);
void load_port_resolve(struct load *load);
/* Answers ARP requests for our address, in the same buffer; drops all else. Consumes m. */
void load_arp_input(struct load *load, struct rte_mbuf *m);

#endif
