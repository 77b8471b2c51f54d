/* Packets that go out: the way to a destination, and the headers. */
#include "ip_private.h"

#define USUAL_ROOM ((uint16_t)(RTE_ETHER_HDR_LEN + IPV4_LENGTH)) /* IPv4 without a VLAN */

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

static void fill_ipv4(const struct weir_ip *ip, struct weir_ip_path *path, const struct weir_address *src,
                      const struct weir_address *dst, uint8_t protocol)
{
    struct rte_ipv4_hdr ipv4 = {
        .version_ihl = RTE_IPV4_VHL_DEF,
        .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
        .time_to_live = ip->ttl,
        .next_proto_id = protocol,
        .src_addr = src->words[3],
        .dst_addr = dst->words[3],
    };

    path->l2_length = weir_link_header(ip->link, NULL, RTE_ETHER_TYPE_IPV4, path->header);
    memcpy(path->header + path->l2_length, &ipv4, sizeof(ipv4));
    path->l3_length = sizeof(ipv4);
    path->header_sum = weir_sum(&ipv4, sizeof(ipv4));
    path->pseudo_sum = weir_sum_addresses(src, dst, protocol);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The same for all packets to one host, and not to be guessed. Source: RFC 6437 sections 3 and 6.1. */
static uint32_t flow_label(const struct weir_ip *ip, const struct weir_address *src, const struct weir_address *dst,
                           uint8_t protocol)
{
    uint64_t from[2], to[2], label;

    memcpy(from, src, sizeof(from));
    memcpy(to, dst, sizeof(to));
    label = mix(from[0] ^ to[0] ^ ip->label_key[0], from[1] ^ to[1] ^ ip->label_key[1]);
    return (uint32_t)(mix(label ^ protocol, ip->label_key[2]) & 0xfffff);
}

static void fill_ipv6(const struct weir_ip *ip, struct weir_ip_path *path, const struct weir_address *src,
                      const struct weir_address *dst, uint8_t protocol)
{
    struct rte_ipv6_hdr ipv6 = {
        .vtc_flow = rte_cpu_to_be_32(6u << 28 | flow_label(ip, src, dst, protocol)),
        .proto = protocol,
        .hop_limits = ip->hop_limit,
    };

    memcpy(&ipv6.src_addr, src, sizeof(*src));
    memcpy(&ipv6.dst_addr, dst, sizeof(*dst));
    path->l2_length = weir_link_header(ip->link, NULL, RTE_ETHER_TYPE_IPV6, path->header);
    memcpy(path->header + path->l2_length, &ipv6, sizeof(ipv6));
    path->l3_length = sizeof(ipv6);
    path->pseudo_sum = weir_sum_addresses(src, dst, protocol);
}

int weir_ip_path_init(struct weir_ip *ip, weir_time now, struct weir_ip_path *path, const struct weir_address *src,
                      const struct weir_address *dst, uint8_t protocol)
{
    bool v4 = weir_address_is_v4(dst), stranger = src != NULL; /* who spoke first */
    struct weir_neighbour *neighbour;
    struct weir_address hop;

    if (!ip_is_host(ip, dst) || ip_address_of(ip, dst) != NULL)
        return -EINVAL;
    if (src != NULL && (!ip_is_ours(ip, src) || weir_address_is_v4(src) != v4))
        return -EADDRNOTAVAIL;
    if (!ip_next_hop(ip, dst, &hop) || (src == NULL && (src = ip_source(ip, dst, &hop)) == NULL)) {
        ip->stats.out_no_routes++;
        return -ENETUNREACH;
    }
    neighbour = stranger ? weir_link_stranger(ip->link, now, &hop) : weir_link_neighbour(ip->link, now, &hop);
    if (neighbour == NULL)
        return -ENOBUFS;
    *path = (struct weir_ip_path){.mtu = v4 ? ip->mtu : ip->mtu_v6, .neighbour = neighbour};
    (v4 ? fill_ipv4 : fill_ipv6)(ip, path, src, dst, protocol);
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

/* Writes the IPv6 header for `length` bytes in all. Source: RFC 8200 section 3. */
static inline void patch_ipv6(uint8_t *ipv6, uint16_t length, uint8_t tos)
{
    uint16_t payload_be = rte_cpu_to_be_16((uint16_t)(length - IPV6_LENGTH));

    ipv6[0] = (uint8_t)(0x60 | tos >> 4);
    ipv6[1] = (uint8_t)((ipv6[1] & 0x0f) | tos << 4); /* with the flow label's first bits */
    memcpy(ipv6 + offsetof(struct rte_ipv6_hdr, payload_len), &payload_be, sizeof(payload_be));
}

static inline void patch(const struct weir_ip_path *path, uint8_t *header, uint16_t length, uint8_t tos)
{
    if (WEIR_LIKELY(weir_ip_path_is_v4(path)))
        patch_ipv4(path, header, length, tos);
    else
        patch_ipv6(header, length, tos);
}

/* A packet that the device will cut has as many header checksums as segments; but one that knows nothing of IPv4's
 * (virtio) leaves that to whoever does the cutting, and until then the packet's own is to be right. */
static void tell_of_cutting(const struct weir_ip *ip, const struct weir_ip_path *path, struct rte_mbuf *m, uint8_t *l3)
{
    if (!weir_ip_path_is_v4(path) || !ip->ipv4_cksum)
        return;
    m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
    memset(l3 + offsetof(struct rte_ipv4_hdr, hdr_checksum), 0, sizeof(uint16_t));
}

/* What the device must know to compute a checksum in the packet's inside. */
static inline void tell_device(const struct weir_ip *ip, const struct weir_ip_path *path, struct rte_mbuf *m,
                               uint8_t *l3)
{
    if (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
        m->ol_flags |= weir_ip_path_is_v4(path) ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
        m->l2_len = path->l2_length;
        m->l3_len = path->l3_length;
        if (WEIR_UNLIKELY(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
            tell_of_cutting(ip, path, m, l3);
    }
}

static inline bool too_long(const struct weir_ip_path *path, const struct rte_mbuf *m, uint32_t length)
{
    return length > path->mtu && !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
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
    struct weir_address dst = weir_ip_path_dst(path), hop;
    struct weir_neighbour *neighbour;
    uint32_t length = m->pkt_len + path->l3_length;

    if (!ip_next_hop(ip, &dst, &hop)) { /* no more: routes come and go */
        ip->stats.out_no_routes++;
        rte_pktmbuf_free(m);
        return;
    }
    if (too_long(path, m, length)) {
        discard(ip, m);
        return;
    }
    m = make_contiguous(ip, m);
    if (m != NULL && rte_pktmbuf_headroom(m) < FRAME_ROOM)
        m = weir_ip_make_writable(ip, m, FRAME_ROOM);
    if (m == NULL)
        return;
    neighbour = weir_link_neighbour(ip->link, now, &hop);
    if (neighbour == NULL) {
        discard(ip, m);
        return;
    }
    memcpy(prepend(m, path->l3_length), path->header + path->l2_length, path->l3_length);
    patch(path, rte_pktmbuf_mtod(m, uint8_t *), (uint16_t)length, tos);
    tell_device(ip, path, m, rte_pktmbuf_mtod(m, uint8_t *));
    weir_link_send(ip->link, now, neighbour, weir_ip_path_is_v4(path) ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6, m);
    path->neighbour = neighbour;
    learn_mac(path); /* a stale neighbour is believed again, now that it was asked */
}

void weir_ip_send(struct weir_ip *ip, weir_time now, struct weir_ip_path *path, struct rte_mbuf *m, uint8_t tos)
{
    struct weir_neighbour *neighbour = path->neighbour;
    uint32_t length = m->pkt_len + path->l3_length;
    uint8_t *frame;

    ip->stats.out_requests++;
    if (WEIR_UNLIKELY(path->generation != weir_neighbour_generation(neighbour) || too_long(path, m, length) ||
                      rte_pktmbuf_headroom(m) < FRAME_ROOM || (m->next != NULL && !ip->multi_segs))) {
        send_slowly(ip, now, path, m, tos);
        return;
    }
    neighbour->used = now;
    if (WEIR_LIKELY(weir_ip_path_room(path) == USUAL_ROOM)) { /* a copy of known length is a few instructions */
        frame = prepend(m, USUAL_ROOM);
        memcpy(frame, path->header, USUAL_ROOM);
        patch_ipv4(path, frame + RTE_ETHER_HDR_LEN, (uint16_t)length, tos);
    } else {
        frame = prepend(m, weir_ip_path_room(path));
        memcpy(frame, path->header, weir_ip_path_room(path));
        patch(path, frame + path->l2_length, (uint16_t)length, tos);
    }
    tell_device(ip, path, m, frame + path->l2_length);
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

bool weir_ip_reaches(const struct weir_ip_path *path)
{
    struct rte_ether_addr mac;

    return path->generation != 0 || weir_neighbour_mac(path->neighbour, &mac);
}
