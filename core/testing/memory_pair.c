/* Memory streams in pairs, and a listener that gives them. */
#include <weir/testing.h>

static int pump_on(struct weir_memory_send_stream *half)
{
    struct weir_memory_stream_one_way_pair *pair =
        WEIR_CONTAINER_OF(half, struct weir_memory_stream_one_way_pair, send);
    int rc = weir_memory_stream_pump(&pair->send, &pair->receive, 0);
    return rc < 0 ? rc : 0;
}

void weir_memory_stream_one_way_pair_init(struct weir_memory_stream_one_way_pair *pair)
{
    weir_memory_send_stream_init(&pair->send);
    weir_memory_receive_stream_init(&pair->receive);
    pair->send.send_all_hook = pair->send.close_hook = pump_on;
}

void weir_memory_stream_one_way_pair_free(struct weir_memory_stream_one_way_pair *pair)
{
    weir_memory_send_stream_free(&pair->send);
    weir_memory_receive_stream_free(&pair->receive);
}

void weir_memory_stream_pair_init(struct weir_memory_stream_pair *pair)
{
    for (int i = 0; i < 2; i++)
        weir_memory_stream_one_way_pair_init(&pair->ways[i]);
    for (int i = 0; i < 2; i++)
        weir_stapled_stream_init(&pair->ends[i], &pair->ways[i].send.stream, &pair->ways[1 - i].receive.stream);
    weir_list_init(&pair->link);
}

void weir_memory_stream_pair_free(struct weir_memory_stream_pair *pair)
{
    for (int i = 0; i < 2; i++)
        weir_memory_stream_one_way_pair_free(&pair->ways[i]);
}

/* ---- the listener ---- */

static const struct weir_wait wait_accept = {.name = "weir_accept", .abort = weir_waiter_abort};

static int wait_for_a_pair(struct weir_memory_listener *listener)
{
    struct weir_waiter waiter = {0};
    if (listener->closed || !weir_list_empty(&listener->connecting)) {
        weir_fast_path_done();
        return 0;
    }
    return weir_waiter_park(&waiter, &listener->lot, &wait_accept);
}

static int accept_next(struct weir_listener *base, struct weir_stream **stream)
{
    struct weir_memory_listener *listener = WEIR_CONTAINER_OF(base, struct weir_memory_listener, listener);
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (listener->accepting)
        return -EBUSY;
    listener->accepting = true;
    int rc = wait_for_a_pair(listener);
    listener->accepting = false;
    if (rc < 0 || listener->closed)
        return rc < 0 ? rc : -EBADF;
    struct weir_memory_stream_pair *pair = WEIR_LIST_FIRST(&listener->connecting, struct weir_memory_stream_pair, link);
    weir_list_remove(&pair->link);
    *stream = &pair->ends[1].stream;
    return 0;
}

static void close_listener(struct weir_listener *base)
{
    struct weir_memory_listener *listener = WEIR_CONTAINER_OF(base, struct weir_memory_listener, listener);
    struct weir_memory_stream_pair *pair;
    listener->closed = true;
    weir_parking_lot_unpark_all(&listener->lot);
    WEIR_LIST_FOREACH (pair, &listener->connecting, struct weir_memory_stream_pair, link) {
        weir_list_remove(&pair->link);
        weir_stream_abort(&pair->ends[1].stream);
    }
}

static const struct weir_listener_ops listener_ops = {.accept = accept_next, .close = close_listener};

void weir_memory_listener_init(struct weir_memory_listener *listener)
{
    *listener = (struct weir_memory_listener){.listener.ops = &listener_ops};
    weir_list_init(&listener->connecting);
    weir_parking_lot_init(&listener->lot);
}

int weir_memory_listener_connect(struct weir_memory_listener *listener, struct weir_memory_stream_pair *pair)
{
    if (listener->closed)
        return -ECONNREFUSED;
    weir_memory_stream_pair_init(pair);
    weir_list_append(&listener->connecting, &pair->link);
    weir_parking_lot_unpark_all(&listener->lot);
    return 0;
}
