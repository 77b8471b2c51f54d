/* What the core costs, beside the least that it could cost: a bare switch between two stacks. All are measured in turn,
 * round after round, in one process, so that only their ratios need to be believed. */
#include "rows.h"
#include <weir/weir.h>

static void must(int rc)
{
    if (rc < 0)
        errx(1, "%s: %s", weir_error_name(rc), weir_error_text(rc));
}

/* ---- the floor: callee-saved registers, and a jump ---- */

#if defined(__x86_64__)

void bare_switch(void **from, void *to);

__asm__(".text\n"
        ".p2align 6\n"
        ".type bare_switch, @function\n"
        "bare_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    popq %rcx\n"
        "    jmpq *%rcx\n"
        ".size bare_switch, . - bare_switch\n");

static void *here, *there;

static void bare_other(void)
{
    for (;;)
        bare_switch(&there, here);
}

/* There and back. */
static double bare(void)
{
    static _Alignas(16) char stack[4096];
    void **top = (void **)(stack + sizeof(stack)) - 1; /* as after a call: off by 8 */
    double from;

    *--top = (void *)bare_other;
    there = top - 6;
    bare_switch(&here, there);
    from = now_ns();
    for (int i = 0; i < OPERATIONS; i++)
        bare_switch(&here, there);
    return (now_ns() - from) / OPERATIONS;
}

#endif

/* ---- the core's: each is a main task, and says nanoseconds an operation ---- */

static double run(int (*row)(void *result))
{
    static const struct weir_run_options options = {.tasks_max = 100001, .idle = WEIR_IDLE_SPIN};
    double result = 0;

    must(weir_run(row, &result, &options));
    return result;
}

static int yield(void *arg)
{
    for (int i = 0; i < *(const int *)arg; i++)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

/* Two tasks that yield to each other; a pair of yields is there and back. */
static int yield_two(void *result)
{
    struct weir_nursery nursery;
    int each = OPERATIONS, rc = 0;
    double from = now_ns();

    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 2; i++)
            weir_start_soon(&nursery, yield, &each);
    *(double *)result = (now_ns() - from) / OPERATIONS;
    return rc;
}

static int yield_until(void *stop)
{
    volatile unsigned turns = 0; /* it has something on its stack, as any task that does something */

    for (; !*(bool *)stop; turns++)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

/* One switch, with so many runnable; their start and their end are not counted. Whenever our own checkpoint is over,
 * each of the others has run once. */
static int switch_among(int tasks, double *result)
{
    struct weir_nursery nursery;
    int turns = turns_of(tasks), rc = 0;
    bool stop = false;

    weir_with_nursery (&nursery, rc) {
        for (int i = 1; i < tasks; i++)
            weir_start_soon(&nursery, yield_until, &stop);
        rc = weir_checkpoint();
        double from = now_ns();
        for (int i = 0; i < turns && rc == 0; i++)
            rc = weir_checkpoint();
        *result = (now_ns() - from) / turns / tasks;
        stop = true;
    }
    return rc;
}

static int switch_100(void *result)
{
    return switch_among(100, result);
}

static int switch_1000(void *result)
{
    return switch_among(1000, result);
}

static int switch_100000(void *result)
{
    return switch_among(100000, result);
}

static int nothing(void *arg)
{
    return 0;
}

static int spawn(int batch, double *result)
{
    double from = now_ns();
    int rc = 0;

    for (int i = 0; i < OPERATIONS / batch && rc == 0; i++) {
        struct weir_nursery nursery;

        weir_with_nursery (&nursery, rc)
            for (int k = 0; k < batch; k++)
                weir_start_soon(&nursery, nothing, NULL);
    }
    *result = (now_ns() - from) / (OPERATIONS / batch * batch);
    return rc;
}

static int spawn_one(void *result)
{
    return spawn(1, result);
}

static int spawn_batch(void *result)
{
    return spawn(BATCH, result);
}

static int send_all(void *arg)
{
    for (uint64_t i = 0; i < OPERATIONS; i++)
        WEIR_TRY(weir_send(arg, &i));
    return 0;
}

static int channel(size_t capacity, double *result)
{
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    struct weir_nursery nursery;
    double from;
    int rc = 0;

    must(weir_open_memory_channel(&send, &receive, capacity, sizeof(uint64_t), NULL, NULL));
    from = now_ns();
    weir_with_nursery (&nursery, rc) {
        uint64_t message;

        weir_start_soon(&nursery, send_all, &send);
        for (int i = 0; i < OPERATIONS && rc == 0; i++)
            rc = weir_receive(&receive, &message);
    }
    *result = (now_ns() - from) / OPERATIONS;
    weir_send_channel_close(&send);
    weir_receive_channel_close(&receive);
    return rc;
}

static int channel_direct(void *result)
{
    return channel(0, result);
}

static int channel_buffered(void *result)
{
    return channel(BUFFERED, result);
}

/* ---- the rows ---- */

#define ROW(of)                                                                                                        \
    static double measure_##of(void)                                                                                   \
    {                                                                                                                  \
        return run(of);                                                                                                \
    }
ROW(yield_two)
ROW(switch_100)
ROW(switch_1000)
ROW(switch_100000)
ROW(spawn_one)
ROW(spawn_batch)
ROW(channel_direct)
ROW(channel_buffered)

static const struct row rows[] = {
#if defined(__x86_64__)
    {"bare", bare},
#endif
    {"yield-2", measure_yield_two},
    {"switch-100", measure_switch_100},
    {"switch-1000", measure_switch_1000},
    {"spawn-1", measure_spawn_one},
    {"spawn-64", measure_spawn_batch},
    {"channel-0", measure_channel_direct},
    {"channel-128", measure_channel_buffered},
    {"switch-100000", measure_switch_100000},
};

int main(int argc, char **argv)
{
    return measure_rows(argc, argv, rows, sizeof rows / sizeof rows[0]);
}
