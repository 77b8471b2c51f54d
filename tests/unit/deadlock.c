/* core/task: the deadlock report, and what is none. */
#include "../support/core.h"
#include "../support/kept_stderr.h"
#include <weir/testing.h>

static int reports(void)
{
    int count = 0;
    for (const char *at = stderr_kept(); (at = strstr(at, "deadlock: ")) != NULL; at++)
        count++;
    return count;
}

/* ---- two that wait for each other ---- */

struct pair {
    struct weir_event mine, yours;
};

static int wait_then_set(void *arg)
{
    struct pair *pair = arg;
    WEIR_TRY(weir_event_wait(&pair->yours));
    weir_event_set(&pair->mine);
    return 0;
}

static int set_then_wait(void *arg)
{
    struct pair *pair = arg;
    WEIR_TRY(weir_event_wait(&pair->mine));
    weir_event_set(&pair->yours);
    return 0;
}

static int deadlock(void *arg)
{
    struct pair pair;
    struct weir_nursery nursery;
    struct weir_reason reason;
    int rc = 0;
    weir_event_init(&pair.mine);
    weir_event_init(&pair.yours);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_then_set, &pair);
        weir_start_soon(&nursery, set_then_wait, &pair);
    }
    cr_expect_eq(weir_current_cancel_reason(&reason), 0);
    note("%s: %s", weir_error_name(rc), reason.what);
    return rc;
}

static void expect_report(struct weir_run_options options)
{
    options.deadlock_ends = true;
    keep_stderr();
    cr_expect_eq(weir_run(deadlock, NULL, &options), -EDEADLK);
    cr_expect_eq(reports(), 1, "%s", stderr_kept());
    cr_expect_not_null(
        strstr(stderr_kept(), "weir: deadlock: 3 tasks wait, and nothing can wake any of them:\nmain: "));
    cr_expect_not_null(strstr(stderr_kept(), "wait_then_set: weir_event_wait for "));
    cr_expect_not_null(strstr(stderr_kept(), "set_then_wait: weir_event_wait for "));
    cr_expect_str_eq(notes, "Cancelled: deadlock");
}

Test(deadlock, is_reported_and_ended_in_real_time, .timeout = 10)
{
    expect_report((struct weir_run_options){0});
}

Test(deadlock, is_reported_and_ended_where_the_loop_never_sleeps, .timeout = 10)
{
    expect_report((struct weir_run_options){.idle = WEIR_IDLE_SPIN});
}

Test(deadlock, is_reported_and_ended_in_virtual_time, .timeout = 10)
{
    struct weir_virtual_clock clock;
    weir_virtual_clock_init(&clock, 0, true);
    expect_report((struct weir_run_options){.clock = &clock.clock});
}

/* ---- a clock that does something else when nobody else does: the world outside, but in order ---- */

struct world {
    struct weir_clock clock;
    weir_time time;
    int idles, interrupt_at;
    struct weir_token *token;
    struct weir_job job; /* at each other idle time */
};

static weir_time world_now(struct weir_clock *clock)
{
    return WEIR_CONTAINER_OF(clock, struct world, clock)->time;
}

static bool world_idle(struct weir_clock *clock, weir_time deadline)
{
    struct world *world = WEIR_CONTAINER_OF(clock, struct world, clock);
    world->time++;
    if (++world->idles == world->interrupt_at)
        weir_interrupt(weir_current_loop());
    else if (world->job.fn != NULL)
        cr_expect_eq(weir_token_run_soon(world->token, &world->job), 0);
    return true;
}

static struct world world = {.clock = {world_now, world_idle}};

static int run_in_world(int (*main)(void *), int interrupt_at)
{
    world.interrupt_at = interrupt_at;
    keep_stderr();
    return weir_run(main, NULL, &(struct weir_run_options){.clock = &world.clock, .quiet = true});
}

Test(deadlock, is_reported_once_and_the_loop_waits_on, .timeout = 10)
{
    cr_expect_eq(run_in_world(deadlock, 10), -EINTR);
    cr_expect_eq(world.idles, 10);
    cr_expect_eq(reports(), 1, "%s", stderr_kept());
}

