/* Connections that live long: what was noted of their past must not be taken for the future when sequence numbers, or
 * the clock's microseconds, have gone half round. */
#include "tcp_wire.h"

#define MSS 1448u
enum { ECE = RTE_TCP_ECE_FLAG, CWR = RTE_TCP_CWR_FLAG, BATCH = 512 };

static struct wire w;
static struct weir_tcp_connection *c;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    w.pool_size = 2 * BATCH;
    w.capabilities = WEIR_DEV_TX_IPV4_CKSUM | WEIR_DEV_TX_TCP_CKSUM; /* nobody looks at all that */
    w.options.send_buffer = BATCH * MSS;
    w.options.congestion = &weir_tcp_reno;
    w.peer_scale = 10;
}

TestSuite(tcp_long, .init = setup, .timeout = 60);

static void establish(uint8_t flags)
{
    struct weir_tcp_listener *listener;

    wire_open(&w);
    listener = wire_listen(&w, 1);
    IN(&w, .flags = SYN | flags);
    wire_flush(&w);
    OUT(&w, flags != 0 ? SYN | ACK | ECE : SYN | ACK, 0, 1, 0);
    w.now += WEIR_MILLISECONDS(10);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_accept(w.tcp, listener, &c, &c), 0);
}

static void send_segments(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        wire_send(&w, c, MSS);
    wire_flush(&w);
    w.sent_count = w.sent_taken = 0;
}

/* Fills the send buffer with whatever lies in the packets. */
static void fill(void)
{
    while (weir_tcp_send_room(c) > 0) {
        struct rte_mbuf *m = rte_pktmbuf_alloc(w.pool);

        cr_assert_not_null(m);
        cr_assert_not_null(rte_pktmbuf_append(m, MSS));
        cr_assert_eq(weir_tcp_send(w.tcp, c, m), 0);
        w.written += MSS;
    }
}

/* Sends more than half of the sequence numbers, and all of it arrives. Returns what is acknowledged then. */
static uint32_t transfer(void)
{
    uint32_t end = 1;

    while (w.written < UINT32_C(0x90000000) || end != 1 + (uint32_t)w.written) {
        if (w.written < UINT32_C(0x90000000))
            fill();
        wire_flush(&w);
        end += (w.sent_count - w.sent_taken) * MSS;
        w.sent_taken = w.sent_count = 0;
        w.now += WEIR_MILLISECONDS(1);
        IN(&w, .flags = ACK, .seq = 1, .ack = end);
    }
    return end;
}

/* RFC 3168 section 6.1.2: "once every window of data" */
Test(tcp_long, marks_are_heeded_after_two_gigabytes)
{
    uint32_t end;

    establish(ECE | CWR);
    end = transfer();
    send_segments(1);
    IN(&w, .flags = ACK | ECE, .seq = 1, .ack = end);
    cr_assert_eq(weir_tcp_stats(w.tcp)->ecn_reductions, 1);
    wire_close_quietly(&w);
}

/* RFC 8985 section 6.2 step 3 */
Test(tcp_long, what_arrives_in_order_is_no_reordering_after_two_gigabytes)
{
    uint32_t end;

    establish(0);
    end = transfer();
    send_segments(4);
    IN(&w, .flags = ACK, .seq = 1, .ack = end, .sack_count = 1, .sack = {{end + MSS, end + 2 * MSS}});
    IN(&w, .flags = ACK, .seq = 1, .ack = end, .sack_count = 1, .sack = {{end + MSS, end + 3 * MSS}});
    cr_assert_eq(weir_tcp_stats(w.tcp)->reorderings, 0);
    wire_close_quietly(&w);
}

/* RFC 6582 section 3.2 step 2 */
Test(tcp_long, third_duplicate_retransmits_after_two_gigabytes)
{
    uint32_t end;

    w.sack = false;
    establish(0);
    end = transfer();
    send_segments(5);
    for (int i = 0; i < 3; i++)
        IN(&w, .flags = ACK, .seq = 1, .ack = end);
    OUT(&w, ACK, end, 1, MSS);
    cr_assert_eq(weir_tcp_stats(w.tcp)->fast_retransmits, 1);
    wire_close_quietly(&w);
}

/* RFC 8985 section 6.2 step 5: what was sent after what has arrived is not lost yet. */
Test(tcp_long, later_segment_is_given_time_after_forty_minutes)
{
    establish(0);
    send_segments(4);
    w.now += WEIR_MILLISECONDS(10);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 1, .sack = {{1 + MSS, 1 + 2 * MSS}});
    IN(&w, .flags = ACK, .seq = 1, .ack = 1 + 4 * MSS);
    wire_advance(&w, WEIR_SECONDS(2400));
    send_segments(4);
    w.now += WEIR_MILLISECONDS(15);
    send_segments(1);
    w.now += WEIR_MILLISECONDS(15);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1 + 4 * MSS, .sack_count = 1, .sack = {{1 + 5 * MSS, 1 + 8 * MSS}});
    wire_advance(&w, WEIR_MILLISECONDS(9)); /* a quarter of the round trip, and more */
    OUT(&w, ACK, 1 + 4 * MSS, 1, MSS);
    NOTHING(&w);
    wire_close_quietly(&w);
}
