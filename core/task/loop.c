/* The run loop: one turn polls, expires timers, runs the runnable, flushes; and rests when there is nothing to do. */
#include "task_private.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { POLLERS_MAX = 32, RING_MIN = 64, LOOPS_MAX = 1024 };
static const weir_time SPIN_BEFORE_SLEEP = 20000; /* ns: a request that comes sooner finds us awake */
static const weir_time SLEEP_BLIND = 100000;      /* ns: for devices that cannot interrupt, at first... */
static const weir_time SLEEP_BLIND_MAX = 1000000; /* ... and when nothing has come for long             */

static atomic_bool numbers_taken[LOOPS_MAX];

/* Returns the least number that no loop has, or -ENOMEM. */
static int take_number(void)
{
    for (int number = 0; number < LOOPS_MAX; number++)
        if (!atomic_exchange(&numbers_taken[number], true))
            return number;
    return -ENOMEM;
}

unsigned weir_loop_number(const struct weir_loop *loop)
{
    return loop->number;
}

weir_time weir_current_time(void)
{
    return weir_loop_->now;
}

void weir_current_statistics(struct weir_loop_statistics *statistics)
{
    struct weir_loop *loop = weir_loop_;
    *statistics = (struct weir_loop_statistics){
        .tasks_living = loop->living,
        .tasks_runnable = (unsigned)(loop->tail - loop->head),
        .tasks_max = loop->tasks_max,
        .errors_held = loop->errors_held,
        .turns = loop->turns,
    };
}

void weir_poller_add(struct weir_poller *poller)
{
    weir_list_append(&weir_loop_->pollers, &poller->link);
}

void weir_poller_remove(struct weir_poller *poller)
{
    weir_list_remove(&poller->link);
}

void weir_quiet_add(struct weir_quiet *quiet)
{
    struct weir_list *at = weir_loop_->quiet.next;
    while (at != &weir_loop_->quiet && WEIR_CONTAINER_OF(at, struct weir_quiet, link)->cushion <= quiet->cushion)
        at = at->next;
    weir_list_append(at, &quiet->link); /* before `at` */
}

void weir_quiet_remove(struct weir_quiet *quiet)
{
    weir_list_remove(&quiet->link);
}

static bool poll_devices(struct weir_loop *loop)
{
    int found = 0;
    struct weir_poller *poller;
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link)
        found += poller->poll(poller, loop->now);
    return found > 0;
}

static void flush_devices(struct weir_loop *loop)
{
    struct weir_poller *poller;
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link)
        if (poller->flush != NULL)
            poller->flush(poller, loop->now);
}

static bool take_messages(struct weir_loop *loop)
{
    if (WEIR_LIKELY(!atomic_load_explicit(&loop->token->woken, memory_order_relaxed)))
        return false;
    return weir_token_run_jobs(loop->token);
}

static bool expire_timers(struct weir_loop *loop)
{
    struct weir_timer *timer;
    bool fired = false;
    while ((timer = weir_wheel_expire(&loop->wheel, loop->now)) != NULL) {
        struct weir_alarm *alarm = WEIR_CONTAINER_OF(timer, struct weir_alarm, timer);
        alarm->fire(alarm);
        fired = true;
    }
    return fired;
}

/* Fisher and Yates over what is runnable now. */
static void shuffle_batch(struct weir_loop *loop)
{
    for (uint64_t left = loop->tail - loop->head; left > 1; left--) {
        struct weir_task **a = &loop->ring[(loop->head + left - 1) & loop->mask];
        struct weir_task **b = &loop->ring[(loop->head + weir_rng_below(&loop->rng, left)) & loop->mask];
        struct weir_task *swap = *a;
        *a = *b;
        *b = swap;
    }
}

