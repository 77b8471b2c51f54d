/* A descriptor as a stream. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/system.h>

struct fd_stream {
    struct weir_stream stream;
    int fd;      /* -1: closed, or a pipe's end that said end-of-file */
    bool closed; /* freed when nobody is inside any more */
    bool was_blocking, receiving, sending, eof_sent;
};

static struct fd_stream *of(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct fd_stream, stream);
}

/* ---- one task a direction; who wakes up in a closed stream finds it still there ---- */

static int enter(struct fd_stream *stream, bool *busy)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (*busy)
        return -EBUSY;
    *busy = true;
    return 0;
}

static void free_if_left(struct fd_stream *stream)
{
    if (stream->closed && !stream->receiving && !stream->sending)
        free(stream);
}

static int leave(struct fd_stream *stream, bool *busy, int rc)
{
    *busy = false;
    free_if_left(stream);
    return rc;
}

/* After an attempt that failed: 0 if it is to be made again, -errno if not. */
static int wait_after(struct fd_stream *stream, int code, int (*wait)(int fd))
{
    if (code == EINTR)
        return 0;
    if (code != EAGAIN && code != EWOULDBLOCK)
        return -code;
    return wait(stream->fd); /* closed after we were woken, it is -1 */
}

/* ---- what a stream does ---- */

static int receive_some(struct weir_stream *base, void *buffer, size_t size)
{
    struct fd_stream *stream = of(base);
    int rc = 0;
    if (size == 0)
        return -EINVAL;
    WEIR_TRY(enter(stream, &stream->receiving));
    while (rc == 0) {
        ssize_t got = read(stream->fd, buffer, size < INT_MAX ? size : INT_MAX);
        if (got >= 0) {
            weir_fast_path_done();
            return leave(stream, &stream->receiving, (int)got);
        }
        rc = wait_after(stream, errno, weir_wait_readable);
    }
    return leave(stream, &stream->receiving, rc);
}

static int send_all(struct weir_stream *base, const void *data, size_t size)
{
    struct fd_stream *stream = of(base);
    size_t sent = 0;
    int rc = 0;
    WEIR_TRY(enter(stream, &stream->sending));
    if (stream->eof_sent)
        rc = -EBADF;
    while (rc == 0 && sent < size) {
        ssize_t wrote = write(stream->fd, (const char *)data + sent, size - sent);
        if (wrote >= 0)
            sent += (size_t)wrote;
        else
            rc = wait_after(stream, errno, weir_wait_writable);
    }
    if (rc == 0)
        weir_fast_path_done();
    return leave(stream, &stream->sending, rc);
}

static int wait_send_all_might_not_block(struct weir_stream *base)
{
    struct fd_stream *stream = of(base);
    WEIR_TRY(enter(stream, &stream->sending));
    return leave(stream, &stream->sending, stream->eof_sent ? -EBADF : weir_wait_writable(stream->fd));
}

static void let_go(struct fd_stream *stream)
{
    int fd = stream->fd;
    stream->fd = -1;
    if (fd < 0)
        return;
    weir_notify_closing(fd);
    if (stream->was_blocking)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    close(fd);
}

/* A pipe goes one way: its end is closed. */
static int say_eof(struct fd_stream *stream)
{
    struct stat stat;
    if (stream->eof_sent)
        return 0;
    if (fstat(stream->fd, &stat) < 0)
        return -errno;
    if (S_ISFIFO(stat.st_mode))
        let_go(stream);
    else if (shutdown(stream->fd, SHUT_WR) < 0)
        return errno == ENOTSOCK ? -ENOTSUP : -errno;
    stream->eof_sent = true;
    return 0;
}

static int send_eof(struct weir_stream *base)
{
    struct fd_stream *stream = of(base);
    WEIR_TRY(enter(stream, &stream->sending));
    int rc = say_eof(stream);
    weir_fast_path_done();
    return leave(stream, &stream->sending, rc);
}

static void abort_(struct weir_stream *base)
{
    struct fd_stream *stream = of(base);
    stream->closed = true;
    let_go(stream);
    free_if_left(stream);
}

static int close_(struct weir_stream *base)
{
    abort_(base);
    return weir_checkpoint();
}

static const struct weir_stream_ops ops = {
    .receive_some = receive_some,
    .send_all = send_all,
    .wait_send_all_might_not_block = wait_send_all_might_not_block,
    .send_eof = send_eof,
    .close = close_,
    .abort = abort_,
};

/* ---- made ---- */

static void ignore_broken_pipes(void)
{
    struct sigaction now, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, NULL, &now);
    if (!(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL)
        sigaction(SIGPIPE, &ignore, NULL);
}

int weir_open_fd_stream(int fd, struct weir_stream **opened)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    struct fd_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return -ENOMEM;
    pthread_once(&once, ignore_broken_pipes);
    stream->stream.ops = &ops;
    stream->fd = fd;
    stream->was_blocking = !(flags & O_NONBLOCK);
    if (stream->was_blocking)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    *opened = &stream->stream;
    return 0;
}
