/* core/stream: the buffered reader. */
#include "../support/core.h"
#include <stdlib.h>
#include <time.h>
#include <weir/testing.h>

/* A reader with a buffer of 8 bytes, and a half from which it gets what a test puts there. */
struct fixture {
    struct weir_memory_receive_stream half;
    struct weir_buffered_reader reader;
    char buffer[8];
};

static void open_reader(struct fixture *f, const char *text)
{
    weir_memory_receive_stream_init(&f->half);
    weir_buffered_reader_init(&f->reader, &f->half.stream, f->buffer, sizeof f->buffer);
    cr_assert_eq(weir_memory_stream_put_data(&f->half, text, strlen(text)), 0);
}

static const char *text_of(int n, const char *data)
{
    static char text[64];
    snprintf(text, sizeof text, "%.*s", n > 0 ? n : 0, data);
    return n < 0 ? weir_error_name(n) : text;
}

static const char *until(struct fixture *f, const char *delimiter)
{
    const char *data = NULL;
    int n = weir_read_until(&f->reader, delimiter, strlen(delimiter), &data);
    return text_of(n, data);
}

static const char *line(struct fixture *f)
{
    const char *data = NULL;
    int n = weir_read_line(&f->reader, &data);
    return text_of(n, data);
}

static const char *exactly(struct fixture *f, size_t count)
{
    const char *data = NULL;
    int n = weir_read_exactly(&f->reader, count, &data);
    return text_of(n, data);
}

static const char *some(struct fixture *f, size_t size)
{
    char data[16];
    int n = weir_receive_some(&f->reader.stream, data, size);
    return text_of(n, data);
}

static const char *peek(struct fixture *f)
{
    const char *data = NULL;
    int n = weir_reader_peek(&f->reader, &data);
    return text_of(n, data);
}

static void close_reader(struct fixture *f)
{
    weir_stream_abort(&f->reader.stream);
    weir_memory_receive_stream_free(&f->half);
}

TASK_TEST(reader, reads_until_a_delimiter)
{
    struct fixture f;
    open_reader(&f, "ab--c-----d");
    cr_expect_str_eq(until(&f, "--"), "ab--");
    cr_expect_str_eq(until(&f, "--"), "c--");
    cr_expect_str_eq(peek(&f), "-");
    cr_expect_str_eq(until(&f, "--"), "--", "half of it had come before");
    cr_expect_str_eq(until(&f, ""), "EINVAL");
    cr_expect_str_eq(until(&f, "d"), "-d");
    close_reader(&f);
    return 0;
}

TASK_TEST(reader, reads_lines_and_the_last_may_lack_its_end)
{
    struct fixture f;
    open_reader(&f, "one\n\ntwo\nthree");
    weir_memory_stream_put_eof(&f.half);
    cr_expect_str_eq(line(&f), "one\n");
    cr_expect_str_eq(line(&f), "\n");
    cr_expect_str_eq(line(&f), "two\n");
    cr_expect_not(weir_reader_at_eof(&f.reader));
    cr_expect_str_eq(line(&f), "three");
    cr_expect(weir_reader_at_eof(&f.reader));
    cr_expect_str_eq(line(&f), "");
    cr_expect_str_eq(line(&f), "", "again and again");
    close_reader(&f);
    return 0;
}

TASK_TEST(reader, reads_exactly_so_many)
{
    struct fixture f;
    open_reader(&f, "abcdefghijkl");
    cr_expect_str_eq(exactly(&f, 3), "abc");
    cr_expect_str_eq(exactly(&f, 0), "");
    cr_expect_str_eq(exactly(&f, 8), "defghijk");
    close_reader(&f);
    return 0;
}

TASK_TEST(reader, what_does_not_fit_is_said_and_nothing_is_lost)
{
    struct fixture f;
    open_reader(&f, "0123456789abcdef\n");
    cr_expect_str_eq(exactly(&f, 9), "EMSGSIZE");
    cr_expect_str_eq(line(&f), "EMSGSIZE");
    cr_expect_str_eq(line(&f), "EMSGSIZE");
    cr_expect_str_eq(some(&f, 10), "01234567");
    cr_expect_str_eq(exactly(&f, 2), "89");
    cr_expect_str_eq(line(&f), "abcdef\n");
    close_reader(&f);
    return 0;
}

TASK_TEST(reader, an_end_in_the_middle_leaves_what_came)
{
    struct fixture f;
    open_reader(&f, "abc");
    weir_memory_stream_put_eof(&f.half);
    cr_expect_str_eq(until(&f, "\n"), "EndOfChannel");
    cr_expect_str_eq(exactly(&f, 4), "EndOfChannel");
    cr_expect_str_eq(peek(&f), "abc");
    cr_expect_str_eq(exactly(&f, 1), "a");
    cr_expect_not(weir_reader_at_eof(&f.reader));
    cr_expect_str_eq(some(&f, 10), "bc");
    cr_expect(weir_reader_at_eof(&f.reader));
    cr_expect_str_eq(until(&f, "\n"), "");
    cr_expect_str_eq(exactly(&f, 4), "");
    cr_expect_str_eq(some(&f, 10), "");
    close_reader(&f);
    return 0;
}

