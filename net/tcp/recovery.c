/* How what is lost is sent again, and how fast, on a connection with SACK: RFC 6675 with RACK's judgement of what is
 * lost (RFC 8985), and proportional rate reduction, RFC 6937. ACKs only note what they tell; the reckoning is done once
 * a turn, however many came. */
#include "tcp_private.h"

static void leave(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->marks &= (uint16_t)~M_RECOVERY;
    c->recovery &= (uint8_t) ~(R_LOSS | R_FIRST);
    tcp_rack_recovered(c);
    tcp_note(tcp, c, E_RECOVERED, c->cwnd);
}

/* An ACK has moved SND.UNA in recovery: it may tell that nothing was lost, or that all is mended. */
static void progress(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    if (tcp_undo_take(tcp, c, segment)) {
        leave(tcp, c);
    } else if (!seq_before(segment->ack, c->recover)) {
        if (c->marks & M_RECOVERY)
            c->cwnd = c->ssthresh; /* RFC 6937 section 3, at the end of recovery */
        leave(tcp, c);
    }
}

static void enter(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t flight = tcp_flight_at_loss(c), left = c->snd_max - c->snd_una;

    tcp_undo_note(tcp, c);
    c->undo.possible &= (weir_packet(c->send.head)->tcp.marks & P_LOST) != 0;
    tcp_reduce(tcp, c);
    c->recover = c->snd_max;
    if (flight > left) /* predicted ACKs of this turn do not count what they deliver */
        c->delivered = RTE_MAX(c->delivered, flight - left);
    c->recover_fs = RTE_MAX(left + c->delivered, (uint32_t)c->mss);
    c->prr_delivered = c->prr_out = 0;
    c->marks |= M_RECOVERY | M_SCORE;
    c->recovery |= R_FIRST;
    c->recovery &= (uint8_t) ~(R_PROBE | R_PROBE_AGAIN);
    tcp->stats.fast_retransmits++;
    tcp_note(tcp, c, E_RECOVERY, c->snd_max - c->snd_una);
}

/* RFC 6937 section 3, with the slow start reduction bound: as fast as data leaves the network, down to ssthresh. */
static void reduce(struct weir_tcp_connection *c)
{
    int64_t send;

    c->prr_delivered += c->delivered;
    if (c->pipe > c->ssthresh) {
        send = (int64_t)(((uint64_t)c->prr_delivered * c->ssthresh + c->recover_fs - 1) / c->recover_fs) - c->prr_out;
    } else {
        int64_t limit = RTE_MAX((int64_t)c->prr_delivered - c->prr_out, (int64_t)c->delivered) + c->mss;
        send = RTE_MIN((int64_t)c->ssthresh - c->pipe, limit);
    }
    if (c->recovery & R_FIRST) /* the fast retransmission itself goes out at once */
        send = RTE_MAX(send, (int64_t)c->mss);
    c->cwnd = c->pipe + (uint32_t)RTE_MAX(send, 0);
}

void tcp_recovery_turn(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    bool lost = tcp_rack_detect(tcp, c);

    if (lost && !(c->marks & M_RECOVERY) && !(c->recovery & R_LOSS))
        enter(tcp, c);
    if (c->marks & M_RECOVERY)
        reduce(c);
    c->delivered = 0;
    c->recovery &= (uint8_t)~R_DETECT;
}

struct rte_mbuf *tcp_recovery_next(const struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    for (m = m != NULL ? weir_packet(m)->next : c->send.head; m != NULL; m = weir_packet(m)->next)
        if ((weir_packet(m)->tcp.marks & (P_LOST | P_RESENT)) == P_LOST)
            return m;
    return NULL;
}

/* An ACK that was overtaken by a later one may still tell of blocks: RFC 6675 section 5, "any ACK". */
void tcp_recovery_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    bool limited = tcp_cwnd_limited(c) && !tcp_ecn_echoed(c, segment), dsack,
         news = seq_after(segment->ack, c->snd_una);
    uint32_t acked = segment->ack - c->snd_una;

    tcp_sack_release(tcp, c, segment);
    dsack = tcp_sack_take(tcp, c, segment);
    if (dsack)
        tcp_rack_dsack(c);
    tcp->rings[c->index].dsacks += dsack;
    tcp->stats.dsacks += dsack;
    tcp_probe_ack(tcp, c, segment, dsack);
    if (news) {
        tcp_acked(tcp, c, segment);
        if (c->marks & M_RECOVERY || c->recovery & R_LOSS)
            progress(tcp, c, segment);
        if (!(c->marks & M_RECOVERY) && limited)
            tcp_grow(tcp, c, acked);
    }
    if (c->marks & M_SCORE) {
        c->recovery |= R_DETECT;
        if (c->snd_una != c->snd_max && (news || c->delivered > 0)) {
            c->recovery &= (uint8_t)~R_TIMER;
            tcp_rtx_start(tcp, c, tcp_rto(c));
        }
        tcp_mark_dirty(tcp, c);
    } else {
        c->delivered = 0;
        c->recovery &= (uint8_t) ~(R_DETECT | R_TIMER);
    }
}

/* RFC 8985 section 6.3: on a timeout the first one is lost, and whatever is as old; what was sent just now is not. If
 * the peer said that it has the first one, it has changed its mind (RFC 2018 section 8), and is believed nothing. */
void tcp_recovery_timeout(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct rte_mbuf *head = c->send.head;
    uint32_t age = c->rack_rtt_us != 0 ? c->rack_rtt_us + c->min_rtt_us / 4 : 0;

    if (weir_packet(head)->tcp.marks & P_SACKED)
        tcp_sack_forget(c);
    for (struct rte_mbuf *m = head; m != NULL && seq_before(weir_packet(m)->tcp.seq, c->snd_max);
         m = weir_packet(m)->next) {
        struct weir_packet *packet = weir_packet(m);

        if (!(packet->tcp.marks & P_SACKED) && (m == head || tcp->now_us - packet->tcp.sent_us >= age))
            packet->tcp.marks = (uint8_t)((packet->tcp.marks | P_LOST) & ~P_RESENT);
    }
    c->recovery = (uint8_t)((c->recovery | R_LOSS | R_DETECT) & ~(R_PROBE | R_PROBE_AGAIN | R_TIMER | R_FIRST));
    c->marks = (uint16_t)((c->marks | M_SCORE) & ~M_RECOVERY);
    c->delivered = 0;
}
