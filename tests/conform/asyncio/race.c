#include "asyncio_twin.h"

static int race(struct weir_call *calls, size_t n)
{
    struct weir_error *errors;
    size_t winner;
    int rc = weir_race(calls, n, &winner, &errors);
    weir_error_free(errors);
    if (rc == -ECANCELED)
        return rc;
    say("main: %zu %s %.1f", winner, outcome(rc), now());
    return 0;
}

static int last_race(void *arg)
{
    struct step f = {"F", 5, 1}, g = {"G", 4, 2};
    struct weir_call calls[] = {WEIR_CALL(do_step, &f), WEIR_CALL(do_step, &g)};
    return race(calls, 2);
}

static int main_task(void *arg)
{
    struct step a = {"A", 3, 1}, b = {"B", 1, 2}, c = {"C", 2, 3}, d = {"D", 3, 1}, e = {"E", 1, -EIO};
    struct weir_call first[] = {WEIR_CALL(do_step, &a), WEIR_CALL(do_step, &b), WEIR_CALL(do_step, &c)};
    struct weir_call second[] = {WEIR_CALL(do_step, &d), WEIR_CALL(do_step, &e)};
    WEIR_TRY(race(first, 3));
    say("main: %s %s %s", outcome(first[0].result), outcome(first[1].result), outcome(first[2].result));
    WEIR_TRY(race(second, 2));
    say("main: %s %s", outcome(second[0].result), outcome(second[1].result));
    int rc = weir_wait_for(last_race, NULL, WEIR_SECONDS(2));
    say("main: %s %.1f", outcome(rc), now());
    return 0;
}

TWIN(main_task)
