/* An ACK that nothing has carried, of one segment: it waits a while for a reply or for the next segment. RFC 9293
 * section 3.8.6.3, RFC 5681 section 4.2. All wait equally long, so a ring keeps them in order, and one deadline is
 * enough; an entry whose ACK has gone meanwhile makes the next one go a little early. */
#include "tcp_private.h"

void tcp_delay_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->ack_waits)
        return;
    c->ack_waits = true;
    c->ack_at = weir_time_add(tcp->now, tcp->delayed_ack);
    if (tcp->delayed.head == tcp->delayed.tail)
        tcp->delayed_at = c->ack_at;
    tcp_ring_push(&tcp->delayed, c->index);
}

void tcp_delayed_due(struct weir_tcp *tcp)
{
    while (tcp->delayed.head != tcp->delayed.tail) {
        struct weir_tcp_connection *c = &tcp->connections[tcp->delayed.items[tcp->delayed.head & tcp->delayed.mask]];

        if (c->ack_at > tcp->now) {
            tcp->delayed_at = c->ack_at;
            return;
        }
        tcp_ring_pop(&tcp->delayed);
        c->ack_waits = false;
        if (c->state == WEIR_TCP_CLOSED || !(c->flags & F_ACK_OWED))
            continue;
        tcp->stats.delayed_acks++;
        tcp_owe_ack(tcp, c);
    }
    tcp->delayed_at = WEIR_NEVER;
}
