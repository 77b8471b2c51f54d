/* Private to net/udp. */
#ifndef WEIR_UDP_PRIVATE_H
#define WEIR_UDP_PRIVATE_H

#include <weir/net/udp.h>
#include <weir/net/wire.h>

/* Peers whose way is remembered by each socket. */
#define PATHS_MAX 8

struct weir_udp_socket {
    struct weir_udp *udp; /* NULL: not bound */
    void *user;
    uint16_t port;
    bool announced;                 /* in the list of events */
    int error;                      /* that ICMP reported    */
    struct weir_udp_socket *next;   /* in the list of events, or of free sockets */
    struct weir_packet_queue queue; /* datagrams; weir_packet()->udp says from where */
    unsigned queued, queued_bytes;
    unsigned next_path;              /* the one to be replaced next */
    struct weir_endpoint connected;  /* the one peer; family 0: any */
    struct weir_address peer, local; /* its address, and the one of ours that it is bound to; none: any */
    struct weir_udp_socket_stats stats;
    struct weir_address peers[PATHS_MAX];   /* each path's destination; none: free. Together, for a quick look */
    struct weir_address sources[PATHS_MAX]; /* what it was asked to begin with; none: nothing in particular */
    struct weir_ip_path paths[PATHS_MAX];
} __attribute__((aligned(64)));

struct weir_udp {
    struct weir_ip *ip;
    struct weir_udp_stats stats;
    unsigned sockets_max, queue_max, queue_bytes;
    bool checksum_offload;
    struct weir_rng rng;
    struct weir_udp_socket *sockets, *free;
    struct weir_udp_socket *first_event, *last_event;
    uint16_t by_port[65536]; /* index of the port's socket, plus 1; 0: none */
};

/* What a datagram in a queue remembers. */
struct datagram_from {
    uint16_t port;
    bool v4, broadcast;
};
_Static_assert(sizeof(struct datagram_from) <= sizeof(((struct weir_packet *)0)->udp.bytes), "must fit the packet");

static inline struct weir_udp_socket *udp_find(struct weir_udp *udp, uint16_t port)
{
    uint16_t index = udp->by_port[port];

    return index != 0 ? &udp->sockets[index - 1] : NULL;
}

/* The path to a peer, from a source (none: nothing in particular), that the socket remembers; or NULL. */
static inline struct weir_ip_path *udp_path(struct weir_udp_socket *socket, const struct weir_address *peer,
                                            const struct weir_address *source)
{
    for (unsigned i = 0; i < PATHS_MAX; i++)
        if (socket->peers[i].words[3] == peer->words[3] && weir_address_equal(&socket->peers[i], peer) &&
            weir_address_equal(&socket->sources[i], source))
            return &socket->paths[i];
    return NULL;
}

/* Is it a socket of everybody's, or this datagram for and from whom it is bound and connected to? */
static inline bool udp_takes(const struct weir_udp_socket *socket, const struct weir_address *local,
                             const struct weir_address *peer, uint16_t port)
{
    if (WEIR_UNLIKELY(!weir_address_is_none(&socket->local) && !weir_address_equal(&socket->local, local)))
        return false;
    return WEIR_LIKELY(socket->connected.family == 0) ||
           (socket->connected.port == port && weir_address_equal(&socket->peer, peer));
}

/* Puts a socket in the list of events, if it is not there. */
void udp_announce(struct weir_udp_socket *socket);

#endif
