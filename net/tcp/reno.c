/* Reno's window: RFC 5681 section 3.1. Its recovery (RFC 6582, RFC 6937) is everybody's: see ack.c and recovery.c. */
#include "tcp_private.h"

static void init(struct weir_tcp_connection *c)
{
    c->cwnd = tcp_initial_window(c);
    c->ssthresh = UINT32_MAX;
    c->cc_acked = 0;
}

static void on_ack(struct weir_tcp_connection *c, uint32_t acked, weir_time now)
{
    if (c->cwnd >= UINT32_MAX / 4) /* far beyond any window that a peer can offer */
        return;
    if (c->cwnd < c->ssthresh) {
        tcp_slow_start(c, acked);
        return;
    }
    c->cc_acked += acked;
    if (c->cc_acked >= c->cwnd) { /* one segment a round trip */
        c->cc_acked -= c->cwnd;
        c->cwnd += c->mss;
    }
}

static void on_loss(struct weir_tcp_connection *c, weir_time now)
{
    c->ssthresh = RTE_MAX(tcp_flight_at_loss(c) / 2, 2u * c->mss);
    c->cc_acked = 0;
}

static void on_unused(struct weir_tcp_connection *c)
{
    c->cc_acked = 0;
}

const struct weir_tcp_congestion weir_tcp_reno = {
    .name = "reno", .init = init, .on_ack = on_ack, .on_loss = on_loss, .on_unused = on_unused};
