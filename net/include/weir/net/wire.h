/* Checksums, and the codecs of Ethernet, ARP, IPv4, ICMP and UDP: pure functions, no I/O, no allocation. Bytes in, host
 * order out; nothing is read beyond the length that is told, and no alignment is asked for. */
#ifndef WEIR_NET_WIRE_H
#define WEIR_NET_WIRE_H

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <string.h>
#include <weir/base.h>
#include <weir/net/address.h>

/* ---- the Internet checksum. A "sum" is the one's complement sum of 16 bit words as they lie in memory, folded to 16
 * bits, not complemented; a "checksum" is its complement, ready to be stored as it is. Both are thus the same whatever
 * the host's byte order. Source: RFC 1071 section 2 (B). ---- */

/* Folds a wide sum of words to 16 bits. Zero only if all the words were zero. Checkpoint: never. */
static inline uint16_t weir_sum_fold(uint64_t sum)
{
    uint32_t half;

    /* halves swapped and added: the upper one is then their sum, with the carry out of the lower one brought around */
    sum += sum << 32 | sum >> 32;
    half = (uint32_t)(sum >> 32);
    half += half << 16 | half >> 16;
    return (uint16_t)(half >> 16);
}

/* Sums `length` bytes; an odd last byte counts as if a zero followed it. Checkpoint: never. Source: RFC 1071. */
uint16_t weir_sum(const void *bytes, size_t length);

/* Sums the 20 bytes of an IPv4 header without options. Checkpoint: never. */
static inline uint16_t weir_sum_ipv4(const void *header)
{
    uint32_t words[5];
    uint64_t sum = 0;

    memcpy(words, header, sizeof(words));
    for (unsigned i = 0; i < 5; i++)
        sum += words[i];
    return weir_sum_fold(sum);
}

/* Sums bytes that lie across the segments of a packet; see weir_sum_packet. */
uint16_t weir_sum_segments(const struct rte_mbuf *m, uint32_t offset, uint32_t length);

/* Sums `length` bytes of a packet from `offset` on; the range must lie within the packet. Checkpoint: never. */
static inline uint16_t weir_sum_packet(const struct rte_mbuf *m, uint32_t offset, uint32_t length)
{
    if (WEIR_LIKELY((uint64_t)offset + length <= m->data_len))
        return weir_sum(rte_pktmbuf_mtod_offset(m, const char *, offset), length);
    return weir_sum_segments(m, offset, length);
}

/* Sums the IPv4 pseudo header without its length: addresses in host order. Checkpoint: never. Source: RFC 768. */
static inline uint16_t weir_sum_pseudo(uint32_t src, uint32_t dst, uint8_t protocol)
{
    return weir_sum_fold((uint64_t)rte_cpu_to_be_32(src) + rte_cpu_to_be_32(dst) + rte_cpu_to_be_16(protocol));
}

/* Sums the pseudo header of either family without its length. That of two IPv4 addresses as struct weir_address has
 * them is IPv4's: what stands before them adds 0xffff, a zero of one's complement. Checkpoint: never.
 * Source: RFC 768, RFC 8200 section 8.1. */
static inline uint16_t weir_sum_addresses(const struct weir_address *src, const struct weir_address *dst,
                                          uint8_t protocol)
{
    uint64_t sum = rte_cpu_to_be_16(protocol);

    for (unsigned i = 0; i < 4; i++)
        sum += (uint64_t)src->words[i] + dst->words[i];
    return weir_sum_fold(sum);
}

/* Joins the sums of a pseudo header (without length) and of a segment of `length` bytes. The answer is the checksum to
 * store, if the field held zero; it is 0 on a segment whose checksum field is right. Checkpoint: never. */
static inline uint16_t weir_checksum_join(uint16_t pseudo, uint16_t length, uint16_t sum)
{
    return (uint16_t)~weir_sum_fold((uint64_t)pseudo + rte_cpu_to_be_16(length) + sum);
}

