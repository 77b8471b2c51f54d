/* Private to net/link: the neighbours' table and its states. */
#ifndef WEIR_LINK_PRIVATE_H
#define WEIR_LINK_PRIVATE_H

#include <weir/net/link.h>
#include <weir/net/wire.h>

#define REQUESTS_MAX 3
#define REQUEST_INTERVAL WEIR_SECONDS(1)
#define FIRST_PROBE_DELAY                                                                                              \
    WEIR_SECONDS(5)                    /* DELAY_FIRST_PROBE_TIME: IPv6's; what is sent above may make probes needless */
#define REACHABLE_MIN WEIR_SECONDS(30) /* to twice this, at random: many entries must not be asked for at once */
#define STALE_TIME WEIR_SECONDS(60)
#define NEVER_USED INT64_MIN

/* A neighbour is in one of this many places after the one its address hashes to. */
#define WINDOW 16

/* Packets that may wait for resolution, all neighbours together: what peers make us send to nobody must not empty the
 * pools. */
#define WAITING_MAX 256

enum neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_IDLE,      /* asked for by weir_link_neighbour; nothing was sent there yet     */
    NEIGHBOUR_RESOLVING, /* requests are broadcast; packets wait                             */
    NEIGHBOUR_REACHABLE, /* the MAC is known and believed                                    */
    NEIGHBOUR_PROBING,   /* believed still, but asked, by unicast, whether it is there; or about to be */
    NEIGHBOUR_STALE,     /* not used of late and so not asked: used again, it will be        */
};

struct neighbour {
    struct weir_neighbour face;
    enum neighbour_state state;
    struct rte_ether_addr mac;
    bool doubted;                      /* an upper layer gets no answers: ask everybody */
    uint8_t requests;                  /* sent since it began to resolve or to probe  */
    unsigned waiting_first;            /* index of the oldest in `waiting`            */
    unsigned waiting;                  /* packets that wait                           */
    struct rte_mbuf **waiting_packets; /* a ring of pending_max                 */
    weir_time since;                   /* of this state                               */
    weir_time confirmed;               /* when it last gave a sign of life            */
    weir_time reachable_time;
    struct weir_timer timer;
};

/* Whether an IPv6 address is free: asked `left` times more. RFC 4862 section 5.4. */
struct nd_detection {
    struct weir_address address; /* none: not in use */
    weir_time due;
    uint8_t left;
    uint8_t nonce[6]; /* by which our own question is known */
};

struct link {
    struct weir_link face;
    struct rte_ether_addr mac;
    uint16_t mtu;
    uint16_t vlan; /* 0: none */
    uint32_t capabilities;
    struct rte_mempool *pool;
    unsigned pending_max;
    unsigned waiting;                                        /* packets that wait, of all neighbours */
    struct nd_detection detections[WEIR_LINK_ADDRESSES_MAX]; /* of our addresses that are tentative */
    weir_time report_due;                                    /* when our multicast groups are reported */
    weir_time discovery_due;                                 /* when one of these is due, or sooner    */
    weir_time retrans_timer; /* between two questions: RFC 4861 section 10; what routers advise instead is not heeded */
    struct weir_rng rng;
    struct weir_wheel wheel;
    uint64_t hash_key[3];
    unsigned slots; /* a power of two */
    uint32_t *keys; /* of the address in each slot, 0 if free: a window of them is one line of cache or two */
    struct neighbour *neighbours;
    struct rte_mbuf **waiting_packets;
};

static inline struct link *link_of(struct weir_link *face)
{
    return WEIR_CONTAINER_OF(face, struct link, face);
}

static inline struct neighbour *neighbour_of(struct weir_neighbour *face)
{
    return WEIR_CONTAINER_OF(face, struct neighbour, face);
}

/* ---- address.c ---- */

bool link_is_ours(const struct link *link, const struct weir_address *address);
/* Its entry; NULL: it is not ours. */
const struct weir_link_address *link_address_of(const struct link *link, const struct weir_address *address);
/* That of ours which is on the target's network, else any of its family; NULL: we have none. */
const struct weir_link_address *link_address_near(const struct link *link, const struct weir_address *target);

/* ---- table.c: where the neighbours are kept ---- */

int table_open(struct link *link, unsigned neighbours_max);
void table_close(struct link *link);
struct neighbour *table_find(struct link *link, const struct weir_address *address);

/* Makes an entry, evicting the least useful one if need be; one that we send to only if `may_evict_used`. NULL: no
 * room. */
struct neighbour *table_make(struct link *link, weir_time now, const struct weir_address *address, bool may_evict_used);

/* ---- neighbour.c: what becomes of them ---- */

void neighbour_release(struct link *link, struct neighbour *neighbour);
/* It answered us, from this MAC: believed. */
void neighbour_heard(struct link *link, weir_time now, struct neighbour *neighbour, const struct rte_ether_addr *mac);
/* It may be elsewhere: asked when it is used next. */
void neighbour_distrust(struct link *link, weir_time now, struct neighbour *neighbour);
/* It is said to have this MAC, which is no proof that it hears us: used, but asked soon. If that was known, nothing
 * changes. RFC 4861 sections 7.2.3, 7.3.3. */
void neighbour_told(struct link *link, weir_time now, struct neighbour *neighbour, const struct rte_ether_addr *mac);

/* ---- arp.c ---- */

void arp_input(struct link *link, weir_time now, struct rte_mbuf *m);
/* Asks for a neighbour: by unicast if `to` is its MAC, else by broadcast (NULL). */
void arp_request(struct link *link, uint32_t source, uint32_t target, const struct rte_ether_addr *to);

/* ---- link.c ---- */

/* Puts an Ethernet header in front of a packet. Returns the frame, or NULL when there was no memory for one (the packet
 * is freed then, and counted). */
struct rte_mbuf *link_frame(struct link *link, struct rte_mbuf *m, const struct rte_ether_addr *dst, uint16_t type);

#endif
