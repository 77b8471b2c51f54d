/* Byte streams as an interface: TCP (weir/net/stream.h), memory (weir/testing.h), file descriptors (weir/system.h) and
 * stapled ones all fit it; and a buffered reader on top of any. */
#ifndef WEIR_STREAM_H
#define WEIR_STREAM_H

#include <weir/task.h>

struct weir_stream;

/* A kind of stream fills this in. Errors and checkpoints are as said below. NULL where the kind has no such thing: then
 * the call answers -ENOTSUP. */
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

#endif