/* Runs tasks until the ring's place `end`, or until none is runnable. */
static void run_until(struct weir_loop *loop, uint64_t end)
{
    loop->turn_end = end;
    struct weir_context *next = weir_pick(loop);
    if (next != &loop->context)
        weir_context_switch(&loop->context, next);
    WEIR_ASSERT(loop->current == NULL);
}

/* The same, one by one, looking after each at its canary: only here, so that a switch costs nothing where there are
 * guards. */
static void run_watched_until(struct weir_loop *loop, uint64_t end)
{
    while (loop->head != end && loop->head != loop->tail) {
        struct weir_task *task = loop->ring[loop->head & loop->mask];
        run_until(loop, loop->head + 1);
        weir_stack_check(&loop->stacks, task);
    }
}

/* Runs what is runnable now; and, as long as that is little, what it makes runnable: a turn costs a clock read and a
 * poll of each device, which a few short runs must not pay each. A shuffled batch is exactly one batch. */
static void run_tasks(struct weir_loop *loop)
{
    uint64_t runnable = loop->tail - loop->head;
    if (loop->shuffle)
        shuffle_batch(loop);
    uint64_t end = loop->head + (runnable < TURN_MIN && !loop->shuffle ? TURN_MIN : runnable);
    loop->fast_left = FAST_PATH_MAX;
    if (WEIR_UNLIKELY(loop->stacks.guard == GUARD_CANARY))
        run_watched_until(loop, end);
    else
        run_until(loop, end);
}

static weir_time next_deadline(struct weir_loop *loop)
{
    weir_time earliest = weir_wheel_next(&loop->wheel);
    struct weir_poller *poller;
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link) {
        weir_time wanted = poller->next_deadline != NULL ? poller->next_deadline(poller) : WEIR_NEVER;
        if (wanted < earliest)
            earliest = wanted;
    }
    return earliest;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* How long a device that can only be polled may go unasked: a part of the time that nothing has happened for. */
static weir_time blind_limit(const struct weir_loop *loop)
{
    weir_time limit = (loop->now - loop->idle_since) / 8;
    if (limit < SLEEP_BLIND)
        return SLEEP_BLIND;
    return limit < SLEEP_BLIND_MAX ? limit : SLEEP_BLIND_MAX;
}

/* Sleeps until the deadline, a wake-up, or a device's interrupt; not long if some device can only be polled. */
static void sleep_until(struct weir_loop *loop, weir_time deadline)
{
    struct pollfd fds[POLLERS_MAX + 1] = {{.fd = loop->token->wake_fd, .events = POLLIN}};
    nfds_t count = 1;
    weir_time limit = deadline == WEIR_NEVER ? WEIR_NEVER : deadline - loop->now, blind = blind_limit(loop);
    struct weir_poller *poller;

    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link) {
        int fd = poller->interrupt != NULL && count <= POLLERS_MAX ? poller->interrupt(poller, true) : -ENOTSUP;
        if (fd >= 0)
            fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        else if (limit > blind)
            limit = blind;
    }
    if (limit > 0 && !poll_devices(loop)) { /* what came before the interrupt was armed raises none */
        struct timespec timeout = {limit / 1000000000, limit % 1000000000};
        ppoll(fds, count, limit == WEIR_NEVER ? NULL : &timeout, NULL);
        if (fds[0].revents != 0)
            atomic_store(&loop->token->woken, true);
    }
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link)
        if (poller->interrupt != NULL)
            poller->interrupt(poller, false);
}

