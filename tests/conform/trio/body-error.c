#include "twin.h"

static int slow_to_end(void *arg)
{
    struct weir_scope shield;
    int rc = weir_sleep_forever(), done = 0;
    weir_with_scope (&shield, done) {
        weir_scope_set_shield(&shield, true);
        done = weir_sleep(WEIR_SECONDS(4));
    }
    say("child: %.1f", now());
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, slow_to_end, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        rc = -EIO;
    }
    say("main: %s %.1f", name(rc), now());
    return 0;
}

TWIN(main_task)
