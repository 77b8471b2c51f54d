/* The codecs of IPv6, its extension headers, and ICMPv6: pure functions, as those of wire.h. */
#ifndef WEIR_NET_WIRE_IPV6_H
#define WEIR_NET_WIRE_IPV6_H

#include <netinet/in.h>
#include <weir/net/wire.h>

/* ---- the header. Source: RFC 8200 section 3 ---- */

#define WEIR_IPV6_HEADER_LENGTH 40
#define WEIR_IPV6_MTU_MIN 1280 /* of every link, and so of every path. RFC 8200 section 5 */

struct weir_ipv6 {
    struct weir_address src, dst;
    uint16_t payload_length; /* what follows the header; may be more than what has arrived */
    uint8_t traffic_class, hop_limit, next_header;
};

/* Reads an IPv6 header. Returns 0, or -EBADMSG: too short, or not version 6. Checkpoint: never, as all here. */
WEIR_MUST_CHECK static inline int weir_ipv6_parse(const void *bytes, size_t length, struct weir_ipv6 *header)
{
    struct rte_ipv6_hdr raw;
    uint32_t first;

    if (WEIR_UNLIKELY(length < sizeof(raw)))
        return -EBADMSG;
    memcpy(&raw, bytes, sizeof(raw));
    first = rte_be_to_cpu_32(raw.vtc_flow);
    if (WEIR_UNLIKELY(first >> 28 != 6))
        return -EBADMSG;
    *header = (struct weir_ipv6){
        .src = weir_address_from(raw.src_addr),
        .dst = weir_address_from(raw.dst_addr),
        .payload_length = rte_be_to_cpu_16(raw.payload_len),
        .traffic_class = (uint8_t)(first >> 20),
        .hop_limit = raw.hop_limits,
        .next_header = raw.proto,
    };
    return 0;
}

/* Writes the 40 bytes of an IPv6 header; its flow label is 0. */
void weir_ipv6_write(void *bytes, const struct weir_ipv6 *header);

/* ---- extension headers. Source: RFC 8200 section 4 ---- */

/* What lies behind them, or what is wrong with them. Offsets count from the IPv6 header's first byte. */
struct weir_ipv6_chain {
    uint8_t protocol;     /* the first that is no extension header, IPPROTO_NONE, or IPPROTO_FRAGMENT: see below */
    uint16_t offset;      /* where that begins */
    uint16_t named_at;    /* the octet that names it */
    bool fragmented;      /* there was a fragment header, of a fragment that is a whole packet */
    bool to_many;         /* of a refusal: it is to be told of even if the packet was a multicast one */
    uint8_t problem_code; /* of a refusal: the code of an ICMPv6 parameter problem */
    uint16_t problem_at;  /* ... and its pointer */
};

/* Walks over hop-by-hop options, destination options and routing headers whose segments are all done; over a fragment
 * header too, if the fragment is a whole packet (RFC 6946). Stops at another fragment header: `protocol` is then
 * IPPROTO_FRAGMENT and the 8 bytes at `offset` are there. `bytes` begin at the IPv6 header, of at least its 40 bytes.
 * Returns 0; -EBADMSG: a header runs past `length`; -EPROTO: refused, and the sender is to be told the problem that
 * `chain` then tells; -ENOTSUP: refused by an option that asks for silence. A type 0 routing header is as any that is
 * not known (RFC 5095 section 3). */
WEIR_MUST_CHECK int weir_ipv6_walk(const void *bytes, size_t length, uint8_t next_header,
                                   struct weir_ipv6_chain *chain);

/* Is it an ICMPv6 error that lies behind the headers, whatever is wrong with them? `bytes` as above; one whose type is
 * not there might be. Source: RFC 4443 section 2.4 (e.1). */
bool weir_ipv6_is_icmp_error(const void *bytes, size_t length, uint8_t next_header);

/* ---- ICMPv6. Source: RFC 4443 ---- */

#define WEIR_ICMP6_HEADER_LENGTH 8 /* of an error, and of an echo */

enum {
    WEIR_ICMP6_UNREACHABLE = 1,
    WEIR_ICMP6_PACKET_TOO_BIG = 2,
    WEIR_ICMP6_TIME_EXCEEDED = 3,
    WEIR_ICMP6_PARAMETER_PROBLEM = 4,
    WEIR_ICMP6_INFORMATIONAL = 128, /* from here on: not errors */
    WEIR_ICMP6_ECHO = 128,
    WEIR_ICMP6_ECHO_REPLY = 129,
    WEIR_ICMP6_MLD_QUERY = 130,
    WEIR_ICMP6_ROUTER_SOLICITATION = 133,
    WEIR_ICMP6_ROUTER_ADVERTISEMENT = 134,
    WEIR_ICMP6_NEIGHBOUR_SOLICITATION = 135,
    WEIR_ICMP6_NEIGHBOUR_ADVERTISEMENT = 136,
    WEIR_ICMP6_REDIRECT = 137,
    WEIR_ICMP6_MLD2_REPORT = 143,
};

enum { /* codes of WEIR_ICMP6_UNREACHABLE and WEIR_ICMP6_PARAMETER_PROBLEM */
       WEIR_ICMP6_UNREACHABLE_PORT = 4,
       WEIR_ICMP6_PROBLEM_FIELD = 0,
       WEIR_ICMP6_PROBLEM_NEXT_HEADER = 1,
       WEIR_ICMP6_PROBLEM_OPTION = 2,
};

/* Writes the WEIR_ICMP6_HEADER_LENGTH bytes of an error's header, checksum zero; `value` is the pointer of a parameter
 * problem, else 0. */
void weir_icmp6_write(void *bytes, uint8_t type, uint8_t code, uint32_t value);

/* Writes the checksum of a message of `length` contiguous bytes between two addresses. */
void weir_icmp6_seal(void *message, uint16_t length, const struct weir_address *src, const struct weir_address *dst);

/* The packet that an ICMPv6 error quotes. */
struct weir_icmp6_quote {
    struct weir_address src, dst;
    uint8_t protocol;
    uint8_t transport[8]; /* the first bytes of its transport header */
};

/* Reads the quote that follows an error's header: an IPv6 header, extension headers, and 8 bytes of what is above, of
 * a packet that is no fragment. Returns 0 or -EBADMSG. Output is written only on success. Source: RFC 4443 section 2.4
 * (b). */
WEIR_MUST_CHECK int weir_icmp6_quote_parse(const void *bytes, size_t length, struct weir_icmp6_quote *quote);

#endif
