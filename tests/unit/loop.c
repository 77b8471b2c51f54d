/* core/task: the run loop: what a run answers, interrupts, idling, order, pollers. */
#include "../support/core.h"
#include <criterion/redirect.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int return_it(void *arg)
{
    return *(int *)arg;
}

Test(run, returns_what_main_returned)
{
    int code = 7;
    cr_expect_eq(run(return_it, &code), 7);
    code = 0;
    cr_expect_eq(run(return_it, &code), 0);
    code = -EIO;
    cr_expect_eq(run(return_it, &code), -EIO);
    cr_expect_null(weir_current_loop());
    cr_expect_null(weir_current_task());
}

static int run_inside(void *arg)
{
    return weir_run(return_at_once, NULL, NULL);
}

Test(run, inside_another_is_refused)
{
    cr_expect_eq(run(run_inside, NULL), -EBUSY);
}

Test(run, with_impossible_stacks_is_refused)
{
    cr_expect_eq(run_with(return_at_once, NULL, (struct weir_run_options){.stack_size = 4096}), -EINVAL);
    cr_expect_eq(run_with(return_at_once, NULL, (struct weir_run_options){.stack_size = 20000}), -EINVAL);
    cr_expect_eq(run_with(return_at_once, NULL, (struct weir_run_options){.stack_size = (size_t)1 << 52}), -ENOMEM);
    cr_expect_eq(run_with(return_at_once, NULL, (struct weir_run_options){.stack_size = (size_t)1 << 60}), -ENOMEM);
    cr_expect_null(weir_current_loop());
}

static void on_start(struct weir_loop *loop, void *arg)
{
    cr_expect_eq(loop, weir_current_loop());
    cr_expect_null(weir_current_task());
    note("start %s", (char *)arg);
}

static int note_main(void *arg)
{
    note("main");
    cr_expect_str_eq(weir_task_name(weir_current_task()), "main");
    return 0;
}

Test(run, calls_on_start_before_the_first_task)
{
    run_with(note_main, NULL, (struct weir_run_options){.on_start = on_start, .on_start_arg = (void *)"arg"});
    cr_expect_str_eq(notes, "start arg main");
}

/* ---- interrupts ---- */

static struct weir_loop *interrupted_loop;

static void on_alarm(int signal)
{
    weir_interrupt(interrupted_loop);
}

static int wait_for_signal(void *arg)
{
    struct itimerval soon = {.it_value.tv_usec = 5000};
    interrupted_loop = weir_current_loop();
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &soon, NULL);
    int rc = weir_sleep_forever();
    note("%s", weir_error_name(rc));
    return rc;
}

Test(interrupt, from_a_signal_handler_cancels_the_main_task, .timeout = 10)
{
    cr_expect_eq(weir_run(wait_for_signal, NULL, NULL), -EINTR);
    cr_expect_eq(run(wait_for_signal, NULL), -EINTR, "under virtual time that stands still, too");
    cr_expect_str_eq(notes, "Cancelled Cancelled");
}

static void *interrupt_from_thread(void *arg)
{
    weir_interrupt(arg);
    return NULL;
}

static int wait_for_thread(void *arg)
{
    pthread_t thread;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        pthread_create(&thread, NULL, interrupt_from_thread, weir_current_loop());
        rc = weir_sleep_forever();
    }
    pthread_join(thread, NULL);
    return *(int *)arg == 0 ? rc : *(int *)arg;
}

Test(interrupt, from_a_thread_cancels_children_too, .timeout = 10)
{
    int own = 0;
    cr_expect_eq(weir_run(wait_for_thread, &own, NULL), -EINTR);
    own = 3;
    cr_expect_eq(weir_run(wait_for_thread, &own, NULL), 3, "main decides what it amounts to");
}

/* ---- idling ---- */

static double cpu_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int sleep_a_while(void *arg)
{
    return weir_sleep(WEIR_MILLISECONDS(200));
}

