/* The EAL up and down. */
#include "eal_private.h"
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_MB = 64, ARGUMENTS = 24 };

/* The EAL is one in a process. It keeps pointers to its arguments, and getopt and itself write to their list. */
static struct {
    bool open;
    char *arguments[ARGUMENTS]; /* those that are ours */
    int count;
    char **passed; /* the list that the EAL got */
} eal;

/* ---- arguments ---- */

static void add(const char *argument)
{
    WEIR_ASSERT(eal.count < ARGUMENTS - 1);
    eal.arguments[eal.count] = strdup(argument);
    WEIR_ASSERT(eal.arguments[eal.count] != NULL);
    eal.count++;
}

static void add_pair(const char *option, const char *value)
{
    add(option);
    add(value);
}

/* One lcore, on all the CPUs that this process may use: two processes on one machine then do not meet on the same
 * core, and whoever wants it pinned says so with taskset or -l. */
static void add_lcore(void)
{
    cpu_set_t allowed;
    char list[1024] = "0@(";
    size_t length = strlen(list);

    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        CPU_ZERO(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && length < sizeof(list) - 8; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            length += (size_t)snprintf(list + length, sizeof(list) - length, "%d,", cpu);
    if (list[length - 1] != ',') /* no CPU set could be had */
        length += (size_t)snprintf(list + length, sizeof(list) - length, "0,");
    list[length - 1] = ')';
    add_pair("--lcores", list);
}

static bool hugepages_are_free(void)
{
    FILE *in = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
    unsigned long pages = 0;

    if (in == NULL)
        return false;
    if (fscanf(in, "%lu", &pages) != 1)
        pages = 0;
    fclose(in);
    return pages > 0;
}

static void add_memory(const struct weir_eal_options *options)
{
    char text[32];

    if (options->pci != NULL && hugepages_are_free()) {
        add("--in-memory");
        return;
    }
    add("--no-huge");
    add("--no-shconf");
    snprintf(text, sizeof(text), "%u", options->memory_mb != 0 ? options->memory_mb : MEMORY_MB);
    add_pair("-m", text);
}

static void make_own_arguments(const struct weir_eal_options *options)
{
    char prefix[32];

    add(options->program != NULL ? options->program : "weir");
    add_memory(options);
    add_lcore();
    if (!options->telemetry)
        add("--no-telemetry");
    snprintf(prefix, sizeof(prefix), "weir-%" PRIdMAX, (intmax_t)getpid());
    add_pair("--file-prefix", prefix);
    if (options->pci != NULL)
        add_pair("-a", options->pci);
    else
        add("--no-pci");
}

static bool user_says(const struct weir_eal_options *options, const char *argument)
{
    for (int i = 0; i < options->count; i++)
        if (strncmp(options->arguments[i], argument, strlen(argument)) == 0)
            return true;
    return false;
}

/* ---- failure, in one line ---- */

/* What the EAL says, and what to do about it. */
static const struct {
    const char *says, *advice;
} known[] = {
    {"hugepage",
     "no hugepages are free: reserve some (as root: echo 512 >/proc/sys/vm/nr_hugepages), or add --no-huge"},
    {"Another primary", "another DPDK program runs under the same --file-prefix: name another one"},
    {"Cannot create lock", "another DPDK program runs under the same --file-prefix: name another one"},
    {"Permission denied", "run as root, or give the files that it names to your user"},
    {"Cannot init memory", "not enough memory: ask for less with -m"},
    {"lcore", "see `nproc` and `taskset -p $$` for the CPUs that may be used"},
    {"core list", "see `nproc` and `taskset -p $$` for the CPUs that may be used"},
};

/* DPDK puts its own name before each line; ours is there already. */
static const char *without_prefix(const char *line)
{
    const char *text = strncmp(line, "EAL: ", 5) == 0 ? line + 5 : line;

    return strncmp(text, "FATAL: ", 7) == 0 ? text + 7 : text;
}

static void explain(int code, const char *printed, char *error, size_t size)
{
    const char *logged = without_prefix(weir_eal_log_kept());
    const char *said = *printed != '\0' && strstr(printed, "option") != NULL ? without_prefix(printed)
                       : *logged != '\0'                                     ? logged
                       : *printed != '\0'                                    ? without_prefix(printed)
                                                                             : rte_strerror(code);

    snprintf(error, size, "DPDK's EAL did not start: %s", said);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strstr(said, known[i].says) == NULL && strstr(printed, known[i].says) == NULL)
            continue;
        snprintf(error, size, "DPDK's EAL did not start: %s (%s)", said, known[i].advice);
        return;
    }
}

