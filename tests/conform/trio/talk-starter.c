#include "twin.h"

static int sleepy(void *arg)
{
    int seconds = *(int *)arg;
    say("%d: Sleeping for %d seconds", seconds, seconds);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(seconds)));
    say("%d: Slept %d seconds", seconds, seconds);
    return 0;
}

static int starter(void *arg)
{
    static int seconds[] = {0, 1, 2, 3, 4, 5, 6};
    for (int i = 0; i < 7; i++)
        weir_start_soon(arg, sleepy, &seconds[i]);
    say("starter: starter done");
    return 0;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, starter, &nursery);
    say("main: all done");
    return rc;
}

TWIN(main_task)
