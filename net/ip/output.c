/* IPv4 packets that go out: the way to a destination, and the headers. */
#include "ip_private.h"

/* Where a packet to dst goes on this link; 0: nowhere. */
static uint32_t next_hop(const struct weir_ip *ip, uint32_t dst)
{
    return ((dst ^ ip->address) & ip->mask) == 0 ? dst : ip->gateway;
}

/* Takes over what the neighbour says now; a path whose generation is 0 does not know a MAC to use. */
static void learn_mac(struct weir_ip_path *path)
{
    struct rte_ether_addr mac;

    path->generation = 0;
    if (!weir_neighbour_mac(path->neighbour, &mac))
        return;
    memcpy(path->header, &mac, sizeof(mac));
    path->generation = weir_neighbour_generation(path->neighbour);
}

static void fill_header(const struct weir_ip *ip, struct weir_ip_path *path, uint8_t protocol)
{
    struct rte_ether_hdr ethernet = {.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
    struct rte_ipv4_hdr ipv4 = {
        .version_ihl = RTE_IPV4_VHL_DEF,
        .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
        .time_to_live = ip->ttl,
        .next_proto_id = protocol,
        .src_addr = rte_cpu_to_be_32(path->src),
        .dst_addr = rte_cpu_to_be_32(path->dst),
    };

    weir_link_mac(ip->link, &ethernet.src_addr);
    memcpy(path->header, &ethernet, sizeof(ethernet));
    memcpy(path->header + sizeof(ethernet), &ipv4, sizeof(ipv4));
    path->header_sum = weir_sum(&ipv4, sizeof(ipv4));
    path->pseudo_sum = weir_sum_pseudo(path->src, path->dst, protocol);
}

int weir_ip_path_init(struct weir_ip *ip, weir_time now, struct weir_ip_path *path, uint32_t dst, uint8_t protocol)
{
    uint32_t hop = next_hop(ip, dst);
    struct weir_neighbour *neighbour;

    if (!ip_is_host(ip, dst) || dst == ip->address)
        return -EINVAL;
    if (hop == 0)
        return -ENETUNREACH;
    neighbour = weir_link_neighbour(ip->link, now, hop);
    if (neighbour == NULL)
        return -ENOBUFS;
    *path = (struct weir_ip_path){.mtu = ip->mtu, .src = ip->address, .dst = dst, .neighbour = neighbour};
    fill_header(ip, path, protocol);
    learn_mac(path);
    return 0;
}

/* Writes the IPv4 header for `length` bytes in all: the path's, with what differs put in. */
static inline void patch_ipv4(const struct weir_ip_path *path, uint8_t *ipv4, uint16_t length, uint8_t tos)
{
    uint16_t length_be = rte_cpu_to_be_16(length), checksum;
    uint32_t sum = (uint32_t)path->header_sum + length_be + rte_cpu_to_be_16(tos);

    sum = (sum & 0xffff) + (sum >> 16);
    checksum = (uint16_t) ~(sum + (sum >> 16));
    ipv4[offsetof(struct rte_ipv4_hdr, type_of_service)] = tos;
    memcpy(ipv4 + offsetof(struct rte_ipv4_hdr, total_length), &length_be, sizeof(length_be));
    memcpy(ipv4 + offsetof(struct rte_ipv4_hdr, hdr_checksum), &checksum, sizeof(checksum));
}

/* What the device must know to compute a checksum in the packet's inside. */
static inline void tell_device(struct rte_mbuf *m)
{
    if (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
        m->ol_flags |= RTE_MBUF_F_TX_IPV4;
        m->l2_len = RTE_ETHER_HDR_LEN;
        m->l3_len = IPV4_LENGTH;
    }
}

static inline uint8_t *prepend(struct rte_mbuf *m, uint16_t length)
{
    m->data_off -= length;
    m->data_len += length;
    m->pkt_len += length;
    return rte_pktmbuf_mtod(m, uint8_t *);
}

static struct rte_mbuf *discard(struct weir_ip *ip, struct rte_mbuf *m)
{
    ip->stats.out_discards++;
    rte_pktmbuf_free(m);
    return NULL;
}

/* A packet of one's own. A clone's pool may hold mbufs without a buffer: it is not asked. */
static struct rte_mbuf *copy_of(const struct weir_ip *ip, const struct rte_mbuf *m)
{
    return rte_pktmbuf_copy(m, RTE_MBUF_DIRECT(m) ? m->pool : ip->pool, 0, UINT32_MAX);
}

struct rte_mbuf *weir_ip_make_writable(struct weir_ip *ip, struct rte_mbuf *m, uint16_t room)
{
    struct rte_mbuf *made;

    if (weir_packet_writable(m, room))
        return m;
    if (ip->multi_segs && rte_mbuf_refcnt_read(m) == 1) {
        made = rte_pktmbuf_alloc(ip->pool);
        if (made == NULL)
            return discard(ip, m);
        /* the flags are the first segment's to carry; not those that tell whose the buffer is */
        made->ol_flags = m->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
        made->tx_offload = m->tx_offload;
        if (rte_pktmbuf_headroom(made) >= room && rte_pktmbuf_chain(made, m) == 0)
            return made;
        rte_pktmbuf_free(made);
        return discard(ip, m);
    }
    made = copy_of(ip, m);
    if (made == NULL || rte_pktmbuf_headroom(made) < room) {
        rte_pktmbuf_free(made);
        return discard(ip, m);
    }
    rte_pktmbuf_free(m);
    return made;
}

/* Draws a packet together for a device that takes one segment only. */
static struct rte_mbuf *make_contiguous(struct weir_ip *ip, struct rte_mbuf *m)
{
    struct rte_mbuf *copy;

    if (ip->multi_segs || rte_pktmbuf_is_contiguous(m))
        return m;
    copy = copy_of(ip, m);
    if (copy == NULL || !rte_pktmbuf_is_contiguous(copy)) {
        rte_pktmbuf_free(copy);
        return discard(ip, m);
    }
    rte_pktmbuf_free(m);
    return copy;
}

/* Everything that is not usual: no headroom, too many segments or bytes, and a neighbour to be found or asked. */
static __attribute__((noinline)) void send_slowly(struct weir_ip *ip, weir_time now, struct weir_ip_path *path,
                                                  struct rte_mbuf *m, uint8_t tos)
{
    struct weir_neighbour *neighbour;
    uint32_t length = m->pkt_len + IPV4_LENGTH;

    if (length > path->mtu) {
        discard(ip, m);
        return;
    }
    m = make_contiguous(ip, m);
    if (m != NULL && rte_pktmbuf_headroom(m) < FRAME_ROOM)
        m = weir_ip_make_writable(ip, m, FRAME_ROOM);
    if (m == NULL)
        return;
    neighbour = weir_link_neighbour(ip->link, now, next_hop(ip, path->dst));
    if (neighbour == NULL) {
        discard(ip, m);
        return;
    }
    memcpy(prepend(m, IPV4_LENGTH), path->header + RTE_ETHER_HDR_LEN, IPV4_LENGTH);
    patch_ipv4(path, rte_pktmbuf_mtod(m, uint8_t *), (uint16_t)length, tos);
    tell_device(m);
    weir_link_send(ip->link, now, neighbour, RTE_ETHER_TYPE_IPV4, m);
    path->neighbour = neighbour;
    learn_mac(path); /* a stale neighbour is believed again, now that it was asked */
}

void weir_ip_send(struct weir_ip *ip, weir_time now, struct weir_ip_path *path, struct rte_mbuf *m, uint8_t tos)
{
    struct weir_neighbour *neighbour = path->neighbour;
    uint32_t length = m->pkt_len + IPV4_LENGTH;
    uint8_t *frame;

    ip->stats.out_requests++;
    if (WEIR_UNLIKELY(path->generation != weir_neighbour_generation(neighbour) || length > path->mtu ||
                      rte_pktmbuf_headroom(m) < FRAME_ROOM || (m->next != NULL && !ip->multi_segs))) {
        send_slowly(ip, now, path, m, tos);
        return;
    }
    neighbour->used = now;
    frame = prepend(m, FRAME_ROOM);
    memcpy(frame, path->header, FRAME_ROOM);
    patch_ipv4(path, frame + RTE_ETHER_HDR_LEN, (uint16_t)length, tos);
    tell_device(m);
    weir_link_transmit(ip->link, m);
}

void weir_ip_confirm(struct weir_ip *ip, weir_time now, const struct weir_ip_path *path)
{
    if (path->generation == weir_neighbour_generation(path->neighbour))
        weir_link_confirm(ip->link, now, path->neighbour);
}

void weir_ip_doubt(struct weir_ip *ip, weir_time now, const struct weir_ip_path *path)
{
    if (path->generation == weir_neighbour_generation(path->neighbour))
        weir_link_doubt(ip->link, now, path->neighbour);
}
