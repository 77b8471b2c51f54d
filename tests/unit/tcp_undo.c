/* Losses that were none: RFC 3522, RFC 4015. */
#include "tcp_wire.h"

#define MSS 1448u

static struct wire w;
static struct weir_tcp_connection *c;
static struct weir_tcp_info before, info;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    w.options.send_buffer = 1 << 20;
}

TestSuite(tcp_undo, .init = setup, .timeout = 60);

static uint32_t at(uint32_t n)
{
    return 1 + n * MSS;
}

static void later(weir_time by)
{
    w.now += by;
    w.ts += (uint32_t)(by / 1000000);
    weir_tcp_timers(w.tcp, w.now);
}

static void look(struct weir_tcp_info *at_now)
{
    weir_tcp_get_info(w.tcp, c, at_now);
}

/* Ten segments out, a round trip of 10 ms. Returns what they were stamped. */
static uint32_t ten_in_flight(void)
{
    struct weir_tcp_listener *listener;
    uint32_t stamp;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    later(WEIR_MILLISECONDS(10));
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
    for (uint32_t i = 0; i < 10; i++)
        wire_send(&w, c, MSS);
    for (uint32_t i = 0; i < 10; i++)
        OUT(&w, ACK, at(i), 1, MSS);
    look(&before);
    stamp = w.ts_echo;
    later(WEIR_MILLISECONDS(10));
    return stamp;
}

/* An ACK that echoes `stamp`, up to segment `to`; with a block, unless left is right. */
static void ack(uint32_t stamp, uint32_t to, uint32_t left, uint32_t right)
{
    w.ts_echo = stamp;
    IN(&w, .flags = ACK, .seq = 1, .ack = at(to), .sack_count = left != right, .sack = {{at(left), at(right)}});
}

/* Segments 1 to 9 have come, 0 has not: it goes again, and the window shrinks. */
static uint32_t take_first_for_lost(void)
{
    uint32_t stamp = ten_in_flight();

    ack(stamp, 0, 1, 10);
    OUT(&w, ACK, at(0), 1, MSS);
    look(&info);
    cr_assert(info.recovering && info.ssthresh < before.cwnd);
    return stamp;
}

/* RFC 3522 section 3.2, RFC 4015 section 3.2 */
Test(tcp_undo, window_is_back_when_what_was_overtaken_arrives)
{
    uint32_t stamp = take_first_for_lost();

    later(WEIR_MILLISECONDS(1));
    ack(stamp, 10, 0, 0);
    look(&info);
    cr_expect(!info.recovering);
    cr_expect(info.cwnd >= before.cwnd, "%u of %u", info.cwnd, before.cwnd);
    cr_expect_eq(info.ssthresh, before.ssthresh);
    cr_expect(info.reordering_seen);
    cr_expect_eq(weir_tcp_stats(w.tcp)->spurious_losses, 1);
    wire_close_quietly(&w);
}

Test(tcp_undo, window_stays_small_when_the_second_sending_mended_it)
{
    uint32_t again;

    take_first_for_lost();
    again = w.ts_echo;
    later(WEIR_MILLISECONDS(10));
    ack(again, 10, 0, 0);
    look(&info);
    cr_expect(!info.recovering);
    cr_expect(info.cwnd < before.cwnd);
    cr_expect_eq(weir_tcp_stats(w.tcp)->spurious_losses, 0);
    wire_close_quietly(&w);
}

/* The ACK after the first that moves SND.UNA may be of anything. */
Test(tcp_undo, only_the_first_acknowledgement_tells)
{
    uint32_t stamp = ten_in_flight(), again;

    ack(stamp, 0, 1, 5); /* 5 to 9 are missing, too, but that is found out later */
    OUT(&w, ACK, at(0), 1, MSS);
    again = w.ts_echo;
    later(WEIR_MILLISECONDS(10));
    ack(again, 5, 0, 0);
    ack(stamp, 6, 0, 0);
    look(&info);
    cr_expect(info.cwnd < before.cwnd);
    cr_expect_eq(weir_tcp_stats(w.tcp)->spurious_losses, 0);
    wire_close_quietly(&w);
}

/* RFC 4015: a path that stood still for a while has lost nothing; only the first segment went twice. */
Test(tcp_undo, timeout_that_was_too_soon_repeats_one_segment_only)
{
    uint32_t stamp = ten_in_flight();
    struct wire_seen seen;

    wire_advance(&w, WEIR_MILLISECONDS(400));
    look(&info);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 1);
    cr_assert(info.cwnd <= MSS);
    while (wire_next(&w, &seen))
        ;
    ack(stamp, 2, 0, 0);
    look(&info);
    cr_expect(info.cwnd >= before.cwnd, "%u of %u", info.cwnd, before.cwnd);
    cr_expect_eq(info.ssthresh, before.ssthresh);
    NOTHING(&w);
    for (uint32_t i = 3; i <= 10; i++)
        ack(stamp, i, 0, 0);
    NOTHING(&w);
    wire_close(&w);
}
