/* core/task: tokens: jobs from the loop itself, from other threads and from signal handlers. */
#include "../support/core.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

/* A job that notes its name, and may queue another one. */
struct noting {
    struct weir_job job;
    const char *name;
    struct weir_token *token;
    struct weir_job *then;
};

static void note_name(struct weir_job *job)
{
    struct noting *noting = WEIR_CONTAINER_OF(job, struct noting, job);
    cr_expect_null(weir_current_task(), "no task runs meanwhile");
    note("%s@%g", noting->name, now());
    if (noting->then != NULL)
        cr_expect_eq(weir_token_run_soon(noting->token, noting->then), 0);
}

TASK_TEST(token, calls_jobs_first_in_first_out_and_what_they_queue_a_turn_later)
{
    struct weir_token *token = weir_current_token();
    struct noting third = {{.fn = note_name}, "third"}, second = {{.fn = note_name}, "second"},
                  first = {{.fn = note_name}, "first", token, &third.job};
    cr_expect_eq(weir_token_run_soon(token, &first.job), 0);
    cr_expect_eq(weir_token_run_soon(token, &second.job), 0);
    note("task");
    cr_expect_eq(weir_sleep(WEIR_SECONDS(5)), 0);
    cr_expect_str_eq(notes, "task first@0 second@0 third@0", "time does not jump over a job");
    weir_token_release(token);
    return 0;
}

TASK_TEST(token, calls_a_job_once_that_is_queued_twice)
{
    struct weir_token *token = weir_current_token();
    struct noting job = {{.fn = note_name}, "job"};
    cr_expect_eq(weir_token_run_soon(token, &job.job), 0);
    cr_expect_eq(weir_token_run_soon(token, &job.job), -EALREADY);
    cr_expect_eq(weir_sleep(1), 0);
    cr_expect_str_eq(notes, "job@0");
    job.token = token;
    job.then = &job.job; /* from inside its own call */
    cr_expect_eq(weir_token_run_soon(token, &job.job), 0);
    for (int i = 0; i < 1000 && strlen(notes) < 20; i++)
        cr_expect_eq(weir_checkpoint(), 0);
    cr_expect_str_eq(notes, "job@0 job@1e-09 job@1e-09");
    job.then = NULL;
    cr_expect_eq(weir_sleep(1), 0);
    weir_token_release(token);
    return 0;
}

/* ---- time does not jump over a job that came from outside while nobody ran ---- */

static struct noting from_outside = {{.fn = note_name}, "job"};
static int flushes;

static int poll_nothing(struct weir_poller *poller, weir_time time)
{
    return 0;
}

static void push_at_last(struct weir_poller *poller, weir_time time)
{
    if (++flushes == 2) /* of a turn in which nothing ran */
        cr_expect_eq(weir_token_run_soon(from_outside.token, &from_outside.job), 0);
}

TASK_TEST(token, has_its_jobs_called_before_time_jumps)
{
    struct weir_poller poller = {.poll = poll_nothing, .flush = push_at_last};
    from_outside.token = weir_current_token();
    weir_poller_add(&poller);
    cr_expect_eq(weir_sleep(WEIR_SECONDS(5)), 0);
    cr_expect_str_eq(notes, "job@0");
    weir_poller_remove(&poller);
    weir_token_release(from_outside.token);
    return 0;
}

/* ---- the end of a run ---- */

static struct weir_token *kept;
static struct noting last = {{.fn = note_name}, "last"}, refused = {{.fn = note_name}, "refused"};

static void queue_in_vain(struct weir_job *job)
{
    note("%s", weir_error_name(weir_token_run_soon(kept, &refused.job)));
}
static struct weir_job in_vain = {.fn = queue_in_vain};

static int queue_and_end(void *arg)
{
    kept = weir_current_token();
    cr_expect_eq(weir_token_run_soon(kept, &last.job), 0);
    cr_expect_eq(weir_token_run_soon(kept, &in_vain), 0);
    return 0;
}

