/* Capacity limiter: tokens, and who has them. The rules are Trio's (trio.CapacityLimiter). */
#include <stdlib.h>
#include <weir/limiter.h>

/* ---- the borrowers: a hash table that is at most half full ---- */

static unsigned home(const struct weir_capacity_limiter *limiter, const void *borrower)
{
    return (unsigned)(((uintptr_t)borrower * 0x9e3779b97f4a7c15u) >> 32) & (limiter->room - 1);
}

/* Where a borrower is, or else would be. */
static unsigned place_of(const struct weir_capacity_limiter *limiter, const void *borrower)
{
    unsigned at = home(limiter, borrower);
    while (limiter->borrowers[at] != NULL && limiter->borrowers[at] != borrower)
        at = (at + 1) & (limiter->room - 1);
    return at;
}

static void add(struct weir_capacity_limiter *limiter, const void *borrower)
{
    limiter->borrowers[place_of(limiter, borrower)] = borrower;
    limiter->borrowed++;
}

/* Moves up who stands behind the gap because his own place was taken. Source: Knuth, TAOCP 3, 6.4, algorithm R. */
static void take_out(struct weir_capacity_limiter *limiter, unsigned gap)
{
    unsigned mask = limiter->room - 1;
    limiter->borrowers[gap] = NULL;
    limiter->borrowed--;
    for (unsigned at = (gap + 1) & mask; limiter->borrowers[at] != NULL; at = (at + 1) & mask) {
        unsigned wanted = home(limiter, limiter->borrowers[at]);
        if (((at - wanted) & mask) < ((at - gap) & mask))
            continue;
        limiter->borrowers[gap] = limiter->borrowers[at];
        limiter->borrowers[at] = NULL;
        gap = at;
    }
}

static int make_room(struct weir_capacity_limiter *limiter, unsigned borrowers)
{
    struct weir_capacity_limiter old = *limiter;
    unsigned room = 2;
    while (room < 2 * borrowers)
        room *= 2;
    if (room <= old.room)
        return 0;
    const void **table = calloc(room, sizeof *table);
    if (table == NULL)
        return -ENOMEM;
    limiter->borrowers = table;
    limiter->room = room;
    for (unsigned i = 0; i < old.room; i++)
        if (old.borrowers[i] != NULL)
            table[place_of(limiter, old.borrowers[i])] = old.borrowers[i];
    free(old.borrowers);
    return 0;
}

bool weir_capacity_limiter_is_borrower(const struct weir_capacity_limiter *limiter, const void *borrower)
{
    return borrower != NULL && limiter->borrowers[place_of(limiter, borrower)] == borrower;
}

const void *weir_capacity_limiter_next_borrower(const struct weir_capacity_limiter *limiter, const void *after)
{
    for (unsigned i = after == NULL ? 0 : place_of(limiter, after) + 1; i < limiter->room; i++)
        if (limiter->borrowers[i] != NULL)
            return limiter->borrowers[i];
    return NULL;
}

/* ---- the tokens ---- */

int weir_capacity_limiter_init(struct weir_capacity_limiter *limiter, unsigned total_tokens)
{
    *limiter = (struct weir_capacity_limiter){0};
    weir_parking_lot_init(&limiter->lot);
    return weir_capacity_limiter_set_total_tokens(limiter, total_tokens);
}

void weir_capacity_limiter_destroy(struct weir_capacity_limiter *limiter)
{
    WEIR_ASSERT(weir_parking_lot_first(&limiter->lot) == NULL);
    free(limiter->borrowers);
    *limiter = (struct weir_capacity_limiter){0};
    weir_parking_lot_init(&limiter->lot);
}

/* Gives what tokens there are to who waits. Two may have waited for the same borrower: the second finds it served. */
static void serve(struct weir_capacity_limiter *limiter)
{
    struct weir_waiter *first;
    while (limiter->borrowed < limiter->total && (first = weir_parking_lot_first(&limiter->lot)) != NULL) {
        bool served = weir_capacity_limiter_is_borrower(limiter, first->arg);
        if (!served)
            add(limiter, first->arg);
        weir_waiter_wake(first, served ? -EALREADY : 0);
    }
}

