/* core/system: processes. Everything is told by pipes: nobody sleeps to let another one get somewhere. */
#include "../support/outside.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>
#include <weir/system.h>
#include <weir/testing.h>

#define SHELL(script) ((char *[]){(char *)"sh", (char *)"-c", (char *)(script), NULL})

/* Under valgrind and qemu nobody is told that a program cannot be run: there a vfork is a fork. */
static bool failures_are_told(void)
{
    char *argv[] = {(char *)"/no/such/program", NULL};
    pid_t pid;
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        return true;
    waitpid(pid, NULL, 0);
    return false;
}

/* Reads all there is, up to the end. */
static const char *all_of(struct weir_stream *stream)
{
    static char text[4096];
    size_t size = 0;
    int got;
    while ((got = weir_receive_some(stream, text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)got;
    cr_expect_eq(got, 0);
    text[size] = '\0';
    return text;
}

CLEAN_TEST(process, has_pipes_for_its_three_descriptors)
{
    struct weir_process_options options = {WEIR_STDIO_PIPE, WEIR_STDIO_PIPE, WEIR_STDIO_PIPE, 0, 0, 0, NULL, NULL};
    struct weir_process process;
    WEIR_TRY(weir_open_process(&process, SHELL("read line; echo got $line; echo oops >&2; exit 3"), &options));
    cr_expect(process.pid > 0 && !process.ended && process.status == -1);
    WEIR_TRY(weir_send_all(process.input, "hello\n", 6));
    cr_expect_str_eq(all_of(process.output), "got hello\n");
    cr_expect_str_eq(all_of(process.errors), "oops\n");
    WEIR_TRY(weir_process_wait(&process));
    cr_expect(process.ended && process.status == 3 && process.signal == 0);
    cr_expect_eq(weir_process_wait(&process), 0, "again");
    cr_expect(weir_process_poll(&process));
    return weir_process_close(&process);
}

CLEAN_TEST(process, ends_by_a_signal)
{
    struct weir_process_options options = {.input = WEIR_STDIO_PIPE};
    static const int numbers[] = {SIGTERM, SIGKILL, SIGUSR1};
    for (int i = 0; i < 3; i++) {
        struct weir_process process;
        WEIR_TRY(weir_open_process(&process, SHELL("exec cat"), &options));
        cr_expect_not(weir_process_poll(&process));
        cr_expect_eq(i == 0   ? weir_process_terminate(&process)
                     : i == 1 ? weir_process_kill(&process)
                              : weir_process_send_signal(&process, numbers[i]),
                     0);
        WEIR_TRY(weir_process_wait(&process));
        cr_expect(process.signal == numbers[i] && process.status == -1);
        cr_expect_eq(weir_process_kill(&process), -ESRCH);
        WEIR_TRY(weir_process_close(&process));
    }
    return 0;
}

CLEAN_TEST(process, that_still_runs_is_killed_when_it_is_closed)
{
    struct weir_process_options options = {.input = WEIR_STDIO_PIPE, .output = WEIR_STDIO_PIPE};
    struct weir_process process;
    char byte;
    WEIR_TRY(weir_open_process(&process, SHELL("trap '' HUP TERM; echo; exec sleep 60"), &options));
    cr_expect_eq(weir_receive_some(process.output, &byte, 1), 1);
    cr_expect_eq(weir_process_close(&process), 0);
    cr_expect_eq(process.signal, SIGKILL);
    cr_expect_eq(weir_process_close(&process), 0, "again");
    cr_expect_eq(weir_process_wait(&process), 0, "how it ended is still known");
    cr_expect_eq(weir_process_kill(&process), -ESRCH);
    return 0;
}

CLEAN_TEST(process, is_closed_in_a_cancelled_scope_too)
{
    struct weir_process_options options = {.input = WEIR_STDIO_PIPE};
    struct weir_process process;
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(weir_open_process(&process, SHELL("exec cat"), &options));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_process_close(&process);
    }
    cr_expect(scope.cancelled_caught && process.ended);
    return rc;
}

struct waiter {
    struct weir_process *process;
    const char *name;
};

static int wait_and_note(void *arg)
{
    struct waiter *waiter = arg;
    int rc = weir_process_wait(waiter->process);
    note("%s:%s", waiter->name, weir_error_name(rc));
    return rc;
}

CLEAN_TEST(process, may_be_waited_for_by_many)
{
    struct weir_process_options options = {.input = WEIR_STDIO_PIPE};
    struct weir_process process;
    struct waiter first = {&process, "first"}, second = {&process, "second"};
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(weir_open_process(&process, SHELL("exec cat"), &options));
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            struct weir_nursery inner;
            weir_with_nursery (&inner, rc) {
                weir_start_soon(&inner, wait_and_note, &first);
                WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
                weir_start_soon(&nursery, wait_and_note, &second);
                WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
                weir_scope_cancel(&scope); /* the first one waits no more: the second does */
            }
        }
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        note("end");
        weir_stream_abort(process.input);
        process.input = NULL;
    }
    cr_expect_str_eq(notes, "first:Cancelled end second:ok");
    cr_expect_eq(process.status, 0);
    WEIR_TRY(weir_process_close(&process));
    return rc;
}

