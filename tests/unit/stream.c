/* Streams, listeners and datagrams as tasks see them: two stacks on a perfect cable, in virtual time. */
#include "../../net/stream/stream_private.h"
#include "../sim/world.h"
#include "eal.h"
#include <criterion/criterion.h>
#include <string.h>
#include <weir/testing.h>

enum { PORT = 80, POOL = 4095 };

TestSuite(stream, .init = test_eal_init, .timeout = 60);

static unsigned raced_late; /* of those that closed_before_it_ran looks at */

static void run_in(int (*body)(struct world *world), void (*prepare)(struct world *world), uint64_t seed, bool ipv6)
{
    struct scenario scenario = {"unit", "", prepare, body, ipv6};
    struct world *world = calloc(1, sizeof *world);
    struct rte_mempool *pool = test_pool(POOL);
    bool held = world_run(world, &scenario, seed, pool, NULL, DEVICE_PLAIN);
    cr_assert(held, "%s, seed %" PRIu64 ": %s", ipv6 ? "IPv6" : "IPv4", seed, world->failure);
    free(world);
    test_pool_is_full(pool);
}

/* Runs a body between two stacks, by IPv4 and then by IPv6; what it notes with CHECK is what fails the test. */
static void run_with(int (*body)(struct world *world), void (*prepare)(struct world *world), uint64_t seed)
{
    run_in(body, prepare, seed, false);
    run_in(body, prepare, seed, true);
}

static void run(int (*body)(struct world *world), void (*prepare)(struct world *world))
{
    run_with(body, prepare, 42);
}

#define CHECK(world, condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return world_fail((world), "line %d: %s", __LINE__, #condition);                                           \
    } while (0)

/* A connected pair: `ends[0]` on host 0 opened it, `ends[1]` on host 1 accepted it. */
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

static int close_pair(struct weir_stream *ends[2])
{
    WEIR_TRY(weir_stream_close(ends[0]));
    return weir_stream_close(ends[1]);
}

/* ---- opening ---- */

static int refused(struct world *world)
{
    struct weir_endpoint nobody = world_endpoint(world, 1, 9);
    struct weir_stream *stream = NULL;
    CHECK(world, weir_open_tcp_stream(world->stacks[0], &nobody, &stream) == -ECONNREFUSED);
    CHECK(world, stream == NULL);
    return 0;
}

Test(stream, connecting_to_a_closed_port_is_refused)
{
    run(refused, NULL);
}

static int port_in_use(struct world *world)
{
    struct weir_listener *first, *second;
    struct weir_datagrams *udp, *udp2;
    WEIR_TRY(weir_open_tcp_listener(world->stacks[1], PORT, 0, &first));
    CHECK(world, weir_open_tcp_listener(world->stacks[1], PORT, 0, &second) == -EADDRINUSE);
    WEIR_TRY(weir_open_datagrams(world->stacks[1], PORT, &udp)); /* the other protocol's port is another one */
    CHECK(world, weir_open_datagrams(world->stacks[1], PORT, &udp2) == -EADDRINUSE);
    weir_listener_close(first);
    weir_datagrams_close(udp);
    WEIR_TRY(weir_open_tcp_listener(world->stacks[1], PORT, 0, &first));
    weir_listener_close(first);
    return 0;
}

Test(stream, a_port_is_in_use_until_its_listener_closes)
{
    run(port_in_use, NULL);
}

static int any_port(struct world *world)
{
    struct weir_listener *listeners[2];
    struct weir_endpoint server = world_endpoint(world, 1, 0);
    struct weir_stream *ends[2];
    for (int i = 0; i < 2; i++)
        WEIR_TRY(weir_open_tcp_listener(world->stacks[1], 0, 0, &listeners[i]));
    CHECK(world, weir_listener_port(listeners[0]) >= 1024 && weir_listener_port(listeners[1]) >= 1024);
    CHECK(world, weir_listener_port(listeners[0]) != weir_listener_port(listeners[1]));
    server.port = weir_listener_port(listeners[0]);
    WEIR_TRY(weir_open_tcp_stream(world->stacks[0], &server, &ends[0]));
    WEIR_TRY(weir_accept(listeners[0], &ends[1]));
    for (int i = 0; i < 2; i++)
        weir_listener_close(listeners[i]);
    return close_pair(ends);
}

