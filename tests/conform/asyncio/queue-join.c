#include "asyncio_twin.h"

static int worker(void *arg)
{
    for (;;) {
        int seconds;
        WEIR_TRY(weir_queue_get(arg, &seconds));
        WEIR_TRY(weir_sleep(WEIR_SECONDS(seconds)));
        WEIR_TRY(weir_queue_task_done(arg));
        say("worker: done %d %.1f", seconds, now());
    }
}

static int joiner(void *arg)
{
    WEIR_TRY(weir_queue_join(arg));
    say("joiner: joined %.1f", now());
    return 0;
}

static int main_task(void *arg)
{
    struct weir_queue queue;
    struct weir_handle task, other;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_queue_open(&queue, 0, sizeof(int), NULL, NULL));
    WEIR_TRY(weir_queue_join(&queue));
    if (weir_queue_task_done(&queue) == -EINVAL)
        say("main: too often");
    for (int seconds = 1; seconds <= 3; seconds++)
        WEIR_TRY(weir_queue_put_nowait(&queue, &seconds));
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, worker, &queue, &task));
        WEIR_DO(rc, weir_spawn(&nursery, joiner, &queue, &other));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(4.5)));
        WEIR_DO(rc, weir_queue_put_nowait(&queue, &(int){4}));
        WEIR_DO(rc, weir_handle_wait(&other));
        say("main: %s %.1f", yes(weir_queue_is_empty(&queue)), now());
        if (weir_queue_task_done(&queue) == -EINVAL)
            say("main: too often");
        WEIR_DO(rc, weir_queue_put_nowait(&queue, &(int){1}));
        WEIR_DO(rc, weir_queue_join(&queue));
        say("main: joined %.1f", now());
        weir_handle_cancel(&task, "no more work");
    }
    weir_queue_close(&queue);
    return rc;
}

TWIN(main_task)