CLEAN_TEST(process, closed_while_others_wait_for_it_wakes_them)
{
    struct weir_process_options options = {.input = WEIR_STDIO_PIPE};
    struct weir_process process;
    struct waiter first = {&process, "first"}, second = {&process, "second"};
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_open_process(&process, SHELL("exec cat"), &options));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_and_note, &first);
        weir_start_soon(&nursery, wait_and_note, &second);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        rc = weir_process_close(&process);
    }
    cr_expect_str_eq(notes, "first:ok second:ok");
    return rc;
}

CLEAN_TEST(process, that_has_ended_wakes_who_waits_for_it_when_it_is_closed)
{
    struct weir_process_options options = {.input = WEIR_STDIO_PIPE};
    struct weir_process process;
    struct waiter waiter = {&process, "waiter"};
    struct weir_nursery nursery;
    siginfo_t info;
    int rc = 0;
    WEIR_TRY(weir_open_process(&process, SHELL("exec cat"), &options));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_and_note, &waiter);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_eq(weir_process_kill(&process), 0);
        cr_expect_eq(waitid(P_PID, (id_t)process.pid, &info, WEXITED | WNOWAIT), 0); /* the loop has not looked yet */
        rc = weir_process_close(&process);
    }
    cr_expect_str_eq(notes, "waiter:ok");
    return rc;
}

/* ---- what it gets ---- */

CLEAN_TEST(process, gets_what_the_options_say)
{
    static char variable[] = "GREETING=hello";
    char *environment[] = {variable, NULL};
    struct weir_process_options options = {.input = WEIR_STDIO_NULL,
                                           .output = WEIR_STDIO_PIPE,
                                           .errors = WEIR_STDIO_OUTPUT,
                                           .environment = environment,
                                           .cwd = "/usr"};
    struct weir_process process;
    WEIR_TRY(weir_open_process(&process, SHELL("cat; echo $GREETING $HOME; pwd >&2"), &options));
    cr_expect(process.input == NULL && process.errors == NULL);
    cr_expect_str_eq(all_of(process.output), "hello\n/usr\n");
    return weir_process_close(&process);
}

static int open_one(int fds[2])
{
    return pipe2(fds, O_CLOEXEC);
}

static void expect_read(int fds[2], const char *expected)
{
    char text[16] = "";
    close(fds[1]);
    cr_expect_eq(read(fds[0], text, sizeof text - 1), (ssize_t)strlen(expected));
    cr_expect_str_eq(text, expected);
    close(fds[0]);
}

