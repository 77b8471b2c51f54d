#include "asyncio_twin.h"

static int stubborn(void *arg)
{
    if (weir_sleep(WEIR_SECONDS(5)) == -ECANCELED)
        say("stubborn: cancelled %.1f", now());
    return 7;
}

static void attempt(int (*fn)(void *), void *arg, weir_time delay)
{
    int rc = weir_wait_for(fn, arg, delay);
    if (rc != -ECANCELED)
        say("main: %s %.1f", outcome(rc), now());
}

static int attempt_long(void *arg)
{
    attempt(do_step, arg, WEIR_SECONDS(5));
    return weir_checkpoint();
}

static int main_task(void *arg)
{
    struct step a = {"A", 3600, 1}, b = {"B", 1, 2}, c = {"C", 1, -EIO}, d = {"D", 1, 4}, e = {"E", 9, 5};
    struct weir_handle outer;
    struct weir_nursery nursery;
    int rc = 0;
    attempt(do_step, &a, WEIR_SECONDS(1));
    attempt(do_step, &b, WEIR_SECONDS(2));
    attempt(do_step, &c, WEIR_SECONDS(2));
    attempt(do_step, &d, WEIR_NEVER);
    attempt(stubborn, NULL, WEIR_SECONDS(1));
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, attempt_long, &e, &outer));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_handle_cancel(&outer, "from outside");
        int waited = weir_handle_wait(&outer);
        say("main: %s %.1f", outcome(waited), now());
    }
    return rc;
}

TWIN(main_task)
