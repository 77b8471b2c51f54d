/* How connections end: RFC 9293 sections 3.6 and 3.10.4 to 3.10.7.4, RFC 1122 section 4.2.2.13, RFC 6191. */
#include "tcp_wire.h"

static struct wire w;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
}

TestSuite(tcp_close, .init = setup, .timeout = 60);

static void expect_freed(void)
{
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
}

Test(tcp_close, peer_closes_first)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 1, .length = 10);
    OUT(&w, ACK, 1, 12, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_CLOSE_WAIT);
    cr_assert_eq(wire_events(&w, c), WEIR_TCP_READABLE);
    cr_assert_eq(wire_read(&w, c), 10);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, &m), 0, "the end of the stream");
    wire_send(&w, c, 2000); /* half-closed: we may go on */
    OUT(&w, ACK, 1, 12, 1448);
    OUT(&w, ACK, 1449, 12, 552);
    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, FIN | ACK, 2001, 12, 0);
    IN(&w, .flags = ACK, .seq = 12, .ack = 2001);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1, "LAST-ACK");
    IN(&w, .flags = ACK, .seq = 12, .ack = 2002);
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, we_close_first)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 100);
    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, FIN | ACK | PSH, 1, 1, 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 102);
    NOTHING(&w);
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 102);
    OUT(&w, ACK, 102, 2, 0);
    cr_assert_eq(weir_tcp_unfinished(w.tcp), 0, "TIME-WAIT");
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1);
    wire_advance(&w, WEIR_SECONDS(60) - 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1);
    wire_advance(&w, 1);
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, fin_and_its_ack_in_one_segment)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, FIN | ACK, 1, 1, 0);
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
    OUT(&w, ACK, 2, 2, 0);
    cr_assert_eq(weir_tcp_unfinished(w.tcp), 0);
    wire_close(&w);
}

Test(tcp_close, half_close_goes_on_receiving)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    wire_open(&w);
    c = wire_established(&w);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0, "again, too");
    cr_assert_eq(weir_tcp_send(w.tcp, c, NULL), -EPIPE);
    cr_assert_eq(weir_tcp_send_room(c), 0);
    OUT(&w, FIN | ACK, 1, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 2);
    cr_assert(weir_tcp_drained(c));
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_FIN_WAIT_2);
    wire_advance(&w, WEIR_SECONDS(10000)); /* for ever, as long as somebody here waits for it */
    for (uint32_t i = 0; i < 10; i++) {
        IN(&w, .flags = ACK, .seq = 1 + 100 * i, .ack = 2, .length = 100);
        OUT(&w, ACK, 2, 101 + 100 * i, 0);
    }
    cr_assert_eq(wire_read(&w, c), 1000);
    IN(&w, .flags = FIN | ACK, .seq = 1001, .ack = 2);
    OUT(&w, ACK, 2, 1002, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_TIME_WAIT);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, &m), 0);
    wire_advance(&w, WEIR_SECONDS(60));
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_CLOSED);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, &m), 0);
    cr_assert_eq(weir_tcp_error(c), 0);
    weir_tcp_close(w.tcp, w.now, c);
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, simultaneous_close)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    OUT(&w, FIN | ACK, 1, 1, 0);
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 1);
    OUT(&w, ACK, 2, 2, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_CLOSING);
    IN(&w, .flags = ACK, .seq = 2, .ack = 2);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_TIME_WAIT);
    weir_tcp_close(w.tcp, w.now, c);
    wire_advance(&w, WEIR_SECONDS(60));
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, fin_out_of_order_waits_for_what_is_before_it)
{
    struct weir_tcp_connection *c;
    struct rte_mbuf *m;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = FIN | ACK, .seq = 101, .ack = 1, .length = 50);
    OUT(&w, ACK, 1, 1, 0);
    OUT(&w, ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    IN(&w, .flags = ACK, .seq = 151, .ack = 1, .length = 50); /* beyond the end: of a peer that contradicts itself */
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    OUT(&w, ACK, 1, 152, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_CLOSE_WAIT);
    cr_assert_eq(wire_read(&w, c), 150);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, &m), 0);
    IN(&w, .flags = FIN | ACK, .seq = 151, .ack = 1); /* our ACK was lost */
    OUT(&w, ACK, 1, 152, 0);
    wire_close(&w);
}

