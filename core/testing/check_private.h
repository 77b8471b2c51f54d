/* Private to the checks of streams: the checker, calls of a stream that are watched, and what is wanted of them. */
#ifndef WEIR_CHECK_PRIVATE_H
#define WEIR_CHECK_PRIVATE_H

#include <weir/testing.h>

/* One run of checks, and the pair of the check under way. By `ends` the one is meant that sends in it, and the other.
 */
struct checker {
    const struct weir_stream_maker *maker;
    weir_check_report *report;
    void *arg;
    const char *title; /* of the check under way              */
    bool backwards;    /* the pair's second end sends         */
    unsigned violations;
    struct weir_stream *ends[2]; /* NULL: closed, and must not be touched any more */
    struct weir_scope patience;  /* of the check under way                         */
    const char *stuck;           /* the call that was waiting when it ran out      */
};

struct check {
    const char *title;
    int (*run)(struct checker *c); /* returns 0; -EPROTO: it has told what was wrong; or an error of its own */
    bool clogged;                  /* wants such a pair */
};

/* Runs checks, each with a new pair. Returns 0, also if there were violations; or why it could not go on. */
WEIR_MUST_CHECK int weir_check_all(struct checker *c, const struct check *checks, size_t count);

/* Tells of a violation. Returns -EPROTO. */
int weir_check_violated(struct checker *c, const char *format, ...) WEIR_PRINTF(2, 3);

enum { SENDER, RECEIVER }; /* which end */

enum op { SEND_ALL, RECEIVE_SOME, WAIT_SEND, SEND_EOF, CLOSE, CLOSE_FORCEFULLY, ABORT };

#define UNFINISHED INT32_MIN /* it waits, or was not made */

/* One call of a stream. If it ends well it must have been a checkpoint. */
struct call {
    struct checker *c;
    enum op op;
    int end;
    const void *data; /* sent */
    size_t size;      /* sent, or to be received: 16 at the most */
    bool last;        /* only when all other tasks are blocked */
    int result;
    struct call *next;            /* made next in the same task, if this one ended well; or NULL */
    struct weir_nursery *nursery; /* cancelled when it, and what comes next, has ended; or NULL  */
    char got[16 + 4];
};

#define SEND(text)                                                                                                     \
    {                                                                                                                  \
        .c = c, .op = SEND_ALL, .end = SENDER, .data = (text), .size = sizeof(text) - 1, .result = UNFINISHED          \
    }
#define RECEIVE(most)                                                                                                  \
    {                                                                                                                  \
        .c = c, .op = RECEIVE_SOME, .end = RECEIVER, .size = (most), .result = UNFINISHED                              \
    }
#define CALL(what, which)                                                                                              \
    {                                                                                                                  \
        .c = c, .op = (what), .end = (which), .result = UNFINISHED                                                     \
    }

/* Whether an end can still be looked at though it was closed. */
static inline bool weir_check_lives(const struct checker *c, int end)
{
    return c->ends[end] != NULL;
}

/* Calls. Returns the result, which is also the call's. */
int weir_check_call(struct call *call);

/* As a task: a call, and what comes next. */
int weir_check_call_task(void *call);

/* Makes two calls, each in a task of its own. If `first_ends_both`, whichever ends first has the other cancelled.
 * Returns 0 or -ECANCELED: the check is over. */
WEIR_MUST_CHECK int weir_check_both(struct call *a, struct call *b, bool first_ends_both);

/* The same, of two of which one must be busy; and the other is cancelled then. Returns 0, -EPROTO or -ECANCELED. */
WEIR_MUST_CHECK int weir_check_one_is_busy(struct call *a, struct call *b);

/* Makes a call in a task, and cancels it when it waits: it must have been waiting. Returns as above. */
WEIR_MUST_CHECK int weir_check_cancelled_while_waiting(struct call *call);

/* What a call came to: exactly this code; bytes; that the stream is broken; either. Return 0 or -EPROTO. */
WEIR_MUST_CHECK int weir_check_want(const struct call *call, int code);
WEIR_MUST_CHECK int weir_check_want_bytes(const struct call *call, const char *bytes);
WEIR_MUST_CHECK int weir_check_want_broken(const struct call *call);
WEIR_MUST_CHECK int weir_check_want_broken_or(const struct call *call, int code);

/* Calls, and wants that code. */
WEIR_MUST_CHECK int weir_check_expect(struct call *call, int code);

/* Sends a byte and receives it. */
WEIR_MUST_CHECK int weir_check_sends_a_byte(struct checker *c);

/* Sends until that fails: as that the stream is broken it must. Returns 0 or -EPROTO. */
WEIR_MUST_CHECK int weir_check_breaks(struct checker *c);

/* Calls in a scope that is cancelled already, and wants -ECANCELED. */
WEIR_MUST_CHECK int weir_check_expect_cancelled(struct call *call);

/* The checks. */
extern const struct check weir_checks_one_way[], weir_checks_two_way[], weir_checks_half_closeable[];
extern const size_t weir_checks_one_way_count, weir_checks_two_way_count, weir_checks_half_closeable_count;

#endif
