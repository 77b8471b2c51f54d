#include "twin.h"

static int seconds[] = {0, 1, 2, 3, 4};

static int sleepy(void *arg)
{
    int n = *(int *)arg;
    say("%d: Sleeping for %d seconds", n, n);
    int rc = weir_sleep(WEIR_SECONDS(n));
    if (rc == 0)
        say("%d: Slept %d seconds", n, n);
    else
        say("%d: was woken %.1f", n, now());
    return rc;
}

struct mood {
    double seconds;
    int code;
};

static int grumpy(void *arg)
{
    struct mood *mood = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(mood->seconds)));
    return mood->code;
}

static int at_once(void *arg)
{
    struct mood *mood = arg;
    return weir_sleep_forever() == -ECANCELED ? mood->code : 0;
}

static int main_task(void *arg)
{
    static struct mood eio = {2.5, -EIO}, eio_soon = {1, -EIO}, enoent = {2, -ENOENT};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 1; i <= 4; i++)
            weir_start_soon(&nursery, sleepy, &seconds[i]);
        weir_start_soon(&nursery, grumpy, &eio);
    }
    if (rc == 0)
        say("main: not reached");
    say("main: %s %.1f", name(rc), now());
    weir_error_free(weir_nursery_take_errors(&nursery));
    rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, grumpy, &eio_soon);
        weir_start_soon(&nursery, at_once, &enoent);
    }
    say_group(&nursery);
    rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleepy, &seconds[1]);
        weir_start_soon(&nursery, grumpy, &enoent);
    }
    return rc;
}

TWIN(main_task)
