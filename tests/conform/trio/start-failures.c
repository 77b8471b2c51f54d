#include "twin.h"

static int before(void *arg)
{
    WEIR_TRY(weir_checkpoint());
    return -ENOENT;
}

static int never(void *arg)
{
    return weir_checkpoint();
}

static int after(void *arg)
{
    weir_started(NULL);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return -EIO;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        int started = weir_start(&nursery, before, NULL, NULL);
        say("before: %s %s", name(started), yes(nursery.scope.cancel_called));
        if (weir_start(&nursery, never, NULL, NULL) == -EPROTO)
            say("never: reported");
        rc = weir_checkpoint();
    }
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, after, NULL, NULL));
        rc = weir_sleep_forever();
    }
    say("after: %s %.1f", name(rc), now());
    say_group(&nursery);
    return 0;
}

TWIN(main_task)