Test(stream, port_0_is_a_free_one)
{
    run(any_port, NULL);
}

static int connect_timeout(struct world *world)
{
    struct weir_endpoint nowhere = world_endpoint(world, 8, 1);
    struct weir_stream *stream;
    struct weir_scope scope;
    int rc = 0;
    weir_fail_after (&scope, WEIR_SECONDS(2), rc) {
        rc = weir_open_tcp_stream(world->stacks[0], &nowhere, &stream);
    }
    CHECK(world, rc == -ETIMEDOUT && scope.cancelled_caught);
    struct weir_stack_stats stats;
    weir_stack_stats(world->stacks[0], &stats);
    CHECK(world, stats.tcp.connections == 0); /* cancelled: nothing is left behind */
    return 0;
}

Test(stream, a_cancelled_connect_leaves_nothing_behind)
{
    run(connect_timeout, NULL);
}

static int addresses(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_endpoint local[2], remote[2];
    char text[WEIR_ENDPOINT_TEXT];
    WEIR_TRY(connect_pair(world, ends));
    for (int i = 0; i < 2; i++)
        weir_stream_endpoints(ends[i], &local[i], &remote[i]);
    CHECK(world, strcmp(weir_endpoint_format(&local[1], text, sizeof text),
                        world->ipv6 ? "[fd00::2]:80" : "10.0.0.2:80") == 0);
    struct weir_address ours = weir_endpoint_address(&local[0]), theirs = weir_endpoint_address(&remote[1]);
    CHECK(world, local[0].port == remote[1].port && weir_address_equal(&ours, &theirs));
    CHECK(world, remote[0].port == PORT);
    return close_pair(ends);
}

Test(stream, both_ends_know_both_addresses)
{
    run(addresses, NULL);
}

/* ---- sending and receiving ---- */

static int eof_and_after(struct world *world)
{
    struct weir_stream *ends[2];
    char bytes[16];
    WEIR_TRY(connect_pair(world, ends));
    WEIR_TRY(weir_send_all(ends[0], "ping", 4));
    WEIR_TRY(weir_send_eof(ends[0]));
    WEIR_TRY(weir_send_eof(ends[0])); /* again: nothing */
    CHECK(world, weir_send_all(ends[0], "x", 1) == -EBADF);
    CHECK(world, weir_receive_some(ends[1], bytes, sizeof bytes) == 4);
    CHECK(world, weir_receive_some(ends[1], bytes, sizeof bytes) == 0);
    CHECK(world, weir_receive_some(ends[1], bytes, sizeof bytes) == 0); /* the end stays the end */
    WEIR_TRY(weir_send_all(ends[1], "pong!", 5));                       /* the other direction is open */
    CHECK(world, weir_receive_some(ends[0], bytes, sizeof bytes) == 5 && memcmp(bytes, "pong!", 5) == 0);
    return close_pair(ends);
}

Test(stream, half_close_ends_one_direction_only)
{
    run(eof_and_after, NULL);
}

static int reset_is_told(struct world *world)
{
    struct weir_stream *ends[2];
    char byte;
    WEIR_TRY(connect_pair(world, ends));
    weir_stream_abort(ends[0]);
    CHECK(world, weir_receive_some(ends[1], &byte, 1) == -ECONNRESET);
    CHECK(world, weir_send_all(ends[1], "x", 1) < 0);
    return weir_stream_close(ends[1]);
}

Test(stream, an_abort_is_a_reset_at_the_other_end)
{
    run(reset_is_told, NULL);
}

struct waiting {
    struct weir_stream *stream;
    struct weir_listener *listener;
    int result;
};

static int wait_for_bytes(void *arg)
{
    struct waiting *waiting = arg;
    char byte;
    waiting->result = weir_receive_some(waiting->stream, &byte, 1);
    return 0;
}

static int busy_and_closed(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_nursery nursery;
    char byte;
    int rc = 0;
    WEIR_TRY(connect_pair(world, ends));
    struct waiting waiting = {.stream = ends[1], .result = 99};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_for_bytes, &waiting);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(5)));
        rc = weir_receive_some(ends[1], &byte, 1) == -EBUSY ? 0 : -EIO;
        if (rc == 0)
            rc = weir_stream_close(ends[1]);
    }
    WEIR_TRY(rc);
    CHECK(world, waiting.result == -EBADF);
    return weir_stream_close(ends[0]);
}

