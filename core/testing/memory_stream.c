/* Memory streams: two queues of bytes, and what moves them from one to the other. */
#include <stdlib.h>
#include <string.h>
#include <weir/testing.h>

/* ---- the queue ---- */

static size_t queued(const struct weir_byte_queue *queue)
{
    return queue->end - queue->start;
}

static void queue_init(struct weir_byte_queue *queue)
{
    *queue = (struct weir_byte_queue){.max = WEIR_MEMORY_STREAM_MAX};
    weir_parking_lot_init(&queue->lot);
}

static void queue_wipe(struct weir_byte_queue *queue)
{
    free(queue->bytes);
    queue->bytes = NULL;
    queue->start = queue->end = queue->room = 0;
}

/* Half of the room is free after a move, so that each byte is moved once or so. */
static int queue_make_room(struct weir_byte_queue *queue, size_t size)
{
    size_t max = queue->max < SIZE_MAX / 8 ? queue->max : SIZE_MAX / 8, room = queue->room != 0 ? queue->room : 64;
    if (size > max || queued(queue) > max - size)
        return -ENOBUFS;
    if (size <= queue->room - queue->end)
        return 0;
    while (room < 2 * (queued(queue) + size))
        room *= 2;
    if (room > queue->room) {
        char *bytes = realloc(queue->bytes, room);
        if (bytes == NULL)
            return -ENOMEM;
        queue->bytes = bytes;
        queue->room = room;
    }
    memmove(queue->bytes, queue->bytes + queue->start, queued(queue));
    queue->end -= queue->start;
    queue->start = 0;
    return 0;
}

static int queue_put(struct weir_byte_queue *queue, const void *data, size_t size)
{
    if (queue->closed)
        return -EBADF;
    if (size == 0)
        return 0;
    WEIR_TRY(queue_make_room(queue, size));
    memcpy(queue->bytes + queue->end, data, size);
    queue->end += size;
    weir_parking_lot_unpark_all(&queue->lot);
    return 0;
}

static void queue_close(struct weir_byte_queue *queue)
{
    queue->closed = true;
    weir_parking_lot_unpark_all(&queue->lot);
}

static int queue_take(struct weir_byte_queue *queue, void *buffer, size_t size)
{
    size_t n = queued(queue) < size ? queued(queue) : size;
    if (n > INT32_MAX)
        n = INT32_MAX;
    if (n > 0)
        memcpy(buffer, queue->bytes + queue->start, n);
    queue->start += n;
    if (queued(queue) == 0)
        queue->start = queue->end = 0;
    return (int)n;
}

static bool nothing_to_get(const struct weir_byte_queue *queue)
{
    return queued(queue) == 0 && !queue->closed;
}

static const struct weir_wait wait_get = {.name = "a memory stream, for bytes", .abort = weir_waiter_abort};

static int wait_for_bytes(struct weir_byte_queue *queue)
{
    struct weir_waiter waiter = {0};
    if (!nothing_to_get(queue))
        return weir_checkpoint();
    WEIR_TRY(weir_checkpoint_if_cancelled());
    return weir_waiter_park(&waiter, &queue->lot, &wait_get);
}

static int queue_get(struct weir_byte_queue *queue, void *buffer, size_t size)
{
    if (queue->fetching)
        return -EBUSY;
    if (size == 0)
        return -EINVAL;
    queue->fetching = true;
    int rc = wait_for_bytes(queue);
    queue->fetching = false;
    return rc < 0 ? rc : queue_take(queue, buffer, size);
}

/* Two checkpoints, as in Trio: so that who calls twice at once is found out, also where there is nothing to wait for.
 */
static int linger(void)
{
    WEIR_TRY(weir_checkpoint());
    return weir_checkpoint();
}

/* Tells a close's error, and the cancellation if there is none. */
static int closed(int rc)
{
    int cancelled = weir_checkpoint();
    return rc < 0 ? rc : cancelled;
}

/* ---- the sending half ---- */

static struct weir_memory_send_stream *send_half(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct weir_memory_send_stream, stream);
}

static int put_and_tell(struct weir_memory_send_stream *half, const void *data, size_t size)
{
    WEIR_TRY(linger());
    WEIR_TRY(queue_put(&half->outgoing, data, size));
    return half->send_all_hook != NULL ? half->send_all_hook(half) : 0;
}

static int send_all(struct weir_stream *stream, const void *data, size_t size)
{
    struct weir_memory_send_stream *half = send_half(stream);
    if (half->busy)
        return -EBUSY;
    half->busy = true;
    int rc = put_and_tell(half, data, size);
    half->busy = false;
    return rc;
}

