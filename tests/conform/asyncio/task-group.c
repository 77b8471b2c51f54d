#include "asyncio_twin.h"

static int cleans_up(void *arg)
{
    int rc = weir_sleep(WEIR_SECONDS(9));
    return rc == -ECANCELED ? -ENOENT : rc;
}

static int main_task(void *arg)
{
    struct step steps[] = {{"A", 1, 1}, {"B", 2, 2}, {"C", 1, -EIO}, {"D", 2, 2}, {"E", 3, 1}, {"F", 2, 2}};
    struct weir_handle a, b, c;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &steps[0], &a));
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &steps[1], &b));
    }
    WEIR_TRY(rc);
    say("main: %d %d %.1f", weir_handle_result(&a), weir_handle_result(&b), now());

    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &steps[2], &a));
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &steps[3], &b));
        WEIR_DO(rc, weir_spawn(&nursery, cleans_up, NULL, &c));
        rc = weir_sleep(WEIR_SECONDS(5));
        say("main: body %s %.1f", outcome(rc), now());
    }
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    say("main: %s %s %.1f", name(group->code), name(group->next->code), now());
    weir_error_free(group);
    say("main: %s %s %s", handle_outcome(&a), handle_outcome(&b), handle_outcome(&c));

    rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &steps[4], &a));
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &steps[5], &b));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_handle_cancel(&a, "alone");
    }
    say("main: %s %s %.1f", handle_outcome(&a), handle_outcome(&b), now());
    return rc;
}

TWIN(main_task)
