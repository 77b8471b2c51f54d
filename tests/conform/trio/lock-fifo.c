/* A lock is handed to those who wait in the order in which they came. */
#include "twin.h"

static struct weir_lock lock;

struct worker {
    const char *who;
    double start, hold;
};

static int work(void *arg)
{
    const struct worker *worker = arg;
    int rc = 0;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(worker->start)));
    weir_with_lock (&lock, rc) {
        say("%s: in %.1f", worker->who, now());
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(worker->hold)));
        say("%s: out %.1f", worker->who, now());
    }
    return rc;
}

static int main_task(void *arg)
{
    static struct worker workers[] = {{"d", 0.4, 1}, {"a", 0.1, 2}, {"c", 0.3, 3}, {"b", 0.2, 1}};
    struct weir_nursery nursery;
    int rc = 0;
    weir_lock_init(&lock);
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, work, &workers[i]);
    say("main: %s", yes(weir_lock_locked(&lock)));
    return rc;
}

TWIN(main_task)
