#include "twin.h"

static int eio = -EIO, enoent = -ENOENT;

static int fail_at_once(void *arg)
{
    return *(int *)arg;
}

static int fail_when_cancelled(void *arg)
{
    int rc = weir_sleep_forever();
    return rc == -ECANCELED ? *(int *)arg : rc;
}

static int wait_forever(void *arg)
{
    return weir_sleep_forever();
}

static int nested(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_at_once, &enoent);
        weir_start_soon(&nursery, fail_at_once, &eio);
    }
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope outer;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail_at_once, &eio);
        weir_start_soon(&nursery, fail_at_once, &enoent);
    }
    say("two: %s", name(rc));
    say_group(&nursery);
    rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, nested, NULL);
        weir_start_soon(&nursery, fail_when_cancelled, &enoent);
    }
    say("nested: %s", name(rc));
    say_group(&nursery);
    /* An error beside a Cancelled: the scope catches the one, the other goes on. */
    rc = 0;
    weir_move_on_after (&outer, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, fail_when_cancelled, &eio);
            weir_start_soon(&nursery, wait_forever, NULL);
        }
    }
    say("beside: %s %s", name(rc), yes(outer.cancelled_caught));
    say_group(&nursery);
    rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fail_at_once, &eio);
    return rc;
}

TWIN(main_task)
