/* core/thread: blocking work in a thread of the pool. */
#include "../../core/thread/thread_private.h"
#include "../support/outside.h"
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>
#include <weir/testing.h>

/* ---- threads that cannot be made ---- */

static int creations_refused;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (creations_refused > 0) {
        creations_refused--;
        return EAGAIN;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, attributes, fn, arg);
}

/* ---- work ---- */

/* Work that waits until it may go on, and says when it has begun. */
struct gate {
    sem_t begun, open;
    int result;
    pid_t thread;
};

static void gate_init(struct gate *gate, int result)
{
    sem_init(&gate->begun, 0, 0);
    sem_init(&gate->open, 0, 0);
    gate->result = result;
}

static int pass(void *arg)
{
    struct gate *gate = arg;
    gate->thread = gettid();
    sem_post(&gate->begun);
    sem_wait(&gate->open);
    return gate->result;
}

static int wait_for_gate(void *arg)
{
    int rc = weir_to_thread_run_sync(pass, arg, NULL);
    note("passed:%d", rc);
    return 0;
}

static int thread_id(void *arg)
{
    *(pid_t *)arg = gettid();
    return 5;
}

static int never_called(void *arg)
{
    cr_assert_fail("it was called");
    return 0;
}

CLEAN_TEST(to_thread, runs_elsewhere_and_returns_what_came_of_it)
{
    pid_t id = 0;
    cr_expect_eq(weir_to_thread_run_sync(thread_id, &id, NULL), 5);
    cr_expect(id != 0 && id != gettid());
    return 0;
}

static int minus_eio(void *arg)
{
    return -EIO;
}

CLEAN_TEST(to_thread, returns_errors_too)
{
    cr_expect_eq(weir_to_thread_run_sync(minus_eio, NULL, NULL), -EIO);
    return 0;
}

CLEAN_TEST(to_thread, lets_the_loop_go_on)
{
    struct weir_nursery nursery;
    struct gate gate;
    int rc = 0;
    gate_init(&gate, 3);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_for_gate, &gate);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        note("meanwhile");
        sem_post(&gate.open);
    }
    cr_expect_str_eq(notes, "meanwhile passed:3");
    return rc;
}

static int look_at_signals(void *arg)
{
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < SIGRTMIN - 2; number++) {
        bool own = number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL || number == SIGABRT ||
                   number == SIGTRAP || number == SIGSYS;
        if (number != SIGKILL && number != SIGSTOP)
            cr_expect_eq(sigismember(&blocked, number), !own, "signal %d", number);
    }
    return 0;
}

CLEAN_TEST(to_thread, has_all_signals_blocked_there_but_those_of_its_own_faults)
{
    sigset_t blocked;
    cr_expect_eq(weir_to_thread_run_sync(look_at_signals, NULL, NULL), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    cr_expect_not(sigismember(&blocked, SIGTERM), "here they are not");
    return 0;
}

/* ---- the pool ---- */

CLEAN_TEST(pool, uses_one_thread_for_what_comes_one_after_the_other)
{
    pid_t first, id;
    cr_expect_eq(weir_to_thread_run_sync(thread_id, &first, NULL), 5);
    for (int i = 0; i < 50; i++) {
        cr_expect_eq(weir_to_thread_run_sync(thread_id, &id, NULL), 5);
        cr_expect_eq(id, first);
    }
    cr_expect_eq(weir_pool_idle(), 1);
    return 0;
}

CLEAN_TEST(pool, takes_the_thread_that_became_idle_last)
{
    struct weir_nursery nursery;
    struct gate gates[2];
    pid_t id;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 2; i++) {
            gate_init(&gates[i], i);
            weir_start_soon(&nursery, wait_for_gate, &gates[i]);
        }
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        for (int i = 0; i < 2; i++) {
            sem_post(&gates[i].open);
            while (weir_pool_idle() < (unsigned)i + 1)
                sched_yield();
        }
    }
    cr_expect_eq(weir_to_thread_run_sync(thread_id, &id, NULL), 5);
    cr_expect(id == gates[1].thread && id != gates[0].thread);
    return rc;
}

