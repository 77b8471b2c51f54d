/* What is bounded, and what gives way first when memory is scarce. Source: RFC 9293 section 3.8.6 (the right edge of a
 * window never moves left). */
#include "tcp_wire.h"

static struct wire w;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
}

TestSuite(tcp_bounds, .init = setup, .timeout = 60);

static const struct weir_tcp_stats *stats(void)
{
    return weir_tcp_stats(w.tcp);
}

/* One of several connections, as the peer's hand holds it. */
struct one {
    struct weir_tcp_connection *c;
    uint16_t port;
    uint32_t iss, in; /* in: where the peer's stream stands */
};

static void hold(const struct one *one)
{
    w.peer_port = one->port;
    w.iss = one->iss;
}

static struct one open_one(struct weir_tcp_listener *listener, uint16_t port)
{
    struct one one = {.port = port, .in = 1};

    w.peer_port = port;
    one.c = wire_accept(&w, listener);
    wire_events(&w, one.c);
    one.iss = w.iss;
    return one;
}

/* Gives it a segment that its reader leaves alone. Returns the right edge of the window that it tells (not scaled). */
static uint32_t feed(struct one *one, uint32_t length)
{
    struct wire_seen seen;

    hold(one);
    IN(&w, .flags = ACK, .seq = one->in, .ack = 1, .length = length);
    one->in += length;
    seen = OUT(&w, ACK, 1, one->in, 0);
    return seen.ack + seen.window;
}

/* What others hold makes the windows of all smaller, by and by: a window shrinks by what arrives, its right edge stays.
 * There is always room for one segment. */
Test(tcp_bounds, windows_shrink_before_memory_runs_out)
{
    enum { MAX = 64, BUFFER = 16384, STEP = 1448 };
    struct weir_tcp_listener *listener;
    struct one hoarder, reader;
    struct wire_seen seen;
    uint32_t edge = 0, told, read = 0, window = 0;

    w.options.packets_max = MAX;
    w.options.receive_buffer = BUFFER;
    wire_open(&w);
    listener = wire_listen(&w, 64);
    hoarder = open_one(listener, 40000);
    reader = open_one(listener, 40001);
    for (unsigned held = 0; held < MAX - 1; held++) {
        uint32_t share = held < MAX / 2 ? BUFFER : BUFFER / (MAX / 2) * (MAX - held);

        if (held % 4 == 0)
            hoarder = held == 0 ? hoarder : open_one(listener, (uint16_t)(41000 + held));
        (void)feed(&hoarder, 1000);
        told = feed(&reader, held == 0 ? STEP : RTE_MIN(window, (uint32_t)STEP));
        w.read = read;
        read += wire_read(&w, reader.c);
        cr_assert_eq(read, reader.in - 1);
        wire_flush(&w);
        while (wire_next(&w, &seen)) /* an update of the window */
            told = seen.ack + seen.window;
        window = told - reader.in;
        cr_assert(told >= edge, "at %u held the right edge moved left, from %u to %u", held, edge, told);
        cr_assert(told == edge || window <= RTE_MAX(share, (uint32_t)STEP), "at %u held: %u of %u", held, window,
                  share);
        cr_assert(window + 3 * STEP > share, "at %u held: %u of %u", held, window, share);
        edge = told;
    }
    cr_assert_leq(window, 2 * STEP);
    cr_assert_geq(stats()->memory_pressures, 1);
    cr_assert_gt(window, 0, "room for one");
    weir_tcp_abort_all(w.tcp, w.now);
    wire_flush(&w);
    w.sent_taken = w.sent_count;
    reader = open_one(listener, 40002);
    told = feed(&reader, STEP);
    cr_assert_geq(told - reader.in, BUFFER - 2 * STEP, "memory is there again, and so is the window");
    wire_close_quietly(&w);
}

Test(tcp_bounds, send_buffers_shrink_before_memory_runs_out)
{
    struct weir_tcp_connection *c;

    w.options.packets_max = 64;
    wire_open(&w);
    c = wire_established(&w);
    w.window = 0;
    cr_assert_eq(weir_tcp_send_room(c), 262144);
    for (unsigned i = 1; i <= 48; i++)
        wire_send(&w, c, 1);
    cr_assert(weir_tcp_send_room(c) > 100000 && weir_tcp_send_room(c) < 150000, "half of it: %u",
              weir_tcp_send_room(c));
    for (unsigned i = 49; i <= 64; i++)
        wire_send(&w, c, 1);
    cr_assert_eq(weir_tcp_send_room(c), 0);
    wire_close_quietly(&w);
}

/* The peer's SYN, from a port of its own. Returns whether it was answered. */
static bool knock(uint16_t port)
{
    struct wire_seen seen;

    w.peer_port = port;
    IN(&w, .flags = SYN);
    wire_flush(&w);
    return wire_next(&w, &seen) && (seen.flags & SYN);
}

