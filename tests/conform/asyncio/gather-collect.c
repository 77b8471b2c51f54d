#include "asyncio_twin.h"

static int gather_all(void *arg)
{
    struct step d = {"D", 1, 4}, e = {"E", 9, 5};
    struct weir_call calls[] = {WEIR_CALL(do_step, &d), WEIR_CALL(do_step, &e)};
    return weir_gather(calls, 2, WEIR_COLLECT_ALL, NULL);
}

static int main_task(void *arg)
{
    struct step a = {"A", 1, -EIO}, b = {"B", 3, 2}, c = {"C", 2, -ENOENT};
    struct weir_call calls[] = {WEIR_CALL(do_step, &a), WEIR_CALL(do_step, &b), WEIR_CALL(do_step, &c)};
    struct weir_handle outer;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_gather(calls, 3, WEIR_COLLECT_ALL, NULL));
    say("main: %s %s %s %.1f", outcome(calls[0].result), outcome(calls[1].result), outcome(calls[2].result), now());
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, gather_all, NULL, &outer));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_handle_cancel(&outer, "enough");
        int waited = weir_handle_wait(&outer);
        say("main: %s %.1f", outcome(waited), now());
    }
    return rc;
}

TWIN(main_task)
