/* Checksums, and the codecs of Ethernet, ARP, IPv4, ICMP and UDP: pure functions, no I/O, no allocation. Bytes in, host
 * order out; nothing is read beyond the length that is told, and no alignment is asked for. */
#ifndef WEIR_NET_WIRE_H
#define WEIR_NET_WIRE_H

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <string.h>
#include <weir/base.h>

/* ---- the Internet checksum. A "sum" is the one's complement sum of 16 bit words as they lie in memory, folded to 16
 * bits, not complemented; a "checksum" is its complement, ready to be stored as it is. Both are thus the same whatever
 * the host's byte order. Source: RFC 1071 section 2 (B). ---- */

/* Folds a wide sum of words to 16 bits. Zero only if all the words were zero. Checkpoint: never. */
static inline uint16_t weir_sum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Sums `length` bytes; an odd last byte counts as if a zero followed it. Checkpoint: never. Source: RFC 1071. */
uint16_t weir_sum(const void *bytes, size_t length);

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

#endif
