/* Weir's place in each mbuf, pools, and queues of packets. */
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf_dyn.h>
#include <weir/net/dev.h>

int weir_packet_register(void)
{
    static const struct rte_mbuf_dynfield field = {
        .name = "weir_packet", .size = sizeof(struct weir_packet), .align = __alignof__(struct weir_packet)};

    /* Asking for a field that is registered already, with the same size and place, answers with that place. */
    return rte_mbuf_dynfield_register_offset(&field, WEIR_PACKET_OFFSET) == (int)WEIR_PACKET_OFFSET ? 0 : -EBUSY;
}

struct rte_mempool *weir_packet_pool(const char *name, unsigned count, unsigned cache, uint16_t room)
{
    uint32_t size = (room != 0 ? room : 2048) + RTE_PKTMBUF_HEADROOM;

    if (size > UINT16_MAX) {
        rte_errno = EINVAL;
        return NULL;
    }
    return rte_pktmbuf_pool_create(name, count, cache, 0, (uint16_t)size, (int)rte_socket_id());
}

void weir_packet_cut_segments(struct rte_mbuf *m, uint32_t length)
{
    struct rte_mbuf *last = m;
    uint32_t left = length;
    uint16_t segments = 1;

    WEIR_ASSERT(length <= m->pkt_len);
    for (; left > last->data_len; segments++) {
        left -= last->data_len;
        last = last->next;
    }
    rte_pktmbuf_free(last->next);
    last->next = NULL;
    last->data_len = (uint16_t)left;
    m->nb_segs = segments;
    m->pkt_len = length;
}

void weir_packet_queue_free(struct weir_packet_queue *queue)
{
    struct rte_mbuf *m;

    while ((m = weir_packet_queue_pop(queue)) != NULL)
        rte_pktmbuf_free(m);
}
