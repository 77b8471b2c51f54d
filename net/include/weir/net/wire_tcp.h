/* Codecs of TCP's header and options: pure functions, no I/O, no allocation. Bytes in, host order out; nothing is read
 * beyond the length that is told, and no alignment is asked for. */
#ifndef WEIR_NET_WIRE_TCP_H
#define WEIR_NET_WIRE_TCP_H

#include <rte_byteorder.h>
#include <rte_tcp.h>
#include <string.h>
#include <weir/base.h>

#define WEIR_TCP_HEADER_LENGTH 20
#define WEIR_TCP_OPTIONS_MAX 40

/* ---- the header. Source: RFC 9293 section 3.1 ---- */

struct weir_tcp_header {
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint8_t header_length; /* bytes, 20 to 60, all of them there */
    uint8_t flags;         /* RTE_TCP_*_FLAG                     */
    uint16_t window;       /* as sent, not scaled                */
};

/* Reads a TCP header (not its options, nor does it verify the checksum). Returns 0, or -EBADMSG: shorter than what it
 * says, or an impossible data offset. Output is written only on success. Checkpoint: never. */
WEIR_MUST_CHECK static inline int weir_tcp_header_parse(const void *bytes, size_t length,
                                                        struct weir_tcp_header *header)
{
    struct rte_tcp_hdr raw;
    unsigned header_length;

    if (WEIR_UNLIKELY(length < sizeof(raw)))
        return -EBADMSG;
    memcpy(&raw, bytes, sizeof(raw));
    header_length = (raw.data_off >> 4) * 4u;
    if (WEIR_UNLIKELY(header_length < sizeof(raw) || header_length > length))
        return -EBADMSG;
    *header = (struct weir_tcp_header){
        .src_port = rte_be_to_cpu_16(raw.src_port),
        .dst_port = rte_be_to_cpu_16(raw.dst_port),
        .seq = rte_be_to_cpu_32(raw.sent_seq),
        .ack = rte_be_to_cpu_32(raw.recv_ack),
        .header_length = (uint8_t)header_length,
        .flags = raw.tcp_flags,
        .window = rte_be_to_cpu_16(raw.rx_win),
    };
    return 0;
}

/* Writes the first 20 bytes of a header, checksum and urgent pointer zero. Checkpoint: never. */
static inline void weir_tcp_header_write(void *bytes, const struct weir_tcp_header *header)
{
    struct rte_tcp_hdr raw = {
        .src_port = rte_cpu_to_be_16(header->src_port),
        .dst_port = rte_cpu_to_be_16(header->dst_port),
        .sent_seq = rte_cpu_to_be_32(header->seq),
        .recv_ack = rte_cpu_to_be_32(header->ack),
        .data_off = (uint8_t)(header->header_length / 4 << 4),
        .tcp_flags = header->flags,
        .rx_win = rte_cpu_to_be_16(header->window),
    };
    memcpy(bytes, &raw, sizeof(raw));
}

/* ---- options. Source: RFC 9293 section 3.2, RFC 7323 sections 2.2 and 3.2, RFC 2018 sections 2 and 3 ---- */

#define WEIR_TCP_SCALE_MAX 14

#define WEIR_TCP_SACK_MAX 4 /* blocks in one segment; 3 beside timestamps */

struct weir_tcp_sack_block {
    uint32_t left, right; /* the first byte, and the one after the last */
};

struct weir_tcp_option_values {
    uint8_t sack_count;
    struct weir_tcp_sack_block sack[WEIR_TCP_SACK_MAX]; /* RFC 2018 section 3: the newest first */
    uint16_t mss;                                       /* 0: none */
    bool has_scale, has_timestamps, sack_permitted;
    uint8_t scale; /* shift of the window, 14 at most */
    uint32_t timestamp, timestamp_echo;
};

/* Reads options. Unknown ones are skipped; from a malformed one on, the rest is ignored: what came before still counts,
 * as everybody does it (RFC 9293 says only that nothing may crash). Checkpoint: never. */
void weir_tcp_options_parse(const void *options, size_t length, struct weir_tcp_option_values *values);

/* Writes options, padded with NOPs to whole words in the layout that everybody's fast path expects. Returns how many
 * bytes, WEIR_TCP_OPTIONS_MAX at most. Checkpoint: never. */
unsigned weir_tcp_options_write(void *options, const struct weir_tcp_option_values *values);

/* The timestamps option alone, in the layout of RFC 7323 appendix A: NOP NOP TSopt, one word to compare. */
#define WEIR_TCP_TIMESTAMPS_LENGTH 12
#define WEIR_TCP_TIMESTAMPS_WORD 0x0101080au

/* Reads 12 bytes of options. Returns false if they are anything but NOP NOP TSopt. Checkpoint: never. */
static inline bool weir_tcp_timestamps_read(const void *options, uint32_t *timestamp, uint32_t *echo)
{
    uint32_t word;

    memcpy(&word, (const char *)options + 4, sizeof(word));
    *timestamp = rte_be_to_cpu_32(word);
    memcpy(&word, (const char *)options + 8, sizeof(word));
    *echo = rte_be_to_cpu_32(word);
    memcpy(&word, options, sizeof(word));
    return word == RTE_BE32(WEIR_TCP_TIMESTAMPS_WORD);
}

static inline void weir_tcp_timestamps_write(void *options, uint32_t timestamp, uint32_t echo)
{
    uint32_t words[3] = {RTE_BE32(WEIR_TCP_TIMESTAMPS_WORD), rte_cpu_to_be_32(timestamp), rte_cpu_to_be_32(echo)};
    memcpy(options, words, sizeof(words));
}

#endif
