/* IP and ICMP, sans I/O: packets and the time go in; packets to send go down to the link; the answer says to whom a
 * received packet belongs. */
#ifndef WEIR_NET_IP_H
#define WEIR_NET_IP_H

#include <netinet/in.h>
#include <rte_ip.h>
#include <weir/net/address.h>
#include <weir/net/route.h>

/* An address and a port, as users see them: IPv4 (AF_INET) or IPv6 (AF_INET6). Ports are in host order. */
struct weir_endpoint {
    uint16_t family;
    uint16_t port;
    union {
        struct in_addr v4; /* network order, as the kernel's */
        struct in6_addr v6;
    };
};

/* Writes "10.0.0.1:7" or "[2001:db8::1]:7"; returns `text`. WEIR_ENDPOINT_TEXT bytes are enough. */
#define WEIR_ENDPOINT_TEXT 56
const char *weir_endpoint_format(const struct weir_endpoint *endpoint, char *text, size_t size);

/* The address in it; none if the family is neither. An IPv4-mapped one of AF_INET6 is IPv4's. Checkpoint: never. */
struct weir_address weir_endpoint_address(const struct weir_endpoint *endpoint);
struct weir_endpoint weir_endpoint_of(const struct weir_address *address, uint16_t port);

/* Reads "10.0.0.1:7" (port optional: left 0). Returns 0 or -EINVAL. Output is written only on success. */
WEIR_MUST_CHECK int weir_endpoint_parse(const char *text, struct weir_endpoint *endpoint);

struct weir_ip_options {
    uint32_t address;         /* of IPv4, host order; 0: none. For others see weir_ip_add_address      */
    uint8_t prefix;           /* of the network that the link reaches directly, 0 to 32                */
    uint32_t gateway;         /* host order; 0: none                                                   */
    uint8_t ttl;              /* 0: 64                                                         */
    unsigned reassembly_max;  /* packets of which some fragments may be kept, of 8 fragments each; 0: 64 */
    unsigned icmp_rate;       /* ICMP errors sent per second, at most; 0: 1000                */
    struct rte_mempool *pool; /* for packets that ICMP makes itself                       */
    uint64_t seed;
};

/* What IP and ICMP have counted. Those of RFC 4293: in_receives (packets), in_hdr_errors (malformed), in_addr_errors
 * (not for us), in_unknown_protos, in_truncated (shorter than they say), in_delivers (handed to a protocol, ICMP too),
 * out_requests (packets that protocols sent), out_no_routes, out_discards (no memory, or no place for a neighbour); and
 * of ICMP: in_msgs, in_errors (malformed, a wrong checksum, a quote of nothing of ours), in_ and out_ by type. The
 * others: in_cksum_errors          IPv4 headers with a wrong checksum: not in in_hdr_errors icmp_out_rate_limited
 * errors that were not sent, there being too many */
struct weir_ip_stats {
    uint64_t in_receives, in_hdr_errors, in_cksum_errors, in_addr_errors, in_unknown_protos, in_truncated, in_delivers;
    uint64_t reasm_reqds, reasm_oks, reasm_fails; /* fragments, packets made of them, and those that were given up */
    uint64_t out_requests, out_no_routes, out_discards;
    uint64_t icmp_in_msgs, icmp_in_errors, icmp_in_echos, icmp_in_dest_unreachs, icmp_in_time_excds;
    uint64_t icmp_out_msgs, icmp_out_echo_reps, icmp_out_dest_unreachs, icmp_out_time_excds, icmp_out_rate_limited;
};

struct weir_ip;

/* Makes the IP room on top of a link; the link's addresses are its to manage from then on, until it is closed. Returns
 * 0, -EINVAL (an address that no host may have, prefix > 32, gateway not on the link), -ENOMEM. Checkpoint: never.
 * The link stays the caller's and must outlive it. */
WEIR_MUST_CHECK int weir_ip_open(struct weir_ip **ip, const struct weir_ip_options *options, struct weir_link *link);
void weir_ip_close(struct weir_ip *ip);