int weir_capacity_limiter_set_total_tokens(struct weir_capacity_limiter *limiter, unsigned total_tokens)
{
    if (total_tokens < 1 || total_tokens > WEIR_TOKENS_MAX)
        return -EINVAL;
    WEIR_TRY(make_room(limiter, total_tokens));
    limiter->total = total_tokens;
    serve(limiter);
    return 0;
}

int weir_capacity_limiter_acquire_on_behalf_of_nowait(struct weir_capacity_limiter *limiter, const void *borrower)
{
    if (borrower == NULL)
        return -EINVAL;
    if (weir_capacity_limiter_is_borrower(limiter, borrower))
        return -EALREADY;
    if (limiter->borrowed >= limiter->total)
        return -EAGAIN;
    add(limiter, borrower);
    return 0;
}

static void describe(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_waiter *waiter = arg;
    const struct weir_capacity_limiter *limiter =
        WEIR_CONTAINER_OF(waiter->lot, const struct weir_capacity_limiter, lot);
    fprintf(out, "%u of %u borrowed", limiter->borrowed, limiter->total);
}

static const struct weir_wait limiter_wait = {
    .name = "weir_capacity_limiter_acquire", .abort = weir_waiter_abort, .describe = describe};

int weir_capacity_limiter_acquire_on_behalf_of(struct weir_capacity_limiter *limiter, const void *borrower)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int rc = weir_capacity_limiter_acquire_on_behalf_of_nowait(limiter, borrower);
    if (rc == -EAGAIN) {
        struct weir_waiter waiter = {.arg = (void *)(uintptr_t)borrower}; /* compared, never written to */
        return weir_waiter_park(&waiter, &limiter->lot, &limiter_wait);
    }
    weir_fast_path_done();
    return rc;
}

int weir_capacity_limiter_release_on_behalf_of(struct weir_capacity_limiter *limiter, const void *borrower)
{
    if (!weir_capacity_limiter_is_borrower(limiter, borrower))
        return -EPERM;
    take_out(limiter, place_of(limiter, borrower));
    serve(limiter);
    return 0;
}

int weir_capacity_limiter_acquire(struct weir_capacity_limiter *limiter)
{
    return weir_capacity_limiter_acquire_on_behalf_of(limiter, weir_current_task());
}

int weir_capacity_limiter_acquire_nowait(struct weir_capacity_limiter *limiter)
{
    return weir_capacity_limiter_acquire_on_behalf_of_nowait(limiter, weir_current_task());
}

int weir_capacity_limiter_release(struct weir_capacity_limiter *limiter)
{
    return weir_capacity_limiter_release_on_behalf_of(limiter, weir_current_task());
}

void weir_capacity_limiter_statistics(const struct weir_capacity_limiter *limiter,
                                      struct weir_capacity_limiter_statistics *statistics)
{
    struct weir_parking_lot_statistics lot;
    weir_parking_lot_statistics(&limiter->lot, &lot);
    *statistics = (struct weir_capacity_limiter_statistics){
        .borrowed_tokens = limiter->borrowed, .total_tokens = limiter->total, .tasks_waiting = lot.tasks_waiting};
}

/* ---- as a case, and as a block ---- */

static int attempt(struct weir_case *one)
{
    return weir_capacity_limiter_acquire_on_behalf_of_nowait(one->waiter.object, one->waiter.arg);
}

static int enter(struct weir_case *one)
{
    struct weir_capacity_limiter *limiter = one->waiter.object;
    weir_waiter_enter(&one->waiter, &limiter->lot);
    return 0;
}

const struct weir_case_kind weir_capacity_limiter_case = {
    .name = "weir_capacity_limiter_acquire", .attempt = attempt, .enter = enter, .leave = weir_case_leave_line};

static int release(void *limiter)
{
    return weir_capacity_limiter_release(limiter);
}

struct weir_hold_guard weir_limiter_guard_open_(struct weir_capacity_limiter *limiter, int *status)
{
    int rc = weir_capacity_limiter_acquire(limiter);
    if (rc < 0)
        *status = rc;
    return (struct weir_hold_guard){rc < 0 ? NULL : limiter, release, status};
}
