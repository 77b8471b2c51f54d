/* Explicit congestion notification: RFC 3168. */
#include "tcp_wire.h"

#define MSS 1448u
enum { ECE = RTE_TCP_ECE_FLAG, CWR = RTE_TCP_CWR_FLAG, ECT_0 = 2, CE = 3 };

static struct wire w;
static struct weir_tcp_listener *listener;
static struct weir_tcp_connection *c;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    w.options.send_buffer = 1 << 20;
    w.options.congestion = &weir_tcp_reno;
}

TestSuite(tcp_ecn, .init = setup, .timeout = 60);

static void establish(void)
{
    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN | ECE | CWR);
    OUT(&w, SYN | ACK | ECE, 0, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
}

static struct wire_seen next(void)
{
    struct wire_seen seen = {0};

    wire_flush(&w);
    cr_assert(wire_next(&w, &seen));
    return seen;
}

/* Section 6.1.1 */
Test(tcp_ecn, is_agreed_to_with_who_asks)
{
    establish();
    wire_close_quietly(&w);
}

Test(tcp_ecn, is_not_agreed_to_with_who_does_not_ask_or_half)
{
    static const uint8_t asks[] = {0, ECE, CWR};

    for (unsigned i = 0; i < sizeof(asks); i++) {
        setup();
        wire_open(&w);
        wire_listen(&w, 1);
        IN(&w, .flags = SYN | asks[i]);
        OUT(&w, SYN | ACK, 0, 1, 0);
        wire_close_quietly(&w);
    }
    setup();
    w.options.ecn = WEIR_TCP_ECN_OFF;
    wire_open(&w);
    wire_listen(&w, 1);
    IN(&w, .flags = SYN | ECE | CWR);
    OUT(&w, SYN | ACK, 0, 1, 0);
    wire_close_quietly(&w);
}

static void connect_with(uint8_t answer, uint8_t expected_tos)
{
    struct weir_endpoint remote = wire_remote(&w, w.peer_port);

    w.options.ecn = WEIR_TCP_ECN_REQUEST;
    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN | ECE | CWR, 0, 0, 0);
    IN(&w, .flags = SYN | ACK | answer, .ack = 1);
    OUT(&w, ACK, 1, 1, 0);
    wire_send(&w, c, 100);
    cr_expect_eq(next().tos, expected_tos);
    wire_close_quietly(&w);
}

Test(tcp_ecn, is_asked_for_where_that_is_wanted)
{
    connect_with(ECE, ECT_0);
    setup();
    connect_with(0, 0);
    setup();
    connect_with(ECE | CWR, 0); /* a broken peer: section 6.1.1 */
}

/* Section 6.1.1.1 */
Test(tcp_ecn, lost_syn_is_sent_again_without_asking)
{
    struct weir_endpoint remote = wire_remote(&w, w.peer_port);

    w.options.ecn = WEIR_TCP_ECN_REQUEST;
    wire_open(&w);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port, &w, &c), 0);
    OUT(&w, SYN | ECE | CWR, 0, 0, 0);
    wire_advance(&w, WEIR_SECONDS(1));
    OUT(&w, SYN, 0, 0, 0);
    wire_close_quietly(&w);
}

/* Sections 6.1.2, 6.1.4 and 6.1.5 */
Test(tcp_ecn, only_new_data_may_be_marked)
{
    struct wire_seen seen;

    establish();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    seen = OUT(&w, ACK, 1, 11, 0);
    cr_expect_eq(seen.tos, 0, "a pure ACK");
    wire_send(&w, c, 100);
    seen = OUT(&w, ACK, 1, 11, 100);
    cr_expect_eq(seen.tos, ECT_0);
    wire_advance(&w, WEIR_MILLISECONDS(250));
    seen = OUT(&w, ACK, 1, 11, 100);
    cr_expect_eq(seen.tos, 0, "a retransmission");
    wire_read(&w, c);
    wire_close_quietly(&w);
}

