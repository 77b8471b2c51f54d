#include "twin.h"

static int unshield(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(3)));
    weir_scope_set_shield(arg, false);
    return 0;
}

static int main_task(void *arg)
{
    struct weir_scope outer, inner;
    struct weir_nursery nursery;
    int rc = 0;
    weir_move_on_after (&outer, WEIR_SECONDS(1), rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_set_shield(&inner, true);
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
            say("shielded %.1f %s", now(), yes(outer.cancel_called));
            weir_scope_set_shield(&inner, false);
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
            say("not reached");
        }
    }
    say("%s %s %.1f", yes(outer.cancelled_caught), yes(inner.cancelled_caught), now());
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&outer, WEIR_SECONDS(1), rc) {
            weir_with_scope (&inner, rc) {
                weir_scope_set_shield(&inner, true);
                weir_start_soon(&nursery, unshield, &inner);
                rc = weir_sleep(WEIR_SECONDS(10));
            }
        }
    }
    say("%s %s %.1f", yes(outer.cancelled_caught), yes(inner.cancelled_caught), now());
    weir_move_on_after (&outer, WEIR_SECONDS(5), rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_set_shield(&inner, true);
            weir_scope_cancel(&outer);
            weir_scope_cancel(&inner);
            rc = weir_sleep(WEIR_SECONDS(10));
        }
        say("its own %s", yes(inner.cancelled_caught));
        WEIR_DO(rc, weir_checkpoint());
        say("not reached");
    }
    say("%s %.1f", yes(outer.cancelled_caught), now());
    return rc;
}

TWIN(main_task)
