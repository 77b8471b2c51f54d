#include "twin.h"
#include <string.h>

static void show(const char *where)
{
    weir_time deadline = weir_current_effective_deadline();
    if (deadline == WEIR_NEVER)
        say("%s: inf", where);
    else if (deadline == INT64_MIN)
        say("%s: -inf", where);
    else
        say("%s: %g", where, (double)deadline / 1e9);
}

static int child(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    show("child");
    weir_move_on_at (&scope, WEIR_SECONDS(7), rc)
        show("child inside");
    return rc;
}

static int main_task(void *arg)
{
    struct weir_scope outer, inner, within;
    struct weir_nursery nursery;
    int rc = 0;
    show("none");
    weir_move_on_at (&outer, WEIR_SECONDS(10), rc) {
        show("outer");
        weir_move_on_at (&inner, WEIR_SECONDS(20), rc) {
            show("later inside");
            weir_scope_set_shield(&inner, WEIR_SHIELD_FULL);
            show("shielded");
            weir_scope_set_deadline(&outer, WEIR_SECONDS(5));
            show("outer moved");
            weir_scope_set_deadline(&inner, WEIR_SECONDS(3));
            show("inner moved");
            weir_scope_set_shield(&inner, WEIR_SHIELD_NONE);
            weir_scope_set_deadline(&inner, WEIR_SECONDS(30));
            show("unshielded");
            weir_with_nursery (&nursery, rc) {
                weir_scope_set_deadline(&nursery.scope, WEIR_SECONDS(4));
                weir_move_on_at (&within, WEIR_SECONDS(1), rc)
                    weir_start_soon(&nursery, child, NULL);
                show("nursery");
            }
            weir_scope_cancel(&outer);
            show("cancelled");
            weir_scope_set_shield(&inner, WEIR_SHIELD_FULL);
            show("shielded again");
            weir_scope_cancel(&inner);
            show("its own");
        }
    }
    show("none");
    weir_move_on_at (&outer, 0, rc) {
        show("past");
        weir_scope_set_deadline(&outer, WEIR_SECONDS(50));
        show("cancelled is cancelled");
    }
    weir_with_scope (&outer, rc) {
        weir_scope_set_deadline(&outer, WEIR_SECONDS(9));
        show("set inside");
        weir_scope_set_deadline(&outer, WEIR_NEVER);
        show("taken away");
    }
    WEIR_TRY(rc);
    return weir_sleep(0);
}

TWIN(main_task)
