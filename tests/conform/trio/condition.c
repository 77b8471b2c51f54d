/* Those who are notified go on one by one, each with the lock; the others wait on. */
#include "twin.h"

static struct weir_condition condition;

static int waiter(void *who)
{
    int rc = 0;
    weir_with_condition (&condition, rc) {
        WEIR_DO(rc, weir_condition_wait(&condition));
        say("%s: on %.1f %s", (char *)who, now(), yes(weir_condition_locked(&condition)));
        rc = weir_sleep(WEIR_SECONDS(0.5));
    }
    return rc;
}

static void report(void)
{
    struct weir_condition_statistics statistics;
    weir_condition_statistics(&condition, &statistics);
    say("main: %u %s %u", statistics.tasks_waiting, yes(statistics.lock_statistics.locked),
        statistics.lock_statistics.tasks_waiting);
}

static int main_task(void *arg)
{
    static char names[][2] = {"a", "b", "c", "d", "e"};
    struct weir_nursery nursery;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    say("main: %s", refusal(weir_condition_notify(&condition, 1)));
    say("main: %s", refusal(weir_condition_notify_all(&condition)));
    say("main: %s", refusal(weir_condition_release(&condition)));
    say("main: %s", refusal(weir_condition_wait(&condition)));
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 5; i++)
            weir_start_soon(&nursery, waiter, names[i]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        report();
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_condition_notify(&condition, 2);
        report();
        weir_condition_release(&condition);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(3)));
        WEIR_DO(rc, weir_condition_acquire_nowait(&condition));
        weir_condition_notify(&condition, 1);
        weir_condition_notify_all(&condition);
        report();
        weir_condition_release(&condition);
    }
    report();
    return rc;
}

TWIN(main_task)
