#include "twin.h"

struct mover {
    struct weir_scope scope;
    weir_time to;
};

static int move(void *arg)
{
    struct mover *mover = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(5)));
    weir_scope_set_deadline(&mover->scope, mover->to);
    return 0;
}

static int main_task(void *arg)
{
    static const weir_time to[] = {WEIR_SECONDS(20), WEIR_SECONDS(7), WEIR_SECONDS(1), WEIR_NEVER};
    int rc = 0;
    for (int i = 0; i < 4; i++) {
        struct weir_nursery nursery;
        double began = now();
        struct mover mover = {.to = weir_time_add(weir_current_time(), to[i])};
        weir_with_nursery (&nursery, rc) {
            weir_move_on_after (&mover.scope, WEIR_SECONDS(10), rc) {
                weir_start_soon(&nursery, move, &mover);
                rc = weir_sleep(WEIR_SECONDS(100));
            }
        }
        say("%s %.1f", yes(mover.scope.cancelled_caught), now() - began);
    }
    return rc;
}

TWIN(main_task)
