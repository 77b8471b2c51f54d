/* What tasks see of the network: byte streams over TCP (as weir/stream.h has them), listeners, and UDP datagrams.
 *
 * Bytes come and go either copied (weir_send_all, weir_receive_some) or as the packets themselves (weir_stream_send,
 * weir_stream_receive): an echo made of the second pair touches no byte of payload. Or bytes are sent from where they
 * lie, and given back when all is acknowledged (weir_send_external). */
#ifndef WEIR_NET_STREAM_H
#define WEIR_NET_STREAM_H

#include <weir/net/stack.h>
#include <weir/stream.h>

/* ---- streams whose bytes can be had as packets ---- */

/* Such a kind of stream fills this in; see net/stream/tcp_stream.c. Errors and checkpoints are as said below. */
struct weir_packet_ops {
    int (*receive)(struct weir_stream *stream, struct rte_mbuf **packet);
    int (*send)(struct weir_stream *stream, struct rte_mbuf *packet);
    int (*send_packets)(struct weir_stream *stream, struct rte_mbuf **packets, unsigned n);
    int (*send_some)(struct weir_stream *stream, const void *data, size_t size);
    int (*send_external)(struct weir_stream *stream, struct weir_external *external, const void *data, size_t size);
    void (*endpoints)(const struct weir_stream *stream, struct weir_endpoint *local, struct weir_endpoint *remote);
};

/* Receives the next packet of payload, in order: pkt_len bytes, more than 0. It becomes the caller's: send it, or free
 * it. Returns its length; 0 at the end of the stream; -ECANCELED (nothing is lost); -ECONNRESET; -ETIMEDOUT (the peer
 * is gone); -EBADF (closed here); -EBUSY; -ENOTSUP (a stream of bytes only). Checkpoint: always. Source: RFC 9293
 * section 3.10.3. */
WEIR_MUST_CHECK static inline int weir_stream_receive(struct weir_stream *stream, struct rte_mbuf **packet)
{
    return WEIR_LIKELY(stream->packets != NULL) ? stream->packets->receive(stream, packet) : -ENOTSUP;
}

/* For a stream that has no packets: frees it, and returns -ENOTSUP. */
int weir_stream_refuse_packet_(struct rte_mbuf *packet);

/* Sends a packet of payload: received, or filled after weir_packet_alloc. Waits while the send buffer is full. The
 * packet is the stream's in any case, on an error too (it is freed). Do not touch it again. Returns 0; -ECANCELED (not
 * sent); -ECONNRESET; -ETIMEDOUT; -EBADF (closed here, or after weir_send_eof); -EBUSY; -ENOTSUP. Checkpoint: always.
 * Source: RFC 9293 section 3.10.2. */
WEIR_MUST_CHECK static inline int weir_stream_send(struct weir_stream *stream, struct rte_mbuf *packet)
{
    return WEIR_LIKELY(stream->packets != NULL) ? stream->packets->send(stream, packet)
                                                : weir_stream_refuse_packet_(packet);
}

/* ---- sends that take a part, and say which ---- */

/* Sends as many of n > 0 packets as there is room for; waits until that is one at least. Returns how many: those, from
 * the front, are the stream's, and the others still the caller's. On an error (as weir_stream_send) all are the
 * caller's: -ECANCELED means that nothing was sent. Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_stream_send_packets(struct weir_stream *stream, struct rte_mbuf **packets,
                                                           unsigned n)
{
    return WEIR_LIKELY(stream->packets != NULL) ? stream->packets->send_packets(stream, packets, n) : -ENOTSUP;
}

/* Sends as many of `size` bytes as there is room for; waits until that is one at least. Returns how many (0 only of
 * none), and errors as weir_stream_send: after one, -ECANCELED too, it was none of them. What weir_send_all does not
 * tell who is cancelled, a loop of these does. Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_stream_send_some(struct weir_stream *stream, const void *data, size_t size)
{
    return stream->packets != NULL ? stream->packets->send_some(stream, data, size) : -ENOTSUP;
}

/* Sends all bytes from where they lie; waits while the send buffer is full. They must stay there, unchanged, until
 * external->done is called: once for each call of this, whatever it returned, when nothing refers to them any more (all
 * is acknowledged, or the connection has died; and the device is done with it). It is called in the loop, not before
 * this returns (but for -ENOTSUP), by weir_stack_close, or at last when the device is closed: it must not wait.
 * external->sent says how many bytes the stream has taken, on an error too. The bytes themselves are read by a device
 * that has WEIR_DEV_TX_MULTI_SEGS, from anywhere if it is software, else from memory that it was told of
 * (rte_extmem_register, rte_dev_dma_map); they are copied where it cannot gather, or wants physical addresses, and when
 * a part of a segment, or one that the device still holds, is sent again.
 * Returns 0; and errors as weir_stream_send. Checkpoint: always. Source: rte_mbuf.h, rte_pktmbuf_attach_extbuf. */
WEIR_MUST_CHECK int weir_send_external(struct weir_stream *stream, struct weir_external *external, const void *data,
                                       size_t size);

/* The two ends' addresses; NULL where not wanted. Returns 0, or -ENOTSUP: it has none. Checkpoint: never. */
int weir_stream_endpoints(const struct weir_stream *stream, struct weir_endpoint *local, struct weir_endpoint *remote);

/* ---- TCP: a stream is freed when it is closed or aborted, and a listener when it is closed ---- */

