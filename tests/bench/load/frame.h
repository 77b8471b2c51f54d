/* Prebuilt frames. What all frames of a kind share is summed once; a frame's own few words are added as it is sent. */
#ifndef LOAD_FRAME_H
#define LOAD_FRAME_H

#include "load.h"

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <string.h>

#define FRAME_IP sizeof(struct rte_ether_hdr)
#define FRAME_L4 (FRAME_IP + sizeof(struct rte_ipv4_hdr))
/* At least the headers, the tag and the stamp of any kind: copied as one fixed block of whole vectors. */
#define FRAME_HEAD 80

struct frame {
    uint8_t bytes[RTE_ETHER_MAX_LEN] __rte_cache_aligned;
    uint16_t length;  /* of the whole frame                                           */
    uint16_t payload; /* where the payload begins                                     */
    uint64_t sum;     /* of pseudo header, layer 4 header and payload, as they stand  */
};

/* What a request carries in front, to be found again in its reply. */
struct mark {
    uint32_t tag;
    uint32_t stamp; /* low half of the cycle counter */
} __rte_packed;

/* TCP with `options_length` (a multiple of 4) bytes of options, from our address to the server's; ports, numbers and
 * checksum are left 0. */
void frame_build_tcp(struct frame *frame, const struct load *load, uint8_t flags, const uint8_t *options,
                     unsigned options_length, unsigned payload);
void frame_build_udp(struct frame *frame, const struct load *load, unsigned payload);

/* True when both checksums of a received IPv4 frame are right. */
bool frame_checksums_good(const struct rte_mbuf *m);

/* Folds a sum of 16-bit words (any multiple of 2^16 - 1 added does no harm, so 32-bit words may be summed whole) into
 * the checksum. Source: RFC 1071 section 2. */
static inline uint16_t frame_checksum(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Writes the frame into m. A buffer that already holds as many bytes is a reply about to become the next request: its
 * payload is ours come back, so only the head is written. */
static inline void frame_write(const struct frame *frame, struct rte_mbuf *m)
{
    if (m->data_len == frame->length) {
        memcpy(rte_pktmbuf_mtod(m, void *), frame->bytes, FRAME_HEAD);
        return;
    }
    memcpy(rte_pktmbuf_mtod(m, void *), frame->bytes, frame->length < FRAME_HEAD ? FRAME_HEAD : frame->length);
    m->data_len = frame->length;
    m->pkt_len = frame->length;
}

#endif
