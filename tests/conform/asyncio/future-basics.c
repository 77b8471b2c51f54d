#include "asyncio_twin.h"
#include <string.h>

struct waiter {
    char name[16];
    struct weir_future *future;
};

static int wait_and_say(void *arg)
{
    struct waiter *waiter = arg;
    int rc = weir_future_wait(waiter->future, NULL);
    say("%s: %s %.1f", waiter->name, outcome(rc), now());
    return 0;
}

static int set(struct weir_future *future, const char *what)
{
    if (strcmp(what, "result") == 0)
        return weir_future_set_result(future, 5, NULL);
    if (strcmp(what, "error") == 0)
        return weir_future_set_error(future, -EIO);
    return weir_future_cancel(future, "not wanted");
}

static int try_all(struct weir_nursery *nursery, const char *what)
{
    struct waiter waiters[2];
    struct weir_handle tasks[2];
    struct weir_future future;
    weir_future_init(&future);
    say("main: %s %s %s", yes(weir_future_is_done(&future)), yes(weir_future_is_cancelled(&future)),
        outcome(weir_future_result(&future, NULL)));
    for (int i = 0; i < 2; i++) {
        snprintf(waiters[i].name, sizeof waiters[i].name, "%c-%s", 'a' + i, what);
        waiters[i].future = &future;
        WEIR_TRY(weir_spawn(nursery, wait_and_say, &waiters[i], &tasks[i]));
    }
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    WEIR_TRY(set(&future, what));
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("main: %s %s %s %s %s", yes(weir_future_is_done(&future)), yes(weir_future_is_cancelled(&future)),
        outcome(weir_future_result(&future, NULL)), yes(weir_handle_is_done(&tasks[0])),
        yes(weir_handle_is_done(&tasks[1])));
    if (weir_future_set_result(&future, 6, NULL) == -EALREADY)
        say("main: it is set already");
    if (weir_future_set_error(&future, -EIO) == -EALREADY)
        say("main: it is set already");
    say("main: %s", yes(weir_future_cancel(&future, "again") == 0));
    return 0;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, try_all(&nursery, "result"));
        WEIR_DO(rc, try_all(&nursery, "error"));
        WEIR_DO(rc, try_all(&nursery, "cancel"));
    }
    return rc;
}

TWIN(main_task)