/* What IP tells the protocol above of a received packet. m->data is at that protocol's header and m->pkt_len is cut to
 * what the IP header says; m->l3_len is set, so that the IP header is still readable in front. */
struct weir_ip_rx {
    struct weir_address src, dst;
    uint16_t pseudo_sum; /* of src, dst and protocol: the checksum's pseudo header without the length */
    uint8_t protocol;    /* IPPROTO_TCP, IPPROTO_UDP, or 0: consumed, nothing to do                     */
    uint8_t tos;         /* IPv6's traffic class */
    uint8_t ttl;         /* IPv6's hop limit */
    bool broadcast;      /* sent to a broadcast or multicast address, on the link or in IP: never answered by errors */
    /* An ICMP error about something we sent: protocol is IPPROTO_ICMP, and these tell about the quoted packet. The mbuf
     * is then consumed already. icmp_quote is the first 8 bytes of its transport header. */
    uint8_t icmp_type, icmp_code;
    uint8_t quoted_protocol;
    uint16_t icmp_mtu;
    struct weir_address quoted_src, quoted_dst;
    uint8_t icmp_quote[8];
};

/* Takes one packet of `ether_type` (m->data at the IP header). Answers echo requests itself. Fills `rx` and returns its
 * protocol; when that is IPPROTO_TCP or IPPROTO_UDP the packet is the caller's, else it is consumed, or kept: a
 * fragment. *m is another mbuf than it was, of several segments, when the last missing fragment has come. Malformed
 * packets, bad checksums, others' packets: consumed, counted. Checkpoint: never. Source: RFC 791, RFC 792, RFC 1122
 * section 3.2. */
uint8_t weir_ip_input(struct weir_ip *ip, weir_time now, uint16_t ether_type, struct rte_mbuf **m,
                      struct weir_ip_rx *rx);

/* Gives up packets whose fragments have not all come in time. Call when weir_ip_next_deadline has come.
 * Checkpoint: never. */
void weir_ip_timers(struct weir_ip *ip, weir_time now);
weir_time weir_ip_next_deadline(const struct weir_ip *ip);

/* Answers a packet that nobody here wants: ICMP destination unreachable (code 2 protocol, 3 port), rate limited, never
 * for broadcasts. m->data is at the transport header as weir_ip_input left it. Consumes m.
 * Source: RFC 792, RFC 1122 section 3.2.2.1. */
void weir_ip_send_unreachable(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx,
                              uint8_t code);

/* The way to one destination, kept by whoever sends there often: the Ethernet and IP headers, prebuilt. All that IPv4
 * needs lies in the first line of cache. */
#define WEIR_IP_HEADERS_MAX (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN + sizeof(struct rte_ipv6_hdr))
struct weir_ip_path {
    struct weir_neighbour *neighbour;
    uint32_t generation; /* of the neighbour when the MAC was written; see weir_ip_send               */
    uint16_t mtu;
    uint16_t header_sum;                 /* one's complement sum of the IPv4 header as it stands in `header`          */
    uint16_t pseudo_sum;                 /* of src, dst and protocol: the checksum's pseudo header without the length */
    uint8_t l2_length;                   /* 14, or 18 with a VLAN's tag */
    uint8_t l3_length;                   /* 20: IPv4, or 40: IPv6 */
    uint8_t header[WEIR_IP_HEADERS_MAX]; /* lengths, ID and checksum are 0 */
};
_Static_assert(offsetof(struct weir_ip_path, header) + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN +
                       sizeof(struct rte_ipv4_hdr) <=
                   64,
               "a path of IPv4 is one cache line");

/* Finds the way to dst for `protocol`, from `src`: the address of ours that dst has sent to, of an answer; or NULL: the
 * one that fits. An answer's way pushes no neighbour out that is in use: see weir_link_stranger. Returns 0,
 * -ENETUNREACH (no route, or no address of dst's family), -EADDRNOTAVAIL (src is not ours), -EINVAL (ourselves, 0,
 * multicast or broadcast: not supported), or -ENOBUFS (neighbour table full). Nothing to close: a path holds no
 * resources. Checkpoint: never. */
