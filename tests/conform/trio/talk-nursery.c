#include "twin.h"

static int sleepy(void *arg)
{
    int seconds = *(int *)arg;
    say("%d: Sleeping for %d seconds", seconds, seconds);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(seconds)));
    say("%d: Slept %d seconds", seconds, seconds);
    return 0;
}

static int main_task(void *arg)
{
    static int seconds[] = {0, 1, 2, 3, 4};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 5; i++)
            weir_start_soon(&nursery, sleepy, &seconds[i]);
        say("main: Started all tasks");
    }
    say("main: All done");
    return rc;
}

TWIN(main_task)
