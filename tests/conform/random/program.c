/* Runs random programs of the little language that oracle.py writes and, under Trio, runs too: nurseries, scopes,
 * shields, deadlines, starts, channels and events, with errors raised, swallowed and replaced. Each step says what came
 * of it, and when; the two must say the same, line by line. Reads programs from standard input, until its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

enum { IDS = 512, CHANNELS = 2, EVENTS = 2, LOCKS = 2, SHARE_MAX = 128, TASKS_MAX = 512 };
static const weir_time TICK = 250000000; /* a quarter of a second */

#define OPS(X)                                                                                                         \
    X(sleep, 1)                                                                                                        \
    X(checkpoint, 0)                                                                                                   \
    X(if_cancelled, 0)                                                                                                 \
    X(shielded, 0)                                                                                                     \
    X(wait, 1)                                                                                                         \
    X(set, 1)                                                                                                          \
    X(send, 1)                                                                                                         \
    X(receive, 1)                                                                                                      \
    X(send_nowait, 1)                                                                                                  \
    X(receive_nowait, 1)                                                                                               \
    X(close_send, 1)                                                                                                   \
    X(close_receive, 1)                                                                                                \
    X(cancel, 1)                                                                                                       \
    X(deadline, 2)                                                                                                     \
    X(shield, 2)                                                                                                       \
    X(effective, 0)                                                                                                    \
    X(raise, 0)                                                                                                        \
    X(started, 0)                                                                                                      \
    X(children, 1)                                                                                                     \
    X(scope, 2)                                                                                                        \
    X(move_on, 2)                                                                                                      \
    X(fail, 2)                                                                                                         \
    X(nursery, 1)                                                                                                      \
    X(spawn, 1)                                                                                                        \
    X(start, 1)                                                                                                        \
    X(swallow_cancelled, 0)                                                                                            \
    X(swallow_errors, 0)                                                                                               \
    X(swallow_all, 0)                                                                                                  \
    X(lock, 1)                                                                                                         \
    X(finally, 0)

#define KIND(name, count) OP_##name,
#define NAME(name, count) #name,
#define COUNT(name, count) count,
enum op_kind { OPS(KIND) OP_KINDS };
static const char *const op_names[] = {OPS(NAME)};
static const int op_counts[] = {OPS(COUNT)};

struct op {
    enum op_kind kind;
    int number;  /* which of the program's it is: the name of what it opens or starts */
    int args[2]; /* as many as its kind has */
    struct op *body, *cleanup, *next;
};

/* ---- reading ---- */

static bool has_body(enum op_kind kind)
{
    return kind >= OP_scope;
}

static char *token(void)
{
    static char text[64];
    return scanf("%63s", text) == 1 ? text : NULL;
}

static struct op *parse_block(void);

static struct op *parse_op(const char *name)
{
    struct op *op = calloc(1, sizeof *op);
    if (op == NULL)
        abort();
    while (op->kind < OP_KINDS && strcmp(op_names[op->kind], name) != 0)
        op->kind++;
    if (op->kind == OP_KINDS || scanf("%d", &op->number) != 1)
        abort();
    for (int i = 0; i < op_counts[op->kind]; i++)
        if (scanf("%d", &op->args[i]) != 1)
            abort();
    if (has_body(op->kind))
        op->body = parse_block();
    if (op->kind == OP_finally)
        op->cleanup = parse_block();
    return op;
}

/* "{" ops "}" */
static struct op *parse_block(void)
{
    struct op *first = NULL, **end = &first;
    const char *word = token();
    if (word == NULL || strcmp(word, "{") != 0)
        abort();
    while ((word = token()) != NULL && strcmp(word, "}") != 0) {
        *end = parse_op(word);
        end = &(*end)->next;
    }
    return first;
}

static void free_block(struct op *op)
{
    while (op != NULL) {
        struct op *next = op->next;
        free_block(op->body);
        free_block(op->cleanup);
        free(op);
        op = next;
    }
}

/* ---- what a program works with ---- */

static struct {
    struct op *main;
    struct weir_scope *scopes[IDS];      /* open, by number */
    struct weir_nursery *nurseries[IDS]; /* open */
    struct weir_event events[EVENTS];
    struct weir_lock locks[LOCKS];
    struct weir_send_channel send[CHANNELS];
    struct weir_receive_channel receive[CHANNELS];
} world;

/* A task; its nurseries are kept, for whoever swallows an error takes what they gathered. */
struct task {
    int number;
    struct op *body;
    struct weir_nursery *nurseries[SHARE_MAX];
    int nursery_count;
};