Test(tcp_close, closing_with_unread_data_resets)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    OUT(&w, ACK, 1, 11, 0);
    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, RST | ACK, 1, 11, 0);
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, data_after_close_resets)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, FIN | ACK, 1, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 2, .length = 10);
    OUT(&w, RST | ACK, 2, 1, 0);
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, fin_wait_2_of_nobody_ends)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, FIN | ACK, 1, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 2);
    wire_advance(&w, WEIR_SECONDS(60) - 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1);
    wire_advance(&w, 1);
    expect_freed();

    w.peer_port++;
    c = wire_connect(&w); /* half-closed first, and given up later */
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    OUT(&w, FIN | ACK, 1, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 2);
    wire_advance(&w, WEIR_SECONDS(1000));
    weir_tcp_close(w.tcp, w.now, c);
    wire_advance(&w, WEIR_SECONDS(60));
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, peer_that_vanished_is_given_up)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 100);
    weir_tcp_close(w.tcp, w.now, c);
    wire_advance(&w, WEIR_SECONDS(230));
    expect_freed();
    cr_assert_eq(wire_events(&w, c), 0, "no events follow a close");
    wire_close_quietly(&w);
}

Test(tcp_close, closed_window_does_not_keep_an_orphan_for_ever)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    w.peer_scale = 0;
    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .window_is = true, .window = 0);
    wire_send(&w, c, 100);
    weir_tcp_close(w.tcp, w.now, c);
    for (int i = 0; i < 300 && weir_tcp_stats(w.tcp)->connections > 0; i++) {
        wire_advance(&w, WEIR_SECONDS(1));
        while (wire_next(&w, &seen))
            IN(&w, .flags = ACK, .seq = 1, .ack = 1, .window_is = true, .window = 0);
    }
    expect_freed();
    wire_close_quietly(&w);
}

/* R2 is about one segment: RFC 1122 section 4.2.3.5. A peer that answers, but never with its ACK, is as good as gone.
 */
Test(tcp_close, acks_that_acknowledge_nothing_do_not_keep_a_connection)
{
    for (int closed = 0; closed < 2; closed++) {
        struct weir_tcp_connection *c;
        struct weir_tcp_listener *listener;
        struct wire_seen seen;
        int i;

        wire_open(&w);
        listener = wire_listen(&w, 2);
        c = wire_accept(&w, listener);
        wire_send(&w, c, 100);
        if (closed)
            weir_tcp_close(w.tcp, w.now, c);
        for (i = 0; i < 700 && weir_tcp_stats(w.tcp)->curr_estab + weir_tcp_unfinished(w.tcp) > 0; i++) {
            wire_advance(&w, WEIR_SECONDS(1));
            while (wire_next(&w, &seen))
                IN(&w, .flags = ACK, .seq = 1, .ack = 1);
        }
        cr_assert(closed ? i >= 100 && i < 300 : i >= 400 && i < 600, "after %d s", i);
        if (!closed) {
            cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT);
            weir_tcp_close(w.tcp, w.now, c);
        }
        expect_freed();
        wire_close_quietly(&w);
    }
}

