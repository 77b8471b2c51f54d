/* A semaphore lets in as many as its value says, and then in the order in which they came. */
#include "twin.h"

static struct weir_semaphore semaphore;

struct worker {
    char who;
    double start, hold;
};

static int work(void *arg)
{
    const struct worker *worker = arg;
    int rc = 0;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(worker->start)));
    weir_with_semaphore (&semaphore, rc) {
        say("%c: in %.1f %zu", worker->who, now(), weir_semaphore_value(&semaphore));
        rc = weir_sleep(WEIR_SECONDS(worker->hold));
    }
    say("%c: out %.1f", worker->who, now());
    return rc;
}

static unsigned waiting(void)
{
    struct weir_semaphore_statistics statistics;
    weir_semaphore_statistics(&semaphore, &statistics);
    return statistics.tasks_waiting;
}

static int main_task(void *arg)
{
    static struct worker workers[6];
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(weir_semaphore_init(&semaphore, 2, WEIR_NO_MAXIMUM));
    say("main: %zu %s", weir_semaphore_value(&semaphore),
        weir_semaphore_max_value(&semaphore) == WEIR_NO_MAXIMUM ? "None" : "bounded");
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 6; i++) {
            workers[i] = (struct worker){(char)('a' + i), i / 10.0, 1 + i * 0.37};
            weir_start_soon(&nursery, work, &workers[i]);
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(0.75)));
        say("main: %zu %u", weir_semaphore_value(&semaphore), waiting());
        if (weir_semaphore_acquire_nowait(&semaphore) == -EAGAIN)
            say("main: none");
        weir_semaphore_release(&semaphore); /* one more than there were */
        weir_move_on_after (&scope, WEIR_SECONDS(0.5), rc)
            rc = weir_semaphore_acquire(&semaphore);
        say("main: %s %u", yes(scope.cancelled_caught), waiting());
    }
    say("main: %zu", weir_semaphore_value(&semaphore));
    return rc;
}

TWIN(main_task)
