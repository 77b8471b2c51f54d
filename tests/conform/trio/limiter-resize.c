/* More tokens let in who waits, at once; fewer let nobody in until enough have come back. */
#include "twin.h"

static struct weir_capacity_limiter limiter;

struct worker {
    char who;
    double start, hold;
};

static int work(void *arg)
{
    const struct worker *worker = arg;
    int rc = 0;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(worker->start)));
    weir_with_capacity_limiter (&limiter, rc) {
        say("%c: in %.1f", worker->who, now());
        rc = weir_sleep(WEIR_SECONDS(worker->hold));
    }
    say("%c: out %.1f", worker->who, now());
    return rc;
}

static int main_task(void *arg)
{
    static const unsigned tokens[] = {3, 1, 0};
    static struct worker workers[5];
    struct weir_capacity_limiter_statistics statistics;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_capacity_limiter_init(&limiter, 1));
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 5; i++) {
            workers[i] = (struct worker){(char)('a' + i), i / 10.0, 2 + i * 0.3};
            weir_start_soon(&nursery, work, &workers[i]);
        }
        rc = weir_sleep(WEIR_SECONDS(1));
        for (int i = 0; i < 3 && rc == 0; i++) {
            int resized = weir_capacity_limiter_set_total_tokens(&limiter, tokens[i]);
            if (resized < 0)
                say("main: %s", refusal(resized));
            weir_capacity_limiter_statistics(&limiter, &statistics);
            say("main: %u %u %u", statistics.total_tokens, statistics.borrowed_tokens, statistics.tasks_waiting);
            rc = weir_sleep(WEIR_SECONDS(0.25));
        }
    }
    weir_capacity_limiter_destroy(&limiter);
    say("main: %s", refusal(weir_capacity_limiter_init(&limiter, 0)));
    return rc;
}

TWIN(main_task)
