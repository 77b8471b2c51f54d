/* A decorator that joins TCP segments that came in one burst: DPDK's librte_gro, in its lightweight mode, for ports
 * that have no LRO. IPv4 only, as the library (22.11) is.
 *
 * It is there for whoever would rather read few large packets. It does not make the stack faster: looking a segment up,
 * checking and joining it took 80 to 220 ns here, and the stack's own way of a segment in and its answer out takes 90
 * to 170; what is to be saved is saved already, for ACKs, window updates and wakes are one a turn. */
#include <rte_ethdev.h>
#include <rte_gro.h>
#include <rte_net.h>
#include <stdlib.h>
#include <weir/net/dev.h>
#include <weir/net/wire.h>

enum { BURST = 32, ECN_CE = 3 };

struct gro_dev {
    struct weir_dev dev;
    struct weir_dev *inner;
};

static struct gro_dev *gro_of(struct weir_dev *dev)
{
    return WEIR_CONTAINER_OF(dev, struct gro_dev, dev);
}

/* The library takes checksums as right, and the joined packet has none: each is looked at before, and what was found is
 * said of the joined one. */
static bool sums_are_right(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
    uint32_t l4 = (uint32_t)(m->l2_len + m->l3_len);
    uint64_t told = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    uint16_t length = (uint16_t)(m->pkt_len - l4);

    if (weir_sum_ipv4(ip) != 0xffff || told == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        return false;
    return told != RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN ||
           weir_checksum_join(
               weir_sum_pseudo(rte_be_to_cpu_32(ip->src_addr), rte_be_to_cpu_32(ip->dst_addr), IPPROTO_TCP), length,
               weir_sum_packet(m, l4, length)) == 0;
}

/* Whole data segments, with no flag but ACK, and no mark of congestion, which would be lost among others without. */
static bool can_be_joined(struct rte_mbuf *m)
{
    struct rte_net_hdr_lens lengths;
    const struct rte_ipv4_hdr *ip;
    const struct rte_tcp_hdr *tcp;

    m->packet_type = rte_net_get_ptype(m, &lengths, RTE_PTYPE_ALL_MASK);
    if (m->packet_type != (RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP) ||
        (uint32_t)lengths.l2_len + lengths.l3_len + lengths.l4_len >= m->data_len || (m->ol_flags & RTE_MBUF_F_RX_LRO))
        return false;
    m->l2_len = lengths.l2_len;
    m->l3_len = lengths.l3_len;
    m->l4_len = lengths.l4_len;
    ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, m->l2_len);
    tcp = rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, m->l2_len + m->l3_len);
    return tcp->tcp_flags == RTE_TCP_ACK_FLAG && (ip->type_of_service & ECN_CE) != ECN_CE &&
           rte_be_to_cpu_16(ip->total_length) == m->pkt_len - m->l2_len && sums_are_right(m, ip);
}

/* Joins what can be. Returns how many packets are left. */
static uint16_t join(struct rte_mbuf **packets, uint16_t n)
{
    static const struct rte_gro_param param = {
        .gro_types = RTE_GRO_TCP_IPV4, .max_flow_num = BURST, .max_item_per_flow = BURST};

    if (n == 0)
        return 0;
    for (uint16_t i = 0; i < n; i++)
        packets[i]->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    return n > 1 ? rte_gro_reassemble_burst(packets, n, &param) : n;
}

/* The library puts what it does not join behind all that it does: it is given only what lies between two such, or a
 * flow's segments would change places. */
static uint16_t gro_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    uint16_t got = weir_dev_rx_burst(gro_of(dev)->inner, packets, RTE_MIN(n, BURST)), out = 0, run = 0;

    for (uint16_t i = 0; i < got; i++) {
        struct rte_mbuf *m = packets[i];

        if (can_be_joined(m)) {
            packets[out + run++] = m;
            continue;
        }
        out += join(&packets[out], run);
        packets[out++] = m;
        run = 0;
    }
    return out + join(&packets[out], run);
}

static uint16_t gro_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    return weir_dev_tx_burst(gro_of(dev)->inner, packets, n);
}

static weir_time gro_next_deadline(struct weir_dev *dev)
{
    struct weir_dev *inner = gro_of(dev)->inner;

    return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : WEIR_NEVER;
}

static int gro_rx_interrupt(struct weir_dev *dev, bool on)
{
    struct weir_dev *inner = gro_of(dev)->inner;

    return inner->ops->rx_interrupt != NULL ? inner->ops->rx_interrupt(inner, on) : -ENOTSUP;
}

static void gro_stats(struct weir_dev *dev, struct weir_dev_stats *stats)
{
    gro_of(dev)->inner->ops->stats(gro_of(dev)->inner, stats);
}

static void gro_close(struct weir_dev *dev)
{
    weir_dev_close(gro_of(dev)->inner);
    free(gro_of(dev));
}

static const struct weir_dev_ops gro_ops = {.rx_burst = gro_rx_burst,
                                            .tx_burst = gro_tx_burst,
                                            .next_deadline = gro_next_deadline,
                                            .rx_interrupt = gro_rx_interrupt,
                                            .stats = gro_stats,
                                            .close = gro_close};

int weir_dev_open_gro(struct weir_dev **dev, struct weir_dev *inner)
{
    struct gro_dev *gro = malloc(sizeof(*gro));

    if (gro == NULL)
        return -ENOMEM;
    *gro = (struct gro_dev){.dev = *inner, .inner = inner};
    gro->dev.ops = &gro_ops;
    gro->dev.last = NULL; /* the inner one's, which is closed with this */
    *dev = &gro->dev;
    return 0;
}
