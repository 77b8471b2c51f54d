#include "twin.h"

static int attempt(const char *what, double seconds)
{
    int rc = weir_sleep(WEIR_SECONDS(seconds));
    say("%s: %s %.1f", what, rc == 0 ? "slept" : name(rc), now());
    return rc;
}

static int child(void *arg)
{
    struct weir_scope outer, inner, shield;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_scope_set_shield(&outer, WEIR_SHIELD_FULL);
        weir_move_on_after (&inner, WEIR_SECONDS(3), rc)
            rc = attempt("child", 5);
        say("child: %s %s", caught(&outer), caught(&inner));
        WEIR_DO(rc, rc);
        weir_with_scope (&shield, rc) {
            weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
            weir_scope_cancel(&outer);
            rc = attempt("child", 1);
        }
        WEIR_DO(rc, rc);
        rc = attempt("child", 1);
    }
    say("child: %s", caught(&outer));
    WEIR_TRY(rc);
    return attempt("child", 1);
}

static int grandchild(void *arg)
{
    return attempt("grandchild", 4);
}

static int in_shielded_nursery(struct weir_nursery *nursery)
{
    int rc = 0;
    weir_with_nursery (nursery, rc) {
        weir_scope_set_shield(&nursery->scope, WEIR_SHIELD_FULL);
        weir_start_soon(nursery, grandchild, NULL);
        rc = attempt("block", 2);
    }
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, child, NULL);
    say("main: %s %.1f", caught(&scope), now());
    double start = now();
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        WEIR_DO(rc, in_shielded_nursery(&nursery));
        say("main: still here %s %.1f", yes(scope.cancel_called), now() - start);
        rc = attempt("main", 1);
    }
    say("main: %s %s", caught(&scope), caught(&nursery.scope));
    return rc;
}

TWIN(main_task)
