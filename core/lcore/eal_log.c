/* What DPDK says: led to weir_log, or kept until somebody asks. */
#include "eal_private.h"
#include <rte_log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE = 256 };

/* The EAL is one in a process, and so is its log. */
static struct {
    FILE *stream;
    bool keeping;
    char kept[LINE];
} eal_log;

static enum weir_log_level level_of(uint32_t rte_level)
{
    if (rte_level <= RTE_LOG_ERR)
        return WEIR_LOG_WARNING;
    return rte_level <= RTE_LOG_NOTICE ? WEIR_LOG_INFO : WEIR_LOG_DEBUG;
}

/* A stdio write function: DPDK flushes each message. */
static ssize_t take_message(void *cookie, const char *text, size_t size)
{
    uint32_t level = (uint32_t)rte_log_cur_msg_loglevel();
    const char *end = memchr(text, '\n', size);
    int length = (int)(end != NULL ? end - text : (ptrdiff_t)size);

    if (length == 0)
        return (ssize_t)size;
    if (!eal_log.keeping) {
        weir_log(level_of(level), "DPDK: %.*s", length, text);
    } else {
        weir_log(WEIR_LOG_DEBUG, "DPDK: %.*s", length, text);
        if (level <= RTE_LOG_ERR && eal_log.kept[0] == '\0')
            snprintf(eal_log.kept, sizeof(eal_log.kept), "%.*s", length, text);
    }
    return (ssize_t)size;
}

int eal_log_open(void)
{
    cookie_io_functions_t functions = {.write = take_message};

    eal_log.stream = fopencookie(NULL, "w", functions);
    if (eal_log.stream == NULL)
        return -ENOMEM;
    return rte_openlog_stream(eal_log.stream) < 0 ? -EIO : 0;
}

void eal_log_close(void)
{
    if (eal_log.stream == NULL)
        return;
    rte_openlog_stream(NULL);
    fclose(eal_log.stream);
    eal_log.stream = NULL;
}

void weir_eal_log_keep(void)
{
    eal_log.keeping = true;
    eal_log.kept[0] = '\0';
}

void weir_eal_log_pass(void)
{
    eal_log.keeping = false;
}

const char *weir_eal_log_kept(void)
{
    return eal_log.kept;
}

/* ---- what it writes past its log ---- */

int eal_capture_begin(struct eal_capture *capture)
{
    fflush(stdout);
    capture->file = memfd_create("weir-eal-output", MFD_CLOEXEC);
    if (capture->file < 0)
        return -errno;
    for (int fd = 0; fd < 2; fd++) {
        capture->saved[fd] = dup(STDOUT_FILENO + fd);
        if (capture->saved[fd] >= 0)
            dup2(capture->file, STDOUT_FILENO + fd);
    }
    return 0;
}

/* getopt's complaints are "PROGRAM: what"; the EAL's usage, which follows them, has no such line. */
static bool of_interest(const char *line)
{
    return strstr(line, ": ") != NULL && strstr(line, "Usage:") == NULL && line[0] != ' ';
}

void eal_capture_end(struct eal_capture *capture, char *line, size_t size)
{
    FILE *text;

    fflush(stdout);
    for (int fd = 0; fd < 2; fd++) {
        if (capture->saved[fd] < 0)
            continue;
        dup2(capture->saved[fd], STDOUT_FILENO + fd);
        close(capture->saved[fd]);
    }
    line[0] = '\0';
    text = fdopen(capture->file, "r");
    if (text == NULL) {
        close(capture->file);
        return;
    }
    rewind(text);
    while (fgets(line, (int)size, text) != NULL && !of_interest(line))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    fclose(text);
}
