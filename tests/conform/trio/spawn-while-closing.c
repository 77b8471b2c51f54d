#include "twin.h"

static struct weir_nursery nursery;

static int generation(void *arg)
{
    static int numbers[] = {0, 1, 2, 3, 4};
    int number = *(int *)arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("%d: lives %.1f %u", number, now(), weir_nursery_child_count(&nursery));
    if (number < 4)
        weir_start_soon(&nursery, generation, &numbers[number + 1]); /* as its last act */
    return 0;
}

static int heir(void *arg)
{
    say("heir: runs");
    int rc = weir_sleep(WEIR_SECONDS(1));
    if (rc < 0)
        say("heir: %s", name(rc));
    return rc;
}

static int testator(void *arg)
{
    int rc = weir_sleep_forever();
    weir_start_soon(&nursery, heir, NULL); /* cancelled already: it runs to its first checkpoint */
    say("testator: ends");
    return rc;
}

static int main_task(void *arg)
{
    struct weir_scope scope;
    int one = 1, rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, generation, &one);
        say("main: waits");
    }
    say("main: %.1f", now());
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, testator, NULL);
    say("main: %s %.1f", yes(scope.cancelled_caught), now());
    say_to_nobody(); /* it is also reported there */
    if (weir_start_soon(&nursery, heir, NULL) == -EBADF)
        say("main: closed");
    return rc;
}

TWIN(main_task)
