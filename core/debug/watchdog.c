/* The watchdog: a thread looks at a loop from outside. Has the loop made no step and no turn for too long, and does not
 * sleep, a signal has the loop's own thread say what it is at. */
#include "samples.h"
#include <execinfo.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <weir/debug.h>

enum { FRAMES = 64, OFFENCE = SIGURG }; /* of which nothing comes if it is late: by default it is ignored */
static const weir_time DEFAULT_LIMIT = 100000000, PERIOD_MIN = 200000, PERIOD_MAX = 50000000; /* ns */

struct watchdog {
    const struct weir_loop *loop;
    pthread_t thread, watched;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool running, stop;
    weir_time limit, period;
    bool samples_wanted;
    struct weir_samples samples;
    struct weir_glance seen; /* at the last look; */
    weir_time since;         /* since when it is so; */
    weir_time held;          /* and how long, when the handler was sent to say so */
    bool sent, said;         /* the handler was; and did find it so */
};

/* The signal is the process's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned watched_loops;
static struct sigaction before;
static __thread struct watchdog *own __attribute__((tls_model("initial-exec")));

/* ---- in the loop's thread ---- */

static bool is_same(const struct weir_glance *a, const struct weir_glance *b)
{
    return a->steps == b->steps && a->turns == b->turns && a->task == b->task && a->asleep == b->asleep;
}

static void say_place(const struct weir_site *site)
{
    weir_say(" (started in ");
    weir_say(site->function);
    weir_say(", ");
    weir_say(site->file);
    weir_say(":");
    weir_say_number((uint64_t)site->line);
    weir_say(")");
}

static void on_offence(int number)
{
    struct watchdog *dog = own;
    struct weir_glance now;
    void *frames[FRAMES];
    int saved = errno;
    if (dog == NULL)
        return;
    weir_loop_glance(dog->loop, &now);
    if (!is_same(&now, &dog->seen)) /* it came too late */
        return;
    weir_say("weir: watchdog: ");
    weir_say(now.site != NULL ? now.site->name : "the loop itself");
    if (now.site != NULL)
        say_place(now.site);
    weir_say(" has held the lcore for ");
    weir_say_number((uint64_t)dog->held / 1000000);
    weir_say(" ms:\n");
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
    __atomic_store_n(&dog->said, true, __ATOMIC_RELEASE);
    errno = saved;
}

static int take_signal(void)
{
    struct sigaction action = {.sa_handler = on_offence, .sa_flags = SA_RESTART | SA_ONSTACK}, found;
    int rc = 0;
    pthread_mutex_lock(&lock);
    sigaction(OFFENCE, NULL, &found);
    if (watched_loops == 0 && found.sa_handler != SIG_DFL && found.sa_handler != SIG_IGN)
        rc = -EBUSY;
    else if (watched_loops++ == 0)
        sigaction(OFFENCE, &action, &before);
    pthread_mutex_unlock(&lock);
    return rc;
}

static void give_signal_back(void)
{
    pthread_mutex_lock(&lock);
    if (--watched_loops == 0)
        sigaction(OFFENCE, &before, NULL);
    pthread_mutex_unlock(&lock);
}

/* ---- in the thread that watches ---- */

static weir_time real_time(void)
{
    struct weir_clock *clock = weir_clock_tsc();
    return clock->now(clock);
}

static void look(struct watchdog *dog)
{
    struct weir_glance now;
    weir_loop_glance(dog->loop, &now);
    weir_time time = real_time(); /* in this order, so that nobody is suspected of the time that we were away */
    if (dog->samples_wanted)
        weir_samples_add(&dog->samples, &now);
    if (!is_same(&now, &dog->seen)) {
        if (__atomic_exchange_n(&dog->said, false, __ATOMIC_ACQUIRE))
            fprintf(stderr, "weir: watchdog: %s let it go after %lld ms\n",
                    dog->seen.site != NULL ? dog->seen.site->name : "the loop itself",
                    (long long)((time - dog->since) / 1000000));
        dog->seen = now;
        dog->since = time;
        dog->sent = false;
    } else if (!dog->sent && !now.asleep && time - dog->since >= dog->limit) {
        dog->sent = true;
        dog->held = time - dog->since;
        pthread_kill(dog->watched, OFFENCE);
    }
}

