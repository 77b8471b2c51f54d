/* A loss that was none: what was held up, or overtaken, arrives after all. The ACK's timestamp tells, for it echoes the
 * first sending and not the second (the Eifel algorithm, RFC 3522 section 3.2); then the window is what it was (RFC
 * 4015 section 3.2, RFC 9438 section 4.9). For connections with SACK and timestamps. */
#include "tcp_private.h"

void tcp_undo_note(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    const struct weir_packet *first = weir_packet(c->send.head);

    /* The next ACK that moves SND.UNA is of the first packet: it echoes one of two sendings, if there are no more. */
    c->undo = (struct tcp_undo){.cc = c->cc,
                                .cwnd = c->cwnd,
                                .ssthresh = c->ssthresh,
                                .resent_ts = tcp->now_ms + c->ts_offset,
                                .possible = (c->flags & F_TIMESTAMPS) && !(first->tcp.marks & P_REPEATED)};
}

/* What was taken for lost, and has not been sent again, is on its way; RACK may find otherwise. */
static void believe_in_flight(struct weir_tcp_connection *c)
{
    for (struct rte_mbuf *m = c->send.head; m != NULL && seq_before(weir_packet(m)->tcp.seq, c->snd_max);
         m = weir_packet(m)->next)
        if ((weir_packet(m)->tcp.marks & (P_LOST | P_RESENT)) == P_LOST)
            weir_packet(m)->tcp.marks &= (uint8_t)~P_LOST;
}

bool tcp_undo_take(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    if (!c->undo.possible)
        return false;
    c->undo.possible = false; /* later ACKs are of other segments */
    if (!segment->options.has_timestamps || !seq_before(segment->options.timestamp_echo, c->undo.resent_ts))
        return false;
    if (!(c->recovery & R_LOSS)) /* overtaken by others: RACK shall wait longer, RFC 8985 section 6.2 step 4 */
        c->recovery |= R_REORDERS;
    c->cc = c->undo.cc;
    c->ssthresh = c->undo.ssthresh;
    c->cwnd = RTE_MAX(c->cwnd, c->undo.cwnd);
    believe_in_flight(c);
    tcp->stats.spurious_losses++;
    return true;
}
