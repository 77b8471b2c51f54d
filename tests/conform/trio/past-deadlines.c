#include "twin.h"

static int main_task(void *arg)
{
    struct weir_scope scope, shield;
    int rc = 0;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(10)));
    weir_move_on_at (&scope, WEIR_SECONDS(3), rc)
        say("opened %s %s", yes(scope.cancel_called), name(weir_checkpoint()));
    say("%s", caught(&scope));
    weir_move_on_at (&scope, -WEIR_SECONDS(5), rc)
        ;
    say("no checkpoint %s", caught(&scope));
    weir_with_scope (&scope, rc) {
        weir_scope_set_deadline(&scope, weir_current_time());
        say("now %s", yes(scope.cancel_called));
        weir_scope_set_deadline(&scope, weir_current_time() + WEIR_SECONDS(100));
        say("later %s %s", yes(scope.cancel_called), name(weir_sleep(WEIR_SECONDS(1))));
    }
    say("%s %.1f", caught(&scope), now());
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        weir_scope_set_deadline(&scope, WEIR_NEVER);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_scope_set_deadline(&scope, weir_current_time() + WEIR_SECONDS(1));
        const char *how = name(weir_sleep(WEIR_SECONDS(5)));
        say("again %s %.1f", how, now());
    }
    say("%s", caught(&scope));
    weir_move_on_at (&scope, WEIR_SECONDS(5), rc) {
        weir_with_scope (&shield, rc) {
            weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
            say("shielded %.1f", now());
        }
        const char *how = name(weir_sleep(WEIR_SECONDS(1)));
        say("after %s %.1f", how, now());
    }
    say("%s", caught(&scope));
    return rc;
}

TWIN(main_task)
