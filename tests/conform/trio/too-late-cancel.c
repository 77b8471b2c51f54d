#include "twin.h"

static struct {
    struct weir_scope *scope;
    double at;
} canceller;

static int cancel_at(void *arg)
{
    WEIR_TRY(weir_sleep_until(WEIR_SECONDS(canceller.at)));
    weir_scope_cancel(canceller.scope);
    say("canceller: at %.1f", canceller.at);
    return 0;
}

static int cancel_last(void *scope)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_scope_cancel((struct weir_scope *)scope);
    return 0;
}

static int shielded(void *arg)
{
    struct weir_scope shield;
    int rc = 0;
    weir_with_shield (&shield, rc)
        rc = weir_sleep(WEIR_SECONDS(3));
    say("shielded: %.1f", now());
    return rc;
}

static int sleep_shielded(double seconds)
{
    struct weir_scope shield;
    int rc = 0;
    weir_with_shield (&shield, rc)
        rc = weir_sleep(WEIR_SECONDS(seconds));
    return rc;
}

static int in_scopes(void)
{
    struct weir_scope scope, outer, inner;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say("main: not reached? %.1f", now());
    }
    say("same instant %s", caught(&scope));
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
            weir_scope_cancel(&inner);
        }
        WEIR_DO(rc, weir_checkpoint());
        say("main: goes on %s", caught(&inner));
        weir_scope_cancel(&outer);
    }
    say("last step %s %s", caught(&outer), caught(&inner));
    return rc;
}

static int around_nurseries(void)
{
    struct weir_scope scope;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, cancel_last, &nursery.scope);
    say("by the last child %s", caught(&nursery.scope));
    weir_with_scope (&scope, rc)
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, cancel_last, &scope);
    say("while closing %s %s", caught(&scope), caught(&nursery.scope));
    weir_with_scope (&scope, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, shielded, NULL);
            canceller.scope = &scope;
            canceller.at = now() + 1;
            weir_start_soon(&nursery, cancel_at, NULL);
        }
    }
    say("behind a shield %s %s %.1f", caught(&scope), caught(&nursery.scope), now());
    return rc;
}

static int main_task(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(in_scopes());
    WEIR_TRY(around_nurseries());
    weir_fail_after (&scope, WEIR_SECONDS(2), rc)
        rc = sleep_shielded(3);
    say("met in a shield %s %.1f", caught(&scope), now());
    weir_fail_after (&scope, WEIR_SECONDS(2), rc) {
        WEIR_DO(rc, sleep_shielded(3));
        rc = weir_checkpoint();
    }
    say("noticed %s %s %.1f", name(rc), caught(&scope), now());
    return 0;
}

TWIN(main_task)
