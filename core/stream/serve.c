/* serve_listener: a nursery, one task for each connection, the connection closed when its task ends. */
#include <weir/stream.h>
#include <weir/sync.h>

enum { BEGINNING_MAX = 64 };

struct server {
    int (*handler)(struct weir_stream *stream, void *arg);
    void *arg;
    struct weir_event *task_ended; /* set by a task that ends while the server waits for one to; or NULL */
    /* Accepted, and no task has begun with it yet: each task that begins takes the oldest. */
    struct weir_stream *beginning[BEGINNING_MAX];
    unsigned accepted, begun;
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
    struct server *server = arg;
    struct weir_stream *stream = server->beginning[server->begun++ % BEGINNING_MAX];
    int rc = server->handler(stream, server->arg);
    /* Closed even when cancelled; that this is a checkpoint must not hide what the handler said. */
    int closed = weir_stream_close(stream);
    if (server->task_ended != NULL)
        weir_event_set(server->task_ended);
    if (rc < 0)
        return is_everyday(rc) ? 0 : rc;
    return is_everyday(closed) ? 0 : closed;
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
    int rc;
    while (server->accepted - server->begun == BEGINNING_MAX)
        weir_cancel_shielded_checkpoint(); /* a task that was started begins, whatever happens */
    while ((rc = weir_try_start_soon(nursery, serve_one, server)) == -ENOMEM)
        WEIR_DO(rc, wait_for_a_task(server));
    if (rc < 0)
        weir_stream_abort(stream);
    else
        server->beginning[server->accepted++ % BEGINNING_MAX] = stream;
    return rc;
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
