#include "twin.h"

static int nest(bool cancel_outer, bool cancel_inner)
{
    struct weir_scope outer, inner;
    int rc = 0;
    weir_with_scope (&outer, rc) {
        weir_with_scope (&inner, rc) {
            if (cancel_outer)
                weir_scope_cancel(&outer);
            if (cancel_inner)
                weir_scope_cancel(&inner);
            WEIR_DO(rc, weir_checkpoint());
            say("inner goes on");
        }
        WEIR_DO(rc, rc);
        say("outer goes on");
        WEIR_DO(rc, weir_checkpoint());
        say("and on");
    }
    say("%s %s %s %s", yes(inner.cancel_called), yes(inner.cancelled_caught), yes(outer.cancel_called),
        yes(outer.cancelled_caught));
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(nest(false, true));
    WEIR_TRY(nest(true, false));
    WEIR_TRY(nest(true, true));
    return nest(false, false);
}

TWIN(main_task)
