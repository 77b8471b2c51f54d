#include "twin.h"

static int one(void)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(5), rc)
        rc = weir_sleep(WEIR_SECONDS(10));
    say("moved on %s %.1f", yes(scope.cancelled_caught), now());
    weir_move_on_after (&scope, WEIR_SECONDS(5), rc)
        rc = weir_sleep(WEIR_SECONDS(1));
    say("in time %s %s %.1f", yes(scope.cancel_called), yes(scope.cancelled_caught), now());
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_sleep(WEIR_SECONDS(1));
    say("together %s %.1f", yes(scope.cancelled_caught), now());
    weir_fail_after (&scope, WEIR_SECONDS(2), rc)
        rc = weir_sleep_forever();
    say("failed %s %.1f", name(rc), now());
    rc = 0;
    weir_fail_after (&scope, WEIR_SECONDS(2), rc)
        rc = weir_sleep(WEIR_SECONDS(1));
    weir_move_on_at (&scope, WEIR_SECONDS(3), rc) {
        say("past %s", yes(scope.cancel_called));
        WEIR_DO(rc, weir_sleep(0));
        say("not reached");
    }
    say("past %s", yes(scope.cancelled_caught));
    weir_move_on_after (&scope, 0, rc)
        rc = weir_checkpoint();
    say("none %s", yes(scope.cancelled_caught));
    return rc;
}

static int two(void *arg)
{
    struct weir_scope outer, inner;
    int rc = one();
    weir_move_on_after (&outer, WEIR_SECONDS(3), rc)
        weir_move_on_after (&inner, WEIR_SECONDS(5), rc)
            rc = weir_sleep_forever();
    say("outer first %s %s", yes(outer.cancelled_caught), yes(inner.cancelled_caught));
    weir_move_on_after (&outer, WEIR_SECONDS(5), rc) {
        weir_move_on_after (&inner, WEIR_SECONDS(3), rc)
            rc = weir_sleep_forever();
        say("between %.1f", (double)weir_current_effective_deadline() / 1e9 - now());
    }
    say("inner first %s %s", yes(outer.cancelled_caught), yes(inner.cancelled_caught));
    weir_move_on_after (&outer, WEIR_SECONDS(2), rc)
        weir_fail_after (&inner, WEIR_SECONDS(2), rc)
            rc = weir_sleep_forever();
    say("same time %s %s %.1f", yes(outer.cancelled_caught), yes(inner.cancelled_caught), now());
    return rc;
}

TWIN(two)
