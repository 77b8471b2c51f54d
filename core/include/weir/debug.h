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

/* ---- a trace to open in a viewer: https://ui.perfetto.dev, chrome://tracing ---- */

/* Writes what the loop does to a file of trace events (JSON): each task is a track with its steps, what it waited in,
 * and an arrow from the step that spawned it; the loop's waits are one more. The file is whole whenever it is written
 * to, which is each 64 KiB and at the end, so it can be read even if the program crashes. A run's instrument as others;
 * tasks already there when it is added show from then on. */
struct weir_trace;

struct weir_trace_options {
    struct weir_clock *clock; /* NULL: real time                                                           */
    size_t size_max;          /* bytes after which no more is written (the log says how much); 0: no limit */
};

/* Opens a trace; options: NULL for the defaults. Returns 0; -ENOMEM; or what opening the file said. To be closed, after
 * the run or when its instrument was removed. Checkpoint: never; but the file is written to as it comes. */
WEIR_MUST_CHECK int weir_trace_open(struct weir_trace **trace, const char *path,
                                    const struct weir_trace_options *options);

/* The trace's instrument, for weir_run_options or weir_instrument_add. */
struct weir_instrument *weir_trace_instrument(struct weir_trace *trace);

/* Writes the rest and frees. Returns 0, or the first error that writing met. Checkpoint: never. */
int weir_trace_close(struct weir_trace *trace);

#endif
