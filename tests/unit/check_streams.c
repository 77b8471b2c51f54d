/* core/testing: the checks of streams, on every kind there is in core; and on kinds that do one thing wrong each, which
 * they must find. */
#include "../support/core.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weir/system.h>
#include <weir/testing.h>

/* ---- kinds ---- */

static int make_memory_one_way(void *arg, struct weir_stream *ends[2])
{
    struct weir_memory_stream_one_way_pair *pair = arg;
    weir_memory_stream_one_way_pair_init(pair);
    ends[0] = &pair->send.stream;
    ends[1] = &pair->receive.stream;
    return 0;
}

static void free_memory_one_way(void *arg, struct weir_stream *ends[2])
{
    struct weir_memory_stream_one_way_pair *pair = arg;
    cr_assert(ends[0] == &pair->send.stream && ends[1] == &pair->receive.stream);
    weir_memory_stream_one_way_pair_free(pair);
}

static int make_memory(void *arg, struct weir_stream *ends[2])
{
    struct weir_memory_stream_pair *pair = arg;
    weir_memory_stream_pair_init(pair);
    for (int i = 0; i < 2; i++)
        ends[i] = &pair->ends[i].stream;
    return 0;
}

static void free_memory(void *arg, struct weir_stream *ends[2])
{
    struct weir_memory_stream_pair *pair = arg;
    cr_assert(ends[0] == &pair->ends[0].stream && ends[1] == &pair->ends[1].stream);
    weir_memory_stream_pair_free(pair);
}

static int make_lockstep_one_way(void *arg, struct weir_stream *ends[2])
{
    struct weir_lockstep_stream_one_way_pair *pair = arg;
    weir_lockstep_stream_one_way_pair_init(pair);
    ends[0] = &pair->send;
    ends[1] = &pair->receive;
    return 0;
}

static int make_lockstep(void *arg, struct weir_stream *ends[2])
{
    struct weir_lockstep_stream_pair *pair = arg;
    weir_lockstep_stream_pair_init(pair);
    for (int i = 0; i < 2; i++)
        ends[i] = &pair->ends[i].stream;
    return 0;
}

/* Buffered readers on top of lockstep streams. */
struct readers {
    struct weir_lockstep_stream_pair pair;
    struct weir_buffered_reader readers[2];
    char buffers[2][100];
};

static int make_readers(void *arg, struct weir_stream *ends[2])
{
    struct readers *readers = arg;
    weir_lockstep_stream_pair_init(&readers->pair);
    for (int i = 0; i < 2; i++) {
        weir_buffered_reader_init(&readers->readers[i], &readers->pair.ends[i].stream, readers->buffers[i], 100);
        ends[i] = &readers->readers[i].stream;
    }
    return 0;
}

/* ---- descriptors ---- */

static int open_fds(const int fds[2], struct weir_stream *ends[2])
{
    for (int i = 0; i < 2; i++)
        WEIR_TRY(weir_open_fd_stream(fds[i], &ends[i]));
    return 0;
}

static int make_pipe(void *arg, struct weir_stream *ends[2])
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    return open_fds((const int[]){fds[1], fds[0]}, ends);
}

static int make_socketpair(void *arg, struct weir_stream *ends[2])
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return open_fds(fds, ends);
}

/* Fills a descriptor until it takes no more. */
static void fill(int fd)
{
    static const char bytes[4096];
    size_t size = sizeof bytes;
    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while (size > 0)
        if (write(fd, bytes, size) < 0)
            size /= 2;
}

static int make_clogged_pipe(void *arg, struct weir_stream *ends[2])
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    fill(fds[1]);
    return open_fds((const int[]){fds[1], fds[0]}, ends);
}

static int make_clogged_socketpair(void *arg, struct weir_stream *ends[2])
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fill(fds[0]);
    fill(fds[1]);
    return open_fds(fds, ends);
}

/* ---- they hold ---- */

static unsigned violations;
static char first_violation[256];

static void count(void *arg, const char *violation)
{
    if (arg != NULL)
        cr_log_error("%s: %s", (const char *)arg, violation);
    if (violations++ == 0)
        snprintf(first_violation, sizeof first_violation, "%s", violation);
}

typedef int check_fn(const struct weir_stream_maker *maker, weir_check_report *report, void *arg);

struct checked {
    const char *name;
    check_fn *check;
    struct weir_stream_maker maker;
};