Test(token, calls_what_is_queued_when_the_run_ends_and_refuses_the_rest)
{
    cr_expect_eq(run(queue_and_end, NULL), 0);
    cr_expect_str_eq(notes, "last@0 ESRCH");
    cr_expect_eq(weir_token_run_soon(kept, &refused.job), -ESRCH);
    cr_expect_eq(weir_token_run_soon(kept, &refused.job), -ESRCH, "refused it is not queued");
    weir_token_interrupt(kept);
    weir_token_release(kept);
}

/* ---- threads ---- */

enum { THREADS = 4, JOBS = 5000 };

struct numbered {
    struct weir_job job;
    struct pushing *by;
    int number;
};

struct pushing {
    pthread_t thread;
    struct weir_token *token;
    struct numbered jobs[JOBS];
    int accepted;
    int called; /* by the loop */
};
static struct pushing pushing[THREADS];
static struct weir_task *waiter;
static int left;

static void call_numbered(struct weir_job *job)
{
    struct numbered *numbered = WEIR_CONTAINER_OF(job, struct numbered, job);
    cr_assert_eq(numbered->number, numbered->by->called, "a thread's jobs come in its order");
    numbered->by->called++;
    if (--left == 0)
        weir_task_wake(waiter, 0);
}

static void *push_all(void *arg)
{
    struct pushing *self = arg;
    for (int i = 0; i < JOBS; i++) {
        self->jobs[i] = (struct numbered){{.fn = call_numbered}, self, i};
        cr_assert_eq(weir_token_run_soon(self->token, &self->jobs[i].job), 0);
    }
    weir_token_release(self->token);
    return NULL;
}

static void start_pushing(void *(*push)(void *))
{
    for (int i = 0; i < THREADS; i++) {
        pushing[i] = (struct pushing){.token = weir_current_token()};
        pthread_create(&pushing[i].thread, NULL, push, &pushing[i]);
    }
}

static void join_pushing(void)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(pushing[i].thread, NULL);
}

static int wait_for_all(void *arg)
{
    waiter = weir_current_task();
    left = THREADS * JOBS;
    start_pushing(push_all);
    weir_expect_wake();
    int rc = weir_task_park(&(struct weir_wait){.name = "jobs of threads"}, NULL);
    weir_expect_no_wake();
    cr_expect_eq(left, 0);
    join_pushing();
    return rc;
}

Test(token, takes_jobs_from_many_threads_each_in_order, .timeout = 60)
{
    cr_expect_eq(weir_run(wait_for_all, NULL, NULL), 0);
    cr_expect_eq(run(wait_for_all, NULL), 0, "under virtual time that stands still, too");
}

static void count_numbered(struct weir_job *job)
{
    WEIR_CONTAINER_OF(job, struct numbered, job)->by->called++;
}

static void *push_until_refused(void *arg)
{
    struct pushing *self = arg;
    int rc = 0;
    for (int i = 0; i < JOBS; i++)
        self->jobs[i] = (struct numbered){{.fn = count_numbered}, self, i};
    for (int i = 0; rc != -ESRCH; i = (i + 1) % JOBS) {
        rc = weir_token_run_soon(self->token, &self->jobs[i].job);
        self->accepted += rc == 0;
    }
    weir_token_release(self->token);
    return NULL;
}

