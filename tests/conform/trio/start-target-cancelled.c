#include "twin.h"

static int child(void *arg)
{
    static char value[] = "value";
    WEIR_TRY(weir_sleep(WEIR_SECONDS(2)));
    say("child: reports %.1f", now());
    weir_started(value);
    int rc = weir_sleep(WEIR_SECONDS(2));
    if (rc < 0)
        say("child: %s %.1f", name(rc), now());
    return rc;
}

static int stubborn(void *arg)
{
    static char none[] = "None";
    struct weir_scope shield;
    int rc = 0;
    weir_with_scope (&shield, rc) {
        weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_started(none);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say("stubborn: slept %.1f", now());
    }
    WEIR_TRY(rc);
    rc = weir_sleep(WEIR_SECONDS(1));
    if (rc < 0)
        say("stubborn: %s %.1f", name(rc), now());
    return rc;
}

static int owner(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_started(&nursery);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_nursery_cancel(&nursery);
        say("owner: cancels %.1f", now());
    }
    say("owner: closed %.1f", now());
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope shield;
    void *value, *target;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_nursery_cancel(&nursery);
        weir_with_scope (&shield, rc) {
            weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
            WEIR_DO(rc, weir_start(&nursery, child, NULL, &value));
            say("main: %s %.1f", (char *)value, now());
            WEIR_DO(rc, weir_start(&nursery, stubborn, NULL, &value));
            say("main: %s %.1f", (char *)value, now());
        }
    }
    say("main: closed %.1f", now());
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, owner, NULL, &target));
        WEIR_DO(rc, weir_start(target, child, NULL, &value));
        say("main: %s %.1f", (char *)value, now());
    }
    say("main: done %.1f", now());
    return rc;
}

TWIN(main_task)
