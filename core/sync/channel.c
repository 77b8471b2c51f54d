/* Memory channels: sending and receiving. A ring of messages between the ends; those who wait queue first come, first
 * served. The rules are Trio's (trio.open_memory_channel); permit.c adds a place in the channel without a message. */
#include "channel_private.h"

bool weir_channel_leave(struct weir_task *task, void *arg)
{
    struct weir_waiter *waiter = arg;
    struct weir_channel_end *end = waiter->object;
    end->waiting--;
    if (waiter->kind == &weir_reserve_wait)
        WEIR_CONTAINER_OF(waiter->lot, struct weir_channel, line)->reserving--;
    return weir_waiter_abort(task, waiter);
}

void weir_channel_describe(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_waiter *waiter = arg;
    const struct weir_channel_end *end = waiter->object;
    const struct weir_channel *channel = end->channel;
    if (channel->capacity == WEIR_UNBOUNDED)
        fprintf(out, "%zu buffered", channel->count);
    else
        fprintf(out, "%zu of %zu buffered", channel->count, channel->capacity);
    if (channel->permits > 0)
        fprintf(out, ", %zu reserved", channel->permits);
}

static const struct weir_wait send_wait = {
    .name = "weir_send", .abort = weir_channel_leave, .describe = weir_channel_describe};
static const struct weir_wait receive_wait = {
    .name = "weir_receive", .abort = weir_channel_leave, .describe = weir_channel_describe};

/* ---- sending ---- */

/* Each permit of a channel without a buffer stands for one receiver; any other may be handed a message. */
static inline bool is_spare(const struct weir_channel *channel)
{
    return WEIR_LIKELY(channel->permits == 0) || channel->capacity > 0 ||
           weir_channel_has_spare_receiver(channel, NULL);
}

int weir_send_nowait(struct weir_send_channel *send, const void *message)
{
    struct weir_channel *channel = send->end.channel;
    if (channel == NULL)
        return -EBADF;
    if (channel->open_receive == 0)
        return -EPIPE;
    struct weir_waiter *receiver = weir_parking_lot_first(&channel->receivers);
    if (receiver != NULL && is_spare(channel)) {
        weir_channel_hand_over(channel, receiver, message);
        return 0;
    }
    if (WEIR_UNLIKELY(channel->count >= channel->limit)) {
        if (channel->capacity != WEIR_UNBOUNDED)
            return -EAGAIN;
        WEIR_TRY(weir_channel_make_room(channel, channel->count + channel->permits + 1));
    }
    weir_channel_push(channel, message);
    return 0;
}

static void enter_line(struct weir_waiter *waiter)
{
    struct weir_channel_end *end = waiter->object;
    end->waiting++;
    weir_waiter_enter(waiter, &end->channel->line);
}

/* Apart, so that calls that need not wait set up no frame for it. */
static __attribute__((noinline)) int wait_to_send(struct weir_channel_end *end, const void *message)
{
    struct weir_waiter waiter = {.object = end, .arg = (void *)(uintptr_t)message}; /* only read from */
    enter_line(&waiter);
    return weir_task_park(&send_wait, &waiter);
}

int weir_send(struct weir_send_channel *send, const void *message)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_send_nowait(send, message);
    if (rc == -EAGAIN)
        return wait_to_send(&send->end, message);
    weir_fast_path_done();
    return rc;
}

/* ---- receiving ---- */

static void pop(struct weir_channel *channel, void *message)
{
    weir_channel_copy(channel, message, weir_channel_slot(channel, 0));
    if (++channel->head == channel->room)
        channel->head = 0;
    channel->count--;
}

/* A place became free: it is for the first in line, who mostly has a message for it. */
static inline void give_place(struct weir_channel *channel, struct weir_waiter *first)
{
    if (WEIR_UNLIKELY(first->kind != NULL || channel->count >= channel->limit)) {
        weir_channel_serve(channel);
        return;
    }
    weir_channel_push(channel, first->arg);
    weir_channel_wake(first, 0);
}

/* The first in line who has a message. Without a buffer, who reserves is to have the receiver himself. */
static struct weir_waiter *first_sender(const struct weir_channel *channel)
{
    struct weir_waiter *waiter;
    WEIR_LIST_FOREACH (waiter, &channel->line.parked, struct weir_waiter, link) {
        if (waiter->kind == NULL)
            return waiter;
        if (channel->capacity == 0)
            return NULL;
    }
    return NULL;
}

int weir_receive_nowait(struct weir_receive_channel *receive, void *message)
{
    struct weir_channel *channel = receive->end.channel;
    if (channel == NULL)
        return -EBADF;
    struct weir_waiter *first = weir_parking_lot_first(&channel->line);
    if (channel->count > 0) {
        pop(channel, message);
        if (first != NULL)
            give_place(channel, first);
        return 0;
    }
    if (first != NULL && WEIR_UNLIKELY(first->kind != NULL))
        first = first_sender(channel);
    if (first != NULL) {
        weir_channel_copy(channel, message, first->arg);
        weir_channel_wake(first, 0);
        return 0;
    }
    return channel->open_send == 0 && channel->permits == 0 ? -ENODATA : -EAGAIN;
}

static void enter_receivers(struct weir_waiter *waiter)
{
    struct weir_channel_end *end = waiter->object;
    end->waiting++;
    weir_waiter_enter(waiter, &end->channel->receivers);
    if (WEIR_UNLIKELY(!weir_list_empty(&end->channel->line.parked))) /* one who reserves may have waited for us */
        weir_channel_serve(end->channel);
}

static __attribute__((noinline)) int wait_to_receive(struct weir_channel_end *end, void *message)
{
    struct weir_waiter waiter = {.object = end, .arg = message};
    enter_receivers(&waiter);
    return weir_task_park(&receive_wait, &waiter);
}

int weir_receive(struct weir_receive_channel *receive, void *message)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_receive_nowait(receive, message);
    if (rc == -EAGAIN)
        return wait_to_receive(&receive->end, message);
    weir_fast_path_done();
    return rc;
}

/* ---- as cases ---- */

static int attempt_send(struct weir_case *one)
{
    return weir_send_nowait(one->waiter.object, one->waiter.arg);
}

static int enter_send(struct weir_case *one)
{
    enter_line(&one->waiter);
    return 0;
}

static int attempt_receive(struct weir_case *one)
{
    return weir_receive_nowait(one->waiter.object, one->waiter.arg);
}

static int enter_receive(struct weir_case *one)
{
    enter_receivers(&one->waiter);
    return 0;
}

static void leave(struct weir_case *one)
{
    weir_channel_leave(one->waiter.task, &one->waiter);
}

const struct weir_case_kind weir_send_case = {
    .name = "weir_send", .attempt = attempt_send, .enter = enter_send, .leave = leave};
const struct weir_case_kind weir_receive_case = {
    .name = "weir_receive", .attempt = attempt_receive, .enter = enter_receive, .leave = leave};