static int end_meanwhile(void *arg)
{
    start_pushing(push_until_refused);
    while (pushing[0].called < *(int *)arg)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

Test(token, runs_or_refuses_each_job_of_a_thread_that_meets_the_end, .timeout = 60)
{
    for (int round = 0; round < 50; round++) {
        int enough = round * 10;
        cr_assert_eq(weir_run(end_meanwhile, &enough, NULL), 0);
        join_pushing();
        for (int i = 0; i < THREADS; i++)
            cr_assert_eq(pushing[i].called, pushing[i].accepted);
    }
}

/* ---- no wake-up is lost: a thread and a loop that sleeps take turns ---- */

struct volley {
    struct weir_job job;
    struct weir_token *token;
    sem_t back;
    int count;
};
enum { VOLLEYS = 20000 };

static void return_volley(struct weir_job *job)
{
    struct volley *volley = WEIR_CONTAINER_OF(job, struct volley, job);
    if (++volley->count == VOLLEYS)
        weir_task_wake(waiter, 0);
    sem_post(&volley->back);
}

static void *serve_volleys(void *arg)
{
    struct volley *volley = arg;
    for (int i = 0; i < VOLLEYS; i++) {
        cr_assert_eq(weir_token_run_soon(volley->token, &volley->job), 0);
        sem_wait(&volley->back);
    }
    return NULL;
}

static int play(void *arg)
{
    struct volley volley = {.job.fn = return_volley, .token = weir_current_token()};
    pthread_t thread;
    waiter = weir_current_task();
    sem_init(&volley.back, 0, 0);
    weir_expect_wake();
    pthread_create(&thread, NULL, serve_volleys, &volley);
    int rc = weir_task_park(&(struct weir_wait){.name = "volleys"}, NULL);
    pthread_join(thread, NULL);
    weir_expect_no_wake();
    weir_token_release(volley.token);
    return rc;
}

Test(token, wakes_a_sleeping_loop_each_time, .timeout = 60)
{
    cr_expect_eq(weir_run(play, NULL, NULL), 0);
}

/* ---- signal handlers ---- */

static struct weir_token *signalled;
static struct weir_job signal_job;
static atomic_int taken, called;

static void on_signal(int number)
{
    int saved = errno;
    errno = 0;
    if (weir_token_run_soon(signalled, &signal_job) == 0)
        atomic_fetch_add(&taken, 1);
    cr_assert_eq(errno, 0, "a handler leaves errno alone");
    errno = saved;
}

static void wake_waiter(struct weir_job *job)
{
    weir_task_wake(waiter, 7);
}

static void *kill_main(void *arg)
{
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return NULL;
}

static int wait_for_kill(void *arg)
{
    pthread_t self = pthread_self(), thread;
    waiter = weir_current_task();
    signalled = weir_current_token();
    signal_job = (struct weir_job){.fn = wake_waiter};
    signal(SIGUSR1, on_signal);
    weir_expect_wake();
    pthread_create(&thread, NULL, kill_main, &self);
    int rc = weir_task_park(&(struct weir_wait){.name = "a signal"}, NULL);
    weir_expect_no_wake();
    pthread_join(thread, NULL);
    weir_token_release(signalled);
    return rc;
}

Test(token, takes_a_job_from_a_signal_handler, .timeout = 10)
{
    for (int i = 0; i < 100; i++)
        cr_assert_eq(weir_run(wait_for_kill, NULL, NULL), 7);
}

static void count_call(struct weir_job *job)
{
    atomic_fetch_add(&called, 1);
}

static int push_while_signalled(void *arg)
{
    struct itimerval often = {{0, 50}, {0, 50}}, never = {0};
    struct weir_job own = {.fn = count_call};
    int pushed = 0;
    signalled = weir_current_token();
    signal_job = (struct weir_job){.fn = count_call};
    signal(SIGALRM, on_signal);
    setitimer(ITIMER_REAL, &often, NULL);
    for (long i = 0; atomic_load(&taken) < 2000; i++) { /* a handler comes between any two instructions */
        pushed += weir_token_run_soon(signalled, &own) == 0;
        if (i % 16 == 0)
            WEIR_TRY(weir_checkpoint());
    }
    setitimer(ITIMER_REAL, &never, NULL);
    WEIR_TRY(weir_sleep(WEIR_MILLISECONDS(1)));
    cr_expect_eq(atomic_load(&called), pushed + atomic_load(&taken));
    weir_token_release(signalled);
    return 0;
}

Test(token, is_not_upset_by_a_handler_that_interrupts_a_push, .timeout = 60)
{
    cr_expect_eq(weir_run(push_while_signalled, NULL, NULL), 0);
}
