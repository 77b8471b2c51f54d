/* core/system: files and names of hosts, through threads. */
#include "../support/outside.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/file.h>

static char path[64];

static void new_path(void)
{
    snprintf(path, sizeof path, "/tmp/weir-file-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void remove_path(void)
{
    unlink(path);
}

CLEAN_TEST(file, what_is_written_is_read)
{
    new_path();
    char buffer[32] = {0};
    struct stat stat;
    int fd = weir_file_open(path, O_RDWR, 0);
    cr_assert_geq(fd, 0);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect_eq(weir_file_write(fd, "hello, ", 7), 7);
    cr_expect_eq(weir_file_write_all(fd, "world", 5), 0);
    cr_expect_eq(weir_file_sync(fd), 0);
    cr_expect_eq(weir_file_pread(fd, buffer, sizeof buffer, 7), 5);
    cr_expect_str_eq(buffer, "world");
    cr_expect_eq(weir_file_pwrite(fd, "W", 1, 7), 1);
    cr_expect_eq(weir_file_read(fd, buffer, sizeof buffer), 0, "the end");
    cr_expect_eq(weir_file_stat(fd, &stat), 0);
    cr_expect_eq(stat.st_size, 12);
    cr_expect_eq(weir_file_truncate(fd, 8), 0);
    cr_expect_eq(weir_file_close(fd), 0);
    char *data;
    size_t size;
    cr_assert_eq(weir_read_whole_file(path, 100, &data, &size), 0);
    cr_expect_str_eq(data, "hello, W");
    cr_expect_eq(size, 8);
    free(data);
    remove_path();
    return 0;
}

CLEAN_TEST(file, errors_are_those_of_the_system_calls)
{
    new_path();
    char *data = NULL;
    size_t size;
    cr_expect_eq(weir_file_open("/no/such/file", O_RDONLY, 0), -ENOENT);
    cr_expect_eq(weir_read_whole_file("/no/such/file", 1, &data, &size), -ENOENT);
    cr_expect_eq(weir_write_whole_file("/no/such/file", "", 0, 0600), -ENOENT);
    cr_expect_eq(weir_file_read(-1, path, 1), -EBADF);
    cr_expect_eq(weir_file_close(-1), -EBADF);
    cr_expect_eq(weir_read_whole_file("/", 1, &data, &size), -EISDIR);
    cr_expect_null(data);
    remove_path();
    return 0;
}

CLEAN_TEST(file, whole_files_are_bounded)
{
    new_path();
    static char big[100000];
    char *data = NULL;
    size_t size;
    memset(big, 'x', sizeof big);
    cr_assert_eq(weir_write_whole_file(path, big, sizeof big, 0600), 0);
    cr_expect_eq(weir_read_whole_file(path, sizeof big - 1, &data, &size), -EFBIG);
    cr_expect_null(data);
    cr_assert_eq(weir_read_whole_file(path, sizeof big, &data, &size), 0);
    cr_expect_eq(size, sizeof big);
    cr_expect_eq(memcmp(data, big, sizeof big), 0);
    free(data);
    cr_assert_eq(weir_write_whole_file(path, "", 0, 0600), 0);
    cr_assert_eq(weir_read_whole_file(path, 0, &data, &size), 0);
    cr_expect_eq(size, 0);
    cr_expect_str_eq(data, "");
    free(data);
    remove_path();
    return 0;
}

CLEAN_TEST(file, cancelled_task_opens_nothing_and_closes_all_the_same)
{
    new_path();
    struct weir_scope scope;
    int rc = 0, fd = weir_file_open(path, O_RDONLY, 0);
    cr_assert_geq(fd, 0);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_file_open(path, O_RDONLY, 0), -ECANCELED);
        cr_expect_eq(weir_file_close(fd), -ECANCELED);
        rc = weir_checkpoint();
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(fcntl(fd, F_GETFD), -1);
    remove_path();
    return rc;
}

static int count_turns(void *arg)
{
    for (;; ++*(int *)arg)
        WEIR_TRY(weir_checkpoint());
}

/* A FIFO's open blocks until there is somebody at the other end. */
CLEAN_TEST(file, loop_goes_on_meanwhile)
{
    new_path();
    struct weir_nursery nursery;
    int rc = 0, turns = 0;
    unlink(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, count_turns, &turns);
        int writer = open(path, O_RDWR | O_CLOEXEC); /* so that it does not block for ever */
        int fd = weir_file_open(path, O_RDONLY, 0);
        cr_expect_geq(fd, 0);
        cr_expect_gt(turns, 0);
        weir_file_close(fd);
        close(writer);
        weir_nursery_cancel(&nursery);
    }
    remove_path();
    return rc;
}