Test(stream, a_second_reader_is_busy_and_a_close_wakes_the_first)
{
    run(busy_and_closed, NULL);
}

/* Three that wait, and one that closes under them what they wait on, all woken in one turn: the tasks' order, which a
 * seed shuffles, says who comes first. Who comes too late must not touch what is no more. */
struct race {
    struct weir_stream *stream, *starter;
    struct weir_listener *listener;
    struct weir_datagrams *datagrams;
    int received, accepted, got;
};

static int race_receive(void *arg)
{
    struct race *race = arg;
    char byte;
    race->received = weir_receive_some(race->stream, &byte, 1);
    return 0;
}

static int race_accept(void *arg)
{
    struct race *race = arg;
    struct weir_stream *stream;
    race->accepted = weir_accept(race->listener, &stream);
    if (race->accepted == 0)
        weir_stream_abort(stream);
    return 0;
}

static int race_datagram(void *arg)
{
    struct race *race = arg;
    struct weir_endpoint from;
    char byte;
    race->got = weir_receive_from(race->datagrams, &byte, 1, &from);
    return 0;
}

static int race_close(void *arg)
{
    struct race *race = arg;
    char byte;
    int rc = weir_receive_some(race->starter, &byte, 1);
    weir_stream_abort(race->stream);
    weir_listener_close(race->listener);
    weir_datagrams_close(race->datagrams);
    return rc < 0 ? rc : 0;
}

/* What ends the last turn before the race: the ACK of a handshake, a segment for each stream, and a datagram. */
static int race_start(struct world *world, struct weir_stream *first, struct weir_stream *second)
{
    struct weir_endpoint server = world_endpoint(world, 1, PORT);
    struct weir_datagrams *sender;
    struct weir_stream *third;
    WEIR_TRY(weir_open_datagrams(world->stacks[0], 0, &sender));
    WEIR_TRY(weir_open_tcp_stream(world->stacks[0], &server, &third));
    WEIR_TRY(weir_send_all(first, "x", 1));
    WEIR_TRY(weir_send_all(second, "x", 1));
    WEIR_TRY(weir_send_to(sender, "x", 1, &server));
    WEIR_TRY(weir_sleep(WEIR_MILLISECONDS(5)));
    weir_datagrams_close(sender);
    weir_stream_abort(third);
    return 0;
}

static int closed_before_it_ran(struct world *world)
{
    struct weir_stream *first[2], *second[2];
    struct weir_nursery nursery;
    struct race race = {0};
    int rc = 0;
    WEIR_TRY(connect_pair(world, first));
    WEIR_TRY(connect_pair(world, second));
    race.starter = first[1];
    race.stream = second[1];
    WEIR_TRY(weir_open_tcp_listener(world->stacks[1], PORT, 0, &race.listener));
    WEIR_TRY(weir_open_datagrams(world->stacks[1], PORT, &race.datagrams));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, race_close, &race);
        weir_start_soon(&nursery, race_receive, &race);
        weir_start_soon(&nursery, race_accept, &race);
        weir_start_soon(&nursery, race_datagram, &race);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(5)));
        WEIR_DO(rc, race_start(world, first[0], second[0]));
    }
    WEIR_TRY(rc);
    CHECK(world, race.received == 1 || race.received == -EBADF);
    CHECK(world, race.accepted == 0 || race.accepted == -EBADF);
    CHECK(world, race.got == 1 || race.got == -EBADF);
    raced_late += (race.received == -EBADF) + (race.accepted == -EBADF) + (race.got == -EBADF);
    weir_stream_abort(second[0]);
    return close_pair(first);
}

Test(stream, closing_what_a_woken_task_has_not_yet_looked_at)
{
    for (uint64_t seed = 1; seed <= 16; seed++)
        run_with(closed_before_it_ran, NULL, seed);
    cr_assert(raced_late > 0 && raced_late < 96, "%u of 96 came late: there was no race", raced_late);
}

