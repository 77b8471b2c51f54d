/* Capacity limiters: how many may do something at a time, and who they are. */
#ifndef WEIR_LIMITER_H
#define WEIR_LIMITER_H

#include <weir/lock.h>

#define WEIR_TOKENS_MAX (1u << 20)

/* A sack of tokens that borrowers take out and bring back; each may have one. */
struct weir_capacity_limiter {
    unsigned total, borrowed, room; /* room: places in the table, a power of two */
    const void **borrowers;         /* a hash table with open addressing         */
    struct weir_parking_lot lot;
};

/* Sets one up with `total_tokens`, 1 to WEIR_TOKENS_MAX, and sets memory aside for as many borrowers: nothing later
 * can run out of it. Returns 0, -EINVAL, -ENOMEM. Checkpoint: never. To be destroyed. */
WEIR_MUST_CHECK int weir_capacity_limiter_init(struct weir_capacity_limiter *limiter, unsigned total_tokens);

/* Frees its memory. Nobody may be waiting; tokens still out are forgotten. Checkpoint: never. */
void weir_capacity_limiter_destroy(struct weir_capacity_limiter *limiter);

/* Borrow a token for the current task, or for any other borrower: a pointer that is only compared. First come, first
 * served. Return 0; -EALREADY: this borrower has one; -ECANCELED: none was taken; -EINVAL: it is
 * NULL. Checkpoint: always.
 * A task that ends without bringing its token back keeps it out. */
WEIR_MUST_CHECK int weir_capacity_limiter_acquire(struct weir_capacity_limiter *limiter);
WEIR_MUST_CHECK int weir_capacity_limiter_acquire_on_behalf_of(struct weir_capacity_limiter *limiter,
                                                               const void *borrower);

/* The same without waiting: -EAGAIN if they would have to. Checkpoint: never. */
WEIR_MUST_CHECK int weir_capacity_limiter_acquire_nowait(struct weir_capacity_limiter *limiter);
WEIR_MUST_CHECK int weir_capacity_limiter_acquire_on_behalf_of_nowait(struct weir_capacity_limiter *limiter,
                                                                      const void *borrower);

/* Bring the token back; the first who waits gets it. Return 0, or -EPERM: this borrower has none. Checkpoint: never. */
int weir_capacity_limiter_release(struct weir_capacity_limiter *limiter);
int weir_capacity_limiter_release_on_behalf_of(struct weir_capacity_limiter *limiter, const void *borrower);

/* Changes how many tokens there are. If more: those who wait get the new ones at once. If fewer than are out: none is
 * given until enough have come back. Returns 0, -EINVAL or -ENOMEM (it is as before). Checkpoint: never. */
WEIR_MUST_CHECK int weir_capacity_limiter_set_total_tokens(struct weir_capacity_limiter *limiter,
                                                           unsigned total_tokens);

/* Whether it has a token. Checkpoint: never. */
bool weir_capacity_limiter_is_borrower(const struct weir_capacity_limiter *limiter, const void *borrower);

/* Walks those who have a token, in no order, as long as nobody borrows or brings back. `after`: NULL for the first;
 * NULL comes after the last. Checkpoint: never. */
const void *weir_capacity_limiter_next_borrower(const struct weir_capacity_limiter *limiter, const void *after);

struct weir_capacity_limiter_statistics {
    unsigned borrowed_tokens;
    unsigned total_tokens; /* fewer than are borrowed, if it was lowered */
    unsigned tasks_waiting;
};
void weir_capacity_limiter_statistics(const struct weir_capacity_limiter *limiter,
                                      struct weir_capacity_limiter_statistics *statistics);

/* Block: weir_with_capacity_limiter(&limiter, rc) { ... } borrows a token for the current task, and brings it back
 * however it is left. If none could be had the block does not run, and rc is the error. */
#define weir_with_capacity_limiter(limiter, rc) WEIR_BLOCK_(weir_hold_guard, weir_limiter_guard_open_((limiter), &(rc)))

/* Cases of a weir_select: borrow a token for the current task, or on behalf of a borrower. */
#define WEIR_CASE_CAPACITY_LIMITER(limiter)                                                                            \
    WEIR_CASE_(weir_capacity_limiter_case, struct weir_capacity_limiter, (limiter), weir_current_task())
#define WEIR_CASE_CAPACITY_LIMITER_ON_BEHALF_OF(limiter, borrower)                                                     \
    WEIR_CASE_(weir_capacity_limiter_case, struct weir_capacity_limiter, (limiter), (void *)(uintptr_t)(borrower))

extern const struct weir_case_kind weir_capacity_limiter_case;

struct weir_hold_guard weir_limiter_guard_open_(struct weir_capacity_limiter *limiter, int *status);

#endif
