/* Ethernet and ARP, sans I/O: frames and the time go in; frames to send come out through `struct weir_burst`. */
#ifndef WEIR_NET_LINK_H
#define WEIR_NET_LINK_H

#include <rte_ether.h>
#include <weir/net/address.h>
#include <weir/net/packet.h>

/* Where finished frames go. When it is full, `flush` must make room: send what it can, free and count the rest. */
#define WEIR_BURST_MAX 64
struct weir_burst {
    struct rte_mbuf *packets[WEIR_BURST_MAX];
    unsigned count;
    void (*flush)(struct weir_burst *burst); /* takes all `count` packets; leaves count 0 */
};

static inline void weir_burst_push(struct weir_burst *burst, struct rte_mbuf *m)
{
    burst->packets[burst->count++] = m;
    if (burst->count == WEIR_BURST_MAX)
        burst->flush(burst);
}

/* One neighbour: an address and the MAC that answers to it. Entries live in a fixed table and are reused;
 * `generation` changes whenever what a cached path may believe of the entry is no longer so, and is never 0. A pointer
 * stays good to read the generation by until the link closes; for all else look the neighbour up again once the
 * generation has changed. What follows here is what a sender touches for each packet; the rest is the link's own. */
struct weir_neighbour {
    uint32_t generation;
    struct weir_address address; /* none: a free entry                                                  */
    weir_time used;              /* when a packet last went there: what is in use is revalidated, not dropped */
};

struct weir_link_options {
    struct rte_ether_addr mac;
    uint16_t mtu;             /* 0: 1500                                                          */
    uint32_t capabilities;    /* WEIR_DEV_*: what the device does by itself                       */
    struct rte_mempool *pool; /* for frames that the link makes itself (ARP); small ones will do  */
    unsigned neighbours_max;  /* 0: 1024; rounded up to a power of two                            */
    unsigned pending_max;     /* packets that wait for one resolution; 0: 4; the oldest is dropped */
    uint64_t seed;            /* keys the neighbour table's hash                                  */
    uint16_t vlan;            /* that all frames belong to, 1 to 4094; 0: none                     */
};

/* What a link has counted: frames that came; not for us; malformed; of a type that nobody here knows; frames sent;
 * those not sent for want of memory. Of ARP: requests and replies both ways; malformed ones (arp_bad); addresses that
 * found the table full; packets dropped because nobody answered, or too many waited (arp_unresolved_dropped). */
struct weir_link_stats {
    uint64_t rx_frames, rx_not_for_us, rx_bad, rx_unknown_type;
    uint64_t rx_other_vlan; /* of another VLAN than ours, or without one */
    uint64_t tx_frames, tx_no_memory;
    uint64_t arp_requests_in, arp_replies_in, arp_bad, arp_requests_out, arp_replies_out;
    uint64_t arp_table_full, arp_unresolved_dropped;
    uint64_t arp_conflicts; /* our address, claimed by another (RFC 5227 section 2.4) */
    uint64_t nd_solicits_in, nd_advertisements_in, nd_bad, nd_solicits_out, nd_advertisements_out;
    uint64_t nd_conflicts;  /* as arp_conflicts */
    uint64_t nd_duplicates; /* addresses that we could not have: RFC 4862 section 5.4.5 */
};

enum {                              /* of an address of ours */
       WEIR_ADDRESS_TENTATIVE = 1,  /* not ours yet: somebody else may have it, RFC 4862 section 5.4 */
       WEIR_ADDRESS_DEPRECATED = 2, /* not for new connections, RFC 4862 section 5.5.4               */
       WEIR_ADDRESS_DUPLICATE = 4,  /* tentative for ever: somebody else has it                      */
};

/* An address of ours, on the network that its first bits name. Of an IPv4 one, the words that a packet is compared with
 * stand ready in host order; where there is no such thing they are UINT32_MAX, which is everybody's broadcast. */
struct weir_link_address {
    struct weir_address address;
    uint32_t v4, v4_broadcast;
    uint8_t bits; /* of 128 */
    uint8_t flags;
};
#define WEIR_LINK_ADDRESSES_MAX 16

/* What every packet touches; the rest of a link is its own. */
struct weir_link {
    struct weir_burst *out;
    struct weir_link_stats stats;
    unsigned addresses_count;
    struct weir_link_address addresses[WEIR_LINK_ADDRESSES_MAX]; /* in the order in which they were added */
};

/* Sends a finished frame (m->data at its Ethernet header), as whoever keeps the header of a neighbour ready does.
 * Takes ownership. Checkpoint: never. */
static inline void weir_link_transmit(struct weir_link *link, struct rte_mbuf *m)
{
    link->stats.tx_frames++;
    weir_burst_push(link->out, m);
}

/* Makes a link whose frames leave through `out` (the caller's; must outlive it).
 * Returns 0, -EINVAL (no such VLAN can be), -ENOMEM. Checkpoint: never. */
WEIR_MUST_CHECK int weir_link_open(struct weir_link **link, const struct weir_link_options *options,
                                   struct weir_burst *out);

/* Frees the link and every packet that waits for a resolution. */
void weir_link_close(struct weir_link *link);

/* Our addresses: those that are answered for. `bits` of 128: of one that is IPv4's, 96 and its prefix. Whether they
 * make sense as a host's is the caller's to know. Returns 0, -EEXIST, -ENOSPC (WEIR_LINK_ADDRESSES_MAX); of the latter
 * two, -EADDRNOTAVAIL: not ours. Checkpoint: never. */
WEIR_MUST_CHECK int weir_link_add_address(struct weir_link *link, const struct weir_address *address, unsigned bits,
                                          unsigned flags);
