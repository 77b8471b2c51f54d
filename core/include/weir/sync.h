/* What tasks of one loop meet at: events and memory channels; parking lots and limiters, in headers of their own. */
#ifndef WEIR_SYNC_H
#define WEIR_SYNC_H

#include <weir/limiter.h>
#include <weir/parking.h>
#include <weir/task.h>

/* ---- event ---- */

struct weir_event {
    bool is_set;
    struct weir_list waiters;
};

/* Sets up an event that is not set. */
void weir_event_init(struct weir_event *event);

/* Sets it, once and for all, and wakes all who wait. Checkpoint: never. */
void weir_event_set(struct weir_event *event);

static inline bool weir_event_is_set(const struct weir_event *event)
{
    return event->is_set;
}

/* Waits until it is set. Returns 0 or -ECANCELED. Checkpoint: always. */
WEIR_MUST_CHECK int weir_event_wait(struct weir_event *event);

/* How many tasks wait. Checkpoint: never. */
unsigned weir_event_waiting(const struct weir_event *event);

/* ---- memory channels ---- */

#define WEIR_UNBOUNDED SIZE_MAX

struct weir_channel;

/* An end of a channel. Clone it to hand it to another task; every clone is closed by itself. */
struct weir_send_channel {
    struct weir_channel *channel; /* NULL: closed */
    struct weir_list waiters;     /* tasks waiting on this end */
};
struct weir_receive_channel {
    struct weir_channel *channel;
    struct weir_list waiters;
};

/* Destroys a message that was sent and will not be received. Must not wait. */
typedef void weir_message_destroy(void *message, void *arg);

/* Opens a channel for messages of `size` bytes (copied in and out), of which `capacity` may wait in it: 0 hands each
 * over directly, WEIR_UNBOUNDED never makes a sender wait. destroy(message, arg): may be NULL.
 * Returns 0, -EINVAL (size is 0 or over 1 MiB), -ENOMEM. Checkpoint: never. Both ends are to be closed. */
WEIR_MUST_CHECK int weir_open_memory_channel(struct weir_send_channel *send, struct weir_receive_channel *receive,
                                             size_t capacity, size_t size, weir_message_destroy *destroy, void *arg);

/* Sends a message (its bytes are copied before this returns). Returns 0; -ECANCELED: not sent; -EPIPE: every receiver
 * has closed; -EBADF: this end is closed, or was closed meanwhile; -ENOMEM: an unbounded channel could not grow. On an
 * error the message is still the caller's. Checkpoint: always. */
WEIR_MUST_CHECK int weir_send(struct weir_send_channel *send, const void *message);

/* The same without waiting: -EAGAIN if it would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_send_nowait(struct weir_send_channel *send, const void *message);

/* Receives a message. Returns 0; -ECANCELED: nothing taken; -ENODATA: every sender has closed and all is drained;
 * -EBADF: this end is closed, or was closed meanwhile. Checkpoint: always. */
WEIR_MUST_CHECK int weir_receive(struct weir_receive_channel *receive, void *message);

/* The same without waiting: -EAGAIN if it would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_receive_nowait(struct weir_receive_channel *receive, void *message);

/* Makes another end of the same channel. Returns 0 or -EBADF (it is closed). Checkpoint: never. */
WEIR_MUST_CHECK int weir_send_channel_clone(struct weir_send_channel *send, struct weir_send_channel *clone);
WEIR_MUST_CHECK int weir_receive_channel_clone(struct weir_receive_channel *receive,
                                               struct weir_receive_channel *clone);

/* Closes an end; again: nothing. Whoever waits on it wakes with -EBADF. The last sender's close is end-of-channel once
 * the buffer is drained; the last receiver's breaks the senders, and what was buffered meets its destructor.
 * Checkpoint: never. */
void weir_send_channel_close(struct weir_send_channel *send);
void weir_receive_channel_close(struct weir_receive_channel *receive);

struct weir_channel_statistics {
    size_t capacity, buffered;
    unsigned open_send_channels, open_receive_channels, tasks_waiting_send, tasks_waiting_receive;
};
void weir_send_channel_statistics(const struct weir_send_channel *send, struct weir_channel_statistics *statistics);
void weir_receive_channel_statistics(const struct weir_receive_channel *receive,
                                     struct weir_channel_statistics *statistics);

#endif
