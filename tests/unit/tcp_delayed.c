/* Delayed ACKs: RFC 9293 section 3.8.6.3, RFC 5681 section 4.2, RFC 1122 section 4.2.3.2. */
#include "tcp_wire.h"

#define DELAY WEIR_MILLISECONDS(40)
#define MSS 1448u

static struct wire w;
static struct weir_tcp_connection *c;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    w.options.delayed_ack = DELAY;
}

static void open(void)
{
    wire_open(&w);
    c = wire_established(&w);
}

TestSuite(tcp_delayed, .init = setup, .timeout = 60);

Test(tcp_delayed, ack_of_one_segment_waits_and_then_goes_alone)
{
    open();
    for (uint32_t i = 0; i < 3; i++) {
        IN(&w, .flags = ACK, .seq = 1 + i * 100, .ack = 1, .length = 100);
        wire_advance(&w, DELAY - 1);
        NOTHING(&w);
        wire_advance(&w, 1);
        OUT(&w, ACK, 1, 101 + i * 100, 0);
        wire_advance(&w, WEIR_SECONDS(1));
        NOTHING(&w);
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->delayed_acks, 3);
    cr_assert_eq(wire_read(&w, c), 300);
    wire_close(&w);
}

Test(tcp_delayed, reply_goes_at_once_and_carries_it)
{
    open();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    cr_assert_eq(wire_read(&w, c), 100);
    wire_send(&w, c, 50);
    OUT(&w, ACK, 1, 101, 50); /* in the same turn */
    IN(&w, .flags = ACK, .seq = 101, .ack = 51, .length = 100);
    wire_advance(&w, DELAY / 2);
    NOTHING(&w);
    cr_assert_eq(wire_read(&w, c), 100);
    wire_send(&w, c, 50);
    OUT(&w, ACK, 51, 201, 50); /* in a later one */
    IN(&w, .flags = ACK, .seq = 201, .ack = 101);
    wire_advance(&w, WEIR_SECONDS(1));
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->delayed_acks, 0);
    wire_close(&w);
}

Test(tcp_delayed, second_segment_is_acknowledged_at_once)
{
    open();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    NOTHING(&w);
    IN(&w, .flags = ACK, .seq = 1 + MSS, .ack = 1, .length = MSS); /* in another turn */
    OUT(&w, ACK, 1, 1 + 2 * MSS, 0);
    IN(&w, .flags = ACK, .seq = 1 + 2 * MSS, .ack = 1, .length = MSS);
    IN(&w, .flags = ACK, .seq = 1 + 3 * MSS, .ack = 1, .length = MSS); /* in the same */
    OUT(&w, ACK, 1, 1 + 4 * MSS, 0);
    IN(&w, .flags = ACK, .seq = 1 + 4 * MSS, .ack = 1, .length = MSS);
    wire_advance(&w, DELAY - 1);
    NOTHING(&w); /* the third one waits again... */
    wire_advance(&w, 1);
    OUT(&w, ACK, 1, 1 + 5 * MSS, 0);
    wire_close_quietly(&w);
}

/* What a device has joined is more than one. */
Test(tcp_delayed, segments_that_came_as_one_packet_are_acknowledged_at_once)
{
    w.peer_mss = 536;
    open();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1048);
    OUT(&w, ACK, 1, 1049, 0);
    wire_close_quietly(&w);
}

