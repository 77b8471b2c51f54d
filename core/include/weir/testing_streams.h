/* For tests: streams in memory whose every step can be had in hand, streams without any buffer, and a listener in
 * memory. Trio's trio.testing, "Streams". They lie in the caller's memory: closed ones may be touched. */
#ifndef WEIR_TESTING_STREAMS_H
#define WEIR_TESTING_STREAMS_H

#include <weir/parking.h>
#include <weir/stream.h>

/* ---- memory streams: each half by itself, and what connects them ---- */

/* Bytes on their way; private. */
struct weir_byte_queue {
    char *bytes;
    size_t start, end, room;
    size_t max; /* so many wait in it at the most: putting more is -ENOBUFS */
    bool closed, fetching;
    struct weir_parking_lot lot; /* the task that waits for some */
};

#define WEIR_MEMORY_STREAM_MAX ((size_t)16 << 20) /* what `max` is at first */

/* A sending half: what is sent lies in it until somebody gets it. The hooks (NULL at first; `hook_arg` is theirs) may
 * be set at any time, and what they return < 0 is the call's error. Trio's MemorySendStream. */
struct weir_memory_send_stream {
    struct weir_stream stream;
    int (*send_all_hook)(struct weir_memory_send_stream *half); /* after the bytes are there; may wait */
    int (*wait_send_all_might_not_block_hook)(struct weir_memory_send_stream *half); /* may wait       */
    int (*close_hook)(struct weir_memory_send_stream *half);                         /* must not wait  */
    void *hook_arg;
    struct weir_byte_queue outgoing;
    bool busy;
};

/* A receiving half: what is put into it can be received. Trio's MemoryReceiveStream. */
struct weir_memory_receive_stream {
    struct weir_stream stream;
    int (*receive_some_hook)(struct weir_memory_receive_stream *half); /* before bytes are taken; may wait */
    int (*close_hook)(struct weir_memory_receive_stream *half);        /* must not wait                    */
    void *hook_arg;
    struct weir_byte_queue incoming;
    bool busy, closed;
};

/* Sets up a half. Checkpoint: never. Free it in the end, when no task waits in it. */
void weir_memory_send_stream_init(struct weir_memory_send_stream *half);
void weir_memory_receive_stream_init(struct weir_memory_receive_stream *half);

/* Frees the bytes still in it; does not close it, no hook is called. Checkpoint: never. */
void weir_memory_send_stream_free(struct weir_memory_send_stream *half);
void weir_memory_receive_stream_free(struct weir_memory_receive_stream *half);

/* Gets some of what was sent: `size` > 0 bytes at most. Returns how many, 0 if it was closed and all is taken; -EINVAL;
 * -EBUSY: another task is getting some; -ECANCELED. The first waits until something is there (Checkpoint: always), the
 * second says -EAGAIN (Checkpoint: never). */
WEIR_MUST_CHECK int weir_memory_stream_get_data(struct weir_memory_send_stream *half, void *buffer, size_t size);
WEIR_MUST_CHECK int weir_memory_stream_get_data_nowait(struct weir_memory_send_stream *half, void *buffer, size_t size);

/* Puts bytes where they can be received; and the end of the stream behind them, again: nothing. Putting bytes returns
 * 0; -EBADF: the half is closed, or the end was put already; -ENOBUFS: too many wait; -ENOMEM: nothing was put.
 * Checkpoint: never. */
WEIR_MUST_CHECK int weir_memory_stream_put_data(struct weir_memory_receive_stream *half, const void *data, size_t size);
void weir_memory_stream_put_eof(struct weir_memory_receive_stream *half);

/* Moves bytes from one half to the other, `max` at most (0: all); or, when all are moved and the sending half is
 * closed, the end. Returns 1 if there was something to move, 0 if not; -EPIPE: the receiving half is closed, and the
 * bytes are lost; -EBUSY: a task is getting them; -ENOBUFS, -ENOMEM: nothing was moved. Checkpoint: never. */
int weir_memory_stream_pump(struct weir_memory_send_stream *from, struct weir_memory_receive_stream *to, size_t max);

/* Two halves, connected by hooks of the sending one that pump. */
struct weir_memory_stream_one_way_pair {
    struct weir_memory_send_stream send;
    struct weir_memory_receive_stream receive;
};

/* Two streams that are connected both ways: ends[i] is ways[i].send and ways[1 - i].receive, stapled. */
struct weir_memory_stream_pair {
    struct weir_memory_stream_one_way_pair ways[2];
    struct weir_stapled_stream ends[2];
    struct weir_list link; /* a listener's; private */
};

void weir_memory_stream_one_way_pair_init(struct weir_memory_stream_one_way_pair *pair);
void weir_memory_stream_one_way_pair_free(struct weir_memory_stream_one_way_pair *pair);
void weir_memory_stream_pair_init(struct weir_memory_stream_pair *pair);
void weir_memory_stream_pair_free(struct weir_memory_stream_pair *pair);

/* ---- lockstep streams: no buffer, each weir_send_all waits until all of it is received ---- */

struct weir_lockstep_stream_one_way_pair {
    struct weir_stream send, receive;
    const char *data; /* the rest of what is being sent: the sender's own */
    size_t size;
    bool sending, receiving, send_closed, receive_closed;
    struct weir_parking_lot lot;
};

struct weir_lockstep_stream_pair {
    struct weir_lockstep_stream_one_way_pair ways[2];
    struct weir_stapled_stream ends[2];
};

/* Set them up. There is nothing to free. Checkpoint: never. */
void weir_lockstep_stream_one_way_pair_init(struct weir_lockstep_stream_one_way_pair *pair);
void weir_lockstep_stream_pair_init(struct weir_lockstep_stream_pair *pair);

/* ---- a listener in memory, to serve without a network ---- */

struct weir_memory_listener {
    struct weir_listener listener;
    struct weir_list connecting; /* pairs not yet accepted    */
    struct weir_parking_lot lot; /* the task that accepts     */
    bool accepting, closed;
};

/* Sets one up, in the caller's memory. Checkpoint: never. */
void weir_memory_listener_init(struct weir_memory_listener *listener);

/* Connects: sets `pair` up; ends[0] is the caller's stream, ends[1] will be accepted, or is aborted if the listener
 * closes before. `pair` must outlive that; free it when the server is done with it too. Returns 0, or -ECONNREFUSED:
 * the listener is closed, and there is no pair. Checkpoint: never. */
WEIR_MUST_CHECK int weir_memory_listener_connect(struct weir_memory_listener *listener,
                                                 struct weir_memory_stream_pair *pair);

#endif