/* Returns what `checksum` becomes when a word (or two) under it changes from `before` to `after`, all three as they lie
 * in memory. Checkpoint: never. Source: RFC 1624 section 3, equation 3. */
static inline uint16_t weir_checksum_update16(uint16_t checksum, uint16_t before, uint16_t after)
{
    return (uint16_t)~weir_sum_fold((uint64_t)(uint16_t)~checksum + (uint16_t)~before + after);
}

static inline uint16_t weir_checksum_update32(uint16_t checksum, uint32_t before, uint32_t after)
{
    return (uint16_t)~weir_sum_fold((uint64_t)(uint16_t)~checksum + (uint32_t)~before + after);
}

/* ---- Ethernet. Source: RFC 894, IEEE 802.3 ---- */

struct weir_ethernet {
    struct rte_ether_addr dst, src;
    uint16_t type; /* below 1536 it is a length, as IEEE 802.3 has it */
};

/* Reads an Ethernet header. Returns 0, or -EBADMSG when there is less than one. Checkpoint: never. */
WEIR_MUST_CHECK static inline int weir_ethernet_parse(const void *bytes, size_t length, struct weir_ethernet *header)
{
    struct rte_ether_hdr raw;

    if (WEIR_UNLIKELY(length < sizeof(raw)))
        return -EBADMSG;
    memcpy(&raw, bytes, sizeof(raw));
    *header = (struct weir_ethernet){raw.dst_addr, raw.src_addr, rte_be_to_cpu_16(raw.ether_type)};
    return 0;
}

/* ---- ARP for IPv4 on Ethernet. Source: RFC 826 ---- */

#define WEIR_ARP_LENGTH 28

struct weir_arp {
    uint16_t operation; /* RTE_ARP_OP_REQUEST or RTE_ARP_OP_REPLY */
    struct rte_ether_addr sender_mac, target_mac;
    uint32_t sender, target; /* host order */
};

/* Reads an ARP packet. Returns 0, or -EBADMSG: too short, not of Ethernet and IPv4, neither request nor reply, or its
 * sender's MAC is zero or a multicast one. Output is written only on success. Checkpoint: never. */
WEIR_MUST_CHECK int weir_arp_parse(const void *bytes, size_t length, struct weir_arp *arp);

/* Writes the WEIR_ARP_LENGTH bytes of an ARP packet. Checkpoint: never. */
void weir_arp_write(void *bytes, const struct weir_arp *arp);

/* ---- IPv4. Source: RFC 791 section 3.1 ---- */

/* 10.0.0.1 is WEIR_IPV4(10, 0, 0, 1), in host order. (RTE_IPV4 shifts an int, which addresses above 127 overflow.) */
#define WEIR_IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct weir_ipv4 {
    uint32_t src, dst;        /* host order                                                 */
    uint16_t total_length;    /* at least header_length; may be more than what has arrived  */
    uint16_t fragment_offset; /* bytes                                                      */
    uint8_t header_length;    /* bytes, 20 to 60, all of them there                         */
    uint8_t tos, ttl, protocol;
    bool more_fragments;
};

/* Reads an IPv4 header (not its options, nor does it verify the checksum). Returns 0, or -EBADMSG: shorter than what it
 * says, not version 4, impossible lengths. Output is written only on success. Checkpoint: never. */
