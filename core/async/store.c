/* A queue's messages: one array, that is a ring, a pile or a binary heap. */
#include "async_private.h"
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 16, ALIGNMENT = 16 };

static char *place(const struct weir_queue *queue, size_t index)
{
    size_t at = queue->head + index; /* the head stays at 0 but in a ring */
    if (at >= queue->room)
        at -= queue->room;
    return queue->items + at * queue->stride;
}

static int grow(struct weir_queue *queue, size_t room)
{
    char *items = room <= PTRDIFF_MAX / queue->stride ? malloc(room * queue->stride) : NULL;
    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < queue->count; i++)
        memcpy(items + i * queue->stride, place(queue, i), queue->stride);
    free(queue->items);
    queue->items = items;
    queue->head = 0;
    queue->room = room;
    return 0;
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

int weir_store_open(struct weir_queue *queue)
{
    queue->stride = queue->size;
    if (queue->kind == WEIR_QUEUE_PRIORITY) /* its number comes behind it */
        queue->stride = round_up(round_up(queue->size, sizeof(uint64_t)) + sizeof(uint64_t), ALIGNMENT);
    return grow(queue, queue->maxsize == SIZE_MAX ? ROOM_MIN : queue->maxsize);
}

/* ---- the heap: each message comes before the two below it; moved along a path, a message leaves a hole ---- */

static uint64_t *number(const struct weir_queue *queue, char *at)
{
    return (uint64_t *)(void *)(at + queue->stride - sizeof(uint64_t));
}

/* Of equals the one that was put in first: the heap alone would not keep them in order. */
static bool is_before(const struct weir_queue *queue, const void *a, uint64_t number_a, char *b)
{
    int order = queue->compare(a, b, queue->arg);
    return order != 0 ? order < 0 : number_a < *number(queue, b);
}

static void push_heap(struct weir_queue *queue, const void *message)
{
    size_t hole = queue->count++;
    uint64_t new_number = queue->sequence++;
    while (hole > 0 && is_before(queue, message, new_number, place(queue, (hole - 1) / 2))) {
        memcpy(place(queue, hole), place(queue, (hole - 1) / 2), queue->stride);
        hole = (hole - 1) / 2;
    }
    memcpy(place(queue, hole), message, queue->size);
    *number(queue, place(queue, hole)) = new_number;
}

static void pop_heap(struct weir_queue *queue, void *message)
{
    memcpy(message, place(queue, 0), queue->size);
    size_t count = --queue->count, hole = 0, below;
    char *last = place(queue, count);
    while ((below = 2 * hole + 1) < count) {
        char *other = below + 1 < count ? place(queue, below + 1) : NULL;
        if (other != NULL && is_before(queue, other, *number(queue, other), place(queue, below)))
            below++;
        if (is_before(queue, last, *number(queue, last), place(queue, below)))
            break;
        memcpy(place(queue, hole), place(queue, below), queue->stride);
        hole = below;
    }
    if (hole != count)
        memcpy(place(queue, hole), last, queue->stride);
}

/* ---- any kind ---- */

int weir_store_push(struct weir_queue *queue, const void *message)
{
    if (queue->count == queue->room) /* only those without a limit get here */
        WEIR_TRY(grow(queue, queue->room * 2));
    if (queue->kind == WEIR_QUEUE_PRIORITY)
        push_heap(queue, message);
    else
        memcpy(place(queue, queue->count++), message, queue->size);
    return 0;
}

static void pop_front(struct weir_queue *queue)
{
    if (++queue->head == queue->room)
        queue->head = 0;
    queue->count--;
}

void weir_store_pop(struct weir_queue *queue, void *message)
{
    WEIR_ASSERT(queue->count > 0);
    switch (queue->kind) {
    case WEIR_QUEUE_FIFO:
        memcpy(message, place(queue, 0), queue->size);
        pop_front(queue);
        return;
    case WEIR_QUEUE_LIFO:
        memcpy(message, place(queue, --queue->count), queue->size);
        return;
    case WEIR_QUEUE_PRIORITY:
        pop_heap(queue, message);
        return;
    }
}

void weir_store_destroy(struct weir_queue *queue)
{
    bool oldest = queue->kind == WEIR_QUEUE_FIFO;
    char *message = place(queue, oldest ? 0 : queue->count - 1);
    if (oldest)
        pop_front(queue);
    else
        queue->count--;
    if (queue->destroy != NULL)
        queue->destroy(message, queue->arg);
}
