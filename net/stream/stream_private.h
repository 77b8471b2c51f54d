/* Private to net/stream: a TCP stream. What its calls touch is one cache line. */
#ifndef WEIR_STREAM_PRIVATE_H
#define WEIR_STREAM_PRIVATE_H

#include <weir/net/stream.h>

struct server;

/* A task that waits on a stream, listener or socket. It stays in its slot until it runs again, and not only until it is
 * woken: what it waits on may be closed in between, by a task that runs before it. */
struct waiter {
    struct weir_task *task;
    bool woken, closed;
};

struct tcp_stream {
    struct weir_stream base;
    struct weir_stack_user user;
    struct weir_stack *stack;
    struct weir_tcp *tcp;
    struct weir_tcp_connection *connection;
    bool filling;          /* a task waits for the pool to have packets          */
    bool closed;           /* ... and meanwhile another one closed the stream    */
    struct waiter *reader; /* waits for bytes                                    */
    struct waiter *writer; /* waits for room in the send buffer, or to connect   */
    struct server *server; /* that started a task for it; see serve.c            */
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct tcp_stream, server) == 64, "all but `server` is on the first line");

struct weir_listener {
    struct weir_stack_user user;
    struct weir_stack *stack;
    struct weir_tcp_listener *listener;
    struct waiter *acceptor; /* waits for a connection */
};

/* Makes a stream without a connection. Returns NULL when memory has run out. */
struct tcp_stream *weir_tcp_stream_new(struct weir_stack *stack);
void weir_tcp_stream_free(struct tcp_stream *stream);

/* Waits, as the one task that *slot can hold. Returns 0 when woken; -ECANCELED; -EBADF: closed meanwhile, and what the
 * slot was part of is no more. */
WEIR_MUST_CHECK int weir_stream_wait(const struct weir_wait *wait, struct waiter **slot);
extern const struct weir_wait weir_wait_receive, weir_wait_send, weir_wait_connect, weir_wait_accept,
    weir_wait_datagrams;

static inline void weir_stream_wake(struct waiter **slot)
{
    struct waiter *waiter = *slot;
    if (waiter == NULL || waiter->woken)
        return;
    waiter->woken = true;
    weir_task_wake(waiter->task, 0);
}

/* Before what the slot is part of is freed. */
static inline void weir_stream_wake_closed(struct waiter **slot)
{
    if (*slot == NULL)
        return;
    (*slot)->closed = true;
    weir_stream_wake(slot);
    *slot = NULL;
}

#endif
