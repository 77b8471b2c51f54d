/* What was lost is sent again, and how fast: RFC 6298, RFC 5681, RFC 6582, RFC 3042, RFC 6928. */
#include "tcp_wire.h"

#define MSS 1448u

static struct wire w;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.options.send_buffer = 1 << 20;
    w.options.congestion = &weir_tcp_reno; /* the numbers are its; unit-tcp_cubic has the other's */
}

TestSuite(tcp_loss, .init = setup, .timeout = 60);

static void ack(uint32_t ack)
{
    IN(&w, .flags = ACK, .seq = 1, .ack = ack);
}

/* Expects n full segments from the one at `from` (counted from 0) on. */
static void out(uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < from + n; i++)
        OUT(&w, ACK, 1 + i * MSS, 1, MSS);
}

static struct weir_tcp_connection *with_data(unsigned segments)
{
    struct weir_tcp_connection *c = wire_established(&w);

    for (unsigned i = 0; i < segments; i++)
        wire_send(&w, c, MSS);
    return c;
}

Test(tcp_loss, initial_window_is_ten_segments_and_slow_start_doubles_it)
{
    wire_open(&w);
    with_data(100);
    out(0, 10);
    NOTHING(&w);
    for (uint32_t i = 1; i <= 10; i++) {
        ack(1 + i * MSS);
        out(8 + 2 * i, 2);
        NOTHING(&w);
    }
    wire_close(&w);
}

Test(tcp_loss, ack_of_many_segments_does_not_let_a_burst_out)
{
    wire_open(&w);
    with_data(100);
    out(0, 10);
    ack(1 + 10 * MSS);
    out(10, 18);
    NOTHING(&w);
    wire_close(&w);
}

Test(tcp_loss, timeout_backs_off_and_gives_up)
{
    struct weir_tcp_connection *c;
    weir_time rto = WEIR_MILLISECONDS(200), start;

    wire_open(&w);
    c = with_data(1);
    out(0, 1);
    start = w.now;
    for (int i = 0; i < 15; i++) {
        wire_advance(&w, rto - 1);
        NOTHING(&w);
        wire_advance(&w, 1);
        out(0, 1);
        rto = RTE_MIN(2 * rto, WEIR_SECONDS(60));
    }
    wire_advance(&w, rto - 1);
    cr_assert_eq(weir_tcp_error(c), 0);
    wire_advance(&w, 1);
    OUT(&w, RST | ACK, 1449, 1, 0); /* a peer that is there after all must not wait for ever */
    cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT);
    cr_assert_geq(w.now - start, WEIR_SECONDS(100), "R2, RFC 1122 section 4.2.3.5");
    cr_assert(wire_events(&w, c) & WEIR_TCP_FAILED);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 15);
    cr_assert_eq(weir_tcp_send(w.tcp, c, NULL), -ETIMEDOUT);
    cr_assert_eq(weir_tcp_receive(w.tcp, c, NULL), -ETIMEDOUT);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), -ETIMEDOUT);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_loss, timeout_goes_back_and_starts_slowly)
{
    wire_open(&w);
    with_data(20);
    out(0, 10);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    out(0, 1);
    NOTHING(&w);
    ack(1 + MSS);
    out(1, 2);
    NOTHING(&w);
    ack(1 + 10 * MSS); /* the others had arrived: what follows is new */
    out(10, 3);        /* and one ACK, whatever it covers, is worth one segment now */
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->retrans_segs, 3);
    wire_close(&w);
}

Test(tcp_loss, second_timeout_does_not_halve_again)
{
    wire_open(&w);
    with_data(20);
    out(0, 10);
    wire_advance(&w, WEIR_MILLISECONDS(600));
    out(0, 1);
    out(0, 1);
    ack(1 + MSS);
    out(1, 2);
    ack(1 + 10 * MSS);
    out(10, 3);
    ack(1 + 13 * MSS);
    out(13, 5); /* still in slow start: ssthresh is 5 segments, not 2 */
    NOTHING(&w);
    wire_close(&w);
}

