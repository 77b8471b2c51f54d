#include "twin.h"

static struct weir_nursery nursery;

static int fail(void *arg)
{
    return -EIO;
}

static int wait_forever(void *arg)
{
    return weir_sleep_forever();
}

static int beside(struct weir_scope *scope)
{
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail, NULL);
        weir_start_soon(&nursery, wait_forever, NULL);
        weir_scope_cancel(scope);
        rc = weir_sleep_forever();
    }
    return rc;
}

static int swallowed(struct weir_scope *scope)
{
    if (beside(scope) == -EIO)
        say("swallowed");
    return 0;
}

static int replaced(struct weir_scope *scope)
{
    return beside(scope) == -EIO ? -ENOENT : 0;
}

static int later(struct weir_scope *scope)
{
    WEIR_TRY(swallowed(scope));
    return -ENOENT;
}

static int cancelled_later(struct weir_scope *scope)
{
    WEIR_TRY(swallowed(scope));
    return weir_checkpoint();
}

static void attempt(const char *title, int (*fn)(struct weir_scope *scope))
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc)
        rc = fn(&scope);
    weir_error_free(weir_nursery_take_errors(&nursery));
    say("%s %s %s", title, name(rc), caught(&scope));
}

static int main_task(void *arg)
{
    attempt("beside", beside);
    attempt("swallowed", swallowed);
    attempt("replaced", replaced);
    attempt("later", later);
    attempt("cancelled later", cancelled_later);
    return 0;
}

TWIN(main_task)
