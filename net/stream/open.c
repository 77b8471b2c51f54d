/* How streams come to be: an active open, or a listener's. */
#include "stream_private.h"
#include <stdlib.h>

/* Waits for the handshake. */
static int finish_connecting(struct tcp_stream *stream)
{
    while (weir_tcp_state(stream->connection) == WEIR_TCP_SYN_SENT ||
           weir_tcp_state(stream->connection) == WEIR_TCP_SYN_RECEIVED)
        WEIR_TRY(weir_stream_wait(&weir_wait_connect, &stream->writer));
    return weir_tcp_error(stream->connection);
}

int weir_open_tcp_stream(struct weir_stack *stack, const struct weir_endpoint *remote, struct weir_stream **result)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    struct tcp_stream *stream = weir_tcp_stream_new(stack);
    if (stream == NULL)
        return -ENOMEM;
    int rc = weir_tcp_connect(stream->tcp, weir_current_time(), remote, 0, &stream->user, &stream->connection);
    if (rc < 0) {
        weir_tcp_stream_free(stream);
        return rc;
    }
    weir_stack_settle(stack, stream->connection);
    rc = finish_connecting(stream);
    if (rc < 0) {
        weir_stream_abort(&stream->base);
        return rc;
    }
    *result = &stream->base;
    return 0;
}

static void on_acceptable(struct weir_stack_user *user, unsigned events)
{
    weir_stream_wake(&WEIR_CONTAINER_OF(user, struct tcp_listener, user)->acceptor);
}

static int accept_next(struct weir_listener *base, struct weir_stream **result)
{
    struct tcp_listener *listener = WEIR_CONTAINER_OF(base, struct tcp_listener, base);
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (listener->acceptor != NULL)
        return -EBUSY;
    for (bool waited = false;; waited = true) {
        struct tcp_stream *stream = weir_tcp_stream_new(listener->stack);
        if (stream == NULL)
            return -ENOMEM;
        int rc = weir_tcp_accept(stream->tcp, listener->listener, &stream->user, &stream->connection);
        if (rc == 0) {
            weir_stack_settle(listener->stack, stream->connection);
            *result = &stream->base;
            if (!waited)
                weir_fast_path_done();
            return 0;
        }
        weir_tcp_stream_free(stream);
        if (rc != -EAGAIN)
            return rc;
        WEIR_TRY(weir_stream_wait(&weir_wait_accept, &listener->acceptor));
    }
}

static void close_listener(struct weir_listener *base)
{
    struct tcp_listener *listener = WEIR_CONTAINER_OF(base, struct tcp_listener, base);
    weir_stream_wake_closed(&listener->acceptor);
    weir_tcp_unlisten(weir_stack_tcp(listener->stack), weir_current_time(), listener->listener);
    weir_stack_release(listener->stack);
    free(listener);
}

static const struct weir_listener_ops tcp_listener_ops = {.accept = accept_next, .close = close_listener};

int weir_open_tcp_listener(struct weir_stack *stack, uint16_t port, unsigned backlog, struct weir_listener **result)
{
    struct tcp_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return -ENOMEM;
    listener->base.ops = &tcp_listener_ops;
    listener->user.event = on_acceptable;
    listener->stack = stack;
    int rc = weir_tcp_listen(weir_stack_tcp(stack), port, backlog != 0 ? backlog : weir_stack_backlog(stack),
                             &listener->user, &listener->listener);
    if (rc < 0) {
        free(listener);
        return rc;
    }
    weir_stack_hold(stack);
    *result = &listener->base;
    return 0;
}

uint16_t weir_listener_port(const struct weir_listener *listener)
{
    if (listener->ops != &tcp_listener_ops)
        return 0;
    return weir_tcp_listener_port(WEIR_CONTAINER_OF(listener, const struct tcp_listener, base)->listener);
}

int weir_serve_tcp(struct weir_stack *stack, uint16_t port, int (*handler)(struct weir_stream *stream, void *arg),
                   void *arg)
{
    struct weir_listener *listener;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    WEIR_TRY(weir_open_tcp_listener(stack, port, 0, &listener));
    return weir_serve_listener(listener, handler, arg);
}
