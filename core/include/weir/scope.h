/* Cancel scopes: what runs in them can be cancelled; with deadlines, reasons, shields and grace. */
#ifndef WEIR_SCOPE_H
#define WEIR_SCOPE_H

#include <weir/loop.h>
#include <weir/wait.h>

struct weir_task;
struct weir_nursery;

/* How far cancellation from outside reaches into a scope. */
enum weir_shield {
    WEIR_SHIELD_NONE,
    WEIR_SHIELD_FULL,  /* not at all: Trio's shield                                                     */
    WEIR_SHIELD_GRACE, /* only when the grace period of a cancelled scope is over: for orderly ends     */
};

/* A cancel scope. Fill it by opening it; read `cancel_called`, `cancelled_caught` and, of a cancelled one, `reason`;
 * leave the rest alone. */
struct weir_scope {
    bool cancel_called;           /* somebody cancelled it, or its deadline passed                              */
    bool cancelled_caught;        /* a -ECANCELED of this scope was stopped at its end                          */
    bool effectively_cancelled;   /* it or, unless shielded, a scope around it is cancelled                     */
    bool grace_over;              /* private: the same, and no grace is left                                    */
    uint8_t shield;               /* an enum weir_shield; set with weir_scope_set_shield                        */
    bool fails : 1;               /* opened by weir_fail_*                                                      */
    bool cancelled_alongside : 1; /* private: an error came out of a nursery in it together with a -ECANCELED   */
    bool hard;                    /* private: it was cancelled, and its own grace period has passed             */
    uint8_t attention;            /* private: what a checkpoint looks at; 0: it need not look further           */
    struct weir_scope *parent;
    struct weir_task *owner;      /* who opened it; NULL: closed           */
    struct weir_nursery *nursery; /* whose scope it is, or NULL            */
    struct weir_list children;    /* scopes right below                    */
    struct weir_list sibling;
    struct weir_alarm alarm;
    weir_time deadline, grace;    /* grace: how long it will be given */
    const struct weir_site *site; /* where it was opened */
    struct weir_reason reason;    /* set when it is cancelled, before anybody is woken */
    int alongside;                /* private: cancelled_alongside of which error; another is on its own */
};

/* Opens a scope in the current task, with a deadline (WEIR_NEVER: none). Prefer the blocks below.
 * A deadline already past cancels at once. Checkpoint: never. The scope must live until it is closed. */
#define weir_scope_open(scope, deadline) weir_scope_open_((scope), (deadline), WEIR_SITE("weir_scope_open"))

/* Closes a scope with the status of what ran inside. Returns the status to go on with: 0 for a -ECANCELED that was this
 * scope's (`cancelled_caught` is then true), -ETIMEDOUT for one in a weir_fail_* scope, else `status` unchanged. Scopes
 * that were opened inside and not closed are closed and reported, and the answer is -EINVAL unless `status` is an error
 * already; so is a scope that this task did not open. A nursery still open inside stays open, in the scope around this
 * one. Checkpoint: never. */
WEIR_MUST_CHECK int weir_scope_close(struct weir_scope *scope, int status);

/* Cancels a scope: from now on each checkpoint in it answers -ECANCELED; tasks waiting in it are woken. Again: nothing
 * (the first reason stands), but that a grace period under way is over at once. On a closed one it sets `cancel_called`
 * only. From any task of the loop. Checkpoint: never. */
#define weir_scope_cancel(scope) weir_scope_cancel_((scope), "cancelled", WEIR_SITE("weir_scope_cancel"))

/* The same, with words of your own for the reason (a string that outlives the scope: it is not copied). */
#define weir_scope_cancel_because(scope, what)                                                                         \
    weir_scope_cancel_((scope), (what), WEIR_SITE("weir_scope_cancel_because"))

/* The same, with a whole reason, which is copied: of another loop's task, say. */
void weir_scope_cancel_why(struct weir_scope *scope, const struct weir_reason *reason);

/* Cancels now all but what runs in scopes shielded with WEIR_SHIELD_GRACE (weir_with_grace); those too when `grace`
 * nanoseconds have passed. Again: the earlier end of the two counts. Checkpoint: never. */
#define weir_scope_cancel_gracefully(scope, grace)                                                                     \
    weir_scope_cancel_gracefully_((scope), (grace), WEIR_SITE("weir_scope_cancel_gracefully"))

/* Gives every cancellation of this scope, by its deadline or by a failed child too, a grace period, in nanoseconds. 0:
 * none, as at first. One that is under way is not changed. Checkpoint: never. */
void weir_scope_set_grace(struct weir_scope *scope, weir_time grace);