int weir_link_remove_address(struct weir_link *link, const struct weir_address *address);
int weir_link_flag_address(struct weir_link *link, const struct weir_address *address, unsigned flags);

/* Makes every path look its neighbour up again: ways have changed. Checkpoint: never. */
void weir_link_renew(struct weir_link *link);

/* Takes one received frame. Returns the EtherType (host order) of a packet for an upper protocol, with m->data at the
 * network header and m->l2_len set: the packet is the caller's. Returns 0 when the link consumed it (ARP, not for us,
 * malformed, unknown, another VLAN's). A VLAN's tag may lie in the frame, or the device has taken it off.
 * Checkpoint: never. Source: RFC 826, RFC 894, RFC 5227 section 2.4, IEEE 802.1Q section 6.9. */
uint16_t weir_link_input(struct weir_link *link, weir_time now, struct rte_mbuf *m);

/* Finds or makes the entry of an address on this link. Does not send anything. Where there is no room the least useful
 * entry makes some. Returns NULL when all are being resolved with packets waiting, none asked for more than once yet.
 * Checkpoint: never. */
struct weir_neighbour *weir_link_neighbour(struct weir_link *link, weir_time now, const struct weir_address *address);

/* The same for whoever is only to be answered: one that is in use makes no room for him. A stranger who names himself
 * anew with each packet would else push out everybody. */
struct weir_neighbour *weir_link_stranger(struct weir_link *link, weir_time now, const struct weir_address *address);

/* Changes when a path must look its neighbour up again; never 0. */
static inline uint32_t weir_neighbour_generation(const struct weir_neighbour *neighbour)
{
    return neighbour->generation;
}

/* Copies the MAC; returns false while it is not known, or no longer believed: then weir_link_send is the way to send,
 * and to have it believed again. */
bool weir_neighbour_mac(const struct weir_neighbour *neighbour, struct rte_ether_addr *mac);

/* Sends an IP packet (m->data at the network header) to a neighbour: at once if its MAC is known, else it waits for the
 * resolution, which this starts: 1 request a second, 3 at most, then the waiting are dropped and counted.
 * Takes ownership. Checkpoint: never. Source: RFC 1122 section 2.3.2. */
void weir_link_send(struct weir_link *link, weir_time now, struct weir_neighbour *neighbour, uint16_t ether_type,
                    struct rte_mbuf *m);

/* Told by an upper protocol that a neighbour answers (forward progress), so it need not be asked again soon. Only for
 * one whose generation has not changed since it was looked up. Source: RFC 1122 section 2.3.2.1 (4). */
void weir_link_confirm(struct weir_link *link, weir_time now, struct weir_neighbour *neighbour);

/* Told by an upper protocol that a neighbour does not seem to answer: it is asked again, by broadcast, and believed
 * meanwhile. Checkpoint: never. Source: RFC 1122 section 2.3.2.1 (4). */
void weir_link_doubt(struct weir_link *link, weir_time now, struct weir_neighbour *neighbour);

/* Does what is due by now: repeats requests, expires entries. Call when weir_link_next_deadline has come. */
void weir_link_timers(struct weir_link *link, weir_time now);
weir_time weir_link_next_deadline(const struct weir_link *link);

/* Announces an address of ours (gratuitous ARP, RFC 5227 section 3). One that is tentative is first asked for: a second
 * or two later it is no more, or a duplicate (RFC 4862 section 5.4). An IPv6 one's solicited-node group is joined (RFC
 * 3810), and routers hear of the address (RFC 9131). Checkpoint: never. */
void weir_link_announce(struct weir_link *link, weir_time now, const struct weir_address *address);

/* Writes the header of a frame to `dst` (NULL: not known yet, zeros), of WEIR_LINK_HEADER_MAX bytes at most: with our
 * VLAN's tag, if we have one. Returns its length, 14 or 18. Checkpoint: never. Source: IEEE 802.1Q section 9.6. */
#define WEIR_LINK_HEADER_MAX (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
uint8_t weir_link_header(const struct weir_link *link, const struct rte_ether_addr *dst, uint16_t ether_type,
                         uint8_t *header);

/* An ICMPv6 message whose checksum was right, as its IPv6 header had it. */
struct weir_link_message {
    struct weir_address src, dst;
    uint8_t hop_limit;
    const void *bytes; /* all in one piece */
    uint32_t length;   /* not 0 */
};

/* Takes a neighbour solicitation or advertisement, or a multicast listener query: those are the link's business.
 * Malformed ones are counted. Checkpoint: never. Source: RFC 4861 section 7, RFC 4862 section 5.4, RFC 3810. */
void weir_link_discovery(struct weir_link *link, weir_time now, const struct weir_link_message *message);

/* Asks the link's routers for their advertisements. Checkpoint: never. Source: RFC 4861 section 6.3.7. */
void weir_link_solicit_routers(struct weir_link *link);

/* Told where an IPv6 neighbour is, by a router's advertisement, say. Checkpoint: never.
 * Source: RFC 4861 section 6.3.4. */
void weir_link_heard_of(struct weir_link *link, weir_time now, const struct weir_address *address,
                        const struct rte_ether_addr *mac);

const struct weir_link_stats *weir_link_stats(const struct weir_link *link);
struct weir_burst *weir_link_burst(struct weir_link *link);
void weir_link_mac(const struct weir_link *link, struct rte_ether_addr *mac);
uint16_t weir_link_mtu(const struct weir_link *link);
uint32_t weir_link_capabilities(const struct weir_link *link);

#endif