CLEAN_TEST(pool, ends_threads_that_have_been_idle_for_long)
{
    pid_t id;
    int before = threads(1 << 20);
    weir_pool_patience = 1;
    cr_expect_eq(weir_to_thread_run_sync(thread_id, &id, NULL), 5);
    cr_expect_eq(threads(before), before);
    cr_expect_eq(weir_pool_idle(), 0);
    weir_pool_patience = WEIR_SECONDS(10);
    cr_expect_eq(weir_to_thread_run_sync(thread_id, &id, NULL), 5);
    cr_expect_eq(weir_pool_idle(), 1);
    return 0;
}

CLEAN_TEST(pool, that_can_make_no_thread_says_so_and_loses_nothing)
{
    struct weir_capacity_limiter_statistics statistics;
    pid_t id;
    creations_refused = 1;
    cr_expect_eq(weir_to_thread_run_sync(never_called, NULL, NULL), -EAGAIN);
    weir_capacity_limiter_statistics(weir_current_default_thread_limiter(), &statistics);
    cr_expect_eq(statistics.borrowed_tokens, 0);
    cr_expect_eq(weir_to_thread_run_sync(thread_id, &id, NULL), 5);
    return 0;
}

static int one_call(void *arg)
{
    pid_t id;
    return weir_to_thread_run_sync(thread_id, &id, NULL) == 5 ? 0 : -EIO;
}

static void *run_in_thread(void *arg)
{
    cr_expect_eq(weir_run(one_call, NULL, NULL), 0);
    return NULL;
}

/* The thread is shared: the other run finds it idle, and leaves it to us. */
CLEAN_TEST(pool, is_the_processs_and_ends_with_its_last_user)
{
    pthread_t thread;
    WEIR_TRY(one_call(NULL));
    pthread_create(&thread, NULL, run_in_thread, NULL);
    pthread_join(thread, NULL);
    cr_expect_eq(weir_pool_idle(), 1);
    return one_call(NULL);
}

/* ---- limits ---- */

static atomic_int at_once, at_most;

static int count(void *arg)
{
    int now_ = atomic_fetch_add(&at_once, 1) + 1, most = atomic_load(&at_most);
    while (now_ > most && !atomic_compare_exchange_weak(&at_most, &most, now_))
        ;
    for (int i = 0; i < 5; i++)
        sched_yield();
    atomic_fetch_sub(&at_once, 1);
    return 0;
}

static int count_often(void *arg)
{
    for (int i = 0; i < 10; i++)
        WEIR_TRY(weir_to_thread_run_sync(count, NULL, arg));
    return 0;
}

static int count_with(struct weir_to_thread_options *options)
{
    struct weir_nursery nursery;
    int rc = 0;
    atomic_store(&at_most, 0);
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 30; i++)
            weir_start_soon(&nursery, count_often, options);
    return rc;
}

CLEAN_TEST(limiter, bounds_how_many_threads_there_are)
{
    struct weir_capacity_limiter limiter, *standard = weir_current_default_thread_limiter();
    struct weir_to_thread_options options = {.limiter = &limiter};
    cr_expect_eq(standard->total, 40);
    WEIR_TRY(weir_capacity_limiter_init(&limiter, 3));
    WEIR_TRY(count_with(&options));
    cr_expect_leq(atomic_load(&at_most), 3);
    cr_expect_leq(weir_pool_idle(), 3);
    WEIR_TRY(weir_capacity_limiter_set_total_tokens(standard, 1));
    WEIR_TRY(count_with(NULL));
    cr_expect_eq(atomic_load(&at_most), 1);
    weir_capacity_limiter_destroy(&limiter);
    return 0;
}

