/* What the files of the memory channel share: the channel, its ring, and the lines of those who wait. */
#ifndef WEIR_CHANNEL_PRIVATE_H
#define WEIR_CHANNEL_PRIVATE_H

#include <string.h>
#include <weir/channel.h>

struct weir_channel {
    size_t capacity, size;
    size_t head, count, room; /* of the ring, in messages */
    size_t limit;             /* so many may be in the ring before a sender must wait, or the ring must grow */
    char *ring;
    struct weir_parking_lot line, receivers; /* who waits to send or to reserve; who waits to receive */
    size_t permits, reserving;               /* permits out; those in the line who wait for one       */
    unsigned open_send, open_receive;
    weir_message_destroy *destroy;
    void *destroy_arg;
};

/* A waiter's object is the end that it waits on. Its arg is the message's place; the permit, if its kind is: */
extern const struct weir_wait weir_reserve_wait;

/* ends.c */
int weir_channel_make_room(struct weir_channel *channel, size_t messages);
void weir_channel_set_limit(struct weir_channel *channel);
void weir_channel_check_ended(struct weir_channel *channel); /* and frees it, if nobody needs it any more */

/* permit.c */
bool weir_channel_has_spare_receiver(const struct weir_channel *channel, const struct weir_task *besides);
void weir_channel_serve(struct weir_channel *channel);

/* channel.c */
bool weir_channel_leave(struct weir_task *task, void *waiter);
void weir_channel_describe(FILE *out, const struct weir_task *task, const void *waiter);

static inline void weir_channel_copy(const struct weir_channel *channel, void *to, const void *from)
{
    if (channel->size == sizeof(uint64_t)) /* most messages are a pointer */
        memcpy(to, from, sizeof(uint64_t));
    else
        memcpy(to, from, channel->size);
}

static inline char *weir_channel_slot(const struct weir_channel *channel, size_t index)
{
    size_t at = channel->head + index;
    if (at >= channel->room)
        at -= channel->room;
    return channel->ring + at * channel->size;
}

/* There is room. */
static inline void weir_channel_push(struct weir_channel *channel, const void *message)
{
    weir_channel_copy(channel, weir_channel_slot(channel, channel->count), message);
    channel->count++;
}

static inline void weir_channel_wake(struct weir_waiter *waiter, int result)
{
    struct weir_channel_end *end = waiter->object;
    end->waiting--;
    weir_waiter_wake(waiter, result);
}

static inline void weir_channel_hand_over(const struct weir_channel *channel, struct weir_waiter *receiver,
                                          const void *message)
{
    weir_channel_copy(channel, receiver->arg, message);
    weir_channel_wake(receiver, 0);
}

#endif
