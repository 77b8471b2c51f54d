#include "twin.h"

static struct weir_lock lock;

static void report(void)
{
    struct weir_lock_statistics statistics;
    weir_lock_statistics(&lock, &statistics);
    say("main: %s %s %u", yes(statistics.locked), statistics.owner != NULL ? weir_task_name(statistics.owner) : "None",
        statistics.tasks_waiting);
}

static int worker(void *arg)
{
    int rc = 0;
    weir_with_lock (&lock, rc)
        rc = weir_sleep(WEIR_SECONDS(1));
    return rc;
}

static int main_task(void *arg)
{
    struct weir_lock_statistics statistics;
    struct weir_nursery nursery;
    int rc = 0;
    weir_lock_init(&lock);
    report();
    weir_with_lock (&lock, rc) {
        weir_lock_statistics(&lock, &statistics);
        say("main: %s", yes(statistics.owner == weir_current_task()));
    }
    report();
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, worker, NULL);
        for (int i = 0; i < 4 && rc == 0; i++) {
            rc = weir_sleep(WEIR_SECONDS(0.8));
            report();
        }
    }
    return rc;
}

TWIN(main_task)