/* Section 6.1.3 */
Test(tcp_ecn, mark_is_echoed_until_it_is_heard)
{
    establish();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .tos = CE);
    OUT(&w, ACK | ECE, 1, 11, 0);
    IN(&w, .flags = ACK, .seq = 11, .ack = 1, .length = 10, .tos = ECT_0);
    OUT(&w, ACK | ECE, 1, 21, 0);
    wire_send(&w, c, 10);
    OUT(&w, ACK | ECE, 1, 21, 10);
    IN(&w, .flags = ACK | CWR, .seq = 21, .ack = 11, .length = 10, .tos = ECT_0);
    OUT(&w, ACK, 11, 31, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->ecn_marked, 1);
    cr_assert_eq(wire_read(&w, c), 30);
    wire_close_quietly(&w);
}

Test(tcp_ecn, mark_that_comes_with_cwr_is_a_new_one)
{
    establish();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .tos = CE);
    OUT(&w, ACK | ECE, 1, 11, 0);
    IN(&w, .flags = ACK | CWR, .seq = 11, .ack = 1, .length = 10, .tos = CE);
    OUT(&w, ACK | ECE, 1, 21, 0);
    wire_read(&w, c);
    wire_close_quietly(&w);
}

/* Section 6.1.2 */
Test(tcp_ecn, echo_halves_the_window_once_a_round_trip)
{
    struct weir_tcp_info info;

    establish();
    for (int i = 0; i < 40; i++)
        wire_send(&w, c, MSS);
    for (uint32_t i = 0; i < 10; i++)
        OUT(&w, ACK, 1 + i * MSS, 1, MSS);
    IN(&w, .flags = ACK | ECE, .seq = 1, .ack = 1 + MSS);
    weir_tcp_get_info(w.tcp, c, &info);
    cr_assert_eq(info.ssthresh, 5 * MSS);
    cr_assert_leq(info.cwnd, 6 * MSS);
    for (uint32_t i = 2; i < 6; i++)
        IN(&w, .flags = ACK | ECE, .seq = 1, .ack = 1 + i * MSS);
    weir_tcp_get_info(w.tcp, c, &info);
    cr_assert_eq(info.ssthresh, 5 * MSS, "the same congestion");
    cr_assert_eq(weir_tcp_stats(w.tcp)->ecn_reductions, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->retrans_segs, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1 + 7 * MSS);
    OUT(&w, ACK | CWR, 1 + 10 * MSS, 1, MSS); /* says so, once */
    OUT(&w, ACK, 1 + 11 * MSS, 1, MSS);
    wire_close_quietly(&w);
}

/* Section 6.1.2: "for any reason". And a mark of the same flight is no new reason. */
Test(tcp_ecn, reduction_for_a_loss_is_told_too)
{
    struct wire_seen seen;
    struct weir_tcp_info info;

    establish();
    for (int i = 0; i < 10; i++)
        wire_send(&w, c, MSS);
    for (uint32_t i = 0; i < 10; i++)
        OUT(&w, ACK, 1 + i * MSS, 1, MSS);
    wire_advance(&w, WEIR_MILLISECONDS(300)); /* a timeout */
    wire_flush(&w);
    while (wire_next(&w, &seen))
        cr_assert(!(seen.flags & CWR), "what is sent again tells nothing: section 6.1.5");
    IN(&w, .flags = ACK | ECE, .seq = 1, .ack = 1 + 10 * MSS);
    weir_tcp_get_info(w.tcp, c, &info);
    cr_assert_eq(info.ssthresh, 5 * MSS, "the echo is of the same congestion");
    wire_send(&w, c, MSS);
    OUT(&w, ACK | CWR, 1 + 10 * MSS, 1, MSS);
    wire_close_quietly(&w);
}

/* Section 6.1.6 */
Test(tcp_ecn, probes_of_a_closed_window_may_not_be_marked)
{
    struct wire_seen seen;

    establish();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .window_is = true, .window = 0);
    wire_send(&w, c, 100);
    NOTHING(&w);
    wire_advance(&w, WEIR_SECONDS(1));
    seen = OUT(&w, ACK, 1, 1, 1);
    cr_assert_eq(seen.tos, 0);
    wire_close_quietly(&w);
}

Test(tcp_ecn, without_agreement_marks_mean_nothing)
{
    wire_open(&w);
    c = wire_established(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .tos = CE);
    OUT(&w, ACK, 1, 11, 0);
    wire_send(&w, c, 10);
    cr_expect_eq(next().tos, 0);
    wire_read(&w, c);
    wire_close_quietly(&w);
}
