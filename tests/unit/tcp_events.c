/* What a connection remembers of its life, and what it leaves behind when it dies oddly. */
#include "tcp_wire.h"
#include <string.h>

static struct wire w;
static struct weir_tcp_connection *c;
static char text[4096];

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
    wire_open(&w);
    c = wire_established(&w);
}

TestSuite(tcp_events, .init = setup, .timeout = 60);

static void close_connection(void)
{
    weir_tcp_close(w.tcp, w.now, c);
    wire_close_quietly(&w);
}

static int read_events(void)
{
    int length = weir_tcp_events_format(w.tcp, w.now, c, text, sizeof(text));

    cr_assert_eq((size_t)length, strlen(text));
    return length;
}

/* Fails unless these stand in `text` in this order, each after the one before. */
static void expect_in_order(const char *const *parts)
{
    const char *at = text;

    for (; *parts != NULL; parts++) {
        at = strstr(at, *parts);
        cr_assert_not_null(at, "no '%s' there in:\n%s", *parts, text);
        at += strlen(*parts);
    }
}
#define EXPECT(...) expect_in_order((const char *const[]){__VA_ARGS__, NULL})

static unsigned lines(void)
{
    unsigned count = 0;

    for (const char *at = text; *at != '\0'; at++)
        count += *at == '\n';
    return count;
}

Test(tcp_events, states_are_told_in_order_with_how_long_ago)
{
    wire_advance(&w, WEIR_MILLISECONDS(1250));
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 1);
    OUT(&w, ACK, 1, 2, 0);
    wire_advance(&w, WEIR_MILLISECONDS(250));
    read_events();
    EXPECT("  -1.500000 s SYN_RECEIVED\n", "  -1.500000 s ESTABLISHED\n", "  -0.250000 s CLOSE_WAIT\n");
    cr_assert_eq(lines(), 3);
    close_connection();
}

Test(tcp_events, segments_in_order_are_none)
{
    read_events();
    unsigned before = lines();

    for (uint32_t i = 0; i < 5; i++) {
        IN(&w, .flags = ACK, .seq = 1 + 100 * i, .ack = 1 + 100 * i, .length = 100);
        wire_read(&w, c);
        wire_send(&w, c, 100);
        OUT(&w, ACK, 1 + 100 * i, 101 + 100 * i, 100);
    }
    IN(&w, .flags = ACK, .seq = 501, .ack = 501);
    read_events();
    cr_assert_eq(lines(), before);
    close_connection();
}

Test(tcp_events, timeout_after_timeout_is_two_lines)
{
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1, 1, 100);
    wire_advance(&w, WEIR_SECONDS(30));
    w.sent_taken = w.sent_count;
    read_events();
    EXPECT("ESTABLISHED\n", "timeout x", " ms, at last rto_ms:", "sent again x", " ms, at last seq:1\n");
    cr_assert_eq(lines(), 4, "%s", text);
    close_connection();
}

Test(tcp_events, what_the_peer_does_is_there_too)
{
    IN(&w, .flags = ACK, .seq = 201, .ack = 1, .length = 100);                  /* a gap */
    IN(&w, .flags = RST, .seq = 50, .ack = 0);                                  /* in the window, not at its edge */
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 200);                    /* the gap is filled */
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 200);                    /* once more */
    IN(&w, .flags = ACK, .seq = 301, .ack = 1, .window_is = true, .window = 0); /* closed */
    IN(&w, .flags = ACK, .seq = 301, .ack = 1, .window_is = true, .window = 0x4000); /* open */
    read_events();
    EXPECT("came out of order seq:201\n", "challenge ACK\n", "came again seq:1\n", "the peer's window closes\n",
           "the peer's window opens snd_wnd:");
    wire_read(&w, c);
    close_connection();
}

Test(tcp_events, loss_recovery_begins_and_ends)
{
    for (int i = 0; i < 5; i++)
        wire_send(&w, c, 1000);
    wire_flush(&w);
    wire_advance(&w, WEIR_MILLISECONDS(5));
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 1, .sack = {{1001, 4001}});
    wire_flush(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 5001);
    wire_flush(&w);
    read_events();
    EXPECT("loss recovery begins unacked:5000\n", "sent again seq:1\n", "loss recovery ends cwnd:");
    w.sent_taken = w.sent_count;
    close_connection();
}

Test(tcp_events, only_the_last_are_kept_and_the_rest_is_counted)
{
    for (int i = 0; i < 10; i++) {
        IN(&w, .flags = ACK, .seq = 1, .ack = 1, .window_is = true, .window = 0);
        IN(&w, .flags = ACK, .seq = 1, .ack = 1, .window_is = true, .window = 0x4000);
        IN(&w, .flags = RST, .seq = 50, .ack = 0);
    }
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    read_events();
    EXPECT(" events before)\n", "window");
    cr_assert_eq(lines(), 17);
    close_connection();
}

