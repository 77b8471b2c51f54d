/* Segments that somebody else made up: RFC 5961 (blind attacks), RFC 7323 section 5 (PAWS), acceptability. */
#include "tcp_wire.h"

static struct wire w;
static struct weir_tcp_connection *c;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
}

TestSuite(tcp_attack, .init = setup, .timeout = 60);

static void open(void)
{
    wire_open(&w);
    c = wire_established(&w);
}

Test(tcp_attack, only_the_exact_number_resets)
{
    open();
    IN(&w, .flags = RST, .seq = 2); /* in the window: a challenge */
    OUT(&w, ACK, 1, 1, 0);
    IN(&w, .flags = RST, .seq = 60000);
    OUT(&w, ACK, 1, 1, 0);
    IN(&w, .flags = RST, .seq = 0); /* outside of it: silence */
    IN(&w, .flags = RST, .seq = 400000);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    cr_assert_eq(weir_tcp_stats(w.tcp)->challenge_acks, 2);
    IN(&w, .flags = RST, .seq = 1);
    cr_assert_eq(weir_tcp_error(c), -ECONNRESET);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_attack, syn_on_a_connection_is_challenged)
{
    open();
    IN(&w, .flags = SYN, .seq = 1);
    OUT(&w, ACK, 1, 1, 0);
    IN(&w, .flags = SYN, .seq = 500000);
    OUT(&w, ACK, 1, 1, 0);
    IN(&w, .flags = SYN | ACK, .seq = 0, .ack = 1); /* a duplicate of the handshake's */
    OUT(&w, ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    wire_close(&w);
}

Test(tcp_attack, challenges_are_limited)
{
    open();
    for (int i = 0; i < 100; i++) {
        IN(&w, .flags = RST, .seq = 2);
        wire_flush(&w);
    }
    cr_assert_eq(w.sent_count, 10);
    w.sent_taken = w.sent_count;
    w.now += WEIR_SECONDS(5);
    IN(&w, .flags = RST, .seq = 2);
    OUT(&w, ACK, 1, 1, 0);
    wire_close(&w);
}

Test(tcp_attack, ack_of_what_was_never_sent_is_challenged)
{
    open();
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1, 1, 100);
    IN(&w, .flags = ACK, .seq = 1, .ack = 102, .length = 10);
    OUT(&w, ACK, 101, 1, 0);
    cr_assert(!weir_tcp_drained(c));
    cr_assert_eq(wire_read(&w, c), 0, "RFC 5961 section 5: its data is not taken");
    IN(&w, .flags = ACK, .seq = 1, .ack = 1u - 9000000u, .length = 10); /* older than any window that we had */
    OUT(&w, ACK, 101, 1, 0);
    cr_assert_eq(wire_read(&w, c), 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 101, .length = 10);
    OUT(&w, ACK, 101, 11, 0);
    IN(&w, .flags = ACK, .seq = 11, .ack = 90, .length = 10); /* old, but not too old */
    OUT(&w, ACK, 101, 21, 0);
    cr_assert_eq(wire_read(&w, c), 20);
    wire_close(&w);
}

Test(tcp_attack, segment_without_ack_is_dropped)
{
    open();
    IN(&w, .flags = 0, .seq = 1, .length = 10);
    IN(&w, .flags = FIN, .seq = 1, .length = 10);
    NOTHING(&w);
    cr_assert_eq(wire_read(&w, c), 0);
    wire_close(&w);
}

Test(tcp_attack, old_timestamps_are_dropped)
{
    open();
    w.ts += 100;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    OUT(&w, ACK, 1, 11, 0);
    IN(&w, .flags = ACK, .seq = 11, .ack = 1, .length = 10, .ts_is = true, .ts = w.ts - 1);
    OUT(&w, ACK, 1, 11, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->paws_dropped, 1);
    IN(&w, .flags = RST, .seq = 11, .ts_is = true, .ts = 0); /* RFC 7323 section 5.3: a RST is not tested */
    cr_assert_eq(weir_tcp_error(c), -ECONNRESET);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_attack, timestamps_wrap)
{
    w.ts = 0u - 2;
    open();
    for (uint32_t i = 0; i < 5; i++) {
        struct wire_seen seen;

        w.ts++;
        IN(&w, .flags = ACK, .seq = 1 + 10 * i, .ack = 1, .length = 10);
        seen = OUT(&w, ACK, 1, 11 + 10 * i, 0);
        cr_assert_eq(seen.options.timestamp_echo, w.ts);
    }
    cr_assert_eq(wire_read(&w, c), 50);
    wire_close(&w);
}

Test(tcp_attack, timestamps_mean_nothing_after_24_days)
{
    open();
    w.now += WEIR_SECONDS(25 * 24 * 3600);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .ts_is = true, .ts = w.ts - 1000);
    OUT(&w, ACK, 1, 11, 0);
    cr_assert_eq(wire_read(&w, c), 10);
    wire_close(&w);
}