CLEAN_TEST(limiter, makes_who_comes_late_wait_without_a_thread)
{
    struct weir_nursery nursery;
    struct weir_capacity_limiter_statistics statistics;
    struct gate gates[2];
    struct weir_capacity_limiter *limiter = weir_current_default_thread_limiter();
    int rc = 0;
    WEIR_TRY(weir_capacity_limiter_set_total_tokens(limiter, 1));
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 2; i++) {
            gate_init(&gates[i], i);
            weir_start_soon(&nursery, wait_for_gate, &gates[i]);
        }
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        weir_capacity_limiter_statistics(limiter, &statistics);
        cr_expect(statistics.borrowed_tokens == 1 && statistics.tasks_waiting == 1);
        sem_post(&gates[1].open);
        sem_post(&gates[0].open);
    }
    cr_expect_str_eq(notes, "passed:0 passed:1");
    return rc;
}

/* ---- cancellation ---- */

static int open_when_asleep(void *arg)
{
    struct gate *gate = ((void **)arg)[0];
    WEIR_TRY(weir_wait_all_tasks_blocked(0));
    sem_wait(&gate->begun);
    weir_scope_cancel(((void **)arg)[1]);
    note("cancel");
    WEIR_TRY(weir_wait_all_tasks_blocked(0));
    note("open");
    sem_post(&gate->open);
    return 0;
}

CLEAN_TEST(cancelling, does_not_end_the_wait_for_work_that_runs)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct gate gate;
    void *both[] = {&gate, &scope};
    int rc = 0;
    gate_init(&gate, 7);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, open_when_asleep, both);
        weir_with_scope (&scope, rc) {
            rc = weir_to_thread_run_sync(pass, &gate, NULL);
            note("passed:%d", rc);
            rc = weir_checkpoint();
        }
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_str_eq(notes, "cancel open passed:7");
    return rc;
}

CLEAN_TEST(cancelling, before_it_begins_calls_nothing)
{
    struct weir_capacity_limiter *limiter = weir_current_default_thread_limiter();
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_to_thread_run_sync(never_called, NULL, NULL);
    }
    cr_expect(scope.cancelled_caught);
    WEIR_TRY(weir_capacity_limiter_set_total_tokens(limiter, 1));
    WEIR_TRY(weir_capacity_limiter_acquire(limiter));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_to_thread_run_sync(never_called, NULL, NULL);
    cr_expect(scope.cancelled_caught);
    weir_capacity_limiter_release(limiter);
    return rc;
}

static const char us[] = "us";

static int hand_over_and_cancel(void *arg)
{
    WEIR_TRY(weir_wait_all_tasks_blocked(0));
    weir_capacity_limiter_release_on_behalf_of(weir_current_default_thread_limiter(), us);
    weir_scope_cancel(arg);
    return 0;
}

CLEAN_TEST(cancelling, right_after_the_token_was_handed_over_calls_nothing)
{
    struct weir_capacity_limiter *limiter = weir_current_default_thread_limiter();
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(weir_capacity_limiter_set_total_tokens(limiter, 1));
    WEIR_TRY(weir_capacity_limiter_acquire_on_behalf_of(limiter, us));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, hand_over_and_cancel, &scope);
        weir_with_scope (&scope, rc)
            rc = weir_to_thread_run_sync(never_called, NULL, NULL);
        cr_expect(scope.cancelled_caught);
    }
    cr_expect_eq(limiter->borrowed, 0);
    return rc;
}

static sem_t dropped;
static int dropped_result;
static pid_t dropped_in;

static void drop(int result, void *arg)
{
    dropped_result = result;
    dropped_in = gettid();
    sem_post(&dropped);
}

static const struct weir_to_thread_options abandonable = {.abandon_on_cancel = true, .abandoned = drop};

CLEAN_TEST(abandoning, ends_the_wait_at_once_and_drops_the_result_in_the_thread)
{
    struct weir_capacity_limiter *limiter = weir_current_default_thread_limiter();
    struct weir_scope scope;
    struct gate gate;
    int rc = 0;
    gate_init(&gate, 9);
    sem_init(&dropped, 0, 0);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_to_thread_run_sync(pass, &gate, &abandonable);
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(limiter->borrowed, 1, "the thread still has its token");
    sem_post(&gate.open);
    sem_wait(&dropped);
    cr_expect(dropped_result == 9 && dropped_in == gate.thread);
    while (limiter->borrowed > 0)
        WEIR_TRY(weir_checkpoint());
    return rc;
}

