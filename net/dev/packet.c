/* Weir's place in each mbuf, pools, and queues of packets. */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf_dyn.h>
#include <rte_mbuf_pool_ops.h>
#include <weir/net/dev.h>

int weir_packet_register(void)
{
    static const struct rte_mbuf_dynfield field = {
        .name = "weir_packet", .size = sizeof(struct weir_packet), .align = __alignof__(struct weir_packet)};

    /* Asking for a field that is registered already, with the same size and place, answers with that place. */
    return rte_mbuf_dynfield_register_offset(&field, WEIR_PACKET_OFFSET) == (int)WEIR_PACKET_OFFSET ? 0 : -EBUSY;
}

/* rte_pktmbuf_pool_create, but for one flag. Without hugepages it would give each packet a page of its own, so that all
 * headers fight for the same few sets of the cache; where addresses are virtual for the device too, as they are then,
 * packets may as well lie side by side. */
static struct rte_mempool *make_pool(const char *name, unsigned count, unsigned cache, uint32_t size)
{
    bool side_by_side = !rte_eal_has_hugepages() && rte_eal_iova_mode() == RTE_IOVA_VA;
    struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = (uint16_t)size};
    struct rte_mempool *pool;
    int rc;

    if (size > UINT16_MAX) {
        rte_errno = EINVAL;
        return NULL;
    }
    pool = rte_mempool_create_empty(name, count, (unsigned)sizeof(struct rte_mbuf) + size, cache, sizeof(private),
                                    (int)rte_socket_id(), side_by_side ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0);
    if (pool == NULL)
        return NULL;
    rc = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
    if (rc == 0) {
        rte_pktmbuf_pool_init(pool, &private);
        rc = rte_mempool_populate_default(pool);
    }
    if (rc < 0) {
        rte_mempool_free(pool);
        rte_errno = -rc;
        return NULL;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

struct rte_mempool *weir_packet_pool(const char *name, unsigned count, unsigned cache, uint16_t room)
{
    return make_pool(name, count, cache, (room != 0 ? room : 2048u) + RTE_PKTMBUF_HEADROOM);
}

struct rte_mempool *weir_reference_pool(const char *name, unsigned count)
{
    return make_pool(name, count, RTE_MIN(64u, count / 8), 0);
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