static int check_one(void *arg)
{
    struct checked *checked = arg;
    return checked->check(&checked->maker, count, (void *)(uintptr_t)checked->name);
}

/* Holds in the tasks' own order, and in shuffled ones. */
static void check_holds(struct checked *checked)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        int rc = run_with(check_one, checked, (struct weir_run_options){.shuffle_seed = seed});
        cr_assert(rc == 0 && violations == 0, "%s, seed %d: %s", checked->name, (int)seed, weir_error_name(rc));
    }
}

Test(check_streams, memory_streams_hold, .timeout = 60)
{
    static struct weir_memory_stream_one_way_pair one_way;
    static struct weir_memory_stream_pair pair;
    check_holds(&(struct checked){"memory, one way",
                                  weir_check_one_way_stream,
                                  {.arg = &one_way, .make = make_memory_one_way, .free = free_memory_one_way}});
    check_holds(&(struct checked){
        "memory", weir_check_half_closeable_stream, {.arg = &pair, .make = make_memory, .free = free_memory}});
}

Test(check_streams, lockstep_streams_hold, .timeout = 60)
{
    static struct weir_lockstep_stream_one_way_pair one_way;
    static struct weir_lockstep_stream_pair pair;
    check_holds(
        &(struct checked){"lockstep, one way",
                          weir_check_one_way_stream,
                          {.arg = &one_way, .make = make_lockstep_one_way, .make_clogged = make_lockstep_one_way}});
    check_holds(&(struct checked){"lockstep",
                                  weir_check_half_closeable_stream,
                                  {.arg = &pair, .make = make_lockstep, .make_clogged = make_lockstep}});
}

Test(check_streams, buffered_readers_hold, .timeout = 60)
{
    static struct readers readers;
    check_holds(&(struct checked){"reader",
                                  weir_check_half_closeable_stream,
                                  {.arg = &readers, .make = make_readers, .make_clogged = make_readers}});
}

Test(check_streams, descriptors_hold, .timeout = 60)
{
    check_holds(&(struct checked){"pipe",
                                  weir_check_one_way_stream,
                                  {.make = make_pipe, .make_clogged = make_clogged_pipe, .dies_at_close = true}});
    check_holds(
        &(struct checked){"socketpair",
                          weir_check_half_closeable_stream,
                          {.make = make_socketpair, .make_clogged = make_clogged_socketpair, .dies_at_close = true}});
}

/* ---- kinds that do one thing wrong ---- */

/* Around an end of a lockstep or memory stream. */
struct faulty {
    struct weir_stream stream;
    struct weir_stream *inner;
    struct weir_memory_stream_one_way_pair *out; /* what it sends by; NULL: a lockstep stream */
    int fault;
    bool closed, was_broken, ended, receiving;
    size_t moved;
};

enum fault {
    NONE,
    DROPS_LAST_BYTE,
    MAKES_SOMETHING_OF_NOTHING,
    REFUSES_NOTHING,
    WRITES_TOO_MUCH,
    TAKES_SIZE_0,
    LETS_TWO_RECEIVE,
    LETS_TWO_SEND,
    LETS_TWO_WAIT,
    RECEIVES_THOUGH_CANCELLED,
    LOSES_WHEN_CANCELLED,
    SENDS_THOUGH_CANCELLED,
    WAITS_THOUGH_CANCELLED,
    IS_NO_CHECKPOINT,
    LETS_NOBODY_RUN,
    CLOSES_NOT_IF_CANCELLED,
    CLOSES_ONCE,
    FORGETS_TO_WAKE,
    FORGETS_TO_WAKE_ON_ABORT,
    ABORTS_WITH_A_CHECKPOINT,
    CLOSED_IS_BROKEN,
    CLOSED_IS_THE_END,
    CLOSED_TAKES_NOTHING,
    CLOSED_MIGHT_NOT_BLOCK,
    ENDS_ONCE,
    ENDS_NEVER,
    BREAKS_NEVER,
    BREAKS_ONCE,
    DROPS_AT_CLOSE,
    WAITS_FOR_EVER,
    WAITS_NOT,
    WAITS_WHEN_BROKEN,
    HAS_NO_WAIT,
    LEAVES_A_SCOPE,
    SPOILS_A_BYTE,
    SENDS_OR_RECEIVES,
    HALF_CLOSES_BOTH,
    HALF_CLOSES_NOTHING,
    HALF_CLOSES_ONCE,
    HALF_CLOSED_IS_BROKEN,
    HALF_CLOSES_THOUGH_CANCELLED,
    HALF_CLOSES_UNDER_A_SENDER,
    FAULTS
};

