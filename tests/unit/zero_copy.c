/* Bytes that are sent from where they lie, and sends that take a part: whose what is, at any time, and that it comes
 * back once. Two stacks in virtual time. */
#include "../sim/world.h"
#include "eal.h"
#include "stingy_pool.h"
#include <criterion/criterion.h>
#include <rte_mbuf_pool_ops.h>
#include <string.h>

enum { PORT = 80, POOL = 4095, SIZE = 1 << 20 };

static uint8_t bytes[SIZE];

static void setup(void)
{
    test_eal_init();
    for (uint32_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
}

TestSuite(zero_copy, .init = setup, .timeout = 100);

#define CHECK(world, condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return world_fail((world), "line %d: %s", __LINE__, #condition);                                           \
    } while (0)

static void run_on(enum world_device device, int (*body)(struct world *world), void (*prepare)(struct world *world),
                   uint64_t seed)
{
    struct scenario scenario = {"unit", "", prepare, body};
    static struct world world;
    struct rte_mempool *pool = test_pool(POOL);
    bool held = world_run(&world, &scenario, seed, pool, NULL, device);
    cr_assert(held, "seed %" PRIu64 ": %s", seed, world.failure);
    test_pool_is_full(pool);
}

static void run_with(int (*body)(struct world *world), void (*prepare)(struct world *world), uint64_t seed)
{
    run_on(DEVICE_PLAIN, body, prepare, seed);
}

static void run(int (*body)(struct world *world))
{
    run_with(body, NULL, 42);
}

static int connect_pair(struct world *world, struct weir_stream *ends[2])
{
    struct weir_endpoint server = world_endpoint(world, 1, PORT);
    struct weir_listener *listener;
    WEIR_TRY(weir_open_tcp_listener(world->stacks[1], PORT, 0, &listener));
    WEIR_TRY(weir_open_tcp_stream(world->stacks[0], &server, &ends[0]));
    WEIR_TRY(weir_accept(listener, &ends[1]));
    weir_listener_close(listener);
    return 0;
}

/* ---- what a user sends, and what becomes of it ---- */

struct sending {
    struct weir_external external;
    struct weir_event event;
    unsigned times; /* that it was said to be done */
};

static void note_done(struct weir_external *external)
{
    struct sending *sending = WEIR_CONTAINER_OF(external, struct sending, external);
    sending->times++;
    weir_event_set(&sending->event);
}

static void begin(struct sending *sending)
{
    *sending = (struct sending){.external.done = note_done};
    weir_event_init(&sending->event);
}

/* Receives until the end; returns how many bytes came, all of them as they were. */
static int64_t receive_all(struct weir_stream *stream)
{
    static uint8_t buffer[65536];
    int64_t got = 0;
    int n;

    while ((n = weir_receive_some(stream, buffer, sizeof buffer)) > 0) {
        if (memcmp(buffer, bytes + got, (size_t)n) != 0)
            return -EILSEQ;
        got += n;
    }
    return n < 0 ? n : got;
}

struct receiver {
    struct weir_stream *stream;
    int64_t got;
};

static int receive_task(void *arg)
{
    struct receiver *receiver = arg;
    receiver->got = receive_all(receiver->stream);
    return receiver->got < 0 ? (int)receiver->got : 0;
}

/* ---- from where they lie ---- */

static int whole(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_nursery nursery;
    struct sending sending;
    struct receiver receiver = {0};
    unsigned at_return = 0;
    int rc = 0;
    begin(&sending);
    WEIR_TRY(connect_pair(world, ends));
    receiver.stream = ends[1];
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_task, &receiver);
        WEIR_DO(rc, weir_send_external(ends[0], &sending.external, bytes, SIZE));
        at_return = sending.times;
        WEIR_DO(rc, weir_event_wait(&sending.event));
        WEIR_DO(rc, weir_stream_close(ends[0]));
    }
    WEIR_TRY(rc);
    CHECK(world, at_return == 0); /* the last of it was in flight */
    CHECK(world, sending.times == 1 && sending.external.sent == SIZE);
    CHECK(world, receiver.got == SIZE);
    return weir_stream_close(ends[1]);
}

Test(zero_copy, arrives_and_is_given_back_once)
{
    run(whole);
}

