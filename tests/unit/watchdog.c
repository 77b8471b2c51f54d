/* core/debug: the watchdog and its samples, in real time: each test waits for what is to happen, however long the
 * machine takes, and none says how soon. */
#include "../support/core.h"
#include "../support/kept_stderr.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

static const struct weir_watchdog_options soon = {.limit = WEIR_MILLISECONDS(20)};

static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

static weir_time real_time(void)
{
    struct weir_clock *clock = weir_clock_tsc();
    return clock->now(clock);
}

static int found_out(void)
{
    return count_of(stderr_kept(), " has held the lcore for ");
}

/* Keeps the lcore until it is found out once more; the machine itself may be slow enough to be found out too. */
static void hold_until_found_out(void)
{
    int before = found_out();
    weir_time enough = weir_time_add(real_time(), WEIR_SECONDS(60));
    while (found_out() == before && real_time() < enough)
        ;
}

static void hold_for(weir_time time)
{
    weir_time enough = weir_time_add(real_time(), time);
    while (real_time() < enough)
        ;
}

static int hog(void *arg)
{
    for (int round = 0; round < 2; round++) {
        int before = found_out(), let_go = count_of(stderr_kept(), "weir: watchdog: hog let it go after ");
        hold_until_found_out();
        hold_for(5 * soon.limit);
        cr_expect_eq(found_out(), before + 1, "it is said once: %s", stderr_kept());
        WEIR_TRY(weir_sleep(1));
        while (count_of(stderr_kept(), "weir: watchdog: hog let it go after ") == let_go) /* it is not we who say so */
            WEIR_TRY(weir_checkpoint());
    }
    return 0;
}

static int start_a_hog(void *arg)
{
    struct weir_nursery nursery;
    int rc = weir_watchdog_start(&soon);
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, hog, NULL);
    return rc;
}

/* The largest number behind `what`. */
static int most(const char *text, const char *what)
{
    int largest = -1;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        if (atoi(text + strlen(what)) > largest)
            largest = atoi(text + strlen(what));
    return largest;
}

Test(watchdog, names_who_holds_the_lcore_once_each_time, .timeout = 120)
{
    keep_stderr();
    cr_expect_eq(run(start_a_hog, NULL), 0);
    const char *said = stderr_kept();
    cr_expect_geq(count_of(said, "weir: watchdog: hog (started in start_a_hog, "), 2, "%s", said);
    cr_expect_geq(count_of(said, "watchdog.c:"), 2, "%s", said);
    cr_expect_geq(count_of(said, "[0x"), 4, "backtraces: %s", said);
    cr_expect_geq(most(said, "held the lcore for "), 20, "%s", said);
    cr_expect_geq(most(said, "hog let it go after "), 100, "%s", said);
}

/* ---- a system call ---- */

static int pipes[2];

static void *write_when_found_out(void *arg)
{
    hold_until_found_out();
    cr_expect_eq(write(pipes[1], "x", 1), 1);
    return NULL;
}

static int read_blocking(void *arg)
{
    pthread_t thread;
    char byte;
    WEIR_TRY(weir_watchdog_start(&soon));
    pthread_create(&thread, NULL, write_when_found_out, NULL);
    cr_expect_eq(read(pipes[0], &byte, 1), 1, "it goes on after the signal");
    pthread_join(thread, NULL);
    return 0;
}

Test(watchdog, names_who_blocks_in_a_system_call_and_lets_it_go_on, .timeout = 120)
{
    keep_stderr();
    cr_assert_eq(pipe(pipes), 0);
    cr_expect_eq(run(read_blocking, NULL), 0);
    cr_expect_geq(count_of(stderr_kept(), "weir: watchdog: main (started in weir_run, "), 1, "%s", stderr_kept());
}

/* ---- who is left in peace ---- */

static struct weir_loop *idle_loop;
static struct weir_token *idle_token;

static void *watch_it_sleep(void *arg)
{
    struct weir_glance glance;
    do {
        sched_yield();
        weir_loop_glance(idle_loop, &glance);
    } while (!glance.asleep);
    int before = found_out(); /* if the machine was slow before it slept */
    weir_time enough = weir_time_add(real_time(), 10 * soon.limit);
    while (real_time() < enough)
        sched_yield();
    cr_expect_eq(found_out(), before, "%s", stderr_kept());
    weir_token_interrupt(idle_token);
    weir_token_release(idle_token);
    return NULL;
}