/* The user holds it to the end, and asks then: a FIN that was acknowledged, and data that was not. */
Test(tcp_close, what_was_acknowledged_is_known_after_the_end)
{
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 2);
    c = wire_accept(&w, listener);
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 1);
    OUT(&w, ACK, 1, 2, 0);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    OUT(&w, FIN | ACK, 1, 2, 0);
    IN(&w, .flags = ACK, .seq = 2, .ack = 2);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_CLOSED);
    cr_assert(weir_tcp_drained(c));
    weir_tcp_close(w.tcp, w.now, c);

    w.peer_port++;
    c = wire_accept(&w, listener);
    w.written = 0;
    wire_send(&w, c, 10);
    OUT(&w, ACK, 1, 1, 10);
    IN(&w, .flags = RST, .seq = 1);
    cr_assert(!weir_tcp_drained(c));
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_close, abort_resets)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    OUT(&w, ACK, 1, 11, 100);
    weir_tcp_abort(w.tcp, w.now, c);
    OUT(&w, RST | ACK, 101, 11, 0);
    expect_freed();
    cr_assert_eq(wire_events(&w, c), 0);
    IN(&w, .flags = ACK, .seq = 11, .ack = 101);
    OUT(&w, RST, 101, 0, 0);
    wire_close(&w);
}

Test(tcp_close, abort_all_tells_everybody)
{
    struct weir_tcp_connection *c, *orphan;

    wire_open(&w);
    c = wire_established(&w);
    w.peer_port++;
    w.port++;
    orphan = wire_connect(&w);
    weir_tcp_close(w.tcp, w.now, orphan);
    OUT(&w, FIN | ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_unfinished(w.tcp), 2);
    weir_tcp_abort_all(w.tcp, w.now);
    cr_assert_eq(weir_tcp_unfinished(w.tcp), 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_rsts, 2);
    cr_assert_eq(weir_tcp_error(c), -ECONNABORTED);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1);
    weir_tcp_close(w.tcp, w.now, c);
    expect_freed();
    wire_close_quietly(&w);
}

/* ---- TIME-WAIT ---- */

/* A connection in TIME-WAIT that nobody holds; the peer's stream has ended at 1. */
static void in_time_wait(void)
{
    struct weir_tcp_connection *c = wire_established(&w);

    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, FIN | ACK, 1, 1, 0);
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
    OUT(&w, ACK, 2, 2, 0);
}

Test(tcp_close, time_wait_answers_fins_and_starts_anew)
{
    wire_open(&w);
    in_time_wait();
    wire_advance(&w, WEIR_SECONDS(50));
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
    OUT(&w, ACK, 2, 2, 0);
    wire_advance(&w, WEIR_SECONDS(59));
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1);
    wire_advance(&w, WEIR_SECONDS(1));
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, time_wait_is_followed_by_a_newer_syn)
{
    struct wire_seen seen;
    uint32_t old;

    wire_open(&w);
    in_time_wait();
    old = w.iss;
    w.isn -= 100000; /* by the sequence number it would be old: by the timestamp it is not */
    w.ts++;
    IN(&w, .flags = SYN);
    seen = OUT(&w, SYN | ACK, 0, 1, 0);
    cr_assert_gt((int32_t)(w.iss - old), 65535);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->curr_estab, 1);
    (void)seen;
    wire_close(&w);
}

Test(tcp_close, time_wait_is_followed_by_a_higher_number_without_timestamps)
{
    w.timestamps = false;
    wire_open(&w);
    in_time_wait();
    IN(&w, .flags = SYN, .seq = 2); /* not beyond: the number of the FIN's successor itself */
    OUT(&w, ACK, 2, 2, 0);
    w.isn += 100;
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    wire_close(&w);
}

Test(tcp_close, time_wait_is_not_followed_by_an_older_syn)
{
    wire_open(&w);
    in_time_wait();
    w.ts--;
    IN(&w, .flags = SYN, .seq = 1000);
    OUT(&w, ACK, 2, 2, 0);
    cr_assert_eq(weir_tcp_unfinished(w.tcp), 0);
    wire_close(&w);
}

