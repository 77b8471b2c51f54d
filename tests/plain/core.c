/* core/ checks itself without a test framework: what a new processor is tried with first. Switches, stacks, nurseries,
 * scopes, timers and channels. Exit status 0 if all holds; a line for what does not. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weir/weir.h>

static int failures, checks;

#define CHECK(expression)                                                                                              \
    do {                                                                                                               \
        checks++;                                                                                                      \
        if (!(expression)) {                                                                                           \
            failures++;                                                                                                \
            printf("%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expression);                                     \
        }                                                                                                              \
    } while (0)

static int run(int (*fn)(void *), void *arg)
{
    struct weir_virtual_clock clock;
    weir_virtual_clock_init(&clock, 0, true);
    struct weir_run_options options = {.clock = &clock.clock, .quiet = true, .tasks_max = 20000};
    return weir_run(fn, arg, &options);
}

/* ---- switches: everything that is alive across one must survive it ---- */

enum { SWITCHES = 2000 };

struct sums {
    uint64_t start, integer;
    double real;
};

static void step(uint64_t *x, double *d)
{
    *x = *x * 6364136223846793005u + 1442695040888963407u;
    *d = *d * 0.999 + (double)(*x >> 40);
}

/* So many values at once that they fill the callee-saved registers, integer and floating. */
static __attribute__((noinline)) int keep_values(void *arg)
{
    struct sums *sums = arg;
    uint64_t a = sums->start, b = a + 1, c = a + 2, d = a + 3, e = a + 4;
    double p = 1, q = 2, r = 3, s = 4, t = 5;
    for (int i = 0; i < SWITCHES; i++) {
        step(&a, &p), step(&b, &q), step(&c, &r), step(&d, &s), step(&e, &t);
        if (sums->integer == 0)
            WEIR_TRY(weir_checkpoint());
    }
    sums->integer = a ^ b ^ c ^ d ^ e;
    sums->real = p + q + r + s + t;
    return 0;
}

static int switch_among(void *arg)
{
    struct weir_nursery nursery;
    struct sums sums[20];
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 20; i++) {
            sums[i] = (struct sums){.start = (uint64_t)i * 1000};
            weir_start_soon(&nursery, keep_values, &sums[i]);
        }
    for (int i = 0; i < 20; i++) {
        struct sums alone = {.start = (uint64_t)i * 1000, .integer = 1}; /* 1: without switching */
        CHECK(keep_values(&alone) == 0);
        CHECK(alone.integer == sums[i].integer && alone.real == sums[i].real);
    }
    return rc;
}

static int aligned(void *arg)
{
    _Alignas(16) volatile char local[16] = {0};
    char text[64];
    CHECK((uintptr_t)local % 16 == 0);
    snprintf(text, sizeof text, "%.3f %Lg", 1.5, (long double)2.25); /* libc relies on the alignment too */
    CHECK(strcmp(text, "1.500 2.25") == 0);
    return 0;
}

static int one_of_many(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    ++*(int *)arg;
    return 0;
}

static int many(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, done = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, aligned, NULL);
        for (int i = 0; i < 10000; i++)
            weir_start_soon(&nursery, one_of_many, &done);
    }
    CHECK(done == 10000);
    CHECK(weir_current_time() == WEIR_SECONDS(1));
    return rc;
}

/* ---- nurseries and scopes ---- */

static int fail(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return -EIO;
}

static int wait_forever(void *arg)
{
    int rc = weir_sleep_forever();
    *(int *)arg = rc;
    return rc;
}

static int report(void *arg)
{
    WEIR_TRY(weir_checkpoint());
    weir_started(arg);
    return weir_sleep_forever();
}

static int structure(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope outer, inner;
    int rc = 0, sibling = 0;
    void *value = NULL;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_forever, &sibling);
        weir_start_soon(&nursery, fail, NULL);
    }
    CHECK(rc == -EIO && sibling == -ECANCELED);
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    CHECK(group != NULL && group->code == -EIO && group->next == NULL);
    weir_error_free(group);
    rc = 0;
    weir_with_scope (&outer, rc)
        weir_move_on_after (&inner, WEIR_SECONDS(1), rc)
            rc = weir_sleep_forever();
    CHECK(rc == 0 && inner.cancelled_caught && !outer.cancelled_caught);
    weir_fail_after (&inner, WEIR_SECONDS(1), rc)
        rc = weir_sleep_forever();
    CHECK(rc == -ETIMEDOUT);
    rc = 0;
    weir_with_nursery (&nursery, rc) {
        rc = weir_start(&nursery, report, &sibling, &value);
        CHECK(rc == 0 && value == &sibling);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

/* ---- channels ---- */

enum { MESSAGES = 1000 };

static int send_all(void *arg)
{
    for (uint64_t i = 1; i <= MESSAGES; i++)
        WEIR_TRY(weir_send(arg, &i));
    weir_send_channel_close(arg);
    return 0;
}

static int channels(void *arg)
{
    for (size_t capacity = 0; capacity <= 3; capacity++) {
        struct weir_send_channel send;
        struct weir_receive_channel receive;
        struct weir_nursery nursery;
        uint64_t message, sum = 0;
        int rc = 0, received = 0;
        WEIR_TRY(weir_open_memory_channel(&send, &receive, capacity, sizeof message, NULL, NULL));
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, send_all, &send);
            while ((received = weir_receive(&receive, &message)) == 0)
                sum += message;
        }
        CHECK(rc == 0 && received == -ENODATA && sum == MESSAGES * (MESSAGES + 1) / 2);
        weir_receive_channel_close(&receive);
    }
    return 0;
}

/* ---- stacks ---- */

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[1024];
    frame[0] = frame[1023] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + frame[0] - frame[1023];
}

static int greedy(void *arg)
{
    return recurse(*(int *)arg);
}

static int feed(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, greedy, arg);
    return rc;
}

/* In a child process: it must die of SIGSEGV (or of its sanitizer), and say why. */
static void overflow(void)
{
    int pipes[2], status = 0, too_deep = 10000;
    char text[2048] = "";
    size_t used = 0;
    CHECK(pipe(pipes) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        dup2(pipes[1], STDERR_FILENO);
        _exit(run(feed, &too_deep) == INT32_MIN); /* it does not get here */
    }
    close(pipes[1]);
    for (ssize_t n; used < sizeof text - 1 && (n = read(pipes[0], text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)n;
    close(pipes[0]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    CHECK(strstr(text, "weir: task greedy (started in feed, ") != NULL);
}

int main(void)
{
    int fits = 20;
    CHECK(run(switch_among, NULL) == 0);
    CHECK(run(many, NULL) == 0);
    CHECK(run(structure, NULL) == 0);
    CHECK(run(channels, NULL) == 0);
    CHECK(run(feed, &fits) == 0);
    overflow();
    struct weir_clock *clock = weir_clock_tsc();
    weir_time before = clock->now(clock);
    CHECK(clock->now(clock) >= before);
    printf("%d checks, %d failed\n", checks, failures);
    return failures > 0;
}
