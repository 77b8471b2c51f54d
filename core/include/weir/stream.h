/* Byte streams as an interface: TCP (weir/net/stream.h), memory (weir/testing.h), file descriptors (weir/system.h), two
 * one-way streams stapled together, and a buffered reader all fit it; listeners that give such streams, and serving
 * them.
 *
 * One task may send and one receive at a time, not more: a second one is answered -EBUSY. What every kind of stream
 * says: -ECANCELED  it did not happen; but a cancelled weir_send_all may have sent some of its bytes, or all -EPIPE the
 * stream is broken: the other end is gone. It stays broken. TCP says more where it knows more: -ECONNRESET, -ETIMEDOUT
 *   -EBADF      closed on this side: before the call, or by another task while this one waited; for what sends, also
 *               after weir_send_eof
 *   -ENOTSUP    this kind of stream has no such thing: the receiving half of a pair does not send. No checkpoint
 * After any other error than -ECANCELED, -EBUSY and -EINVAL there is nothing left to do with a stream but close it. */
#ifndef WEIR_STREAM_H
#define WEIR_STREAM_H

#include <weir/task.h>

struct weir_stream;

/* A kind of stream fills this in. Errors and checkpoints are as said below. NULL where the kind has no such thing; but
 * each can close and abort. */
struct weir_stream_ops {
    int (*receive_some)(struct weir_stream *stream, void *buffer, size_t size);
    int (*send_all)(struct weir_stream *stream, const void *data, size_t size);
    int (*wait_send_all_might_not_block)(struct weir_stream *stream);
    int (*send_eof)(struct weir_stream *stream);
    int (*close)(struct weir_stream *stream);
    void (*abort)(struct weir_stream *stream);
};

struct weir_packet_ops; /* of streams whose bytes can be had as packets: weir/net/stream.h */

struct weir_stream {
    const struct weir_stream_ops *ops;
    const struct weir_packet_ops *packets; /* NULL: bytes only */
};

/* Receives some bytes: at least 1, at most `size` > 0, as many as are there. Returns how many; 0 at the end of the
 * stream, again and again; -EINVAL (size is 0); and the errors above: of a cancelled one nothing is lost.
 * Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_receive_some(struct weir_stream *stream, void *buffer, size_t size)
{
    return stream->ops->receive_some != NULL ? stream->ops->receive_some(stream, buffer, size) : -ENOTSUP;
}

/* Sends all bytes (none is fine); waits while the stream takes no more. `data` must stay as it is until this returns.
 * Returns 0, and errors as above; after one, -ECANCELED too, it is unknown how much was sent. Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_send_all(struct weir_stream *stream, const void *data, size_t size)
{
    return stream->ops->send_all != NULL ? stream->ops->send_all(stream, data, size) : -ENOTSUP;
}

/* Waits until weir_send_all might not have to wait: for who wants to choose only then what to send. It may answer
 * early, never late. Counts as sending (-EBUSY). Returns 0 and errors as above; of a stream that breaks meanwhile it
 * may say either. Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_wait_send_all_might_not_block(struct weir_stream *stream)
{
    return stream->ops->wait_send_all_might_not_block != NULL ? stream->ops->wait_send_all_might_not_block(stream)
                                                              : -ENOTSUP;
}

/* Half-close: tells the peer that no more comes; receiving goes on. Returns 0, again too; -EBUSY (a task is sending);
 * and errors as above. Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_send_eof(struct weir_stream *stream)
{
    return stream->ops->send_eof != NULL ? stream->ops->send_eof(stream) : -ENOTSUP;
}

/* Closes a stream, so that what was sent is still delivered. Tasks that wait on it wake with -EBADF. Whose memory it is
 * says its kind: of a TCP stream the pointer is dead from now on; one that lies in the caller's memory may be closed
 * again (0), and answers -EBADF. Returns 0; -ECANCELED in a cancelled scope; or what else went wrong: it is closed in
 * any case. Checkpoint: always. */
int weir_stream_close(struct weir_stream *stream);

/* Closes a stream in a scope that is cancelled already: it does not wait to be orderly. Trio's aclose_forcefully.
 * Checkpoint: always, but it is never cancelled. */
void weir_stream_close_forcefully(struct weir_stream *stream);

/* Closes at once: where a kind can tell its peer so (TCP: a reset) it does, and drops what is queued.
 * Checkpoint: never. */
void weir_stream_abort(struct weir_stream *stream);

/* ---- two one-way streams as one two-way stream ---- */

/* Sends by one stream and receives by another: Trio's StapledStream. */
struct weir_stapled_stream {
    struct weir_stream stream;
    struct weir_stream *send, *receive; /* NULL: closed by way of this one */
    bool sending;                       /* a task is                       */
};

