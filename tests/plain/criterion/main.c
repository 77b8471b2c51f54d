/* Runs the tests of a program that was built with criterion.h beside this, each in a process of its own.
 * Exit status 0 if all passed. An argument that does not begin with - names the only test to run ("scope/nested"). */
#include <criterion/redirect.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct plain_test *plain_tests;
struct plain_test **plain_end = &plain_tests;
static bool plain_failed;

void plain_check(const char *file, int line, const char *what, bool ends, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: does not hold: %s", file, line, what);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    plain_failed = true;
    if (ends) {
        fflush(stdout);
        _exit(1);
    }
}

/* ---- redirection ---- */

static void plain_redirect(FILE *stream)
{
    fflush(stream);
    int kept = memfd_create("redirected", 0);
    if (kept < 0 || dup2(kept, fileno(stream)) < 0)
        abort();
    close(kept);
}

/* Opened anew, so that reading does not move the place where it is written; and once, so that reading goes on. */
static FILE *plain_redirected(FILE *stream)
{
    static FILE *opened[3];
    char path[64];
    int number = fileno(stream);
    fflush(stream);
    snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    if (opened[number] == NULL && (opened[number] = fopen(path, "r")) == NULL)
        abort();
    return opened[number];
}

bool plain_said(FILE *stream, const char *expected)
{
    static char text[65536];
    size_t length = fread(text, 1, sizeof text - 1, plain_redirected(stream));
    text[length] = '\0';
    if (strcmp(text, expected) != 0)
        printf("said: %s\n", text);
    return strcmp(text, expected) == 0;
}

void cr_redirect_stderr(void)
{
    plain_redirect(stderr);
}

void cr_redirect_stdout(void)
{
    plain_redirect(stdout);
}

FILE *cr_get_redirected_stderr(void)
{
    return plain_redirected(stderr);
}

FILE *cr_get_redirected_stdout(void)
{
    return plain_redirected(stdout);
}

/* ---- running ---- */

/* Emulated, or under valgrind, all takes longer: WEIR_TEST_PATIENCE says how many times as long. */
static double plain_timeout(const struct plain_test *test)
{
    const char *patience = getenv("WEIR_TEST_PATIENCE");
    double seconds = test->options.timeout > 0 ? test->options.timeout : 60;
    return seconds * (patience != NULL ? atof(patience) : 1);
}

static double plain_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Returns the child's status; one that takes too long is killed. Not by an alarm: a test may want that for itself. */
static int plain_wait(pid_t child, double seconds)
{
    int status = 0;
    double deadline = plain_now() + seconds;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (plain_now() > deadline) {
            printf("takes longer than %g s\n", seconds);
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            break;
        }
        usleep(2000);
    }
    return status;
}

/* In a process of its own, so that it may die. Returns whether it ended as it should. */
static bool plain_run(struct plain_test *test)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (test->options.init != NULL)
            test->options.init();
        test->run();
        if (test->options.fini != NULL)
            test->options.fini();
        exit(plain_failed ? 1 : 0);
    }
    if (child < 0)
        return false;
    int status = plain_wait(child, plain_timeout(test));
    if (test->options.signal != 0)
        return WIFSIGNALED(status) && WTERMSIG(status) == test->options.signal;
    return WIFEXITED(status) && WEXITSTATUS(status) == test->options.exit_code;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    unsigned run = 0, failed = 0;
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-')
            only = argv[i];
    for (struct plain_test *test = plain_tests; test != NULL; test = test->next) {
        char name[256];
        snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
        if (test->options.disabled || (only != NULL && strcmp(only, name) != 0))
            continue;
        run++;
        if (!plain_run(test)) {
            failed++;
            printf("%s FAILED\n", name);
        }
    }
    printf("[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: 0\n", run, run - failed, failed);
    return failed > 0 || run == 0;
}