static struct timespec after(weir_time delay)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += delay;
    ts.tv_sec += ts.tv_nsec / 1000000000;
    ts.tv_nsec %= 1000000000;
    return ts;
}

static void *watch(void *arg)
{
    struct watchdog *dog = arg;
    pthread_mutex_lock(&dog->lock);
    while (!dog->stop) {
        look(dog);
        struct timespec next = after(dog->period);
        pthread_cond_timedwait(&dog->changed, &dog->lock, &next);
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

/* ---- from outside ---- */

/* An lcore's thread is pinned to its CPU and takes what signals come; this one is neither. */
static int start_thread(struct watchdog *dog)
{
    sigset_t all, mine;
    cpu_set_t anywhere;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mine);
    int rc = pthread_create(&dog->thread, NULL, watch, dog);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    if (rc != 0)
        return -rc;
    memset(&anywhere, 0xff, sizeof anywhere);
    pthread_setaffinity_np(dog->thread, sizeof anywhere, &anywhere);
    pthread_setname_np(dog->thread, "weir-watchdog");
    return 0;
}

static int open_watchdog(void *state)
{
    struct watchdog *dog = state;
    pthread_condattr_t attributes;
    dog->loop = weir_current_loop();
    dog->watched = pthread_self();
    pthread_mutex_init(&dog->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&dog->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    weir_samples_open(&dog->samples);
    return 0;
}

static void stop(struct watchdog *dog)
{
    if (!dog->running)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->stop = true;
    pthread_cond_signal(&dog->changed);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
    dog->running = dog->stop = false;
    own = NULL;
    give_signal_back();
}

static void close_watchdog(void *state)
{
    struct watchdog *dog = state;
    stop(dog);
    weir_samples_close(&dog->samples);
    pthread_cond_destroy(&dog->changed);
    pthread_mutex_destroy(&dog->lock);
}

static const struct weir_run_state watching = {"watchdog", sizeof(struct watchdog), open_watchdog, close_watchdog};

static void configure(struct watchdog *dog, const struct weir_watchdog_options *options)
{
    dog->limit = options->limit > 0 ? options->limit : DEFAULT_LIMIT;
    dog->period = dog->limit / 4 < PERIOD_MAX ? dog->limit / 4 : PERIOD_MAX;
    dog->samples_wanted = options->sampled_hz > 0;
    if (dog->samples_wanted && 1000000000 / options->sampled_hz < dog->period)
        dog->period = 1000000000 / options->sampled_hz;
    if (dog->period < PERIOD_MIN)
        dog->period = PERIOD_MIN;
    dog->since = real_time();
    dog->sent = dog->said = false;
    weir_loop_glance(dog->loop, &dog->seen);
}

int weir_watchdog_start(const struct weir_watchdog_options *options)
{
    static const struct weir_watchdog_options defaults;
    void *state, *frames[1];
    WEIR_TRY(weir_run_state_get(&watching, &state));
    struct watchdog *dog = state;
    if (dog->running)
        return -EALREADY;
    WEIR_TRY(take_signal());
    backtrace(frames, 1); /* the first call loads a library, which the handler must not */
    configure(dog, options != NULL ? options : &defaults);
    own = dog;
    int rc = start_thread(dog);
    if (rc < 0) {
        own = NULL;
        give_signal_back();
        return rc;
    }
    dog->running = true;
    return 0;
}

void weir_watchdog_stop(void)
{
    struct watchdog *dog = weir_run_state_find(&watching);
    if (dog != NULL)
        stop(dog);
}

void weir_print_samples(FILE *out)
{
    struct watchdog *dog = weir_run_state_find(&watching);
    if (dog == NULL)
        return;
    pthread_mutex_lock(&dog->lock);
    weir_samples_print(&dog->samples, out);
    pthread_mutex_unlock(&dog->lock);
}
