#include "twin.h"

struct walker {
    char name;
    int steps;
    bool shielded;
};

static int walk(void *arg)
{
    struct walker *walker = arg;
    for (int step = 0; step < walker->steps; step++) {
        say("%c %d", walker->name, step);
        if (walker->shielded)
            weir_cancel_shielded_checkpoint();
        else
            WEIR_TRY(weir_sleep(0));
    }
    say("%c done", walker->name);
    return 0;
}

static int main_task(void *arg)
{
    static struct walker walkers[] = {
        {'a', 1, false}, {'b', 2, true}, {'c', 3, false}, {'d', 4, true}, {'e', 2, false}};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, walk, &walkers[i]);
        say("main starts none of them");
        for (int i = 0; i < 3 && rc == 0; i++) {
            rc = weir_checkpoint();
            say("main");
        }
        weir_start_soon(&nursery, walk, &walkers[4]);
    }
    say("main done");
    return rc;
}

TWIN(main_task)
