#include "asyncio_twin.h"

static int produce(void *arg)
{
    for (int i = 0; i < 5; i++) {
        WEIR_TRY(weir_queue_put(arg, &i));
        say("producer: put %d %.1f", i, now());
        WEIR_TRY(weir_sleep(WEIR_SECONDS(0.5)));
    }
    return 0;
}

static int consume(void *arg)
{
    for (int i = 0; i < 5; i++) {
        int item;
        WEIR_TRY(weir_sleep(WEIR_SECONDS(2)));
        WEIR_TRY(weir_queue_get(arg, &item));
        say("consumer: got %d %.1f", item, now());
    }
    return 0;
}

static int main_task(void *arg)
{
    struct weir_queue queue;
    struct weir_call calls[] = {WEIR_CALL(produce, &queue), WEIR_CALL(consume, &queue)};
    int first = 0, second = 0, third;
    WEIR_TRY(weir_queue_open(&queue, 2, sizeof(int), NULL, NULL));
    for (int item = 7; item <= 9; item++)
        if (weir_queue_put_nowait(&queue, &item) == -EAGAIN)
            say("main: QueueFull %zu %s", weir_queue_size(&queue), yes(weir_queue_is_full(&queue)));
    WEIR_TRY(weir_queue_get_nowait(&queue, &first));
    WEIR_TRY(weir_queue_get_nowait(&queue, &second));
    say("main: %d %d", first, second);
    if (weir_queue_get_nowait(&queue, &third) == -EAGAIN)
        say("main: QueueEmpty %zu %s", weir_queue_size(&queue), yes(weir_queue_is_empty(&queue)));
    WEIR_TRY(weir_gather(calls, 2, WEIR_FAIL_FAST, NULL));
    say("main: %zu %.1f", weir_queue_size(&queue), now());
    weir_queue_close(&queue);
    return 0;
}

TWIN(main_task)
