/* UDP, sans I/O: sockets with bounded queues. */
#ifndef WEIR_NET_UDP_H
#define WEIR_NET_UDP_H

#include <weir/net/ip.h>

struct weir_udp_options {
    unsigned sockets_max; /* 0: 1024                                                       */
    unsigned queue_max;   /* datagrams a socket holds before it drops the newest; 0: 512   */
    unsigned queue_bytes; /* and of their payloads; 0: 1 MiB                               */
    uint64_t seed;
};

/* What UDP has counted. Those of RFC 4113: in_datagrams (delivered), no_ports (nobody listened), in_errors (malformed,
 * or a wrong checksum), out_datagrams (sent). The others: in_cksum_errors          datagrams with a wrong checksum: in
 * in_errors, too rcvbuf_errors            datagrams dropped, their socket's queue being full out_errors datagrams that
 * could not be sent */
struct weir_udp_stats {
    uint64_t in_datagrams, no_ports, in_errors, in_cksum_errors, rcvbuf_errors, out_datagrams, out_errors;
};

struct weir_udp;
struct weir_udp_socket;

WEIR_MUST_CHECK int weir_udp_open(struct weir_udp **udp, const struct weir_udp_options *options, struct weir_ip *ip);
void weir_udp_close(struct weir_udp *udp); /* frees sockets left open, and their datagrams */

/* Binds a socket to a local port (0: an ephemeral one, chosen at random from 49152 to 65535). `user` is handed back by
 * events; one bound with NULL reports none. Returns 0, -EADDRINUSE, -ENOMEM (sockets_max reached). Checkpoint: never.
 * Source: RFC 6056 section 3.3.1. */
WEIR_MUST_CHECK int weir_udp_bind(struct weir_udp *udp, uint16_t port, void *user, struct weir_udp_socket **socket);
void weir_udp_unbind(struct weir_udp *udp, struct weir_udp_socket *socket); /* frees the queue, forgets its events */
uint16_t weir_udp_port(const struct weir_udp_socket *socket);

/* Binds it to one local address as well: what comes for another is nobody's, and what is sent comes from there. None:
 * to all again. Returns 0, -EADDRNOTAVAIL (not ours). Checkpoint: never. Source: RFC 1122 section 4.1.3.5. */
WEIR_MUST_CHECK int weir_udp_bind_address(struct weir_udp_socket *socket, const struct weir_address *address);

/* Fixes the peer: only its datagrams are received (what is queued already stays), only it is sent to, and ICMP's errors
 * are about it. NULL: nobody in particular again. Returns 0, -EINVAL (no port, or no host's address), -ENETUNREACH,
 * -ENOBUFS (no place for a neighbour). Checkpoint: never. Source: POSIX connect(). */
WEIR_MUST_CHECK int weir_udp_connect(struct weir_udp_socket *socket, weir_time now, const struct weir_endpoint *peer);

struct weir_udp_socket_stats {
    uint64_t in_datagrams, out_datagrams, out_errors;
    uint64_t queue_full; /* dropped: too many waited, or too many bytes */
    unsigned queued, queued_bytes;
};
void weir_udp_socket_stats(const struct weir_udp_socket *socket, struct weir_udp_socket_stats *stats);

/* Takes one datagram as weir_ip_input left it. Verifies its checksum (by the device's word where it gave one), queues
 * it on its socket, and reports the socket as readable; or answers port unreachable. Consumes m. Source: RFC 768. */
void weir_udp_input(struct weir_udp *udp, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx);

/* An ICMP error about a datagram of ours: the socket reports it once, as -ECONNREFUSED or -EHOSTUNREACH, on its next
 * receive, if it still remembers the peer (the last few sent to). A "fragmentation needed" lowers the path's MTU
 * instead, so that sending what is too large says so. Source: RFC 1122 section 4.1.3.3, RFC 1191 section 6.3. */
void weir_udp_icmp_error(struct weir_udp *udp, const struct weir_ip_rx *rx);

/* Takes the oldest datagrams, up to n: payloads, and where each came from. They become the caller's.
 * Returns how many, or -EAGAIN (none), or an error that ICMP reported. Checkpoint: never. */
WEIR_MUST_CHECK int weir_udp_receive(struct weir_udp_socket *socket, struct rte_mbuf **packets,
                                     struct weir_endpoint *from, unsigned n);

/* The address of ours that a datagram was sent to, for an answer to come from: of one that weir_udp_receive gave, not
 * touched since. None: it went to many. Checkpoint: never. Source: RFC 1122 section 4.1.3.5. */
struct weir_address weir_udp_asked(const struct rte_mbuf *packet);

/* Sends n payloads, each to its own destination (NULL: all to the peer, of a connected socket) and from its own address
 * of ours (NULL, or none: the one that fits), prepending headers in their headroom; consumes all n whatever the
 * result. Returns n, or the first error: -EMSGSIZE (larger than the path's MTU), -ENETUNREACH, -EINVAL, -EDESTADDRREQ
 * (NULL, and not connected), -EISCONN (connected, to another), -EADDRNOTAVAIL (from what is not ours), -ENOBUFS (no
 * memory, or no place for a neighbour); the others are sent all the same. A packet whose data others still hold (refcnt
 * > 1) is copied. Checkpoint: never. */
WEIR_MUST_CHECK int weir_udp_send(struct weir_udp *udp, weir_time now, struct weir_udp_socket *socket,
                                  struct rte_mbuf **packets, const struct weir_endpoint *to,
                                  const struct weir_address *from, unsigned n);

/* Returns the `user` of the next socket that became readable since it was last returned here; NULL when there is none.
 */
void *weir_udp_next_event(struct weir_udp *udp);

const struct weir_udp_stats *weir_udp_stats(const struct weir_udp *udp);

#endif