CLEAN_TEST(abandoning, gives_the_token_to_the_next_only_when_the_thread_is_done)
{
    struct weir_capacity_limiter *limiter = weir_current_default_thread_limiter();
    struct weir_to_thread_options options = {.abandon_on_cancel = true};
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct gate gates[2];
    int rc = 0;
    gate_init(&gates[0], 0);
    gate_init(&gates[1], 1);
    sem_post(&gates[1].open);
    WEIR_TRY(weir_capacity_limiter_set_total_tokens(limiter, 1));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_to_thread_run_sync(pass, &gates[0], &options);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_for_gate, &gates[1]);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        note("open");
        sem_post(&gates[0].open);
    }
    cr_expect_str_eq(notes, "open passed:1");
    return rc;
}

static int abandon(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_to_thread_run_sync(pass, arg, &abandonable);
    cr_expect(scope.cancelled_caught);
    return rc;
}

Test(abandoning, lets_the_run_end_before_the_thread, .timeout = 30)
{
    int before = threads(1 << 20);
    struct gate gate;
    gate_init(&gate, 9);
    sem_init(&dropped, 0, 0);
    cr_expect_eq(run(abandon, &gate), 0);
    cr_expect_eq(threads(1 << 20), before + 1);
    cr_expect_eq(run_clean(one_call, NULL), 0, "another run comes and goes meanwhile");
    sem_post(&gate.open);
    sem_wait(&dropped);
    cr_expect_eq(dropped_result, 9);
    cr_expect_eq(threads(before), before);
}

struct finished {
    struct gate gate;
    struct weir_scope scope;
};

/* The thread is done, but the loop has not heard of it. */
static int cancel_when_done(void *arg)
{
    struct finished *finished = arg;
    WEIR_TRY(weir_wait_all_tasks_blocked(0));
    sem_post(&finished->gate.open);
    while (weir_pool_idle() == 0)
        sched_yield();
    weir_scope_cancel(&finished->scope);
    return 0;
}

CLEAN_TEST(abandoning, does_not_happen_to_what_is_done)
{
    struct weir_nursery nursery;
    struct finished finished;
    int rc = 0;
    gate_init(&finished.gate, 9);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, cancel_when_done, &finished);
        weir_with_scope (&finished.scope, rc) {
            cr_expect_eq(weir_to_thread_run_sync(pass, &finished.gate, &abandonable), 9);
            rc = 0;
        }
    }
    cr_expect(finished.scope.cancel_called && !finished.scope.cancelled_caught);
    return rc;
}

/* ---- all of it at once ---- */

static int random_work(void *arg)
{
    for (uint64_t i = 0; i < *(uint64_t *)arg; i++)
        sched_yield();
    return 1;
}

static int random_calls(void *arg)
{
    struct weir_to_thread_options options = {.abandon_on_cancel = true};
    struct weir_rng rng;
    static uint64_t yields[] = {0, 1, 3, 10};
    weir_rng_seed(&rng, (uint64_t)(uintptr_t)arg);
    for (int i = 0; i < 30; i++) {
        struct weir_scope scope;
        int rc = 0;
        uint64_t *work = &yields[weir_rng_below(&rng, 4)];
        weir_move_on_after (&scope, (weir_time)weir_rng_below(&rng, 3), rc) {
            rc = weir_to_thread_run_sync(random_work, work, weir_rng_below(&rng, 2) ? &options : NULL);
            cr_expect(rc == 1 || rc == -ECANCELED);
        }
    }
    return 0;
}

static int many(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (uintptr_t i = 0; i < 50; i++)
            weir_start_soon(&nursery, random_calls, (void *)i);
    return rc;
}

Test(to_thread, survives_many_calls_that_are_cancelled_at_random, .timeout = 60)
{
    int before = threads(1 << 20);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(run(many, NULL), 0);
    cr_expect_eq(threads(before), before);
}
