/* What else a program has to do with its system: descriptors, signals, processes, files, names. Nothing here makes the
 * loop wait for the kernel. */
#ifndef WEIR_SYSTEM_H
#define WEIR_SYSTEM_H

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

#endif