/* Each row of RFC 6191 section 2. */
Test(tcp_close, time_wait_and_the_timestamps_of_its_successor)
{
    static const struct {
        bool before, after;
        int newer;   /* the timestamp, against the last one */
        bool beyond; /* the sequence number                 */
        bool followed;
    } rows[] = {
        {true, true, 1, false, true},   {true, true, 0, true, true},   {true, true, 0, false, false},
        {true, true, -1, true, false},  {true, false, 0, true, true},  {true, false, 0, false, false},
        {false, true, -1, false, true}, {false, false, 0, true, true}, {false, false, 0, false, false},
    };

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        struct wire_seen seen;

        w.timestamps = rows[i].before;
        wire_open(&w);
        in_time_wait();
        w.timestamps = rows[i].after;
        w.ts += (uint32_t)rows[i].newer;
        w.isn += rows[i].beyond ? 100u : -100u;
        IN(&w, .flags = SYN);
        wire_flush(&w);
        cr_assert(wire_next(&w, &seen));
        cr_assert_eq(!!(seen.flags & SYN), rows[i].followed, "row %u", i);
        wire_close(&w);
    }
}

Test(tcp_close, time_wait_makes_room_for_new_connections_oldest_first)
{
    w.options.connections_max = 2;
    wire_open(&w);
    wire_listen(&w, 8);
    for (int i = 0; i < 2; i++) {
        struct weir_tcp_connection *c;
        struct wire_seen seen;

        w.port++;
        c = wire_connect(&w);
        weir_tcp_close(w.tcp, w.now, c);
        OUT(&w, FIN | ACK, 1, 1, 0);
        IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
        OUT(&w, ACK, 2, 2, 0);
        (void)seen;
    }
    w.port = 7;
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 2);
    w.port = 8; /* the older one is gone */
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
    wire_flush(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_rsts, 1);
    w.port = 9; /* the other is not */
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
    wire_flush(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_rsts, 1);
    wire_close_quietly(&w);
}

/* ---- resets by the peer ---- */

Test(tcp_close, reset_discards_what_was_not_read)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    IN(&w, .flags = RST, .seq = 11);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_CLOSED);
    cr_assert_eq(wire_events(&w, c), WEIR_TCP_READABLE | WEIR_TCP_WRITABLE | WEIR_TCP_FAILED);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, NULL), -ECONNRESET);
    cr_assert_eq(weir_tcp_send(w.tcp, c, NULL), -ECONNRESET);
    cr_assert_eq(rte_mempool_in_use_count(w.pool), 0, "both queues are freed at once");
    cr_assert_eq(weir_tcp_stats(w.tcp)->estab_resets, 1);
    weir_tcp_close(w.tcp, w.now, c);
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, reset_in_the_closing_states)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    in_time_wait();
    IN(&w, .flags = RST, .seq = 2);
    expect_freed();

    w.peer_port++;
    w.port++;
    c = wire_connect(&w); /* LAST-ACK, all data acknowledged: no error */
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 1);
    OUT(&w, ACK, 1, 2, 0);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    OUT(&w, FIN | ACK, 1, 2, 0);
    IN(&w, .flags = RST, .seq = 2);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_CLOSED);
    cr_assert_eq(weir_tcp_error(c), 0);
    weir_tcp_close(w.tcp, w.now, c);

    w.peer_port++;
    c = wire_connect(&w); /* data was lost with it: an error */
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 1);
    OUT(&w, ACK, 1, 2, 0);
    wire_send(&w, c, 10);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    OUT(&w, FIN | ACK, 1, 2, 10);
    IN(&w, .flags = RST, .seq = 2);
    cr_assert_eq(weir_tcp_error(c), -ECONNRESET);
    weir_tcp_close(w.tcp, w.now, c);
    expect_freed();
    wire_close(&w);
}

Test(tcp_close, state_names)
{
    cr_assert_str_eq(weir_tcp_state_name(WEIR_TCP_TIME_WAIT), "TIME_WAIT");
    cr_assert_str_eq(weir_tcp_state_name((enum weir_tcp_state)99), "?");
}