/* What fills the buffer to its last byte is a line too, if it is the last. */
TASK_TEST(reader, an_end_behind_a_full_buffer)
{
    struct fixture f;
    open_reader(&f, "01234567");
    weir_memory_stream_put_eof(&f.half);
    cr_expect_str_eq(line(&f), "EMSGSIZE", "a byte more might come");
    cr_expect_str_eq(exactly(&f, 8), "01234567");
    cr_expect_str_eq(line(&f), "");
    close_reader(&f);
    return 0;
}

TASK_TEST(reader, a_cancelled_read_loses_nothing)
{
    struct fixture f;
    struct weir_scope scope;
    const char *data;
    int rc = 0;
    open_reader(&f, "abc");
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_read_line(&f.reader, &data);
    }
    cr_expect(scope.cancelled_caught);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_read_exactly(&f.reader, 5, &data);
    }
    cr_expect(scope.cancelled_caught);
    cr_assert_eq(weir_memory_stream_put_data(&f.half, "d\n", 2), 0);
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_str_eq(line(&f), "Cancelled");
        cr_expect_str_eq(exactly(&f, 1), "Cancelled");
        cr_expect_str_eq(some(&f, 1), "Cancelled");
    }
    cr_expect_str_eq(line(&f), "abcd\n");
    close_reader(&f);
    return rc;
}

static int read_one_line(void *arg)
{
    note("%s", line(arg));
    return 0;
}

TASK_TEST(reader, one_task_reads_and_a_close_wakes_it)
{
    struct fixture f;
    struct weir_nursery nursery;
    int rc = 0;
    open_reader(&f, "abc");
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, read_one_line, &f);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_str_eq(exactly(&f, 1), "BusyResourceError", "though that is there");
        cr_expect_str_eq(some(&f, 1), "BusyResourceError");
        rc = weir_stream_close(&f.reader.stream);
    }
    cr_expect_str_eq(notes, "ClosedResourceError");
    cr_expect_str_eq(line(&f), "ClosedResourceError");
    cr_expect_str_eq(some(&f, 1), "ClosedResourceError");
    cr_expect_str_eq(peek(&f), "");
    cr_expect_eq(weir_stream_close(&f.reader.stream), 0);
    close_reader(&f);
    return rc;
}

TASK_TEST(reader, each_read_is_a_checkpoint_though_all_is_there)
{
    struct fixture f;
    int rc = 0;
    open_reader(&f, "a\nb\ncd");
    cr_expect_str_eq(line(&f), "a\n");
    weir_assert_checkpoints(rc) cr_expect_str_eq(line(&f), "b\n");
    weir_assert_checkpoints(rc) cr_expect_str_eq(exactly(&f, 1), "c");
    weir_assert_checkpoints(rc) cr_expect_str_eq(exactly(&f, 0), "");
    weir_assert_no_checkpoints(rc) cr_expect_str_eq(peek(&f), "d");
    weir_assert_checkpoints(rc) cr_expect_str_eq(some(&f, 2), "d");
    weir_memory_stream_put_eof(&f.half);
    cr_expect_str_eq(line(&f), "");
    weir_assert_checkpoints(rc) cr_expect_str_eq(line(&f), "");
    weir_assert_checkpoints(rc) cr_expect_str_eq(exactly(&f, 1), "");
    weir_assert_checkpoints(rc) cr_expect_str_eq(some(&f, 1), "");
    close_reader(&f);
    return rc;
}

/* ---- it is a stream ---- */

TASK_TEST(reader, sends_by_the_stream_below)
{
    struct weir_memory_stream_pair pair;
    struct weir_buffered_reader reader;
    char buffer[16], bytes[4];
    const char *data;
    weir_memory_stream_pair_init(&pair);
    weir_buffered_reader_init(&reader, &pair.ends[0].stream, buffer, sizeof buffer);
    WEIR_TRY(weir_send_all(&pair.ends[1].stream, "hello\nworld", 11));
    cr_expect_eq(weir_read_line(&reader, &data), 6);
    cr_expect_eq(weir_wait_send_all_might_not_block(&reader.stream), 0);
    cr_expect_eq(weir_send_all(&reader.stream, "ok", 2), 0);
    cr_expect_eq(weir_send_eof(&reader.stream), 0);
    cr_expect_eq(weir_receive_some(&pair.ends[1].stream, bytes, 4), 2);
    cr_expect_eq(weir_receive_some(&pair.ends[1].stream, bytes, 4), 0);
    cr_expect_eq(weir_receive_some(&reader.stream, bytes, 4), 4, "what was read ahead is not lost");
    cr_expect(memcmp(bytes, "worl", 4) == 0);
    cr_expect_eq(weir_stream_close(&reader.stream), 0);
    cr_expect_eq(weir_send_all(&reader.stream, "x", 1), -EBADF);
    cr_expect_eq(weir_send_eof(&reader.stream), -EBADF);
    weir_memory_stream_pair_free(&pair);
    return 0;
}

