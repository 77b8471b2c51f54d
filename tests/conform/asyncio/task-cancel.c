#include "asyncio_twin.h"

static int stubborn(void *arg)
{
    if (weir_sleep(WEIR_SECONDS(9)) == -ECANCELED)
        say("stubborn: cancelled %.1f", now());
    return 7;
}

static int fails(void *arg)
{
    int rc = weir_sleep(WEIR_SECONDS(9));
    return rc == -ECANCELED ? -EIO : rc;
}

static int waits(void *arg)
{
    int rc = weir_handle_wait(arg);
    say("waits: %s %.1f", outcome(rc), now());
    return rc;
}

static int main_task(void *arg)
{
    struct step slow = {"sibling", 5, 1}, a = {"A", 9, 2};
    struct weir_handle sibling, task;
    struct weir_nursery nursery;
    int rc = 0, waited;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &slow, &sibling));
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &a, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        bool asked = weir_handle_cancel(&task, "no longer needed") == 0;
        say("main: %s %u %s", yes(asked), weir_handle_cancelling(&task), yes(weir_handle_is_cancelled(&task)));
        asked = weir_handle_cancel(&task, "again") == 0;
        say("main: %s %u", yes(asked), weir_handle_cancelling(&task));
        waited = weir_handle_wait(&task);
        say("main: %s %s %s %.1f", outcome(waited), yes(weir_handle_is_done(&task)),
            yes(weir_handle_is_cancelled(&task)), now());
        say("main: %s", yes(weir_handle_cancel(&task, "late") == 0));

        WEIR_DO(rc, weir_spawn(&nursery, stubborn, NULL, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_handle_cancel(&task, "in vain");
        waited = weir_handle_wait(&task);
        say("main: %s %s %u %.1f", outcome(waited), yes(weir_handle_is_cancelled(&task)), weir_handle_cancelling(&task),
            now());

        WEIR_DO(rc, weir_spawn_kept(&nursery, fails, NULL, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_handle_cancel(&task, "and it fails");
        waited = weir_handle_wait(&task);
        say("main: %s %s %s", outcome(waited), yes(weir_handle_is_cancelled(&task)), handle_outcome(&task));

        WEIR_DO(rc, weir_spawn(&nursery, waits, &sibling, &task));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_handle_cancel(&task, "it only waits");
        waited = weir_handle_wait(&task);
        say("main: %s %s", outcome(waited), handle_outcome(&sibling));
        waited = weir_handle_wait(&sibling);
        say("main: %d %.1f", waited, now());
    }
    return rc;
}

TWIN(main_task)
