#include "twin.h"

static int child(void *arg)
{
    int rc = weir_sleep(WEIR_SECONDS(1));
    say("child: %s", rc == 0 ? "slept" : name(rc));
    return rc;
}

static int starter(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        weir_start_soon(arg, child, NULL);
        rc = weir_checkpoint();
    }
    say("starter: %s", yes(scope.cancelled_caught));
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope, shield;
    int rc = 0;
    /* not whoever started them */
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, starter, &nursery);
    /* but those around the nursery, and no shield inside it */
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_with_scope (&shield, rc) {
                weir_scope_set_shield(&shield, true);
                weir_start_soon(&nursery, child, NULL);
                weir_scope_cancel(&scope);
                WEIR_DO(rc, weir_checkpoint());
                say("main: shielded");
            }
        }
    }
    say("main: %s", yes(scope.cancelled_caught));
    return rc;
}

TWIN(main_task)
