/* The run loop: how it is run, what it tells of itself, and what plugs itself into it. */
#ifndef WEIR_LOOP_H
#define WEIR_LOOP_H

#include <weir/base.h>
#include <weir/clock.h>

struct weir_loop;
struct weir_instrument;

enum weir_idle {
    WEIR_IDLE_ADAPTIVE, /* spin a little, then sleep until the next timer, an interrupt, or 100 us */
    WEIR_IDLE_PAUSE,    /* never sleep, but tell the core that it is waiting                       */
    WEIR_IDLE_SPIN,     /* never sleep                                                             */
};

struct weir_run_options {
    unsigned tasks_max; /* alive at once; 0: 65536                                                  */
    size_t stack_size;  /* of each task, its guard page among it; 0: 64 KiB; a multiple of 4 KiB     */
    enum weir_idle idle;
    struct weir_clock *clock; /* NULL: weir_clock_tsc()                                                   */
    uint64_t shuffle_seed;    /* not 0: each batch of runnable tasks is shuffled, to expose order dependence */
    bool quiet;               /* do not print the error tree when the main task fails                     */
    bool deadlock_ends;       /* on a deadlock, besides reporting it, cancel the main task: -EDEADLK      */
    struct weir_instrument *const *instruments; /* there from the start, or NULL                          */
    unsigned instruments_count;
    void (*on_start)(struct weir_loop *loop, void *arg); /* called before the first task runs, or NULL    */
    void *on_start_arg;
};

/* Runs main(arg) as the first task on this thread until it and all its nurseries have ended. Not from inside a task.
 * options: NULL for the defaults. Returns what main returned; if that is negative, or errors were left unread, the
 * group's code, after printing the group as a tree to stderr; -EINTR if weir_interrupt() or Ctrl-C ended it; -ENOMEM if
 * stacks could not be set aside; -EBUSY inside another weir_run.
 * On the process's main thread, and unless somebody has installed a handler of his own, Ctrl-C (SIGINT) interrupts the
 * loop while it runs; the third one ends the process. */
WEIR_MUST_CHECK int weir_run(int (*main)(void *arg), void *arg, const struct weir_run_options *options);

/* Asks a loop to cancel its main task, as Ctrl-C does. From any thread, and from a signal handler, as long as the loop
 * is there; who cannot know that holds its token, and calls weir_token_interrupt. */
void weir_interrupt(struct weir_loop *loop);

/* Wakes a loop that sleeps while idle. From any thread, and from a signal handler, as long as the loop is there. */
void weir_loop_wake(struct weir_loop *loop);

/* Returns the loop that runs on this thread, or NULL. Checkpoint: never. */
struct weir_loop *weir_current_loop(void);

/* Returns a loop's number among those that run in this process: from 0 on, the least that was free when it began.
 * Checkpoint: never. */
unsigned weir_loop_number(const struct weir_loop *loop);

/* What a loop is at, as seen from outside: it may be over by the time one looks at it. */
struct weir_glance {
    const struct weir_task *task; /* whose turn it is; NULL: the loop's own  */
    const struct weir_site *site; /* that task's                              */
    uint64_t steps, turns;        /* how many it has made                     */
    bool asleep;                  /* it waits for something to do             */
};

/* Looks at a loop. From any thread, and from a signal handler, as long as the loop is there; costs the loop nothing. */
void weir_loop_glance(const struct weir_loop *loop, struct weir_glance *glance);

/* Returns the loop's time: read once a turn. Only inside weir_run. Checkpoint: never. */
weir_time weir_current_time(void);

struct weir_loop_statistics {
    unsigned tasks_living, tasks_runnable, tasks_max;
    unsigned errors_held; /* error records not yet freed */
    uint64_t turns;
};
void weir_current_statistics(struct weir_loop_statistics *statistics);

/* ---- for other rooms: what plugs itself into the loop ---- */

/* While held, the loop does not take itself for deadlocked when all its tasks wait: somebody outside may yet wake one.
 * Counted. In the loop only. Checkpoint: never. */
void weir_expect_wake(void);
void weir_expect_no_wake(void);

/* What plugs itself into the loop: called each turn, `poll` before the tasks run and `flush` after. */
struct weir_poller {
    struct weir_list link;
    int (*poll)(struct weir_poller *poller, weir_time now);   /* returns how much it found, 0: was idle   */
    void (*flush)(struct weir_poller *poller, weir_time now); /* or NULL */
    weir_time (*next_deadline)(struct weir_poller *poller);   /* when it wants to be polled; or NULL      */
    int (*interrupt)(struct weir_poller *poller, bool on);    /* descriptor to sleep on, or -ENOTSUP; or NULL */
};
void weir_poller_add(struct weir_poller *poller);
void weir_poller_remove(struct weir_poller *poller);

/* What a room keeps for each run, made when it is first asked for: Trio's RunVar. A constant of whoever keeps it. */
struct weir_run_state {
    const char *name;
    size_t size;                /* of what is kept; it begins all zero                                     */
    int (*open)(void *state);   /* sets it up: 0, or -errno; or NULL                                       */
    void (*close)(void *state); /* after the last task and the last job, the newest first; or NULL         */
};

/* Finds what this run keeps, or makes it. *state is written on success only. Returns 0, -ENOMEM, or what `open` said.
 * Only inside weir_run. Checkpoint: never. */
WEIR_MUST_CHECK int weir_run_state_get(const struct weir_run_state *kind, void **state);

/* The same, but NULL if there is none yet. Checkpoint: never. */
void *weir_run_state_find(const struct weir_run_state *kind);

/* Who wants to be told that nothing goes on: no task was runnable, no device found anything and no alarm fired, for
 * `cushion` nanoseconds of real time. Of several only those with the least cushion fire, and are removed; the others'
 * time begins anew. A virtual clock does not jump while one of these is there. */
struct weir_quiet {
    struct weir_list link;
    weir_time cushion;
    void (*fire)(struct weir_quiet *quiet);
};
void weir_quiet_add(struct weir_quiet *quiet);
void weir_quiet_remove(struct weir_quiet *quiet);

#endif
