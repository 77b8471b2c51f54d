/* Memory channels: a ring of messages between cloneable ends; waiting senders and receivers queue first come, first
 * served. The rules are Trio's (trio.open_memory_channel). */
#include <stdlib.h>
#include <string.h>
#include <weir/sync.h>

enum { MESSAGE_MAX = 1 << 20, RING_MIN = 16 };

struct weir_channel {
    size_t capacity, size;
    size_t head, count, room; /* of the ring, in messages */
    char *ring;
    struct weir_list senders, receivers; /* waiting */
    unsigned open_send, open_receive;
    weir_message_destroy *destroy;
    void *destroy_arg;
};

/* A task that waits, on its own stack: in the channel's queue, and in the list of the end that it waits on. */
struct channel_waiter {
    struct weir_list link, on_end;
    struct weir_task *task;
    void *message; /* where to take it from, or to put it */
};

static inline void copy_message(const struct weir_channel *channel, void *to, const void *from)
{
    if (channel->size == sizeof(uint64_t)) /* most messages are a pointer */
        memcpy(to, from, sizeof(uint64_t));
    else
        memcpy(to, from, channel->size);
}

static char *slot(struct weir_channel *channel, size_t index)
{
    size_t at = channel->head + index;
    if (at >= channel->room)
        at -= channel->room;
    return channel->ring + at * channel->size;
}

static int resize(struct weir_channel *channel, size_t room)
{
    char *ring = room <= PTRDIFF_MAX / channel->size ? malloc(room * channel->size) : NULL;
    if (ring == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < channel->count; i++)
        copy_message(channel, ring + i * channel->size, slot(channel, i));
    free(channel->ring);
    channel->ring = ring;
    channel->head = 0;
    channel->room = room;
    return 0;
}

static int push(struct weir_channel *channel, const void *message)
{
    if (WEIR_UNLIKELY(channel->count == channel->room)) /* unbounded ones grow, the others never get here */
        WEIR_TRY(resize(channel, channel->room * 2));
    copy_message(channel, slot(channel, channel->count), message);
    channel->count++;
    return 0;
}

static void pop(struct weir_channel *channel, void *message)
{
    copy_message(channel, message, slot(channel, 0));
    if (++channel->head == channel->room)
        channel->head = 0;
    channel->count--;
}

static struct channel_waiter *first_waiter(struct weir_list *queue)
{
    return WEIR_LIST_FIRST(queue, struct channel_waiter, link);
}

static void wake(struct channel_waiter *waiter, int result)
{
    weir_list_remove(&waiter->link);
    weir_list_remove(&waiter->on_end);
    weir_task_wake(waiter->task, result);
}

static bool abort_wait(struct weir_task *task, void *arg)
{
    struct channel_waiter *waiter = arg;
    weir_list_remove(&waiter->link);
    weir_list_remove(&waiter->on_end);
    return true;
}

static const struct weir_wait send_wait = {.name = "weir_send", .abort = abort_wait};
static const struct weir_wait receive_wait = {.name = "weir_receive", .abort = abort_wait};

/* Apart, so that calls that need not wait set up no frame for it. */
static __attribute__((noinline)) int wait_in(const struct weir_wait *wait, struct weir_list *queue,
                                             struct weir_list *end, void *message)
{
    struct channel_waiter waiter = {.task = weir_current_task(), .message = message};
    weir_list_append(queue, &waiter.link);
    weir_list_append(end, &waiter.on_end);
    return weir_task_park(wait, &waiter);
}

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
    weir_list_init(&channel->senders);
    weir_list_init(&channel->receivers);
    size_t room = capacity == WEIR_UNBOUNDED ? RING_MIN : capacity;
    if (room > 0 && resize(channel, room) < 0) {
        free(channel);
        return -ENOMEM;
    }
    send->channel = receive->channel = channel;
    weir_list_init(&send->waiters);
    weir_list_init(&receive->waiters);
    return 0;
}

int weir_send_nowait(struct weir_send_channel *send, const void *message)
{
    struct weir_channel *channel = send->channel;
    if (channel == NULL)
        return -EBADF;
    if (channel->open_receive == 0)
        return -EPIPE;
    struct channel_waiter *receiver = first_waiter(&channel->receivers);
    if (receiver != NULL) {
        copy_message(channel, receiver->message, message);
        wake(receiver, 0);
        return 0;
    }
    return channel->count < channel->capacity ? push(channel, message) : -EAGAIN;
}