static int cancel_loses_nothing(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_scope scope;
    struct rte_mbuf *packet;
    int rc = 0;
    WEIR_TRY(connect_pair(world, ends));
    weir_move_on_after (&scope, WEIR_MILLISECONDS(10), rc) {
        rc = weir_stream_receive(ends[1], &packet);
    }
    CHECK(world, rc == 0 && scope.cancelled_caught);
    WEIR_TRY(weir_send_all(ends[0], "late", 4));
    CHECK(world, weir_stream_receive(ends[1], &packet) == 4);
    rte_pktmbuf_free(packet);
    return close_pair(ends);
}

Test(stream, a_cancelled_receive_loses_nothing)
{
    run(cancel_loses_nothing, NULL);
}

/* Woken for nothing, and cancelled before it runs: it must not wait again. */
static int cancel_after_spurious_wake(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(connect_pair(world, ends));
    struct waiting waiting = {.stream = ends[1], .result = 99};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_for_bytes, &waiting);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(5)));
        struct weir_stack_user *user = &WEIR_CONTAINER_OF(ends[1], struct tcp_stream, base)->user;
        user->event(user, WEIR_TCP_READABLE);
        weir_nursery_cancel(&nursery);
    }
    WEIR_TRY(rc);
    CHECK(world, waiting.result == -ECANCELED);
    return close_pair(ends);
}

Test(stream, a_task_woken_for_nothing_is_still_cancelled)
{
    run(cancel_after_spurious_wake, NULL);
}

static int checkpoints(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_stream *none;
    struct weir_scope scope;
    struct weir_endpoint server = world_endpoint(world, 1, PORT);
    struct rte_mbuf *packet;
    char byte;
    int rc = 0, seen = 0;
    WEIR_TRY(connect_pair(world, ends));
    WEIR_TRY(weir_send_all(ends[0], "there", 5)); /* so that a receive would be answered at once */
    WEIR_TRY(weir_sleep(WEIR_MILLISECONDS(1)));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        seen += weir_receive_some(ends[1], &byte, 1) == -ECANCELED;
        seen += weir_stream_receive(ends[1], &packet) == -ECANCELED;
        seen += weir_send_all(ends[1], "x", 1) == -ECANCELED;
        seen += weir_stream_send(ends[1], weir_packet_alloc(world->stacks[1])) == -ECANCELED;
        seen += weir_send_eof(ends[1]) == -ECANCELED;
        seen += weir_open_tcp_stream(world->stacks[0], &server, &none) == -ECANCELED;
        seen += weir_stream_close(ends[1]) == -ECANCELED; /* and is closed all the same */
    }
    CHECK(world, seen == 7);
    return weir_stream_close(ends[0]);
}

Test(stream, every_call_is_a_checkpoint_on_its_fast_path_too)
{
    run(checkpoints, NULL);
}

/* ---- back-pressure ---- */

struct flood {
    struct world *world;
    struct weir_stream *stream;
    size_t sent;
    int result;
};

static int flood(void *arg)
{
    struct flood *flood = arg;
    static const char bytes[1000];
    while ((flood->result = weir_send_all(flood->stream, bytes, sizeof bytes)) == 0)
        flood->sent += sizeof bytes;
    return flood->result;
}

static int writer_waits(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(connect_pair(world, ends));
    struct flood writer = {.world = world, .stream = ends[0]};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, flood, &writer);
        rc = weir_sleep(WEIR_SECONDS(30)); /* nobody reads */
        weir_nursery_cancel(&nursery);
    }
    WEIR_TRY(rc);
    CHECK(world, writer.result == -ECANCELED);
    CHECK(world, writer.sent > 10000 && writer.sent < 100000); /* the two buffers, and not more */
    weir_stream_abort(ends[0]);
    return weir_stream_close(ends[1]);
}

static void small_buffers(struct world *world)
{
    world->options.receive_buffer = world->options.send_buffer = 16384;
}

Test(stream, a_writer_waits_for_a_reader_that_does_not_read)
{
    run(writer_waits, small_buffers);
}