/* What weir/stream.h leaves open. weir_send_eof is a FIN after what was sent (RFC 9293 section 3.6). weir_stream_close:
 * what was sent is still delivered, in the background, then a FIN; received data not yet read resets the connection. It
 * does not wait. weir_stream_abort resets. weir_send_all waits while the send buffer is full or packets have run out.
 */

/* Connects. Returns 0 and a stream; -ECONNREFUSED; -ETIMEDOUT (nobody
 * answers, for a minute); -EHOSTUNREACH (a router says so); -ENETUNREACH; -EADDRNOTAVAIL (no local
 * port left); -EINVAL; -ENOMEM (connections_max); -ECANCELED (nothing is left behind). Checkpoint: always. */
WEIR_MUST_CHECK int weir_open_tcp_stream(struct weir_stack *stack, const struct weir_endpoint *remote,
                                         struct weir_stream **stream);

/* What the stream's connection is like, as `ss -ti` would say (weir_tcp_info_format). Returns 0, or -ENOTSUP: it is no
 * TCP stream. Checkpoint: never. */
int weir_stream_tcp_info(const struct weir_stream *stream, struct weir_tcp_info *info);

/* Writes what happened to it lately, as weir_tcp_events_format, and returns as that; or -ENOTSUP. Checkpoint: never. */
int weir_stream_tcp_events(const struct weir_stream *stream, char *text, size_t size);

/* Sets keepalive, user timeout and Nagle, all of them, from now on: weir/net/tcp.h. A stream begins with those of its
 * stack's options. Returns 0, or -ENOTSUP: it is no TCP stream. Checkpoint: never. */
int weir_stream_set_tcp(struct weir_stream *stream, const struct weir_tcp_settings *settings);

/* Listens on a port (0: a free one, see weir_listener_port). backlog: connections that wait to be accepted, 0: as many
 * as the stack's options say.
 * Returns 0, -EADDRINUSE, -ENOMEM. Checkpoint: never. */
WEIR_MUST_CHECK int weir_open_tcp_listener(struct weir_stack *stack, uint16_t port, unsigned backlog,
                                           struct weir_listener **listener);

/* Returns the port that a TCP listener listens on; 0 for one of another kind. Checkpoint: never. */
uint16_t weir_listener_port(const struct weir_listener *listener);

/* Listens on a port and serves it, as weir_serve_listener. Returns as that, and as weir_open_tcp_listener.
 * Checkpoint: always. */
WEIR_MUST_CHECK int weir_serve_tcp(struct weir_stack *stack, uint16_t port,
                                   int (*handler)(struct weir_stream *stream, void *arg), void *arg);

/* ---- UDP ---- */

struct weir_datagrams;

/* Binds a socket to a port (0: any), of both families. Returns 0, -EADDRINUSE, -ENOMEM. Checkpoint: never. */
WEIR_MUST_CHECK int weir_open_datagrams(struct weir_stack *stack, uint16_t port, struct weir_datagrams **datagrams);

/* As weir_udp_bind_address: one local address alone. As weir_udp_connect: one peer alone. Checkpoint: never. */
WEIR_MUST_CHECK int weir_datagrams_bind_address(struct weir_datagrams *datagrams, const struct weir_address *address);
WEIR_MUST_CHECK int weir_datagrams_connect(struct weir_datagrams *datagrams, const struct weir_endpoint *peer);

/* What went through it, and what it had to drop. Checkpoint: never. */
void weir_datagrams_stats(const struct weir_datagrams *datagrams, struct weir_udp_socket_stats *stats);

/* Receives up to n datagrams, as packets that hold just the payload; waits for the first. Returns how many (> 0),
 * -ECANCELED (none is lost), -ECONNREFUSED or -EHOSTUNREACH (an ICMP error about one sent before), -EBUSY.
 * Checkpoint: always. */
WEIR_MUST_CHECK int weir_receive_datagrams(struct weir_datagrams *datagrams, struct rte_mbuf **packets,
                                           struct weir_endpoint *from, unsigned n);

/* Sends n payloads, each to its own destination (NULL: all to the peer, of one that is connected). All n packets are
 * the stack's from then on. Returns n, or the first error, as weir_udp_send has them, while the others are sent all the
 * same; -ECANCELED: none was sent. Checkpoint: always. */
WEIR_MUST_CHECK int weir_send_datagrams(struct weir_datagrams *datagrams, struct rte_mbuf **packets,
                                        const struct weir_endpoint *to, unsigned n);

/* The same from addresses of ours, one for each: weir_udp_asked says which one a datagram was sent to. */
WEIR_MUST_CHECK int weir_send_datagrams_from(struct weir_datagrams *datagrams, struct rte_mbuf **packets,
                                             const struct weir_endpoint *to, const struct weir_address *from,
                                             unsigned n);

/* One datagram, copied. Receive returns its length (0 is a length), cut to `size`; send returns 0, -ENOBUFS (no
 * packet). */
WEIR_MUST_CHECK int weir_receive_from(struct weir_datagrams *datagrams, void *buffer, size_t size,
                                      struct weir_endpoint *from);
WEIR_MUST_CHECK int weir_send_to(struct weir_datagrams *datagrams, const void *data, size_t size,
                                 const struct weir_endpoint *to);

uint16_t weir_datagrams_port(const struct weir_datagrams *datagrams);
void weir_datagrams_close(struct weir_datagrams *datagrams);

#endif
