/* Datagrams that go out. RFC 768, RFC 1122 section 4.1. */
#include "udp_private.h"

#define HEADERS_ROOM ((uint16_t)(WEIR_IP_HEADERS_MAX + WEIR_UDP_HEADER_LENGTH))

/* Finds a way that is not remembered yet, in the place of the one that was remembered first. */
static __attribute__((noinline)) int new_path(struct weir_udp_socket *socket, weir_time now,
                                              const struct weir_address *peer, const struct weir_address *source,
                                              struct weir_ip_path **path)
{
    unsigned place = socket->next_path;
    struct weir_ip_path found;

    WEIR_TRY(weir_ip_path_init(socket->udp->ip, now, &found, weir_address_is_none(source) ? NULL : source, peer,
                               IPPROTO_UDP));
    socket->next_path = (place + 1) % PATHS_MAX;
    socket->paths[place] = found;
    socket->peers[place] = *peer;
    socket->sources[place] = *source;
    *path = &socket->paths[place];
    return 0;
}

/* The way to an endpoint, from where the user or the binding says. */
static inline int find_path(struct weir_udp_socket *socket, weir_time now, const struct weir_endpoint *to,
                            const struct weir_address *from, struct weir_ip_path **path)
{
    struct weir_address peer = weir_endpoint_address(to);
    const struct weir_address *source = from != NULL && !weir_address_is_none(from) ? from : &socket->local;

    if (WEIR_UNLIKELY(to->port == 0 || weir_address_is_none(&peer)))
        return -EINVAL;
    if (WEIR_UNLIKELY(socket->connected.family != 0 &&
                      (to->port != socket->connected.port || !weir_address_equal(&peer, &socket->peer))))
        return -EISCONN;
    *path = udp_path(socket, &peer, source);
    return WEIR_LIKELY(*path != NULL) ? 0 : new_path(socket, now, &peer, source, path);
}

int weir_udp_bind_address(struct weir_udp_socket *socket, const struct weir_address *address)
{
    const struct weir_link_address *ours;
    unsigned count;

    ours = weir_ip_addresses(socket->udp->ip, &count);
    for (unsigned i = 0; i < count; i++)
        if (weir_address_equal(&ours[i].address, address)) {
            socket->local = *address;
            return 0;
        }
    if (!weir_address_is_none(address))
        return -EADDRNOTAVAIL;
    socket->local = *address;
    return 0;
}

int weir_udp_connect(struct weir_udp_socket *socket, weir_time now, const struct weir_endpoint *peer)
{
    static const struct weir_endpoint nobody;
    struct weir_ip_path *path;

    socket->connected = nobody;
    if (peer == NULL)
        return 0;
    WEIR_TRY(find_path(socket, now, peer, NULL, &path));
    socket->connected = *peer;
    socket->peer = weir_endpoint_address(peer);
    return 0;
}

#define OWNERSHIP_FLAGS (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)

/* Prepends the UDP header: 4 words, as they lie in memory. What a packet's earlier life left in ol_flags goes. */
static inline void prepend_header(const struct weir_udp_socket *socket, const struct weir_ip_path *path,
                                  const struct weir_endpoint *to, struct rte_mbuf *m)
{
    uint16_t length = (uint16_t)(m->pkt_len + WEIR_UDP_HEADER_LENGTH);
    uint16_t header[4] = {rte_cpu_to_be_16(socket->port), rte_cpu_to_be_16(to->port), rte_cpu_to_be_16(length)};
    uint64_t flags = m->ol_flags & OWNERSHIP_FLAGS;

    if (socket->udp->checksum_offload) { /* the device adds the datagram's own bytes to the pseudo header's sum */
        header[3] = weir_sum_fold((uint32_t)path->pseudo_sum + header[2]);
        flags |= RTE_MBUF_F_TX_UDP_CKSUM;
    } else {
        uint64_t sum = weir_sum_packet(m, 0, m->pkt_len);
        sum += (uint64_t)path->pseudo_sum + header[0] + header[1] + 2ul * header[2];
        header[3] = (uint16_t)~weir_sum_fold(sum);
        if (header[3] == 0) /* which would say that there is none */
            header[3] = 0xffff;
    }
    m->ol_flags = flags;
    m->data_off -= WEIR_UDP_HEADER_LENGTH;
    m->data_len += WEIR_UDP_HEADER_LENGTH;
    m->pkt_len += WEIR_UDP_HEADER_LENGTH;
    memcpy(rte_pktmbuf_mtod(m, void *), header, sizeof(header));
}

/* Sends one; consumes it. */
static inline int send_one(struct weir_udp_socket *socket, weir_time now, struct rte_mbuf *m,
                           const struct weir_endpoint *to, const struct weir_address *from)
{
    struct weir_udp *udp = socket->udp;
    struct weir_ip_path *path = NULL;
    int rc = find_path(socket, now, to, from, &path);

    if (rc == 0 && m->pkt_len + path->l3_length + WEIR_UDP_HEADER_LENGTH > path->mtu)
        rc = -EMSGSIZE;
    if (WEIR_UNLIKELY(rc < 0)) {
        udp->stats.out_errors++;
        socket->stats.out_errors++;
        rte_pktmbuf_free(m);
        return rc;
    }
    if (WEIR_UNLIKELY(!weir_packet_writable(m, HEADERS_ROOM))) {
        m = weir_ip_make_writable(udp->ip, m, HEADERS_ROOM);
        if (m == NULL) {
            udp->stats.out_errors++;
            socket->stats.out_errors++;
            return -ENOBUFS;
        }
    }
    prepend_header(socket, path, to, m);
    udp->stats.out_datagrams++;
    socket->stats.out_datagrams++;
    weir_ip_send(udp->ip, now, path, m, 0);
    return 0;
}

int weir_udp_send(struct weir_udp *udp, weir_time now, struct weir_udp_socket *socket, struct rte_mbuf **packets,
                  const struct weir_endpoint *to, const struct weir_address *from, unsigned n)
{
    bool to_peer = to == NULL;
    int first_error = 0;

    WEIR_ASSERT(socket->udp == udp);
    if (to_peer && socket->connected.family == 0) {
        rte_pktmbuf_free_bulk(packets, n);
        return -EDESTADDRREQ;
    }
    for (unsigned i = 0; i < n; i++) {
        int rc =
            send_one(socket, now, packets[i], to_peer ? &socket->connected : &to[i], from != NULL ? &from[i] : NULL);
        if (WEIR_UNLIKELY(rc < 0 && first_error == 0))
            first_error = rc;
    }
    return first_error < 0 ? first_error : (int)n;
}