static int dry_pool(struct world *world)
{
    struct weir_stream *ends[2];
    struct rte_mbuf *hoard[POOL + 1]; /* and the NULL that ends it */
    struct weir_nursery nursery;
    unsigned hoarded = 0;
    int rc = 0;
    WEIR_TRY(connect_pair(world, ends));
    while ((hoard[hoarded] = weir_packet_alloc(world->stacks[0])) != NULL)
        hoarded++;
    struct flood writer = {.world = world, .stream = ends[0], .result = 1};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, flood, &writer);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(10)));
        rc = writer.sent == 0 && writer.result == 1 ? 0 : -EIO; /* it waits, and does not fail */
        rte_pktmbuf_free_bulk(hoard, hoarded);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(10)));
        rc = writer.sent > 0 ? 0 : -EIO;
        weir_nursery_cancel(&nursery);
    }
    WEIR_TRY(rc);
    weir_stream_abort(ends[0]);
    return weir_stream_close(ends[1]);
}

Test(stream, a_dry_pool_makes_a_writer_wait)
{
    run(dry_pool, small_buffers);
}

struct dry {
    struct rte_mbuf *hoard[POOL + 1]; /* and the NULL that ends it */
    unsigned hoarded;
};

static void dry_up(struct world *world, struct dry *dry)
{
    dry->hoarded = 0;
    while ((dry->hoard[dry->hoarded] = weir_packet_alloc(world->stacks[0])) != NULL)
        dry->hoarded++;
}

/* Closed, and the stack with it, while a writer waits for a packet that never comes. */
static int close_while_dry(struct world *world)
{
    static struct dry dry;
    struct weir_stream *ends[2];
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(connect_pair(world, ends));
    dry_up(world, &dry);
    struct flood writer = {.world = world, .stream = ends[0], .result = 1};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, flood, &writer);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(10)));
        weir_stream_abort(ends[0]);
        weir_stack_close(world->stacks[0]);
        world->stacks[0] = NULL;
    }
    weir_error_free(weir_nursery_take_errors(&nursery));
    rte_pktmbuf_free_bulk(dry.hoard, dry.hoarded);
    CHECK(world, writer.result == -EBADF && rc == -EBADF);
    weir_stream_abort(ends[1]);
    return 0;
}

Test(stream, closing_wakes_a_writer_that_waits_for_a_packet)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_with(close_while_dry, small_buffers, seed);
}

static int ended_while_dry(struct world *world)
{
    static struct dry dry;
    struct weir_stream *ends[2];
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(connect_pair(world, ends));
    dry_up(world, &dry);
    struct flood writer = {.world = world, .stream = ends[0], .result = 1};
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, flood, &writer);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(10)));
        weir_tcp_abort_all(weir_stack_tcp(world->stacks[0]), weir_current_time());
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(10)));
        rc = writer.result;
    }
    weir_error_free(weir_nursery_take_errors(&nursery));
    rte_pktmbuf_free_bulk(dry.hoard, dry.hoarded);
    CHECK(world, writer.result == -ECONNABORTED);
    return close_pair(ends);
}

Test(stream, the_end_of_its_connection_is_told_to_a_writer_that_waits_for_a_packet)
{
    run(ended_while_dry, small_buffers);
}

/* A kind that has bytes only, and of these only an end. */
static int nothing_comes(struct weir_stream *stream, void *buffer, size_t size)
{
    return 0;
}

static int bytes_only(struct world *world)
{
    static const struct weir_stream_ops ops = {.receive_some = nothing_comes};
    struct weir_stream stream = {.ops = &ops};
    struct weir_endpoint local;
    struct rte_mbuf *packet;
    char byte;
    CHECK(world, weir_receive_some(&stream, &byte, 1) == 0);
    CHECK(world, weir_stream_receive(&stream, &packet) == -ENOTSUP);
    CHECK(world, weir_stream_send(&stream, weir_packet_alloc(world->stacks[0])) == -ENOTSUP); /* and it is freed */
    CHECK(world, weir_stream_endpoints(&stream, &local, NULL) == -ENOTSUP);
    CHECK(world, weir_send_all(&stream, "x", 1) == -ENOTSUP);
    CHECK(world, weir_wait_send_all_might_not_block(&stream) == -ENOTSUP);
    CHECK(world, weir_send_eof(&stream) == -ENOTSUP);
    return 0;
}

Test(stream, what_a_kind_of_stream_has_not_is_not_supported)
{
    run(bytes_only, NULL);
}

/* ---- the checks for streams of any kind (weir/check_streams.h) ---- */

