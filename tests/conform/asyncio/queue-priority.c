#include "asyncio_twin.h"

struct item {
    int priority, number;
};

static int by_priority(const void *a, const void *b, void *arg)
{
    return ((const struct item *)a)->priority - ((const struct item *)b)->priority;
}

static int getter(void *arg)
{
    struct item item;
    WEIR_TRY(weir_queue_get(arg, &item));
    say("getter: got %d %d %.1f", item.priority, item.number, now());
    return 0;
}

static int putter(void *arg)
{
    WEIR_TRY(weir_queue_put(arg, &(struct item){0, 9}));
    say("putter: put %.1f", now());
    return 0;
}

static int main_task(void *arg)
{
    static const int priorities[] = {3, 1, 2, 1, 3, 0};
    struct weir_queue queue;
    struct weir_handle task;
    struct weir_nursery nursery;
    struct item item, other;
    int rc = 0;
    WEIR_TRY(weir_priority_queue_open(&queue, 6, sizeof item, by_priority, NULL, NULL));
    for (int i = 0; i < 6; i++)
        WEIR_TRY(weir_queue_put(&queue, &(struct item){priorities[i], i}));
    if (weir_queue_put_nowait(&queue, &(struct item){0, 0}) == -EAGAIN)
        say("main: QueueFull");
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, putter, &queue, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &item));
        say("main: got %d %d %.1f", item.priority, item.number, now());
        WEIR_DO(rc, weir_handle_wait(&task));
        while (!weir_queue_is_empty(&queue) && (rc = weir_queue_get(&queue, &item)) == 0)
            say("main: got %d %d", item.priority, item.number);
        WEIR_DO(rc, weir_spawn(&nursery, getter, &queue, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_queue_put_nowait(&queue, &(struct item){5, 0}));
        WEIR_DO(rc, weir_queue_put_nowait(&queue, &(struct item){4, 0}));
        WEIR_DO(rc, weir_queue_put_nowait(&queue, &(struct item){6, 0}));
        WEIR_DO(rc, weir_handle_wait(&task));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &item));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &other));
        say("main: got %d %d %d %d %s", item.priority, item.number, other.priority, other.number,
            yes(weir_queue_is_empty(&queue)));
    }
    weir_queue_close(&queue);
    return rc;
}

TWIN(main_task)
