#include "twin.h"

struct toggle {
    struct weir_scope *scope;
    double at;
    bool shield;
};

static int toggle(void *arg)
{
    const struct toggle *toggle = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(toggle->at)));
    weir_scope_set_shield(toggle->scope, toggle->shield);
    say("toggle: %s %.1f", yes(toggle->shield), now());
    return 0;
}

static int attempt(const char *who, double seconds)
{
    int rc = weir_sleep(WEIR_SECONDS(seconds));
    if (rc == 0)
        say("%s: slept %.1f", who, now());
    else
        say("%s: %s %.1f", who, name(rc), now());
    return rc;
}

static int child(void *arg)
{
    return attempt("child", *(double *)arg);
}

static void swallow(const char *who)
{
    if (attempt(who, 1) < 0)
        return;
}

static int put_up(void)
{
    struct weir_scope outer, inner;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            weir_scope_cancel(&outer);
            swallow("main");
            weir_scope_set_shield(&inner, true);
            swallow("main");
            weir_scope_set_shield(&inner, false);
            swallow("main");
            weir_scope_set_shield(&inner, true);
            rc = attempt("main", 1);
        }
    }
    say("main: put up %s %s", caught(&outer), caught(&inner));
    return rc;
}

static int taken_away(void)
{
    struct weir_nursery nursery;
    struct weir_scope outer, middle, inner;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&outer, rc) {
            weir_with_shield (&middle, rc) {
                weir_with_scope (&inner, rc) {
                    weir_scope_cancel(&outer);
                    weir_start_soon(&nursery, toggle, (&(struct toggle){&middle, 2, false}));
                    rc = attempt("main", 5);
                }
            }
        }
    }
    say("main: taken away %s %s %s %.1f", caught(&outer), caught(&middle), caught(&inner), now());
    return rc;
}

static int put_up_in_time(void)
{
    struct weir_nursery nursery;
    struct weir_scope outer, inner;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&outer, WEIR_SECONDS(3), rc) {
            weir_with_scope (&inner, rc) {
                weir_start_soon(&nursery, toggle, (&(struct toggle){&inner, 2, true}));
                rc = attempt("main", 5);
            }
            WEIR_DO(rc, rc);
            rc = attempt("main", 5);
        }
    }
    say("main: put up in time %s %s %.1f", caught(&outer), caught(&inner), now());
    return rc;
}

static int on_a_nursery(void)
{
    struct weir_nursery nursery;
    struct weir_scope outer;
    double three = 3;
    int rc = 0;
    weir_move_on_after (&outer, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc) {
            weir_scope_set_shield(&nursery.scope, true);
            weir_start_soon(&nursery, child, &three);
            WEIR_DO(rc, attempt("main", 2));
            weir_scope_set_shield(&nursery.scope, false);
        }
    }
    say("main: nursery %s %s %.1f", caught(&outer), caught(&nursery.scope), now());
    return rc;
}

static int two(void)
{
    struct weir_scope outer, first, second;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_shield (&first, rc) {
            weir_with_shield (&second, rc) {
                weir_scope_cancel(&outer);
                weir_scope_set_shield(&first, false);
                WEIR_DO(rc, attempt("main", 1));
                weir_scope_set_shield(&first, true);
                weir_scope_set_shield(&second, false);
                WEIR_DO(rc, attempt("main", 1));
                weir_scope_set_shield(&first, false);
                rc = attempt("main", 1);
            }
        }
    }
    say("main: two %s %s %s %.1f", caught(&outer), caught(&first), caught(&second), now());
    return rc;
}

static int clean_up_for_2(void *arg)
{
    struct weir_scope shield;
    int rc = attempt("cleaner", 9), cleanup = 0;
    weir_with_shield (&shield, cleanup)
        cleanup = weir_sleep(WEIR_SECONDS(2));
    WEIR_TRY(cleanup);
    say("cleaner: cleaned up %.1f", now());
    return rc;
}

static int on_its_way(void)
{
    struct weir_nursery nursery;
    struct weir_scope outer, shield;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, clean_up_for_2, NULL);
            weir_with_shield (&shield, rc) {
                WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
                weir_scope_cancel(&outer);
                WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
                weir_scope_set_shield(&nursery.scope, true);
                rc = attempt("main", 3);
            }
            WEIR_DO(rc, rc);
            rc = attempt("main", 1);
        }
        WEIR_DO(rc, rc);
        rc = attempt("main", 1);
    }
    say("main: on its way %s %s %.1f", caught(&outer), caught(&nursery.scope), now());
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(put_up());
    WEIR_TRY(taken_away());
    WEIR_TRY(put_up_in_time());
    WEIR_TRY(on_a_nursery());
    WEIR_TRY(two());
    return on_its_way();
}

TWIN(main_task)
