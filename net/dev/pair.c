/* Two devices joined by a cable in memory. */
#include <rte_ethdev.h>
#include <stdlib.h>
#include <string.h>
#include <weir/net/dev.h>

/* One end. Its line holds the packets that are on their way to it. */
struct end {
    struct weir_dev dev;
    struct cable *cable;
    struct weir_dev_stats stats;
    bool open;
    unsigned head, count;
    struct rte_mbuf **line;
};

struct cable {
    struct end ends[2];
    unsigned depth;
};

static struct end *end_of(struct weir_dev *dev)
{
    return WEIR_CONTAINER_OF(dev, struct end, dev);
}

static struct end *other(struct end *end)
{
    return end == &end->cable->ends[0] ? &end->cable->ends[1] : &end->cable->ends[0];
}

static uint16_t pair_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct end *end = end_of(dev);
    uint16_t got = 0;

    while (got < n && end->count > 0) {
        struct rte_mbuf *m = end->line[end->head];

        end->head = (end->head + 1) % end->cable->depth;
        end->count--;
        end->stats.rx_packets++;
        end->stats.rx_bytes += m->pkt_len;
        packets[got++] = m;
    }
    return got;
}

/* A wire carries bytes, not references: whoever still holds a part of a packet must not see it change under the
 * receiver's hands, and a pool of the sender's may go before the receiver is done. So only a packet that is the
 * sender's alone, whole, and of the pool that both have, crosses as it is; others are copied to the receiver's pool, as
 * a NIC would. Takes m. Returns NULL when that pool is empty. */
static struct rte_mbuf *cross(struct rte_mbuf *m, const struct end *to)
{
    struct rte_mbuf *copy = m;

    if (m->pool != to->dev.pool || !RTE_MBUF_DIRECT(m) || m->nb_segs > 1 || rte_mbuf_refcnt_read(m) > 1) {
        copy = rte_pktmbuf_copy(m, to->dev.pool, 0, UINT32_MAX);
        rte_pktmbuf_free(m);
        if (copy == NULL)
            return NULL;
    }
    copy->ol_flags = 0;
    copy->tx_offload = 0;
    copy->packet_type = 0;
    copy->port = RTE_MBUF_PORT_INVALID;
    return copy;
}

static uint16_t pair_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct end *end = end_of(dev), *to = other(end);
    unsigned depth = end->cable->depth;
    uint16_t sent;

    for (sent = 0; sent < n; sent++) {
        struct rte_mbuf *m = packets[sent];

        if (to->open && to->count == depth)
            break;
        end->stats.tx_packets++;
        end->stats.tx_bytes += m->pkt_len;
        if (!to->open) { /* the cable is out on the other side */
            end->stats.tx_dropped++;
            rte_pktmbuf_free(m);
            continue;
        }
        m = cross(m, to);
        if (m == NULL)
            to->stats.rx_dropped++;
        else
            to->line[(to->head + to->count++) % depth] = m;
    }
    return sent;
}

static void pair_stats(struct weir_dev *dev, struct weir_dev_stats *stats)
{
    *stats = end_of(dev)->stats;
}

static void cable_free(struct cable *cable)
{
    for (int i = 0; i < 2; i++)
        free(cable->ends[i].line);
    free(cable);
}

static void pair_close(struct weir_dev *dev)
{
    struct end *end = end_of(dev);

    for (; end->count > 0; end->count--) {
        rte_pktmbuf_free(end->line[end->head]);
        end->head = (end->head + 1) % end->cable->depth;
    }
    end->open = false;
    if (!other(end)->open)
        cable_free(end->cable);
}

static const struct weir_dev_ops pair_ops = {
    .rx_burst = pair_rx_burst, .tx_burst = pair_tx_burst, .stats = pair_stats, .close = pair_close};

int weir_dev_open_pair(struct weir_dev *ends[2], struct rte_mempool *pool, unsigned depth)
{
    struct cable *cable = calloc(1, sizeof(*cable));

    WEIR_ASSERT(depth > 0);
    if (cable == NULL)
        return -ENOMEM;
    cable->depth = depth;
    for (int i = 0; i < 2; i++) {
        struct end *end = &cable->ends[i];

        end->line = calloc(depth, sizeof(*end->line));
        if (end->line == NULL) {
            cable_free(cable);
            return -ENOMEM;
        }
        end->cable = cable;
        end->open = true;
        end->dev = (struct weir_dev){.ops = &pair_ops,
                                     .mac = {{0x02, 0, 0, 0, 0, (uint8_t)(i + 1)}},
                                     .mtu = RTE_ETHER_MTU,
                                     .capabilities = WEIR_DEV_TX_MULTI_SEGS,
                                     .pool = pool};
        snprintf(end->dev.name, sizeof(end->dev.name), "pair%d", i);
    }
    for (int i = 0; i < 2; i++)
        ends[i] = &cable->ends[i].dev;
    return 0;
}
