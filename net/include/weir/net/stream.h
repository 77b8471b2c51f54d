/* What tasks see of the network: byte streams over TCP, listeners, and UDP datagrams.
 *
 * A stream has one task sending and one receiving at most at a time (-EBUSY else). Bytes come and go either copied
 * (weir_send_all, weir_receive_some) or as the packets themselves (weir_stream_send, weir_stream_receive): an echo made
 * of the second pair touches no byte of payload. */
#ifndef WEIR_NET_STREAM_H
#define WEIR_NET_STREAM_H

#include <weir/net/stack.h>

struct weir_stream;

/* A kind of stream fills this in; see net/stream/tcp_stream.c. Errors and checkpoints are as said below. */
struct weir_stream_ops {
    int (*receive)(struct weir_stream *stream, struct rte_mbuf **packet);
    int (*send)(struct weir_stream *stream, struct rte_mbuf *packet);
    int (*receive_some)(struct weir_stream *stream, void *buffer, size_t size);
    int (*send_all)(struct weir_stream *stream, const void *data, size_t size);
    int (*send_eof)(struct weir_stream *stream);
    int (*close)(struct weir_stream *stream);
    void (*abort)(struct weir_stream *stream);
    void (*endpoints)(const struct weir_stream *stream, struct weir_endpoint *local, struct weir_endpoint *remote);
};

struct weir_stream {
    const struct weir_stream_ops *ops;
};

/* Receives the next packet of payload, in order: pkt_len bytes, more than 0. It becomes the caller's: send it, or free
 * it. Returns its length; 0 at the end of the stream; -ECANCELED (nothing is lost); -ECONNRESET; -ETIMEDOUT (the peer
 * is gone); -EBADF (closed here); -EBUSY. Checkpoint: always. Source: RFC 9293 section 3.10.3. */
WEIR_MUST_CHECK static inline int weir_stream_receive(struct weir_stream *stream, struct rte_mbuf **packet)
{
    return stream->ops->receive(stream, packet);
}

/* Sends a packet of payload: received, or filled after weir_packet_alloc. Waits while the send buffer is full. The
 * packet is the stream's in any case, on an error too (it is freed). Do not touch it again. Returns 0; -ECANCELED (not
 * sent); -EPIPE (after send_eof, or the connection has ended); -ECONNRESET; -ETIMEDOUT; -EBADF; -EBUSY. Checkpoint:
 * always. Source: RFC 9293 section 3.10.2. */
WEIR_MUST_CHECK static inline int weir_stream_send(struct weir_stream *stream, struct rte_mbuf *packet)
{
    return stream->ops->send(stream, packet);
}

/* Receives some bytes, copied: at least 1, at most `size` > 0, as many as are there. Returns how many, 0 at the end of
 * the stream, and errors as weir_stream_receive. Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_receive_some(struct weir_stream *stream, void *buffer, size_t size)
{
    return stream->ops->receive_some(stream, buffer, size);
}

/* Sends all bytes, copied. Returns 0, and errors as weir_stream_send; after an error (-ECANCELED too) it is unknown how
 * much was sent. Waits while the send buffer is full or packets have run out. Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_send_all(struct weir_stream *stream, const void *data, size_t size)
{
    return stream->ops->send_all(stream, data, size);
}

/* Half-close: tells the peer that no more comes; receiving goes on. Returns 0, again too; -ECONNRESET...; -EBADF;
 * -EBUSY (a task is sending). Checkpoint: always. Source: RFC 9293 section 3.6. */
WEIR_MUST_CHECK static inline int weir_send_eof(struct weir_stream *stream)
{
    return stream->ops->send_eof(stream);
}

/* Closes and frees a stream: what was sent is still delivered, in the background, then a FIN; received data not yet
 * read resets the connection. A task waiting on it wakes with -EBADF; from now on the pointer is dead. Returns 0, or
 * -ECANCELED in a cancelled scope: it is closed all the same. Checkpoint: always. Source: RFC 9293 section 3.6. */
int weir_stream_close(struct weir_stream *stream);

/* Closes at once, with a reset; everything queued is dropped. Frees the stream. Checkpoint: never. */
void weir_stream_abort(struct weir_stream *stream);

/* The two ends' addresses; NULL where not wanted. Checkpoint: never. */
void weir_stream_endpoints(const struct weir_stream *stream, struct weir_endpoint *local, struct weir_endpoint *remote);