static int sleep_watched(void *arg)
{
    pthread_t thread;
    WEIR_TRY(weir_watchdog_start(&soon));
    idle_loop = weir_current_loop();
    idle_token = weir_current_token();
    pthread_create(&thread, NULL, watch_it_sleep, NULL);
    int rc = weir_sleep_forever();
    pthread_join(thread, NULL);
    return rc;
}

Test(watchdog, leaves_a_loop_that_waits_in_peace, .timeout = 120)
{
    keep_stderr();
    cr_expect_eq(weir_run(sleep_watched, NULL, NULL), -EINTR);
}

static int hold_unwatched(void *arg)
{
    WEIR_TRY(weir_watchdog_start(&soon));
    weir_watchdog_stop();
    int before = found_out();
    hold_for(5 * soon.limit);
    cr_expect_eq(found_out(), before);
    weir_watchdog_stop(); /* there is none */
    return weir_watchdog_start(&soon);
}

Test(watchdog, may_be_stopped_and_started_again, .timeout = 120)
{
    keep_stderr();
    cr_expect_eq(run(hold_unwatched, NULL), 0);
}

/* ---- the loop itself ---- */

static void hold_in_alarm(struct weir_alarm *alarm)
{
    hold_until_found_out();
}

static int set_a_slow_alarm(void *arg)
{
    struct weir_alarm alarm;
    WEIR_TRY(weir_watchdog_start(&soon));
    weir_alarm_init(&alarm, hold_in_alarm);
    weir_alarm_set(&alarm, weir_current_time() + 1);
    return weir_sleep(10);
}

Test(watchdog, names_the_loop_when_no_task_holds_the_lcore, .timeout = 120)
{
    keep_stderr();
    cr_expect_eq(run(set_a_slow_alarm, NULL), 0);
    cr_expect_geq(count_of(stderr_kept(), "weir: watchdog: the loop itself has held the lcore for "), 1);
}

/* ---- who else handles its signal ---- */

static void ignore_it(int number)
{
}

static int start_twice(void *arg)
{
    cr_expect_eq(weir_watchdog_start(NULL), 0);
    cr_expect_eq(weir_watchdog_start(NULL), -EALREADY);
    weir_watchdog_stop();
    signal(SIGURG, ignore_it);
    cr_expect_eq(weir_watchdog_start(NULL), -EBUSY);
    signal(SIGURG, SIG_DFL);
    return weir_watchdog_start(NULL);
}

Test(watchdog, is_one_for_a_loop_and_leaves_no_handler)
{
    struct sigaction found;
    cr_expect_eq(run(start_twice, NULL), 0);
    sigaction(SIGURG, NULL, &found);
    cr_expect_eq(found.sa_handler, SIG_DFL);
}

/* ---- samples ---- */

static const char *table(void)
{
    static char text[4096];
    FILE *out = fmemopen(text, sizeof text, "w");
    weir_print_samples(out);
    fclose(out);
    return text;
}

/* How often what stands so in the table was seen. */
static int samples_of(const char *what)
{
    const char *text = table(), *row = strstr(text, what);
    if (row == NULL)
        return 0;
    while (row > text && row[-1] != '\n')
        row--;
    return atoi(row);
}

static int busy(void *arg)
{
    while (samples_of("  busy  (started in sample, ") < 50)
        for (volatile int i = 0; i < 1000000; i++)
            ;
    return 0;
}

static int sample(void *arg)
{
    struct weir_nursery nursery;
    int rc = weir_watchdog_start(&(struct weir_watchdog_options){.limit = WEIR_NEVER, .sampled_hz = 5000});
    cr_expect_eq(samples_of("nobody"), 0);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 2; i++) /* from one line: one place */
            weir_start_soon(&nursery, busy, NULL);
    }
    while (rc == 0 && samples_of("  [nothing to do]\n") < 10)
        rc = weir_sleep(WEIR_MILLISECONDS(5));
    weir_watchdog_stop();
    cr_expect_eq(strncmp(table(), "  samples    share  task\n", 25), 0, "%s", table());
    cr_expect_eq(count_of(table(), "  busy  "), 1, "of one place, one row: %s", table());
    cr_expect_geq(samples_of("  busy  (started in sample, "), 50, "%s", table());
    return rc;
}

Test(watchdog, samples_which_tasks_run, .timeout = 120)
{
    keep_stderr();
    cr_expect_eq(weir_run(sample, NULL, NULL), 0);
    cr_expect_str_eq(stderr_kept(), "", "no limit, no offence");
}
