#include "twin.h"
#include <string.h>

static int child(void *arg)
{
    struct weir_scope shield;
    int number = *(int *)arg, rc = weir_sleep(WEIR_SECONDS(10 * number)), done = 0;
    if (rc == 0)
        say("%d: done %.1f", number, now());
    weir_with_scope (&shield, done) {
        weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
        done = weir_sleep(WEIR_SECONDS(number));
    }
    say("%d: clean %.1f", number, now());
    return rc < 0 ? rc : done;
}

static int run_nursery(const char *how)
{
    static int numbers[] = {1, 2, 3};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, child, &numbers[i]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(5)));
        if (strcmp(how, "return") == 0)
            return 0;
        if (strncmp(how, "cancel", 6) == 0)
            weir_nursery_cancel(&nursery);
        if (strcmp(how, "cancel and wait") == 0)
            rc = weir_sleep_forever();
        if (strcmp(how, "raise") == 0)
            rc = -EIO;
    }
    return rc;
}

static int main_task(void *arg)
{
    static const char *const hows[] = {"end", "return", "cancel", "cancel and wait", "raise"};
    for (int i = 0; i < 5; i++) {
        say("main: leaves by %s", hows[i]);
        int rc = run_nursery(hows[i]);
        say("main: left %.1f", now());
        if (rc < 0)
            say("main: %s", name(rc));
    }
    return 0;
}

TWIN(main_task)