/* Why the current task is being cancelled: the reason of the outermost cancelled scope that it feels, which is the one
 * that will catch it. weir_reason_print prints it. Returns 0, or -ENOENT if it is not cancelled. Checkpoint: never. */
int weir_current_cancel_reason(struct weir_reason *reason);
int weir_task_cancel_reason(const struct weir_task *task, struct weir_reason *reason); /* of any task of the loop */

/* Moves a deadline, while others wait too; one already past cancels at once. On a closed scope: nothing.
 * Checkpoint: never. */
void weir_scope_set_deadline(struct weir_scope *scope, weir_time deadline);

/* Sets how far cancellation of scopes around reaches inside, whenever you like (true is WEIR_SHIELD_FULL, false
 * WEIR_SHIELD_NONE). Checkpoint: never. */
void weir_scope_set_shield(struct weir_scope *scope, enum weir_shield shield);

/* Returns the deadline by which the current task will be cancelled: the earliest of the scopes around it up to a full
 * shield, beyond a WEIR_SHIELD_GRACE with their grace periods; INT64_MIN if it is cancelled already. Checkpoint: never.
 */
weir_time weir_current_effective_deadline(void);

/* Blocks: weir_move_on_after(&scope, WEIR_SECONDS(5), rc) { ... rc = something(); ... }
 * `rc` is an int variable of yours, the block's status, which the block's end reads and may set (see weir_scope_close).
 * `break` leaves the block and is read alike; by `return` and `goto` the scope is closed too, but a status already
 * returned cannot be changed: inside a block, write WEIR_DO(rc, call) where you would write WEIR_TRY(call) outside.
 *
 * For an orderly end, which takes a while, in a scope that may be cancelled:
 *     int rc = serve(stream), end = 0;
 *     weir_with_grace(&scope, end) end = say_goodbye(stream);
 * Cancelled with a grace period, it has that long to say goodbye; cancelled without, say_goodbye's first checkpoint
 * answers -ECANCELED. */
#define weir_with_scope(scope, rc) WEIR_SCOPE_BLOCK_((scope), WEIR_NEVER, false, (rc), "weir_with_scope")
#define weir_with_shield(scope, rc) WEIR_SHIELD_BLOCK_((scope), WEIR_SHIELD_FULL, (rc), "weir_with_shield")
#define weir_with_grace(scope, rc) WEIR_SHIELD_BLOCK_((scope), WEIR_SHIELD_GRACE, (rc), "weir_with_grace")
#define weir_move_on_at(scope, deadline, rc) WEIR_SCOPE_BLOCK_((scope), (deadline), false, (rc), "weir_move_on_at")
#define weir_move_on_after(scope, delay, rc)                                                                           \
    WEIR_SCOPE_BLOCK_((scope), weir_time_add(weir_current_time(), (delay)), false, (rc), "weir_move_on_after")
#define weir_fail_at(scope, deadline, rc) WEIR_SCOPE_BLOCK_((scope), (deadline), true, (rc), "weir_fail_at")
#define weir_fail_after(scope, delay, rc)                                                                              \
    WEIR_SCOPE_BLOCK_((scope), weir_time_add(weir_current_time(), (delay)), true, (rc), "weir_fail_after")

/* rc = call; and leave the block if that is an error. Directly inside a block, not inside a loop in it. */
#define WEIR_DO(rc, call)                                                                                              \
    if (((rc) = (call)) < 0)                                                                                           \
    break

/* ---- the blocks' machinery; not for direct use ---- */

struct weir_scope_guard {
    void *open;
    int *status;
};
void weir_scope_cancel_(struct weir_scope *scope, const char *what, const struct weir_site *where);
void weir_scope_cancel_gracefully_(struct weir_scope *scope, weir_time grace, const struct weir_site *where);
void weir_scope_open_(struct weir_scope *scope, weir_time deadline, const struct weir_site *site);
struct weir_scope_guard weir_scope_guard_open_(struct weir_scope *scope, weir_time deadline, bool fails, int *status,
                                               const struct weir_site *site);
struct weir_scope_guard weir_shield_guard_open_(struct weir_scope *scope, enum weir_shield shield, int *status,
                                                const struct weir_site *site);
void weir_scope_guard_close_(struct weir_scope_guard *guard);

#define WEIR_SCOPE_BLOCK_(scope, deadline, fails, rc, name)                                                            \
    WEIR_BLOCK_(weir_scope_guard, weir_scope_guard_open_((scope), (deadline), (fails), &(rc), WEIR_SITE(name)))
#define WEIR_SHIELD_BLOCK_(scope, shield, rc, name)                                                                    \
    WEIR_BLOCK_(weir_scope_guard, weir_shield_guard_open_((scope), (shield), &(rc), WEIR_SITE(name)))

#endif
