/* Processes: started, waited for, ended. */
#include "system_private.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- its descriptors ---- */

/* Gets a copy above the three that it has in the child. */
static int copy(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return high >= 0 ? high : -errno;
}

/* The same, for what we have just made. */
static int lift(int fd)
{
    if (fd < 0)
        return -errno;
    if (fd > 2)
        return fd;
    int high = copy(fd);
    close(fd);
    return high;
}

/* Makes a pipe: *its is for the process, and ours a stream. */
static int make_pipe(int *its, struct weir_stream **ours, bool it_reads)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    *its = lift(fds[it_reads ? 0 : 1]);
    int rc = *its < 0 ? *its : weir_open_fd_stream(fds[it_reads ? 1 : 0], ours);
    if (rc < 0)
        close(fds[it_reads ? 1 : 0]);
    return rc;
}

/* *its is -1, and set as soon as there is something to be closed. */
static int set_up(enum weir_stdio kind, int fd, int *its, struct weir_stream **ours, bool it_reads)
{
    switch (kind) {
    case WEIR_STDIO_DEFAULT:
    case WEIR_STDIO_INHERIT:
        return 0;
    case WEIR_STDIO_PIPE:
        return make_pipe(its, ours, it_reads);
    case WEIR_STDIO_NULL:
        *its = lift(open("/dev/null", (it_reads ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
        break;
    case WEIR_STDIO_FD:
        *its = copy(fd);
        break;
    case WEIR_STDIO_OUTPUT:
        return -EINVAL; /* seen to elsewhere, where it makes sense */
    }
    return *its < 0 ? *its : 0;
}

static int set_up_all(struct weir_process *process, const struct weir_process_options *options, int fds[3])
{
    WEIR_TRY(set_up(options->input, options->input_fd, &fds[0], &process->input, true));
    WEIR_TRY(set_up(options->output, options->output_fd, &fds[1], &process->output, false));
    if (options->errors != WEIR_STDIO_OUTPUT)
        return set_up(options->errors, options->errors_fd, &fds[2], &process->errors, false);
    fds[2] = copy(fds[1] >= 0 ? fds[1] : STDOUT_FILENO);
    return fds[2] < 0 ? fds[2] : 0;
}

static void abort_stream(struct weir_stream **stream)
{
    if (*stream != NULL)
        weir_stream_abort(*stream);
    *stream = NULL;
}

static void close_pipes(struct weir_process *process)
{
    abort_stream(&process->input);
    abort_stream(&process->output);
    abort_stream(&process->errors);
}

/* ---- start ---- */

int weir_open_process(struct weir_process *process, char *const *argv, const struct weir_process_options *options)
{
    static const struct weir_process_options defaults;
    struct weir_spawn spawn = {.argv = argv, .fds = {-1, -1, -1}};
    *process = (struct weir_process){.status = -1, .pidfd = -1};
    if (argv == NULL || argv[0] == NULL)
        return -EINVAL;
    if (options == NULL)
        options = &defaults;
    spawn.environment = options->environment;
    spawn.cwd = options->cwd;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_lock_init(&process->lock);
    int rc = set_up_all(process, options, spawn.fds);
    if (rc == 0)
        rc = weir_spawn(&spawn);
    for (int i = 0; i < 3; i++)
        if (spawn.fds[i] >= 0)
            close(spawn.fds[i]);
    if (rc < 0) {
        close_pipes(process);
        return rc;
    }
    process->pid = spawn.pid;
    process->pidfd = spawn.pidfd;
    return 0;
}

/* ---- end ---- */

/* How a process that has ended did: 1, or -ECHILD if nobody knows. */
static int outcome(const struct weir_process *process)
{
    return process->status >= 0 || process->signal != 0 ? 1 : -ECHILD;
}

/* Returns 0 if it has not ended. */
static int reap(struct weir_process *process, int options)
{
    siginfo_t info = {0};
    if (process->ended)
        return outcome(process);
    if (process->pidfd < 0)
        return -EBADF;
    while (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | options) < 0)
        if (errno != EINTR) {
            process->ended = errno == ECHILD;
            return -errno;
        }
    if (info.si_pid == 0)
        return 0;
    process->ended = true;
    if (info.si_code == CLD_EXITED)
        process->status = info.si_status;
    else
        process->signal = info.si_status;
    return 1;
}

bool weir_process_poll(struct weir_process *process)
{
    (void)reap(process, WNOHANG);
    return process->ended;
}

/* Another task may see its end, and close it, while we wait. */
int weir_process_wait(struct weir_process *process)
{
    int rc = 0, ended = 0;
    weir_with_lock (&process->lock, rc)
        do {
            ended = reap(process, WNOHANG);
            if (ended == 0)
                rc = weir_wait_readable(process->pidfd);
        } while (ended == 0 && (rc == 0 || rc == -EBADF));
    if (ended == 0)
        return rc;
    return ended < 0 ? ended : 0;
}

int weir_process_send_signal(struct weir_process *process, int number)
{
    if (process->ended || process->pidfd < 0)
        return -ESRCH;
    return pidfd_send_signal(process->pidfd, number, NULL, 0) < 0 ? -errno : 0;
}

int weir_process_terminate(struct weir_process *process)
{
    return weir_process_send_signal(process, SIGTERM);
}

int weir_process_kill(struct weir_process *process)
{
    return weir_process_send_signal(process, SIGKILL);
}

/* If the loop cannot wait for it, for want of memory, we do: a killed one does not take long. */
static void kill_and_wait(struct weir_process *process)
{
    struct weir_scope shield;
    int rc = 0;
    weir_process_kill(process);
    weir_with_shield (&shield, rc)
        rc = weir_process_wait(process);
    if (rc < 0)
        (void)reap(process, 0);
}

void weir_process_let_go(struct weir_process *process)
{
    int pidfd = process->pidfd;
    close_pipes(process);
    if (pidfd < 0)
        return;
    if (!weir_process_poll(process))
        kill_and_wait(process);
    process->pidfd = -1;
    weir_notify_closing(pidfd);
    close(pidfd);
}

int weir_process_close(struct weir_process *process)
{
    weir_process_let_go(process);
    return weir_checkpoint();
}
