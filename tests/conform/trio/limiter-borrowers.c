/* A borrower has one token at the most, and only a borrower brings one back. */
#include "twin.h"

static struct weir_capacity_limiter limiter;

static void attempt(int rc)
{
    say("main: %s", refusal(rc));
}

static int for_other(void *borrower)
{
    WEIR_TRY(weir_capacity_limiter_acquire_on_behalf_of(&limiter, borrower));
    say("other: has it %.1f", now());
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return weir_capacity_limiter_release_on_behalf_of(&limiter, borrower);
}

static int main_task(void *arg)
{
    static char a, b, c;
    struct weir_capacity_limiter_statistics statistics;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_capacity_limiter_init(&limiter, 2));
    attempt(weir_capacity_limiter_release(&limiter));
    WEIR_TRY(weir_capacity_limiter_acquire(&limiter));
    attempt(weir_capacity_limiter_acquire_nowait(&limiter));
    if (weir_capacity_limiter_acquire(&limiter) == -EALREADY)
        say("main: not twice");
    attempt(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &a));
    attempt(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &a));
    attempt(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &b));
    attempt(weir_capacity_limiter_release_on_behalf_of(&limiter, &b));
    say("main: %s %s %s", yes(weir_capacity_limiter_is_borrower(&limiter, &a)),
        yes(weir_capacity_limiter_is_borrower(&limiter, &b)),
        yes(weir_capacity_limiter_is_borrower(&limiter, weir_current_task())));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, for_other, &c);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        attempt(weir_capacity_limiter_release_on_behalf_of(&limiter, &c));
        attempt(weir_capacity_limiter_release_on_behalf_of(&limiter, &a));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(0.5)));
        attempt(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &c));
    }
    weir_capacity_limiter_release(&limiter);
    weir_capacity_limiter_statistics(&limiter, &statistics);
    say("main: %u", statistics.borrowed_tokens);
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

TWIN(main_task)