static void a_small_buffer(struct world *world)
{
    world->fault.delay = WEIR_MILLISECONDS(1);
    world->options.send_buffer = 20000;
}

Test(zero_copy, waits_for_room)
{
    run_with(whole, a_small_buffer, 1);
}

static void losses(struct world *world)
{
    world->fault = (struct weir_fault){.loss = 0.05,
                                       .duplicate = 0.02,
                                       .reorder = 0.05,
                                       .corrupt = 0.01,
                                       .delay = WEIR_MICROSECONDS(100),
                                       .jitter = WEIR_MICROSECONDS(50)};
}

Test(zero_copy, what_is_lost_is_sent_again_and_given_back_once)
{
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_with(whole, losses, seed);
}

Test(zero_copy, whatever_the_device_can_do)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run_on(DEVICE_COPIES, whole, losses, seed);
        run_on(DEVICE_CUTS, whole, losses, seed);
    }
}

/* The reader does not read, so that the send waits, and then something happens to it. */
struct fate {
    struct world *world;
    struct sending sending;
    struct weir_stream *stream;
    int rc;
};

static int send_task(void *arg)
{
    struct fate *fate = arg;
    fate->rc = weir_send_external(fate->stream, &fate->sending.external, bytes, SIZE);
    return fate->rc == -ECANCELED ? -ECANCELED : 0;
}

static int cancelled(struct world *world)
{
    struct fate fate = {.world = world};
    struct weir_stream *ends[2];
    struct weir_scope scope;
    int rc = 0;
    begin(&fate.sending);
    WEIR_TRY(connect_pair(world, ends));
    fate.stream = ends[0];
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = send_task(&fate);
    }
    CHECK(world, scope.cancelled_caught);
    CHECK(world, fate.sending.external.sent > 0 && fate.sending.external.sent < SIZE);
    CHECK(world, fate.sending.times == 0); /* what was sent is not yet acknowledged */
    WEIR_TRY(weir_send_eof(ends[0]));
    CHECK(world, receive_all(ends[1]) == (int64_t)fate.sending.external.sent);
    WEIR_TRY(weir_event_wait(&fate.sending.event));
    CHECK(world, fate.sending.times == 1);
    WEIR_TRY(weir_stream_close(ends[0]));
    return weir_stream_close(ends[1]);
}

Test(zero_copy, a_cancelled_send_says_how_much_went)
{
    run(cancelled);
}

/* By whom: 0 ourselves, 1 the peer. */
static int aborted(struct world *world, int by)
{
    struct fate fate = {.world = world};
    struct weir_stream *ends[2];
    struct weir_nursery nursery;
    int rc = 0;
    begin(&fate.sending);
    WEIR_TRY(connect_pair(world, ends));
    fate.stream = ends[0];
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_task, &fate);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_stream_abort(ends[by]);
    }
    WEIR_TRY(rc);
    CHECK(world, fate.rc == (by == 0 ? -EBADF : -ECONNRESET));
    WEIR_TRY(weir_event_wait(&fate.sending.event));
    CHECK(world, fate.sending.times == 1 && fate.sending.external.sent < SIZE);
    weir_stream_abort(ends[!by]);
    return weir_checkpoint();
}

static int aborted_here(struct world *world)
{
    return aborted(world, 0);
}

static int aborted_there(struct world *world)
{
    return aborted(world, 1);
}

Test(zero_copy, an_abort_gives_it_back)
{
    run(aborted_here);
}

Test(zero_copy, a_reset_gives_it_back)
{
    run(aborted_there);
}

static int refused(struct world *world)
{
    struct weir_stream *ends[2];
    struct sending sending;
    begin(&sending);
    WEIR_TRY(connect_pair(world, ends));
    WEIR_TRY(weir_send_eof(ends[0]));
    CHECK(world, weir_send_external(ends[0], &sending.external, bytes, 100) == -EBADF);
    CHECK(world, sending.times == 0); /* in the loop */
    WEIR_TRY(weir_event_wait(&sending.event));
    CHECK(world, sending.times == 1 && sending.external.sent == 0);
    begin(&sending);
    CHECK(world, weir_send_external(ends[1], &sending.external, bytes, 0) == 0);
    WEIR_TRY(weir_event_wait(&sending.event));
    CHECK(world, sending.times == 1);
    WEIR_TRY(weir_stream_close(ends[0]));
    return weir_stream_close(ends[1]);
}