static const char *class_of(int rc)
{
    return rc >= 0 ? "ok" : rc == -ECANCELED ? "Cancelled" : "error";
}

static const char *name_of(int rc)
{
    return rc <= -1000 ? "error" : rc < 0 ? weir_error_name(rc) : "ok";
}

static int64_t ticks(weir_time time)
{
    return time / TICK;
}

static int say(const struct task *task, const struct op *op, int rc, const char *more)
{
    printf("%d: %s %d %s%s at %ld\n", task->number, op_names[op->kind], op->number, more, name_of(rc),
           (long)ticks(weir_current_time()));
    return rc;
}

/* ---- running ---- */

static int run_block(struct task *task, const struct op *op);

/* What was to go on as an error does not: neither does what nurseries gathered since. */
static void swallow(struct task *task, int nurseries_before)
{
    for (int i = nurseries_before; i < task->nursery_count; i++)
        weir_error_free(weir_nursery_take_errors(task->nurseries[i]));
    weir_error_free(weir_start_take_errors());
}

static int run_swallow(struct task *task, const struct op *op)
{
    int before = task->nursery_count, rc = run_block(task, op->body);
    bool swallows = op->kind == OP_swallow_all || (rc == -ECANCELED) == (op->kind == OP_swallow_cancelled);
    if (rc >= 0 || !swallows)
        return rc;
    swallow(task, before);
    say(task, op, 0, class_of(rc));
    return 0;
}

static int run_finally(struct task *task, const struct op *op)
{
    int before = task->nursery_count, rc = run_block(task, op->body), after = task->nursery_count;
    int done = run_block(task, op->cleanup);
    if (done < 0 && rc < 0) {
        for (int i = before; i < after; i++)
            weir_error_free(weir_nursery_take_errors(task->nurseries[i]));
    }
    return done < 0 ? done : rc;
}

static int in_scope(struct task *task, const struct op *op, struct weir_scope *scope)
{
    world.scopes[op->number] = scope;
    if (op->args[1])
        weir_scope_set_shield(scope, WEIR_SHIELD_FULL);
    int rc = run_block(task, op->body);
    world.scopes[op->number] = NULL;
    return rc;
}

static int run_scope(struct task *task, const struct op *op)
{
    struct weir_scope scope;
    weir_time delay = op->args[0] * TICK;
    int rc = 0;
    if (op->kind == OP_scope)
        weir_with_scope (&scope, rc)
            rc = in_scope(task, op, &scope);
    else if (op->kind == OP_move_on)
        weir_move_on_after (&scope, delay, rc)
            rc = in_scope(task, op, &scope);
    else
        weir_fail_after (&scope, delay, rc)
            rc = in_scope(task, op, &scope);
    printf("%d: %s %d called %d caught %d, %s at %ld\n", task->number, op_names[op->kind], op->number,
           scope.cancel_called, scope.cancelled_caught, class_of(rc), (long)ticks(weir_current_time()));
    return rc;
}

static int run_nursery(struct task *task, const struct op *op)
{
    struct weir_nursery *nursery = malloc(sizeof *nursery); /* lives as long as the task: see `swallow` */
    int rc = 0;
    if (nursery == NULL)
        abort();
    task->nurseries[task->nursery_count++] = nursery;
    weir_with_nursery (nursery, rc) {
        world.nurseries[op->number] = nursery;
        world.scopes[op->number] = &nursery->scope;
        if (op->args[0])
            weir_scope_set_shield(&nursery->scope, WEIR_SHIELD_FULL);
        rc = run_block(task, op->body);
    }
    world.nurseries[op->number] = NULL;
    world.scopes[op->number] = NULL;
    printf("%d: nursery %d called %d caught %d, %s at %ld\n", task->number, op->number, nursery->scope.cancel_called,
           nursery->scope.cancelled_caught, class_of(rc), (long)ticks(weir_current_time()));
    return rc;
}

static int run_task(void *arg)
{
    const struct op *op = arg;
    struct task task = {.number = op->number};
    int rc = run_block(&task, op->body);
    printf("%d: ends, %s at %ld\n", task.number, class_of(rc), (long)ticks(weir_current_time()));
    for (int i = 0; i < task.nursery_count; i++)
        free(task.nurseries[i]);
    return rc;
}