/* ---- up and down ---- */

static int list_arguments(const struct weir_eal_options *options, int *count)
{
    int users = options->arguments != NULL ? options->count : 0;

    eal.passed = calloc((size_t)(eal.count + users) + 1, sizeof(*eal.passed));
    if (eal.passed == NULL)
        return -ENOMEM;
    memcpy(eal.passed, eal.arguments, (size_t)eal.count * sizeof(*eal.passed));
    if (users > 0)
        memcpy(eal.passed + eal.count, options->arguments, (size_t)users * sizeof(*eal.passed));
    *count = eal.count + users;
    return 0;
}

static int initialise(const struct weir_eal_options *options, bool quiet, char *error, size_t size)
{
    struct eal_capture capture;
    char printed[256] = "";
    int rc, code, count;

    WEIR_TRY(list_arguments(options, &count));
    if (quiet) {
        WEIR_TRY(eal_log_open());
        weir_eal_log_keep();
        WEIR_TRY(eal_capture_begin(&capture));
    }
    rc = rte_eal_init(count, eal.passed);
    code = rte_errno;
    if (quiet) {
        eal_capture_end(&capture, printed, sizeof(printed));
        weir_eal_log_pass();
    }
    if (rc >= 0)
        return 0;
    explain(code, printed, error, size);
    return code > 0 ? -code : -EIO;
}

static void free_arguments(void)
{
    for (int i = 0; i < eal.count; i++)
        free(eal.arguments[i]);
    eal.count = 0;
    free(eal.passed);
    eal.passed = NULL;
}

int weir_eal_open(const struct weir_eal_options *options, char *error, size_t size)
{
    bool own = options->arguments == NULL, lonely = own && !options->telemetry;
    bool quiet =
        own || !(user_says(options, "--log-level") || user_says(options, "--help") || user_says(options, "-h"));
    int rc;

    WEIR_ASSERT(!eal.open);
    snprintf(error, size, "out of memory");
    if (own)
        make_own_arguments(options);
    else
        add(options->program != NULL ? options->program : "weir");
    rc = eal_files_prepare(lonely);
    if (rc < 0) {
        snprintf(error, size, "no directory for run time files: %s (TMPDIR names another place)", strerror(-rc));
    } else {
        rc = initialise(options, quiet, error, size);
        eal_files_note(!own && !user_says(options, "--no-shconf") && !user_says(options, "--in-memory"));
        /* With Weir's own arguments, and no telemetry, nothing is ever put there: gone now, it cannot be left behind by
         * a crash. */
        if (lonely || rc < 0)
            eal_files_remove();
    }
    eal.open = rc == 0;
    if (rc == 0) {
        error[0] = '\0';
    } else {
        eal_log_close();
        free_arguments();
    }
    return rc;
}

void weir_eal_close(void)
{
    if (!eal.open)
        return;
    eal.open = false;
    /* For good: rte_eal_cleanup unmaps memory that the interrupt thread looks at, and does not stop it. (22.11) */
    (void)!weir_interrupts_hold();
    (void)rte_eal_cleanup();
    eal_log_close();
    eal_files_remove();
    free_arguments();
}