Test(zero_copy, what_was_never_taken_is_given_back_too)
{
    run(refused);
}

/* A stack that closes while the peer holds its window shut. */
static struct sending left_behind;

static int leave_it(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_scope scope;
    int rc = 0;
    begin(&left_behind);
    WEIR_TRY(connect_pair(world, ends));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_send_external(ends[0], &left_behind.external, bytes, SIZE);
    }
    WEIR_TRY(weir_stream_close(ends[0]));
    CHECK(world, left_behind.times == 0);
    weir_stream_abort(ends[1]);
    return 0;
}

Test(zero_copy, a_stack_that_closes_gives_everything_back)
{
    run(leave_it);
    cr_assert_eq(left_behind.times, 1);
}

/* ---- when there is no memory ---- */

static unsigned refused_nth, asked;

static int with_refusals(struct world *world)
{
    stingy_pool_refuse(refused_nth, false);
    int rc = whole(world);
    asked = stingy_pool_asked();
    stingy_pool_refuse(0, false);
    return rc;
}

static void small_windows(struct world *world)
{
    world->options.send_buffer = 50000;
    world->fault = (struct weir_fault){.loss = 0.02, .delay = WEIR_MICROSECONDS(100)};
}

Test(zero_copy, any_allocation_may_fail)
{
    cr_assert_eq(rte_mbuf_set_user_mempool_ops(stingy_pool_ops()), 0);
    refused_nth = 0;
    run_with(with_refusals, small_windows, 7);
    unsigned all = asked;
    cr_assert_gt(all, 1000);
    for (refused_nth = 1; refused_nth <= all; refused_nth += refused_nth < 60 ? 1 : all / 40)
        run_with(with_refusals, small_windows, 7);
}

/* ---- a part ---- */

static int parts(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_scope scope;
    size_t sent = 0;
    int rc = 0, calls = 0;
    WEIR_TRY(connect_pair(world, ends));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        while (sent < SIZE) { /* nobody reads */
            WEIR_DO(rc, weir_stream_send_some(ends[0], bytes + sent, SIZE - sent));
            sent += (size_t)rc;
            calls++;
        }
    }
    CHECK(world, scope.cancelled_caught && sent > 0 && sent < SIZE && calls > 0);
    CHECK(world, weir_stream_send_some(ends[0], bytes, 0) == 0);
    WEIR_TRY(weir_send_eof(ends[0]));
    CHECK(world, weir_stream_send_some(ends[0], bytes, 1) == -EBADF);
    CHECK(world, receive_all(ends[1]) == (int64_t)sent); /* what it said, to the byte */
    WEIR_TRY(weir_stream_close(ends[0]));
    return weir_stream_close(ends[1]);
}

Test(zero_copy, a_send_of_a_part_says_how_much)
{
    run(parts);
}

static int part_of_packets(struct world *world)
{
    enum { N = 300 };
    struct rte_mbuf *packets[N];
    struct weir_stream *ends[2];
    struct weir_scope scope;
    int rc = 0, taken = 0, calls = 0;
    WEIR_TRY(connect_pair(world, ends));
    for (int i = 0; i < N; i++) {
        packets[i] = weir_packet_alloc(world->stacks[0]);
        memcpy(rte_pktmbuf_append(packets[i], 1000), bytes + 1000 * i, 1000);
    }
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        while (taken < N) {
            WEIR_DO(rc, weir_stream_send_packets(ends[0], packets + taken, (unsigned)(N - taken)));
            taken += rc;
            calls++;
        }
    }
    CHECK(world, scope.cancelled_caught && taken > 0 && taken < N && calls > 0);
    rte_pktmbuf_free_bulk(packets + taken, (unsigned)(N - taken)); /* ours */
    WEIR_TRY(weir_send_eof(ends[0]));
    CHECK(world, receive_all(ends[1]) == 1000 * taken);
    WEIR_TRY(weir_stream_close(ends[0]));
    return weir_stream_close(ends[1]);
}

static void small_buffers(struct world *world)
{
    world->options.send_buffer = world->options.receive_buffer = 65536;
}

Test(zero_copy, packets_that_were_not_taken_stay_the_callers)
{
    run_with(part_of_packets, small_buffers, 1);
}
