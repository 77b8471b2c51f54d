#include "asyncio_twin.h"

static struct weir_queue queue;
static int slept;

static int worker(void *arg)
{
    for (;;) {
        int seconds;
        WEIR_TRY(weir_queue_get(&queue, &seconds));
        WEIR_TRY(weir_sleep(WEIR_SECONDS(seconds)));
        slept += seconds;
        WEIR_TRY(weir_queue_task_done(&queue));
    }
}

static int main_task(void *arg)
{
    struct weir_handle workers[3];
    struct weir_watch watches[3];
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_queue_open(&queue, 0, sizeof(int), NULL, NULL));
    for (int i = 0; i < 20; i++)
        WEIR_TRY(weir_queue_put_nowait(&queue, &(int){1 + i % 4}));
    say("main: %zu %s %s", weir_queue_size(&queue), yes(weir_queue_is_full(&queue)), yes(weir_queue_is_empty(&queue)));
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++) {
            weir_spawn(&nursery, worker, NULL, &workers[i]);
            watches[i].future = &workers[i].future;
        }
        WEIR_DO(rc, weir_queue_join(&queue));
        say("main: slept %d in parallel for %.1f", slept, now());
        for (int i = 0; i < 3; i++)
            weir_handle_cancel(&workers[i], "no more work");
        WEIR_DO(rc, weir_wait(watches, 3, WEIR_ALL_COMPLETED));
        say("main: %s %s %s %.1f", handle_outcome(&workers[0]), handle_outcome(&workers[1]),
            handle_outcome(&workers[2]), now());
    }
    weir_queue_close(&queue);
    return rc;
}

TWIN(main_task)
