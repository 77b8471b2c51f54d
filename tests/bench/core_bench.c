/* What the core costs, beside the least that it could cost: a bare switch between two stacks. All are measured in turn,
 * round after round, in one process, so that only their ratios need to be believed.
 * Prints one JSON line: for each name, nanoseconds an operation, one sample a round. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weir/weir.h>

#define ROUNDS_MAX 1001
#define OPERATIONS 100000
#define CROWD 100
#define BATCH 64
#define BUFFERED 128

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void must(int rc)
{
    if (rc < 0)
        errx(1, "%s: %s", weir_error_name(rc), weir_error_text(rc));
}

/* ---- the floor: callee-saved registers, and a jump ---- */

#if defined(__x86_64__)

void bare_switch(void **from, void *to);

__asm__(".text\n"
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

/* ---- the core's ---- */

static int yield(void *arg)
{
    for (int i = 0; i < *(const int *)arg; i++)
        WEIR_TRY(weir_checkpoint());
    return 0;
}

/* Starts `tasks` that yield to each other; a pair of yields is there and back. */
static int yield_among(int tasks, double *result)
{
    struct weir_nursery nursery;
    int each = 2 * OPERATIONS / tasks, rc = 0;
    double from = now_ns();

    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < tasks; i++)
            weir_start_soon(&nursery, yield, &each);
    *result = (now_ns() - from) / OPERATIONS;
    return rc;
}

static int yield_two(void *result)
{
    return yield_among(2, result);
}

static int yield_crowd(void *result)
{
    return yield_among(CROWD, result);
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

/* ---- all of it, in turn ---- */

static const struct {
    const char *name;
    int (*run)(void *result); /* NULL: the floor */
} benches[] = {
#if defined(__x86_64__)
    {"bare switch, there and back", NULL},
#endif
    {"yield, 2 tasks, there and back", yield_two},
    {"yield, 100 tasks, there and back", yield_crowd},
    {"spawn and join, one in a nursery", spawn_one},
    {"spawn and join, 64 in a nursery", spawn_batch},
    {"channel, capacity 0, a message", channel_direct},
    {"channel, capacity 128, a message", channel_buffered},
};

#define BENCHES (sizeof(benches) / sizeof(benches[0]))

static double measure(size_t bench)
{
    double result = 0;

#if defined(__x86_64__)
    if (benches[bench].run == NULL)
        return bare();
#endif
    must(weir_run(benches[bench].run, &result, &(struct weir_run_options){.idle = WEIR_IDLE_SPIN}));
    return result;
}

int main(int argc, char **argv)
{
    static double samples[BENCHES][ROUNDS_MAX];
    int rounds = argc > 1 ? atoi(argv[1]) : 15;

    if (rounds < 1 || rounds > ROUNDS_MAX || argc > 2)
        errx(2, "usage: core-bench [ROUNDS, 1 to %d]", ROUNDS_MAX);
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < BENCHES; i++)
            samples[i][round] = measure(i);
    for (size_t i = 0; i < BENCHES; i++) {
        printf("%s\"%s\": [", i == 0 ? "{" : ", ", benches[i].name);
        for (int round = 0; round < rounds; round++)
            printf("%s%.2f", round == 0 ? "" : ", ", samples[i][round]);
        printf("]");
    }
    printf("}\n");
    return 0;
}
