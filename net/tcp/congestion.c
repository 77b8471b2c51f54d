/* What the congestion controllers have in common: where a window begins, slow start, and what was in flight. Bytes are
 * counted, as RFC 3465 does. */
#include "tcp_private.h"

/* Slow start takes this many segments of one ACK for its growth: ACKs are bundled, by us and by others' GRO, but one
 * that covers a whole window must not let a burst of two windows out. RFC 9406 section 4.2. */
#define GROWTH_SEGMENTS 8

uint32_t tcp_initial_window(const struct weir_tcp_connection *c)
{
    return RTE_MIN(10u * c->mss, RTE_MAX(2u * c->mss, 14600u)); /* RFC 6928 section 2 */
}

void tcp_grow(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t acked)
{
    c->limited_s = tcp->now_s;
    tcp->congestion->on_ack(c, acked, tcp->now);
}

/* RFC 3168 section 6.1.2: the peer is told of the reduction, whatever its cause; and marks of what was sent before it
 * are the same congestion. */
void tcp_reduce(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp->congestion->on_loss(c, tcp->now);
    c->ecn_reduced = c->flags & F_ECN;
    c->ecn_recover = c->snd_max;
}

/* What the window was good for is remembered: slow start leads back to it. RFC 7661 section 4.4.4. */
static void shrink(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t cwnd)
{
    c->ssthresh = RTE_MAX(c->ssthresh, c->cwnd / 4 * 3);
    c->cwnd = cwnd;
    c->limited_s = tcp->now_s;
    tcp->congestion->on_unused(c);
}

/* RFC 5681 section 4.1. RFC 7661 would keep the window, but have the burst that it lets out spread (section 4.4.3):
 * nothing here paces. */
void tcp_after_pause(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    shrink(tcp, c, RTE_MIN(c->cwnd, tcp_initial_window(c)));
}

void tcp_unused(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->cwnd > tcp_initial_window(c))
        shrink(tcp, c, RTE_MAX(c->cwnd / 2, tcp_initial_window(c)));
}

/* While a timeout is made good one ACK may cover much that never was lost: no more than a segment then, RFC 3465
 * section 2.3. */
uint32_t tcp_slow_start(struct weir_tcp_connection *c, uint32_t acked)
{
    uint32_t most = tcp_in_flight(c, c->recover) ? c->mss : GROWTH_SEGMENTS * (uint32_t)c->mss;
    uint32_t grows = RTE_MIN(RTE_MIN(acked, most), c->ssthresh - c->cwnd);

    c->cwnd += grows;
    return c->cwnd < c->ssthresh ? 0 : acked - grows;
}

/* The ACKs of a turn are answered at its end: those that came before the one that told of the loss have made room that
 * is not used yet, though there is data for it. */
uint32_t tcp_flight_at_loss(const struct weir_tcp_connection *c)
{
    uint32_t flight = c->snd_max - c->snd_una;

    if (c->send_next != NULL && c->snd_nxt == c->snd_max) /* not what a timeout is about to repeat */
        flight = RTE_MAX(flight, c->snd_wnd);
    return RTE_MIN(flight, c->cwnd);
}

const struct weir_tcp_congestion *weir_tcp_congestion_find(const char *name)
{
    static const struct weir_tcp_congestion *const all[] = {&weir_tcp_cubic, &weir_tcp_reno};

    for (unsigned i = 0; i < RTE_DIM(all); i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

const char *weir_tcp_congestion_name(const struct weir_tcp_congestion *congestion)
{
    return congestion->name;
}
