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

/* ---- the tree on a signal ---- */

/* From now on until the run ends the signal has the current loop's tree printed to stderr, between two tasks. Loops of
 * several threads may ask for the same signal. Who had it before has it back afterwards. Returns 0; -EINVAL: there is
 * no such signal, or it cannot be caught; -EALREADY: this loop has asked for one; -ENOMEM. Checkpoint: never. */
int weir_tree_on_signal(int number);

/* Has print(stderr, arg) called after each such tree of the current loop: for what else there is to see. One at a time;
 * NULL: no more. Returns 0, or -EINVAL: this loop has asked for no signal. Checkpoint: never. */
int weir_tree_on_signal_also(void (*print)(FILE *out, void *arg), void *arg);

/* ---- the watchdog: who holds the lcore, and how the time is shared ---- */

struct weir_watchdog_options {
    weir_time limit;     /* how long a task may hold the lcore; 0: 100 ms; WEIR_NEVER: as it likes  */
    unsigned sampled_hz; /* how often, at least, to look which task runs; 0: never; 1000 is plenty  */
};

/* Has a thread of its own watch the current loop, in real time, until the run ends. A task that holds the lcore longer
 * than the limit, be it that it computes or that it waits in a system call, is named on stderr, once, with where it was
 * started, how long it has held the lcore so far, and a backtrace; and again, shortly, when it lets go. So is the loop
 * itself, if a device, a job or an alarm takes that long. A loop that waits is left in peace. The loop pays nothing,
 * except for a signal (SIGURG; system calls go on, as far as Linux restarts them) when it is found out. Functions have
 * names in the backtrace if the program is linked with -rdynamic. options: NULL for the defaults. Returns 0; -EALREADY:
 * it is watched; -EBUSY: somebody handles SIGURG; -EAGAIN or -ENOMEM: no thread could be had. Checkpoint: never. */
WEIR_MUST_CHECK int weir_watchdog_start(const struct weir_watchdog_options *options);

/* Stops it; nothing if there is none. The samples stay. Checkpoint: never. */
void weir_watchdog_stop(void);

/* Prints a table of how often which task was seen to run: those started at one place together, the most frequent first;
 * and how often the loop waited, or was busy itself. Checkpoint: never. */
void weir_print_samples(FILE *out);

#endif
