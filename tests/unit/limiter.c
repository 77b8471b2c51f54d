/* core/sync: capacity limiters. */
#include "../support/core.h"

static struct weir_capacity_limiter limiter;

struct borrower {
    const char *name;
    const void *for_whom; /* NULL: the task */
    weir_time holds;
};

static int borrow(void *arg)
{
    const struct borrower *borrower = arg;
    int rc = borrower->for_whom != NULL ? weir_capacity_limiter_acquire_on_behalf_of(&limiter, borrower->for_whom)
                                        : weir_capacity_limiter_acquire(&limiter);
    if (rc < 0) {
        note("%s:%s", borrower->name, weir_error_name(rc));
        return rc == -ECANCELED ? rc : 0;
    }
    note("%s+", borrower->name);
    rc = weir_sleep(borrower->holds);
    note("%s-", borrower->name);
    if (borrower->for_whom != NULL)
        weir_capacity_limiter_release_on_behalf_of(&limiter, borrower->for_whom);
    else
        weir_capacity_limiter_release(&limiter);
    return rc;
}

static struct weir_capacity_limiter_statistics statistics(void)
{
    struct weir_capacity_limiter_statistics statistics;
    weir_capacity_limiter_statistics(&limiter, &statistics);
    return statistics;
}

TASK_TEST(limiter, lets_in_as_many_as_there_are_tokens_and_then_in_order)
{
    struct borrower borrowers[] = {{"a", NULL, 10}, {"b", NULL, 20}, {"c", NULL, 10}, {"d", NULL, 30}};
    struct weir_nursery nursery;
    int rc = 0;
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 2), 0);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, borrow, &borrowers[i]);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(statistics().borrowed_tokens, 2);
        cr_expect_eq(statistics().total_tokens, 2);
        cr_expect_eq(statistics().tasks_waiting, 2);
        cr_expect_eq(weir_capacity_limiter_acquire_nowait(&limiter), -EAGAIN);
    }
    cr_expect_str_eq(notes, "a+ b+ a- c+ b- c- d+ d-");
    cr_expect_eq(statistics().borrowed_tokens, 0);
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

TASK_TEST(limiter, takes_one_token_a_borrower_and_gives_none_back_to_a_stranger)
{
    int a, b;
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 3), 0);
    cr_expect_eq(weir_capacity_limiter_acquire(&limiter), 0);
    cr_expect_eq(weir_capacity_limiter_acquire(&limiter), -EALREADY);
    cr_expect_eq(weir_capacity_limiter_acquire_nowait(&limiter), -EALREADY);
    cr_expect_eq(weir_capacity_limiter_acquire_on_behalf_of(&limiter, &a), 0);
    cr_expect_eq(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &a), -EALREADY);
    cr_expect_eq(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, NULL), -EINVAL);
    cr_expect_eq(weir_capacity_limiter_release_on_behalf_of(&limiter, &b), -EPERM);
    cr_expect_eq(weir_capacity_limiter_release_on_behalf_of(&limiter, NULL), -EPERM);
    cr_expect_eq(statistics().borrowed_tokens, 2);
    cr_expect_eq(weir_capacity_limiter_release_on_behalf_of(&limiter, &a), 0);
    cr_expect_eq(weir_capacity_limiter_release(&limiter), 0);
    cr_expect_eq(weir_capacity_limiter_release(&limiter), -EPERM);
    weir_capacity_limiter_destroy(&limiter);
    return 0;
}

TASK_TEST(limiter, two_who_wait_for_one_borrower_get_one_token)
{
    int one, other;
    struct borrower borrowers[] = {{"a", &other, 10}, {"b", &one, 100}, {"c", &one, 10}, {"d", NULL, 0}};
    struct weir_nursery nursery;
    int rc = 0;
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 1), 0);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, borrow, &borrowers[i]);
        WEIR_DO(rc, weir_sleep(20));
        WEIR_DO(rc, weir_capacity_limiter_set_total_tokens(&limiter, 2));
    }
    cr_expect_str_eq(notes, "a+ a- b+ c:EALREADY d+ d- b-");
    cr_expect_eq(statistics().borrowed_tokens, 0);
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

