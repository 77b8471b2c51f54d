/* Memory channels: how they are opened, cloned, closed and looked at; and their ring, which may grow. */
#include "channel_private.h"
#include <stdlib.h>

enum { MESSAGE_MAX = 1 << 20, RING_MIN = 16 };

/* ---- the ring ---- */

/* Each permit has a place, which nobody else may fill. */
void weir_channel_set_limit(struct weir_channel *channel)
{
    size_t places = channel->capacity == WEIR_UNBOUNDED ? channel->room : channel->capacity;
    channel->limit = places > channel->permits ? places - channel->permits : 0;
}

static int resize(struct weir_channel *channel, size_t room)
{
    char *ring = room <= PTRDIFF_MAX / channel->size ? malloc(room * channel->size) : NULL;
    if (ring == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < channel->count; i++)
        weir_channel_copy(channel, ring + i * channel->size, weir_channel_slot(channel, i));
    free(channel->ring);
    channel->ring = ring;
    channel->head = 0;
    channel->room = room;
    weir_channel_set_limit(channel);
    return 0;
}

int weir_channel_make_room(struct weir_channel *channel, size_t messages)
{
    if (messages <= channel->room)
        return 0;
    size_t room = channel->room < RING_MIN / 2 ? RING_MIN : 2 * channel->room;
    return resize(channel, room < messages ? messages : room);
}

/* ---- opening and cloning ---- */

int weir_open_memory_channel(struct weir_send_channel *send, struct weir_receive_channel *receive, size_t capacity,
                             size_t size, weir_message_destroy *destroy, void *arg)
{
    if (size == 0 || size > MESSAGE_MAX)
        return -EINVAL;
    struct weir_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return -ENOMEM;
    *channel = (struct weir_channel){
        .capacity = capacity, .size = size, .open_send = 1, .open_receive = 1, .destroy = destroy, .destroy_arg = arg};
    weir_parking_lot_init(&channel->line);
    weir_parking_lot_init(&channel->receivers);
    size_t room = capacity == WEIR_UNBOUNDED ? RING_MIN : capacity;
    if (room > 0 && resize(channel, room) < 0) {
        free(channel);
        return -ENOMEM;
    }
    send->end = receive->end = (struct weir_channel_end){.channel = channel};
    return 0;
}

int weir_send_channel_clone(struct weir_send_channel *send, struct weir_send_channel *clone)
{
    struct weir_channel *channel = send->end.channel;
    if (channel == NULL)
        return -EBADF;
    clone->end = (struct weir_channel_end){.channel = channel};
    channel->open_send++;
    return 0;
}

int weir_receive_channel_clone(struct weir_receive_channel *receive, struct weir_receive_channel *clone)
{
    struct weir_channel *channel = receive->end.channel;
    if (channel == NULL)
        return -EBADF;
    clone->end = (struct weir_channel_end){.channel = channel};
    channel->open_receive++;
    return 0;
}

/* ---- closing ---- */

static void wake_all(struct weir_parking_lot *lot, int result)
{
    struct weir_waiter *first;
    while ((first = weir_parking_lot_first(lot)) != NULL) {
        if (first->kind == &weir_reserve_wait)
            WEIR_CONTAINER_OF(first->lot, struct weir_channel, line)->reserving--;
        weir_channel_wake(first, result);
    }
}

/* Collects them first: as one wakes, others that belong to the same weir_select leave. */
static void wake_all_on(struct weir_channel_end *end, struct weir_parking_lot *lot)
{
    struct weir_parking_lot here;
    struct weir_waiter *waiter;
    if (end->waiting == 0)
        return;
    weir_parking_lot_init(&here);
    WEIR_LIST_FOREACH (waiter, &lot->parked, struct weir_waiter, link)
        if (waiter->object == end) {
            weir_list_remove(&waiter->link);
            weir_list_append(&here.parked, &waiter->link);
        }
    wake_all(&here, -EBADF);
    WEIR_ASSERT_EQ(end->waiting, 0);
}

static void free_if_unused(struct weir_channel *channel)
{
    if (channel->open_send > 0 || channel->open_receive > 0 || channel->permits > 0)
        return;
    WEIR_ASSERT_EQ(channel->reserving, 0);
    free(channel->ring);
    free(channel);
}

void weir_channel_check_ended(struct weir_channel *channel)
{
    if (channel->open_send > 0 || channel->permits > 0)
        return;
    wake_all(&channel->receivers, -ENODATA);
    free_if_unused(channel);
}

void weir_send_channel_close(struct weir_send_channel *send)
{
    struct weir_channel *channel = send->end.channel;
    if (channel == NULL)
        return;
    send->end.channel = NULL;
    wake_all_on(&send->end, &channel->line);
    channel->open_send--;
    weir_channel_check_ended(channel);
}

static void destroy_undelivered(struct weir_channel *channel)
{
    channel->open_send++; /* a message may itself hold the last sender of this channel */
    for (; channel->count > 0; channel->count--) {
        if (channel->destroy != NULL)
            channel->destroy(weir_channel_slot(channel, 0), channel->destroy_arg);
        if (++channel->head == channel->room)
            channel->head = 0;
    }
    channel->open_send--;
}

void weir_receive_channel_close(struct weir_receive_channel *receive)
{
    struct weir_channel *channel = receive->end.channel;
    if (channel == NULL)
        return;
    receive->end.channel = NULL;
    wake_all_on(&receive->end, &channel->receivers);
    if (--channel->open_receive == 0) {
        wake_all(&channel->line, -EPIPE);
        destroy_undelivered(channel);
    }
    free_if_unused(channel);
}

void weir_send_guard_close_(struct weir_send_guard *guard)
{
    if (guard->open != NULL)
        weir_send_channel_close(guard->open);
    guard->open = NULL;
}

void weir_receive_guard_close_(struct weir_receive_guard *guard)
{
    if (guard->open != NULL)
        weir_receive_channel_close(guard->open);
    guard->open = NULL;
}

/* ---- statistics ---- */

static void fill_statistics(const struct weir_channel *channel, struct weir_channel_statistics *statistics)
{
    *statistics = (struct weir_channel_statistics){0};
    if (channel == NULL)
        return;
    statistics->capacity = channel->capacity;
    statistics->buffered = channel->count;
    statistics->permits = channel->permits;
    statistics->open_send_channels = channel->open_send;
    statistics->open_receive_channels = channel->open_receive;
    statistics->tasks_waiting_send = weir_parking_lot_waiting(&channel->line);
    statistics->tasks_waiting_receive = weir_parking_lot_waiting(&channel->receivers);
}

void weir_send_channel_statistics(const struct weir_send_channel *send, struct weir_channel_statistics *statistics)
{
    fill_statistics(send->end.channel, statistics);
}

void weir_receive_channel_statistics(const struct weir_receive_channel *receive,
                                     struct weir_channel_statistics *statistics)
{
    fill_statistics(receive->end.channel, statistics);
}
