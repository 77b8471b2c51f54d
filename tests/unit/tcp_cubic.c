/* CUBIC: RFC 9438; and what a connection tells of itself. */
#include "tcp_wire.h"
#include <math.h>

#define MSS 1448u
#define RTT WEIR_MILLISECONDS(100)

static struct wire w;
static struct weir_tcp_connection *c;
static struct weir_tcp_info info;
static uint32_t queued; /* segments */

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    w.window = 65535;
    w.pool_size = 16384;
    w.control_size = 1024;
    w.options.send_buffer = 8 << 20;
    w.options.connections_max = 4;
}

TestSuite(tcp_cubic, .init = setup, .timeout = 60);

static void open_with_round_trip(void)
{
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    w.now += RTT;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
    queued = 0;
}

static void look(void)
{
    weir_tcp_get_info(w.tcp, c, &info);
}

static void keep_busy(void)
{
    while (queued * MSS < info.bytes_acked + 4 * info.cwnd + 20 * MSS) {
        wire_send(&w, c, MSS);
        queued++;
    }
    wire_flush(&w);
    w.sent_taken = w.sent_count = 0;
}

/* One round trip later all that was in flight is acknowledged, two segments by each ACK. `lost`: but for the first
 * segment, which is found missing. */
static void round_trip(bool lost)
{
    struct wire_seen seen;
    uint32_t una, max;

    look();
    keep_busy();
    look();
    una = (uint32_t)info.bytes_acked;
    max = una + info.unacked;
    w.now += RTT;
    w.ts += 100;
    weir_tcp_timers(w.tcp, w.now);
    if (lost) {
        IN(&w, .flags = ACK, .seq = 1, .ack = una, .sack_count = 1, .sack = {{una + MSS, max}});
        wire_flush(&w);
        while (wire_next(&w, &seen)) /* the peer echoes the timestamp of what mended it */
            ;
        w.now += RTT;
        weir_tcp_timers(w.tcp, w.now);
        IN(&w, .flags = ACK, .seq = 1, .ack = max);
    } else {
        for (uint32_t at = una; at != max;) {
            at += RTE_MIN(2 * MSS, max - at);
            IN(&w, .flags = ACK, .seq = 1, .ack = at);
            wire_flush(&w);
            w.sent_taken = w.sent_count = 0;
        }
    }
    look();
}

/* ACKs of all but the last `left` segments in flight, in one turn: what they let out goes at its end. Returns what they
 * acknowledge up to. */
static uint32_t acks_in_one_turn(unsigned left)
{
    uint32_t at, end;

    keep_busy();
    look();
    at = (uint32_t)info.bytes_acked;
    end = at + info.unacked - left * MSS;
    w.now += RTT;
    w.ts += 100;
    weir_tcp_timers(w.tcp, w.now);
    while (at != end) {
        at += RTE_MIN(2 * MSS, end - at);
        IN(&w, .flags = ACK, .seq = 1, .ack = at);
    }
    return at;
}

/* RFC 5681 section 3.1 */
Test(tcp_cubic, window_doubles_if_all_acks_of_a_round_trip_come_in_one_turn)
{
    open_with_round_trip();
    look();
    for (uint32_t expected = info.cwnd; expected < 300 * MSS; expected *= 2) {
        cr_assert(info.cwnd >= expected, "%u of %u bytes", info.cwnd, expected);
        acks_in_one_turn(0);
        look();
    }
    wire_close_quietly(&w);
}

/* RFC 9438 section 4.6: what was in flight counts, and that is what a turn's ACKs found, not what they left. */
Test(tcp_cubic, loss_after_many_acks_of_one_turn_costs_no_more_than_any_other)
{
    uint32_t una, cwnd;

    open_with_round_trip();
    while (look(), info.cwnd < 100 * MSS)
        round_trip(false);
    una = acks_in_one_turn(10);
    look();
    cwnd = info.cwnd;
    IN(&w, .flags = ACK, .seq = 1, .ack = una, .sack_count = 1, .sack = {{una + MSS, una + 10 * MSS}});
    wire_flush(&w);
    look();
    cr_assert(info.recovering);
    cr_assert_float_eq((double)info.ssthresh, 0.7 * cwnd, 2 * MSS, "RFC 9438: %u of %u", info.ssthresh, cwnd);
    cr_assert(w.sent_count * MSS > info.ssthresh - 2 * MSS, "RFC 6937: %u segments take the place of what has arrived",
              w.sent_count);
    wire_close_quietly(&w);
}

