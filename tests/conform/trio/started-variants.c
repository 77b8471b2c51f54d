#include "twin.h"

static int eio = -EIO, enoent = -ENOENT;

static int twice(void *arg)
{
    static char first[] = "first", second[] = "second";
    weir_started(first);
    if (weir_started(second) == -EALREADY)
        say("twice: refused");
    return weir_sleep(WEIR_SECONDS(1));
}

static int never(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("never: ends");
    return 0;
}

static int fails_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    return rc == -ECANCELED ? -EIO : rc;
}

static int late(void *arg)
{
    struct weir_scope shield;
    int rc = 0;
    weir_with_shield (&shield, rc) {
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_started(NULL); /* does not heed that it was not moved */
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        say("late: worked %.1f", now());
    }
    WEIR_TRY(rc);
    rc = weir_sleep(WEIR_SECONDS(1));
    if (rc < 0)
        say("late: %s %.1f", name(rc), now());
    return rc;
}

static int late_without_checkpoint(void *arg)
{
    static char value[] = "at once";
    weir_started(value);
    return 0;
}

static int fail_at_once(void *arg)
{
    return *(int *)arg;
}

static int reports_then_group(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_started(NULL);
        weir_start_soon(&nursery, fail_at_once, &eio);
        weir_start_soon(&nursery, fail_at_once, &enoent);
    }
    return rc;
}

static int group_before(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_at_once, &eio);
        weir_start_soon(&nursery, fail_at_once, &enoent);
    }
    return rc;
}

static int in_a_cancelled_scope(void)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    void *value = NULL;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_start(&nursery, fails_cancelled, NULL, NULL);
        say("main: %s %s %s", name(rc), caught(&scope), caught(&nursery.scope));
        rc = 0;
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_start(&nursery, late, NULL, NULL);
        say("main: late %s %s %u %.1f", caught(&scope), caught(&nursery.scope), weir_nursery_child_count(&nursery),
            now());
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            WEIR_DO(rc, weir_start(&nursery, late_without_checkpoint, NULL, &value));
            say("main: %s", (char *)value);
        }
        say("main: too late %s %s", caught(&scope), caught(&nursery.scope));
    }
    return rc;
}

static int groups(void)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        int failed = weir_start(&nursery, group_before, NULL, NULL);
        say("main: before %s %s", name(failed), yes(nursery.scope.cancel_called));
        struct weir_error *group = weir_start_take_errors();
        say_leaves(group);
        weir_error_free(group);
    }
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, reports_then_group, NULL, NULL));
        rc = weir_sleep_forever();
    }
    say("main: after %s %s", name(rc), yes(nursery.scope.cancel_called));
    say_group(&nursery);
    return 0;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    void *value = NULL;
    int rc = 0;
    WEIR_TRY(twice(NULL));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, twice, NULL);
        WEIR_DO(rc, weir_start(&nursery, twice, NULL, &value));
        say("main: %s", (char *)value);
    }
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc)
        if (weir_start(&nursery, never, NULL, NULL) == -EPROTO)
            say("main: never reported %.1f", now());
    WEIR_TRY(in_a_cancelled_scope());
    return groups();
}

TWIN(main_task)
