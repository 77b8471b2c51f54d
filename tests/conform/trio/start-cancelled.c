#include "twin.h"

static int never(void *arg)
{
    say("child: runs");
    int rc = weir_sleep_forever();
    say("child: %s %.1f", name(rc), now());
    return rc;
}

static int too_late(void *arg)
{
    int rc = weir_sleep_forever();
    weir_started(NULL); /* may carry a -ECANCELED: stays where a scope catches it */
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 2; i++) {
            weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
                WEIR_DO(rc, weir_start(&nursery, i == 0 ? never : too_late, NULL, NULL));
                say("not reached");
            }
            say("main: %s %s %.1f", yes(scope.cancelled_caught), yes(nursery.scope.cancel_called), now());
        }
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            WEIR_DO(rc, weir_start(&nursery, never, NULL, NULL));
            say("not reached");
        }
        say("main: %s", yes(scope.cancelled_caught));
        WEIR_DO(rc, weir_checkpoint());
    }
    return rc;
}

TWIN(main_task)
