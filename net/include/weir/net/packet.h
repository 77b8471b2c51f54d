/* The packet is struct rte_mbuf. Weir keeps 24 bytes of its own in each, in the mbuf's dynamic fields, at a fixed
 * place. */
#ifndef WEIR_NET_PACKET_H
#define WEIR_NET_PACKET_H

#include <rte_mbuf.h>
#include <weir/base.h>
#include <weir/clock.h>

struct weir_packet {
    struct rte_mbuf *next; /* link in the one queue that owns the packet */
    union {
        struct {
            uint32_t seq;     /* of the first payload byte, host order */
            uint32_t len;     /* payload bytes (and a FIN's one)       */
            uint32_t sent_us; /* when it was last sent; the machine's own, as the next: see sack.c */
            uint8_t marks;
        } tcp;
        struct {
            uint8_t bytes[16]; /* the machine's own */
        } udp;
    };
};

/* Bytes 104 to 128 of struct rte_mbuf: the last six words of dynfield1, on the line that a free touches anyway. */
#define WEIR_PACKET_OFFSET (offsetof(struct rte_mbuf, dynfield1) + 3 * sizeof(uint32_t))
_Static_assert(sizeof(struct weir_packet) == 24, "struct weir_packet must fit the dynamic fields");
_Static_assert(WEIR_PACKET_OFFSET + sizeof(struct weir_packet) == 128, "rte_mbuf's layout changed");

static inline struct weir_packet *weir_packet(struct rte_mbuf *m)
{
    return (struct weir_packet *)((char *)m + WEIR_PACKET_OFFSET);
}

/* Reserves those bytes with DPDK. Call once after rte_eal_init and before any other function of net/.
 * Returns 0 (also when called again), or -EBUSY when another library has them. Checkpoint: never.
 * Source: rte_mbuf_dyn.h, rte_mbuf_dynfield_register_offset. */
WEIR_MUST_CHECK int weir_packet_register(void);

/* Draws the first `length` bytes of a received packet together in its first segment, if they are not there already.
 * Returns false, and the packet is as it was, if it has fewer, or its first segment no room for the rest of it.
 * Checkpoint: never. The packet stays the caller's. */
WEIR_MUST_CHECK static inline bool weir_packet_pull(struct rte_mbuf *m, uint32_t length)
{
    if (WEIR_LIKELY(m->data_len >= length))
        return true;
    return m->pkt_len >= length && RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 && rte_pktmbuf_linearize(m) == 0;
}

/* Cuts `length` <= data_len bytes off the front; they stay readable there. Checkpoint: never. */
static inline void weir_packet_strip(struct rte_mbuf *m, uint16_t length)
{
    m->data_off += length;
    m->data_len -= length;
    m->pkt_len -= length;
}

/* See weir_packet_cut. */
void weir_packet_cut_segments(struct rte_mbuf *m, uint32_t length);

/* Cuts a packet's end off, so that `length` <= pkt_len bytes are left; frees the segments that are then empty.
 * Checkpoint: never. The packet stays the caller's. */
static inline void weir_packet_cut(struct rte_mbuf *m, uint32_t length)
{
    if (WEIR_LIKELY(m->next == NULL))
        m->data_len = (uint16_t)(m->pkt_len = length);
    else
        weir_packet_cut_segments(m, length);
}

/* True if the bytes of the first segment, and `room` bytes in front of them, are this packet's alone to write. */
static inline bool weir_packet_writable(const struct rte_mbuf *m, uint16_t room)
{
    return rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m) && rte_pktmbuf_headroom(m) >= room;
}

/* A FIFO of packets linked through weir_packet()->next. A packet is in one queue at most. */
struct weir_packet_queue {
    struct rte_mbuf *head, *tail;
};

static inline void weir_packet_queue_init(struct weir_packet_queue *queue)
{
    queue->head = queue->tail = NULL;
}

static inline void weir_packet_queue_push(struct weir_packet_queue *queue, struct rte_mbuf *m)
{
    weir_packet(m)->next = NULL;
    if (queue->tail != NULL)
        weir_packet(queue->tail)->next = m;
    else
        queue->head = m;
    queue->tail = m;
}

static inline struct rte_mbuf *weir_packet_queue_pop(struct weir_packet_queue *queue)
{
    struct rte_mbuf *m = queue->head;
    if (m != NULL) {
        queue->head = weir_packet(m)->next;
        if (queue->head == NULL)
            queue->tail = NULL;
    }
    return m;
}

/* Frees every packet in the queue. */
void weir_packet_queue_free(struct weir_packet_queue *queue);

#endif
