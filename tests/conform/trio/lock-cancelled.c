/* A cancelled wait leaves the line; a lock that was handed over before the cancellation is had. */
#include "twin.h"

static struct weir_lock lock;

struct waiter {
    const char *who;
    double start;
    struct weir_scope scope;
};
static struct waiter gone = {"gone", 0.5}, got = {"got", 1};

static int holder(void *arg)
{
    int rc = 0;
    weir_with_lock (&lock, rc) {
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_scope_cancel(&gone.scope);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
    }
    weir_scope_cancel(&got.scope);
    return rc;
}

static int wait_for_it(void *arg)
{
    struct waiter *waiter = arg;
    int rc = 0;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(waiter->start)));
    weir_with_scope (&waiter->scope, rc) {
        WEIR_DO(rc, weir_lock_acquire(&lock));
        say("%s: has it %.1f", waiter->who, now());
        weir_lock_release(&lock);
    }
    say("%s: %s %s", waiter->who, yes(waiter->scope.cancel_called), yes(waiter->scope.cancelled_caught));
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    weir_lock_init(&lock);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, holder, NULL);
        weir_start_soon(&nursery, wait_for_it, &gone);
        weir_start_soon(&nursery, wait_for_it, &got);
    }
    weir_with_scope (&scope, rc) { /* a free lock is not acquired in a cancelled scope */
        weir_scope_cancel(&scope);
        rc = weir_lock_acquire(&lock);
    }
    say("main: %s %s", yes(scope.cancelled_caught), yes(weir_lock_locked(&lock)));
    return rc;
}

TWIN(main_task)
