/* Private to net/stream: a TCP stream. What its calls touch is one cache line. */
#ifndef WEIR_STREAM_PRIVATE_H
#define WEIR_STREAM_PRIVATE_H

#include <weir/net/stream.h>

struct server;

struct tcp_stream {
    struct weir_stream base;
    struct weir_stack_user user;
    struct weir_stack *stack;
    struct weir_tcp *tcp;
    struct weir_tcp_connection *connection;
    bool filling;             /* a task waits for the pool to have packets          */
    bool closed;              /* ... and meanwhile another one closed the stream    */
    struct weir_task *reader; /* waits for bytes                                    */
    struct weir_task *writer; /* waits for room in the send buffer, or to connect   */
    struct server *server;    /* that started a task for it; see serve.c            */
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct tcp_stream, server) == 64, "all but `server` is on the first line");

struct weir_listener {
    struct weir_stack_user user;
    struct weir_stack *stack;
    struct weir_tcp_listener *listener;
    struct weir_task *acceptor; /* waits for a connection */
};

/* Makes a stream without a connection. Returns NULL when memory has run out. */
struct tcp_stream *weir_tcp_stream_new(struct weir_stack *stack);
void weir_tcp_stream_free(struct tcp_stream *stream);

/* Waits, as the one task that *slot can hold. Returns what the waker passed; -ECANCELED with *slot empty. */
WEIR_MUST_CHECK int weir_stream_wait(struct weir_task **slot);

static inline void weir_stream_wake(struct weir_task **slot, int result)
{
    struct weir_task *task = *slot;
    if (task == NULL)
        return;
    *slot = NULL;
    weir_task_wake(task, result);
}

#endif