static const char *const fault_names[FAULTS] = {
    "none",
    "the last byte is dropped",
    "sending nothing sends something",
    "sending nothing is an error",
    "more is written than asked for",
    "receiving nothing is fine",
    "two may receive",
    "two may send",
    "two may wait to send",
    "receives though cancelled",
    "loses what it has when cancelled",
    "sends though cancelled",
    "waits to send though cancelled",
    "no test for cancellation where it need not wait",
    "does not let others run where it need not wait",
    "does not close if cancelled",
    "a second close is an error",
    "closing does not wake",
    "an abort does not wake",
    "an abort is a checkpoint",
    "a closed sender is broken, not closed",
    "a closed receiver is at its end",
    "a closed sender takes nothing",
    "a closed sender might not block",
    "the end comes once",
    "the end is an error",
    "it never breaks",
    "it breaks once",
    "closing drops what was sent",
    "waits to send for ever",
    "does not wait to send",
    "waits to send when broken",
    "cannot wait to send",
    "leaves a scope open",
    "a byte is spoilt",
    "sends or receives",
    "half-closing closes both",
    "half-closing does nothing",
    "a second half-closing is an error",
    "half-closed is broken",
    "half-closes though cancelled",
    "half-closes under a sender",
};

static struct faulty *of(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct faulty, stream);
}

/* Takes what is there even when cancelled. */
static int receive_shielded(struct faulty *self, void *buffer, size_t size)
{
    struct weir_scope shield, soon;
    int rc = 0;
    weir_with_shield (&shield, rc)
        weir_move_on_after (&soon, 1, rc)
            rc = weir_receive_some(self->inner, buffer, size);
    return soon.cancelled_caught ? -ECANCELED : rc;
}

static bool is_cancelled(void)
{
    return weir_current_effective_deadline() == INT64_MIN;
}

static int finish_receiving(struct faulty *self, uint8_t *bytes, size_t size, int n)
{
    if (n == 0 && self->fault == ENDS_NEVER)
        return -EIO;
    if (n == 0 && self->fault == ENDS_ONCE && self->ended)
        return -EIO;
    self->ended |= n == 0;
    if (n > 0 && self->fault == WRITES_TOO_MUCH)
        bytes[size] = 0;
    size_t before = self->moved;
    self->moved += n > 0 ? (size_t)n : 0;
    if (self->fault == SPOILS_A_BYTE && before < 500000 && self->moved >= 500000)
        bytes[0] ^= 1;
    return n;
}

static int faulty_receive(struct weir_stream *stream, void *buffer, size_t size)
{
    struct faulty *self = of(stream);
    if (self->closed && self->fault == CLOSED_IS_THE_END)
        return weir_checkpoint();
    if (size == 0 && self->fault == TAKES_SIZE_0)
        return weir_checkpoint();
    if (self->fault == RECEIVES_THOUGH_CANCELLED && is_cancelled())
        return receive_shielded(self, buffer, size);
    if (self->fault == LOSES_WHEN_CANCELLED && is_cancelled()) {
        receive_shielded(self, buffer, size);
        return -ECANCELED;
    }
    self->receiving = true;
    int n = weir_receive_some(self->inner, buffer, size);
    self->receiving = false;
    if (n == -EBUSY && self->fault == LETS_TWO_RECEIVE) {
        self->receiving = true;
        return weir_sleep_forever();
    }
    if (n == -EBADF && (self->fault == FORGETS_TO_WAKE || self->fault == FORGETS_TO_WAKE_ON_ABORT) && self->closed)
        return weir_sleep_forever();
    return finish_receiving(self, buffer, size, n);
}

static int may_fail_sending(struct faulty *self, int rc)
{
    if (rc == -EBUSY && self->fault == LETS_TWO_SEND)
        return weir_sleep_forever();
    if (rc == -EBADF && (self->fault == FORGETS_TO_WAKE || self->fault == FORGETS_TO_WAKE_ON_ABORT) && self->closed)
        return weir_sleep_forever();
    if (rc == -EBADF && self->closed && self->fault == CLOSED_IS_BROKEN)
        return -EPIPE;
    if (rc == -EBADF && !self->closed && self->fault == HALF_CLOSED_IS_BROKEN)
        return -EPIPE;
    if (rc == -EPIPE && self->fault == BREAKS_NEVER)
        return 0;
    if (rc == -EPIPE && self->fault == BREAKS_ONCE && self->was_broken)
        return 0;
    self->was_broken |= rc == -EPIPE;
    return rc;
}

