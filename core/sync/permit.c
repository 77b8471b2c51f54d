/* Permits: a place in a channel that is held before there is a message for it. */
#include "channel_private.h"

const struct weir_wait weir_reserve_wait = {
    .name = "weir_reserve", .abort = weir_channel_leave, .describe = weir_channel_describe};

/* Whether more receivers wait than permits are out. A task that waits for both ends at once (weir_select) never meets
 * itself: its own do not count. */
bool weir_channel_has_spare_receiver(const struct weir_channel *channel, const struct weir_task *besides)
{
    const struct weir_waiter *receiver;
    size_t found = 0;
    WEIR_LIST_FOREACH (receiver, &channel->receivers.parked, struct weir_waiter, link)
        if (receiver->task != besides && ++found > channel->permits)
            return true;
    return false;
}

static void grant(struct weir_channel *channel, struct weir_permit *permit)
{
    channel->permits++;
    weir_channel_set_limit(channel);
    permit->channel = channel;
}

static struct weir_waiter *receiver_for(const struct weir_channel *channel, const struct weir_task *sender)
{
    struct weir_waiter *receiver;
    WEIR_LIST_FOREACH (receiver, &channel->receivers.parked, struct weir_waiter, link)
        if (receiver->task != sender)
            return receiver;
    return NULL;
}

/* Gives to one of the line what has become free, a place or a receiver. */
static void serve(struct weir_channel *channel, struct weir_waiter *waiter)
{
    if (waiter->kind == &weir_reserve_wait) {
        channel->reserving--;
        grant(channel, waiter->arg);
    } else if (channel->capacity > 0) {
        weir_channel_push(channel, waiter->arg);
    } else {
        weir_channel_hand_over(channel, receiver_for(channel, waiter->task), waiter->arg);
    }
    weir_channel_wake(waiter, 0);
}

/* Something may have become free: a place in the buffer, or, without one, a receiver. The first in line gets it. */
void weir_channel_serve(struct weir_channel *channel)
{
    struct weir_waiter *waiter;
    WEIR_LIST_FOREACH (waiter, &channel->line.parked, struct weir_waiter, link) {
        bool can = channel->capacity > 0 ? channel->count < channel->limit
                                         : weir_channel_has_spare_receiver(channel, waiter->task);
        if (can)
            serve(channel, waiter);
        if (can || channel->capacity > 0)
            return;
    }
}

/* Without a buffer the message may yet have to wait for a receiver: room for it, and for those of who else reserves. */
static int set_place_aside(struct weir_channel *channel)
{
    return weir_channel_make_room(channel, channel->count + channel->permits + channel->reserving + 1);
}

int weir_reserve_nowait(struct weir_send_channel *send, struct weir_permit *permit)
{
    struct weir_channel *channel = send->end.channel;
    permit->channel = NULL;
    if (channel == NULL)
        return -EBADF;
    if (channel->open_receive == 0)
        return -EPIPE;
    if (channel->capacity == 0) {
        if (!weir_channel_has_spare_receiver(channel, NULL))
            return -EAGAIN;
        WEIR_TRY(set_place_aside(channel));
    } else if (channel->count >= channel->limit) {
        if (channel->capacity != WEIR_UNBOUNDED)
            return -EAGAIN;
        WEIR_TRY(set_place_aside(channel));
    }
    grant(channel, permit);
    return 0;
}

static int enter(struct weir_waiter *waiter)
{
    struct weir_channel_end *end = waiter->object;
    struct weir_channel *channel = end->channel;
    if (channel->capacity == 0)
        WEIR_TRY(set_place_aside(channel));
    channel->reserving++;
    end->waiting++;
    waiter->kind = &weir_reserve_wait;
    weir_waiter_enter(waiter, &channel->line);
    return 0;
}

int weir_reserve(struct weir_send_channel *send, struct weir_permit *permit)
{
    struct weir_waiter waiter = {.object = &send->end, .arg = permit};
    permit->channel = NULL;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_reserve_nowait(send, permit);
    if (rc == -EAGAIN) {
        rc = enter(&waiter);
        if (rc == 0)
            return weir_task_park(&weir_reserve_wait, &waiter);
    }
    weir_fast_path_done();
    return rc;
}

/* Spends a permit. Returns its channel, or NULL if it was spent. */
static struct weir_channel *spend(struct weir_permit *permit)
{
    struct weir_channel *channel = permit->channel;
    if (channel == NULL)
        return NULL;
    permit->channel = NULL;
    channel->permits--;
    weir_channel_set_limit(channel);
    return channel;
}

int weir_permit_send(struct weir_permit *permit, const void *message)
{
    struct weir_channel *channel = spend(permit);
    if (channel == NULL)
        return -EBADF;
    int rc = channel->open_receive > 0 ? 0 : -EPIPE;
    struct weir_waiter *receiver = weir_parking_lot_first(&channel->receivers);
    if (receiver != NULL) {
        weir_channel_hand_over(channel, receiver, message);
        weir_channel_serve(channel); /* the message did not need its place */
    } else if (rc == 0) {
        weir_channel_push(channel, message);
    }
    weir_channel_check_ended(channel);
    return rc;
}

void weir_permit_release(struct weir_permit *permit)
{
    struct weir_channel *channel = spend(permit);
    if (channel == NULL)
        return;
    weir_channel_serve(channel);
    weir_channel_check_ended(channel);
}

/* ---- as a case ---- */

static int attempt_reserve(struct weir_case *one)
{
    return weir_reserve_nowait(one->waiter.object, one->waiter.arg);
}

static int enter_reserve(struct weir_case *one)
{
    return enter(&one->waiter);
}

static void leave_reserve(struct weir_case *one)
{
    weir_channel_leave(one->waiter.task, &one->waiter);
}

const struct weir_case_kind weir_reserve_case = {
    .name = "weir_reserve", .attempt = attempt_reserve, .enter = enter_reserve, .leave = leave_reserve};
