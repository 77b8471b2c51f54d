/* SYN cookies: RFC 4987 section 3.6. */
#include "tcp_wire.h"

static struct wire w;
static struct weir_tcp_listener *listener;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.sack = true;
}

TestSuite(tcp_cookie, .init = setup, .timeout = 60);

/* A listener whose backlog of one is taken by a peer that never answers. */
static void under_pressure(void)
{
    wire_open(&w);
    listener = wire_listen(&w, 1);
    w.peer_port = 30000;
    IN(&w, .flags = SYN);
    OUT(&w, SYN | ACK, 0, 1, 0);
    w.peer_port = 40000;
}

static struct wire_seen cookie(void)
{
    IN(&w, .flags = SYN);
    return OUT(&w, SYN | ACK, 0, 1, 0);
}

static struct weir_tcp_connection *accepted(void)
{
    struct weir_tcp_connection *c = NULL;

    return weir_tcp_accept(w.tcp, listener, &w, &c) == 0 ? c : NULL;
}

Test(tcp_cookie, full_backlog_answers_and_keeps_nothing)
{
    under_pressure();
    cookie();
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 1, "the one that fills the backlog");
    cr_assert_eq(weir_tcp_stats(w.tcp)->syncookies_sent, 1);
    wire_advance(&w, WEIR_MILLISECONDS(900));
    NOTHING(&w);
    wire_close_quietly(&w);
}

Test(tcp_cookie, ack_makes_the_connection_with_all_that_the_syn_said)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    under_pressure();
    seen = cookie();
    cr_assert(seen.options.has_timestamps && seen.options.sack_permitted && seen.options.has_scale);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    c = accepted();
    cr_assert_not_null(c);
    cr_assert_eq(weir_tcp_state(c), WEIR_TCP_ESTABLISHED);
    cr_assert_eq(weir_tcp_mss(c), 1448);
    w.window = 1000; /* scaled by 7: 128,000 */
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    seen = OUT(&w, ACK, 1, 11, 0);
    cr_assert(seen.options.has_timestamps);
    IN(&w, .flags = ACK, .seq = 21, .ack = 1, .length = 10);
    seen = OUT(&w, ACK, 1, 11, 0);
    cr_assert_eq(seen.options.sack_count, 1);
    cr_assert_eq(weir_tcp_stats(w.tcp)->syncookies_recv, 1);
    wire_close_quietly(&w);
}

Test(tcp_cookie, data_with_the_ack_is_taken)
{
    struct weir_tcp_connection *c;

    under_pressure();
    cookie();
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    c = accepted();
    cr_assert_not_null(c);
    OUT(&w, ACK, 1, 101, 0);
    cr_assert_eq(wire_read(&w, c), 100);
    wire_close_quietly(&w);
}

Test(tcp_cookie, peer_without_timestamps_gets_no_options)
{
    struct weir_tcp_connection *c;
    struct wire_seen seen;

    w.timestamps = false;
    under_pressure();
    seen = cookie();
    cr_assert(!seen.options.has_timestamps && !seen.options.sack_permitted && !seen.options.has_scale);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    c = accepted();
    cr_assert_not_null(c);
    cr_assert_eq(weir_tcp_mss(c), 1460);
    wire_close_quietly(&w);
}

Test(tcp_cookie, mss_is_remembered_rounded_down)
{
    static const struct {
        uint16_t told, remembered;
    } cases[] = {{1460, 1460}, {1459, 1440}, {1400, 1400}, {1000, 536}, {536, 536}, {300, 216}};

    w.timestamps = false;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_tcp_connection *c;

        setup();
        w.timestamps = false;
        w.peer_mss = cases[i].told;
        under_pressure();
        cookie();
        IN(&w, .flags = ACK, .seq = 1, .ack = 1);
        c = accepted();
        cr_assert_not_null(c);
        cr_expect_eq(weir_tcp_mss(c), cases[i].remembered, "%u", cases[i].told);
        wire_close_quietly(&w);
    }
}

/* Under a flood those that have shaken hands wait for their turn, as others do whose last ACK finds no room. */
Test(tcp_cookie, ack_that_finds_no_room_is_as_if_lost)
{
    uint32_t first, second;

    under_pressure();
    first = w.iss;
    cookie();
    second = w.iss;
    w.peer_port = 30000; /* the one that never answered does, and takes the only place */
    w.iss = first;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    w.peer_port = 40000;
    w.iss = second;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    NOTHING(&w);
    cr_assert_not_null(accepted());
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    OUT(&w, ACK, 1, 11, 0);
    cr_assert_not_null(accepted());
    wire_close_quietly(&w);
}

Test(tcp_cookie, guess_is_reset)
{
    under_pressure();
    cookie();
    for (uint32_t bit = 0; bit < 32; bit++) {
        IN(&w, .flags = ACK, .seq = 1, .ack = 1 + (1u << bit));
        OUT(&w, RST, 1 + (1u << bit), 0, 0);
    }
    cr_assert_eq(weir_tcp_stats(w.tcp)->syncookies_failed, 32);
    cr_assert_null(accepted());
    wire_close_quietly(&w);
}

Test(tcp_cookie, cookie_of_another_peer_is_none)
{
    under_pressure();
    cookie();
    w.peer_port++;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    OUT(&w, RST, 1, 0, 0);
    w.peer_port--;
    IN(&w, .flags = ACK, .seq = 2, .ack = 1); /* nor of another SYN */
    OUT(&w, RST, 1, 0, 0);
    cr_assert_null(accepted());
    wire_close_quietly(&w);
}

Test(tcp_cookie, grows_stale)
{
    under_pressure();
    cookie();
    w.now += WEIR_SECONDS(120);
    w.ts += 120000;
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_not_null(accepted());
    wire_close_quietly(&w);
    setup();
    under_pressure();
    cookie();
    w.now += WEIR_SECONDS(193);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    OUT(&w, RST, 1, 0, 0);
    wire_close_quietly(&w);
}

Test(tcp_cookie, without_pressure_an_ack_is_no_cookie)
{
    wire_open(&w);
    wire_listen(&w, 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1);
    OUT(&w, RST, 1, 0, 0);
    cr_assert_eq(weir_tcp_stats(w.tcp)->syncookies_failed, 0);
    wire_close_quietly(&w);
}

Test(tcp_cookie, timestamps_of_a_cookie_are_never_later_than_those_that_follow)
{
    for (uint32_t ms = 0; ms < 130; ms++) {
        struct wire_seen first, later;

        setup();
        w.now += WEIR_MILLISECONDS(ms);
        under_pressure();
        first = cookie();
        IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1);
        later = OUT(&w, ACK, 1, 2, 0);
        cr_assert((int32_t)(later.options.timestamp - first.options.timestamp) >= 0, "at %u ms", ms);
        cr_assert((int32_t)(later.options.timestamp - first.options.timestamp) < 128, "at %u ms", ms);
        wire_close_quietly(&w);
    }
}
