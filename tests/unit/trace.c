/* core/debug: the trace: JSON that Python reads, and what is in it. */
#include "../support/core.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads a trace and prints, for each track, what is on it in order of time; then which arrows there are. Slices of one
 * track must not overlap. */
static const char reader[] =
    "import json, sys\n"
    "events = json.load(open(sys.argv[1]))['traceEvents']\n"
    "names = {e['tid']: e['args']['name'] for e in events if e['name'] == 'thread_name'}\n"
    "assert all(e['pid'] == 0 for e in events)\n"
    "tracks = {}\n"
    "for e in events:\n"
    "    tracks.setdefault(e['tid'], []).append(e)\n"
    "for tid in sorted(names):\n"
    "    slices = [e for e in tracks[tid] if e['ph'] == 'X']\n"
    "    for a, b in zip(slices, slices[1:]):\n"
    "        assert a['ts'] + a['dur'] <= b['ts'] + 1e-3, (a, b)\n"
    "    moments = [e for e in tracks[tid] if e['ph'] == 'i']\n"
    "    said = [f\"{e['name']}@{e['ts'] / 1e6:g}+{e['dur'] / 1e6:g}\" for e in slices]\n"
    "    said += [f\"({e['name']} {e['args']['task']} in {e['args']['started in']})\" for e in moments]\n"
    "    print(names[tid] + ':', *said)\n"
    "starts = {e['id']: e['tid'] for e in events if e['ph'] == 's'}\n"
    "for e in events:\n"
    "    if e['ph'] == 'f' and e['id'] in starts:\n"
    "        print(names[starts[e['id']]], '->', names[e['tid']])\n";

static char path[] = "/tmp/weir-trace-XXXXXX";

/* Returns what the reader says of a trace. */
static const char *read_trace(void)
{
    static char said[1 << 20];
    char command[4096];
    snprintf(command, sizeof command, "/usr/bin/python3 - %s 2>&1 <<'PROGRAM'\n%sPROGRAM\n", path, reader);
    FILE *python = popen(command, "r");
    said[fread(said, 1, sizeof said - 1, python)] = '\0';
    cr_expect_eq(pclose(python), 0, "%s", said);
    return said;
}

static void make_path(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void remove_path(void)
{
    unlink(path);
}

#define TRACE_TEST(name) Test(trace, name, .init = make_path, .fini = remove_path, .timeout = 60)

static int run_traced(int (*main)(void *), void *arg, size_t size_max)
{
    struct weir_virtual_clock clock;
    struct weir_trace *trace;
    weir_virtual_clock_init(&clock, 0, true);
    cr_assert_eq(
        weir_trace_open(&trace, path, &(struct weir_trace_options){.clock = &clock.clock, .size_max = size_max}), 0);
    struct weir_instrument *instruments[] = {weir_trace_instrument(trace)};
    int rc = weir_run(main, arg,
                      &(struct weir_run_options){
                          .clock = &clock.clock, .quiet = true, .instruments = instruments, .instruments_count = 1});
    cr_expect_eq(weir_trace_close(trace), 0);
    return rc;
}

static int child(void *arg)
{
    return weir_sleep(WEIR_SECONDS(*(double *)arg));
}

static int parent(void *arg)
{
    static double one = 1, two = 2;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, child, &one);
        weir_start_soon(&nursery, child, &two);
    }
    return rc < 0 ? rc : *(int *)arg;
}

TRACE_TEST(shows_steps_waits_and_who_spawned_whom)
{
    int code = 0;
    cr_expect_eq(run_traced(parent, &code, 0), 0);
    cr_expect_str_eq(read_trace(),
                     "loop:\n"
                     "main: runnable@0+0 main@0+0 a nursery's children@0+2 runnable@2+0 main@2+0 (spawned main in "
                     "weir_run) (exited main in weir_run)\n"
                     "child: runnable@0+0 child@0+0 weir_sleep@0+1 runnable@1+0 child@1+0 (spawned child in parent) "
                     "(exited child in parent)\n"
                     "child: runnable@0+0 child@0+0 weir_sleep@0+2 runnable@2+0 child@2+0 (spawned child in parent) "
                     "(exited child in parent)\n"
                     "main -> child\n"
                     "main -> child\n");
}

TRACE_TEST(is_whole_when_the_run_fails)
{
    int code = -EIO;
    cr_expect_eq(run_traced(parent, &code, 0), -EIO);
    cr_expect_not_null(strstr(read_trace(), "main@2+0 (spawned main in weir_run) (exited main in weir_run)\n"));
}

static int crash(void *arg)
{
    for (int i = 0; i < 5000; i++)
        WEIR_TRY(weir_checkpoint());
    _exit(3);
}

TRACE_TEST(is_whole_when_the_program_dies)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(run_traced(crash, NULL, 0));
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(WEXITSTATUS(status), 3);
    cr_expect_not_null(strstr(read_trace(), "main: runnable@0+0 main@0+0 runnable@0+0 main@0+0 "));
}

/* ---- names ---- */