int weir_send(struct weir_send_channel *send, const void *message)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_send_nowait(send, message);
    if (rc == -EAGAIN) {
        /* Not written to: whoever receives copies out of it. */
        return wait_in(&send_wait, &send->channel->senders, &send->waiters, (void *)(uintptr_t)message);
    }
    weir_fast_path_done();
    return rc;
}

int weir_receive_nowait(struct weir_receive_channel *receive, void *message)
{
    struct weir_channel *channel = receive->channel;
    if (channel == NULL)
        return -EBADF;
    struct channel_waiter *sender = first_waiter(&channel->senders);
    if (channel->count > 0) {
        pop(channel, message);
        if (sender != NULL) { /* its message takes the place that became free */
            int rc = push(channel, sender->message);
            WEIR_ASSERT_EQ(rc, 0);
            wake(sender, 0);
        }
        return 0;
    }
    if (sender != NULL) {
        copy_message(channel, message, sender->message);
        wake(sender, 0);
        return 0;
    }
    return channel->open_send == 0 ? -ENODATA : -EAGAIN;
}

int weir_receive(struct weir_receive_channel *receive, void *message)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_receive_nowait(receive, message);
    if (rc == -EAGAIN)
        return wait_in(&receive_wait, &receive->channel->receivers, &receive->waiters, message);
    weir_fast_path_done();
    return rc;
}

int weir_send_channel_clone(struct weir_send_channel *send, struct weir_send_channel *clone)
{
    if (send->channel == NULL)
        return -EBADF;
    clone->channel = send->channel;
    weir_list_init(&clone->waiters);
    clone->channel->open_send++;
    return 0;
}

int weir_receive_channel_clone(struct weir_receive_channel *receive, struct weir_receive_channel *clone)
{
    if (receive->channel == NULL)
        return -EBADF;
    clone->channel = receive->channel;
    weir_list_init(&clone->waiters);
    clone->channel->open_receive++;
    return 0;
}

static void wake_all_on(struct weir_list *end)
{
    struct channel_waiter *waiter;
    WEIR_LIST_FOREACH (waiter, end, struct channel_waiter, on_end)
        wake(waiter, -EBADF);
}

static void wake_all_in(struct weir_list *queue, int result)
{
    struct channel_waiter *waiter;
    WEIR_LIST_FOREACH (waiter, queue, struct channel_waiter, link)
        wake(waiter, result);
}

static void destroy_undelivered(struct weir_channel *channel)
{
    channel->open_send++; /* a message may itself hold the last sender of this channel */
    for (; channel->count > 0; channel->count--) {
        if (channel->destroy != NULL)
            channel->destroy(slot(channel, 0), channel->destroy_arg);
        if (++channel->head == channel->room)
            channel->head = 0;
    }
    channel->open_send--;
}

static void free_if_unused(struct weir_channel *channel)
{
    if (channel->open_send > 0 || channel->open_receive > 0)
        return;
    free(channel->ring);
    free(channel);
}

void weir_send_channel_close(struct weir_send_channel *send)
{
    struct weir_channel *channel = send->channel;
    if (channel == NULL)
        return;
    send->channel = NULL;
    wake_all_on(&send->waiters);
    if (--channel->open_send == 0)
        wake_all_in(&channel->receivers, -ENODATA);
    free_if_unused(channel);
}

void weir_receive_channel_close(struct weir_receive_channel *receive)
{
    struct weir_channel *channel = receive->channel;
    if (channel == NULL)
        return;
    receive->channel = NULL;
    wake_all_on(&receive->waiters);
    if (--channel->open_receive == 0) {
        wake_all_in(&channel->senders, -EPIPE);
        destroy_undelivered(channel);
    }
    free_if_unused(channel);
}

static unsigned length(const struct weir_list *list)
{
    unsigned count = 0;
    for (const struct weir_list *at = list->next; at != list; at = at->next)
        count++;
    return count;
}

static void fill_statistics(const struct weir_channel *channel, struct weir_channel_statistics *statistics)
{
    *statistics = (struct weir_channel_statistics){0};
    if (channel == NULL)
        return;
    statistics->capacity = channel->capacity;
    statistics->buffered = channel->count;
    statistics->open_send_channels = channel->open_send;
    statistics->open_receive_channels = channel->open_receive;
    statistics->tasks_waiting_send = length(&channel->senders);
    statistics->tasks_waiting_receive = length(&channel->receivers);
}

void weir_send_channel_statistics(const struct weir_send_channel *send, struct weir_channel_statistics *statistics)
{
    fill_statistics(send->channel, statistics);
}

void weir_receive_channel_statistics(const struct weir_receive_channel *receive,
                                     struct weir_channel_statistics *statistics)
{
    fill_statistics(receive->channel, statistics);
}
