#include "twin.h"

enum { CANCEL_OUTER, SHIELD, SHIELD_BOTH, SHIELD_DOWN };

static int unwind(int how, const char *what)
{
    struct weir_scope outer, inner;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_set_shield(&inner, how == SHIELD_DOWN ? WEIR_SHIELD_FULL : WEIR_SHIELD_NONE);
            if (how != CANCEL_OUTER)
                weir_scope_cancel(&outer);
            if (how != SHIELD)
                weir_scope_cancel(&inner);
            rc = weir_checkpoint();
            if (how == CANCEL_OUTER)
                weir_scope_cancel(&outer);
            else
                weir_scope_set_shield(&inner, how == SHIELD_DOWN ? WEIR_SHIELD_NONE : WEIR_SHIELD_FULL);
        }
        WEIR_DO(rc, rc);
        say(how == SHIELD_BOTH ? "reached" : "not reached");
    }
    say("%s %s %s", what, caught(&outer), caught(&inner));
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(unwind(CANCEL_OUTER, "outer too"));
    WEIR_TRY(unwind(SHIELD, "shielded late"));
    WEIR_TRY(unwind(SHIELD_BOTH, "both"));
    return unwind(SHIELD_DOWN, "shield down");
}

TWIN(main_task)
