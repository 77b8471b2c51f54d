/* The buffered reader. Bytes go through the buffer once; what was searched in vain is not searched again. */
#include <limits.h>
#include <string.h>
#include <weir/stream.h>

static struct weir_buffered_reader *of(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct weir_buffered_reader, stream);
}

/* ---- the buffer ---- */

static size_t buffered(const struct weir_buffered_reader *reader)
{
    return reader->end - reader->start;
}

/* Moves what is there to the buffer's front: when `wanted` bytes would not fit where it is, or when at least as much
 * has been read as is left to move, so that each byte is moved once or so. */
static void make_room(struct weir_buffered_reader *reader, size_t wanted)
{
    if (wanted <= reader->size - reader->start && reader->start < reader->size / 2)
        return;
    memmove(reader->buffer, reader->buffer + reader->start, buffered(reader));
    reader->end -= reader->start;
    reader->start = 0;
}

static int begin(const struct weir_buffered_reader *reader)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (reader->inner == NULL)
        return -EBADF;
    return reader->receiving ? -EBUSY : 0;
}

/* Receives some bytes to `to`. Returns how many, 0 at the end. */
static int receive(struct weir_buffered_reader *reader, void *to, size_t size)
{
    reader->receiving = true;
    int n = weir_receive_some(reader->inner, to, size);
    reader->receiving = false;
    if (n == 0)
        reader->ended = true;
    return n;
}

/* Receives more, as `wanted` bytes shall be there. Returns > 0; 0: nothing is there, and nothing will be; or an error:
 * -ENODATA, what is there is all. */
static int fill(struct weir_buffered_reader *reader, size_t wanted)
{
    int n = 0;
    if (reader->ended) {
        weir_fast_path_done();
    } else {
        make_room(reader, wanted);
        if (reader->end == reader->size)
            return -EMSGSIZE;
        n = receive(reader, reader->buffer + reader->end, reader->size - reader->end);
    }
    if (n > 0)
        reader->end += (size_t)n;
    return n == 0 && buffered(reader) > 0 ? -ENODATA : n;
}

static int take(struct weir_buffered_reader *reader, size_t count, const char **data)
{
    *data = reader->buffer + reader->start;
    reader->start += count;
    weir_fast_path_done();
    return (int)count;
}

/* ---- reading ---- */

int weir_read_exactly(struct weir_buffered_reader *reader, size_t count, const char **data)
{
    WEIR_TRY(begin(reader));
    if (count > reader->size)
        return -EMSGSIZE;
    while (buffered(reader) < count) {
        int n = fill(reader, count);
        if (n <= 0)
            return n;
    }
    return take(reader, count, data);
}

int weir_read_until(struct weir_buffered_reader *reader, const void *delimiter, size_t length, const char **data)
{
    size_t searched = 0; /* no delimiter begins in so many of the bytes that are there */
    WEIR_TRY(begin(reader));
    if (length == 0)
        return -EINVAL;
    for (;;) {
        const char *from = reader->buffer + reader->start;
        const char *found = memmem(from + searched, buffered(reader) - searched, delimiter, length);
        if (found != NULL)
            return take(reader, (size_t)(found - from) + length, data);
        if (buffered(reader) >= length)
            searched = buffered(reader) - length + 1;
        int n = fill(reader, buffered(reader) + 1);
        if (n <= 0)
            return n;
    }
}

int weir_read_line(struct weir_buffered_reader *reader, const char **line)
{
    int n = weir_read_until(reader, "\n", 1, line);
    return n == -ENODATA ? take(reader, buffered(reader), line) : n;
}

int weir_reader_peek(const struct weir_buffered_reader *reader, const char **data)
{
    *data = reader->buffer + reader->start;
    return (int)buffered(reader);
}

/* ---- as a stream ---- */

static int receive_some(struct weir_stream *stream, void *buffer, size_t size)
{
    struct weir_buffered_reader *reader = of(stream);
    const char *from;
    WEIR_TRY(begin(reader));
    if (size == 0)
        return -EINVAL;
    if (buffered(reader) == 0 && !reader->ended)
        return receive(reader, buffer, size);
    int n = take(reader, buffered(reader) < size ? buffered(reader) : size, &from);
    memcpy(buffer, from, (size_t)n);
    return n;
}

static int send_all(struct weir_stream *stream, const void *data, size_t size)
{
    struct weir_buffered_reader *reader = of(stream);
    return reader->inner != NULL ? weir_send_all(reader->inner, data, size) : -EBADF;
}

static int wait_send_all_might_not_block(struct weir_stream *stream)
{
    struct weir_buffered_reader *reader = of(stream);
    return reader->inner != NULL ? weir_wait_send_all_might_not_block(reader->inner) : -EBADF;
}

static int send_eof(struct weir_stream *stream)
{
    struct weir_buffered_reader *reader = of(stream);
    return reader->inner != NULL ? weir_send_eof(reader->inner) : -EBADF;
}

static struct weir_stream *let_go(struct weir_buffered_reader *reader)
{
    struct weir_stream *inner = reader->inner;
    reader->inner = NULL;
    reader->start = reader->end = 0;
    return inner;
}

static int close_inner(struct weir_stream *stream)
{
    struct weir_stream *inner = let_go(of(stream));
    if (inner != NULL)
        return weir_stream_close(inner);
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_fast_path_done();
    return 0;
}

static void abort_inner(struct weir_stream *stream)
{
    struct weir_stream *inner = let_go(of(stream));
    if (inner != NULL)
        weir_stream_abort(inner);
}

static const struct weir_stream_ops reader_ops = {
    .receive_some = receive_some,
    .send_all = send_all,
    .wait_send_all_might_not_block = wait_send_all_might_not_block,
    .send_eof = send_eof,
    .close = close_inner,
    .abort = abort_inner,
};

void weir_buffered_reader_init(struct weir_buffered_reader *reader, struct weir_stream *inner, void *buffer,
                               size_t size)
{
    *reader = (struct weir_buffered_reader){
        .stream.ops = &reader_ops, .inner = inner, .buffer = buffer, .size = size < INT_MAX ? size : INT_MAX};
}
