#include "twin.h"

typedef int task(void *arg);

static int slow(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(3)));
    weir_started(NULL);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("slow: done %.1f", now());
    return 0;
}

static int fails(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(3)));
    return -EIO;
}

static int owner(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_started(&nursery);
        rc = weir_sleep(WEIR_SECONDS(1));
    }
    say("owner: closed %.1f", now());
    return rc;
}

static int call(struct weir_nursery *target, task *child)
{
    int rc = weir_start(target, child, NULL, NULL);
    if (rc == 0)
        say("caller: started %.1f", now());
    else
        say("caller: %s %.1f", name(rc), now());
    return rc == -EIO ? 0 : rc;
}

static int main_task(void *arg)
{
    static task *const children[] = {slow, fails};
    struct weir_nursery nursery;
    void *target;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 2 && rc == 0; i++) {
            if ((rc = weir_start(&nursery, owner, NULL, &target)) < 0 || (rc = call(target, children[i])) < 0)
                break;
            rc = weir_sleep(WEIR_SECONDS(2));
        }
    }
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        rc = weir_start(&nursery, fails, NULL, NULL);
        say("main: %s %s", name(rc), yes(nursery.scope.cancel_called));
        rc = -ENOENT;
    }
    say("main: %s", name(rc));
    return 0;
}

TWIN(main_task)
