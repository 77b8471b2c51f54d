#include "twin.h"
#include <weir/testing.h>

static int busy(void *arg)
{
    for (int i = 0; i < 200; i++)
        WEIR_TRY(weir_checkpoint());
    say("%s: blocks", (char *)arg);
    WEIR_TRY(weir_sleep(*(char *)arg == 'a' ? WEIR_SECONDS(1) : WEIR_SECONDS(2)));
    say("%s: slept %.1f", (char *)arg, now());
    return 0;
}

struct waiter {
    const char *name;
    weir_time cushion;
};

static int waits(void *arg)
{
    struct waiter *waiter = arg;
    WEIR_TRY(weir_wait_all_tasks_blocked(waiter->cushion));
    say("waiters: %s", waiter->name);
    return 0;
}

static int main_task(void *arg)
{
    static char a[] = "a", b[] = "b";
    static struct waiter waiters[] = {{"long", WEIR_MILLISECONDS(4)}, {"short", WEIR_MILLISECONDS(2)}, {"none", 0}};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, busy, a);
        weir_start_soon(&nursery, busy, b);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        say("main: all blocked %.1f", now());
    }
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, waits, &waiters[i]);
    say("main: %.1f", now());
    return rc;
}

TWIN(main_task)
