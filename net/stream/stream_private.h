/* Private to net/stream: a TCP stream. What its calls touch is one cache line. */
#ifndef WEIR_STREAM_PRIVATE_H
#define WEIR_STREAM_PRIVATE_H

#include <weir/net/stream.h>

/* A task that waits on a stream, listener or socket. It stays in its slot until it runs again, and not only until it is
 * woken: what it waits on may be closed in between, by a task that runs before it. */
struct waiter {
    struct weir_task *task;
    bool woken, closed;
    bool dry; /* it waits for the pool to have packets: it is the first member of a struct pool_waiter */
};

struct pool_waiter {
    struct waiter waiter;
    struct weir_packet_waiter packets;
};

struct tcp_stream {
    struct weir_stream base;
    struct weir_stack_user user;
    struct weir_stack *stack;
    struct weir_tcp *tcp;
    struct weir_tcp_connection *connection;
    struct waiter *reader; /* waits for bytes                                                  */
    struct waiter *writer; /* waits for room in the send buffer, for a packet, or to connect   */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct tcp_stream) == 64, "it is one line");

struct tcp_listener {
    struct weir_listener base;
    struct weir_stack_user user;
    struct weir_stack *stack;
    struct weir_tcp_listener *listener;
    struct waiter *acceptor; /* waits for a connection */
};

/* Makes a stream without a connection. Returns NULL when memory has run out. */
struct tcp_stream *weir_tcp_stream_new(struct weir_stack *stack);
void weir_tcp_stream_free(struct tcp_stream *stream);

/* Takes a packet from the pool, waiting while it is dry. Returns 0, or an error as weir_stream_wait. */
WEIR_MUST_CHECK int weir_stream_take_packet(struct tcp_stream *stream, struct rte_mbuf **packet);
/* Sends it, waiting for room. It is the stream's in any case. */
WEIR_MUST_CHECK int weir_stream_send_packet(struct tcp_stream *stream, struct rte_mbuf *packet);
/* external.c */
int weir_tcp_stream_send_external(struct weir_stream *base, struct weir_external *external, const void *data,
                                  size_t size);
/* Returns the TCP stream that this is, or NULL. */
const struct tcp_stream *weir_tcp_stream_of(const struct weir_stream *stream);

/* Waits, as the one task that *slot can hold. Returns 0 when woken; -ECANCELED; -EBADF: closed meanwhile, and what the
 * slot was part of is no more. */
WEIR_MUST_CHECK int weir_stream_wait(const struct weir_wait *wait, struct waiter **slot);
WEIR_MUST_CHECK int weir_stream_wait_as(struct waiter *waiter, const struct weir_wait *wait, struct waiter **slot);
extern const struct weir_wait weir_wait_receive, weir_wait_send, weir_wait_connect, weir_wait_accept,
    weir_wait_datagrams;

static inline void wake_waiter(struct waiter *waiter)
{
    if (waiter->woken)
        return;
    waiter->woken = true;
    weir_task_wake(waiter->task, 0);
}

static inline void weir_stream_wake(struct waiter **slot)
{
    if (*slot != NULL)
        wake_waiter(*slot);
}

/* Before what the slot is part of is freed. */
void weir_stream_wake_closed(struct waiter **slot);

#endif
