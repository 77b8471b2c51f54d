#include "twin.h"

static int stubborn(void *arg)
{
    for (int count = 0; count < *(int *)arg; count++) {
        int rc = weir_sleep(WEIR_SECONDS(1));
        if (rc == 0)
            say("stubborn: slept %.1f", now());
        else
            say("stubborn: %s %d %.1f", name(rc), count, now());
    }
    say("stubborn: ends");
    return 0;
}

static const char *busy(void)
{
    say("busy: begins");
    for (volatile int i = 0; i < 1000; i++)
        ;
    say("busy: ends");
    return "value";
}

static int main_task(void *arg)
{
    static int two = 2, five = 5;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, stubborn, &five);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2.5)));
        weir_nursery_cancel(&nursery);
    }
    say("main: nursery %s %.1f", caught(&nursery.scope), now());
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        say("main: %s", busy());
    }
    say("main: never came to one %s", caught(&scope));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = stubborn(&two);
        say("main: goes on");
    }
    say("main: swallowed %s", caught(&scope));
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, stubborn, &two);
            weir_scope_cancel(&scope);
        }
    }
    say("main: by the only child %s %s", caught(&scope), caught(&nursery.scope));
    return rc;
}

TWIN(main_task)
