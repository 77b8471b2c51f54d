/* Lockstep streams: the receiver copies out of the sender's own memory, while the sender waits. */
#include <string.h>
#include <weir/testing.h>

typedef struct weir_lockstep_stream_one_way_pair one_way;

static one_way *of_send(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, one_way, send);
}

static one_way *of_receive(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, one_way, receive);
}

static void something_happened(one_way *way)
{
    weir_parking_lot_unpark_all(&way->lot);
}

/* ---- what one waits for ---- */

static bool all_is_taken(const one_way *way)
{
    return way->size == 0;
}

static bool somebody_receives(const one_way *way)
{
    return way->receiving;
}

static bool something_is_there(const one_way *way)
{
    return way->size > 0;
}

/* Waits until it is so, or until either side is closed: everybody heeds that. */
static int wait_until(one_way *way, bool (*is_so)(const one_way *way), const struct weir_wait *wait)
{
    while (!is_so(way) && !way->send_closed && !way->receive_closed) {
        struct weir_waiter waiter = {0};
        WEIR_TRY(weir_checkpoint_if_cancelled());
        WEIR_TRY(weir_waiter_park(&waiter, &way->lot, wait));
    }
    return weir_checkpoint();
}

static const struct weir_wait wait_send = {.name = "weir_send_all", .abort = weir_waiter_abort};
static const struct weir_wait wait_receive = {.name = "weir_receive_some", .abort = weir_waiter_abort};
static const struct weir_wait wait_receiver = {.name = "weir_wait_send_all_might_not_block",
                                               .abort = weir_waiter_abort};

/* ---- sending ---- */

static int may_send(const one_way *way)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (way->sending)
        return -EBUSY;
    return way->send_closed ? -EBADF : 0;
}

static int offer(one_way *way)
{
    something_happened(way);
    WEIR_TRY(wait_until(way, all_is_taken, &wait_send));
    if (way->send_closed)
        return -EBADF;
    return way->size > 0 ? -EPIPE : 0; /* the receiver closed */
}

static int send_all(struct weir_stream *stream, const void *data, size_t size)
{
    one_way *way = of_send(stream);
    WEIR_TRY(may_send(way));
    if (way->receive_closed)
        return -EPIPE;
    way->sending = true;
    way->data = data;
    way->size = size;
    int rc = offer(way);
    way->size = 0; /* the rest is withdrawn */
    way->sending = false;
    return rc;
}

static int wait_send_all_might_not_block(struct weir_stream *stream)
{
    one_way *way = of_send(stream);
    WEIR_TRY(may_send(way));
    if (way->receive_closed)
        return weir_checkpoint();
    way->sending = true;
    int rc = wait_until(way, somebody_receives, &wait_receiver);
    way->sending = false;
    return rc == 0 && way->send_closed ? -EBADF : rc;
}

static void abort_send(struct weir_stream *stream)
{
    of_send(stream)->send_closed = true;
    something_happened(of_send(stream));
}

static int close_send(struct weir_stream *stream)
{
    abort_send(stream);
    return weir_checkpoint();
}

/* ---- receiving ---- */

static int take(one_way *way, void *buffer, size_t size)
{
    size_t n = way->size < size ? way->size : size;
    if (n > INT32_MAX)
        n = INT32_MAX;
    if (n == 0)
        return 0; /* the sender closed */
    memcpy(buffer, way->data, n);
    way->data += n;
    way->size -= n;
    something_happened(way);
    return (int)n;
}

static int receive_some(struct weir_stream *stream, void *buffer, size_t size)
{
    one_way *way = of_receive(stream);
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (way->receiving)
        return -EBUSY;
    if (size == 0)
        return -EINVAL;
    if (way->receive_closed)
        return -EBADF;
    way->receiving = true;
    something_happened(way);
    int rc = wait_until(way, something_is_there, &wait_receive);
    way->receiving = false;
    if (rc < 0)
        return rc;
    return way->receive_closed ? -EBADF : take(way, buffer, size);
}

static void abort_receive(struct weir_stream *stream)
{
    of_receive(stream)->receive_closed = true;
    something_happened(of_receive(stream));
}

static int close_receive(struct weir_stream *stream)
{
    abort_receive(stream);
    return weir_checkpoint();
}

/* ---- pairs ---- */

static const struct weir_stream_ops send_ops = {
    .send_all = send_all,
    .wait_send_all_might_not_block = wait_send_all_might_not_block,
    .close = close_send,
    .abort = abort_send,
};

static const struct weir_stream_ops receive_ops = {
    .receive_some = receive_some,
    .close = close_receive,
    .abort = abort_receive,
};

void weir_lockstep_stream_one_way_pair_init(struct weir_lockstep_stream_one_way_pair *pair)
{
    *pair = (one_way){.send.ops = &send_ops, .receive.ops = &receive_ops};
    weir_parking_lot_init(&pair->lot);
}

void weir_lockstep_stream_pair_init(struct weir_lockstep_stream_pair *pair)
{
    for (int i = 0; i < 2; i++)
        weir_lockstep_stream_one_way_pair_init(&pair->ways[i]);
    for (int i = 0; i < 2; i++)
        weir_stapled_stream_init(&pair->ends[i], &pair->ways[i].send, &pair->ways[1 - i].receive);
}
