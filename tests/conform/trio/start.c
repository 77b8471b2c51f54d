#include "twin.h"

static int server(void *arg)
{
    static int port = 1234;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_started(&port);
    say("server: reported");
    int rc = weir_sleep(WEIR_SECONDS(5));
    if (rc == 0)
        say("server: slept");
    else
        say("server: %s %.1f", name(rc), now());
    return rc;
}

static int twice(void *arg)
{
    weir_started(NULL);
    if (weir_started(NULL) == -EALREADY)
        say("twice: refused");
    return 0;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope around;
    void *value = NULL;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&around, rc) {
            WEIR_DO(rc, weir_start(&nursery, server, NULL, &value));
            say("main: %d %.1f %u", *(int *)value, now(), weir_nursery_child_count(&nursery));
            weir_scope_cancel(&around); /* around the call, not around the nursery */
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
    }
    say("main: %.1f", now());
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, server, NULL, NULL));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_nursery_cancel(&nursery);
    }
    say("main: %.1f", now());
    WEIR_TRY(server(NULL));
    weir_with_nursery (&nursery, rc)
        rc = weir_start(&nursery, twice, NULL, NULL);
    return rc;
}

TWIN(main_task)
