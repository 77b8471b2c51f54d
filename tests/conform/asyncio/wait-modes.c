#include "asyncio_twin.h"
#include <string.h>

static int wait_and_say(struct weir_watch *watches, int n, enum weir_return_when when, double seconds)
{
    struct weir_scope timeout;
    int rc = 0, done = 0;
    char line[128] = "";
    weir_move_on_after (&timeout, WEIR_SECONDS(seconds), rc)
        rc = weir_wait(watches, (size_t)n, when);
    for (int i = 0; i < n; i++) {
        done += weir_future_is_done(watches[i].future);
        snprintf(line + strlen(line), sizeof line - strlen(line), " %s",
                 outcome(weir_future_result(watches[i].future, NULL)));
    }
    say("main: %d %d %.1f%s", done, n - done, now(), line);
    return rc;
}

static int main_task(void *arg)
{
    struct step steps[] = {{"A", 2, 1}, {"B", 1, 2}, {"C", 3, -EIO}, {"D", 5, 4}, {"E", 9, 5}};
    struct weir_handle handles[5];
    struct weir_watch watches[5];
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 5; i++) {
            WEIR_TRY(weir_spawn_kept(&nursery, do_step, &steps[i], &handles[i]));
            watches[i].future = &handles[i].future;
        }
        WEIR_DO(rc, wait_and_say(watches, 5, WEIR_ALL_COMPLETED, 0.5));
        WEIR_DO(rc, wait_and_say(watches, 5, WEIR_FIRST_COMPLETED, 1000));
        WEIR_DO(rc, wait_and_say(watches + 2, 2, WEIR_FIRST_COMPLETED, 1000));
        WEIR_DO(rc, wait_and_say(watches, 2, WEIR_FIRST_ERROR, 1000));
        WEIR_DO(rc, wait_and_say(watches, 5, WEIR_FIRST_ERROR, 1000));
        WEIR_DO(rc, wait_and_say(watches, 4, WEIR_ALL_COMPLETED, 1000));
        weir_handle_cancel(&handles[4], "enough");
        WEIR_DO(rc, wait_and_say(watches + 4, 1, WEIR_FIRST_ERROR, 1000));
        rc = 0;
    }
    return rc;
}

TWIN(main_task)
