/* serve_tcp: a nursery, one task for each connection, the connection closed when its task ends. */
#include "stream_private.h"
#include <weir/sync.h>

struct server {
    int (*handler)(struct weir_stream *stream, void *arg);
    void *arg;
    struct weir_event *task_ended; /* set by a task that ends while the server waits for one to; or NULL */
};

/* Errors that a peer or the way to it can cause at any time: they are that connection's end and nobody else's. */
static bool is_everyday(int rc)
{
    switch (rc) {
    case -ECONNRESET:
    case -ECONNABORTED:
    case -EPIPE:
    case -ETIMEDOUT:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
        return true;
    default:
        return false;
    }
}

static int serve_one(void *arg)
{
    struct tcp_stream *stream = arg;
    struct server *server = stream->server;
    int rc = server->handler(&stream->base, server->arg);
    /* Closed even when cancelled; that this is a checkpoint must not hide what the handler said. */
    int closed = weir_stream_close(&stream->base);
    if (server->task_ended != NULL)
        weir_event_set(server->task_ended);
    if (rc < 0)
        return is_everyday(rc) ? 0 : rc;
    return closed;
}

/* All tasks are taken: no more connections until one of ours ends, or somebody else's does. */
static int wait_for_a_task(struct server *server)
{
    struct weir_event ended;
    struct weir_scope scope;
    int rc = 0;
    weir_event_init(&ended);
    server->task_ended = &ended;
    weir_move_on_after (&scope, WEIR_MILLISECONDS(10), rc) {
        rc = weir_event_wait(&ended);
    }
    server->task_ended = NULL;
    return rc;
}

static int start_one(struct server *server, struct weir_nursery *nursery, struct weir_stream *stream)
{
    WEIR_CONTAINER_OF(stream, struct tcp_stream, base)->server = server;
    for (;;) {
        int rc = weir_try_start_soon(nursery, serve_one, stream);
        if (rc == -ENOMEM)
            rc = wait_for_a_task(server);
        else
            return rc;
        if (rc < 0) {
            weir_stream_abort(stream);
            return rc;
        }
    }
}

static int accept_all(struct server *server, struct weir_nursery *nursery, struct weir_listener *listener)
{
    for (;;) {
        struct weir_stream *stream;
        WEIR_TRY(weir_accept(listener, &stream));
        WEIR_TRY(start_one(server, nursery, stream));
    }
}

int weir_serve_listener(struct weir_listener *listener, int (*handler)(struct weir_stream *stream, void *arg),
                        void *arg)
{
    struct server server = {.handler = handler, .arg = arg};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        rc = accept_all(&server, &nursery, listener);
        weir_listener_close(listener);
    }
    return rc;
}

int weir_serve_tcp(struct weir_stack *stack, uint16_t port, int (*handler)(struct weir_stream *stream, void *arg),
                   void *arg)
{
    struct weir_listener *listener;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    WEIR_TRY(weir_open_tcp_listener(stack, port, 0, &listener));
    return weir_serve_listener(listener, handler, arg);
}
