#include "twin.h"

struct call {
    const char *who;
    struct weir_nursery *target;
    bool fail;
};

static int inner(void *arg)
{
    struct call *call = arg;
    const char *who = call->who;
    say("%s: runs %.1f", who, now());
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    if (call->fail)
        return -EIO;
    weir_started((void *)who);
    int rc = weir_sleep(WEIR_SECONDS(3));
    if (rc == 0)
        say("%s: ends %.1f", who, now());
    else
        say("%s: %s %.1f", who, name(rc), now());
    return rc;
}

static int outer(void *arg)
{
    static char value[] = "outer's";
    struct call *call = arg;
    void *got;
    int rc = weir_start(call->target, inner, call, &got);
    if (rc < 0) {
        say("outer: %s %.1f", name(rc), now());
        return rc;
    }
    say("outer: started %s %.1f", (char *)got, now());
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_started(value);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("outer: ends %.1f", now());
    return 0;
}

static int own_nursery(void *arg)
{
    struct weir_nursery nursery;
    struct call below = {.who = "below"};
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, inner, &below, NULL));
        weir_started(&nursery);
        say("own: reports %.1f", now());
    }
    if (rc == 0)
        say("own: closed %.1f", now());
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery, *below;
    struct weir_scope scope;
    struct call call = {.who = "inner", .target = &nursery};
    void *value;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, outer, &call, &value));
        say("main: %s %.1f", (char *)value, now());
    }
    say("main: closed %.1f", now());
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        call.fail = true;
        int failed = weir_start(&nursery, outer, &call, NULL);
        say("main: %s %s %.1f", name(failed), yes(nursery.scope.cancel_called), now());
        call.fail = false;
    }
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(1.5), rc)
            rc = weir_start(&nursery, outer, &call, NULL);
        say("main: %s %s %u %.1f", caught(&scope), caught(&nursery.scope), weir_nursery_child_count(&nursery), now());
    }
    say("main: closed %.1f", now());
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            WEIR_DO(rc, weir_start(&nursery, own_nursery, NULL, &value));
            below = value;
            weir_scope_cancel(&scope);
            say("main: %u %u %.1f", weir_nursery_child_count(below), weir_nursery_child_count(&nursery), now());
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_nursery_cancel(&nursery);
    }
    say("main: closed %.1f", now());
    return rc;
}

TWIN(main_task)
