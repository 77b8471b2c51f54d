/* Loss on connections with SACK: RFC 2018, RFC 2883, RFC 6675, RFC 6937, RFC 8985. */
#include "tcp_wire.h"

#define MSS 1448u

static struct wire w;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    w.options.send_buffer = 1 << 20;
    w.options.congestion = &weir_tcp_reno;
}

TestSuite(tcp_sack, .init = setup, .timeout = 60);

/* Where the n-th full segment begins. */
static uint32_t at(uint32_t n)
{
    return 1 + n * MSS;
}

static void out(uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < from + n; i++)
        OUT(&w, ACK, at(i), 1, MSS);
}

static void ack(uint32_t segments)
{
    IN(&w, .flags = ACK, .seq = 1, .ack = at(segments));
}

/* An ACK up to segment `to`, with one block: segments from `left` to before `right`. */
static void sack(uint32_t to, uint32_t left, uint32_t right)
{
    IN(&w, .flags = ACK, .seq = 1, .ack = at(to), .sack_count = 1, .sack = {{at(left), at(right)}});
}

/* A millisecond passes: packets that are sent later are later. */
static void later(weir_time by)
{
    w.now += by;
    weir_tcp_timers(w.tcp, w.now);
}

/* A connection with a round trip of 10 ms, and something to send. */
static struct weir_tcp_connection *with_data(unsigned segments)
{
    struct weir_tcp_listener *listener = wire_listen(&w, 1);
    struct weir_tcp_connection *c;

    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    later(WEIR_MILLISECONDS(10));
    ack(0);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
    for (unsigned i = 0; i < segments; i++)
        wire_send(&w, c, MSS);
    return c;
}

static uint32_t last_out; /* the last segment that times_out saw */

/* Takes all that came out. Returns how often the n-th segment was among it. */
static unsigned times_out(uint32_t n)
{
    struct wire_seen seen;
    unsigned times = 0;

    wire_flush(&w);
    while (wire_next(&w, &seen)) {
        times += seen.seq == at(n) && seen.length > 0;
        last_out = (seen.seq - 1) / MSS;
    }
    return times;
}

/* ---- told ---- */

static void expect_blocks(unsigned count, const struct weir_tcp_sack_block *blocks)
{
    struct wire_seen seen;

    wire_flush(&w);
    cr_assert(wire_next(&w, &seen));
    cr_assert_eq(seen.options.sack_count, count, "%u blocks", seen.options.sack_count);
    for (unsigned i = 0; i < count; i++) {
        cr_expect_eq(seen.options.sack[i].left - w.isn, blocks[i].left, "block %u", i);
        cr_expect_eq(seen.options.sack[i].right - w.isn, blocks[i].right, "block %u", i);
    }
}
#define BLOCKS(...)                                                                                                    \
    expect_blocks(sizeof((struct weir_tcp_sack_block[]){__VA_ARGS__}) / sizeof(struct weir_tcp_sack_block),            \
                  (struct weir_tcp_sack_block[]){__VA_ARGS__})

static void data(uint32_t seq, uint32_t length)
{
    IN(&w, .flags = ACK, .seq = seq, .ack = 1, .length = length);
}

/* RFC 2018 section 2 */
Test(tcp_sack, is_offered_and_answered_only_to_who_offers_it)
{
    struct wire_seen seen;

    for (int peer = 0; peer < 2; peer++) {
        wire_init(&w);
        w.sack = peer;
        wire_open(&w);
        wire_listen(&w, 1);
        IN(&w, .flags = SYN);
        seen = OUT(&w, SYN | ACK, 0, 1, 0);
        cr_expect_eq(seen.options.sack_permitted, peer);
        wire_close_quietly(&w);
    }
}

/* RFC 2018 section 4 */
Test(tcp_sack, newest_block_comes_first)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    data(101, 100);
    BLOCKS({101, 201});
    data(301, 100);
    BLOCKS({301, 401}, {101, 201});
    data(501, 100);
    BLOCKS({501, 601}, {301, 401}, {101, 201});
    data(201, 100); /* joins two */
    BLOCKS({101, 401}, {501, 601});
    data(1, 100);
    OUT(&w, ACK, 1, 401, 0);
    wire_read(&w, c);
    data(401, 100);
    OUT(&w, ACK, 1, 601, 0);
    wire_read(&w, c);
    wire_close(&w);
}

