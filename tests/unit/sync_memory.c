/* core/sync: what runs out of memory says so, and has lost nothing. */
#include "../support/core.h"
#include "../support/failing.h"

static struct weir_send_channel send_end;
static struct weir_receive_channel receive_end;

static int open_with(size_t capacity)
{
    return weir_open_memory_channel(&send_end, &receive_end, capacity, sizeof(int), NULL, NULL);
}

static int send_now(int message)
{
    return weir_send_nowait(&send_end, &message);
}

static int receive_now(void)
{
    int message;
    int rc = weir_receive_nowait(&receive_end, &message);
    return rc < 0 ? rc : message;
}

static void fail_all(void)
{
    failing_set(1, 1000);
}

static void fail_none(void)
{
    failing_set(0, 0);
}

TASK_TEST(sync_memory, a_channel_is_opened_whole_or_not_at_all)
{
    long live = failing.live;
    for (long n = 1; n <= 2; n++) {
        failing_set(n, n);
        cr_expect_eq(open_with(3), -ENOMEM);
        cr_expect_eq(failing.live, live);
    }
    fail_none();
    return 0;
}

TASK_TEST(sync_memory, an_unbounded_channel_that_cannot_grow_keeps_what_it_has)
{
    struct weir_permit permit;
    int sent = 0;
    cr_assert_eq(open_with(WEIR_UNBOUNDED), 0);
    fail_all();
    while (sent < 1000 && send_now(sent) == 0)
        sent++;
    cr_expect_lt(sent, 1000);
    cr_expect_eq(send_now(sent), -ENOMEM);
    cr_expect_eq(weir_reserve_nowait(&send_end, &permit), -ENOMEM);
    cr_expect_null(permit.channel);
    cr_expect_eq(receive_now(), 0);
    cr_expect_eq(weir_reserve(&send_end, &permit), 0); /* its place has memory, whatever comes */
    cr_expect_eq(send_now(sent), -ENOMEM);
    cr_expect_eq(weir_permit_send(&permit, &sent), 0);
    for (int i = 1; i <= sent; i++)
        cr_expect_eq(receive_now(), i);
    fail_none();
    weir_send_channel_close(&send_end);
    weir_receive_channel_close(&receive_end);
    return 0;
}

static int receive_one(void *arg)
{
    int rc = weir_receive(&receive_end, &(int){0});
    note("%s", weir_error_name(rc));
    return rc;
}

TASK_TEST(sync_memory, without_a_buffer_who_reserves_is_told_before_he_waits)
{
    struct weir_permit permit;
    struct weir_event event;
    struct weir_nursery nursery;
    int rc = 0;
    struct weir_case cases[] = {WEIR_CASE_EVENT(&event), WEIR_CASE_RESERVE(&send_end, &permit)};
    weir_event_init(&event);
    cr_assert_eq(open_with(0), 0);
    fail_all();
    cr_expect_eq(weir_reserve(&send_end, &permit), -ENOMEM); /* with nobody there to receive */
    cr_expect_eq(weir_select(cases, 2), 1);
    cr_expect_eq(cases[1].result, -ENOMEM);
    cr_expect_eq(weir_event_waiting(&event), 0);
    weir_with_nursery (&nursery, rc) {
        fail_none();
        weir_start_soon(&nursery, receive_one, NULL);
        WEIR_DO(rc, weir_sleep(1));
        fail_all();
        cr_expect_eq(weir_reserve_nowait(&send_end, &permit), -ENOMEM);
        cr_expect_eq(send_now(7), 0);
        fail_none();
    }
    cr_expect_str_eq(notes, "ok");
    weir_send_channel_close(&send_end);
    weir_receive_channel_close(&receive_end);
    return rc;
}

TASK_TEST(sync_memory, a_limiter_that_cannot_grow_is_as_it_was)
{
    struct weir_capacity_limiter limiter;
    struct weir_capacity_limiter_statistics statistics;
    char things[3];
    fail_all();
    cr_expect_eq(weir_capacity_limiter_init(&limiter, 2), -ENOMEM);
    fail_none();
    cr_assert_eq(weir_capacity_limiter_init(&limiter, 2), 0);
    cr_expect_eq(weir_capacity_limiter_acquire_on_behalf_of(&limiter, &things[0]), 0);
    fail_all();
    cr_expect_eq(weir_capacity_limiter_set_total_tokens(&limiter, 1000), -ENOMEM);
    cr_expect_eq(weir_capacity_limiter_acquire_on_behalf_of(&limiter, &things[1]), 0);
    cr_expect_eq(weir_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &things[2]), -EAGAIN);
    cr_expect_eq(weir_capacity_limiter_set_total_tokens(&limiter, 1), 0); /* fewer need no memory */
    weir_capacity_limiter_statistics(&limiter, &statistics);
    cr_expect_eq(statistics.borrowed_tokens, 2);
    cr_expect_eq(statistics.total_tokens, 1);
    fail_none();
    weir_capacity_limiter_destroy(&limiter);
    return 0;
}
