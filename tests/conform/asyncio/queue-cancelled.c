#include "asyncio_twin.h"

static struct weir_queue queue;

static int get(void *arg)
{
    int item, rc = weir_queue_get(&queue, &item);
    if (rc < 0)
        say("%s: %s %.1f", (char *)arg, outcome(rc), now());
    else
        say("%s: got %d %.1f", (char *)arg, item, now());
    return rc;
}

static int put(void *arg)
{
    int item = *(char *)arg - 'a' + 1, rc = weir_queue_put(&queue, &item);
    if (rc < 0)
        say("%s: %s %.1f", (char *)arg, outcome(rc), now());
    else
        say("%s: put %.1f", (char *)arg, now());
    return rc;
}

static int main_task(void *arg)
{
    static char names[][2] = {"a", "b", "c", "d"};
    struct weir_handle a, b, c, d;
    struct weir_nursery nursery;
    int rc = 0, item;
    WEIR_TRY(weir_queue_open(&queue, 1, sizeof(int), NULL, NULL));
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, get, names[0], &a));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_spawn(&nursery, get, names[1], &b));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_handle_cancel(&a, "not needed");
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_queue_put_nowait(&queue, &(int){1}));
        WEIR_DO(rc, weir_handle_wait(&b));

        WEIR_DO(rc, weir_queue_put_nowait(&queue, &(int){2}));
        WEIR_DO(rc, weir_spawn(&nursery, put, names[2], &c));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_spawn(&nursery, put, names[3], &d));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_handle_cancel(&c, "not needed");
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &item));
        say("main: got %d %.1f", item, now());
        WEIR_DO(rc, weir_handle_wait(&d));
        WEIR_DO(rc, weir_queue_get_nowait(&queue, &item));
        say("main: got %d %s %s", item, yes(weir_queue_is_empty(&queue)), yes(weir_handle_is_cancelled(&c)));
    }
    weir_queue_close(&queue);
    return rc;
}

TWIN(main_task)