Test(tcp_loss, acks_while_going_back_carry_the_highest_number)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = with_data(5);
    out(0, 5);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    out(0, 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    OUT(&w, ACK, 1 + 5 * MSS, 11, 0); /* a lower one would be old, and the ACK in it not looked at */
    wire_read(&w, c);
    wire_close(&w);
}

Test(tcp_loss, ack_restarts_the_timer)
{
    wire_open(&w);
    with_data(2);
    out(0, 2);
    wire_advance(&w, WEIR_MILLISECONDS(150));
    ack(1 + MSS);
    wire_advance(&w, WEIR_MILLISECONDS(199));
    NOTHING(&w);
    wire_advance(&w, WEIR_SECONDS(1));
    out(1, 1);
    wire_close_quietly(&w);
}

Test(tcp_loss, timeout_follows_the_round_trip_time)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    for (uint32_t i = 0; i < 30; i++) {
        wire_send(&w, c, 10);
        OUT(&w, ACK, 1 + 10 * i, 1, 10);
        wire_advance(&w, WEIR_MILLISECONDS(i % 2 ? 500 : 700));
        while (w.sent_taken < w.sent_count) /* the first time it is too slow for the timer */
            w.sent_taken++;
        ack(1 + 10 * (i + 1));
        w.now += WEIR_MILLISECONDS(1);
    }
    wire_send(&w, c, 10);
    OUT(&w, ACK, 301, 1, 10);
    wire_advance(&w, WEIR_MILLISECONDS(750));
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(650));
    OUT(&w, ACK, 301, 1, 10);
    wire_close(&w);
}

/* Without timestamps an ACK after a retransmission says nothing about the time: Karn. */
static weir_time rto_after_retransmission(bool timestamps)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;
    weir_time sent;

    wire_init(&w);
    w.timestamps = timestamps;
    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 10);
    OUT(&w, ACK, 1, 1, 10);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, ACK, 1, 1, 10);
    w.now += WEIR_MILLISECONDS(1); /* the retransmission is answered after a millisecond */
    ack(11);
    wire_send(&w, c, 10);
    OUT(&w, ACK, 11, 1, 10);
    for (sent = w.now; !wire_next(&w, &seen);)
        wire_advance(&w, WEIR_MILLISECONDS(1));
    sent = w.now - sent;
    wire_close_quietly(&w);
    return sent;
}

Test(tcp_loss, retransmissions_are_not_timed_but_by_timestamps)
{
    cr_assert_eq(rto_after_retransmission(false), WEIR_MILLISECONDS(400), "still backed off");
    cr_assert_eq(rto_after_retransmission(true), WEIR_MILLISECONDS(200));
}

Test(tcp_loss, backing_off_does_not_outlast_its_cause)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = with_data(2);
    out(0, 2);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    out(0, 1);
    ack(1 + MSS); /* the first was timed; the second, now sent again and lost again, is not */
    out(1, 1);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    out(1, 1);
    ack(1 + 2 * MSS);
    wire_send(&w, c, MSS);
    out(2, 1);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    out(2, 1);
    wire_close(&w);
}

