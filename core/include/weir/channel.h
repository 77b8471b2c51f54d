/* Memory channels: messages from task to task, through a buffer or from hand to hand. */
#ifndef WEIR_CHANNEL_H
#define WEIR_CHANNEL_H

#include <weir/select.h>

#define WEIR_UNBOUNDED SIZE_MAX

struct weir_channel;

/* An end of a channel. Clone it to hand it to another task; every clone is closed by itself. */
struct weir_channel_end {
    struct weir_channel *channel; /* NULL: closed               */
    unsigned waiting;             /* tasks waiting on this end  */
};
struct weir_send_channel {
    struct weir_channel_end end;
};
struct weir_receive_channel {
    struct weir_channel_end end;
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

/* Loop: weir_for_each_message(&receive, &message, rc) { ... rc = something(); ... } receives until the channel has
 * ended, which leaves 0 in rc. It ends too when receiving fails, or when the body leaves an error in rc, and that is
 * then in rc. Trio's `async for`. Checkpoint: always, before each message. */
#define weir_for_each_message(receive, message, rc) while (weir_next_message_((receive), (message), &(rc)))

/* Makes another end of the same channel. Returns 0 or -EBADF (it is closed). Checkpoint: never. */
WEIR_MUST_CHECK int weir_send_channel_clone(struct weir_send_channel *send, struct weir_send_channel *clone);
WEIR_MUST_CHECK int weir_receive_channel_clone(struct weir_receive_channel *receive,
                                               struct weir_receive_channel *clone);

/* Closes an end; again: nothing. Whoever waits on it wakes with -EBADF. The last sender's close is end-of-channel once
 * the buffer is drained and no permit is out; the last receiver's breaks the senders, and what was buffered meets its
 * destructor. Checkpoint: never. */
void weir_send_channel_close(struct weir_send_channel *send);
void weir_receive_channel_close(struct weir_receive_channel *receive);

/* Blocks: weir_with_send_channel(&send) { ... } closes the end, however it is left. */
#define weir_with_send_channel(send) WEIR_BLOCK_(weir_send_guard, (struct weir_send_guard){send})
#define weir_with_receive_channel(receive) WEIR_BLOCK_(weir_receive_guard, (struct weir_receive_guard){receive})

struct weir_channel_statistics {
    size_t capacity, buffered, permits;
    unsigned open_send_channels, open_receive_channels;
    unsigned tasks_waiting_send; /* or to reserve */
    unsigned tasks_waiting_receive;
};
void weir_send_channel_statistics(const struct weir_send_channel *send, struct weir_channel_statistics *statistics);
void weir_receive_channel_statistics(const struct weir_receive_channel *receive,
                                     struct weir_channel_statistics *statistics);

/* ---- permits: reserve, then send, so that a send that is cancelled loses nothing ---- */

/* A place in a channel for one message. It counts against the capacity like a message; with capacity 0 it stands for
 * one receiver that waits. It does not depend on the end that it was reserved through, which may be closed: the channel
 * ends for its receivers when no permit is out either. It is to be used or released; then it is spent. */
struct weir_permit {
    struct weir_channel *channel; /* NULL: spent */
};

/* Waits for a place, in one line with those who send. Returns 0; -ECANCELED, -EPIPE and -EBADF as weir_send; -ENOMEM.
 * On an error the permit is a spent one. Checkpoint: always. */
WEIR_MUST_CHECK int weir_reserve(struct weir_send_channel *send, struct weir_permit *permit);

/* The same without waiting: -EAGAIN if it would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_reserve_nowait(struct weir_send_channel *send, struct weir_permit *permit);

/* Sends a message into the place, and spends the permit. There is room: should the receiver that it stood for have left
 * meanwhile, the message waits for the next one. Returns 0; -EPIPE: every receiver has closed; -EBADF: the permit is
 * spent. On an error the message is still the caller's. Checkpoint: never. */
WEIR_MUST_CHECK int weir_permit_send(struct weir_permit *permit, const void *message);

/* Gives the place up; the first who waits for one gets it. A spent permit: nothing. Checkpoint: never. */
void weir_permit_release(struct weir_permit *permit);

/* ---- cases of a weir_select ---- */

#define WEIR_CASE_RECEIVE(receive, message)                                                                            \
    WEIR_CASE_(weir_receive_case, struct weir_receive_channel, (receive), (message))
#define WEIR_CASE_SEND(send, message)                                                                                  \
    WEIR_CASE_(weir_send_case, struct weir_send_channel, (send), (void *)(uintptr_t)(message))
#define WEIR_CASE_RESERVE(send, permit) WEIR_CASE_(weir_reserve_case, struct weir_send_channel, (send), (permit))

extern const struct weir_case_kind weir_receive_case, weir_send_case, weir_reserve_case;

/* ---- the blocks' machinery; not for direct use ---- */

struct weir_send_guard {
    struct weir_send_channel *open;
};
struct weir_receive_guard {
    struct weir_receive_channel *open;
};
void weir_send_guard_close_(struct weir_send_guard *guard);
void weir_receive_guard_close_(struct weir_receive_guard *guard);

static inline bool weir_next_message_(struct weir_receive_channel *receive, void *message, int *status)
{
    if (*status < 0) /* the body's */
        return false;
    int rc = weir_receive(receive, message);
    *status = rc == -ENODATA ? 0 : rc;
    return rc == 0;
}

#endif
