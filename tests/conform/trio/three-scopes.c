#include "twin.h"

static int nest(int cancelled)
{
    struct weir_scope a, b, c, *scopes[] = {&a, &b, &c};
    int rc = 0;
    weir_with_scope (&a, rc) {
        weir_with_scope (&b, rc) {
            weir_with_scope (&c, rc) {
                for (int i = 0; i < 3; i++)
                    if (cancelled & 1 << i)
                        weir_scope_cancel(scopes[i]);
                WEIR_DO(rc, weir_checkpoint());
                say("in c");
            }
            WEIR_DO(rc, rc);
            say("in b");
            WEIR_DO(rc, weir_checkpoint());
        }
        WEIR_DO(rc, rc);
        say("in a");
        WEIR_DO(rc, weir_checkpoint());
    }
    say("%d %s %s %s", cancelled, caught(&a), caught(&b), caught(&c));
    return rc;
}

static int main_task(void *arg)
{
    for (int cancelled = 0; cancelled < 8; cancelled++)
        WEIR_TRY(nest(cancelled));
    return 0;
}

TWIN(main_task)
