/* NewReno's window: RFC 5681, counted in bytes as RFC 3465 and RFC 9406 do. */
#include "tcp_private.h"

/* Slow start takes this many segments of one ACK for its growth: ACKs are bundled, by us and by others' GRO, but one
 * that covers a whole window must not let a burst of two windows out. RFC 9406 section 4.2. */
#define GROWTH_SEGMENTS 8

static uint32_t initial_window(const struct weir_tcp_connection *c)
{
    return RTE_MIN(10u * c->mss, RTE_MAX(2u * c->mss, 14600u)); /* RFC 6928 section 2 */
}

static void reno_init(struct weir_tcp_connection *c)
{
    c->cwnd = initial_window(c);
    c->ssthresh = UINT32_MAX;
    c->cc_acked = 0;
}

/* While a timeout is made good one ACK may cover much that never was lost: no more than a segment then, RFC 3465
 * section 2.3. */
static void slow_start(struct weir_tcp_connection *c, uint32_t acked)
{
    uint32_t most = seq_before(c->snd_una, c->recover) ? c->mss : GROWTH_SEGMENTS * (uint32_t)c->mss;

    c->cwnd += RTE_MIN(RTE_MIN(acked, most), c->ssthresh - c->cwnd);
}

static void reno_on_ack(struct weir_tcp_connection *c, uint32_t acked, weir_time now)
{
    if (c->cwnd >= UINT32_MAX / 4) /* far beyond any window that a peer can offer */
        return;
    if (c->cwnd < c->ssthresh) {
        slow_start(c, acked);
        return;
    }
    c->cc_acked += acked;
    if (c->cc_acked >= c->cwnd) { /* one segment a round trip */
        c->cc_acked -= c->cwnd;
        c->cwnd += c->mss;
    }
}

static void reno_on_loss(struct weir_tcp_connection *c, weir_time now)
{
    /* What limited transmit let out beyond cwnd is not to count. RFC 5681 section 3.2, steps 1 and 2. */
    uint32_t flight = RTE_MIN(c->snd_max - c->snd_una, c->cwnd);

    c->ssthresh = RTE_MAX(flight / 2, 2u * c->mss);
    c->cc_acked = 0;
}

static void reno_on_idle(struct weir_tcp_connection *c, weir_time now)
{
    c->cwnd = RTE_MIN(c->cwnd, initial_window(c)); /* RFC 5681 section 4.1 */
}

const struct tcp_congestion tcp_reno = {
    .init = reno_init, .on_ack = reno_on_ack, .on_loss = reno_on_loss, .on_idle = reno_on_idle};
