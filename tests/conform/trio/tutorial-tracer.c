/* The tutorial's first program once more, and what the loop does meanwhile ("Task switching illustrated"). */
#include "twin.h"
#include <weir/debug.h>

static int child1(void *arg)
{
    say("  child1: started! sleeping now...");
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("  child1: exiting!");
    return 0;
}

static int child2(void *arg)
{
    say("  child2: started! sleeping now...");
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    say("  child2: exiting!");
    return 0;
}

static int parent(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;

    say("parent: started!");
    weir_with_nursery (&nursery, rc) {
        say("parent: spawning child1...");
        weir_start_soon(&nursery, child1, NULL);

        say("parent: spawning child2...");
        weir_start_soon(&nursery, child2, NULL);

        say("parent: waiting for children to finish...");
        /* -- we leave the nursery's block here -- */
    }
    say("parent: all done!");
    return rc;
}

static struct weir_tracer tracer;

static struct weir_run_options traced(void)
{
    static struct weir_instrument *instruments[] = {&tracer.instrument};
    weir_tracer_init(&tracer, stdout);
    return (struct weir_run_options){.instruments = instruments, .instruments_count = 1};
}

TWIN_WITH(parent, traced())
