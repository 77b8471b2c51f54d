/* The ground everything stands on: assertions, attributes, intrusive lists, error codes and groups, log, seeded rng. */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WEIR_LIKELY(x) __builtin_expect(!!(x), 1)
#define WEIR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WEIR_MUST_CHECK __attribute__((warn_unused_result))
#define WEIR_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define WEIR_NORETURN __attribute__((noreturn))
#define WEIR_CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* ---- assertions: about our own state, always on; never about what a peer, a file or a user sent ---- */

WEIR_NORETURN void weir_assert_failed(const char *expression, const char *file, int line);
WEIR_NORETURN void weir_assert_equal_failed(const char *a, const char *b, long long left, long long right,
                                            const char *file, int line);

#define WEIR_ASSERT(expression)                                                                                        \
    do {                                                                                                               \
        if (WEIR_UNLIKELY(!(expression)))                                                                              \
            weir_assert_failed(#expression, __FILE__, __LINE__);                                                       \
    } while (0)

/* Prints both values when they differ. */
#define WEIR_ASSERT_EQ(a, b)                                                                                           \
    do {                                                                                                               \
        long long weir_left_ = (long long)(a), weir_right_ = (long long)(b);                                           \
        if (WEIR_UNLIKELY(weir_left_ != weir_right_))                                                                  \
            weir_assert_equal_failed(#a, #b, weir_left_, weir_right_, __FILE__, __LINE__);                             \
    } while (0)

/* Returns from the calling function with the error, if there is one. */
#define WEIR_TRY(expression)                                                                                           \
    do {                                                                                                               \
        int weir_rc_ = (expression);                                                                                   \
        if (WEIR_UNLIKELY(weir_rc_ < 0))                                                                               \
            return weir_rc_;                                                                                           \
    } while (0)

/* ---- intrusive doubly linked lists; a node that is in no list points to itself ---- */

struct weir_list {
    struct weir_list *next, *prev;
};

static inline void weir_list_init(struct weir_list *list)
{
    list->next = list->prev = list;
}

static inline bool weir_list_empty(const struct weir_list *list)
{
    return list->next == list;
}

static inline void weir_list_append(struct weir_list *list, struct weir_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

/* Safe on a node that is in no list. */
static inline void weir_list_remove(struct weir_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = node;
}

#define WEIR_LIST_FIRST(list, type, member)                                                                            \
    (weir_list_empty(list) ? NULL : WEIR_CONTAINER_OF((list)->next, type, member))

/* Safe against removal of the current node only. */
#define WEIR_LIST_FOREACH(item, list, type, member)                                                                    \
    for (struct weir_list *weir_at_ = (list)->next, *weir_next_ = weir_at_->next;                                      \
         weir_at_ != (list) && ((item) = WEIR_CONTAINER_OF(weir_at_, type, member), true);                             \
         weir_at_ = weir_next_, weir_next_ = weir_at_->next)

/* ---- blocks, which close what they opened however they are left; for the macros of this face only ---- */

/* A kind is a struct with a pointer `open`, NULL where there is nothing to run, and KIND_close_, which makes it so. */
#define WEIR_CONCAT2_(a, b) a##b
#define WEIR_CONCAT_(a, b) WEIR_CONCAT2_(a, b)
#define WEIR_BLOCK_(kind, opened) WEIR_BLOCK2_(kind, opened, WEIR_CONCAT_(weir_guard_, __LINE__))
#define WEIR_BLOCK2_(kind, opened, guard)                                                                              \
    for (struct kind guard __attribute__((cleanup(kind##_close_))) = (opened); (guard).open != NULL;                   \
         kind##_close_(&(guard)))

/* ---- error codes ---- */

/* Names a code as Trio does ("Cancelled", "TooSlowError") or else as errno does ("EINVAL").
 * Takes a negative code; 0 is "ok". Returns a static string, never NULL. Checkpoint: never. */
const char *weir_error_name(int code);

/* Says a code in words ("the peer reset the connection"). Returns a static string. Checkpoint: never. */
const char *weir_error_text(int code);

/* ---- where something was written: the name of a function and the place that named it ---- */

struct weir_site {
    const char *name;
    const char *file;
    const char *function;
    int line;
};

#define WEIR_SITE(called)                                                                                              \
    ({                                                                                                                 \
        static const struct weir_site weir_site_ = {(called), __FILE__, __func__, __LINE__};                           \
        &weir_site_;                                                                                                   \
    })

/* ---- why a scope was cancelled (weir/task.h): copied by value, nothing is allocated ---- */

struct weir_reason {
    const char *what;              /* "cancelled", "deadline passed", "a child failed", or the caller's own words;
                                      NULL: there is no reason                                                    */
    const struct weir_site *who;   /* the task that cancelled: its name, and where it was started; NULL: none did */
    const struct weir_site *where; /* the call that cancelled; for a deadline, where the scope was opened; or NULL */
    int code;                      /* the error that led to it, or 0                                              */
    unsigned loop;                 /* whose: weir_loop_number                                                     */
};

/* Prints a reason as the error trees do, without an end of line: "deadline passed (weir_fail_after in fetch, a.c:12)".
 * Checkpoint: never. */
void weir_reason_print(FILE *out, const struct weir_reason *reason);

/* ---- error groups: a tree of what went wrong. One node is one task that ended with an error. ---- */

struct weir_error {
    int code;                     /* < 0: what the task returned, or what its group amounts to            */
    const struct weir_site *site; /* the task's name, and where it was started                            */
    struct weir_error *children;  /* errors that its nurseries gathered and its blocks did not read       */
    struct weir_error *next;      /* sibling, oldest first                                                */
    struct weir_reason reason;    /* of -ETIMEDOUT, -ECANCELED, -ESHUTDOWN: the cancellation that it comes
                                     from; of another code: why the task was being cancelled, if it was   */
    uint64_t nursery;             /* serial number of the nursery that gathered it; private               */
    struct weir_error **trusted;  /* while a nursery holds it in trust: what points to it there; private  */
};

/* Prints a group as a tree, one line an error: name, code, words, the reason of the cancellation, where.
 * Returns nothing. Checkpoint: never. The group stays the caller's. */
void weir_error_print(FILE *out, const struct weir_error *group);

/* ---- log ---- */

enum weir_log_level { WEIR_LOG_ERROR, WEIR_LOG_WARNING, WEIR_LOG_INFO, WEIR_LOG_DEBUG };

/* Writes one line to stderr, "weir: ..." in front, if level is at or above the threshold (default: warning; the
 * environment's WEIR_LOG=error|warning|info|debug overrides). Checkpoint: never. */
void weir_log(enum weir_log_level level, const char *format, ...) WEIR_PRINTF(2, 3);

/* Sets the threshold for the whole process. Checkpoint: never. */
void weir_log_set_level(enum weir_log_level level);

/* ---- for signal handlers: to stderr, by write(2) alone ---- */

void weir_say(const char *text);
void weir_say_number(uint64_t number);

/* ---- randomness: from a seed, so that it replays ---- */

struct weir_rng {
    uint64_t state[4];
};

/* Seeds a generator; any seed is good, zero too. Source: Blackman and Vigna, xoshiro256**, seeded by splitmix64. */
void weir_rng_seed(struct weir_rng *rng, uint64_t seed);

/* Returns 64 uniformly random bits. Not for secrets. Checkpoint: never. */
uint64_t weir_rng_next(struct weir_rng *rng);

/* Returns a number in [0, bound); bound > 0. Source: Lemire, Fast Random Integer Generation in an Interval. */
uint64_t weir_rng_below(struct weir_rng *rng, uint64_t bound);

/* Returns a number in [0, 1). */
double weir_rng_double(struct weir_rng *rng);

/* SipHash-2-4 of `length` bytes: to who does not know the key, any number. Checkpoint: never.
 * Source: Aumasson and Bernstein, SipHash: a fast short-input PRF, section 2. */
uint64_t weir_siphash(const uint8_t key[16], const void *bytes, size_t length);

#endif
