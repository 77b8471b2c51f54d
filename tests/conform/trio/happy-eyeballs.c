#include "twin.h"

static const double DELAY = 1;

struct target {
    double seconds;
    bool works;
};

struct happy {
    const struct target *targets;
    int count, winner;
    struct weir_nursery nursery;
    struct {
        struct happy *happy;
        struct weir_event failed;
    } attempts[4];
};

static int connect_to(const struct target *target)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(target->seconds)));
    return target->works ? 0 : -ECONNREFUSED;
}

static int attempt(void *arg);

static int begin(struct happy *happy, int which)
{
    happy->attempts[which].happy = happy;
    weir_event_init(&happy->attempts[which].failed);
    return weir_start_soon(&happy->nursery, attempt, &happy->attempts[which]);
}

static int attempt(void *arg)
{
    struct happy *happy = *(struct happy **)arg;
    int which = (int)(((char *)arg - (char *)happy->attempts) / (ptrdiff_t)sizeof happy->attempts[0]), rc = 0;
    struct weir_scope scope;
    if (which > 0)
        weir_move_on_after (&scope, WEIR_SECONDS(DELAY), rc)
            rc = weir_event_wait(&happy->attempts[which - 1].failed);
    WEIR_TRY(rc);
    if (which + 1 < happy->count)
        begin(happy, which + 1);
    say("%d: begins %.2f", which, now());
    rc = connect_to(&happy->targets[which]);
    if (rc == 0) {
        say("%d: connected %.2f", which, now());
        happy->winner = which;
        weir_nursery_cancel(&happy->nursery);
    }
    if (rc != -ECONNREFUSED)
        return rc;
    say("%d: failed %.2f", which, now());
    weir_event_set(&happy->attempts[which].failed);
    return 0;
}

static int be_happy(const struct target *targets, int count)
{
    struct happy happy = {.targets = targets, .count = count, .winner = -1};
    int rc = 0;
    weir_with_nursery (&happy.nursery, rc)
        begin(&happy, 0);
    if (happy.winner >= 0)
        say("main: %d %.2f", happy.winner, now());
    else
        say("main: None %.2f", now());
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(be_happy((struct target[]){{0.5, true}}, 1));
    WEIR_TRY(be_happy((struct target[]){{0.5, false}, {10, true}, {1.5, true}, {0.25, true}}, 4));
    WEIR_TRY(be_happy((struct target[]){{5, true}, {5, true}, {2.5, true}}, 3));
    return be_happy((struct target[]){{3, false}, {0.5, false}, {2, false}}, 3);
}

TWIN(main_task)
