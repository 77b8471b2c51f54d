#include "asyncio_twin.h"

static int getter(void *arg)
{
    int item;
    WEIR_TRY(weir_queue_get(arg, &item));
    say("getter: got %d %.1f", item, now());
    return 0;
}

static int putter(void *arg)
{
    WEIR_TRY(weir_queue_put(arg, &(int){9}));
    say("putter: put %.1f", now());
    return 0;
}

static int main_task(void *arg)
{
    struct weir_queue queue;
    struct weir_handle task;
    struct weir_nursery nursery;
    int rc = 0, items[3];
    WEIR_TRY(weir_lifo_queue_open(&queue, 3, sizeof(int), NULL, NULL));
    for (int i = 0; i < 3; i++)
        WEIR_TRY(weir_queue_put(&queue, &i));
    if (weir_queue_put_nowait(&queue, &(int){3}) == -EAGAIN)
        say("main: QueueFull");
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, putter, &queue, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &items[0]));
        say("main: got %d %.1f", items[0], now());
        WEIR_DO(rc, weir_handle_wait(&task));
        for (int i = 0; i < 3 && rc == 0; i++)
            rc = weir_queue_get(&queue, &items[i]);
        say("main: got %d %d %d %.1f", items[0], items[1], items[2], now());
        WEIR_DO(rc, weir_spawn(&nursery, getter, &queue, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        for (int i = 0; i < 3 && rc == 0; i++)
            rc = weir_queue_put_nowait(&queue, &(int){10 + i});
        WEIR_DO(rc, weir_handle_wait(&task));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &items[0]));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &items[1]));
        say("main: got %d %d %s", items[0], items[1], yes(weir_queue_is_empty(&queue)));
    }
    weir_queue_close(&queue);
    return rc;
}

TWIN(main_task)
