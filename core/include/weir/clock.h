/* Time: the clock interface, and the timer wheel. All times are nanoseconds on a clock's own monotonic scale. */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <weir/base.h>

typedef int64_t weir_time; /* nanoseconds */

#define WEIR_NEVER INT64_MAX
#define WEIR_SECONDS(n) ((weir_time)((n)*1e9))
#define WEIR_MILLISECONDS(n) ((weir_time)((n)*1e6))
#define WEIR_MICROSECONDS(n) ((weir_time)((n)*1e3))

/* Returns from + delay, stopping at WEIR_NEVER instead of overflowing. */
static inline weir_time weir_time_add(weir_time from, weir_time delay)
{
    weir_time sum;
    return __builtin_add_overflow(from, delay, &sum) ? (delay > 0 ? WEIR_NEVER : INT64_MIN) : sum;
}

/* A clock. `now` reads it. `idle`, where a clock has one, is asked when nothing can run before `deadline`: it may move
 * the clock (a virtual clock jumps there) and answers true if it did; a clock of real time has none. */
struct weir_clock {
    weir_time (*now)(struct weir_clock *clock);
    bool (*idle)(struct weir_clock *clock, weir_time deadline);
};

/* Returns the process's clock of real time: the cycle counter where it is invariant, scaled to CLOCK_MONOTONIC once at
 * first use; else CLOCK_MONOTONIC itself. Shared by all lcores, never freed. Checkpoint: never. */
struct weir_clock *weir_clock_tsc(void);

/* A clock that stands still unless told. With autojump it jumps to the next deadline when all is idle. */
struct weir_virtual_clock {
    struct weir_clock clock;
    weir_time time;
    bool autojump;
};

/* Sets up a virtual clock at time `start`. */
void weir_virtual_clock_init(struct weir_virtual_clock *clock, weir_time start, bool autojump);

/* Moves a virtual clock forward by `by` >= 0 nanoseconds. */
void weir_virtual_clock_advance(struct weir_virtual_clock *clock, weir_time by);

/* ---- the timer wheel: hierarchical; a timer never fires early, and due timers come in order of deadline ---- */

struct weir_timer {
    struct weir_list link; /* its slot; self when not armed                                          */
    weir_time deadline;    /* when it shall fire; may lie later than the slot says (re-armed lazily) */
    uint64_t sequence;     /* breaks ties: armed first fires first                                   */
};

#define WEIR_WHEEL_LEVELS 9 /* 54 bits of ticks: all of weir_time */
#define WEIR_WHEEL_SLOTS 64

struct weir_wheel {
    int64_t tick;                                            /* all ticks before this one are done; a tick is 1024 ns */
    weir_time next;                                          /* never later than the earliest deadline                */
    uint64_t sequence;                                       /* of the last arming                                    */
    size_t armed;                                            /* how many timers are armed                             */
    uint64_t occupied[WEIR_WHEEL_LEVELS];                    /* bit s: slot s of that level has timers */
    weir_time earliest[WEIR_WHEEL_LEVELS][WEIR_WHEEL_SLOTS]; /* never later than the slot's first deadline */
    struct weir_list slots[WEIR_WHEEL_LEVELS][WEIR_WHEEL_SLOTS];
    struct weir_list due; /* found due, sorted, not yet handed out */
};

/* Sets up an empty wheel whose time is `now`. */
void weir_wheel_init(struct weir_wheel *wheel, weir_time now);

/* Sets up a timer that is not armed. */
static inline void weir_timer_init(struct weir_timer *timer)
{
    weir_list_init(&timer->link);
    timer->deadline = WEIR_NEVER;
    timer->sequence = 0;
}

static inline bool weir_timer_armed(const struct weir_timer *timer)
{
    return !weir_list_empty(&timer->link);
}

/* Arms a timer, or moves its deadline. Later is O(1) with no list work (the entry moves when its old time comes);
 * earlier relinks. WEIR_NEVER disarms. Checkpoint: never. The timer must outlive its being armed. */
void weir_wheel_arm(struct weir_wheel *wheel, struct weir_timer *timer, weir_time deadline);

/* Disarms a timer; fine on one that is not armed. Checkpoint: never. */
void weir_wheel_disarm(struct weir_wheel *wheel, struct weir_timer *timer);

/* Moves the wheel to `now` and returns the next timer with deadline <= now, disarmed, earliest deadline first; NULL
 * when none is left. Call it in a loop. Timers armed meanwhile, if due, come too. Checkpoint: never. */
struct weir_timer *weir_wheel_expire(struct weir_wheel *wheel, weir_time now);

/* Returns a time not later than the earliest deadline, WEIR_NEVER if nothing is armed. It may be early (by a timer that
 * was disarmed or moved later), never late. Checkpoint: never. */
static inline weir_time weir_wheel_next(const struct weir_wheel *wheel)
{
    return wheel->next;
}

#endif
