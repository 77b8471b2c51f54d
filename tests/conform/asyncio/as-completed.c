#include "asyncio_twin.h"

static int spawn_all(struct weir_nursery *nursery, struct step *steps, struct weir_handle *handles,
                     struct weir_watch *watches, int n)
{
    for (int i = 0; i < n; i++) {
        WEIR_TRY(weir_spawn_kept(nursery, do_step, &steps[i], &handles[i]));
        watches[i].future = &handles[i].future;
    }
    return 0;
}

static int main_task(void *arg)
{
    struct step steps[] = {{"A", 2, 1}, {"B", 1, 2}, {"C", 3, -EIO}}, more[] = {{"D", 2, 4}, {"E", 1, 5}};
    struct weir_handle handles[3], others[2];
    struct weir_watch watches[3], *watch;
    struct weir_nursery nursery;
    struct weir_scope timeout;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, spawn_all(&nursery, steps, handles, watches, 3));
        weir_for_each_completed (watch, watches, 3, rc)
            say("main: %s %.1f", outcome(weir_future_result(watch->future, NULL)), now());
        WEIR_DO(rc, spawn_all(&nursery, more, others, watches, 2));
        weir_for_each_completed (watch, watches, 2, rc) {
            say("main: first %d %.1f", weir_future_result(watch->future, NULL), now());
            break;
        }
        weir_fail_after (&timeout, WEIR_SECONDS(0.5), rc)
            weir_for_each_completed (watch, watches, 2, rc)
                say("main: again %d", weir_future_result(watch->future, NULL));
        say("main: %s %.1f", outcome(rc), now());
        rc = 0;
        int last = weir_handle_wait(&others[0]);
        say("main: %d %.1f", last, now());
    }
    return rc;
}

TWIN(main_task)
