/* What a connection tells of itself, as ss does. */
#include "tcp_wire.h"
#include <string.h>

static struct wire w;
static struct weir_tcp_connection *c;
static struct weir_tcp_info info;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    wire_open(&w);
    c = wire_established(&w);
}

TestSuite(tcp_info, .init = setup, .timeout = 60);

static void look(void)
{
    weir_tcp_timers(w.tcp, w.now); /* tells the time */
    weir_tcp_get_info(w.tcp, c, &info);
}

static void request(uint32_t i)
{
    IN(&w, .flags = ACK, .seq = 1 + 100 * i, .ack = 1 + 100 * i, .length = 100);
    wire_read(&w, c);
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1 + 100 * i, 101 + 100 * i, 100);
}

Test(tcp_info, bytes_and_segments_are_counted_both_ways)
{
    uint32_t in, out;

    look();
    in = info.segments_in;
    out = info.segments_out;
    for (uint32_t i = 0; i < 10; i++)
        request(i);
    look();
    cr_assert_eq(info.segments_in - in, 10);
    cr_assert_eq(info.segments_out - out, 10);
    cr_assert_eq(info.bytes_received, 1001, "its SYN is one");
    cr_assert_eq(info.bytes_acked, 901);
    cr_assert_eq(info.bytes_sent, 1001);
    cr_assert_eq(info.bytes_retransmitted, 0);
    cr_assert_eq(info.unacked, 100);
    wire_close_quietly(&w);
}

Test(tcp_info, what_was_sent_again_is_counted_by_bytes_and_segments)
{
    wire_send(&w, c, 1000);
    OUT(&w, ACK, 1, 1, 1000);
    wire_advance(&w, WEIR_MILLISECONDS(700)); /* timeouts after 200 and 600 ms */
    look();
    cr_assert_eq(info.segments_retransmitted, 2);
    cr_assert_eq(info.bytes_retransmitted, 2000);
    cr_assert_eq(info.bytes_sent, 3001);
    cr_assert_eq(info.segments_resent, 1, "one segment is in flight");
    w.sent_taken = w.sent_count;
    wire_close_quietly(&w);
}

Test(tcp_info, sacks_tell_what_arrived_and_what_is_lost)
{
    for (int i = 0; i < 5; i++)
        wire_send(&w, c, 1000);
    wire_flush(&w);
    wire_advance(&w, WEIR_MILLISECONDS(5));
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 1, .sack = {{2001, 4001}});
    look();
    cr_assert_eq(info.segments_sacked, 2);
    wire_advance(&w, WEIR_MILLISECONDS(1));
    IN(&w, .flags = ACK, .seq = 1, .ack = 5001, .sack_count = 1, .sack = {{1, 1001}}); /* twice */
    look();
    cr_assert_eq(info.dsacks, 1);
    cr_assert_eq(info.segments_sacked, 0);
    w.sent_taken = w.sent_count;
    wire_close_quietly(&w);
}

Test(tcp_info, what_comes_out_of_order_is_counted)
{
    IN(&w, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    IN(&w, .flags = ACK, .seq = 301, .ack = 1, .length = 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    look();
    cr_assert_eq(info.out_of_order, 2);
    wire_read(&w, c);
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    wire_close_quietly(&w);
}

Test(tcp_info, how_long_ago_each_side_spoke)
{
    look();
    cr_assert_eq(info.sent_ms_ago, UINT32_MAX);
    cr_assert_eq(info.received_ms_ago, UINT32_MAX);
    wire_advance(&w, WEIR_MILLISECONDS(10));
    request(0);
    wire_advance(&w, WEIR_MILLISECONDS(30));
    IN(&w, .flags = ACK, .seq = 101, .ack = 101); /* no data */
    wire_advance(&w, WEIR_MILLISECONDS(7));
    look();
    cr_assert_eq(info.sent_ms_ago, 37);
    cr_assert_eq(info.received_ms_ago, 37);
    cr_assert_eq(info.heard_ms_ago, 7);
    wire_advance(&w, WEIR_SECONDS(5));
    request(1);
    wire_advance(&w, WEIR_MILLISECONDS(3));
    look();
    cr_assert_eq(info.sent_ms_ago, 3);
    cr_assert_eq(info.received_ms_ago, 3);
    cr_assert_eq(info.heard_ms_ago, 3);
    wire_close_quietly(&w);
}

Test(tcp_info, out_of_order_data_is_a_word_of_the_peers)
{
    wire_advance(&w, WEIR_MILLISECONDS(20));
    IN(&w, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    wire_advance(&w, WEIR_MILLISECONDS(4));
    look();
    cr_assert_eq(info.heard_ms_ago, 4);
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    wire_close_quietly(&w);
}

/* Names in the order in which iproute2's tcp_stats_print has them. */
Test(tcp_info, line_is_that_of_ss)
{
    static const char *const names[] = {
        "ts ",        "sack ",        "cubic",           " wscale:",      " rto:",
        " backoff:",  " rtt:",        " mss:",           " pmtu:",        " cwnd:",
        " ssthresh:", " bytes_sent:", " bytes_retrans:", " bytes_acked:", " bytes_received:",
        " segs_out:", " segs_in:",    " send ",          "bps",           " lastsnd:",
        " lastrcv:",  " lastack:",    " unacked:",       " retrans:1/1",  " rcv_space:",
        " minrtt:",   " snd_wnd:"};
    char text[1024];
    const char *at = text;

    request(0);
    wire_advance(&w, WEIR_MILLISECONDS(20));
    IN(&w, .flags = ACK, .seq = 101, .ack = 101);
    wire_send(&w, c, 1000);
    wire_advance(&w, WEIR_MILLISECONDS(260)); /* a probe may come, and then the timeout */
    look();
    weir_tcp_info_format(&info, text, sizeof(text));
    for (size_t i = 0; i < RTE_DIM(names); i++) {
        at = strstr(at, names[i]);
        cr_assert_not_null(at, "no '%s' there in: %s", names[i], text);
        at += strlen(names[i]);
    }
    w.sent_taken = w.sent_count;
    wire_close_quietly(&w);
}

Test(tcp_info, a_walk_meets_each_connection_once)
{
    struct weir_tcp_connection *second, *found;
    unsigned at = 0, count = 0;

    w.peer_port++;
    second = wire_connect(&w);
    while ((found = weir_tcp_next_connection(w.tcp, &at)) != NULL) {
        cr_assert(found == c || found == second);
        count++;
    }
    cr_assert_eq(count, 2);
    weir_tcp_abort(w.tcp, w.now, c);
    at = 0;
    cr_assert_eq(weir_tcp_next_connection(w.tcp, &at), second);
    cr_assert_null(weir_tcp_next_connection(w.tcp, &at));
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    wire_close_quietly(&w);
}