static int faulty_send(struct weir_stream *stream, const void *data, size_t size)
{
    struct faulty *self = of(stream);
    if (size == 0 && self->fault == MAKES_SOMETHING_OF_NOTHING)
        return weir_send_all(self->inner, "?", 1);
    if (size == 0 && self->fault == REFUSES_NOTHING)
        return -EINVAL;
    if (size == 0 && self->closed && self->fault == CLOSED_TAKES_NOTHING)
        return weir_checkpoint();
    if (self->receiving && self->fault == SENDS_OR_RECEIVES)
        return -EBUSY;
    if (self->fault == SENDS_THOUGH_CANCELLED && is_cancelled())
        return 0;
    if (self->fault == IS_NO_CHECKPOINT && size == 0) {
        weir_fast_path_done();
        return 0;
    }
    if (self->fault == LETS_NOBODY_RUN && size == 0)
        return weir_checkpoint_if_cancelled();
    if (self->fault == LEAVES_A_SCOPE) {
        static struct weir_scope left[1000];
        static unsigned used;
        weir_scope_open(&left[used++ % 1000], WEIR_NEVER);
    }
    if (self->fault == DROPS_LAST_BYTE && size > 1)
        size--;
    return may_fail_sending(self, weir_send_all(self->inner, data, size));
}

static int faulty_wait(struct weir_stream *stream)
{
    struct faulty *self = of(stream);
    if (self->closed && self->fault == CLOSED_MIGHT_NOT_BLOCK)
        return weir_checkpoint();
    if (self->fault == WAITS_THOUGH_CANCELLED && is_cancelled())
        return 0;
    if (self->fault == WAITS_FOR_EVER)
        return weir_sleep_forever();
    if (self->fault == WAITS_NOT && !self->closed)
        return weir_checkpoint();
    int rc = weir_wait_send_all_might_not_block(self->inner);
    if (self->fault == WAITS_WHEN_BROKEN && self->was_broken)
        return weir_sleep_forever();
    if (rc == -EBUSY && self->fault == LETS_TWO_WAIT)
        return weir_sleep_forever();
    return rc == -EPIPE ? rc : may_fail_sending(self, rc);
}

static int faulty_eof(struct weir_stream *stream)
{
    struct faulty *self = of(stream);
    if (self->fault == HALF_CLOSES_THOUGH_CANCELLED && is_cancelled()) {
        struct weir_scope scope;
        int rc = 0;
        weir_with_shield (&scope, rc)
            rc = weir_send_eof(self->inner);
        return rc < 0 ? rc : -ECANCELED;
    }
    if (self->fault == HALF_CLOSES_NOTHING)
        return weir_checkpoint();
    if (self->fault == HALF_CLOSES_ONCE && self->ended)
        return -EBADF;
    if (self->fault == HALF_CLOSES_BOTH) {
        self->closed = true;
        return weir_stream_close(self->inner);
    }
    int rc = weir_send_eof(self->inner);
    self->ended |= rc == 0;
    return rc == -EBUSY && self->fault == HALF_CLOSES_UNDER_A_SENDER ? weir_checkpoint() : rc;
}

static int faulty_close(struct weir_stream *stream)
{
    struct faulty *self = of(stream);
    if (self->closed && self->fault == CLOSES_ONCE)
        return -EBADF;
    if (self->fault == CLOSES_NOT_IF_CANCELLED)
        WEIR_TRY(weir_checkpoint_if_cancelled());
    if (self->fault == DROPS_AT_CLOSE && !self->closed && self->out != NULL)
        self->out->receive.incoming.start = self->out->receive.incoming.end;
    self->closed = true;
    return weir_stream_close(self->inner);
}

static void faulty_abort(struct weir_stream *stream)
{
    struct faulty *self = of(stream);
    if (self->fault == ABORTS_WITH_A_CHECKPOINT)
        weir_cancel_shielded_checkpoint();
    self->closed |= self->fault != FORGETS_TO_WAKE;
    weir_stream_abort(self->inner);
}

