#include "twin.h"

static int sibling(void *arg)
{
    int rc = weir_sleep_forever();
    say("sibling: %s %.1f", name(rc), now());
    return rc;
}

struct failure {
    double seconds;
    int code;
};

static int fails(void *arg)
{
    struct failure *failure = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(failure->seconds)));
    say("fails: %.1f", now());
    return failure->code;
}

static int main_task(void *arg)
{
    static struct failure one = {1, -EIO}, two = {2, -EIO}, three = {3, -ENOENT};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sibling, NULL);
        weir_start_soon(&nursery, fails, &two);
        weir_start_soon(&nursery, fails, &three);
        rc = weir_sleep(WEIR_SECONDS(10));
        say("body: %s %.1f", name(rc), now());
    }
    say("main: %s %.1f %s", name(rc), now(), yes(nursery.scope.cancelled_caught));
    say_group(&nursery);
    rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fails, &one);
    return rc;
}

TWIN(main_task)