/* Makes one of two different streams, each from now on to be used and closed by way of it only (a half that outlives
 * its close, as one in memory, may also be looked at otherwise). The memory is the caller's, until all calls on it have
 * returned and it is closed. weir_send_eof is the sending half's, or closes that half if it has none. Closing closes
 * both, even if the first one fails; of two errors it says the first that is not -ECANCELED. Checkpoint: never. */
void weir_stapled_stream_init(struct weir_stapled_stream *stapled, struct weir_stream *send,
                              struct weir_stream *receive);

/* ---- a buffered reader: lines, and pieces of a known size or end, out of a stream ---- */

/* A stream on top of another: what it receives passes through a buffer; all else is the other's. */
struct weir_buffered_reader {
    struct weir_stream stream;
    struct weir_stream *inner; /* NULL: closed by way of this one */
    char *buffer;
    size_t size, start, end; /* what was received and not yet read is buffer[start] up to buffer[end] */
    bool receiving;          /* a task is                                                             */
    bool ended;              /* the inner stream's end was seen                                       */
};

/* Makes a reader of `inner`, which from now on is to be received from and closed by way of it only. `buffer` of `size`
 * bytes is the caller's, as is the reader, until it is closed. Checkpoint: never. */
void weir_buffered_reader_init(struct weir_buffered_reader *reader, struct weir_stream *inner, void *buffer,
                               size_t size);

/* The readers. On success *data points to what was read, inside the buffer: good until the next call that reads.
 * Each returns how many bytes that is; or an error, and then nothing is lost: what has come is in the buffer, and is
 * read by the next call.
 *   0           the stream is at its end, and nothing is left
 *   -ENODATA    the stream ended in the middle of what was asked for: weir_receive_some, or weir_reader_peek, gives
 * what came. asyncio's IncompleteReadError -EMSGSIZE   what was asked for does not fit into the buffer. asyncio's
 * LimitOverrunError -EINVAL     the delimiter is empty -ECANCELED, -EBUSY, -EPIPE, -EBADF ... as above Checkpoint:
 * always. */

/* Reads up to and with a delimiter of `length` bytes. */
WEIR_MUST_CHECK int weir_read_until(struct weir_buffered_reader *reader, const void *delimiter, size_t length,
                                    const char **data);

/* Reads a line, its '\n' included; the last one may lack it. */
WEIR_MUST_CHECK int weir_read_line(struct weir_buffered_reader *reader, const char **line);

/* Reads exactly `count` bytes. */
WEIR_MUST_CHECK int weir_read_exactly(struct weir_buffered_reader *reader, size_t count, const char **data);

/* Shows what is in the buffer, without taking it; good until the next call that reads. Returns how many bytes, 0 if
 * none. Checkpoint: never. */
int weir_reader_peek(const struct weir_buffered_reader *reader, const char **data);

/* Whether the stream's end was seen, and all before it was read: asyncio's at_eof. Checkpoint: never. */
static inline bool weir_reader_at_eof(const struct weir_buffered_reader *reader)
{
    return reader->ended && reader->start == reader->end;
}

/* ---- listeners: where streams come from ---- */

struct weir_listener;

/* A kind of listener fills this in. */
struct weir_listener_ops {
    int (*accept)(struct weir_listener *listener, struct weir_stream **stream);
    void (*close)(struct weir_listener *listener);
};

struct weir_listener {
    const struct weir_listener_ops *ops;
};

/* Accepts the next connection. Returns 0 and a stream, -ECANCELED (no connection is lost), -ENOMEM, -EBADF (closed
 * meanwhile), -EBUSY (another task does). Checkpoint: always. */
WEIR_MUST_CHECK static inline int weir_accept(struct weir_listener *listener, struct weir_stream **stream)
{
    return listener->ops->accept(listener, stream);
}

/* Closes and frees; connections not accepted are reset. Checkpoint: never. */
static inline void weir_listener_close(struct weir_listener *listener)
{
    listener->ops->close(listener);
}

/* Serves a listener until cancelled: accepts connections and starts handler(stream, arg) for each, in a nursery inside;
 * the stream is closed when its task ends, and the listener at the end. A handler that ends with an error ends only its
 * own connection when that error is the connection's (reset, timeout, broken: these are everyday); any other error
 * fails the server, as in Trio. When tasks run out it waits for one to end instead of failing. Never returns 0: returns
 * -ECANCELED, the listener's error, or the group's. Checkpoint: always. */
WEIR_MUST_CHECK int weir_serve_listener(struct weir_listener *listener,
                                        int (*handler)(struct weir_stream *stream, void *arg), void *arg);

#endif