static const struct weir_stream_ops faulty_ops = {.receive_some = faulty_receive,
                                                  .send_all = faulty_send,
                                                  .wait_send_all_might_not_block = faulty_wait,
                                                  .send_eof = faulty_eof,
                                                  .close = faulty_close,
                                                  .abort = faulty_abort};
static const struct weir_stream_ops faulty_ops_without_wait = {.receive_some = faulty_receive,
                                                               .send_all = faulty_send,
                                                               .send_eof = faulty_eof,
                                                               .close = faulty_close,
                                                               .abort = faulty_abort};

struct faulty_pair {
    struct weir_lockstep_stream_pair lockstep;
    struct weir_memory_stream_pair memory;
    struct faulty ends[2];
    int fault;
};

static void wrap(struct faulty_pair *pair, struct weir_stapled_stream *inner, struct weir_stream *ends[2])
{
    bool memory = inner == pair->memory.ends;
    for (int i = 0; i < 2; i++) {
        const struct weir_stream_ops *ops = pair->fault == HAS_NO_WAIT ? &faulty_ops_without_wait : &faulty_ops;
        pair->ends[i] = (struct faulty){.stream.ops = ops,
                                        .inner = &inner[i].stream,
                                        .out = memory ? &pair->memory.ways[i] : NULL,
                                        .fault = pair->fault};
        ends[i] = &pair->ends[i].stream;
    }
}

static int make_faulty(void *arg, struct weir_stream *ends[2])
{
    struct faulty_pair *pair = arg;
    weir_memory_stream_pair_init(&pair->memory);
    wrap(pair, pair->memory.ends, ends);
    return 0;
}

static int make_faulty_clogged(void *arg, struct weir_stream *ends[2])
{
    struct faulty_pair *pair = arg;
    weir_memory_stream_pair_init(&pair->memory);
    weir_lockstep_stream_pair_init(&pair->lockstep);
    wrap(pair, pair->lockstep.ends, ends);
    return 0;
}

static void free_faulty(void *arg, struct weir_stream *ends[2])
{
    struct faulty_pair *pair = arg;
    weir_memory_stream_pair_free(&pair->memory);
}

Test(check_streams, find_what_is_wrong, .timeout = 110)
{
    for (int fault = 0; fault < FAULTS; fault++) {
        static struct faulty_pair pair;
        struct checked checked = {
            NULL,
            weir_check_half_closeable_stream,
            {.arg = &pair, .make = make_faulty, .make_clogged = make_faulty_clogged, .free = free_faulty}};
        pair.fault = fault;
        violations = 0;
        int rc = run(check_one, &checked);
        if (fault == NONE)
            cr_assert(rc == 0 && violations == 0, "nothing is wrong, but: %s", first_violation);
        else
            cr_expect(rc == -EPROTO && violations > 0, "not found: %s", fault_names[fault]);
        if (violations > 0)
            cr_log_info("%s: found %u times, first: %s", fault_names[fault], violations, first_violation);
    }
}

/* ---- the checker itself ---- */

static int make_nothing(void *arg, struct weir_stream *ends[2])
{
    return -EMFILE;
}

static int cannot_make(void *arg)
{
    struct weir_stream_maker maker = {.make = make_nothing};
    cr_expect_eq(weir_check_one_way_stream(&maker, count, NULL), -EMFILE);
    return 0;
}

Test(check_streams, say_why_they_could_not_go_on, .timeout = 10)
{
    cr_expect_eq(run(cannot_make, NULL), 0);
    cr_expect_eq(violations, 0);
}

static int cancel_in_the_middle(void *arg)
{
    static struct faulty_pair pair = {.fault = WAITS_FOR_EVER};
    struct weir_stream_maker maker = {
        .arg = &pair, .make = make_faulty, .make_clogged = make_faulty_clogged, .free = free_faulty};
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(30), rc) {
        rc = weir_check_one_way_stream(&maker, count, NULL);
    }
    cr_expect(scope.cancelled_caught);
    cr_expect_eq(now(), 30);
    maker.patience = WEIR_SECONDS(1);
    cr_expect_eq(weir_check_one_way_stream(&maker, count, NULL), -EPROTO);
    cr_expect_lt(now(), 60);
    cr_expect_str_eq(first_violation, "an empty stream takes something: it does not end, but waits in "
                                      "wait_send_all_might_not_block");
    return rc;
}

Test(check_streams, can_be_cancelled_and_have_patience, .timeout = 10)
{
    cr_expect_eq(run(cancel_in_the_middle, NULL), 0);
}