TASK_TEST(limiter, changes_its_size_at_any_time)
{
    struct borrower borrowers[] = {{"a", NULL, 10}, {"b", NULL, 20}, {"c", NULL, 30}, {"d", NULL, 0}};
    struct weir_nursery nursery;
    int rc = 0;
    cr_expect_eq(weir_capacity_limiter_init(&limiter, 0), -EINVAL);
    cr_expect_eq(weir_capacity_limiter_init(&limiter, WEIR_TOKENS_MAX + 1), -EINVAL);
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 1), 0);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 4; i++)
            weir_start_soon(&nursery, borrow, &borrowers[i]);
        WEIR_DO(rc, weir_sleep(1));
        cr_expect_eq(weir_capacity_limiter_set_total_tokens(&limiter, 0), -EINVAL);
        WEIR_DO(rc, weir_capacity_limiter_set_total_tokens(&limiter, 3)); /* b and c at once */
        cr_expect_eq(statistics().borrowed_tokens, 3);
        WEIR_DO(rc, weir_capacity_limiter_set_total_tokens(&limiter, 1)); /* d waits for all of them */
        cr_expect_eq(statistics().borrowed_tokens, 3);
        cr_expect_eq(statistics().total_tokens, 1);
    }
    cr_expect_str_eq(notes, "a+ b+ c+ a- b- c- d+ d-");
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

TASK_TEST(limiter, a_cancelled_wait_takes_no_token)
{
    struct weir_scope scope;
    int rc = 0, other;
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 1), 0);
    cr_assert_eq(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &other), 0);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_capacity_limiter_acquire(&limiter);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(statistics().tasks_waiting, 0);
    weir_capacity_limiter_release_on_behalf_of(&limiter, &other);
    weir_with_scope (&scope, rc) { /* not on the fast path either */
        weir_scope_cancel(&scope);
        rc = weir_capacity_limiter_acquire(&limiter);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(statistics().borrowed_tokens, 0);
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

static int leave_early(void)
{
    int rc = 0;
    weir_with_capacity_limiter (&limiter, rc)
        return weir_capacity_limiter_is_borrower(&limiter, weir_current_task()) ? 7 : 0;
    return rc;
}

TASK_TEST(limiter, a_block_brings_its_token_back_however_it_is_left)
{
    int rc = 0;
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 1), 0);
    cr_expect_eq(leave_early(), 7);
    cr_expect_eq(statistics().borrowed_tokens, 0);
    weir_with_capacity_limiter (&limiter, rc)
        break;
    cr_expect_eq(statistics().borrowed_tokens, 0);
    weir_with_capacity_limiter (&limiter, rc) {
        weir_with_capacity_limiter (&limiter, rc)
            cr_expect(false, "it runs without a token");
        cr_expect_eq(rc, -EALREADY);
        rc = 0;
        cr_expect_eq(statistics().borrowed_tokens, 1);
    }
    cr_expect_eq(statistics().borrowed_tokens, 0);
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

/* Against a plain array, with borrowers whose places in the table collide. */
TASK_TEST(limiter, knows_its_borrowers)
{
    enum { MANY = 600 };
    static char things[MANY];
    bool has[MANY] = {false};
    unsigned count = 0, walked = 0;
    struct weir_rng rng;
    weir_rng_seed(&rng, 1);
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 200), 0);
    for (int i = 0; i < 100000; i++) {
        uint64_t k = weir_rng_below(&rng, MANY);
        if (has[k]) {
            cr_assert_eq(weir_capacity_limiter_release_on_behalf_of(&limiter, &things[k]), 0);
            has[k] = false;
            count--;
        } else {
            int rc = weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &things[k]);
            cr_assert_eq(rc, count < 200 ? 0 : -EAGAIN);
            has[k] = rc == 0;
            count += rc == 0;
        }
        if (i == 50000)
            cr_assert_eq(weir_capacity_limiter_set_total_tokens(&limiter, 5000), 0);
        if (i == 50001)
            cr_assert_eq(weir_capacity_limiter_set_total_tokens(&limiter, 200), 0);
        cr_assert_eq(statistics().borrowed_tokens, count);
    }
    for (int k = 0; k < MANY; k++)
        cr_assert_eq(weir_capacity_limiter_is_borrower(&limiter, &things[k]), has[k]);
    for (const void *at = NULL; (at = weir_capacity_limiter_next_borrower(&limiter, at)) != NULL; walked++)
        cr_assert(has[(const char *)at - things]);
    cr_expect_eq(walked, count);
    weir_capacity_limiter_destroy(&limiter);
    return 0;
}
