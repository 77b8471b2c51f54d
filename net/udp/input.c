/* Datagrams that come in, and ICMP's word on those that went out. RFC 768, RFC 1122 section 4.1.3. */
#include "udp_private.h"

/* No path is narrower, or worth sending on: RFC 791's 576 bytes. A forged ICMP message could else ask for crumbs. */
#define PATH_MTU_MIN 576

static void drop(uint64_t *counter, struct rte_mbuf *m)
{
    ++*counter;
    rte_pktmbuf_free(m);
}

/* The device's word where it gave one; else the sum of a right datagram is all ones, unless its sender made none. */
static inline bool checksum_is_good(const struct rte_mbuf *m, const struct weir_udp_header *header,
                                    const struct weir_ip_rx *rx)
{
    uint64_t flags = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

    if (header->checksum == 0) /* its sender made none, which IPv6 forbids. RFC 8200 section 8.1 */
        return weir_address_is_v4(&rx->src);
    if (flags != RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN)
        return flags != RTE_MBUF_F_RX_L4_CKSUM_BAD;
    return weir_checksum_join(rx->pseudo_sum, header->length, weir_sum_packet(m, 0, header->length)) == 0;
}

static inline void enqueue(struct weir_udp *udp, struct weir_udp_socket *socket, struct rte_mbuf *m,
                           const struct datagram_from *from)
{
    if (WEIR_UNLIKELY(socket->queued == udp->queue_max || socket->queued_bytes + m->pkt_len > udp->queue_bytes)) {
        socket->stats.queue_full++;
        drop(&udp->stats.rcvbuf_errors, m);
        return;
    }
    udp->stats.in_datagrams++;
    memcpy(weir_packet(m)->udp.bytes, from, sizeof(*from));
    weir_packet_queue_push(&socket->queue, m);
    socket->queued++;
    socket->queued_bytes += m->pkt_len;
    socket->stats.in_datagrams++;
    udp_announce(socket);
}

void weir_udp_input(struct weir_udp *udp, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx)
{
    struct weir_udp_header header;
    struct weir_udp_socket *socket;

    if (WEIR_UNLIKELY(!weir_packet_pull(m, WEIR_UDP_HEADER_LENGTH) ||
                      weir_udp_parse(rte_pktmbuf_mtod(m, const void *), m->data_len, &header) < 0 ||
                      header.length > m->pkt_len)) {
        drop(&udp->stats.in_errors, m);
        return;
    }
    if (WEIR_UNLIKELY(!checksum_is_good(m, &header, rx))) {
        udp->stats.in_cksum_errors++;
        drop(&udp->stats.in_errors, m);
        return;
    }
    socket = udp_find(udp, header.dst_port);
    if (WEIR_UNLIKELY(socket == NULL || !udp_takes(socket, &rx->dst, &rx->src, header.src_port))) {
        udp->stats.no_ports++;
        weir_ip_send_unreachable(udp->ip, now, m, rx, WEIR_ICMP_UNREACHABLE_PORT);
        return;
    }
    if (WEIR_UNLIKELY(m->pkt_len != header.length)) /* what IP carried beyond the datagram is not ours to deliver */
        weir_packet_cut(m, header.length);
    weir_packet_strip(m, WEIR_UDP_HEADER_LENGTH);
    enqueue(udp, socket, m,
            &(struct datagram_from){
                .v4 = weir_address_is_v4(&rx->src), .broadcast = rx->broadcast, .port = header.src_port});
}

/* Its IP header still lies in front, as weir_udp_input left it. */
static inline struct weir_endpoint sender_of(const struct rte_mbuf *m, const struct datagram_from *from)
{
    const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, -(int)(WEIR_UDP_HEADER_LENGTH + m->l3_len));
    struct weir_endpoint sender = {.family = from->v4 ? AF_INET : AF_INET6, .port = from->port};

    if (from->v4)
        memcpy(&sender.v4, l3 + offsetof(struct rte_ipv4_hdr, src_addr), sizeof(sender.v4));
    else
        memcpy(&sender.v6, l3 + offsetof(struct rte_ipv6_hdr, src_addr), sizeof(sender.v6));
    return sender;
}

struct weir_address weir_udp_asked(const struct rte_mbuf *m)
{
    const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, -(int)(WEIR_UDP_HEADER_LENGTH + m->l3_len));
    struct weir_address address = {.words = {0, 0, RTE_BE32(0xffff), 0}};
    struct datagram_from from;

    memcpy(&from, (const char *)m + WEIR_PACKET_OFFSET + offsetof(struct weir_packet, udp.bytes), sizeof(from));
    if (from.broadcast)
        return (struct weir_address){0};
    if (!from.v4)
        return weir_address_from(l3 + offsetof(struct rte_ipv6_hdr, dst_addr));
    memcpy(&address.words[3], l3 + offsetof(struct rte_ipv4_hdr, dst_addr), sizeof(uint32_t));
    return address;
}

int weir_udp_receive(struct weir_udp_socket *socket, struct rte_mbuf **packets, struct weir_endpoint *from, unsigned n)
{
    unsigned taken = RTE_MIN(n, socket->queued);

    if (WEIR_UNLIKELY(socket->error != 0)) {
        int error = socket->error;
        socket->error = 0;
        return error;
    }
    if (socket->queued == 0)
        return -EAGAIN;
    for (unsigned i = 0; i < taken; i++) {
        struct datagram_from sender;

        packets[i] = weir_packet_queue_pop(&socket->queue);
        socket->queued_bytes -= packets[i]->pkt_len;
        memcpy(&sender, weir_packet(packets[i])->udp.bytes, sizeof(sender));
        from[i] = sender_of(packets[i], &sender);
    }
    socket->queued -= taken;
    return (int)taken;
}

static bool is_port_unreachable(const struct weir_ip_rx *rx)
{
    return rx->icmp_type == WEIR_ICMP_UNREACHABLE && rx->icmp_code == WEIR_ICMP_UNREACHABLE_PORT;
}

/* Each path to where the quoted datagram went. True if there is one. */
static bool heed(struct weir_udp_socket *socket, const struct weir_ip_rx *rx, bool too_big)
{
    bool known = false;

    for (unsigned i = 0; i < PATHS_MAX; i++) {
        struct weir_ip_path *path = &socket->paths[i];
        if (!weir_address_equal(&socket->peers[i], &rx->quoted_dst))
            continue;
        known = true;
        if (too_big)
            path->mtu = RTE_MIN(path->mtu, RTE_MAX(rx->icmp_mtu, (uint16_t)PATH_MTU_MIN));
    }
    return known;
}

void weir_udp_icmp_error(struct weir_udp *udp, const struct weir_ip_rx *rx)
{
    struct weir_udp_socket *socket = udp_find(udp, (uint16_t)(rx->icmp_quote[0] << 8 | rx->icmp_quote[1]));
    uint16_t port = (uint16_t)(rx->icmp_quote[2] << 8 | rx->icmp_quote[3]);
    bool too_big =
        rx->icmp_type == WEIR_ICMP_UNREACHABLE && rx->icmp_code == WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED;

    if (socket == NULL || !udp_takes(socket, &rx->quoted_src, &rx->quoted_dst, port) || !heed(socket, rx, too_big) ||
        too_big)
        return;
    socket->error = is_port_unreachable(rx) ? -ECONNREFUSED : -EHOSTUNREACH;
    udp_announce(socket);
}