/* ---- TCP ---- */

/* Connects. Returns 0 and a stream; -ECONNREFUSED; -ETIMEDOUT (nobody
 * answers, for a minute); -EHOSTUNREACH (a router says so); -ENETUNREACH; -EADDRNOTAVAIL (no local
 * port left); -EINVAL; -ENOMEM (connections_max); -ECANCELED (nothing is left behind). Checkpoint: always. */
WEIR_MUST_CHECK int weir_open_tcp_stream(struct weir_stack *stack, const struct weir_endpoint *remote,
                                         struct weir_stream **stream);

struct weir_listener;

/* Listens on a port (0: a free one, see weir_listener_port). backlog: connections that wait to be accepted, 0: 1024.
 * Returns 0, -EADDRINUSE, -ENOMEM. Checkpoint: never. */
WEIR_MUST_CHECK int weir_open_tcp_listener(struct weir_stack *stack, uint16_t port, unsigned backlog,
                                           struct weir_listener **listener);

/* Accepts the next connection. Returns 0 and a stream, -ECANCELED (no connection is lost), -ENOMEM, -EBADF (closed
 * meanwhile), -EBUSY. Checkpoint: always. */
WEIR_MUST_CHECK int weir_accept(struct weir_listener *listener, struct weir_stream **stream);

/* Closes and frees; connections not accepted are reset. Checkpoint: never. */
void weir_listener_close(struct weir_listener *listener);
uint16_t weir_listener_port(const struct weir_listener *listener);

/* Serves a port until cancelled: accepts connections and starts handler(stream, arg) for each, in a nursery inside; the
 * stream is closed when its task ends. A handler that ends with an error ends only its own connection (reset) when that
 * error is the connection's (reset, timeout, broken: these are everyday); any other error fails the server, as in Trio.
 * When tasks run out it waits for one to end instead of failing. Never returns 0: returns -ECANCELED, a listener's
 * error, or the group's. Checkpoint: always. */
WEIR_MUST_CHECK int weir_serve_tcp(struct weir_stack *stack, uint16_t port,
                                   int (*handler)(struct weir_stream *stream, void *arg), void *arg);

/* The same on a listener that is open already (for a port chosen at random, or to know that it listens). It is closed
 * at the end. */
WEIR_MUST_CHECK int weir_serve_listener(struct weir_listener *listener,
                                        int (*handler)(struct weir_stream *stream, void *arg), void *arg);

/* ---- UDP ---- */

struct weir_datagrams;

/* Binds a socket to a port (0: any). Returns 0, -EADDRINUSE, -ENOMEM. Checkpoint: never. */
WEIR_MUST_CHECK int weir_open_datagrams(struct weir_stack *stack, uint16_t port, struct weir_datagrams **datagrams);

/* Receives up to n datagrams, as packets that hold just the payload; waits for the first. Returns how many (> 0),
 * -ECANCELED (none is lost), -ECONNREFUSED or -EHOSTUNREACH (an ICMP error about one sent before), -EBUSY.
 * Checkpoint: always. */
WEIR_MUST_CHECK int weir_receive_datagrams(struct weir_datagrams *datagrams, struct rte_mbuf **packets,
                                           struct weir_endpoint *from, unsigned n);

/* Sends n payloads, each to its own destination. All n packets are the stack's from then on. Returns n, or the first
 * error (-EMSGSIZE, -ENETUNREACH, -EINVAL) while the others are sent all the same; -ECANCELED: none was sent.
 * Checkpoint: always. */
WEIR_MUST_CHECK int weir_send_datagrams(struct weir_datagrams *datagrams, struct rte_mbuf **packets,
                                        const struct weir_endpoint *to, unsigned n);

/* One datagram, copied. Receive returns its length (0 is a length), cut to `size`; send returns 0, -ENOBUFS (no
 * packet). */
WEIR_MUST_CHECK int weir_receive_from(struct weir_datagrams *datagrams, void *buffer, size_t size,
                                      struct weir_endpoint *from);
WEIR_MUST_CHECK int weir_send_to(struct weir_datagrams *datagrams, const void *data, size_t size,
                                 const struct weir_endpoint *to);

uint16_t weir_datagrams_port(const struct weir_datagrams *datagrams);
void weir_datagrams_close(struct weir_datagrams *datagrams);

#endif
