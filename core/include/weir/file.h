/* Files, and names of hosts: what the kernel or libc can only do by blocking, done in threads of the pool, so that the
 * loop goes on meanwhile. What is not here, weir_to_thread_run_sync does. */
#ifndef WEIR_FILE_H
#define WEIR_FILE_H

#include <sys/types.h>
#include <weir/thread.h>

struct stat;     /* <sys/stat.h> */
struct addrinfo; /* <netdb.h>, for who asks for names: it brings the names of all socket calls with it */

/* ---- files ---- */

/* All of these take descriptors, and answer with the errors of the system calls that they are named after; -ECANCELED:
 * it was not begun (once begun, it is not cancelled); -EAGAIN and -ENOMEM: no thread could be had. Checkpoint: always.
 * A descriptor of a pipe, a socket or a terminal is better a stream: weir_open_fd_stream. */

/* open(2), with O_CLOEXEC. Returns the descriptor, which is the caller's to close. */
WEIR_MUST_CHECK int weir_file_open(const char *path, int flags, mode_t mode);

/* close(2). It is closed also when this returns -ECANCELED. */
int weir_file_close(int fd);

/* read(2), write(2), and at a place of their own pread(2), pwrite(2): of at most INT_MAX bytes. Return how many, which
 * may be fewer than asked for; reading, 0 is the end of the file. The memory must stay until they return. */
WEIR_MUST_CHECK int weir_file_read(int fd, void *buffer, size_t size);
WEIR_MUST_CHECK int weir_file_write(int fd, const void *data, size_t size);
WEIR_MUST_CHECK int weir_file_pread(int fd, void *buffer, size_t size, off_t offset);
WEIR_MUST_CHECK int weir_file_pwrite(int fd, const void *data, size_t size, off_t offset);

/* Writes all of it. Returns 0; after an error it is unknown how much was written. */
WEIR_MUST_CHECK int weir_file_write_all(int fd, const void *data, size_t size);

/* fsync(2); ftruncate(2); fstat(2). Return 0. */
WEIR_MUST_CHECK int weir_file_sync(int fd);
WEIR_MUST_CHECK int weir_file_truncate(int fd, off_t size);
WEIR_MUST_CHECK int weir_file_stat(int fd, struct stat *stat);

/* Reads a file from its beginning to its end, of `max` bytes at most. Returns 0, and *data (with a 0 behind it, which
 * does not count) is the caller's to free(3); -EFBIG: there is more than that; and as the others. The outputs are
 * written only on success. */
WEIR_MUST_CHECK int weir_read_whole_file(const char *path, size_t max, char **data, size_t *size);

/* Makes a file, or empties the one that is there, and writes all of it. Returns 0. */
WEIR_MUST_CHECK int weir_write_whole_file(const char *path, const void *data, size_t size, mode_t mode);

/* ---- names of hosts ---- */

/* getaddrinfo(3). node or service, not both, and hints may be NULL. Numeric addresses and ports are answered at once;
 * for all else a thread of the pool asks. Returns 0, and *result is the caller's, to be given to weir_freeaddrinfo;
 * -ENOENT: there is no such name; -EAGAIN: the name server does not answer, or no thread could be had; -EIO: it
 * failed; -EPROTONOSUPPORT: no such service; -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EINVAL: the hints; -ENOMEM; -ECANCELED:
 * the question is abandoned. Checkpoint: always. */
WEIR_MUST_CHECK int weir_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                                     struct addrinfo **result);

/* Frees what weir_getaddrinfo answered; NULL is fine. Checkpoint: never. */
void weir_freeaddrinfo(struct addrinfo *result);

/* Who answers in place of getaddrinfo(3) in this run, in threads of the pool, for all but numeric addresses; NULL: it
 * again. Its results are freed with freeaddrinfo(3). Returns 0 or -ENOMEM. Checkpoint: never. Trio's
 * set_custom_hostname_resolver. */
typedef int weir_hostname_resolver(const char *node, const char *service, const struct addrinfo *hints,
                                   struct addrinfo **result);
WEIR_MUST_CHECK int weir_set_custom_hostname_resolver(weir_hostname_resolver *resolver);

#endif
