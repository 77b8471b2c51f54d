/* Who is cancelled in weir_condition_wait has the lock again before he is told, however long that takes. */
#include "twin.h"

static struct weir_condition condition;

struct waiter {
    const char *who;
    struct weir_scope scope;
};

static int wait_for_it(void *arg)
{
    struct waiter *waiter = arg;
    int rc = 0;
    weir_with_scope (&waiter->scope, rc)
        weir_with_condition (&condition, rc) {
            rc = weir_condition_wait(&condition);
            if (rc == 0)
                say("%s: notified %.1f", waiter->who, now());
            else
                say("%s: cancelled %.1f %s", waiter->who, now(),
                    yes(weir_lock_owner(condition.lock) == weir_current_task()));
        }
    say("%s: %s", waiter->who, yes(waiter->scope.cancelled_caught));
    return rc;
}

static int main_task(void *arg)
{
    static struct waiter waiters[] = {{"a"}, {"b"}, {"c"}};
    struct weir_condition_statistics statistics;
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_condition_init(&condition, NULL);
    weir_with_nursery (&nursery, rc) {
        /* while another holds the lock */
        weir_start_soon(&nursery, wait_for_it, &waiters[0]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_scope_cancel(&waiters[0].scope);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_condition_statistics(&condition, &statistics);
        say("main: %u %u", statistics.tasks_waiting, statistics.lock_statistics.tasks_waiting);
        weir_condition_release(&condition);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        /* notified, but another holds the lock */
        weir_start_soon(&nursery, wait_for_it, &waiters[1]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_condition_notify(&condition, 1);
        weir_scope_cancel(&waiters[1].scope);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_condition_release(&condition);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        /* notified, and the lock handed over */
        weir_start_soon(&nursery, wait_for_it, &waiters[2]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_condition_acquire(&condition));
        weir_condition_notify(&condition, 1);
        weir_condition_release(&condition);
        weir_scope_cancel(&waiters[2].scope);
    }
    weir_with_scope (&scope, rc) /* cancelled before it waits */
        weir_with_condition (&condition, rc) {
            weir_scope_cancel(&scope);
            rc = weir_condition_wait(&condition);
        }
    say("main: %s %s", yes(scope.cancelled_caught), yes(weir_condition_locked(&condition)));
    return rc;
}

TWIN(main_task)