/* RFC 9438 sections 4.2 and 4.6 */
Test(tcp_cubic, window_follows_the_curve)
{
    double plateau, k, start;

    open_with_round_trip();
    while (look(), info.cwnd < 300 * MSS)
        round_trip(false);
    round_trip(true);
    cr_assert(!info.recovering);
    cr_assert_float_eq((double)info.cwnd, (double)info.ssthresh, 2 * MSS, "RFC 6937: recovery ends at ssthresh");
    start = (double)info.cwnd / MSS;
    plateau = start / 0.7;
    k = cbrt((plateau - start) / 0.4);
    for (double t = 0; t < 1.6 * k; t += 0.1) {
        double expected = 0.4 * pow(t + 0.1 - k, 3) + plateau; /* the target is a round trip ahead */

        round_trip(false);
        cr_assert(fabs((double)info.cwnd / MSS - expected) < 0.06 * plateau + 2, "after %.1f s: %.1f for %.1f", t + 0.1,
                  (double)info.cwnd / MSS, expected);
    }
    wire_close_quietly(&w);
}

/* RFC 9438 section 4.7 */
Test(tcp_cubic, second_loss_below_the_plateau_lowers_it)
{
    uint32_t first, second;

    open_with_round_trip();
    while (look(), info.cwnd < 200 * MSS)
        round_trip(false);
    round_trip(true);
    first = info.cwnd;
    round_trip(true);
    second = info.cwnd;
    cr_assert_lt(second, first);
    for (int i = 0; i < 40; i++) /* flat at 0.85 of the first: far from it after four seconds */
        round_trip(false);
    cr_assert_lt(info.cwnd, first + first / 5);
    wire_close_quietly(&w);
}

/* RFC 9438 section 4.3: where Reno would have more, CUBIC takes as much */
Test(tcp_cubic, small_windows_grow_as_renos)
{
    uint32_t start;

    open_with_round_trip();
    round_trip(false);
    round_trip(true);
    start = info.cwnd;
    for (int i = 0; i < 30; i++)
        round_trip(false);
    cr_assert_geq(info.cwnd, start + 15 * MSS, "0.53 of a segment a round trip, at least");
    wire_close_quietly(&w);
}

Test(tcp_cubic, connection_tells_what_it_is_like)
{
    char text[512], sizes[64], small[16];
    int length;

    open_with_round_trip();
    for (int i = 0; i < 3; i++)
        round_trip(false);
    length = weir_tcp_info_format(&info, text, sizeof(text));
    cr_assert_eq((size_t)length, strlen(text));
    cr_assert_not_null(strstr(text, "ts sack cubic wscale:7,"), "%s", text);
    cr_assert_not_null(strstr(text, " rtt:100.000/"), "%s", text);
    snprintf(sizes, sizeof(sizes), " mss:1448 pmtu:%u cwnd:", wire_ip_length(&w) + 1480u);
    cr_assert_not_null(strstr(text, sizes), "%s", text);
    cr_assert_eq(weir_tcp_info_format(&info, small, sizeof(small)), length);
    cr_assert_eq(strlen(small), sizeof(small) - 1);
    wire_close_quietly(&w);
}

Test(tcp_cubic, controllers_are_found_by_name)
{
    cr_assert_eq(weir_tcp_congestion_find("cubic"), &weir_tcp_cubic);
    cr_assert_eq(weir_tcp_congestion_find("reno"), &weir_tcp_reno);
    cr_assert_null(weir_tcp_congestion_find("vegas"));
    cr_assert_str_eq(weir_tcp_congestion_name(&weir_tcp_reno), "reno");
}