Test(tcp_loss, lost_syn_makes_the_first_timeout_three_seconds)
{
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    wire_advance(&w, WEIR_SECONDS(1));
    OUT(&w, SYN | ACK, 0, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
    wire_send(&w, c, MSS);
    wire_send(&w, c, MSS);
    out(0, 1); /* RFC 5681 section 3.1: one segment after a lost SYN */
    NOTHING(&w);
    wire_advance(&w, WEIR_SECONDS(3) - 1);
    NOTHING(&w);
    wire_advance(&w, 1);
    out(0, 1);
    wire_close(&w);
}

Test(tcp_loss, third_duplicate_ack_retransmits)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = with_data(30);
    out(0, 10);
    ack(1 + MSS); /* cwnd: 11 */
    out(10, 2);
    ack(1 + MSS);
    out(12, 1); /* limited transmit, RFC 3042 */
    ack(1 + MSS);
    out(13, 1);
    NOTHING(&w);
    ack(1 + MSS);
    out(1, 1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 1);
    for (int i = 0; i < 5; i++) /* 13 are in flight; the window is 5.5 + 3 + 5 */
        ack(1 + MSS);
    NOTHING(&w);
    ack(1 + MSS);
    out(14, 1);
    NOTHING(&w);
    ack(1 + 14 * MSS); /* recovery ends, without a burst: one is in flight, one more may be */
    out(15, 1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 0);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

Test(tcp_loss, partial_acks_retransmit_one_hole_each)
{
    wire_open(&w);
    with_data(10);
    out(0, 10);
    for (int i = 0; i < 3; i++) /* 0, 3 and 6 were lost */
        ack(1);
    out(0, 1);
    ack(1 + 3 * MSS);
    out(3, 1);
    NOTHING(&w);
    ack(1 + 6 * MSS);
    out(6, 1);
    NOTHING(&w);
    ack(1 + 10 * MSS);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->retrans_segs, 3);
    wire_close(&w);
}

Test(tcp_loss, many_holes_end_in_a_timeout)
{
    wire_open(&w);
    with_data(10);
    out(0, 10);
    for (int i = 0; i < 3; i++)
        ack(1);
    out(0, 1);
    for (uint32_t i = 1; i < 5; i++) { /* a hole each 70 ms: only the first partial ACK restarts the timer */
        w.now += WEIR_MILLISECONDS(70);
        weir_tcp_timers(w.tcp, w.now);
        ack(1 + i * MSS);
        wire_flush(&w);
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 1);
    wire_close_quietly(&w);
}

Test(tcp_loss, duplicates_after_a_timeout_do_not_retransmit_fast)
{
    wire_open(&w);
    with_data(10);
    out(0, 10);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    out(0, 1);
    for (int i = 0; i < 5; i++)
        ack(1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 0, "RFC 6582 section 3.2, step 2");
    wire_close(&w);
}

Test(tcp_loss, next_loss_right_after_recovery_is_found)
{
    wire_open(&w);
    with_data(60);
    out(0, 10);
    for (int i = 0; i < 3; i++)
        ack(1);
    out(0, 1);
    ack(1 + 10 * MSS);
    out(10, 2);
    for (int i = 0; i < 3; i++)
        ack(1 + 10 * MSS);
    out(10, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 2);
    wire_close_quietly(&w);
}

Test(tcp_loss, data_and_window_updates_are_no_duplicates)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = with_data(10);
    out(0, 10);
    for (uint32_t i = 0; i < 5; i++)
        IN(&w, .flags = ACK, .seq = 1 + 10 * i, .ack = 1, .length = 10);
    for (uint32_t i = 0; i < 5; i++)
        IN(&w, .flags = ACK, .seq = 51, .ack = 1, .window_is = true, .window = 65000 - i);
    OUT(&w, ACK, 1 + 10 * MSS, 51, 0);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 0);
    wire_read(&w, c);
    wire_close(&w);
}

static void small_segments_then_many(bool half_closed)
{
    struct weir_tcp_connection *c;
    uint32_t seq = half_closed ? 2 : 1;

    wire_init(&w);
    wire_open(&w);
    c = wire_established(&w);
    if (half_closed) { /* no segment is predicted then */
        IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 1);
        OUT(&w, ACK, 1, 2, 0);
    }
    for (uint32_t i = 0; i < 200; i++) { /* one small segment a round trip */
        wire_send(&w, c, 100);
        OUT(&w, ACK, 1 + 100 * i, seq, 100);
        IN(&w, .flags = ACK, .seq = seq, .ack = 101 + 100 * i);
    }
    for (int i = 0; i < 30; i++)
        wire_send(&w, c, MSS);
    for (uint32_t i = 0; i < 10; i++)
        OUT(&w, ACK, 20001 + i * MSS, seq, MSS);
    NOTHING(&w);
    wire_close(&w);
}