Test(tcp_bounds, pools_that_run_low_shed_syns_first_then_what_is_out_of_order_then_new_data)
{
    struct weir_tcp_listener *listener;
    struct one one;

    w.options.packets_low = 100;
    wire_open(&w);
    listener = wire_listen(&w, 8);
    one = open_one(listener, 40000);
    hold(&one);
    wire_send(&w, one.c, 10);
    OUT(&w, ACK, 1, 1, 10);

    weir_tcp_pools_have(w.tcp, 99, 256);
    cr_assert(!knock(40001) && stats()->listen_drops == 1 && stats()->listen_overflows == 0);
    hold(&one);
    IN(&w, .flags = ACK, .seq = 1001, .ack = 1, .length = 1000); /* out of order: kept */
    OUT(&w, ACK, 11, 1, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    OUT(&w, ACK, 11, 2001, 0);

    weir_tcp_pools_have(w.tcp, 49, 256);
    IN(&w, .flags = ACK, .seq = 3001, .ack = 1, .length = 1000);
    OUT(&w, ACK, 11, 2001, 0);
    cr_assert_eq(stats()->ofo_drop, 1);
    IN(&w, .flags = ACK, .seq = 2001, .ack = 1, .length = 1000); /* new: taken */
    OUT(&w, ACK, 11, 3001, 0);

    weir_tcp_pools_have(w.tcp, 25, 256);
    IN(&w, .flags = ACK, .seq = 3001, .ack = 1, .length = 1000);
    OUT(&w, ACK, 11, 3001, 0);
    cr_assert_eq(stats()->rcv_q_drop, 1);
    IN(&w, .flags = ACK, .seq = 3001, .ack = 11);
    cr_assert(weir_tcp_drained(one.c), "what was sent is still acknowledged");
    cr_assert_eq(wire_read(&w, one.c), 3000);
    IN(&w, .flags = ACK, .seq = 3001, .ack = 11, .length = 1000);
    cr_assert_eq(wire_read(&w, one.c), 1000, "a reader that has nothing is given one");
    wire_send(&w, one.c, 10); /* and a writer may send one */
    wire_flush(&w);
    w.sent_taken = w.sent_count;

    weir_tcp_pools_have(w.tcp, 100, 256);
    cr_assert(knock(40001));
    cr_assert_eq(stats()->listen_drops, 1);
    wire_close_quietly(&w);
}

Test(tcp_bounds, a_control_pool_that_runs_low_sheds_syns)
{
    wire_open(&w);
    (void)wire_listen(&w, 8);
    weir_tcp_pools_have(w.tcp, 512, 15);
    cr_assert(!knock(40001));
    weir_tcp_pools_have(w.tcp, 512, 16);
    cr_assert(knock(40001));
    wire_close_quietly(&w);
}

Test(tcp_bounds, syn_queues_of_all_listeners_are_bounded_together)
{
    w.options.embryonic_max = 3;
    wire_open(&w);
    for (w.port = 7; w.port < 11; w.port++)
        (void)wire_listen(&w, 8);
    for (w.port = 7; w.port < 11; w.port++)
        cr_assert(knock((uint16_t)(40000 + w.port)), "by a cookie, the last one");
    cr_assert_eq(stats()->connections, 3);
    cr_assert_eq(stats()->req_q_full_do_cookies, 1);
    cr_assert_eq(stats()->syncookies_sent, 1);
    w.port = 7;
    w.peer_port = 40007;
    wire_advance(&w, WEIR_SECONDS(100)); /* nobody answers */
    w.sent_taken = w.sent_count;
    cr_assert_eq(stats()->connections, 0);
    cr_assert(knock(41000));
    cr_assert_eq(stats()->connections, 1);
    wire_close_quietly(&w);
}

/* Peers that never let a connection finish: their window stays closed, or their FIN does not come. */
Test(tcp_bounds, connections_that_nobody_holds_are_bounded)
{
    struct weir_tcp_listener *listener;
    struct one ones[6];
    struct wire_seen seen;

    w.options.orphans_max = 4;
    wire_open(&w);
    listener = wire_listen(&w, 8);
    for (unsigned i = 0; i < 6; i++)
        ones[i] = open_one(listener, (uint16_t)(40000 + i));
    for (unsigned i = 0; i < 6; i++) {
        hold(&ones[i]);
        weir_tcp_close(w.tcp, w.now, ones[i].c);
        wire_flush(&w);
        cr_assert(wire_next(&w, &seen));
        cr_assert_eq(!!(seen.flags & RST), i >= 4, "of connection %u", i);
    }
    cr_assert_eq(stats()->abort_on_memory, 2);
    cr_assert_eq(stats()->connections, 4);
    hold(&ones[0]);
    IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2); /* TIME_WAIT is another bound's */
    OUT(&w, ACK, 2, 2, 0);
    w.peer_port = 40010;
    ones[4] = open_one(listener, 40010);
    weir_tcp_close(w.tcp, w.now, ones[4].c);
    OUT(&w, FIN | ACK, 1, 1, 0);
    cr_assert_eq(stats()->abort_on_memory, 2);
    wire_advance(&w, WEIR_SECONDS(600));
    cr_assert_eq(stats()->connections, 0);
    wire_close_quietly(&w);
}

Test(tcp_bounds, time_wait_gives_way_and_is_counted)
{
    struct weir_tcp_listener *listener;
    struct one one;

    w.options.connections_max = 1;
    wire_open(&w);
    listener = wire_listen(&w, 8);
    for (uint16_t i = 0; i < 3; i++) {
        one = open_one(listener, (uint16_t)(40000 + i));
        cr_assert_eq(stats()->time_wait_overflow, i);
        weir_tcp_close(w.tcp, w.now, one.c);
        OUT(&w, FIN | ACK, 1, 1, 0);
        IN(&w, .flags = FIN | ACK, .seq = 1, .ack = 2);
        OUT(&w, ACK, 2, 2, 0);
    }
    wire_close_quietly(&w);
}
