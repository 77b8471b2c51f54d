/* Queues: first in first out, last in first out, and by priority; with a count of the work that is not done yet. */
#ifndef WEIR_QUEUE_H
#define WEIR_QUEUE_H

#include <weir/channel.h>

/* What comes first of two messages: < 0: a. */
typedef int weir_message_compare(const void *a, const void *b, void *arg);

/* A queue of messages of one size, in the caller's memory. Read it through the functions below. */
struct weir_queue {
    enum { WEIR_QUEUE_FIFO, WEIR_QUEUE_LIFO, WEIR_QUEUE_PRIORITY } kind;
    bool shut_down, closed;
    size_t size, stride; /* of a message; of its place */
    size_t maxsize, count, room, head;
    size_t promised; /* messages of those who were woken for one and have not run yet */
    char *items;
    uint64_t sequence, unfinished;
    weir_message_compare *compare;
    weir_message_destroy *destroy;
    void *arg;
    struct weir_parking_lot getters, putters, joiners;
    struct weir_list served; /* those to whom one is promised */
};

/* Set up a queue of messages of `size` bytes (copied in and out), of which it holds `maxsize`, or as many as come if
 * that is 0: first in, first out; last in, first out; the least first, and of equals the oldest. destroy(message, arg)
 * may be NULL, and must not wait; compare(a, b, arg) neither. Return 0, -EINVAL (size is 0 or over 1 MiB), -ENOMEM.
 * Checkpoint: never. To be closed. */
WEIR_MUST_CHECK int weir_queue_open(struct weir_queue *queue, size_t maxsize, size_t size,
                                    weir_message_destroy *destroy, void *arg);
WEIR_MUST_CHECK int weir_lifo_queue_open(struct weir_queue *queue, size_t maxsize, size_t size,
                                         weir_message_destroy *destroy, void *arg);
WEIR_MUST_CHECK int weir_priority_queue_open(struct weir_queue *queue, size_t maxsize, size_t size,
                                             weir_message_compare *compare, weir_message_destroy *destroy, void *arg);

/* Puts a message in; waits while the queue is full, those who wait first in, first out. Returns 0; -ECANCELED: not put;
 * -EPIPE: it is shut down; -EBADF: it is closed, or was meanwhile; -ENOMEM: one without a limit could not grow. On an
 * error the message is still the caller's. Checkpoint: always. */
WEIR_MUST_CHECK int weir_queue_put(struct weir_queue *queue, const void *message);

/* The same without waiting: -EAGAIN if it would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_queue_put_nowait(struct weir_queue *queue, const void *message);

/* Takes a message out; waits while there is none, those who wait first in, first out. Who has waited takes what comes
 * first when he runs, not when he was woken. Returns 0; -ECANCELED: nothing taken; -ENODATA: it is shut down and
 * empty; -EBADF: it is closed, or was meanwhile. Checkpoint: always. */
WEIR_MUST_CHECK int weir_queue_get(struct weir_queue *queue, void *message);

/* The same without waiting: -EAGAIN if it would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_queue_get_nowait(struct weir_queue *queue, void *message);

/* Cases of a weir_select, which answer as the calls of those names. Getting, it takes what comes first when it is
 * woken. */
#define WEIR_CASE_QUEUE_PUT(queue, message)                                                                            \
    WEIR_CASE_(weir_queue_put_case, struct weir_queue, (queue), (void *)(uintptr_t)(message))
#define WEIR_CASE_QUEUE_GET(queue, message) WEIR_CASE_(weir_queue_get_case, struct weir_queue, (queue), (message))
#define WEIR_CASE_QUEUE_JOIN(queue) WEIR_CASE_(weir_queue_join_case, struct weir_queue, (queue), NULL)

/* Says that the work on a message that was taken is done. Returns 0, or -EINVAL: more often than messages were put in.
 * Checkpoint: never. */
WEIR_MUST_CHECK int weir_queue_task_done(struct weir_queue *queue);

/* Waits until the work on all messages ever put in is done. Returns 0; -ECANCELED; -EBADF: it is closed, or was
 * meanwhile. Checkpoint: always. */
WEIR_MUST_CHECK int weir_queue_join(struct weir_queue *queue);

/* Nothing more can be put in: who waits to wakes with -EPIPE. What is in it can be taken still; with `immediate` it
 * meets its destructor instead, and its work counts as done. Who waits for more wakes with -ENODATA. Again: nothing,
 * but that `immediate` holds then. Checkpoint: never. */
void weir_queue_shutdown(struct weir_queue *queue, bool immediate);

/* Ends a queue; again: nothing. Whoever waits wakes with -EBADF; who was woken for a message gets it; the others meet
 * their destructor. Its memory is the caller's again at once. Checkpoint: never. */
void weir_queue_close(struct weir_queue *queue);

struct weir_queue_statistics {
    size_t size, maxsize; /* messages in it; SIZE_MAX: no limit */
    uint64_t unfinished;  /* put in, and not yet task_done     */
    unsigned tasks_waiting_get, tasks_waiting_put, tasks_waiting_join;
};
void weir_queue_statistics(const struct weir_queue *queue, struct weir_queue_statistics *statistics);

static inline size_t weir_queue_size(const struct weir_queue *queue)
{
    return queue->count;
}

static inline bool weir_queue_is_empty(const struct weir_queue *queue)
{
    return queue->count == 0;
}

static inline bool weir_queue_is_full(const struct weir_queue *queue)
{
    return queue->count >= queue->maxsize;
}

/* ---- the macros' machinery; not for direct use ---- */

extern const struct weir_case_kind weir_queue_put_case, weir_queue_get_case, weir_queue_join_case;

#endif