WEIR_MUST_CHECK static inline int weir_ipv4_parse(const void *bytes, size_t length, struct weir_ipv4 *header)
{
    struct rte_ipv4_hdr raw;
    uint16_t total_length, fragment;
    unsigned header_length;

    if (WEIR_UNLIKELY(length < sizeof(raw)))
        return -EBADMSG;
    memcpy(&raw, bytes, sizeof(raw));
    header_length = (raw.version_ihl & 15u) * 4;
    total_length = rte_be_to_cpu_16(raw.total_length);
    if (WEIR_UNLIKELY(raw.version_ihl >> 4 != 4 || header_length < sizeof(raw) || header_length > length ||
                      total_length < header_length))
        return -EBADMSG;
    fragment = rte_be_to_cpu_16(raw.fragment_offset);
    *header = (struct weir_ipv4){
        .src = rte_be_to_cpu_32(raw.src_addr),
        .dst = rte_be_to_cpu_32(raw.dst_addr),
        .total_length = total_length,
        .fragment_offset = (uint16_t)((fragment & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS),
        .header_length = (uint8_t)header_length,
        .tos = raw.type_of_service,
        .ttl = raw.time_to_live,
        .protocol = raw.next_proto_id,
        .more_fragments = fragment & RTE_IPV4_HDR_MF_FLAG,
    };
    return 0;
}

/* Looks through an IPv4 header's options. Returns 1 if one of them is a source route, 0 if none is, or -EBADMSG: an
 * option runs past the end. `length` bytes of options. Checkpoint: never. Source: RFC 791 section 3.1, RFC 7126 4.3. */
WEIR_MUST_CHECK int weir_ipv4_source_routed(const void *options, size_t length);

/* ---- ICMP. Source: RFC 792 ---- */

#define WEIR_ICMP_HEADER_LENGTH 8

enum {
    WEIR_ICMP_ECHO_REPLY = 0,
    WEIR_ICMP_UNREACHABLE = 3,
    WEIR_ICMP_ECHO = 8,
    WEIR_ICMP_TIME_EXCEEDED = 11,
    WEIR_ICMP_PARAMETER_PROBLEM = 12,
};

enum { /* codes of WEIR_ICMP_UNREACHABLE */
       WEIR_ICMP_UNREACHABLE_PROTOCOL = 2,
       WEIR_ICMP_UNREACHABLE_PORT = 3,
       WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED = 4,
};

struct weir_icmp {
    uint8_t type, code;
    uint16_t mtu; /* of the next hop, where a fragmentation needed says it (RFC 1191 section 4); else 0 */
};

/* Reads an ICMP header; the checksum is the caller's to verify. Returns 0 or -EBADMSG. Checkpoint: never. */
WEIR_MUST_CHECK int weir_icmp_parse(const void *bytes, size_t length, struct weir_icmp *icmp);

/* Writes the WEIR_ICMP_HEADER_LENGTH bytes of an ICMP error's header, checksum zero. Checkpoint: never. */
void weir_icmp_write(void *bytes, uint8_t type, uint8_t code);

/* The packet that an ICMP error quotes. */
struct weir_icmp_quote {
    uint32_t src, dst; /* host order */
    uint8_t protocol;
    uint8_t transport[8]; /* the first bytes of its transport header */
};

/* Reads the quote that follows an ICMP error's header: an IPv4 header and 8 bytes at least, of a first fragment.
 * Returns 0 or -EBADMSG. Output is written only on success. Checkpoint: never. Source: RFC 1122 section 3.2.2. */
WEIR_MUST_CHECK int weir_icmp_quote_parse(const void *bytes, size_t length, struct weir_icmp_quote *quote);

/* ---- UDP. Source: RFC 768 ---- */

#define WEIR_UDP_HEADER_LENGTH 8

struct weir_udp_header {
    uint16_t src_port, dst_port;
    uint16_t length;   /* at least 8; may be more than what has arrived */
    uint16_t checksum; /* as it lies in memory; 0: none                 */
};

/* Reads a UDP header. Returns 0, or -EBADMSG: too short, or an impossible length. Checkpoint: never. */
WEIR_MUST_CHECK static inline int weir_udp_parse(const void *bytes, size_t length, struct weir_udp_header *header)
{
    uint16_t raw[4];

    if (WEIR_UNLIKELY(length < sizeof(raw)))
        return -EBADMSG;
    memcpy(raw, bytes, sizeof(raw));
    if (WEIR_UNLIKELY(rte_be_to_cpu_16(raw[2]) < sizeof(raw)))
        return -EBADMSG;
    *header =
        (struct weir_udp_header){rte_be_to_cpu_16(raw[0]), rte_be_to_cpu_16(raw[1]), rte_be_to_cpu_16(raw[2]), raw[3]};
    return 0;
}

#endif