static int start_with_odd_names(void *arg)
{
    static char far[100000];
    static struct weir_site sites[] = {{"quote \" and \\ backslash", "a\"b.c", "f", 1},
                                       {"line\nfeed\ttab \x01", "a.c", "f", 1},
                                       {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8a", "a.c", "f", 1},
                                       {"bad \xff \xc0\xaf \xe2\x82 \xed\xa0\x80 \xf4\x90\x80\x80 \xc3", "a.c", "f", 1},
                                       {far, far, far, 1}};
    struct weir_nursery nursery;
    int rc = 0;
    memset(far, '"', sizeof far - 1);
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 5; i++)
            weir_start_soon_(&nursery, return_at_once, NULL, &sites[i]);
    return rc;
}

TRACE_TEST(escapes_whatever_a_name_has_in_it)
{
    cr_expect_eq(run_traced(start_with_odd_names, NULL, 0), 0);
    const char *said = read_trace();
    cr_expect_not_null(strstr(said, "\nquote \" and \\ backslash: runnable@0+0 quote"));
    cr_expect_not_null(strstr(said, "\nline\nfeed\ttab \x01: runnable@0+0 line\nfeed"));
    cr_expect_not_null(strstr(said, "\ncaf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8a: runnable"));
    static const char bad[] = "\xef\xbf\xbd"; /* U+FFFD */
    char expected[128];
    snprintf(expected, sizeof expected, "\nbad %s %s%s %s%s %s%s%s %s%s%s%s %s: runnable", bad, bad, bad, bad, bad, bad,
             bad, bad, bad, bad, bad, bad, bad);
    cr_expect_not_null(strstr(said, expected), "%s", said);
    cr_expect_not_null(strstr(said, "\n\"\"\"\"\"\"\"\"\"\""));
}

/* ---- much, little, late ---- */

enum { CROWD = 3000 };

static int crowd(void *arg)
{
    static double seconds[CROWD];
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < CROWD; i++) {
            seconds[i] = (i * 7919) % CROWD;
            weir_start_soon(&nursery, child, &seconds[i]);
        }
    return rc;
}

static int lines_of(const char *text)
{
    int count = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

TRACE_TEST(takes_more_tasks_than_its_buffer_holds)
{
    cr_expect_eq(run_traced(crowd, NULL, 0), 0);
    cr_expect_gt(lines_of(read_trace()), 50); /* of those that fit */
}

TRACE_TEST(grows_no_larger_than_it_may)
{
    struct stat file;
    weir_log_set_level(WEIR_LOG_ERROR); /* it says what it lacks */
    cr_expect_eq(run_traced(crowd, NULL, 100000), 0);
    cr_expect_eq(stat(path, &file), 0);
    cr_expect(file.st_size > 80000 && file.st_size <= 100000, "%ld bytes", (long)file.st_size);
    cr_expect_gt(lines_of(read_trace()), 50);
}

static int trace_in_the_middle(void *arg)
{
    struct weir_trace *trace;
    struct weir_nursery nursery;
    static double ten = 10;
    int rc = 0;
    cr_assert_eq(weir_trace_open(&trace, path, &(struct weir_trace_options){.clock = arg}), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, child, &ten);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_instrument_add(weir_trace_instrument(trace));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_start_soon(&nursery, sleep_forever, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(9)));
        weir_instrument_remove(weir_trace_instrument(trace));
        cr_expect_eq(weir_trace_close(trace), 0);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

TRACE_TEST(may_begin_and_end_in_the_middle_of_a_run)
{
    struct weir_virtual_clock clock;
    weir_virtual_clock_init(&clock, 0, true);
    cr_expect_eq(weir_run(trace_in_the_middle, &clock.clock, &(struct weir_run_options){.clock = &clock.clock}), 0);
    cr_expect_str_eq(read_trace(), "loop:\n"
                                   "main: main@1+0 weir_sleep@1+1 runnable@2+0 main@2+0 weir_sleep@2+9 runnable@11+0\n"
                                   "sleep_forever: runnable@2+0 sleep_forever@2+0 weir_sleep_forever@2+9 (spawned "
                                   "sleep_forever in trace_in_the_middle)\n"
                                   "child: runnable@10+0 child@10+0 (exited child in trace_in_the_middle)\n"
                                   "main -> sleep_forever\n");
}

static bool waited;

static void note_wait(struct weir_instrument *instrument, weir_time timeout)
{
    waited |= timeout > 0;
}

/* Longer and longer, until the machine is not slower. */
static int sleep_really(void *arg)
{
    for (weir_time time = WEIR_MILLISECONDS(2); !waited; time *= 2)
        WEIR_TRY(weir_sleep(time));
    return 0;
}

TRACE_TEST(shows_the_loops_waits_in_real_time)
{
    struct weir_trace *trace;
    cr_assert_eq(weir_trace_open(&trace, path, NULL), 0);
    struct weir_instrument noting = {.after_io_wait = note_wait};
    struct weir_instrument *instruments[] = {weir_trace_instrument(trace), &noting};
    cr_expect_eq(
        weir_run(sleep_really, NULL, &(struct weir_run_options){.instruments = instruments, .instruments_count = 2}),
        0);
    cr_expect_eq(weir_trace_close(trace), 0);
    cr_expect_eq(strncmp(read_trace(), "loop: waiting for I/O@", 22), 0);
}

TRACE_TEST(says_what_cannot_be_opened_or_written)
{
    struct weir_trace *trace;
    cr_expect_eq(weir_trace_open(&trace, "/nonexistent/trace", NULL), -ENOENT);
    cr_assert_eq(weir_trace_open(&trace, "/dev/full", NULL), 0);
    cr_expect_eq(weir_trace_close(trace), -ENOSPC);
}