Test(tcp_delayed, what_is_out_of_order_and_what_fills_the_hole_is_acknowledged_at_once)
{
    open();
    IN(&w, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    OUT(&w, ACK, 1, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    OUT(&w, ACK, 1, 201, 0);
    IN(&w, .flags = ACK, .seq = 101, .ack = 1, .length = 100); /* and what comes twice */
    OUT(&w, ACK, 1, 201, 0);
    wire_close_quietly(&w);
}

Test(tcp_delayed, fin_is_acknowledged_at_once)
{
    open();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    NOTHING(&w);
    IN(&w, .flags = FIN | ACK, .seq = 101, .ack = 1);
    OUT(&w, ACK, 1, 102, 0);
    wire_advance(&w, WEIR_SECONDS(1));
    NOTHING(&w);
    wire_close_quietly(&w);
}

/* RFC 3168 section 6.1.3: the sender is to slow down now. */
Test(tcp_delayed, mark_of_congestion_is_echoed_at_once)
{
    wire_open(&w);
    wire_listen(&w, 1);
    IN(&w, .flags = SYN | RTE_TCP_ECE_FLAG | RTE_TCP_CWR_FLAG);
    OUT(&w, SYN | ACK | RTE_TCP_ECE_FLAG, 0, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100, .tos = 2);
    NOTHING(&w);
    IN(&w, .flags = ACK, .seq = 101, .ack = 1, .length = 100, .tos = 3);
    OUT(&w, ACK | RTE_TCP_ECE_FLAG, 1, 201, 0);
    wire_close_quietly(&w);
}

/* RFC 9293 section 3.8.6.2.2: a peer that the window holds up is not kept waiting. */
Test(tcp_delayed, window_that_opens_is_told_at_once)
{
    struct wire_seen seen;

    w.options.receive_buffer = 4 * MSS;
    open();
    for (uint32_t i = 0; i < 3; i++)
        IN(&w, .flags = ACK, .seq = 1 + i * MSS, .ack = 1, .length = MSS);
    OUT(&w, ACK, 1, 1 + 3 * MSS, 0);
    IN(&w, .flags = ACK, .seq = 1 + 3 * MSS, .ack = 1, .length = MSS);
    NOTHING(&w);
    cr_assert_eq(wire_read(&w, c), 4 * MSS);
    seen = OUT(&w, ACK, 1, 1 + 4 * MSS, 0);
    cr_assert_eq(seen.window, 4 * MSS);
    wire_advance(&w, WEIR_SECONDS(1));
    NOTHING(&w);
    wire_close(&w);
}

/* RFC 7323 section 4.2: the peer's measure is to have the delay in it. */
Test(tcp_delayed, timestamp_of_the_first_that_waits_is_echoed)
{
    struct wire_seen seen;

    open();
    w.ts = 6000;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    NOTHING(&w);
    w.ts = 6001;
    IN(&w, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    seen = OUT(&w, ACK, 1, 201, 0);
    cr_assert_eq(seen.options.timestamp_echo, 6000);
    wire_close_quietly(&w);
}

Test(tcp_delayed, half_a_second_is_the_most)
{
    w.options.delayed_ack = WEIR_SECONDS(3);
    open();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    wire_advance(&w, WEIR_MILLISECONDS(500) - 1);
    NOTHING(&w);
    wire_advance(&w, 1);
    OUT(&w, ACK, 1, 101, 0);
    wire_close_quietly(&w);
}

Test(tcp_delayed, each_connection_waits_its_own_time)
{
    uint32_t iss[2];

    wire_open(&w);
    for (int i = 0; i < 2; i++) {
        struct weir_tcp_listener *listener = wire_listen(&w, 2);

        wire_accept(&w, listener);
        iss[i] = w.iss;
        IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100 + (uint32_t)i);
        wire_advance(&w, DELAY / 2);
        w.port++;
    }
    w.iss = iss[0];
    OUT(&w, ACK, 1, 101, 0);
    wire_advance(&w, DELAY / 2 - 1);
    NOTHING(&w);
    wire_advance(&w, 1);
    w.iss = iss[1];
    OUT(&w, ACK, 1, 102, 0);
    wire_close_quietly(&w);
}

/* The ring cannot forget: the next connection in the same place finds itself there. */
Test(tcp_delayed, connection_that_ended_meanwhile_is_passed_over)
{
    struct weir_tcp_listener *listener;

    w.options.connections_max = 1;
    wire_open(&w);
    listener = wire_listen(&w, 1);
    for (int i = 0; i < 100; i++) {
        c = wire_accept(&w, listener);
        IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
        wire_flush(&w);
        weir_tcp_abort(w.tcp, w.now, c);
        OUT(&w, RST | ACK, 1, 101, 0);
        w.peer_port++;
    }
    c = wire_accept(&w, listener);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    wire_advance(&w, DELAY);
    OUT(&w, ACK, 1, 101, 0); /* at the latest */
    wire_close_quietly(&w);
}
