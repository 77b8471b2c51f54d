#include "twin.h"

static int main_task(void *arg)
{
    struct weir_scope scope, whole;
    double patience = 1;
    int rc = 0, attempt;
    bool answered = false;
    for (attempt = 0; attempt < 5; attempt++) {
        weir_move_on_after (&scope, WEIR_SECONDS(patience), rc) {
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(6)));
            say("answer 6");
            answered = true;
        }
        if (rc < 0 || answered)
            break;
        say("attempt %d gave up %s %.1f", attempt, yes(scope.cancelled_caught), now());
        patience *= 2;
        WEIR_TRY(weir_sleep(WEIR_SECONDS(0.5)));
    }
    say("done %s %.1f", yes(scope.cancelled_caught), now());
    weir_move_on_after (&whole, WEIR_SECONDS(5), rc) {
        for (attempt = 0; attempt < 5; attempt++) {
            weir_move_on_after (&scope, WEIR_SECONDS(2), rc)
                rc = weir_sleep(WEIR_SECONDS(9));
            if (rc < 0)
                break;
            say("again %d %.1f", attempt, now());
        }
    }
    say("whole %s %d %.1f", yes(whole.cancelled_caught), attempt, now());
    return rc;
}

TWIN(main_task)
