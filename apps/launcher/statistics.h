/* --stats: a line now and then. */
#ifndef LAUNCHER_STATISTICS_H
#define LAUNCHER_STATISTICS_H

#include <weir/net/stack.h>

struct statistics {
    struct weir_stack *stack;
    weir_time every;
};

/* A task: prints a line each `every`, until cancelled; on a terminal, the same line again and again. */
WEIR_MUST_CHECK int statistics_task(void *statistics);

#endif
