/* Explicit congestion notification: a router marks what it would else have dropped, the receiver echoes the mark until
 * the sender says that it has slowed down. RFC 3168 section 6. */
#include "tcp_private.h"

/* Section 6.1.1. A SYN that was lost may have been lost for asking: section 6.1.1.1. */
uint8_t tcp_ecn_syn_flags(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    if (c->state == WEIR_TCP_SYN_RECEIVED)
        return c->flags & F_ECN ? ECE : 0;
    return tcp->ecn == WEIR_TCP_ECN_REQUEST && !(c->marks & M_SYN_LOST) ? ECE | CWR : 0;
}

void tcp_ecn_take_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    uint8_t said = segment->flags & (ECE | CWR);
    bool asked = said == (ECE | CWR) && !(segment->flags & ACK), agreed = said == ECE && (segment->flags & ACK);

    if ((asked && tcp->ecn != WEIR_TCP_ECN_OFF) || (agreed && tcp->ecn == WEIR_TCP_ECN_REQUEST))
        c->flags |= F_ECN;
}

/* Section 6.1.2: as for a lost segment, but once a round trip, and nothing is sent again. */
static void slow_down(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if ((c->marks & M_RECOVERY) || (c->recovery & R_LOSS) || tcp_in_flight(c, c->ecn_recover))
        return;
    tcp_reduce(tcp, c);
    c->cwnd = c->ssthresh;
    tcp->stats.ecn_reductions++;
    tcp_note(tcp, c, E_ECN, c->cwnd);
}

void tcp_ecn_take(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    if (segment->flags & CWR)
        c->ecn_echo = false;
    if ((segment->rx->tos & ECN_MASK) == ECN_CE && segment->length > 0) { /* after CWR: it may be marked again */
        tcp->stats.ecn_marked++;
        c->ecn_echo = true;
        tcp_owe_ack(tcp, c);
    }
    if ((segment->flags & ECE) && c->snd_una != c->snd_max)
        slow_down(tcp, c);
}