/* ---- names ---- */

static int asked;

static int never_to_be_asked(const char *node, const char *service, const struct addrinfo *hints,
                             struct addrinfo **result)
{
    asked++;
    return EAI_FAIL;
}

CLEAN_TEST(names, numbers_need_nobody_to_be_asked)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char text[64];
    asked = 0;
    cr_assert_eq(weir_set_custom_hostname_resolver(never_to_be_asked), 0);
    cr_assert_eq(weir_getaddrinfo("192.0.2.7", "80", &hints, &found), 0);
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)found->ai_addr;
    cr_expect_str_eq(inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text), "192.0.2.7");
    cr_expect_eq(ntohs(v4->sin_port), 80);
    weir_freeaddrinfo(found);
    cr_assert_eq(weir_getaddrinfo("2001:db8::1", NULL, NULL, &found), 0);
    cr_expect_eq(found->ai_family, AF_INET6);
    weir_freeaddrinfo(found);
    cr_expect_eq(asked, 0);
    return 0;
}

static int answer_with_a_number(const char *node, const char *service, const struct addrinfo *hints,
                                struct addrinfo **result)
{
    asked++;
    if (strcmp(node, "there.example") != 0)
        return strcmp(node, "later.example") == 0 ? EAI_AGAIN : EAI_NONAME;
    return getaddrinfo("192.0.2.9", service, hints, result);
}

CLEAN_TEST(names, name_is_asked_for_in_a_thread)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    asked = 0;
    cr_assert_eq(weir_set_custom_hostname_resolver(answer_with_a_number), 0);
    cr_assert_eq(weir_getaddrinfo("there.example", "7", &hints, &found), 0);
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)found->ai_addr;
    cr_expect_eq(ntohl(v4->sin_addr.s_addr), 0xc0000209);
    weir_freeaddrinfo(found);
    cr_expect_eq(asked, 1);
    found = NULL;
    cr_expect_eq(weir_getaddrinfo("nowhere.example", "7", &hints, &found), -ENOENT);
    cr_expect_eq(weir_getaddrinfo("later.example", "7", &hints, &found), -EAGAIN);
    cr_expect_null(found);
    return 0;
}

CLEAN_TEST(names, hints_that_cannot_be_are_an_error)
{
    struct addrinfo hints = {.ai_family = 12345}, *found = NULL;
    cr_expect_eq(weir_getaddrinfo("192.0.2.7", "80", &hints, &found), -EAFNOSUPPORT);
    cr_expect_eq(weir_getaddrinfo(NULL, NULL, NULL, &found), -ENOENT);
    cr_expect_null(found);
    return 0;
}

static sem_t begun, go_on;

static int answer_slowly(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    sem_post(&begun);
    sem_wait(&go_on);
    return getaddrinfo("192.0.2.9", service, hints, result);
}

static int wait_until_begun(void *arg)
{
    sem_wait(&begun);
    return 0;
}

static int cancel_once_begun(void *arg)
{
    int rc = weir_to_thread_run_sync(wait_until_begun, NULL, NULL);
    weir_scope_cancel((struct weir_scope *)arg);
    sem_post(&go_on);
    return rc;
}

/* An abandoned thread keeps its limiter's token until it is done. */
static void wait_for_threads(void)
{
    struct weir_capacity_limiter_statistics statistics;
    do {
        weir_cancel_shielded_checkpoint();
        weir_capacity_limiter_statistics(weir_current_default_thread_limiter(), &statistics);
    } while (statistics.borrowed_tokens > 0);
}

/* Its answer comes when nobody is there to take it: it must be freed. */
CLEAN_TEST(names, question_is_abandoned_when_cancelled)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct addrinfo *found = NULL;
    int rc = 0;
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    cr_assert_eq(weir_set_custom_hostname_resolver(answer_slowly), 0);
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_once_begun, &scope);
            rc = weir_getaddrinfo("slow.example", "7", NULL, &found);
        }
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_null(found);
    wait_for_threads();
    return rc;
}

CLEAN_TEST(names, cancelled_before_is_not_asked)
{
    struct weir_scope scope;
    struct addrinfo *found = NULL;
    int rc = 0;
    asked = 0;
    cr_assert_eq(weir_set_custom_hostname_resolver(never_to_be_asked), 0);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_getaddrinfo("some.example", "7", NULL, &found);
        cr_expect_eq(rc, -ECANCELED);
    }
    cr_expect_eq(asked, 0);
    return rc;
}