/* Where our own lowest descriptors are closed, copies of others may get their numbers. */
static int run_without_two_descriptors(const struct weir_process_options *options)
{
    struct weir_process process;
    int keep[2];
    for (int i = 0; i < 2; i++) {
        keep[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        close(i);
    }
    int rc = weir_open_process(&process, SHELL("echo one; echo two >&2"), options);
    if (rc == 0)
        rc = weir_process_wait(&process);
    if (rc == 0)
        rc = weir_process_close(&process);
    for (int i = 0; i < 2; i++) {
        if (keep[i] >= 0)
            dup2(keep[i], i);
        close(keep[i]);
    }
    return rc;
}

CLEAN_TEST(process, gets_the_right_descriptors_whatever_their_numbers)
{
    int output[2], errors[2];
    cr_assert(open_one(output) == 0 && open_one(errors) == 0);
    WEIR_TRY(weir_wait_writable(output[1])); /* the loop has its own descriptors now */
    struct weir_process_options options = {.input = WEIR_STDIO_INHERIT,
                                           .output = WEIR_STDIO_FD,
                                           .output_fd = output[1],
                                           .errors = WEIR_STDIO_FD,
                                           .errors_fd = errors[1]};
    WEIR_TRY(run_without_two_descriptors(&options));
    expect_read(output, "one\n");
    expect_read(errors, "two\n");
    return 0;
}

CLEAN_TEST(process, gets_nothing_else_of_ours)
{
    int leaky = fcntl(STDOUT_FILENO, F_DUPFD, 50); /* without O_CLOEXEC */
    struct weir_process_options options = {.input = WEIR_STDIO_NULL, .output = WEIR_STDIO_PIPE};
    struct weir_process process;
    signal(SIGPIPE, SIG_IGN); /* as our streams do; and threads of the pool have signals blocked */
    WEIR_TRY(weir_open_process(
        &process, SHELL("test -e /proc/self/fd/50 && echo leaked; grep -E 'SigBlk|SigIgn' /proc/self/status"),
        &options));
    const char *said = all_of(process.output);
    cr_expect(strstr(said, "leaked") == NULL);
    cr_expect(strstr(said, "SigBlk:\t0000000000000000") != NULL, "%s", said);
    const char *ignored = strstr(said, "SigIgn:\t");
    cr_assert_not_null(ignored);
    cr_expect_eq(strtoull(ignored + 8, NULL, 16) & (1ull << (SIGPIPE - 1)), 0);
    close(leaky);
    return weir_process_close(&process);
}

/* ---- what cannot be ---- */

CLEAN_TEST(process, that_cannot_be_run_says_why)
{
    char *missing[] = {(char *)"/no/such/program", NULL}, *nowhere[] = {(char *)"no-such-program-in-path", NULL};
    char *directory[] = {(char *)"/usr", NULL}, *nothing[] = {NULL};
    struct weir_process_options pipes = {WEIR_STDIO_PIPE, WEIR_STDIO_PIPE, WEIR_STDIO_PIPE, 0, 0, 0, NULL, NULL};
    struct weir_process_options lost = {.cwd = "/no/such/directory"};
    struct weir_process_options wrong = {.output = WEIR_STDIO_FD, .output_fd = 999};
    struct weir_process process;
    cr_expect_eq(weir_open_process(&process, nothing, NULL), -EINVAL);
    cr_expect_eq(weir_open_process(&process, NULL, NULL), -EINVAL);
    cr_expect_eq(weir_open_process(&process, SHELL(":"), &wrong), -EBADF);
    wrong = (struct weir_process_options){.output = WEIR_STDIO_OUTPUT};
    cr_expect_eq(weir_open_process(&process, SHELL(":"), &wrong), -EINVAL);
    if (!failures_are_told())
        return 0;
    cr_expect_eq(weir_open_process(&process, missing, &pipes), -ENOENT);
    cr_expect_eq(weir_open_process(&process, nowhere, &pipes), -ENOENT);
    cr_expect_eq(weir_open_process(&process, directory, &pipes), -EACCES);
    cr_expect_eq(weir_open_process(&process, SHELL(":"), &lost), -ENOENT);
    return 0;
}

CLEAN_TEST(process, is_not_started_in_a_cancelled_scope)
{
    struct weir_process process;
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_open_process(&process, SHELL("exit 1"), NULL);
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

CLEAN_TEST(process, that_somebody_else_has_waited_for_is_gone)
{
    struct weir_process process;
    WEIR_TRY(weir_open_process(&process, SHELL("exit 1"), NULL));
    cr_expect_eq(waitpid(process.pid, NULL, 0), process.pid);
    cr_expect_eq(weir_process_wait(&process), -ECHILD);
    cr_expect_eq(weir_process_wait(&process), -ECHILD);
    return weir_process_close(&process);
}

/* ---- run as a function ---- */

CLEAN_TEST(run_process, feeds_and_captures)
{
    struct weir_run_process_options options = {
        .input = "hello", .input_size = 5, .capture_output = true, .capture_errors = true};
    struct weir_process_result result;
    WEIR_TRY(weir_run_process(SHELL("cat; echo oops >&2"), &options, &result));
    cr_expect(result.status == 0 && result.signal == 0);
    cr_expect_str_eq(result.output, "hello");
    cr_expect_str_eq(result.errors, "oops\n");
    cr_expect(result.output_size == 5 && result.errors_size == 5);
    weir_process_result_free(&result);
    return 0;
}

CLEAN_TEST(run_process, has_an_empty_input_unless_told)
{
    struct weir_run_process_options options = {.capture_output = true};
    struct weir_process_result result;
    WEIR_TRY(weir_run_process(SHELL("cat"), &options, &result));
    cr_expect_str_eq(result.output, "");
    weir_process_result_free(&result);
    return weir_run_process(SHELL(":"), NULL, NULL);
}

CLEAN_TEST(run_process, passes_more_than_pipes_hold_both_ways)
{
    enum { SIZE = 600000 };
    static char text[SIZE];
    struct weir_run_process_options options = {.input = text, .input_size = SIZE, .capture_output = true};
    struct weir_process_result result;
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)('a' + (i * 7 + i / 1000) % 26);
    WEIR_TRY(weir_run_process(SHELL("exec cat"), &options, &result));
    cr_expect_eq(result.output_size, SIZE);
    cr_expect_eq(memcmp(result.output, text, SIZE), 0);
    weir_process_result_free(&result);
    return 0;
}

CLEAN_TEST(run_process, does_not_mind_input_that_is_not_read)
{
    static char text[600000];
    struct weir_run_process_options options = {.input = text, .input_size = sizeof text};
    return weir_run_process(SHELL("exit 0"), &options, NULL);
}

CLEAN_TEST(run_process, says_that_it_ended_badly_unless_told_not_to)
{
    struct weir_run_process_options options = {.capture_output = true}, unchecked = {.unchecked = true};
    struct weir_process_result result;
    cr_expect_eq(weir_run_process(SHELL("echo so; exit 4"), &options, &result), -EREMOTEIO);
    cr_expect(result.status == 4 && result.signal == 0);
    cr_expect_str_eq(result.output, "so\n");
    weir_process_result_free(&result);
    cr_expect_eq(weir_run_process(SHELL("kill -USR1 $$"), NULL, &result), -EREMOTEIO);
    cr_expect(result.status == -1 && result.signal == SIGUSR1);
    cr_expect_eq(weir_run_process(SHELL("exit 4"), &unchecked, &result), 0);
    cr_expect_eq(result.status, 4);
    cr_expect_str_eq(weir_error_name(-EREMOTEIO), "CalledProcessError");
    return 0;
}

CLEAN_TEST(run_process, ends_a_program_that_says_too_much_and_keeps_what_was_wanted)
{
    struct weir_run_process_options options = {.capture_output = true, .capture_max = 10};
    struct weir_process_result result;
    cr_expect_eq(weir_run_process(SHELL("while echo 0123456789; do :; done"), &options, &result), -EMSGSIZE);
    cr_expect_str_eq(result.output, "0123456789");
    cr_expect_eq(result.output_size, 10);
    weir_process_result_free(&result);
    WEIR_TRY(weir_run_process(SHELL("printf 0123456789"), &options, &result));
    cr_expect_eq(result.output_size, 10);
    weir_process_result_free(&result);
    return 0;
}

CLEAN_TEST(run_process, refuses_options_that_contradict_each_other)
{
    struct weir_run_process_options pipe = {.process.output = WEIR_STDIO_PIPE};
    struct weir_run_process_options both = {.process.errors = WEIR_STDIO_NULL, .capture_errors = true};
    struct weir_run_process_options fed = {.process.input = WEIR_STDIO_INHERIT, .input = "x", .input_size = 1};
    struct weir_run_process_options lost = {.capture_output = true};
    struct weir_process_result result;
    cr_expect_eq(weir_run_process(SHELL(":"), &pipe, &result), -EINVAL);
    cr_expect_eq(weir_run_process(SHELL(":"), &both, &result), -EINVAL);
    cr_expect_eq(weir_run_process(SHELL(":"), &fed, &result), -EINVAL);
    cr_expect_eq(weir_run_process(SHELL(":"), &lost, NULL), -EINVAL);
    return 0;
}

/* ---- cancelled: on a real clock, which does not jump over a process's last moments ---- */

static int run_reported(void *arg)
{
    struct weir_run_process_options options = {.process = {.input = WEIR_STDIO_PIPE, .output = WEIR_STDIO_PIPE},
                                               .reported = true,
                                               .patience = WEIR_SECONDS(20)};
    struct weir_process_result result;
    int rc = weir_run_process(SHELL(arg), &options, &result);
    note("%s %d %d", weir_error_name(rc), result.status, result.signal);
    return rc;
}

/* Starts a program, cancels it when it has said something. */
static int cancel_reported(void *arg)
{
    struct weir_nursery nursery;
    void *started;
    char byte;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_start(&nursery, run_reported, arg, &started));
        struct weir_process *process = started;
        cr_expect_eq(weir_receive_some(process->output, &byte, 1), 1);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

static int run_real(int (*main)(void *), const char *script)
{
    int descriptors_before = descriptors(), threads_before = threads(1 << 20);
    int rc = weir_run(main, (void *)script, NULL);
    cr_expect_eq(descriptors(), descriptors_before);
    cr_expect_eq(threads(threads_before), threads_before);
    cr_expect_not(children());
    return rc;
}

Test(run_process, cancelled_asks_the_program_to_end, .timeout = 60)
{
    cr_expect_eq(run_real(cancel_reported, "echo; read line"), 0);
    cr_expect_str_eq(notes, "Cancelled -1 15");
}

Test(run_process, cancelled_waits_until_the_program_has_tidied_up, .timeout = 60)
{
    cr_expect_eq(run_real(cancel_reported, "trap 'exit 7' TERM; echo; read line"), 0);
    cr_expect_str_eq(notes, "Cancelled 7 0");
}

static int ignore_and_be_killed(void *arg)
{
    int input[2];
    cr_assert_eq(open_one(input), 0);
    struct weir_run_process_options options = {
        .process = {.input = WEIR_STDIO_FD, .input_fd = input[0]}, .capture_output = true, .capture_max = 1};
    struct weir_process_result result;
    weir_log_set_level(WEIR_LOG_ERROR);
    cr_expect_eq(weir_run_process(SHELL("trap '' TERM; echo 0123; read line"), &options, &result), -EMSGSIZE);
    cr_expect_eq(result.signal, SIGKILL);
    weir_process_result_free(&result);
    close(input[0]);
    close(input[1]);
    return 0;
}

/* Time jumps here: five seconds are over at once. */
Test(run_process, cancelled_kills_a_program_that_does_not_end, .timeout = 60)
{
    cr_expect_eq(run_clean(ignore_and_be_killed, NULL), 0);
}

static int cancelled_before(void *arg)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_run_process(SHELL("exit 1"), NULL, NULL);
    }
    cr_expect(scope.cancelled_caught);
    return rc;
}

Test(run_process, is_not_run_in_a_cancelled_scope, .timeout = 30)
{
    cr_expect_eq(run_clean(cancelled_before, NULL), 0);
}

/* ---- many ---- */

static int run_one(void *arg)
{
    struct weir_run_process_options options = {
        .input = "x", .input_size = 1, .capture_output = true, .process.errors = WEIR_STDIO_OUTPUT};
    struct weir_process_result result;
    WEIR_TRY(weir_run_process(SHELL("cat; echo y >&2"), &options, &result));
    cr_expect_str_eq(result.output, "xy\n");
    weir_process_result_free(&result);
    return 0;
}

CLEAN_TEST(run_process, runs_many_side_by_side)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 20; i++)
            weir_start_soon(&nursery, run_one, NULL);
    return rc;
}
