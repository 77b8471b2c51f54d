#include "asyncio_twin.h"
#include <string.h>

static char called[256];

struct noting {
    struct weir_done_callback callback;
    const char *which;
};

static void call_back(struct weir_done_callback *callback, struct weir_future *future)
{
    struct noting *noting = WEIR_CONTAINER_OF(callback, struct noting, callback);
    snprintf(called + strlen(called), sizeof called - strlen(called), " %s:%s", noting->which,
             outcome(weir_future_result(future, NULL)));
}

static int main_task(void *arg)
{
    struct noting first = {{.fn = call_back}, "first"}, second = {{.fn = call_back}, "second"};
    struct noting third = {{.fn = call_back}, "third"}, late = {{.fn = call_back}, "late"};
    struct noting cancelled = {{.fn = call_back}, "cancelled"};
    struct step a = {"A", 1, 3}, b = {"B", 9, 3};
    struct weir_handle task;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &a, &task));
        weir_future_add_done_callback(&task.future, &first.callback);
        weir_future_add_done_callback(&task.future, &second.callback);
        weir_future_add_done_callback(&task.future, &third.callback);
        int removed = weir_future_remove_done_callback(&second.callback);
        say("main: %d %d", removed, weir_future_remove_done_callback(&second.callback));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        say("main:%s %.1f", called, now());
        weir_future_add_done_callback(&task.future, &late.callback);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say("main:%s %d", called, weir_future_remove_done_callback(&first.callback));
        called[0] = '\0';

        WEIR_DO(rc, weir_spawn(&nursery, do_step, &b, &task));
        weir_future_add_done_callback(&task.future, &cancelled.callback);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_handle_cancel(&task, "enough");
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say("main:%s %.1f", called, now());
    }
    return rc;
}

TWIN(main_task)