static double cpu_share(enum weir_idle idle, int (*main)(void *))
{
    struct weir_run_options options = {.idle = idle};
    struct weir_clock *clock = weir_clock_tsc();
    double cpu = cpu_seconds();
    weir_time began = clock->now(clock);
    cr_assert_eq(weir_run(main, NULL, &options), 0);
    return (cpu_seconds() - cpu) / ((double)(clock->now(clock) - began) / 1e9);
}

static int poll_nothing(struct weir_poller *poller, weir_time now_)
{
    return 0;
}

static int sleep_with_blind_poller(void *arg)
{
    struct weir_poller poller = {.poll = poll_nothing};
    weir_poller_add(&poller);
    int rc = sleep_a_while(NULL);
    weir_poller_remove(&poller);
    return rc;
}

Test(idle, adaptive_does_not_burn_the_core, .timeout = 30)
{
    cr_expect_lt(cpu_share(WEIR_IDLE_ADAPTIVE, sleep_a_while), 0.2);
    cr_expect_lt(cpu_share(WEIR_IDLE_ADAPTIVE, sleep_with_blind_poller), 0.5);
}

static unsigned long sleeps_of(enum weir_idle idle)
{
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    cpu_share(idle, sleep_with_blind_poller);
    getrusage(RUSAGE_THREAD, &after);
    return (unsigned long)(after.ru_nvcsw - before.ru_nvcsw);
}

Test(idle, spin_and_pause_never_sleep_and_adaptive_does, .timeout = 30)
{
    cr_expect_lt(sleeps_of(WEIR_IDLE_SPIN), 50); /* 200 ms; each sleep would be 100 us at most */
    cr_expect_lt(sleeps_of(WEIR_IDLE_PAUSE), 50);
    cr_expect_gt(sleeps_of(WEIR_IDLE_ADAPTIVE), 50);
}

struct pipe_poller {
    struct weir_poller poller;
    int fd[2], interrupts;
    struct weir_task *waiter;
};

static int poll_pipe(struct weir_poller *poller, weir_time now_)
{
    struct pipe_poller *pipe = WEIR_CONTAINER_OF(poller, struct pipe_poller, poller);
    char byte;
    struct pollfd ready = {.fd = pipe->fd[0], .events = POLLIN};
    if (poll(&ready, 1, 0) != 1 || read(pipe->fd[0], &byte, 1) != 1)
        return 0;
    weir_task_wake(pipe->waiter, byte);
    return 1;
}

static int interrupt_by_pipe(struct weir_poller *poller, bool on)
{
    struct pipe_poller *pipe = WEIR_CONTAINER_OF(poller, struct pipe_poller, poller);
    pipe->interrupts += on;
    return pipe->fd[0];
}

static void *write_later(void *arg)
{
    usleep(20000);
    cr_expect_eq(write(*(int *)arg, "x", 1), 1);
    return NULL;
}

static int wait_for_device(void *arg)
{
    struct pipe_poller device = {.poller = {.poll = poll_pipe, .interrupt = interrupt_by_pipe},
                                 .waiter = weir_current_task()};
    pthread_t thread;
    cr_assert_eq(pipe(device.fd), 0);
    weir_poller_add(&device.poller);
    pthread_create(&thread, NULL, write_later, &device.fd[1]);
    cr_expect_eq(weir_task_park(&(struct weir_wait){.name = "a device"}, NULL), 'x');
    cr_expect_gt(device.interrupts, 0);
    cr_expect_lt(device.interrupts, 100, "it slept until the interrupt");
    pthread_join(thread, NULL);
    weir_poller_remove(&device.poller);
    close(device.fd[0]);
    close(device.fd[1]);
    return 0;
}

Test(idle, sleeps_until_a_device_interrupts, .timeout = 10)
{
    cr_expect_eq(weir_run(wait_for_device, NULL, NULL), 0);
}

/* ---- pollers ---- */

struct counted_poller {
    struct weir_poller poller;
    int polls, flushes;
    weir_time deadline;
    struct weir_task *waiter;
};

