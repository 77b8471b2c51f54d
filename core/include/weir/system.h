/* What else a program has to do with its system: descriptors, signals, processes, files, names. Nothing here makes the
 * loop wait for the kernel. */
#ifndef WEIR_SYSTEM_H
#define WEIR_SYSTEM_H

#include <sys/types.h>
#include <weir/lock.h>
#include <weir/stream.h>
#include <weir/task.h>

/* ---- descriptors ---- */

/* Wait until a descriptor can be read from (or is at its end, or broken), or written to. They may wake for nothing:
 * try, and at -EAGAIN wait again. One task a direction. Return 0; -ECANCELED; -EBUSY: another task waits for the same;
 * -EBADF: there is no such descriptor, or weir_notify_closing said that it goes; -EPERM: a kind of file that one cannot
 * wait for, as one on a disk; -ENOMEM; -ENOSPC (fs.epoll.max_user_watches). Checkpoint: always. Trio's
 * lowlevel.wait_readable and wait_writable. */
WEIR_MUST_CHECK int weir_wait_readable(int fd);
WEIR_MUST_CHECK int weir_wait_writable(int fd);

/* Says that a descriptor is about to be closed: who waits for it in this loop wakes with -EBADF. Without it such a task
 * may wait for ever, or for whatever gets that number next. Checkpoint: never. */
void weir_notify_closing(int fd);

/* Makes a stream of a descriptor: a pipe's end, a socket, a terminal. The descriptor is the stream's from now on and is
 * closed with it, and the pointer is dead then; as it may be shared with other processes, it gets its blocking mode
 * back. weir_send_eof is for sockets, and for the end of a pipe, which it closes. From the first such stream on SIGPIPE
 * is ignored, if it had its default effect: a write to a broken pipe says -EPIPE. Errors that are no stream's are
 * read(2)'s and write(2)'s. Returns 0, -EBADF, -ENOMEM (the descriptor is as before). Checkpoint: never. Trio's
 * lowlevel.FdStream. */
WEIR_MUST_CHECK int weir_open_fd_stream(int fd, struct weir_stream **stream);

/* ---- signals ---- */

/* Takes signals, for as long as it is open, from whoever has them: SIGINT from the run, which it would interrupt.
 * Memory of the caller's; to be closed. */
struct weir_signal_receiver {
    struct weir_signal_state *state; /* private; NULL: closed */
    bool receiving;                  /* private               */
};

/* Opens a receiver of `count` kinds of signal (SIGHUP...). Of several for one signal, of whatever loop, the one opened
 * last gets it. Signals that come several times before they are taken are one. Returns 0; -EINVAL: `count` is 0, or one
 * of them cannot be caught; -ENOMEM. Checkpoint: never. Trio's open_signal_receiver, but in any thread that runs a
 * loop. */
WEIR_MUST_CHECK int weir_open_signal_receiver(struct weir_signal_receiver *receiver, const int *signals, size_t count);

/* Waits for a signal. Returns its number, the one that came first of those not yet taken; -ECANCELED; -EBUSY: another
 * task waits; -EBADF: it is closed, or was closed meanwhile. Checkpoint: always. */
WEIR_MUST_CHECK int weir_receive_signal(struct weir_signal_receiver *receiver);

/* How many kinds of signal have come and were not yet taken. Checkpoint: never. */
size_t weir_signal_receiver_pending(const struct weir_signal_receiver *receiver);

/* Closes it; again: nothing. Whoever waits on it wakes with -EBADF. Signals that came and were not taken are raised
 * anew, for whoever has them now: often that ends the process. Checkpoint: never. */
void weir_signal_receiver_close(struct weir_signal_receiver *receiver);

/* Block: weir_with_signal_receiver(&receiver, rc, SIGHUP, SIGUSR1) { ... } opens one, and closes it however it is left.
 * If it cannot be opened the block does not run, and rc is the error. */
#define weir_with_signal_receiver(receiver, rc, ...)                                                                   \
    WEIR_BLOCK_(weir_signal_guard, weir_signal_guard_open_((receiver), (const int[]){__VA_ARGS__},                     \
                                                           sizeof((const int[]){__VA_ARGS__}) / sizeof(int), &(rc)))

struct weir_signal_guard {
    void *open;
};
struct weir_signal_guard weir_signal_guard_open_(struct weir_signal_receiver *receiver, const int *signals,
                                                 size_t count, int *status);
void weir_signal_guard_close_(struct weir_signal_guard *guard);

/* ---- processes ---- */

