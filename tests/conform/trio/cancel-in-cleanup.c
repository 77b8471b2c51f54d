#include "twin.h"

static int no_shield(void)
{
    struct weir_scope scope, own;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        if (weir_sleep_forever() == 0)
            break;
        weir_move_on_after (&own, WEIR_SECONDS(5), rc) {
            rc = weir_sleep(WEIR_SECONDS(1));
            say("clean-up: %s %.1f", name(rc), now());
        }
        if (rc == 0)
            say("clean-up: not reached");
    }
    say("no shield %s %.1f", caught(&scope), now());
    return rc;
}

static int shielded(const char *what, double takes)
{
    struct weir_scope scope, own;
    int rc = 0, done = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_sleep_forever();
        weir_move_on_after (&own, WEIR_SECONDS(3), done) {
            weir_scope_set_shield(&own, WEIR_SHIELD_FULL);
            WEIR_DO(done, weir_sleep(WEIR_SECONDS(takes)));
            say("clean-up: done %.1f", now());
        }
        if (own.cancelled_caught)
            say("clean-up: %s %.1f", caught(&own), now());
        else
            say("clean-up: %s", caught(&own));
    }
    say("%s %s %.1f", what, caught(&scope), now());
    return rc < 0 ? rc : done;
}

static int twice(void)
{
    struct weir_scope outer, scope, shield;
    int rc = 0, done = 0;
    weir_with_scope (&outer, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
            rc = weir_sleep_forever();
            weir_with_scope (&shield, done) {
                weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
                WEIR_DO(done, weir_sleep(WEIR_SECONDS(1)));
                weir_scope_cancel(&outer);
                done = weir_sleep(WEIR_SECONDS(1));
            }
            say("clean-up: done %.1f", now());
        }
        WEIR_DO(rc, rc);
        say("not reached");
    }
    say("outer %s %s %.1f", caught(&outer), caught(&scope), now());
    return rc < 0 ? rc : done;
}

static int main_task(void *arg)
{
    WEIR_TRY(no_shield());
    WEIR_TRY(shielded("in time", 2));
    WEIR_TRY(shielded("too slow", 10));
    return twice();
}

TWIN(main_task)
