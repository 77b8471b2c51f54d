#include "twin.h"

static int sleepy(void *arg)
{
    int seconds = *(int *)arg;
    say("Sleeping for %d seconds", seconds);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(seconds)));
    say("Slept %d seconds", seconds);
    return 0;
}

static int main_task(void *arg)
{
    struct weir_scope scope;
    struct weir_nursery nursery;
    int ten = 10, rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(3), rc)
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, sleepy, &ten);
    say("All done %.1f", now());
    return rc;
}

TWIN(main_task)