/* Somebody waits for quiet: tells who waits for the shortest, or sleeps a part of it. */
static void rest_until_quiet(struct weir_loop *loop)
{
    struct weir_quiet *first = WEIR_LIST_FIRST(&loop->quiet, struct weir_quiet, link), *quiet;
    struct weir_clock *real = weir_clock_tsc();
    weir_time now = real->now(real);
    if (loop->quiet_since == WEIR_NEVER)
        loop->quiet_since = now;
    weir_time cushion = first->cushion, left = cushion - (now - loop->quiet_since);
    if (left > 0) {
        weir_time wake = weir_time_add(loop->now, left), deadline = next_deadline(loop);
        if (loop->idle == WEIR_IDLE_ADAPTIVE)
            sleep_until(loop, loop->clock->idle != NULL || wake < deadline ? wake : deadline);
        return;
    }
    WEIR_LIST_FOREACH (quiet, &loop->quiet, struct weir_quiet, link) {
        if (quiet->cushion > cushion)
            break;
        weir_list_remove(&quiet->link);
        quiet->fire(quiet);
    }
}

static void rest(struct weir_loop *loop, bool was_busy)
{
    if (loop->tail != loop->head || was_busy) {
        loop->idle_since = loop->now;
        loop->quiet_since = WEIR_NEVER;
        return;
    }
    if (atomic_load(&loop->token->woken)) /* a job came meanwhile: time does not jump before it has run */
        return;
    if (WEIR_UNLIKELY(!weir_list_empty(&loop->quiet))) {
        rest_until_quiet(loop);
        return;
    }
    if (loop->clock->idle != NULL) {
        /* Virtual time: jump; if it stands still, only another thread can make something happen. */
        weir_time deadline = next_deadline(loop);
        if (!loop->clock->idle(loop->clock, deadline))
            sleep_until(loop, WEIR_NEVER);
        return;
    }
    switch (loop->idle) {
    case WEIR_IDLE_SPIN:
        return;
    case WEIR_IDLE_PAUSE:
        relax();
        return;
    case WEIR_IDLE_ADAPTIVE:
        if (!weir_list_empty(&loop->pollers) && loop->now - loop->idle_since < SPIN_BEFORE_SLEEP)
            relax();
        else
            sleep_until(loop, next_deadline(loop));
        return;
    }
}

static void turn(struct weir_loop *loop)
{
    loop->turns++;
    loop->now = loop->clock->now(loop->clock);
    bool busy = poll_devices(loop);
    busy |= take_messages(loop);
    busy |= expire_timers(loop);
    busy |= loop->head != loop->tail;
    run_tasks(loop);
    flush_devices(loop);
    if (loop->living > 0)
        rest(loop, busy);
}

/* The root nursery has no parent task: it belongs to the loop, and ends with it. */
static void open_root(struct weir_loop *loop)
{
    struct weir_nursery *root = &loop->root;
    static const struct weir_site site = {"weir_run", __FILE__, "weir_run", __LINE__};
    weir_scope_open_in(&root->scope, NULL, NULL, WEIR_NEVER, &site);
    root->scope.nursery = root;
    root->site = &site;
    root->serial = ++loop->nursery_serial;
    root->body_running = true;
    root->errors_end = &root->errors;
    weir_list_init(&root->children);
    weir_list_init(&root->sibling);
}

struct main_call {
    int (*main)(void *arg);
    void *arg;
    int result;
};

static int main_task(void *arg)
{
    struct main_call *call = arg;
    call->result = call->main(call->arg);
    weir_loop_->main = NULL;
    return call->result;
}

static void close_loop(struct weir_loop *loop)
{
    if (loop->token != NULL)
        weir_token_close(loop->token);
    weir_run_states_close(loop);
    if (loop->ring != NULL)
        munmap(loop->ring, loop->ring_length * sizeof *loop->ring);
    weir_errors_close(loop);
    weir_stacks_close(&loop->stacks);
    weir_overflow_handler_remove();
    if (loop->token != NULL)
        weir_token_release(loop->token);
    atomic_store(&numbers_taken[loop->number], false);
    weir_loop_ = NULL;
    free(loop);
}

static int open_ring(struct weir_loop *loop)
{
    uint64_t size = RING_MIN;
    while (size < loop->tasks_max)
        size *= 2;
    void *ring = mmap(NULL, size * sizeof *loop->ring, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring == MAP_FAILED)
        return -ENOMEM;
    loop->ring = ring;
    loop->ring_length = size;
    loop->mask = RING_MIN - 1;
    return 0;
}

