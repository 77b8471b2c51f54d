/* What streams and stacks tell of their connections, and what is set there: two stacks on a cable, in virtual time. */
#include "../sim/world.h"
#include "eal.h"
#include <criterion/criterion.h>
#include <string.h>

enum { PORT = 80, POOL = 4095 };

TestSuite(stream_look, .init = test_eal_init, .timeout = 60);

static void run(int (*body)(struct world *world), void (*prepare)(struct world *world))
{
    struct scenario scenario = {"unit", "", prepare, body};
    struct world *world = calloc(1, sizeof *world);
    struct rte_mempool *pool = test_pool(POOL);
    bool held = world_run(world, &scenario, 42, pool, NULL, DEVICE_PLAIN);
    cr_assert(held, "%s", world->failure);
    free(world);
    test_pool_is_full(pool);
}

#define CHECK(world, condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return world_fail((world), "line %d: %s", __LINE__, #condition);                                           \
    } while (0)

/* `ends[0]` on host 0 opened it, `ends[1]` on host 1 accepted it. */
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

static int tells(struct world *world)
{
    struct weir_stream *ends[2];
    struct weir_tcp_info info;
    char buffer[5], events[4096];
    WEIR_TRY(connect_pair(world, ends));
    WEIR_TRY(weir_send_all(ends[0], "hello", 5));
    CHECK(world, weir_receive_some(ends[1], buffer, 5) == 5);
    CHECK(world, weir_stream_tcp_info(ends[1], &info) == 0);
    CHECK(world, info.state == WEIR_TCP_ESTABLISHED && info.bytes_received == 6);
    CHECK(world, weir_stream_tcp_events(ends[1], events, sizeof events) > 0);
    CHECK(world, strstr(events, "s ESTABLISHED\n") != NULL);
    WEIR_TRY(weir_stream_close(ends[0]));
    return weir_stream_close(ends[1]);
}

Test(stream_look, a_stream_tells_what_its_connection_is_like)
{
    run(tells, NULL);
}

static int vanishes(struct world *world, weir_time least, weir_time most)
{
    struct weir_fault gone = {.loss = 1};
    struct weir_stream *ends[2];
    char byte;
    WEIR_TRY(connect_pair(world, ends));
    if (least == 0) { /* set here */
        struct weir_tcp_settings settings = {.user_timeout = WEIR_SECONDS(5)};
        CHECK(world, weir_stream_set_tcp(ends[0], &settings) == 0);
        least = WEIR_SECONDS(5);
    }
    world_set_fault(world, &gone);
    weir_time begin = weir_current_time();
    WEIR_TRY(weir_send_all(ends[0], "hello", 5));
    int rc = weir_receive_some(ends[0], &byte, 1);
    CHECK(world, rc == -ETIMEDOUT || rc == -EHOSTUNREACH); /* the neighbour may be given up meanwhile */
    weir_time took = weir_current_time() - begin;
    CHECK(world, took >= least && took <= most);
    weir_stream_abort(ends[0]);
    weir_stream_abort(ends[1]);
    return 0;
}

static int vanishes_within_the_streams_timeout(struct world *world)
{
    return vanishes(world, 0, WEIR_SECONDS(15));
}

static int vanishes_within_the_stacks_timeout(struct world *world)
{
    return vanishes(world, WEIR_SECONDS(3), WEIR_SECONDS(8));
}

static void three_seconds(struct world *world)
{
    world->options.settings.user_timeout = WEIR_SECONDS(3);
}

Test(stream_look, a_streams_user_timeout_ends_it)
{
    run(vanishes_within_the_streams_timeout, NULL);
}

Test(stream_look, streams_begin_with_their_stacks_settings)
{
    run(vanishes_within_the_stacks_timeout, three_seconds);
}

static int silent(struct world *world)
{
    struct weir_fault gone = {.loss = 1};
    struct weir_stream *ends[2];
    char byte;
    WEIR_TRY(connect_pair(world, ends));
    world_set_fault(world, &gone);
    CHECK(world, weir_receive_some(ends[1], &byte, 1) == -ETIMEDOUT); /* the accepted end, too */
    weir_stream_abort(ends[0]);
    weir_stream_abort(ends[1]);
    return 0;
}

static void keepalive(struct world *world)
{
    world->options.settings = (struct weir_tcp_settings){
        .keepalive_idle = WEIR_SECONDS(10), .keepalive_interval = WEIR_SECONDS(1), .keepalive_count = 2};
}

Test(stream_look, accepted_streams_keep_alive_as_their_stack_says)
{
    run(silent, keepalive);
}

static int fills_the_backlog(struct world *world)
{
    struct weir_endpoint server = world_endpoint(world, 1, PORT);
    struct weir_stream *streams[3];
    struct weir_stack_stats stats;
    struct weir_listener *listener;
    struct weir_scope scope;
    int rc = 0;
    WEIR_TRY(weir_open_tcp_listener(world->stacks[1], PORT, 0, &listener));
    for (int i = 0; i < 2; i++)
        WEIR_TRY(weir_open_tcp_stream(world->stacks[0], &server, &streams[i]));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_open_tcp_stream(world->stacks[0], &server, &streams[2]);
    }
    CHECK(world, scope.cancelled_caught);
    weir_stack_stats(world->stacks[1], &stats);
    CHECK(world, stats.tcp.listen_overflows > 0);
    for (int i = 0; i < 2; i++)
        weir_stream_abort(streams[i]);
    weir_listener_close(listener);
    return 0;
}

static void two(struct world *world)
{
    world->options.backlog = 2;
}

Test(stream_look, listeners_have_their_stacks_backlog)
{
    run(fills_the_backlog, two);
}

static int prints(struct world *world)
{
    struct weir_stream *ends[2];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    WEIR_TRY(connect_pair(world, ends));
    WEIR_TRY(weir_send_all(ends[0], "hello", 5));
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    weir_stack_print_connections(world->stacks[1], out, 10);
    weir_stack_print_connections(world->stacks[1], out, 0);
    weir_stack_print_counters(world->stacks[1], out);
    fclose(out);
    bool held = strncmp(text, "State      Recv-Q Send-Q ", 25) == 0 &&
                strstr(text, "\nESTAB      5      0                10.0.0.2:80        10.0.0.1:") != NULL &&
                strstr(text, "\n\t ts sack cubic wscale:") != NULL && strstr(text, " unread:5 ") != NULL &&
                strstr(text, "\nand 1 more\n") != NULL &&
                strstr(text, "\nTcpPassiveOpens                  1\n") != NULL;
    if (!held)
        fprintf(stderr, "%s", text);
    free(text);
    weir_stream_abort(ends[0]);
    weir_stream_abort(ends[1]);
    CHECK(world, held);
    return 0;
}

Test(stream_look, a_stack_prints_its_connections_and_counters)
{
    run(prints, NULL);
}

static int has_none(struct world *world)
{
    struct weir_tcp_settings settings = {0};
    struct weir_tcp_info info;
    struct weir_stream bytes = {0};
    char text[16];
    CHECK(world, weir_stream_tcp_info(&bytes, &info) == -ENOTSUP);
    CHECK(world, weir_stream_tcp_events(&bytes, text, sizeof text) == -ENOTSUP);
    CHECK(world, weir_stream_set_tcp(&bytes, &settings) == -ENOTSUP);
    return 0;
}

Test(stream_look, a_stream_of_another_kind_says_so)
{
    run(has_none, NULL);
}
