#include "twin.h"

static char nobody[] = "nobody", none[] = "none", red[] = "red", green[] = "green", starting[] = "starter",
            reporting[] = "reporter", self[] = "main", changed[] = "changed", in_block[] = "block";
static const struct weir_local user = {"user", nobody}, color = {"color", none};

static char *get(const struct weir_local *local)
{
    return weir_local_get(local);
}

static int child(void *arg)
{
    char *who = arg;
    say("%s: starts as %s %s", who, get(&user), get(&color));
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("%s: is still %s", who, get(&user));
    WEIR_TRY(weir_local_set(&user, who));
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("%s: is now %s %s", who, get(&user), get(&color));
    return 0;
}

static int starter(void *nursery)
{
    static char who[] = "by-starter";
    WEIR_TRY(weir_local_set(&user, starting));
    return weir_start_soon(nursery, child, who);
}

static int reporter(void *arg)
{
    say("reporter: starts as %s", get(&user));
    WEIR_TRY(weir_local_set(&user, reporting));
    weir_started(NULL);
    say("reporter: reports as %s", get(&user));
    return 0;
}

static int main_task(void *arg)
{
    static char early[] = "early", late[] = "late", inside[] = "in-block", behind[] = "behind-block";
    struct weir_nursery nursery;
    int rc = 0;
    say("main: %s %s", get(&user), get(&color));
    WEIR_TRY(weir_local_set(&user, self));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, child, early);
        WEIR_DO(rc, weir_local_set(&user, changed));
        WEIR_DO(rc, weir_local_set(&color, green));
        weir_start_soon(&nursery, child, late);
        weir_start_soon(&nursery, starter, &nursery);
        WEIR_DO(rc, weir_start(&nursery, reporter, NULL, NULL));
        say("main: after start %s", get(&user));
        weir_with_local (&user, in_block, rc) {
            weir_start_soon(&nursery, child, inside);
            WEIR_DO(rc, weir_local_set(&color, red));
            rc = weir_sleep(WEIR_SECONDS(0.5));
        }
        say("main: after the block %s %s", get(&user), get(&color));
        weir_start_soon(&nursery, child, behind);
    }
    say("main: %s %s", get(&user), get(&color));
    return rc;
}

TWIN(main_task)
