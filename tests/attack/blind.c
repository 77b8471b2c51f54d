/* Who knows the four-tuple of a connection and sees nothing of it, and tries all the rest. RFC 5961 (RST, SYN, data),
 * RFC 5927 (ICMP). The single cases are in tests/conform/tcp and tests/unit/tcp_attack.c; here are all of them. */
#include "../support/tcp_wire.h"

enum { WINDOW = 65535 };

static struct wire w;
static struct weir_tcp_connection *c;
static struct weir_rng rng;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.timestamps = false; /* they would refuse nearly all of it by themselves */
    w.sack = true;
    w.peer_scale = 0;
    weir_rng_seed(&rng, 1);
    wire_open(&w);
    c = wire_established(&w);
}

TestSuite(blind, .init = setup, .timeout = 60);

/* How many segments came out since. */
static unsigned answers(void)
{
    unsigned n;

    wire_flush(&w);
    n = w.sent_count - w.sent_taken;
    w.sent_taken = w.sent_count = 0;
    return n;
}

/* The connection is what it was: both directions go on where they were. */
static void goes_on(void)
{
    (void)answers();
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    cr_assert_eq(weir_tcp_error(c), 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    OUT(&w, ACK, 1, 1001, 0);
    cr_assert_eq(wire_read(&w, c), 1000);
    wire_send(&w, c, 1000);
    OUT(&w, ACK, 1, 1001, 1000);
    IN(&w, .flags = ACK, .seq = 1001, .ack = 1001);
    cr_assert(weir_tcp_drained(c));
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* Each number of the window but the one that is next, and some on both sides of it. */
static void all_numbers(uint8_t flags, unsigned answers_max)
{
    unsigned answered = 0;

    for (int seq = -1000; seq < WINDOW + 1000; seq++)
        if (seq != 1) {
            IN(&w, .flags = flags, .seq = (uint32_t)seq, .ack = 1);
            answered += answers();
        }
    cr_assert_leq(answered, answers_max, "%u answers", answered);
    goes_on();
}

Test(blind, resets_in_the_window)
{
    all_numbers(RST, 10);
}

Test(blind, resets_with_an_ack_in_the_window)
{
    all_numbers(RST | ACK, 10);
}

Test(blind, syns_in_the_window)
{
    all_numbers(SYN, 10);
}

Test(blind, syns_with_an_ack_in_the_window)
{
    all_numbers(SYN | ACK, 10);
}

/* RFC 5961 section 5: the window's width is not enough, the ACK must be near what was acknowledged last. Of 2^32 only
 * those from the greatest window that the peer ever had, before SND.UNA, to SND.NXT. */
Test(blind, data_in_the_window_with_any_ack)
{
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t ack = (uint32_t)weir_rng_next(&rng), before = 1 - ack;

        if (before > WINDOW)
            IN(&w, .flags = ACK, .seq = 1 + (uint32_t)weir_rng_below(&rng, WINDOW - 10), .ack = ack, .length = 10);
        if (i % 1000 == 0)
            (void)answers();
        w.now += WEIR_MICROSECONDS(1);
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->out_of_order, 0);
    cr_assert_eq(wire_read(&w, c), 0);
    goes_on();
}

/* All of it made up. */
Test(blind, anything_at_random)
{
    for (unsigned i = 0; i < 300000; i++) {
        uint32_t seq = (uint32_t)weir_rng_next(&rng), ack = (uint32_t)weir_rng_next(&rng);

        IN(&w, .flags = (uint8_t)weir_rng_next(&rng), .seq = seq, .ack = ack, .length = i % 3);
        if (i % 1000 == 0)
            (void)answers();
    }
    goes_on();
}

/* RFC 5961 section 10: nor can he learn where the window is, by counting challenges on a connection of his own. */
Test(blind, challenges_are_few_whatever_is_asked)
{
    unsigned answered = 0;

    for (unsigned second = 0; second < 100; second++) {
        for (unsigned i = 0; i < 1000; i++) {
            IN(&w, .flags = i % 2 ? RST : SYN, .seq = 2 + i);
            answered += answers();
        }
        w.now += WEIR_SECONDS(1);
    }
    cr_assert_leq(answered, 10 * 100 / 5 + 10, "%u", answered);
    goes_on();
}

/* ---- ICMP: RFC 5927 ---- */

static void tell(uint8_t type, uint8_t code, uint32_t seq, uint16_t mtu)
{
    struct rte_tcp_hdr quote = {.src_port = rte_cpu_to_be_16(w.port),
                                .dst_port = rte_cpu_to_be_16(w.peer_port),
                                .sent_seq = rte_cpu_to_be_32(w.iss + seq)};
    struct weir_ip_rx rx = {.icmp_type = type,
                            .icmp_code = code,
                            .icmp_mtu = mtu,
                            .quoted_protocol = IPPROTO_TCP,
                            .quoted_src = w.address,
                            .quoted_dst = w.peer_address};

    memcpy(rx.icmp_quote, &quote, sizeof(rx.icmp_quote));
    weir_tcp_icmp_error(w.tcp, w.now, &rx);
}

/* Section 4.1: who does not see our segments does not know a number that is in flight. */
Test(blind, icmp_of_what_is_not_in_flight)
{
    uint32_t mss = weir_tcp_mss(c);

    wire_send(&w, c, 1000);
    OUT(&w, ACK, 1, 1, 1000);
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t seq = 1001 + (uint32_t)weir_rng_below(&rng, UINT32_MAX - 1000);

        tell(WEIR_ICMP_UNREACHABLE, (uint8_t)(i % 16), seq, 576);
        tell(WEIR_ICMP_TIME_EXCEEDED, 0, seq, 0);
    }
    cr_assert_eq(answers(), 0);
    cr_assert_eq(weir_tcp_mss(c), mss);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* Sections 5.2 and 7.2: what does quote a number in flight is no order to give up, and no reason to send crumbs. */
Test(blind, icmp_that_guessed_right_still_breaks_nothing)
{
    uint32_t mss = weir_tcp_mss(c);

    wire_send(&w, c, 1000);
    OUT(&w, ACK, 1, 1, 1000);
    for (uint8_t code = 0; code < 16; code++)
        if (code != WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED)
            tell(WEIR_ICMP_UNREACHABLE, code, 1, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    cr_assert_eq(weir_tcp_error(c), 0);
    for (uint16_t mtu = 0; mtu < 552; mtu++)
        tell(WEIR_ICMP_UNREACHABLE, WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED, 1, mtu);
    for (unsigned mtu = 1500; mtu <= UINT16_MAX; mtu += 100)
        tell(WEIR_ICMP_UNREACHABLE, WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED, 1, (uint16_t)mtu);
    cr_assert_eq(weir_tcp_mss(c), mss);
    cr_assert_eq(answers(), 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1001);
    cr_assert(weir_tcp_drained(c));
    weir_tcp_abort(w.tcp, w.now, c);
    wire_close_quietly(&w);
}
