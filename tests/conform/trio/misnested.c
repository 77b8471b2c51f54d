#include "twin.h"

static const char *close_scope(struct weir_scope *scope)
{
    return weir_scope_close(scope, 0) == 0 ? "ok" : "refused";
}

static int other(void *arg)
{
    say("another's: %s", close_scope(arg));
    return 0;
}

static int main_task(void *arg)
{
    struct weir_scope outer, inner, scope;
    struct weir_nursery nursery;
    int rc = 0;
    say_to_nobody(); /* each is also reported there */
    weir_scope_open(&outer, WEIR_NEVER);
    weir_scope_open(&inner, WEIR_NEVER);
    say("outer first: %s", close_scope(&outer));
    weir_scope_cancel(&outer);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("goes on %.1f", now());
    if (weir_scope_close(&inner, 0) != -EINVAL)
        return -EIO;
    weir_scope_open(&scope, WEIR_NEVER);
    const char *once = close_scope(&scope);
    say("once: %s", once);
    say("twice: %s", close_scope(&scope));
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, other, &scope);
            rc = weir_sleep(WEIR_SECONDS(1));
        }
    }
    WEIR_TRY(rc);
    say("goes on %.1f", now());
    return rc;
}

TWIN(main_task)
