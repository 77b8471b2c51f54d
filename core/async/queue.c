/* Queues: who waits, and for what. The messages themselves are in store.c.
 *
 * Who is woken for a message takes it when he runs, so that it is the one that comes first then; it is promised to him
 * until then, and nobody else can take it. Invariants: somebody waits to get only if every message is promised;
 * somebody waits to put only if the queue is full. */
#include "async_private.h"
#include <stdlib.h>

enum { MESSAGE_MAX = 1 << 20 };

static int open_queue(struct weir_queue *queue, size_t maxsize, size_t size)
{
    if (size == 0 || size > MESSAGE_MAX)
        return -EINVAL;
    queue->size = size;
    queue->maxsize = maxsize != 0 ? maxsize : SIZE_MAX;
    weir_parking_lot_init(&queue->getters);
    weir_parking_lot_init(&queue->putters);
    weir_parking_lot_init(&queue->joiners);
    weir_list_init(&queue->served);
    return weir_store_open(queue);
}

int weir_queue_open(struct weir_queue *queue, size_t maxsize, size_t size, weir_message_destroy *destroy, void *arg)
{
    *queue = (struct weir_queue){.kind = WEIR_QUEUE_FIFO, .destroy = destroy, .arg = arg};
    return open_queue(queue, maxsize, size);
}

int weir_lifo_queue_open(struct weir_queue *queue, size_t maxsize, size_t size, weir_message_destroy *destroy,
                         void *arg)
{
    *queue = (struct weir_queue){.kind = WEIR_QUEUE_LIFO, .destroy = destroy, .arg = arg};
    return open_queue(queue, maxsize, size);
}

int weir_priority_queue_open(struct weir_queue *queue, size_t maxsize, size_t size, weir_message_compare *compare,
                             weir_message_destroy *destroy, void *arg)
{
    *queue = (struct weir_queue){.kind = WEIR_QUEUE_PRIORITY, .compare = compare, .destroy = destroy, .arg = arg};
    return open_queue(queue, maxsize, size);
}

static void wake_all(struct weir_parking_lot *lot, int result)
{
    struct weir_waiter *waiter;
    while ((waiter = weir_parking_lot_first(lot)) != NULL)
        weir_waiter_wake(waiter, result);
}

/* There is a message more: for the first who waits for one. A case of a select has no say when its task runs, so it
 * gets it now. */
static void serve(struct weir_queue *queue)
{
    struct weir_waiter *getter = weir_parking_lot_first(&queue->getters);
    if (getter == NULL)
        return;
    if (getter->of != NULL) {
        weir_store_pop(queue, getter->arg);
        weir_waiter_wake(getter, 0);
        return;
    }
    weir_waiter_wake(getter, 0);
    weir_list_append(&queue->served, &getter->link);
    queue->promised++;
}

static int add(struct weir_queue *queue, const void *message)
{
    WEIR_TRY(weir_store_push(queue, message));
    queue->unfinished++;
    serve(queue);
    return 0;
}

/* Lets those in who wait to put, as long as there is room. */
static void let_in(struct weir_queue *queue)
{
    struct weir_waiter *putter;
    while (queue->count < queue->maxsize && (putter = weir_parking_lot_first(&queue->putters)) != NULL) {
        int rc = weir_store_push(queue, putter->arg);
        WEIR_ASSERT_EQ(rc, 0); /* the place was there before */
        queue->unfinished++;
        weir_waiter_wake(putter, 0);
        serve(queue);
    }
}

int weir_queue_put_nowait(struct weir_queue *queue, const void *message)
{
    if (queue->closed)
        return -EBADF;
    if (queue->shut_down)
        return -EPIPE;
    return queue->count < queue->maxsize ? add(queue, message) : -EAGAIN;
}

static const struct weir_wait put_wait = {.name = "weir_queue_put", .abort = weir_waiter_abort};

int weir_queue_put(struct weir_queue *queue, const void *message)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_queue_put_nowait(queue, message);
    if (rc == -EAGAIN) {
        /* Not written to: whoever makes room copies out of it. */
        struct weir_waiter waiter = {.object = queue, .arg = (void *)(uintptr_t)message};
        return weir_waiter_park(&waiter, &queue->putters, &put_wait);
    }
    weir_fast_path_done();
    return rc;
}

int weir_queue_get_nowait(struct weir_queue *queue, void *message)
{
    if (queue->closed)
        return -EBADF;
    if (queue->count == queue->promised)
        return queue->shut_down ? -ENODATA : -EAGAIN;
    weir_store_pop(queue, message);
    let_in(queue);
    return 0;
}

static const struct weir_wait get_wait = {.name = "weir_queue_get", .abort = weir_waiter_abort};