static struct weir_event events[3];
static int set;

/* A job that wakes nobody, then one that does. */
static void set_next(struct weir_job *job)
{
    if (world.idles % 2 == 0)
        weir_event_set(&events[set++]);
}

static int wait_for_each(void *arg)
{
    world.token = weir_current_token();
    world.job.fn = set_next;
    for (int i = 0; i < 3; i++)
        weir_event_init(&events[i]);
    for (int i = 0; i < 3; i++)
        WEIR_TRY(weir_event_wait(&events[i]));
    weir_token_release(world.token);
    return 0;
}

Test(deadlock, is_reported_again_when_it_was_resolved_and_happens_again, .timeout = 10)
{
    cr_expect_eq(run_in_world(wait_for_each, -1), 0);
    cr_expect_eq(world.idles, 6);
    cr_expect_eq(reports(), 3, "%s", stderr_kept());
}

static int deadlock_twice(void *arg)
{
    struct weir_scope shield;
    int rc = deadlock(NULL), cleanup = 0;
    weir_event_init(&events[0]);
    weir_with_scope (&shield, cleanup) {
        weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
        cleanup = weir_event_wait(&events[0]);
    }
    return cleanup < 0 ? cleanup : rc;
}

static void set_first(struct weir_job *job)
{
    if (world.idles == 3) /* of the cleanup */
        weir_event_set(&events[0]);
}

static void set_up_world(struct weir_loop *loop, void *arg)
{
    world.token = weir_current_token();
    world.job.fn = set_first;
}

Test(deadlock, of_the_cleanup_after_one_is_another, .timeout = 10)
{
    keep_stderr();
    cr_expect_eq(weir_run(deadlock_twice, NULL,
                          &(struct weir_run_options){
                              .clock = &world.clock, .quiet = true, .deadlock_ends = true, .on_start = set_up_world}),
                 -EDEADLK);
    cr_expect_eq(reports(), 2, "%s", stderr_kept());
    weir_token_release(world.token);
}

/* ---- what is none ---- */

static int expect_somebody(void *arg)
{
    weir_expect_wake();
    int rc = deadlock(NULL);
    weir_expect_no_wake();
    return rc;
}

static int beside_a_sleeper(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        rc = deadlock(NULL);
    }
    return rc;
}

static int in_a_timeout(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1000), rc)
        rc = deadlock(NULL);
    return rc;
}

static int poll_nothing(struct weir_poller *poller, weir_time now_)
{
    return 0;
}

static int beside_a_poller(void *arg)
{
    struct weir_poller poller = {.poll = poll_nothing};
    weir_poller_add(&poller);
    int rc = deadlock(NULL);
    weir_poller_remove(&poller);
    return rc;
}

static int alone_for_ever(void *arg)
{
    return weir_sleep(WEIR_NEVER);
}

static void expect_none(int (*main)(void *), int code)
{
    world.idles = 0;
    cr_expect_eq(run_in_world(main, 5), code);
    cr_expect_eq(reports(), 0, "%s", stderr_kept());
    cr_expect_eq(world.idles, 5);
}

Test(deadlock, is_none_where_somebody_outside_may_wake_a_task, .timeout = 10)
{
    expect_none(expect_somebody, -EINTR);
    expect_none(beside_a_poller, -EINTR);
    expect_none(in_a_timeout, -EINTR);
}

Test(deadlock, is_none_where_a_task_sleeps_for_ever_on_purpose, .timeout = 10)
{
    expect_none(alone_for_ever, -EINTR);
    expect_none(beside_a_sleeper, -EINTR);
}

static int wait_for_quiet(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, deadlock, NULL);
        rc = weir_wait_all_tasks_blocked(0);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

Test(deadlock, is_none_where_a_task_waits_for_all_to_be_blocked, .timeout = 10)
{
    keep_stderr();
    cr_expect_eq(run(wait_for_quiet, NULL), 0);
    cr_expect_eq(reports(), 0, "%s", stderr_kept());
}