static int run_spawn(struct task *task, const struct op *op)
{
    struct weir_nursery *nursery = world.nurseries[op->args[0]];
    if (nursery == NULL)
        return say(task, op, 0, "none ");
    if (op->kind == OP_start)
        return say(task, op, weir_start(nursery, run_task, (void *)(uintptr_t)op, NULL), "");
    int rc = weir_start_soon(nursery, run_task, (void *)(uintptr_t)op);
    return say(task, op, rc == -EBADF ? 0 : rc, rc == -EBADF ? "closed " : "");
}

static int run_locked(struct task *task, const struct op *op)
{
    struct weir_lock *lock = &world.locks[op->args[0]];
    struct weir_lock_statistics statistics;
    char more[32];
    int rc = 0, held = 0;
    bool mine = weir_lock_owner(lock) == weir_current_task();
    weir_with_lock (lock, rc) {
        held = 1;
        weir_lock_statistics(lock, &statistics);
        snprintf(more, sizeof more, "waiting %u ", statistics.tasks_waiting);
        say(task, op, 0, more);
        rc = run_block(task, op->body);
    }
    if (held)
        return rc;
    mine &= rc == -EDEADLK;
    return say(task, op, mine ? 0 : rc, mine ? "mine " : "");
}

static int say_children(struct task *task, const struct op *op)
{
    struct weir_nursery *nursery = world.nurseries[op->args[0]];
    char text[32] = "none ";
    if (nursery != NULL)
        snprintf(text, sizeof text, "%u ", weir_nursery_child_count(nursery));
    return say(task, op, 0, text);
}

static int on_scope(struct task *task, const struct op *op)
{
    struct weir_scope *scope = world.scopes[op->args[0]];
    if (scope == NULL)
        return say(task, op, 0, "none ");
    weir_time deadline = op->args[1] == 1000 ? WEIR_NEVER : weir_current_time() + op->args[1] * TICK;
    if (op->kind == OP_cancel)
        weir_scope_cancel(scope);
    else if (op->kind == OP_shield)
        weir_scope_set_shield(scope, op->args[1] ? WEIR_SHIELD_FULL : WEIR_SHIELD_NONE);
    else if (scope->deadline != deadline) /* an equal one would go to the end of those of its time */
        weir_scope_set_deadline(scope, deadline);
    return say(task, op, 0, "");
}

/* Errors of the channel's own are answers here, not failures. */
static int on_channel(struct task *task, const struct op *op)
{
    int channel = op->args[0], message = op->number, rc;
    char more[16] = "";
    switch (op->kind) {
    case OP_send:
        rc = weir_send(&world.send[channel], &message);
        break;
    case OP_send_nowait:
        rc = weir_send_nowait(&world.send[channel], &message);
        break;
    case OP_receive:
        rc = weir_receive(&world.receive[channel], &message);
        break;
    default:
        rc = weir_receive_nowait(&world.receive[channel], &message);
    }
    if (rc == 0 && (op->kind == OP_receive || op->kind == OP_receive_nowait))
        snprintf(more, sizeof more, "got %d ", message);
    say(task, op, rc, more);
    return rc == -ECANCELED ? rc : 0;
}

static int say_effective(struct task *task, const struct op *op)
{
    weir_time deadline = weir_current_effective_deadline();
    char text[32] = "never ";
    if (deadline == INT64_MIN)
        strcpy(text, "now ");
    else if (deadline != WEIR_NEVER)
        snprintf(text, sizeof text, "%ld ", (long)ticks(deadline));
    return say(task, op, 0, text);
}

static int run_op(struct task *task, const struct op *op)
{
    switch (op->kind) {
    case OP_sleep:
        return say(task, op, weir_sleep(op->args[0] * TICK), "");
    case OP_checkpoint:
        return say(task, op, weir_checkpoint(), "");
    case OP_if_cancelled:
        return say(task, op, weir_checkpoint_if_cancelled(), "");
    case OP_shielded:
        weir_cancel_shielded_checkpoint();
        return say(task, op, 0, "");
    case OP_wait:
        return say(task, op, weir_event_wait(&world.events[op->args[0]]), "");
    case OP_set:
        weir_event_set(&world.events[op->args[0]]);
        return say(task, op, 0, "");
    case OP_close_send:
        weir_send_channel_close(&world.send[op->args[0]]);
        return say(task, op, 0, "");
    case OP_close_receive:
        weir_receive_channel_close(&world.receive[op->args[0]]);
        return say(task, op, 0, "");
    case OP_send:
    case OP_receive:
    case OP_send_nowait:
    case OP_receive_nowait:
        return on_channel(task, op);
    case OP_cancel:
    case OP_deadline:
    case OP_shield:
        return on_scope(task, op);
    case OP_effective:
        return say_effective(task, op);
    case OP_raise:
        return say(task, op, -1000 - op->number, "");
    case OP_started: {
        int rc = weir_started(NULL);
        return say(task, op, 0, rc == -EALREADY ? "again " : "");
    }
    case OP_scope:
    case OP_move_on:
    case OP_fail:
        return run_scope(task, op);
    case OP_nursery:
        return run_nursery(task, op);
    case OP_spawn:
    case OP_start:
        return run_spawn(task, op);
    case OP_children:
        return say_children(task, op);
    case OP_lock:
        return run_locked(task, op);
    case OP_finally:
        return run_finally(task, op);
    default:
        return run_swallow(task, op);
    }
}