WEIR_MUST_CHECK int weir_ip_path_init(struct weir_ip *ip, weir_time now, struct weir_ip_path *path,
                                      const struct weir_address *src, const struct weir_address *dst, uint8_t protocol);

static inline bool weir_ip_path_is_v4(const struct weir_ip_path *path)
{
    return path->l3_length == sizeof(struct rte_ipv4_hdr);
}

/* Where it begins, and where it leads. Checkpoint: never. */
static inline struct weir_address weir_ip_path_src(const struct weir_ip_path *path)
{
    const uint8_t *l3 = path->header + path->l2_length;
    struct weir_address address = {.words = {0, 0, RTE_BE32(0xffff), 0}};

    if (!weir_ip_path_is_v4(path))
        return weir_address_from(l3 + offsetof(struct rte_ipv6_hdr, src_addr));
    memcpy(&address.words[3], l3 + offsetof(struct rte_ipv4_hdr, src_addr), sizeof(uint32_t));
    return address;
}

static inline struct weir_address weir_ip_path_dst(const struct weir_ip_path *path)
{
    const uint8_t *l3 = path->header + path->l2_length;
    struct weir_address address = {.words = {0, 0, RTE_BE32(0xffff), 0}};

    if (!weir_ip_path_is_v4(path))
        return weir_address_from(l3 + offsetof(struct rte_ipv6_hdr, dst_addr));
    memcpy(&address.words[3], l3 + offsetof(struct rte_ipv4_hdr, dst_addr), sizeof(uint32_t));
    return address;
}

/* How many bytes of headroom weir_ip_send needs. */
static inline uint16_t weir_ip_path_room(const struct weir_ip_path *path)
{
    return (uint16_t)(path->l2_length + path->l3_length);
}

/* Told by a transport that the path's far end answers (forward progress), so its neighbour need not be asked. Cheap
 * enough for each acknowledgement. Checkpoint: never. */
void weir_ip_confirm(struct weir_ip *ip, weir_time now, const struct weir_ip_path *path);

/* Told by a protocol above that nothing comes back on this path: the next hop's MAC is asked for again.
 * Checkpoint: never. */
void weir_ip_doubt(struct weir_ip *ip, weir_time now, const struct weir_ip_path *path);

/* False if nobody has answered yet to the question where the path's next hop is: neither when something was last sent,
 * nor until now. Checkpoint: never. */
bool weir_ip_reaches(const struct weir_ip_path *path);

/* Turns a packet to send into one that has `room` bytes of headroom to be written (weir_packet_writable): by a copy, or
 * by a segment of its own for headers where the device takes several. Takes ownership. Returns the packet, or NULL: no
 * memory (freed and counted). Checkpoint: never. */
WEIR_MUST_CHECK struct rte_mbuf *weir_ip_make_writable(struct weir_ip *ip, struct rte_mbuf *m, uint16_t room);

/* Sends a transport segment (m->data at its header, its checksum already right or left to the device by ol_flags):
 * prepends the IP and Ethernet headers in the headroom and hands the frame to the link. The header checksum is always
 * computed here (two additions to the path's sum are less than asking the device); what the transport left to the
 * device by ol_flags gets the lengths that the device needs. Takes ownership; drops are counted. `tos` is the whole
 * octet. DF is set. The headroom is written even if others hold the packet too: a transport that keeps it means that.
 * Checkpoint: never. Source: RFC 791 section 3.1, RFC 6864 (an atomic datagram's ID means nothing). */
void weir_ip_send(struct weir_ip *ip, weir_time now, struct weir_ip_path *path, struct rte_mbuf *m, uint8_t tos);

/* Our first IPv4 address, in host order; 0: none. */
uint32_t weir_ip_address(const struct weir_ip *ip);
struct weir_link *weir_ip_link(struct weir_ip *ip);
const struct weir_ip_stats *weir_ip_stats(const struct weir_ip *ip);

#endif
