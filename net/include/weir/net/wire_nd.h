/* The codecs of neighbour discovery (RFC 4861 section 4) and of what joins multicast groups (RFC 3810): pure functions.
 * Messages are ICMPv6's; their checksums are the caller's to verify and to write (weir_icmp6_seal). */
#ifndef WEIR_NET_WIRE_ND_H
#define WEIR_NET_WIRE_ND_H

#include <weir/net/wire_ipv6.h>

#define WEIR_ND_HOP_LIMIT 255 /* no router let it pass: it is from this link. RFC 4861 section 3.1 */

/* A neighbour solicitation or advertisement, RFC 4861 sections 4.3 and 4.4. */
struct weir_nd {
    uint8_t type;                     /* WEIR_ICMP6_NEIGHBOUR_SOLICITATION or WEIR_ICMP6_NEIGHBOUR_ADVERTISEMENT */
    bool router, solicited, override; /* of an advertisement */
    bool has_mac;                     /* the sender's, or the target's: an option, of length 8 */
    bool has_nonce;                   /* RFC 3971 section 5.3.2, as RFC 7527 uses it; 6 bytes, of a solicitation */
    struct weir_address target;
    struct rte_ether_addr mac;
    uint8_t nonce[6];
};
#define WEIR_ND_LENGTH_MAX 40 /* with both options */

/* Reads a message of either type, and its options. Returns 0, or -EBADMSG: too short, a code that is not 0, a target
 * that is a multicast one, an option of no length or that runs past the end, a MAC that no host has. Output is written
 * only on success. Checkpoint: never, as all here. Source: RFC 4861 sections 7.1.1 and 7.1.2. */
WEIR_MUST_CHECK int weir_nd_parse(const void *bytes, size_t length, struct weir_nd *nd);

/* Writes a message, checksum zero. Returns its length, at most WEIR_ND_LENGTH_MAX. */
uint16_t weir_nd_write(void *bytes, const struct weir_nd *nd);

/* ---- routers. Source: RFC 4861 sections 4.1 and 4.2 ---- */

#define WEIR_ND_FOREVER UINT32_MAX /* of a lifetime */

struct weir_nd_prefix { /* RFC 4861 section 4.6.2 */
    struct weir_address prefix;
    uint8_t bits;
    bool on_link, autonomous;
    uint32_t valid, preferred; /* seconds */
};

struct weir_nd_router {
    uint8_t hop_limit;                      /* 0: it does not say, as of the next three */
    uint32_t reachable_time, retrans_timer; /* milliseconds */
    uint32_t mtu;
    uint16_t lifetime; /* seconds as a default router; 0: it is none */
    bool has_mac;
    struct rte_ether_addr mac;
};

/* Reads an advertisement, but for its prefixes. Returns 0 or -EBADMSG, as weir_nd_parse.
 * Source: RFC 4861 section 6.1.2. */
WEIR_MUST_CHECK int weir_nd_router_parse(const void *bytes, size_t length, struct weir_nd_router *router);

/* Reads the next prefix of an advertisement that weir_nd_router_parse has found good. `*at` is 0 at first. Returns
 * false after the last. A prefix option that makes no sense (of another length, more than 128 bits) is passed over. */
bool weir_nd_next_prefix(const void *bytes, size_t length, size_t *at, struct weir_nd_prefix *prefix);

/* Writes a router solicitation; mac may be NULL. Returns its length: 8 or 16. */
uint16_t weir_nd_solicit_router(void *bytes, const struct rte_ether_addr *mac);

/* ---- multicast ---- */

/* The group that a node with this address is in. Source: RFC 4291 section 2.7.1. */
struct weir_address weir_nd_solicited_node(const struct weir_address *address);

/* The MAC that frames to a multicast address go to. Source: RFC 2464 section 7. */
struct rte_ether_addr weir_nd_multicast_mac(const struct weir_address *group);

/* ff02::1, all nodes of the link, ff02::2, its routers, and ff02::16, those who keep track of groups. */
#define WEIR_ND_GROUP(last)                                                                                            \
    (struct weir_address)                                                                                              \
    {                                                                                                                  \
        .bytes = { 0xff, 0x02, [15] = (last) }                                                                         \
    }
#define WEIR_ND_ALL_NODES WEIR_ND_GROUP(0x01)
#define WEIR_ND_ALL_ROUTERS WEIR_ND_GROUP(0x02)
#define WEIR_ND_ALL_MLD2_ROUTERS WEIR_ND_GROUP(0x16)

enum weir_mld_record {                        /* what a report says of a group. Source: RFC 3810 section 5.2.12 */
                       WEIR_MLD_LISTENED = 2, /* MODE_IS_EXCLUDE, with no source excluded: an answer to a query */
                       WEIR_MLD_LEFT = 3,     /* CHANGE_TO_INCLUDE_MODE, with no source included                */
                       WEIR_MLD_JOINED = 4,   /* CHANGE_TO_EXCLUDE_MODE                                         */
};

/* Writes a version 2 multicast listener report that says the same of each group, checksum zero. Returns its length,
 * WEIR_MLD_REPORT_LENGTH(count). Source: RFC 3810 section 5.2. */
uint16_t weir_mld_report(void *bytes, enum weir_mld_record record, const struct weir_address *groups, unsigned count);
#define WEIR_MLD_REPORT_LENGTH(count) (8 + 20 * (count))

/* How long an answer to a query may take at most, in milliseconds; of a message of any length that is a query's: 24
 * bytes at least. Source: RFC 3810 section 5.1.3, RFC 2710 section 3.4. */
uint32_t weir_mld_response_delay(const void *bytes, size_t length);

/* The hop-by-hop header that goes before it: a router alert. Source: RFC 3810 section 5, RFC 2711 section 2.1. */
#define WEIR_ROUTER_ALERT_LENGTH 8
void weir_router_alert(void *bytes);

#endif
