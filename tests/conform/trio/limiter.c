/* As many may hold a token as there are; the others wait in line. */
#include "twin.h"

static struct weir_capacity_limiter limiter;

struct worker {
    char who;
    double start, hold;
};

static int work(void *arg)
{
    const struct worker *worker = arg;
    struct weir_capacity_limiter_statistics statistics;
    int rc = 0;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(worker->start)));
    weir_with_capacity_limiter (&limiter, rc) {
        weir_capacity_limiter_statistics(&limiter, &statistics);
        say("%c: in %.1f %u %u", worker->who, now(), statistics.borrowed_tokens,
            statistics.total_tokens - statistics.borrowed_tokens);
        rc = weir_sleep(WEIR_SECONDS(worker->hold));
    }
    say("%c: out %.1f", worker->who, now());
    return rc;
}

static void report(void)
{
    struct weir_capacity_limiter_statistics statistics;
    unsigned borrowers = 0;
    for (const void *at = NULL; (at = weir_capacity_limiter_next_borrower(&limiter, at)) != NULL;)
        borrowers++;
    weir_capacity_limiter_statistics(&limiter, &statistics);
    say("main: %u %u %u %u", statistics.borrowed_tokens, statistics.total_tokens, borrowers, statistics.tasks_waiting);
}

static int main_task(void *arg)
{
    static struct worker workers[5];
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(weir_capacity_limiter_init(&limiter, 2));
    report();
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 5; i++) {
            workers[i] = (struct worker){(char)('a' + i), i / 10.0, 1 + i * 0.37};
            weir_start_soon(&nursery, work, &workers[i]);
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(0.75)));
        report();
        weir_move_on_after (&scope, WEIR_SECONDS(0.1), rc)
            rc = weir_capacity_limiter_acquire(&limiter);
        say("main: %s", yes(scope.cancelled_caught));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(0.6)));
        report();
        if (weir_capacity_limiter_acquire_nowait(&limiter) == -EAGAIN)
            say("main: none");
    }
    report();
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

TWIN(main_task)