/* RFC 2018 section 3: what fits beside the timestamps */
Test(tcp_sack, three_blocks_at_most_are_told)
{
    wire_open(&w);
    wire_established(&w);
    for (uint32_t i = 0; i < 4; i++) {
        data(101 + 200 * i, 100);
        wire_flush(&w);
        w.sent_taken = w.sent_count;
    }
    data(901, 100);
    BLOCKS({901, 1001}, {701, 801}, {501, 601});
    wire_close_quietly(&w);
}

/* RFC 2883 section 4.1.1 */
Test(tcp_sack, what_comes_twice_is_told)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    data(1, 100);
    OUT(&w, ACK, 1, 101, 0);
    data(1, 100);
    BLOCKS({1, 101});
    data(201, 100);
    BLOCKS({201, 301}); /* once only */
    data(201, 100);     /* RFC 2883 section 4.1.3: out of order, and twice */
    BLOCKS({201, 301}, {201, 301});
    wire_read(&w, c);
    wire_close_quietly(&w);
}

/* RFC 2883 section 4.2.1 */
Test(tcp_sack, part_that_comes_twice_is_told)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    data(1, 100);
    OUT(&w, ACK, 1, 101, 0);
    data(51, 100);
    BLOCKS({51, 101});
    wire_read(&w, c);
    wire_close_quietly(&w);
}

/* ---- heard ---- */

/* RFC 8985 section 6.2 step 4: RFC 6675's threshold, while nothing was seen to reorder */
Test(tcp_sack, third_segment_beyond_a_hole_brings_it_again)
{
    wire_open(&w);
    with_data(10);
    out(0, 10);
    later(WEIR_MILLISECONDS(10));
    sack(0, 1, 2);
    NOTHING(&w);
    sack(0, 1, 3);
    NOTHING(&w);
    sack(0, 1, 4);
    out(0, 1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 1);
    ack(10);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 0);
    wire_close(&w);
}

/* RFC 8985 section 6.2 step 5: one is enough, after a quarter of the round trip */
Test(tcp_sack, fewer_bring_it_again_when_reordering_has_had_its_time)
{
    wire_open(&w);
    with_data(2);
    out(0, 2);
    later(WEIR_MILLISECONDS(10));
    sack(0, 1, 2);
    wire_advance(&w, WEIR_MILLISECONDS(2));
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(2));
    out(0, 1);
    ack(2);
    NOTHING(&w);
    wire_close(&w);
}

/* What NewReno cannot: RFC 6675 */
Test(tcp_sack, all_holes_are_mended_in_one_round_trip)
{
    wire_open(&w);
    with_data(10);
    out(0, 10);
    later(WEIR_MILLISECONDS(1));
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 3,
       .sack = {{at(7), at(10)}, {at(4), at(6)}, {at(1), at(3)}});
    out(0, 1);
    out(3, 1);
    out(6, 1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->retrans_segs, 3);
    ack(10);
    NOTHING(&w);
    wire_close(&w);
}

/* RFC 8985 section 6.2 step 5: a retransmission that is lost is found by what was sent after it */
Test(tcp_sack, lost_retransmission_is_sent_again_without_a_timeout)
{
    wire_open(&w);
    with_data(30);
    out(0, 10);
    later(WEIR_MILLISECONDS(10));
    sack(0, 1, 8);
    cr_assert_eq(times_out(0), 1);
    later(WEIR_MILLISECONDS(2));
    sack(0, 1, 10);
    times_out(0);
    cr_assert_geq(last_out, 10, "new data");
    later(WEIR_MILLISECONDS(11));
    IN(&w, .flags = ACK, .seq = 1, .ack = 1,
       .sack_count = 2, /* it was sent after the retransmission, and has arrived */
       .sack = {{at(last_out), at(last_out + 1)}, {at(1), at(10)}});
    cr_assert_eq(times_out(0), 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 0);
    wire_close_quietly(&w);
}

/* RFC 8985 section 6.2 steps 3 and 4 */
Test(tcp_sack, path_that_reorders_is_given_time)
{
    wire_open(&w);
    with_data(30);
    out(0, 10);
    later(WEIR_MILLISECONDS(10));
    sack(0, 1, 3);
    cr_assert_eq(times_out(0), 0);
    ack(3); /* the first came after the others: this path reorders */
    times_out(0);
    sack(3, 4, 8);
    cr_assert_eq(times_out(3), 0, "four beyond a hole, and yet");
    wire_advance(&w, WEIR_MILLISECONDS(2));
    cr_assert_eq(times_out(3), 0);
    wire_advance(&w, WEIR_MILLISECONDS(2));
    cr_assert_eq(times_out(3), 1);
    wire_close_quietly(&w);
}

