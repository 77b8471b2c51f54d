/* What may be set of a connection: keepalive, the user timeout, Nagle. RFC 9293 sections 3.7.4, 3.8.3 and 3.8.4. */
#include "tcp_wire.h"

static struct wire w;
static struct weir_tcp_connection *c;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    wire_open(&w);
    c = wire_established(&w);
}

TestSuite(tcp_settings, .init = setup, .timeout = 60);

static void set(struct weir_tcp_settings settings)
{
    weir_tcp_set(w.tcp, w.now, c, &settings);
}

static void keep_alive(void)
{
    set((struct weir_tcp_settings){
        .keepalive_idle = WEIR_SECONDS(10), .keepalive_interval = WEIR_SECONDS(2), .keepalive_count = 3});
}

Test(tcp_settings, keepalive_is_off_at_first)
{
    wire_advance(&w, WEIR_SECONDS(30000));
    NOTHING(&w);
    wire_close_quietly(&w);
}

Test(tcp_settings, silent_peer_is_asked_and_given_up)
{
    keep_alive();
    wire_advance(&w, WEIR_SECONDS(9));
    NOTHING(&w);
    wire_advance(&w, WEIR_SECONDS(2));
    OUT(&w, ACK, 0, 1, 0); /* a number that the peer must answer */
    wire_advance(&w, WEIR_SECONDS(2));
    OUT(&w, ACK, 0, 1, 0);
    wire_advance(&w, WEIR_SECONDS(2));
    OUT(&w, ACK, 0, 1, 0);
    cr_assert_eq(weir_tcp_error(c), 0);
    wire_advance(&w, WEIR_SECONDS(2));
    OUT(&w, RST | ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT);
    cr_assert_eq(weir_tcp_stats(w.tcp)->keepalive_probes, 3);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close(&w);
}

Test(tcp_settings, answer_begins_the_wait_anew)
{
    keep_alive();
    for (int i = 0; i < 5; i++) {
        wire_advance(&w, WEIR_SECONDS(12));
        OUT(&w, ACK, 0, 1, 0);
        IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    }
    cr_assert_eq(weir_tcp_error(c), 0);
    wire_close_quietly(&w);
}

Test(tcp_settings, traffic_needs_no_questions)
{
    keep_alive();
    for (uint32_t i = 0; i < 5; i++) {
        wire_advance(&w, WEIR_SECONDS(8));
        IN(&w, .flags = ACK, .seq = 1 + i, .ack = 1, .length = 1);
        OUT(&w, ACK, 1, 2 + i, 0);
    }
    NOTHING(&w);
    wire_read(&w, c);
    wire_close_quietly(&w);
}

Test(tcp_settings, closed_connection_is_not_cut_short_by_its_keepalive)
{
    keep_alive();
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1, 1, 100);
    weir_tcp_close(w.tcp, w.now, c);
    OUT(&w, FIN | ACK, 101, 1, 0);
    for (int i = 0; i < 6; i++) {
        wire_advance(&w, WEIR_SECONDS(5));
        wire_flush(&w);
    }
    w.sent_taken = w.sent_count;
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1, "still tries");
    wire_close_quietly(&w);
}

Test(tcp_settings, keepalive_that_is_switched_off_ends_nothing)
{
    keep_alive();
    set((struct weir_tcp_settings){0});
    wire_advance(&w, WEIR_SECONDS(30));
    NOTHING(&w);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    wire_close_quietly(&w);
}

/* A stack's settings are a connection's from its SYN on. */
Test(tcp_settings, keepalive_does_not_end_a_handshake)
{
    struct weir_endpoint remote = wire_remote(&w, w.peer_port);

    weir_tcp_abort(w.tcp, w.now, c);
    OUT(&w, RST | ACK, 1, 1, 0);
    cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, w.port + 1, &c, &c), 0);
    keep_alive();
    wire_advance(&w, WEIR_SECONDS(20)); /* twice as long, and the SYN is sent again meanwhile */
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_SYN_SENT);
    wire_close_quietly(&w);
}

Test(tcp_settings, user_timeout_ends_it_sooner)
{
    set((struct weir_tcp_settings){.user_timeout = WEIR_SECONDS(5)});
    wire_send(&w, c, 100);
    wire_advance(&w, WEIR_SECONDS(4));
    cr_assert_eq(weir_tcp_error(c), 0);
    wire_advance(&w, WEIR_SECONDS(6));
    cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

/* It is about what was sent, RFC 9293 section 3.8.3: a word about something else does not begin it anew. */
Test(tcp_settings, user_timeout_is_not_put_off_by_acks_of_something_else)
{
    set((struct weir_tcp_settings){.user_timeout = WEIR_SECONDS(5)});
    wire_send(&w, c, 100);
    for (int i = 0; i < 10; i++) {
        wire_advance(&w, WEIR_SECONDS(1));
        if (weir_tcp_error(c) == 0)
            IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    }
    cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT);
    weir_tcp_close(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

Test(tcp_settings, small_segments_go_at_once_without_nagle)
{
    wire_send(&w, c, 10);
    OUT(&w, ACK, 1, 1, 10);
    wire_send(&w, c, 10);
    OUT(&w, ACK, 11, 1, 10);
    wire_close_quietly(&w);
}

Test(tcp_settings, nagle_gathers_small_segments_while_one_is_out)
{
    set((struct weir_tcp_settings){.nagle = true});
    wire_send(&w, c, 10);
    OUT(&w, ACK, 1, 1, 10);
    for (int i = 0; i < 5; i++)
        wire_send(&w, c, 10);
    NOTHING(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 11);
    OUT(&w, ACK, 11, 1, 50); /* in one */
    wire_send(&w, c, 1448);  /* what is full never waits */
    OUT(&w, ACK, 61, 1, 1448);
    wire_close_quietly(&w);
}

Test(tcp_settings, nagle_does_not_keep_the_end_of_the_stream)
{
    set((struct weir_tcp_settings){.nagle = true});
    wire_send(&w, c, 10);
    OUT(&w, ACK, 1, 1, 10);
    wire_send(&w, c, 10);
    NOTHING(&w);
    cr_assert_eq(weir_tcp_shutdown(w.tcp, c), 0);
    OUT(&w, FIN | ACK, 11, 1, 10);
    wire_close_quietly(&w);
}
