#include "twin.h"

static int flaky(void *arg)
{
    int *lives = arg;
    --*lives;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    if (*lives > 0)
        return -EIO;
    say("flaky: runs %.1f", now());
    return weir_sleep_forever();
}

static int supervise(void *arg)
{
    double backoff = 1;
    for (int attempt = 0; attempt < 3; attempt++) {
        struct weir_nursery nursery;
        int rc = 0;
        weir_with_nursery (&nursery, rc)
            weir_start_soon(&nursery, flaky, arg);
        if (rc != -EIO)
            return rc;
        weir_error_free(weir_nursery_take_errors(&nursery));
        say("supervisor: failed %d %s %.1f", attempt, name(rc), now());
        WEIR_TRY(weir_sleep(WEIR_SECONDS(backoff)));
        backoff *= 2;
    }
    return -EIO;
}

static int ticker(void *arg)
{
    for (;;) {
        WEIR_TRY(weir_sleep(WEIR_SECONDS(4.75)));
        say("ticker: %.2f", now());
    }
}

static int main_task(void *arg)
{
    for (int round = 0; round < 2; round++) {
        int lives = round == 0 ? 3 : 10, rc = 0;
        struct weir_scope scope;
        struct weir_nursery nursery;
        weir_move_on_after (&scope, WEIR_SECONDS(12), rc) {
            weir_with_nursery (&nursery, rc) {
                weir_start_soon(&nursery, ticker, NULL);
                weir_start_soon(&nursery, supervise, &lives);
            }
        }
        if (rc < 0)
            say("main: %s", name(rc));
        weir_error_free(weir_nursery_take_errors(&nursery));
        say("main: %s %.1f", yes(scope.cancelled_caught), now());
    }
    return 0;
}

TWIN(main_task)