/* Twice as many places: there are more tasks than ever. The index's next bit sends every other run of tasks to the
 * upper half. */
void weir_ring_grow(struct weir_loop *loop)
{
    uint64_t size = loop->mask + 1;
    WEIR_ASSERT(2 * size <= loop->ring_length);
    for (uint64_t i = loop->head; i != loop->tail; i++)
        if (i & size)
            loop->ring[(i & loop->mask) + size] = loop->ring[i & loop->mask];
    loop->mask = 2 * size - 1;
}

#if WEIR_ASAN
enum { STACK_SIZE = 256 * 1024 }; /* redzones */
#else
enum { STACK_SIZE = 64 * 1024 };
#endif

static int open_loop(struct weir_loop *loop, const struct weir_run_options *options)
{
    loop->tasks_max = options->tasks_max != 0 ? options->tasks_max : 65536;
    loop->idle = options->idle;
    loop->clock = options->clock != NULL ? options->clock : weir_clock_tsc();
    loop->now = loop->idle_since = loop->clock->now(loop->clock);
    loop->shuffle = options->shuffle_seed != 0;
    weir_rng_seed(&loop->rng, options->shuffle_seed);
    weir_list_init(&loop->pollers);
    weir_list_init(&loop->states);
    weir_list_init(&loop->quiet);
    loop->quiet_since = WEIR_NEVER;
    weir_wheel_init(&loop->wheel, loop->now);
    WEIR_TRY(weir_token_open(&loop->token));
    WEIR_TRY(open_ring(loop));
    /* Each task has a record, and as many again may be held in groups that nobody has read yet. */
    WEIR_TRY(weir_errors_open(loop, 2 * loop->tasks_max));
    WEIR_TRY(
        weir_stacks_open(&loop->stacks, loop->tasks_max, options->stack_size != 0 ? options->stack_size : STACK_SIZE));
    return weir_overflow_handler_install();
}

/* What the run amounts to. A main task that ended because it was interrupted is no error. */
static int conclude(struct weir_loop *loop, const struct main_call *call, bool quiet)
{
    struct weir_nursery *root = &loop->root;
    int code = root->errors != NULL ? root->errors->code : call->result;
    if (loop->was_interrupted && code == -ECANCELED)
        code = -EINTR;
    if (root->errors != NULL && !quiet)
        weir_error_print(stderr, root->errors);
    weir_error_free(root->errors);
    root->errors = NULL;
    return code;
}

int weir_run(int (*main)(void *arg), void *arg, const struct weir_run_options *options)
{
    static const struct weir_run_options defaults;
    static const struct weir_site site = {"main", __FILE__, "weir_run", __LINE__};
    struct main_call call = {.main = main, .arg = arg};
    if (options == NULL)
        options = &defaults;
    if (weir_loop_ != NULL)
        return -EBUSY;
    int number = take_number();
    if (number < 0)
        return number;
    struct weir_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        atomic_store(&numbers_taken[number], false);
        return -ENOMEM;
    }
    loop->number = (unsigned)number;
    weir_loop_ = loop;
    int rc = open_loop(loop, options);
    if (rc == 0) {
        open_root(loop);
        loop->main = weir_task_spawn(loop, &loop->root, main_task, &call, &site);
        if (loop->main == NULL)
            rc = -ENOMEM;
    }
    if (rc == 0) {
        if (options->on_start != NULL)
            options->on_start(loop, options->on_start_arg);
        while (loop->living > 0)
            turn(loop);
        rc = conclude(loop, &call, options->quiet);
        if (loop->errors_held != 0)
            weir_log(WEIR_LOG_ERROR, "%u error records were taken and never freed: weir_error_free them",
                     loop->errors_held);
    }
    close_loop(loop);
    return rc;
}
