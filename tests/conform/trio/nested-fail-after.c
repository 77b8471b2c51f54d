#include "twin.h"

static int nest(double outer_seconds, double inner_seconds, double takes)
{
    struct weir_scope outer, inner;
    int rc = 0;
    weir_fail_after (&outer, WEIR_SECONDS(outer_seconds), rc) {
        weir_fail_after (&inner, WEIR_SECONDS(inner_seconds), rc)
            rc = weir_sleep(WEIR_SECONDS(takes));
        if (rc == -ETIMEDOUT) {
            say("inner too slow %.1f", now());
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
            say("between %.1f", now());
            rc = -ETIMEDOUT;
        }
    }
    say("%s %.1f %s %s", name(rc), now(), caught(&outer), caught(&inner));
    return 0; /* swallowed, as its twin does */
}

static int main_task(void *arg)
{
    struct weir_scope whole;
    int rc = 0;
    WEIR_TRY(nest(5, 2, 1));
    WEIR_TRY(nest(5, 2, 10));
    WEIR_TRY(nest(2, 5, 10));
    WEIR_TRY(nest(3, 3, 10));
    WEIR_TRY(nest(3, 2.5, 10));
    weir_move_on_after (&whole, WEIR_SECONDS(1), rc)
        rc = nest(5, 2, 10);
    say("%s", caught(&whole));
    weir_fail_after (&whole, WEIR_SECONDS(1), rc) {
        rc = weir_sleep(WEIR_SECONDS(2));
        if (rc < 0)
            rc = -EIO;
    }
    say("%s %s", name(rc), caught(&whole));
    return 0;
}

TWIN(main_task)