/* RFC 5961 section 3.2: what is right behind the window is outside of it. */
Test(tcp_attack, reset_at_the_edges_of_the_window)
{
    open(); /* our SYN and ACK said 65535 */
    IN(&w, .flags = RST, .seq = 1 + 65535);
    NOTHING(&w);
    IN(&w, .flags = RST, .seq = 65535);
    OUT(&w, ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    wire_close(&w);
}

/* RFC 9293 section 3.10.7.4: resets are looked at even while the window is closed; section 3.5.3: they may have text.
 */
Test(tcp_attack, reset_with_text_enters_a_closed_window)
{
    w.options.receive_buffer = 1000;
    open();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    OUT(&w, ACK, 1, 1001, 0);
    IN(&w, .flags = RST, .seq = 1002, .length = 5);
    NOTHING(&w);
    IN(&w, .flags = RST, .seq = 1001, .length = 5);
    cr_assert_eq(weir_tcp_error(c), -ECONNRESET);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

/* A peer that started anew, without timestamps this time, can get rid of what it has forgotten: RFC 5961 section 4.2.
 */
Test(tcp_attack, syn_without_timestamps_is_challenged_too)
{
    open();
    IN(&w, .flags = SYN, .seq = 500000, .no_ts = true);
    OUT(&w, ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    wire_close(&w);
}

Test(tcp_attack, segment_without_timestamps_is_not_of_a_connection_with_them)
{
    open();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .no_ts = true);
    NOTHING(&w);
    cr_assert_eq(wire_read(&w, c), 0);
    IN(&w, .flags = RST, .seq = 1, .no_ts = true);
    cr_assert_eq(weir_tcp_error(c), -ECONNRESET);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_attack, oldest_timestamp_that_awaits_an_ack_is_echoed)
{
    struct wire_seen seen;
    uint32_t first;

    open();
    first = ++w.ts;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    w.ts++;
    IN(&w, .flags = ACK, .seq = 11, .ack = 1, .length = 10);
    seen = OUT(&w, ACK, 1, 21, 0);
    cr_assert_eq(seen.options.timestamp_echo, first, "RFC 7323 section 4.3");
    w.ts++;
    IN(&w, .flags = ACK, .seq = 31, .ack = 1, .length = 10); /* out of order: not echoed */
    seen = OUT(&w, ACK, 1, 21, 0);
    cr_assert_eq(seen.options.timestamp_echo, first);
    cr_assert_eq(wire_read(&w, c), 20);
    wire_close(&w);
}

Test(tcp_attack, oldest_timestamp_is_echoed_whatever_path_a_segment_takes)
{
    struct wire_seen seen;
    uint32_t first;

    open();
    first = ++w.ts;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    w.ts++;
    IN(&w, .flags = ACK, .seq = 5, .ack = 1, .length = 16); /* overlapping, so not predicted */
    seen = OUT(&w, ACK, 1, 21, 0);
    cr_assert_eq(seen.options.timestamp_echo, first);
    IN(&w, .flags = ACK, .seq = 15, .ack = 1, .length = 16);
    seen = OUT(&w, ACK, 1, 31, 0);
    cr_assert_eq(seen.options.timestamp_echo, w.ts);
    cr_assert_eq(wire_read(&w, c), 30);
    wire_close(&w);
}

Test(tcp_attack, addresses_of_others_are_ignored)
{
    struct rte_mbuf *frame;
    struct weir_ip_rx rx = {
        .src = w.peer_address, .dst = weir_address_v4(0xffffffff), .protocol = IPPROTO_TCP, .broadcast = true};

    open();
    frame = wire_frame(&w, &(struct wire_segment){.flags = SYN});
    rte_pktmbuf_adj(frame, 34);
    weir_tcp_input(w.tcp, w.now, &frame, &rx, 1);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->in_errs, 1);
    wire_close(&w);
}

/* All flags and lengths of headers, on each state: nothing may crash, and what is too short is counted. */
Test(tcp_attack, headers_cut_short)
{
    struct weir_ip_rx rx = {.src = w.peer_address, .dst = w.address, .protocol = IPPROTO_TCP};

    open();
    for (uint16_t keep = 0; keep < 32; keep++) {
        struct rte_mbuf *frame = wire_frame(&w, &(struct wire_segment){.flags = ACK, .seq = 1, .ack = 1, .length = 9});

        rte_pktmbuf_adj(frame, 34);
        rte_pktmbuf_trim(frame, (uint16_t)(frame->pkt_len - keep));
        frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        weir_tcp_input(w.tcp, w.now, &frame, &rx, 1);
    }
    NOTHING(&w);
    cr_assert_eq(weir_tcp_stats(w.tcp)->in_errs, 32);
    wire_close(&w);
}

/* How many challenges the machine answers in one second, however many connections ask. */
static unsigned challenges_in_a_second(uint8_t secret)
{
    enum { CONNECTIONS = 200, EACH = 10 };
    struct weir_tcp_listener *listener;

    setup();
    w.options.connections_max = CONNECTIONS;
    w.options.key[0] = secret;
    w.pool_size = w.control_size = 8192;
    wire_open(&w);
    listener = wire_listen(&w, CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        w.peer_port = (uint16_t)(10000 + i);
        (void)wire_accept(&w, listener);
        for (unsigned k = 0; k < EACH; k++) {
            IN(&w, .flags = RST, .seq = 2);
            wire_flush(&w);
            w.sent_taken = w.sent_count = 0;
        }
    }
    unsigned answered = (unsigned)weir_tcp_stats(w.tcp)->challenge_acks;
    wire_close_quietly(&w);
    return answered;
}

/* RFC 5961 section 10: a limit for all, that no stranger knows */
Test(tcp_attack, challenges_of_all_connections_are_limited_by_a_secret_number)
{
    unsigned first = challenges_in_a_second(1), second = challenges_in_a_second(2);

    cr_assert(first >= 500 && first < 1500, "%u", first);
    cr_assert(second >= 500 && second < 1500, "%u", second);
    cr_assert_neq(first, second);
    cr_assert_eq(first, challenges_in_a_second(1));
}
