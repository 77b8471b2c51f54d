/* An address of IPv4 or IPv6: one type for both, so that what stands above IP need not know which it is. */
#ifndef WEIR_NET_ADDRESS_H
#define WEIR_NET_ADDRESS_H

#include <rte_byteorder.h>
#include <stdint.h>
#include <string.h>
#include <weir/base.h>

/* In network order; an IPv4 address as ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2. All zero: none. */
struct weir_address {
    union {
        uint8_t bytes[16];
        uint32_t words[4];
    };
};
_Static_assert(sizeof(struct weir_address) == 16 && _Alignof(struct weir_address) == 4, "it leaves no holes in a key");

/* 10.0.0.1 is weir_address_v4(WEIR_IPV4(10, 0, 0, 1)): host order in. Checkpoint: never, as all here. */
static inline struct weir_address weir_address_v4(uint32_t host_order)
{
    return (struct weir_address){.words = {0, 0, RTE_BE32(0xffff), rte_cpu_to_be_32(host_order)}};
}

/* From the 16 bytes of an IPv6 header, say. */
static inline struct weir_address weir_address_from(const void *bytes)
{
    struct weir_address address;
    memcpy(&address, bytes, sizeof(address));
    return address;
}

static inline bool weir_address_is_v4(const struct weir_address *address)
{
    return (address->words[0] | address->words[1]) == 0 && address->words[2] == RTE_BE32(0xffff);
}

/* In host order; of one that is IPv4's. */
static inline uint32_t weir_address_to_v4(const struct weir_address *address)
{
    return rte_be_to_cpu_32(address->words[3]);
}

static inline bool weir_address_equal(const struct weir_address *a, const struct weir_address *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool weir_address_is_none(const struct weir_address *address)
{
    return (address->words[0] | address->words[1] | address->words[2] | address->words[3]) == 0;
}

/* fe80::/10: means something on this link only. Source: RFC 4291 section 2.5.6. */
static inline bool weir_address_is_link_local(const struct weir_address *address)
{
    return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

/* ff00::/8, or 224.0.0.0/4. Source: RFC 4291 section 2.7, RFC 1112 section 4. */
static inline bool weir_address_is_multicast(const struct weir_address *address)
{
    return address->bytes[0] == 0xff || (weir_address_is_v4(address) && address->bytes[12] >> 4 == 14);
}

/* True if both begin with the same `bits` of 128 (of IPv4's: 96 and its own prefix). */
static inline bool weir_address_share_prefix(const struct weir_address *a, const struct weir_address *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(a, b, whole) == 0 && (rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0);
}

/* Its first `bits` of 128, the rest zero. */
static inline struct weir_address weir_address_prefix(const struct weir_address *address, unsigned bits)
{
    struct weir_address prefix = {0};

    memcpy(&prefix, address, bits / 8);
    if (bits % 8 != 0)
        prefix.bytes[bits / 8] = (uint8_t)(address->bytes[bits / 8] & 0xff00u >> bits % 8);
    return prefix;
}

/* May one host have it, on a wire? IPv4's networks 0 and 127 and what is above 223 may not, nor may the unspecified
 * address, loopback's, and multicast ones. Source: RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.3, 2.7. */
static inline bool weir_address_is_host_v4(uint32_t host_order)
{
    return host_order >> 24 != 0 && host_order >> 24 != 127 && host_order >> 28 < 14;
}

static inline bool weir_address_is_host(const struct weir_address *address)
{
    if (weir_address_is_v4(address))
        return weir_address_is_host_v4(weir_address_to_v4(address));
    return address->bytes[0] != 0xff && ((address->words[0] | address->words[1] | address->words[2]) != 0 ||
                                         rte_be_to_cpu_32(address->words[3]) > 1);
}

#endif