static int make_tcp(void *arg, struct weir_stream *ends[2])
{
    return connect_pair(arg, ends);
}

/* Sends until nothing goes any more, for a second: both buffers are full. Returns 1 if something went at first. */
static int fill(struct weir_stream *stream)
{
    static const char bytes[1000];
    struct weir_scope scope;
    int rc = 0, went = -1;
    do {
        went++;
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
            rc = weir_wait_send_all_might_not_block(stream);
            if (rc == 0)
                rc = weir_send_all(stream, bytes, sizeof bytes);
        }
    } while (rc == 0 && !scope.cancelled_caught);
    return rc < 0 ? rc : went > 0;
}

/* Acknowledgements make room in a buffer that was full: who waits is told of it when it is worth it. */
static int make_clogged_tcp(void *arg, struct weir_stream *ends[2])
{
    int went[2];
    WEIR_TRY(connect_pair(arg, ends));
    do {
        for (int i = 0; i < 2; i++)
            WEIR_TRY(went[i] = fill(ends[i]));
    } while (went[0] + went[1] > 0);
    return 0;
}

static void tell_violation(void *arg, const char *violation)
{
    world_fail(arg, "%s", violation);
}

static int check_tcp(struct world *world)
{
    struct weir_stream_maker maker = {
        .arg = world, .make = make_tcp, .make_clogged = make_clogged_tcp, .dies_at_close = true};
    return weir_check_half_closeable_stream(&maker, tell_violation, world);
}

Test(stream, tcp_holds_what_streams_promise)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_with(check_tcp, small_buffers, seed);
}

/* It loses nothing: nobody repeats a reset that was lost, and then the other end may wait for ever. */
static void mild_faults(struct world *world)
{
    small_buffers(world);
    world->fault = (struct weir_fault){.duplicate = 0.05, .reorder = 0.1, .jitter = WEIR_MILLISECONDS(1)};
}

Test(stream, tcp_holds_it_on_a_bad_cable_too)
{
    for (uint64_t seed = 1; seed <= 3; seed++) /* of these, none loses a reset, which nobody repeats */
        run_with(check_tcp, mild_faults, seed);
}

/* ---- serving ---- */

static int answer_once(struct weir_stream *stream, void *arg)
{
    char bytes[64];
    int n = weir_receive_some(stream, bytes, sizeof bytes);
    if (n <= 0)
        return n;
    if (bytes[0] == '!')
        return -EILSEQ; /* the handler's own failure */
    return weir_send_all(stream, bytes, (size_t)n);
}

static int serve(void *arg)
{
    struct world *world = arg;
    return weir_serve_tcp(world->stacks[1], PORT, answer_once, NULL);
}

static int ask(struct world *world, const char *question, char *answer)
{
    struct weir_endpoint server = world_endpoint(world, 1, PORT);
    struct weir_stream *stream;
    WEIR_TRY(weir_open_tcp_stream(world->stacks[0], &server, &stream));
    int rc = weir_send_all(stream, question, 1);
    if (rc == 0)
        rc = weir_receive_some(stream, answer, 1);
    if (rc == 1) /* its task ended, so the server closes */
        rc = weir_receive_some(stream, answer + 1, 1) == 0 ? 1 : -EIO;
    int closed = weir_stream_close(stream);
    return rc < 0 ? rc : rc + closed;
}

static int serving(struct world *world)
{
    struct weir_nursery nursery;
    char answer[2];
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, serve, world);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(1)));
        for (int i = 0; i < 5 && rc == 0; i++)
            rc = ask(world, "a", answer) == 1 && answer[0] == 'a' ? 0 : -EIO;
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

Test(stream, a_served_connection_is_closed_when_its_task_ends)
{
    run(serving, NULL);
}

static int handler_fails(struct world *world)
{
    struct weir_nursery nursery;
    char answer[2];
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, serve, world);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(1)));
        int asked = ask(world, "!", answer);
        rc = asked < 0 && asked != -ECANCELED ? 0 : asked;
        WEIR_DO(rc, weir_sleep_forever());
    }
    CHECK(world, rc == -EILSEQ);
    weir_error_free(weir_nursery_take_errors(&nursery));
    return 0;
}

Test(stream, a_handler_that_fails_by_itself_fails_the_server)
{
    run(handler_fails, NULL);
}