/* RFC 8985 section 6.3, RFC 6675 section 5.1 */
Test(tcp_sack, timeout_sends_the_holes_and_not_what_has_arrived)
{
    wire_open(&w);
    with_data(6);
    out(0, 6);
    later(WEIR_MILLISECONDS(10));
    sack(0, 1, 4);
    out(0, 1); /* and it is lost, with what follows */
    wire_advance(&w, WEIR_MILLISECONDS(300));
    out(0, 1);
    NOTHING(&w);
    ack(4);
    out(4, 1);
    ack(5);
    out(5, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 1);
    wire_close_quietly(&w);
}

/* RFC 2018 section 8 */
Test(tcp_sack, peer_that_takes_back_what_it_said_is_sent_all_again)
{
    wire_open(&w);
    with_data(4);
    out(0, 4);
    later(WEIR_MILLISECONDS(1));
    sack(0, 1, 4);
    out(0, 1);
    ack(1); /* and no word of the others any more */
    wire_advance(&w, WEIR_MILLISECONDS(450));
    out(1, 1);
    ack(2);
    out(2, 1);
    ack(3);
    out(3, 1);
    ack(4);
    NOTHING(&w);
    wire_close(&w);
}

/* Input is not believed: RFC 2018 section 5 */
Test(tcp_sack, blocks_that_cannot_be_are_nothing)
{
    wire_open(&w);
    with_data(10);
    out(0, 10);
    later(WEIR_MILLISECONDS(1));
    sack(0, 5, 20);                                                                          /* never sent            */
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 1, .sack = {{at(5), at(3)}});     /* ends before it begins */
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 1, .sack = {{at(5), at(5)}});     /* empty                 */
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 1, .sack = {{at(5) + 1, at(6)}}); /* half a packet     */
    NOTHING(&w);
    ack(10);
    NOTHING(&w);
    wire_close(&w);
}

/* RFC 6937: down to ssthresh as fast as data leaves the network */
Test(tcp_sack, recovery_halves_the_rate_without_a_pause)
{
    unsigned sent = 0;
    struct wire_seen seen;

    wire_open(&w);
    with_data(200);
    out(0, 10);
    for (uint32_t i = 1; i <= 10; i++) {
        ack(i);
        out(8 + 2 * i, 2);
    }
    later(WEIR_MILLISECONDS(1)); /* 20 are in flight, from 10 on; 10 was lost */
    for (uint32_t i = 12; i <= 30; i++) {
        sack(10, 11, i);
        wire_flush(&w);
        while (wire_next(&w, &seen))
            sent++;
    }
    cr_assert(sent >= 9 && sent <= 13, "%u for 19 that have arrived", sent); /* a half, and limited transmit */
    wire_close_quietly(&w);
}

/* ---- tail loss probe: RFC 8985 section 7 ---- */

Test(tcp_sack, probe_finds_the_lost_tail_before_a_timeout)
{
    wire_open(&w);
    with_data(5);
    out(0, 5);
    later(WEIR_MILLISECONDS(1));
    ack(2);
    wire_advance(&w, WEIR_MILLISECONDS(50));
    out(4, 1); /* the last one again, though 2 and 3 are lost as well */
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->tail_loss_probes, 1);
    later(WEIR_MILLISECONDS(1));
    sack(2, 4, 5);
    out(2, 2);
    ack(5);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 0);
    wire_close(&w);
}

Test(tcp_sack, probe_is_new_data_where_there_is_some)
{
    wire_open(&w);
    with_data(12);
    out(0, 10);
    wire_advance(&w, WEIR_MILLISECONDS(50));
    out(10, 1);
    NOTHING(&w);
    wire_close_quietly(&w);
}

Test(tcp_sack, one_probe_and_then_the_timeout)
{
    wire_open(&w);
    with_data(5);
    out(0, 5);
    wire_advance(&w, WEIR_MILLISECONDS(50));
    out(4, 1);
    wire_advance(&w, WEIR_MILLISECONDS(100));
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(150));
    out(0, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->timeouts, 1);
    wire_close_quietly(&w);
}

/* Section 7.2: a peer may delay the ACK of one segment */
Test(tcp_sack, no_probe_for_one_segment_alone)
{
    wire_open(&w);
    with_data(1);
    out(0, 1);
    wire_advance(&w, WEIR_MILLISECONDS(199));
    NOTHING(&w);
    wire_advance(&w, WEIR_MILLISECONDS(2));
    out(0, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->tail_loss_probes, 0);
    wire_close_quietly(&w);
}