static int wait_to_get(struct weir_queue *queue, void *message)
{
    struct weir_waiter waiter = {.object = queue, .arg = message};
    WEIR_TRY(weir_waiter_park(&waiter, &queue->getters, &get_wait));
    if (waiter.arg == NULL) /* it was handed over, and the queue may be gone */
        return 0;
    weir_list_remove(&waiter.link);
    queue->promised--;
    weir_store_pop(queue, message);
    let_in(queue);
    return 0;
}

int weir_queue_get(struct weir_queue *queue, void *message)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_queue_get_nowait(queue, message);
    if (rc == -EAGAIN)
        return wait_to_get(queue, message);
    weir_fast_path_done();
    return rc;
}

/* ---- the work on messages ---- */

static void work_done(struct weir_queue *queue)
{
    if (--queue->unfinished == 0)
        wake_all(&queue->joiners, 0);
}

int weir_queue_task_done(struct weir_queue *queue)
{
    if (queue->unfinished == 0)
        return -EINVAL;
    work_done(queue);
    return 0;
}

static int try_to_join(const struct weir_queue *queue)
{
    if (queue->closed)
        return -EBADF;
    return queue->unfinished == 0 ? 0 : -EAGAIN;
}

static const struct weir_wait join_wait = {.name = "weir_queue_join", .abort = weir_waiter_abort};

int weir_queue_join(struct weir_queue *queue)
{
    struct weir_waiter waiter = {.object = queue};
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = try_to_join(queue);
    if (rc == -EAGAIN)
        return weir_waiter_park(&waiter, &queue->joiners, &join_wait);
    weir_fast_path_done();
    return rc;
}

/* ---- the end ---- */

/* Hands over what is promised, and has the rest destroyed. */
static void empty(struct weir_queue *queue)
{
    struct weir_waiter *getter;
    while ((getter = WEIR_LIST_FIRST(&queue->served, struct weir_waiter, link)) != NULL) {
        weir_store_pop(queue, getter->arg);
        weir_list_remove(&getter->link);
        getter->arg = NULL;
        queue->promised--;
    }
    while (queue->count > 0) {
        weir_store_destroy(queue);
        if (queue->unfinished > 0) /* somebody may have said so of messages that he never took */
            work_done(queue);
    }
}

void weir_queue_shutdown(struct weir_queue *queue, bool immediate)
{
    if (queue->closed)
        return;
    queue->shut_down = true;
    wake_all(&queue->putters, -EPIPE);
    wake_all(&queue->getters, -ENODATA);
    if (immediate)
        empty(queue);
}

void weir_queue_close(struct weir_queue *queue)
{
    if (queue->closed)
        return;
    queue->closed = true;
    wake_all(&queue->putters, -EBADF);
    wake_all(&queue->getters, -EBADF);
    wake_all(&queue->joiners, -EBADF);
    empty(queue);
    free(queue->items);
    queue->items = NULL;
}

void weir_queue_statistics(const struct weir_queue *queue, struct weir_queue_statistics *statistics)
{
    *statistics = (struct weir_queue_statistics){
        .size = queue->count,
        .maxsize = queue->maxsize,
        .unfinished = queue->unfinished,
        .tasks_waiting_get = weir_parking_lot_waiting(&queue->getters),
        .tasks_waiting_put = weir_parking_lot_waiting(&queue->putters),
        .tasks_waiting_join = weir_parking_lot_waiting(&queue->joiners),
    };
}

/* ---- as cases of a weir_select ---- */

static int attempt_put(struct weir_case *one)
{
    return weir_queue_put_nowait(one->waiter.object, one->waiter.arg);
}

static int enter_put(struct weir_case *one)
{
    struct weir_queue *queue = one->waiter.object;
    weir_waiter_enter(&one->waiter, &queue->putters);
    return 0;
}

static int attempt_get(struct weir_case *one)
{
    return weir_queue_get_nowait(one->waiter.object, one->waiter.arg);
}

static int enter_get(struct weir_case *one)
{
    struct weir_queue *queue = one->waiter.object;
    weir_waiter_enter(&one->waiter, &queue->getters);
    return 0;
}

static int attempt_join(struct weir_case *one)
{
    return try_to_join(one->waiter.object);
}

static int enter_join(struct weir_case *one)
{
    struct weir_queue *queue = one->waiter.object;
    weir_waiter_enter(&one->waiter, &queue->joiners);
    return 0;
}

const struct weir_case_kind weir_queue_put_case = {
    .name = "weir_queue_put", .attempt = attempt_put, .enter = enter_put, .leave = weir_case_leave_line};
const struct weir_case_kind weir_queue_get_case = {
    .name = "weir_queue_get", .attempt = attempt_get, .enter = enter_get, .leave = weir_case_leave_line};
const struct weir_case_kind weir_queue_join_case = {
    .name = "weir_queue_join", .attempt = attempt_join, .enter = enter_join, .leave = weir_case_leave_line};
