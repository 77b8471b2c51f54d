/* What one looks at a running program with: a tracer, a trace to open in a viewer, the tree on a signal, a watchdog.
 * (The tree itself, weir_print_tree, and the deadlock report are the loop's own: task.h.) None of it costs anything
 * where it is not used. */
#ifndef WEIR_DEBUG_H
#define WEIR_DEBUG_H

#include <weir/task.h>

/* ---- the tracer: each thing that the loop does, a line ---- */

/* An instrument that prints, in the words of Trio's tutorial: "### task scheduled: child1". Fill it with
 * weir_tracer_init; add &tracer.instrument to a run. */
struct weir_tracer {
    struct weir_instrument instrument;
    FILE *out;
    weir_time since; /* private: when the loop began to wait */
};

/* Sets up a tracer that prints to `out`, which stays the caller's. Checkpoint: never. */
void weir_tracer_init(struct weir_tracer *tracer, FILE *out);

#endif
