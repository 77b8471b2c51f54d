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
            uint32_t seq; /* of the first payload byte, host order */
            uint32_t len; /* payload bytes (and a FIN's one)       */
            uint64_t tag; /* the machine's own: flags, send time   */
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
