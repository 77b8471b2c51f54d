/* A run: the loop made, its main task run, and what it amounts to. */
#include "task_private.h"
#include <stdlib.h>
#include <sys/mman.h>

enum { RING_MIN = 64, LOOPS_MAX = 1024 };

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

/* A nursery that has no parent task: it belongs to the loop, and ends with it. */
static void open_own(struct weir_loop *loop, struct weir_nursery *nursery, struct weir_scope *parent,
                     const struct weir_site *site)
{
    weir_scope_open_in(&nursery->scope, NULL, parent, WEIR_NEVER, site);
    nursery->scope.nursery = nursery;
    nursery->site = site;
    nursery->serial = ++loop->nursery_serial;
    nursery->held = 1;
    nursery->errors_end = &nursery->errors;
    weir_list_init(&nursery->children);
}

/* As in Trio the main task is inside the scope of the system tasks: one that fails cancels it. */
static void open_nurseries(struct weir_loop *loop)
{
    static const struct weir_site system = {"system tasks", __FILE__, "weir_run", __LINE__};
    static const struct weir_site root = {"weir_run", __FILE__, "weir_run", __LINE__};
    open_own(loop, &loop->system, NULL, &system);
    open_own(loop, &loop->root, &loop->system.scope, &root);
}

void weir_end_system_tasks(struct weir_loop *loop)
{
    struct weir_nursery *system = &loop->system;
    if (loop->ending)
        return;
    loop->ending = true;
    weir_scope_cancel_why(
        &system->scope,
        &(struct weir_reason){.what = "the main task has ended", .where = system->site, .loop = loop->number});
    weir_nursery_let_go(system);
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
    if (loop->spawn_room != 0)
        loop->spawn_room = 2 * size;
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
    loop->deadlock_ends = options->deadlock_ends;
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
    weir_trust_end(root);
    weir_trust_end(&loop->system);
    *root->errors_end = loop->system.errors;
    int code = root->errors != NULL ? root->errors->code : call->result;
    if (code >= 0 && root->code < 0) /* of what found no record */
        code = root->code;
    if (code == -ECANCELED && root->scope.cancel_called)
        code = root->scope.reason.code;
    if (code >= 0 && loop->interrupted_late)
        code = -EINTR;
    if (root->errors != NULL && !quiet)
        weir_error_print(stderr, root->errors);
    weir_error_free(root->errors);
    root->errors = NULL;
    if (loop->errors_held != 0)
        weir_log(WEIR_LOG_ERROR, "%u error records were taken and never freed: weir_error_free them",
                 loop->errors_held);
    return code;
}

static int run_main(struct weir_loop *loop, struct main_call *call, const struct weir_run_options *options)
{
    static const struct weir_site site = {"main", __FILE__, "weir_run", __LINE__};
    open_nurseries(loop);
    weir_instruments_open(loop, options->instruments, options->instruments_count);
    loop->main = weir_task_spawn(loop, &loop->root, main_task, call, &site);
    bool started = loop->main != NULL;
    if (started) {
        weir_interrupts_begin(loop);
        if (options->on_start != NULL)
            options->on_start(loop, options->on_start_arg);
        while (loop->living > 0)
            weir_turn(loop);
        weir_interrupts_end(loop);
    }
    weir_token_close(loop->token);
    weir_instruments_close(loop);
    return started ? conclude(loop, call, options->quiet) : -ENOMEM;
}

int weir_run(int (*main)(void *arg), void *arg, const struct weir_run_options *options)
{
    static const struct weir_run_options defaults;
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
    if (rc == 0)
        rc = run_main(loop, &call, options);
    close_loop(loop);
    return rc;
}