static int run_block(struct task *task, const struct op *op)
{
    int rc = 0;
    for (; op != NULL && rc >= 0; op = op->next)
        rc = run_op(task, op);
    return rc < 0 ? rc : 0;
}

/* ---- a whole run ---- */

static void bite(struct weir_nursery *top)
{
    printf("watchdog\n");
    weir_nursery_cancel(top);
    for (int i = 0; i < IDS; i++)
        if (world.scopes[i] != NULL)
            weir_scope_cancel(world.scopes[i]);
    for (int i = 0; i < EVENTS; i++)
        weir_event_set(&world.events[i]);
    for (int i = 0; i < CHANNELS; i++) {
        weir_send_channel_close(&world.send[i]);
        weir_receive_channel_close(&world.receive[i]);
    }
}

/* So that all comes to an end: cancels what is open, and nothing is left to wait for, as often as that takes. */
static int watchdog(void *arg)
{
    for (;;) {
        WEIR_TRY(weir_sleep(1000 * TICK));
        bite(arg);
    }
}

static void mark_codes(const struct weir_error *error, bool *codes)
{
    for (; error != NULL; error = error->next) {
        codes[-error->code] = true;
        mark_codes(error->children, codes);
    }
}

/* Which errors came out; each `raise` has one of its own. */
static void say_errors(struct weir_nursery *nursery)
{
    static bool codes[1000 + IDS];
    memset(codes, 0, sizeof codes);
    struct weir_error *group = weir_nursery_take_errors(nursery);
    mark_codes(group, codes);
    weir_error_free(group);
    printf("errors:");
    for (int i = 0; i < 1000 + IDS; i++)
        if (codes[i] && i >= 1000)
            printf(" %d", i - 1000);
        else if (codes[i])
            printf(" %s", weir_error_name(-i));
    printf("\n");
}

static int run_world(void *arg)
{
    struct op all = {.kind = OP_spawn, .number = 0, .body = world.main};
    struct weir_nursery outer, top;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        int inner = 0;
        weir_with_nursery (&top, inner) {
            weir_start_soon(&outer, watchdog, &top);
            weir_start_soon(&top, run_task, &all);
        }
        say_errors(&top);
        weir_nursery_cancel(&outer);
    }
    return rc;
}

static bool read_program(void)
{
    int capacities[CHANNELS];
    memset(&world, 0, sizeof world);
    for (int i = 0; i < CHANNELS; i++)
        if (scanf("%d", &capacities[i]) != 1)
            return false;
    for (int i = 0; i < EVENTS; i++)
        weir_event_init(&world.events[i]);
    for (int i = 0; i < LOCKS; i++)
        weir_lock_init(&world.locks[i]);
    for (int i = 0; i < CHANNELS; i++)
        if (weir_open_memory_channel(&world.send[i], &world.receive[i], (size_t)capacities[i], sizeof(int), NULL,
                                     NULL) < 0)
            abort();
    world.main = parse_block();
    return true;
}

int main(void)
{
    while (read_program()) {
        struct weir_virtual_clock clock;
        weir_virtual_clock_init(&clock, 0, true);
        struct weir_run_options options = {.clock = &clock.clock, .quiet = true, .tasks_max = TASKS_MAX};
        int rc = weir_run(run_world, NULL, &options);
        printf("run: %s\n", rc == 0 ? "ok" : weir_error_name(rc));
        for (int i = 0; i < CHANNELS; i++) {
            weir_send_channel_close(&world.send[i]);
            weir_receive_channel_close(&world.receive[i]);
        }
        free_block(world.main);
        printf("--\n");
        fflush(stdout);
    }
    return 0;
}
