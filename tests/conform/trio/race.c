#include "twin.h"

struct race {
    struct weir_nursery nursery;
    const char *winner;
};

struct runner {
    const char *who;
    double seconds;
    bool fails;
    struct race *race;
};

static int run_one(void *arg)
{
    struct runner *runner = arg;
    int rc = weir_sleep(WEIR_SECONDS(runner->seconds));
    if (rc < 0)
        say("%s: %s %.1f", runner->who, name(rc), now());
    WEIR_TRY(rc);
    if (runner->fails)
        return -ENOENT;
    say("%s: arrives %.1f", runner->who, now());
    if (runner->race->winner == NULL) {
        runner->race->winner = runner->who;
        weir_nursery_cancel(&runner->race->nursery);
    }
    return 0;
}

static int race(struct runner *runners, int count, const char **winner)
{
    struct race race = {.winner = NULL};
    int rc = 0;
    weir_with_nursery (&race.nursery, rc)
        for (int i = 0; i < count; i++) {
            runners[i].race = &race;
            weir_start_soon(&race.nursery, run_one, &runners[i]);
        }
    weir_error_free(weir_nursery_take_errors(&race.nursery)); /* its code says it all */
    *winner = race.winner != NULL ? race.winner : "None";
    return rc;
}

static int main_task(void *arg)
{
    struct runner three[] = {{"a", 3}, {"b", 2}, {"c", 4}}, failing[] = {{"a", 3}, {"b", 2, true}};
    struct weir_scope scope;
    const char *winner;
    int rc = 0;
    for (int round = 0; round < 3; round++) {
        static const int counts[] = {3, 1, 0};
        WEIR_TRY(race(three, counts[round], &winner));
        say("main: %s %.1f", winner, now());
    }
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = race(three, 2, &winner);
    say("main: %s %.1f", yes(scope.cancelled_caught), now());
    rc = race(failing, 2, &winner);
    say("main: %s %.1f", name(rc), now());
    return 0;
}

TWIN(main_task)
