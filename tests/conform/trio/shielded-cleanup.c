#include "twin.h"

static int worker(void *arg)
{
    struct weir_scope cleanup;
    int rc = weir_sleep_forever(), done = 0;
    weir_move_on_after (&cleanup, WEIR_SECONDS(30), done) {
        weir_scope_set_shield(&cleanup, true);
        WEIR_DO(done, weir_sleep(WEIR_SECONDS(5)));
        say("worker: cleaned up %.1f", now());
    }
    return rc;
}

static int main_task(void *arg)
{
    struct weir_scope scope;
    struct weir_nursery nursery;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(2), rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, worker, NULL);
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(3)));
            say("not reached");
        }
    }
    say("main: %s %.1f", yes(scope.cancelled_caught), now());
    return rc;
}

TWIN(main_task)
