#include "twin.h"

static int main_task(void *arg)
{
    struct weir_scope scope;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        WEIR_DO(rc, weir_checkpoint());
        weir_scope_cancel(&scope);
    }
    say("after the last checkpoint %s %s", yes(scope.cancel_called), yes(scope.cancelled_caught));
    weir_with_scope (&scope, rc) {
    }
    weir_scope_cancel(&scope);
    say("after the end %s %s", yes(scope.cancel_called), yes(scope.cancelled_caught));
    WEIR_TRY(weir_checkpoint());
    weir_with_nursery (&nursery, rc)
        weir_nursery_cancel(&nursery);
    say("nursery %s", yes(nursery.scope.cancel_called));
    return rc;
}

TWIN(main_task)
