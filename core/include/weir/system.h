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

#endif
