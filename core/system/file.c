/* Files, through threads of the pool: each call is a record on the caller's stack, and what is to be done with it. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/file.h>

struct file_call {
    const char *path;
    int fd, flags;
    mode_t mode;
    void *buffer;
    size_t size;
    off_t offset;
};

static int answer(ssize_t rc)
{
    return rc < 0 ? -errno : (int)rc;
}

static size_t bounded(size_t size)
{
    return size < INT_MAX ? size : INT_MAX;
}

static int in_thread(int (*fn)(void *), struct file_call *call)
{
    return weir_to_thread_run_sync(fn, call, NULL);
}

static int do_open(void *arg)
{
    struct file_call *call = arg;
    return answer(open(call->path, call->flags | O_CLOEXEC, call->mode));
}

static int do_close(void *arg)
{
    struct file_call *call = arg;
    return answer(close(call->fd));
}

static int do_read(void *arg)
{
    struct file_call *call = arg;
    return answer(read(call->fd, call->buffer, bounded(call->size)));
}

static int do_write(void *arg)
{
    struct file_call *call = arg;
    return answer(write(call->fd, call->buffer, bounded(call->size)));
}

static int do_pread(void *arg)
{
    struct file_call *call = arg;
    return answer(pread(call->fd, call->buffer, bounded(call->size), call->offset));
}

static int do_pwrite(void *arg)
{
    struct file_call *call = arg;
    return answer(pwrite(call->fd, call->buffer, bounded(call->size), call->offset));
}

static int do_write_all(void *arg)
{
    struct file_call *call = arg;
    const char *at = call->buffer;
    for (size_t left = call->size; left > 0;) {
        ssize_t rc = write(call->fd, at, left);
        if (rc < 0)
            return -errno;
        at += rc;
        left -= (size_t)rc;
    }
    return 0;
}

static int do_sync(void *arg)
{
    struct file_call *call = arg;
    return answer(fsync(call->fd));
}

static int do_truncate(void *arg)
{
    struct file_call *call = arg;
    return answer(ftruncate(call->fd, call->offset));
}

static int do_stat(void *arg)
{
    struct file_call *call = arg;
    return answer(fstat(call->fd, call->buffer));
}

int weir_file_open(const char *path, int flags, mode_t mode)
{
    return in_thread(do_open, &(struct file_call){.path = path, .flags = flags, .mode = mode});
}

/* A descriptor must not stay open because its owner is being cancelled. */
int weir_file_close(int fd)
{
    struct weir_scope shield;
    struct file_call call = {.fd = fd};
    int rc = 0;
    weir_with_shield (&shield, rc)
        rc = in_thread(do_close, &call);
    if (rc == -EAGAIN || rc == -ENOMEM) /* no thread: so it blocks */
        rc = do_close(&call);
    WEIR_TRY(weir_checkpoint_if_cancelled());
    return rc;
}

int weir_file_read(int fd, void *buffer, size_t size)
{
    return in_thread(do_read, &(struct file_call){.fd = fd, .buffer = buffer, .size = size});
}

int weir_file_write(int fd, const void *data, size_t size)
{
    return in_thread(do_write, &(struct file_call){.fd = fd, .buffer = (void *)(uintptr_t)data, .size = size});
}

int weir_file_pread(int fd, void *buffer, size_t size, off_t offset)
{
    return in_thread(do_pread, &(struct file_call){.fd = fd, .buffer = buffer, .size = size, .offset = offset});
}

int weir_file_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return in_thread(do_pwrite,
                     &(struct file_call){.fd = fd, .buffer = (void *)(uintptr_t)data, .size = size, .offset = offset});
}

int weir_file_write_all(int fd, const void *data, size_t size)
{
    return in_thread(do_write_all, &(struct file_call){.fd = fd, .buffer = (void *)(uintptr_t)data, .size = size});
}

int weir_file_sync(int fd)
{
    return in_thread(do_sync, &(struct file_call){.fd = fd});
}

int weir_file_truncate(int fd, off_t size)
{
    return in_thread(do_truncate, &(struct file_call){.fd = fd, .offset = size});
}

int weir_file_stat(int fd, struct stat *stat)
{
    return in_thread(do_stat, &(struct file_call){.fd = fd, .buffer = stat});
}

/* ---- whole ones: all of it in one visit to a thread ---- */

struct whole {
    const char *path;
    size_t max, size, room;
    char *data;
    mode_t mode;
};

static int grow(struct whole *whole)
{
    size_t room = whole->room > 0 ? whole->room * 2 : 4096;
    if (room > whole->max + 2) /* one byte more than may be there, to see that it is; and the 0 */
        room = whole->max + 2;
    char *data = realloc(whole->data, room);
    if (data == NULL)
        return -ENOMEM;
    whole->data = data;
    whole->room = room;
    return 0;
}

static int read_all(struct whole *whole, int fd)
{
    ssize_t n = 1;
    while (n > 0) {
        if (whole->size + 1 >= whole->room)
            WEIR_TRY(grow(whole));
        n = read(fd, whole->data + whole->size, whole->room - 1 - whole->size);
        if (n < 0)
            return -errno;
        whole->size += (size_t)n;
        if (whole->size > whole->max)
            return -EFBIG;
    }
    whole->data[whole->size] = '\0';
    return 0;
}

static int do_read_whole(void *arg)
{
    struct whole *whole = arg;
    int fd = open(whole->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = read_all(whole, fd);
    close(fd);
    return rc;
}

static int do_write_whole(void *arg)
{
    struct whole *whole = arg;
    int fd = open(whole->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, whole->mode);
    if (fd < 0)
        return -errno;
    int rc = do_write_all(&(struct file_call){.fd = fd, .buffer = whole->data, .size = whole->size});
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

int weir_read_whole_file(const char *path, size_t max, char **data, size_t *size)
{
    struct whole whole = {.path = path, .max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4};
    int rc = weir_to_thread_run_sync(do_read_whole, &whole, NULL);
    if (rc < 0) {
        free(whole.data);
        return rc;
    }
    *data = whole.data;
    *size = whole.size;
    return 0;
}

int weir_write_whole_file(const char *path, const void *data, size_t size, mode_t mode)
{
    struct whole whole = {.path = path, .data = (char *)(uintptr_t)data, .size = size, .mode = mode};
    return weir_to_thread_run_sync(do_write_whole, &whole, NULL);
}
