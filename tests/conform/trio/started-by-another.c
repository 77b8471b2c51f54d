#include "twin.h"

static int worker(void *parent)
{
    static char value[] = "worker's";
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_started_for(parent, value);
    say("worker: reported %.1f", now());
    return weir_sleep(WEIR_SECONDS(1));
}

static int parent(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, worker, weir_current_task());
        rc = weir_sleep_forever();
        if (rc < 0)
            say("parent: %s %.1f", name(rc), now());
    }
    return rc;
}

static struct weir_task *task;

static int told(void *arg)
{
    task = weir_current_task();
    int rc = weir_sleep_forever();
    if (rc < 0)
        say("told: %s %.1f", name(rc), now());
    return rc;
}

static int reporter(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_started_for(task, NULL);
    say("reporter: reported %.1f", now());
    return 0;
}

static int main_task(void *arg)
{
    struct weir_nursery outer, nursery;
    struct weir_scope scope;
    void *value;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            WEIR_DO(rc, weir_start(&nursery, parent, NULL, &value));
            say("main: %s %u %.1f", (char *)value, weir_nursery_child_count(&nursery), now());
            weir_scope_cancel(&scope);
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_nursery_cancel(&nursery);
    }
    say("main: closed %s %s %.1f", caught(&scope), caught(&nursery.scope), now());
    weir_with_nursery (&outer, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&outer, reporter, NULL);
            weir_with_shield (&scope, rc) {
                weir_nursery_cancel(&nursery);
                WEIR_DO(rc, weir_start(&nursery, told, NULL, NULL));
                say("main: started %.1f", now());
            }
        }
        say("main: closed %s %s %.1f", caught(&nursery.scope), caught(&outer.scope), now());
    }
    return rc;
}

TWIN(main_task)