/* What a process gets as its standard input, output or errors. */
enum weir_stdio {
    WEIR_STDIO_DEFAULT, /* ours; but weir_run_process gives it an empty input                     */
    WEIR_STDIO_INHERIT, /* ours                                                                   */
    WEIR_STDIO_PIPE,    /* a pipe, whose other end is a stream                                    */
    WEIR_STDIO_NULL,    /* /dev/null                                                              */
    WEIR_STDIO_FD,      /* a descriptor, which stays ours too; it should be in blocking mode      */
    WEIR_STDIO_OUTPUT,  /* errors only: the same as its output                                    */
};

struct weir_process_options {
    enum weir_stdio input, output, errors;
    int input_fd, output_fd, errors_fd; /* of WEIR_STDIO_FD                       */
    char *const *environment;           /* "NAME=value", NULL at the end; NULL: ours */
    const char *cwd;                    /* NULL: ours                             */
};

/* A process that we started. Its end is noticed by weir_process_wait or weir_process_poll. */
struct weir_process {
    pid_t pid;
    struct weir_stream *input, *output, *errors; /* our ends of its pipes, or NULL. Who closes one sets it to NULL. */
    bool ended;
    int status;            /* with which it exited: 0 to 255; -1: a signal ended it, or it has not ended */
    int signal;            /* which ended it, or 0                                                        */
    int pidfd;             /* private */
    struct weir_lock lock; /* private: one waits, the others wait for him */
};

/* Starts argv[0], sought in PATH if there is no slash in it, with argv, which ends with NULL; options: NULL for the
 * defaults. It inherits nothing but its three descriptors, and no blocked or ignored signal of ours but what we were
 * started with. Started in a thread of the pool: that may take a while. Returns 0; -ENOENT, -EACCES, -ENOEXEC... it
 * cannot be run (or there is no such directory to run it in); -EINVAL: no argv[0]; -EBADF: one of the descriptors is
 * none; -EMFILE, -ENOMEM, -EAGAIN: something has run out; -ECANCELED: it was not started. Checkpoint: always. To be
 * closed. Trio's lowlevel.open_process. */
WEIR_MUST_CHECK int weir_open_process(struct weir_process *process, char *const *argv,
                                      const struct weir_process_options *options);

/* Waits until it has ended; any number of tasks may. Returns 0, and `status` and `signal` say how; -ECANCELED; -EBADF:
 * it is closed; -ECHILD: somebody else has waited for it, and nobody knows. Checkpoint: always. */
WEIR_MUST_CHECK int weir_process_wait(struct weir_process *process);

/* Looks whether it has ended. Returns true if so. Checkpoint: never. */
bool weir_process_poll(struct weir_process *process);

/* Sends it a signal. Returns 0; -ESRCH: it has ended; -EINVAL: there is no such signal; -EPERM. Checkpoint: never. */
int weir_process_send_signal(struct weir_process *process, int number);
int weir_process_terminate(struct weir_process *process); /* SIGTERM: it may refuse */
int weir_process_kill(struct weir_process *process);      /* SIGKILL               */

/* Closes our ends of its pipes; if it still runs, kills it; and waits for its end, as it must not stay a zombie. Again:
 * nothing. Returns 0, or -ECANCELED: it is closed all the same. Checkpoint: always. */
int weir_process_close(struct weir_process *process);

struct weir_run_process_options {
    struct weir_process_options process; /* pipes here are for who gets the process by `reported`                  */
    const void *input;                   /* fed to it, and then the end of file, unless process.input says otherwise */
    size_t input_size;
    bool capture_output, capture_errors; /* keep what it writes                                                    */
    size_t capture_max;                  /* bytes to keep of each at the most; 0: 1 MiB                            */
    bool unchecked;                      /* that it ended badly is no error                                        */
    weir_time patience; /* when cancelled: how long between SIGTERM and SIGKILL; 0: 5 s                              */
    bool reported;      /* weir_started(process): for who called weir_start; it is gone when that task ends          */
};

/* How it went. Bytes that were kept have a 0 behind them, which does not count. To be freed. */
struct weir_process_result {
    int status, signal; /* as in struct weir_process */
    char *output, *errors;
    size_t output_size, errors_size;
};

/* Runs a program until it has ended and its pipes are drained. When cancelled, or when something goes wrong, it is sent
 * SIGTERM, and later SIGKILL, and waited for. result: NULL if nothing is to be known; else it is filled in any case.
 * Returns 0; -EREMOTEIO: it exited with another status than 0, or by a signal; -EMSGSIZE: it wrote more than is to be
 * kept; -ECANCELED; -EINVAL: options that contradict each other; and as weir_open_process. Checkpoint: always. Trio's
 * run_process. */
WEIR_MUST_CHECK int weir_run_process(char *const *argv, const struct weir_run_process_options *options,
                                     struct weir_process_result *result);

/* Frees what a result keeps. Checkpoint: never. */
void weir_process_result_free(struct weir_process_result *result);

#endif
