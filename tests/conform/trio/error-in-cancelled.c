#include "twin.h"

static int eio = -EIO, enoent = -ENOENT;

static int fail_when_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    return rc == -ECANCELED ? *(int *)arg : rc;
}

static int sleep_forever(void *arg)
{
    return weir_sleep_forever();
}

static int fail_slowly_when_cancelled(void *arg)
{
    struct weir_scope shield;
    int rc = weir_sleep_forever(), cleanup = 0;
    weir_with_shield (&shield, cleanup)
        cleanup = weir_sleep(WEIR_SECONDS(1));
    WEIR_TRY(cleanup);
    return rc == -ECANCELED ? *(int *)arg : rc;
}

static int nested(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_when_cancelled, arg);
        rc = weir_sleep_forever();
    }
    return rc;
}

static void forget(struct weir_nursery *nursery)
{
    weir_error_free(weir_nursery_take_errors(nursery));
}

static int main_task(void *arg)
{
    struct weir_scope scope;
    struct weir_nursery nursery;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = fail_when_cancelled(&eio);
    say("block: %s %s %.1f", name(rc), caught(&scope), now());
    rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, fail_when_cancelled, &eio);
            rc = weir_sleep_forever();
        }
    }
    say("child: %s %s %s", name(rc), caught(&scope), caught(&nursery.scope));
    say_group(&nursery);
    rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, fail_slowly_when_cancelled, &eio);
            weir_start_soon(&nursery, fail_when_cancelled, &enoent);
            weir_start_soon(&nursery, nested, &eio);
            rc = fail_when_cancelled(&enoent);
        }
    }
    say("all: %s %s %s %.1f", name(rc), caught(&scope), caught(&nursery.scope), now());
    forget(&nursery);
    rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, fail_when_cancelled, &eio);
    say("only: %s %s %s", name(rc), caught(&scope), caught(&nursery.scope));
    forget(&nursery);
    rc = 0;
    weir_fail_after (&scope, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, fail_when_cancelled, &eio);
            weir_start_soon(&nursery, sleep_forever, NULL);
        }
    }
    say("too slow: %s %s %s", name(rc), caught(&scope), caught(&nursery.scope));
    forget(&nursery);
    rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_slowly_when_cancelled, &enoent);
        weir_start_soon(&nursery, nested, &eio);
        weir_start_soon(&nursery, sleep_forever, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        rc = -EIO;
    }
    say("failed: %s %s %.1f", name(rc), caught(&nursery.scope), now());
    forget(&nursery);
    return 0;
}

TWIN(main_task)
