/* Peers that are slow on purpose. A server is bounded by the scopes that it puts around what it does, and by nothing
 * that a peer says or leaves unsaid: real tasks, on streams. */
#include "hosts.h"
#include <string.h>

TestSuite(slow, .init = test_eal_init, .timeout = 60);

enum { ANSWER = 1 << 20, LONGEST_LINE = 64, EACH = 20 };

static struct hosts hosts;
static unsigned served, given_up;
static weir_time longest;

/* Reads a line. Returns its length; 0: the peer ended before it. */
static int read_line(struct weir_stream *stream)
{
    char line[LONGEST_LINE];
    int n = 0;

    while (n < LONGEST_LINE && (n == 0 || line[n - 1] != '\n')) {
        int rc = weir_receive_some(stream, line + n, 1);
        if (rc <= 0)
            return rc;
        n += rc;
    }
    return n;
}

/* A request is a line, the answer is long. Each has a deadline as a whole: a byte now and then is no sign of life. */
static int answer(struct weir_stream *stream, void *arg)
{
    static const char bytes[ANSWER];
    weir_time begin = weir_current_time();
    struct weir_scope request, reply;
    int rc = 0, sent = -1;

    weir_move_on_after (&request, WEIR_SECONDS(5), rc) {
        rc = read_line(stream);
    }
    if (rc > 0 && !request.cancelled_caught)
        weir_move_on_after (&reply, WEIR_SECONDS(5), sent) {
            sent = weir_send_all(stream, bytes, sizeof bytes);
        }
    if (request.cancelled_caught || (rc > 0 && reply.cancelled_caught))
        given_up++;
    else
        served += sent == 0;
    longest = RTE_MAX(longest, weir_current_time() - begin);
    return rc < 0 ? rc : 0;
}

static int serve(void *arg)
{
    return weir_serve_tcp(hosts.stacks[1], PORT, answer, NULL);
}

/* ---- the peers ---- */

static int hold_on(struct weir_stream *stream)
{
    int rc = weir_sleep(WEIR_SECONDS(30));

    weir_stream_abort(stream);
    return rc;
}

static int connects(struct weir_stream **stream)
{
    struct weir_endpoint server = host_endpoint(1, PORT);
    return weir_open_tcp_stream(hosts.stacks[0], &server, stream);
}

static int says_nothing(void *arg)
{
    struct weir_stream *stream;
    WEIR_TRY(connects(&stream));
    return hold_on(stream);
}

static int says_a_byte_a_second(void *arg)
{
    struct weir_stream *stream;
    int rc = 0;
    WEIR_TRY(connects(&stream));
    for (int i = 0; i < 30 && rc >= 0; i++) {
        rc = weir_send_all(stream, "x", 1);
        if (rc == 0)
            rc = weir_sleep(WEIR_SECONDS(1));
    }
    weir_stream_abort(stream);
    return rc == -ECANCELED ? rc : 0; /* that it is closed, or reset, is what is wanted */
}

static int reads_nothing(void *arg)
{
    struct weir_stream *stream;
    WEIR_TRY(connects(&stream));
    WEIR_TRY(weir_send_all(stream, "GET\n", 4));
    return hold_on(stream);
}

static int reads_a_byte_a_second(void *arg)
{
    struct weir_stream *stream;
    char byte;
    int rc = 0;
    WEIR_TRY(connects(&stream));
    WEIR_TRY(weir_send_all(stream, "GET\n", 4));
    for (int i = 0; i < 30 && rc >= 0; i++) {
        rc = weir_receive_some(stream, &byte, 1);
        if (rc > 0)
            rc = weir_sleep(WEIR_SECONDS(1));
    }
    weir_stream_abort(stream);
    return rc == -ECANCELED ? rc : 0;
}

/* Who is honest is served meanwhile, and at once. */
static int honest(void *arg)
{
    static char buffer[65536];
    struct weir_stream *stream;
    uint64_t got = 0;
    int n;

    for (int i = 0; i < EACH; i++) {
        weir_time begin = weir_current_time();
        WEIR_TRY(connects(&stream));
        WEIR_TRY(weir_send_all(stream, "GET\n", 4));
        while ((n = weir_receive_some(stream, buffer, sizeof buffer)) > 0)
            got += (uint64_t)n;
        WEIR_TRY(n);
        WEIR_TRY(weir_stream_close(stream));
        if (weir_current_time() - begin > WEIR_SECONDS(1))
            return -ETIME;
        WEIR_TRY(weir_sleep(WEIR_MILLISECONDS(500)));
    }
    return got == (uint64_t)EACH * ANSWER ? 0 : -EIO;
}

static int (*const slow_ones[])(void *arg) = {says_nothing, says_a_byte_a_second, reads_nothing, reads_a_byte_a_second};

static int all_of_them(struct hosts *unused)
{
    struct weir_nursery server, peers;
    struct weir_stack_stats stats;
    int rc = 0;

    weir_with_nursery (&server, rc) {
        weir_start_soon(&server, serve, NULL);
        weir_with_nursery (&peers, rc) {
            for (size_t i = 0; i < RTE_DIM(slow_ones) * EACH; i++)
                weir_start_soon(&peers, slow_ones[i % RTE_DIM(slow_ones)], NULL);
            weir_start_soon(&peers, honest, NULL);
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(100)));
        weir_stack_stats(hosts.stacks[1], &stats);
        rc = stats.tcp.connections == 0 ? 0 : -EBUSY;
        weir_nursery_cancel(&server);
    }
    return rc;
}

Test(slow, peers_are_bounded_by_a_scopes_deadline)
{
    hosts_init(&hosts);
    hosts.options.packets_max = 2048; /* which slow readers would fill: 40 send buffers are 7200 packets */
    cr_assert_eq(hosts_run(&hosts, all_of_them), 0);
    cr_assert_eq(given_up, RTE_DIM(slow_ones) * EACH);
    cr_assert_eq(served, EACH);
    cr_assert_leq(longest, WEIR_SECONDS(10));
}