Test(tcp_events, what_does_not_fit_is_cut)
{
    int length = read_events();
    char whole[sizeof(text)];

    memcpy(whole, text, sizeof(whole));
    cr_assert_eq(weir_tcp_events_format(w.tcp, w.now, c, text, 20), length);
    cr_assert_eq(strlen(text), 19);
    cr_assert_eq(memcmp(text, whole, 19), 0);
    close_connection();
}

Test(tcp_events, the_next_connection_in_its_place_has_no_past)
{
    wire_send(&w, c, 100);
    OUT(&w, ACK, 1, 1, 100);
    wire_advance(&w, WEIR_SECONDS(5));
    weir_tcp_abort(w.tcp, w.now, c);
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    w.peer_port++;
    c = wire_connect(&w);
    read_events();
    cr_assert_null(strstr(text, "timeout"), "%s", text);
    EXPECT("SYN_SENT\n", "ESTABLISHED\n");
    close_connection();
}

/* ---- last words ---- */

static const char *last_words(void)
{
    const char *said = weir_tcp_last_words(w.tcp);

    snprintf(text, sizeof(text), "%s", said != NULL ? said : "");
    return said;
}

Test(tcp_events, who_times_out_leaves_his_story)
{
    weir_tcp_set(w.tcp, w.now, c, &(struct weir_tcp_settings){.user_timeout = WEIR_SECONDS(5)});
    wire_send(&w, c, 100);
    cr_assert_null(last_words());
    wire_advance(&w, WEIR_SECONDS(20));
    cr_assert_eq(weir_tcp_error(c), -ETIMEDOUT);
    last_words();
    EXPECT("connection ", ":7 to ", ":40000 ended, Connection timed out: ESTABLISHED ts sack cubic ", " rto:", "\n  -",
           "ESTABLISHED\n", "timeout", "RST sent");
    cr_assert_null(last_words(), "it is said once");
    w.sent_taken = w.sent_count;
    close_connection();
}

Test(tcp_events, who_is_reset_leaves_his_story_but_not_who_was_closed)
{
    IN(&w, .flags = RST, .seq = 1);
    last_words();
    EXPECT(" ended, Connection reset by peer: ", "RST came seq:1");
    weir_tcp_close(w.tcp, w.now, c);
    wire_advance(&w, WEIR_SECONDS(10));
    w.peer_port++;
    c = wire_connect(&w);
    weir_tcp_close(w.tcp, w.now, c);
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    IN(&w, .flags = RST, .seq = 1);
    cr_assert_null(last_words(), "%s", text);
    wire_close_quietly(&w);
}

Test(tcp_events, one_story_a_second_and_the_others_are_counted)
{
    for (int i = 0; i < 3; i++) {
        IN(&w, .flags = RST, .seq = 1);
        weir_tcp_close(w.tcp, w.now, c);
        w.peer_port++;
        c = wire_connect(&w);
    }
    cr_assert_not_null(last_words());
    cr_assert_null(last_words());
    wire_advance(&w, WEIR_SECONDS(2));
    IN(&w, .flags = RST, .seq = 1);
    last_words();
    EXPECT("(and 2 others before, not written out)");
    close_connection();
}

/* ---- ends are counted, by how they came ---- */

Test(tcp_events, odd_ends_are_counted_each_by_its_reason)
{
    const struct weir_tcp_stats *stats = weir_tcp_stats(w.tcp);

    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10); /* closed with that unread */
    weir_tcp_close(w.tcp, w.now, c);
    cr_assert_eq(stats->abort_on_close, 1);
    wire_flush(&w);
    w.sent_taken = w.sent_count;

    w.peer_port++;
    c = wire_connect(&w); /* data comes after it was closed */
    weir_tcp_close(w.tcp, w.now, c);
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    cr_assert_eq(stats->abort_on_data, 1);
    wire_flush(&w);
    w.sent_taken = w.sent_count;

    w.peer_port++;
    c = wire_connect(&w); /* nobody answers */
    weir_tcp_set(w.tcp, w.now, c, &(struct weir_tcp_settings){.user_timeout = WEIR_SECONDS(5)});
    wire_send(&w, c, 100);
    wire_advance(&w, WEIR_SECONDS(20));
    cr_assert_eq(stats->abort_on_timeout, 1);
    w.sent_taken = w.sent_count;
    close_connection();
}
