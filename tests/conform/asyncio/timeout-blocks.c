#include "asyncio_twin.h"

static int main_task(void *arg)
{
    struct weir_scope timeout, outer, inner;
    int rc = 0;
    weir_fail_after (&timeout, WEIR_SECONDS(1), rc)
        rc = weir_sleep(WEIR_SECONDS(5));
    say("main: %s %s %.1f", outcome(rc), yes(timeout.cancelled_caught), now());
    rc = 0;
    weir_fail_at (&timeout, weir_current_time() + WEIR_SECONDS(2), rc)
        rc = weir_sleep(WEIR_SECONDS(1));
    say("main: %s %.1f", yes(timeout.cancelled_caught), now());
    weir_fail_after (&timeout, WEIR_SECONDS(1), rc) {
        say("main: %.1f", (double)(timeout.deadline - weir_current_time()) / 1e9);
        weir_scope_set_deadline(&timeout, weir_current_time() + WEIR_SECONDS(3));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        say("main: still there %.1f", now());
        weir_scope_set_deadline(&timeout, weir_current_time() + WEIR_SECONDS(0.5));
        rc = weir_sleep(WEIR_SECONDS(2));
    }
    say("main: %s %.1f", outcome(rc), now());
    rc = 0;
    weir_fail_after (&outer, WEIR_SECONDS(5), rc) {
        weir_fail_after (&inner, WEIR_SECONDS(1), rc)
            rc = weir_sleep(WEIR_SECONDS(9));
        say("main: inner %s %s %s %.1f", outcome(rc), yes(inner.cancelled_caught), yes(outer.cancelled_caught), now());
        rc = weir_sleep(WEIR_SECONDS(9));
    }
    say("main: outer %s %s %.1f", outcome(rc), yes(outer.cancelled_caught), now());
    return 0;
}

TWIN(main_task)