static int count_poll(struct weir_poller *poller, weir_time time)
{
    struct counted_poller *counted = WEIR_CONTAINER_OF(poller, struct counted_poller, poller);
    cr_expect_eq(counted->polls++, counted->flushes);
    if (time < counted->deadline)
        return 0;
    counted->deadline = WEIR_NEVER;
    weir_task_wake(counted->waiter, 1);
    return 1;
}

static void count_flush(struct weir_poller *poller, weir_time time)
{
    WEIR_CONTAINER_OF(poller, struct counted_poller, poller)->flushes++;
}

static weir_time wanted(struct weir_poller *poller)
{
    return WEIR_CONTAINER_OF(poller, struct counted_poller, poller)->deadline;
}

TASK_TEST(poller, is_polled_then_flushed_each_turn_and_wakes_the_clock)
{
    struct counted_poller device = {.poller = {.poll = count_poll, .flush = count_flush, .next_deadline = wanted},
                                    .deadline = WEIR_SECONDS(3),
                                    .waiter = weir_current_task()};
    weir_poller_add(&device.poller);
    device.flushes--; /* this turn's flush comes with no poll before it */
    cr_expect_eq(weir_task_park(&(struct weir_wait){.name = "a device"}, NULL), 1);
    cr_expect_eq(now(), 3);
    cr_expect(device.polls > 0 && device.flushes == device.polls - 1);
    weir_poller_remove(&device.poller);
    return 0;
}

/* ---- order ---- */

static int note_number(void *arg)
{
    note("%d", *(int *)arg);
    return 0;
}

static int start_ten(void *arg)
{
    static int numbers[10];
    struct weir_nursery nursery;
    int rc = 0;
    notes[0] = '\0';
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 10; i++) {
            numbers[i] = i;
            weir_start_soon(&nursery, note_number, &numbers[i]);
        }
    return rc;
}

static const char *order_from(uint64_t seed)
{
    cr_assert_eq(run_with(start_ten, NULL, (struct weir_run_options){.shuffle_seed = seed}), 0);
    return notes;
}

Test(order, is_first_in_first_out_unless_shuffled_from_a_seed)
{
    char first[256];
    int different = 0;
    cr_expect_str_eq(order_from(0), "0 1 2 3 4 5 6 7 8 9");
    for (uint64_t seed = 1; seed <= 20; seed++) {
        strcpy(first, order_from(seed));
        cr_expect_str_eq(order_from(seed), first, "seed %lu", seed);
        cr_expect_eq(strlen(first), 19);
        different += strcmp(first, order_from(seed + 1)) != 0;
    }
    cr_expect_eq(different, 20);
}

static int statistics(void *arg)
{
    struct weir_loop_statistics now_;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        weir_start_soon(&nursery, return_at_once, NULL);
        weir_current_statistics(&now_);
        cr_expect(now_.tasks_living == 3 && now_.tasks_runnable == 2 && now_.tasks_max == 100);
        rc = weir_sleep(5);
        weir_current_statistics(&now_);
        cr_expect(now_.tasks_living == 2 && now_.tasks_runnable == 0 && now_.turns > 1);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

Test(run, counts_its_tasks)
{
    cr_expect_eq(run_with(statistics, NULL, (struct weir_run_options){.tasks_max = 100}), 0);
}

/* ---- alarms ---- */

struct counted_alarm {
    struct weir_alarm alarm;
    int fired;
};

static void fire_thrice(struct weir_alarm *alarm)
{
    struct counted_alarm *counted = WEIR_CONTAINER_OF(alarm, struct counted_alarm, alarm);
    if (++counted->fired < 3)
        weir_alarm_set(alarm, weir_current_time() + 10);
}

TASK_TEST(alarm, may_set_itself_anew_and_be_cleared)
{
    struct counted_alarm a = {0}, b = {0};
    weir_alarm_init(&a.alarm, fire_thrice);
    weir_alarm_init(&b.alarm, fire_thrice);
    weir_alarm_set(&a.alarm, 5);
    weir_alarm_set(&b.alarm, 5);
    weir_alarm_clear(&b.alarm);
    cr_expect_eq(weir_sleep(100), 0);
    cr_expect(a.fired == 3 && b.fired == 0);
    return 0;
}
