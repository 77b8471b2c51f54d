/* The way in from outside: other threads, and signal handlers. */
#ifndef WEIR_TOKEN_H
#define WEIR_TOKEN_H

#include <weir/loop.h>

/* What stands for a loop outside its thread; it outlives the loop. Trio's TrioToken. */
struct weir_token;

/* Something to do in the loop, between tasks, as an alarm's: it must not wait. All zero but `fn` at first. The memory
 * is the caller's, and must last until `fn` is called; from then on it may be queued again, or be gone. */
struct weir_job {
    struct weir_job *next; /* private */
    void (*fn)(struct weir_job *job);
    bool queued; /* private */
};

/* Returns the current loop's token, with a reference of its own: to be given back. Only inside weir_run.
 * Checkpoint: never. */
struct weir_token *weir_current_token(void);
struct weir_token *weir_token_hold(struct weir_token *token); /* one more reference; from any thread */
void weir_token_release(struct weir_token *token);            /* from any thread                     */

/* Has job->fn(job) called in the token's loop, soon, first in first out; wakes the loop. From any thread and from a
 * signal handler; allocates nothing, takes no lock. What a job queues itself is called one turn later. Returns 0;
 * -EALREADY: this very job waits to be called already, and will be called once; -ESRCH: the run has ended (or is about
 * to: then too the job was not and will not be called). */
WEIR_MUST_CHECK int weir_token_run_soon(struct weir_token *token, struct weir_job *job);

/* weir_interrupt, where the loop may have ended: then nothing happens. From any thread and from a signal handler. */
void weir_token_interrupt(struct weir_token *token);

/* A token for a signal handler, which cannot know whether some thread takes it away meanwhile. All zero: shut. */
struct weir_door {
    struct weir_token *token; /* private */
    unsigned inside;          /* private */
};

/* weir_token_run_soon through the door; -ESRCH if it is shut. For signal handlers. */
WEIR_MUST_CHECK int weir_door_run_soon(struct weir_door *door, struct weir_job *job);

/* Opens a door that is shut, with a reference of its own; shuts it again, when no handler is inside any more (they are
 * never long). Checkpoint: never. */
void weir_door_open(struct weir_door *door, struct weir_token *token);
void weir_door_close(struct weir_door *door);

/* Has a signal interrupt the main thread's loop as Ctrl-C does: the first one that comes before there is a loop
 * interrupts it when it begins; the third, whatever their kinds, ends the process. *before is who had it. And gives it
 * back, unless somebody else has taken it. For the main thread, outside weir_run. */
struct sigaction;
void weir_signal_interrupts(int number, struct sigaction *before);
void weir_signal_interrupts_no_more(int number, const struct sigaction *before);

#endif
