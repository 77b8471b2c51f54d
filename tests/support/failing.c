/* See failing.h. */
#include "failing.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>

struct failing failing;

void failing_set(long first, long last)
{
    atomic_store(&failing.asked, 0);
    atomic_store(&failing.failed, 0);
    failing.first = first;
    failing.last = last;
}

bool failing_is_clean(int code)
{
    return code == -ENOMEM || code == -EMFILE || code == -EAGAIN;
}

/* Whether this call is to fail, and then with which errno. */
static bool fails(int code)
{
    long number = atomic_fetch_add(&failing.asked, 1) + 1;
    if (failing.first == 0 || number < failing.first || number > failing.last)
        return false;
    atomic_fetch_add(&failing.failed, 1);
    errno = code;
    return true;
}

static void *counted(void *made)
{
    if (made != NULL && made != MAP_FAILED)
        atomic_fetch_add(&failing.live, 1);
    return made;
}

/* ---- memory (mmap64 is what mmap is called where a file may be large) ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails(ENOMEM) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(ENOMEM) ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails(ENOMEM))
        return NULL;
    void *grown = __real_realloc(old, size);
    return old == NULL ? counted(grown) : grown;
}

void __wrap_free(void *memory)
{
    if (memory != NULL)
        atomic_fetch_sub(&failing.live, 1);
    __real_free(memory);
}

void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fails(ENOMEM) ? MAP_FAILED : counted(__real_mmap64(at, size, protection, flags, fd, offset));
}

int __wrap_munmap(void *at, size_t size)
{
    atomic_fetch_sub(&failing.live, 1);
    return __real_munmap(at, size);
}

/* ---- descriptors, and threads ---- */

#define WRAP(name, code, parameters, arguments)                                                                        \
    int __real_##name parameters;                                                                                      \
    int __wrap_##name parameters;                                                                                      \
    int __wrap_##name parameters                                                                                       \
    {                                                                                                                  \
        return fails(code) ? -1 : __real_##name arguments;                                                             \
    }

WRAP(eventfd, EMFILE, (unsigned initial, int flags), (initial, flags))
WRAP(epoll_create1, EMFILE, (int flags), (flags))
WRAP(pipe2, EMFILE, (int fds[2], int flags), (fds, flags))
WRAP(socketpair, EMFILE, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds))

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
    return fails(EAGAIN) ? EAGAIN : __real_pthread_create(thread, attributes, fn, arg);
}