/* ---- against a model ---- */

struct feed {
    struct weir_stream stream;
    struct weir_rng rng;
    const char *text;
    size_t at, size, chunk_max;
};

static int feed_some(struct weir_stream *stream, void *buffer, size_t size)
{
    struct feed *feed = WEIR_CONTAINER_OF(stream, struct feed, stream);
    size_t n = 1 + weir_rng_below(&feed->rng, feed->chunk_max);
    if (n > size)
        n = size;
    if (n > feed->size - feed->at)
        n = feed->size - feed->at;
    memcpy(buffer, feed->text + feed->at, n);
    feed->at += n;
    return (int)n;
}

static const struct weir_stream_ops feed_ops = {.receive_some = feed_some};

/* Reads a random text by random calls: each must say what the text says at that place. */
static void read_randomly(uint64_t seed)
{
    enum { SIZE = 500, BUFFER = 40 };
    char text[SIZE], buffer[BUFFER], copy[BUFFER];
    struct feed feed = {.stream.ops = &feed_ops, .text = text, .size = SIZE, .chunk_max = 1 + seed % 50};
    struct weir_buffered_reader reader;
    size_t at = 0;
    weir_rng_seed(&feed.rng, seed);
    for (int i = 0; i < SIZE; i++)
        text[i] = "aab"[weir_rng_below(&feed.rng, 3)];
    weir_buffered_reader_init(&reader, &feed.stream, buffer, sizeof buffer);
    while (at < SIZE) {
        const char *data = copy;
        int n, expected;
        size_t count = 1 + weir_rng_below(&feed.rng, 7);
        size_t left = SIZE - at;
        if (weir_rng_below(&feed.rng, 2) == 0) {
            static const char *const delimiters[] = {"b", "aab", "baab", "bbbb"};
            const char *delimiter = delimiters[weir_rng_below(&feed.rng, 4)];
            size_t length = strlen(delimiter);
            const char *found = memmem(text + at, left < BUFFER ? left : BUFFER, delimiter, length);
            expected = found != NULL   ? (int)(found - (text + at) + (ptrdiff_t)length)
                       : left < BUFFER ? -ENODATA
                                       : -EMSGSIZE;
            n = weir_read_until(&reader, delimiter, length, &data);
        } else if (weir_rng_below(&feed.rng, 4) == 0) {
            n = weir_receive_some(&reader.stream, copy, count);
            expected = n > 0 && n <= (int)count ? n : -EIO;
        } else {
            expected = count > left ? -ENODATA : (int)count;
            n = weir_read_exactly(&reader, count, &data);
        }
        cr_assert_eq(n, expected, "seed %d, at %zu: %d, not %d", (int)seed, at, n, expected);
        if (n > 0) {
            cr_assert(memcmp(data, text + at, (size_t)n) == 0, "seed %d, at %zu", (int)seed, at);
            at += (size_t)n;
        }
    }
    cr_assert_eq(weir_read_line(&reader, &(const char *){NULL}), 0);
}

TASK_TEST(reader, agrees_with_a_model)
{
    for (uint64_t seed = 0; seed < 500; seed++)
        read_randomly(seed);
    return 0;
}

/* ---- it is not quadratic ---- */

/* A stream that gives a byte at a time, of zeros without end. */
static int one_zero(struct weir_stream *stream, void *buffer, size_t size)
{
    *(char *)buffer = '\0';
    return 1;
}

static double seconds_to_fill(size_t size)
{
    static const struct weir_stream_ops ops = {.receive_some = one_zero};
    struct weir_stream stream = {.ops = &ops};
    struct weir_buffered_reader reader;
    struct timespec began, ended;
    const char *data;
    char *buffer = malloc(size);
    cr_assert_not_null(buffer);
    weir_buffered_reader_init(&reader, &stream, buffer, size);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
    cr_expect_eq(weir_read_until(&reader, "\0\0\0\1", 4, &data), -EMSGSIZE);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    free(buffer);
    return (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
}

/* 256 KiB byte by byte: searched anew each time, that were 34 G bytes looked at, and many seconds. */
TASK_TEST(reader, does_not_search_again_what_it_has_searched)
{
    double seconds = seconds_to_fill((size_t)256 << 10);
    cr_expect_lt(seconds, 1, "it took %.1f s", seconds);
    return 0;
}
