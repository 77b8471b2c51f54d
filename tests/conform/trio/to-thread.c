#include "twin.h"
#include <semaphore.h>

static int work(void *arg)
{
    return 2 * *(int *)arg;
}

static int fail(void *arg)
{
    return -EIO;
}

static sem_t gate;

static int wait_for_gate(void *arg)
{
    sem_wait(&gate);
    return 7;
}

static int cancel(void *arg)
{
    weir_scope_cancel((struct weir_scope *)arg);
    return 0;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0, x = 21;
    sem_init(&gate, 0, 0);
    say("main: %d", weir_to_thread_run_sync(work, &x, NULL));
    say("main: %s", name(weir_to_thread_run_sync(fail, NULL, NULL)));
    /* cancelled before it began */
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_to_thread_run_sync(work, &x, NULL);
    }
    say("main: %s", yes(scope.cancelled_caught));
    /* once it runs, it is waited for, and its result delivered */
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel, &scope);
            sem_post(&gate);
            say("main: got %d", weir_to_thread_run_sync(wait_for_gate, NULL, NULL));
            say("main: not raised here");
        }
    }
    say("main: %s %s", yes(scope.cancel_called), yes(scope.cancelled_caught));
    /* ... unless it may be abandoned */
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel, &scope);
            rc = weir_to_thread_run_sync(wait_for_gate, NULL,
                                         &(struct weir_to_thread_options){.abandon_on_cancel = true});
        }
        say("main: abandoned %s", yes(scope.cancelled_caught));
        sem_post(&gate);
    }
    return rc;
}

TWIN(main_task)