Test(tcp_loss, window_does_not_grow_while_it_is_not_used)
{
    small_segments_then_many(false);
    small_segments_then_many(true);
}

Test(tcp_loss, window_shrinks_after_a_pause)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = with_data(30);
    for (uint32_t i = 0; i < 30; i += 10) {
        wire_flush(&w);
        ack(1 + (i + 10) * MSS);
    }
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    cr_assert(weir_tcp_drained(c));
    wire_advance(&w, WEIR_SECONDS(5));
    for (int i = 0; i < 30; i++)
        wire_send(&w, c, MSS);
    out(30, 10); /* RFC 5681 section 4.1 */
    NOTHING(&w);
    wire_close(&w);
}

static struct weir_tcp_info info_of(const struct weir_tcp_connection *c)
{
    struct weir_tcp_info info;

    weir_tcp_get_info(w.tcp, c, &info);
    return info;
}

/* One round trip: as much as the window takes, all of it acknowledged. */
static void round_trip(struct weir_tcp_connection *c)
{
    struct wire_seen seen;
    uint32_t end = 0;

    for (uint32_t sent = 0; sent < info_of(c).cwnd; sent += MSS)
        wire_send(&w, c, MSS);
    wire_flush(&w);
    while (wire_next(&w, &seen))
        end = seen.seq + seen.length;
    wire_advance(&w, WEIR_MILLISECONDS(10));
    ack(end);
}

/* RFC 7661 section 4.4: a window that a slow writer does not fill is kept for five minutes, then halved. */
Test(tcp_loss, window_that_is_not_filled_is_kept_for_five_minutes)
{
    struct weir_tcp_connection *c;
    uint32_t before;

    w.options.rto_min = WEIR_SECONDS(5); /* a second between two segments is no pause */
    wire_open(&w);
    c = with_data(0);
    for (int i = 0; i < 4; i++)
        round_trip(c);
    before = info_of(c).cwnd;
    cr_assert_gt(before, 40 * MSS);
    for (int s = 0; s < 301; s++) {
        cr_assert_eq(info_of(c).cwnd, before, "after %d s", s);
        wire_send(&w, c, 100);
        wire_flush(&w);
        ack((uint32_t)w.written + 1);
        w.sent_taken = w.sent_count;
        wire_advance(&w, WEIR_SECONDS(1));
    }
    wire_send(&w, c, 100);
    wire_flush(&w);
    ack((uint32_t)w.written + 1);
    cr_assert_eq(info_of(c).cwnd, before / 2);
    wire_close_quietly(&w);
}

/* RFC 7661 section 4.4.4: three quarters of it are where slow start leads to. */
Test(tcp_loss, window_before_a_pause_is_remembered)
{
    struct weir_tcp_connection *c;
    uint32_t before;

    wire_open(&w);
    c = with_data(10);
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    wire_advance(&w, WEIR_MILLISECONDS(1000)); /* all ten are lost: ssthresh is five */
    w.sent_taken = w.sent_count;
    ack(1 + 10 * MSS);
    cr_assert_eq(info_of(c).ssthresh, 5 * MSS);
    while (info_of(c).cwnd < 16 * MSS)
        round_trip(c);
    before = info_of(c).cwnd;
    wire_advance(&w, WEIR_SECONDS(5));
    wire_send(&w, c, MSS);
    wire_flush(&w);
    cr_assert_eq(info_of(c).cwnd, 10 * MSS);
    cr_assert_eq(info_of(c).ssthresh, before / 4 * 3);
    wire_close_quietly(&w);
}

Test(tcp_loss, lost_fin_is_sent_again)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_send(&w, c, 100);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    OUT(&w, FIN | ACK, 1, 1, 100);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, FIN | ACK, 1, 1, 100);
    ack(101);
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(200));
    OUT(&w, FIN | ACK, 101, 1, 0);
    ack(102);
    cr_assert(weir_tcp_drained(c));
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_FIN_WAIT_2);
    wire_close(&w);
}