static int ask_hook(struct weir_memory_send_stream *half)
{
    WEIR_TRY(linger());
    if (half->outgoing.closed)
        return -EBADF;
    return half->wait_send_all_might_not_block_hook != NULL ? half->wait_send_all_might_not_block_hook(half) : 0;
}

static int wait_send_all_might_not_block(struct weir_stream *stream)
{
    struct weir_memory_send_stream *half = send_half(stream);
    if (half->busy)
        return -EBUSY;
    half->busy = true;
    int rc = ask_hook(half);
    half->busy = false;
    return rc;
}

static int close_send_now(struct weir_memory_send_stream *half)
{
    queue_close(&half->outgoing);
    return half->close_hook != NULL ? half->close_hook(half) : 0;
}

static int close_send(struct weir_stream *stream)
{
    return closed(close_send_now(send_half(stream)));
}

static void abort_send(struct weir_stream *stream)
{
    close_send_now(send_half(stream));
}

static const struct weir_stream_ops send_ops = {
    .send_all = send_all,
    .wait_send_all_might_not_block = wait_send_all_might_not_block,
    .close = close_send,
    .abort = abort_send,
};

void weir_memory_send_stream_init(struct weir_memory_send_stream *half)
{
    *half = (struct weir_memory_send_stream){.stream.ops = &send_ops};
    queue_init(&half->outgoing);
}

void weir_memory_send_stream_free(struct weir_memory_send_stream *half)
{
    queue_wipe(&half->outgoing);
}

int weir_memory_stream_get_data(struct weir_memory_send_stream *half, void *buffer, size_t size)
{
    return queue_get(&half->outgoing, buffer, size);
}

int weir_memory_stream_get_data_nowait(struct weir_memory_send_stream *half, void *buffer, size_t size)
{
    if (half->outgoing.fetching)
        return -EBUSY;
    if (size == 0)
        return -EINVAL;
    return nothing_to_get(&half->outgoing) ? -EAGAIN : queue_take(&half->outgoing, buffer, size);
}

/* ---- the receiving half ---- */

static struct weir_memory_receive_stream *receive_half(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct weir_memory_receive_stream, stream);
}

static int ask_and_get(struct weir_memory_receive_stream *half, void *buffer, size_t size)
{
    WEIR_TRY(linger());
    if (half->closed)
        return -EBADF;
    if (half->receive_some_hook != NULL)
        WEIR_TRY(half->receive_some_hook(half));
    int rc = queue_get(&half->incoming, buffer, size);
    return rc >= 0 && half->closed ? -EBADF : rc; /* closing puts an end there, to wake us */
}

static int receive_some(struct weir_stream *stream, void *buffer, size_t size)
{
    struct weir_memory_receive_stream *half = receive_half(stream);
    if (half->busy)
        return -EBUSY;
    half->busy = true;
    int rc = ask_and_get(half, buffer, size);
    half->busy = false;
    return rc;
}

static int close_receive_now(struct weir_memory_receive_stream *half)
{
    half->closed = true;
    queue_wipe(&half->incoming);
    queue_close(&half->incoming);
    return half->close_hook != NULL ? half->close_hook(half) : 0;
}

static int close_receive(struct weir_stream *stream)
{
    return closed(close_receive_now(receive_half(stream)));
}

static void abort_receive(struct weir_stream *stream)
{
    close_receive_now(receive_half(stream));
}

static const struct weir_stream_ops receive_ops = {
    .receive_some = receive_some,
    .close = close_receive,
    .abort = abort_receive,
};

void weir_memory_receive_stream_init(struct weir_memory_receive_stream *half)
{
    *half = (struct weir_memory_receive_stream){.stream.ops = &receive_ops};
    queue_init(&half->incoming);
}

void weir_memory_receive_stream_free(struct weir_memory_receive_stream *half)
{
    queue_wipe(&half->incoming);
}

int weir_memory_stream_put_data(struct weir_memory_receive_stream *half, const void *data, size_t size)
{
    return queue_put(&half->incoming, data, size);
}

void weir_memory_stream_put_eof(struct weir_memory_receive_stream *half)
{
    queue_close(&half->incoming);
}

/* ---- from one to the other ---- */

int weir_memory_stream_pump(struct weir_memory_send_stream *from, struct weir_memory_receive_stream *to, size_t max)
{
    struct weir_byte_queue *queue = &from->outgoing;
    size_t n = max != 0 && max < queued(queue) ? max : queued(queue);
    if (queue->fetching)
        return -EBUSY;
    if (nothing_to_get(queue))
        return 0;
    if (n == 0) {
        weir_memory_stream_put_eof(to);
        return 1;
    }
    int rc = weir_memory_stream_put_data(to, queue->bytes + queue->start, n);
    if (rc < 0 && rc != -EBADF)
        return rc;
    queue->start += n;
    return rc == -EBADF ? -EPIPE : 1;
}
