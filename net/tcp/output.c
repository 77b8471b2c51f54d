/* What to send, and when: new data as the windows allow, what was lost again, ACKs that nothing carried. */
#include "tcp_private.h"

/* True if the headers can be put in front of the payload where it lies: nobody else may be looking at it (the device,
 * while it still sends it; the user), and there is room. */
static inline bool is_ours_alone(const struct rte_mbuf *m, uint32_t length)
{
    return rte_mbuf_refcnt_read(m) == 1 && m->nb_segs == 1 && RTE_MBUF_DIRECT(m) &&
           m->data_off + (m->data_len - length) >= HEADROOM_MAX;
}

/* Takes a packet to copy to. When the data that waits has itself emptied the pool a small one must do, so that
 * something is sent, acknowledged and freed: `length` shrinks then. Returns NULL when both pools are dry. */
static struct rte_mbuf *alloc_for_copy(struct weir_tcp *tcp, uint32_t *length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(tcp->pool);

    if (WEIR_LIKELY(m != NULL))
        return m;
    m = rte_pktmbuf_alloc(tcp->control_pool);
    if (m == NULL)
        return NULL;
    *length = RTE_MIN(*length, (uint32_t)rte_pktmbuf_tailroom(m));
    return m;
}

/* Copies part of a queued payload into a packet of its own; `length` says how much, and may become less. */
static struct rte_mbuf *copy_payload(struct weir_tcp *tcp, struct rte_mbuf *from, uint32_t seq, uint32_t *wanted)
{
    const struct weir_packet *packet = weir_packet(from);
    uint32_t offset = from->pkt_len - packet->tcp.len + (seq - packet->tcp.seq);
    struct rte_mbuf *m = alloc_for_copy(tcp, wanted);
    uint32_t length = *wanted;
    const void *bytes;
    char *to;

    if (m == NULL)
        return NULL;
    to = rte_pktmbuf_append(m, (uint16_t)length);
    WEIR_ASSERT(to != NULL); /* mss is at most copy_max */
    bytes = rte_pktmbuf_read(from, offset, length, to);
    WEIR_ASSERT(bytes != NULL);
    if (bytes != to)
        memcpy(to, bytes, length);
    return m;
}

/* True if it is the user's own memory (rte_pktmbuf_attach_extbuf), which the device can take from where it lies behind
 * an mbuf of headers. */
static inline bool may_follow_headers(const struct weir_tcp *tcp, const struct rte_mbuf *m, uint32_t length)
{
    return (tcp->capabilities & WEIR_DEV_TX_MULTI_SEGS) && RTE_MBUF_HAS_EXTBUF(m) && m->nb_segs == 1 &&
           m->pkt_len == length && rte_mbuf_refcnt_read(m) == 1;
}

/* Puts room for headers in front of it: an mbuf of its own. Returns NULL when there is none. */
static struct rte_mbuf *put_headroom(struct weir_tcp *tcp, struct rte_mbuf *m)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(tcp->control_pool);

    if (head == NULL)
        return NULL;
    head->next = m;
    head->nb_segs = 2;
    head->pkt_len = m->pkt_len;
    rte_mbuf_refcnt_set(m, 2);
    return head;
}

/* Takes `length` bytes from `seq` on, all in packet m, to be sent. The whole of a packet that is ours alone goes as it
 * is, and a reference is kept until it is acknowledged; anything else goes as a copy (perhaps of less: `length` tells).
 * Returns NULL when there is no memory. */
static inline struct rte_mbuf *take_range(struct weir_tcp *tcp, struct rte_mbuf *m, uint32_t seq, uint32_t *length)
{
    struct weir_packet *packet = weir_packet(m);

    if (WEIR_UNLIKELY(packet->tcp.seq != seq || packet->tcp.len != *length || !is_ours_alone(m, *length)))
        return may_follow_headers(tcp, m, *length) ? put_headroom(tcp, m) : copy_payload(tcp, m, seq, length);
    m->data_off += (uint16_t)(m->data_len - *length); /* headers of an earlier sending go */
    m->data_len = (uint16_t)*length;
    m->pkt_len = *length;
    rte_mbuf_refcnt_set(m, 2);
    return m;
}

static inline void send_range(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t seq,
                              uint8_t flags)
{
    if (WEIR_UNLIKELY(seq_before(seq, c->snd_max))) {
        uint32_t segments = m->next == NULL ? 1 : (m->pkt_len + c->mss - 1) / c->mss;

        tcp->stats.retrans_segs += segments;
        c->retransmitted += segments;
        tcp_note(tcp, c, E_RETRANSMIT, seq - c->iss);
        tcp->rings[c->index].bytes_retransmitted += m->pkt_len;
        if (c->flags & F_TIMED)
            c->marks |= M_KARN;
        c->flags = (uint16_t)((c->flags | F_SLOW) & ~F_TIMED);
    }
    tcp_emit(tcp, c, m, seq, flags);
}

/* New ground was sent: the round trip is timed now and then, and something is in flight. */
static inline void advance(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t to)
{
    c->snd_nxt = to;
    if (WEIR_LIKELY(seq_after(to, c->snd_max))) {
        if ((c->flags & (F_SAMPLE | F_TIMED)) == F_SAMPLE) {
            c->flags = (uint16_t)((c->flags | F_TIMED) & ~F_SAMPLE);
            c->marks &= (uint16_t)~M_KARN;
            c->rtt_seq = c->snd_max + RTE_MIN(to - c->snd_max, (uint32_t)c->mss); /* of a large packet: its first */
            c->rtt_at = tcp->now;
        }
        c->snd_max = to;
    }
    if (!(c->flags & F_RTX))
        tcp_rtx_start(tcp, c, tcp_wait(c));
}

/* How far beyond snd_una may be sent. Limited transmit: the first two duplicate ACKs each let one more new segment out,
 * RFC 3042. */
static inline uint32_t send_window(const struct weir_tcp_connection *c)
{
    uint32_t cwnd = c->cwnd;

    if (WEIR_UNLIKELY((c->flags & F_SLOW) && c->dupacks > 0 && !(c->marks & M_RECOVERY) && c->snd_nxt == c->snd_max))
        cwnd += RTE_MIN(c->dupacks, DUPACKS - 1) * (uint32_t)c->mss;
    return RTE_MIN(cwnd, c->snd_wnd);
}

/* The sender's side of avoiding the silly window: a packet is not cut for a small window, RFC 9293 section 3.8.6.2.1.
 * What fits whole is sent at once (no Nagle: see the header). */
static inline uint32_t portion(const struct weir_tcp_connection *c, const struct weir_packet *packet, uint32_t usable)
{
    uint32_t rest = packet->tcp.seq + packet->tcp.len - c->snd_nxt;
    uint32_t length = RTE_MIN(RTE_MIN(rest, usable), (uint32_t)c->mss);

    if (length < rest && length < c->mss && length < c->snd_wnd_max / 2)
        return 0;
    if (WEIR_UNLIKELY(c->flags & F_NAGLE) && length < c->mss && c->snd_una != c->snd_nxt && !(c->flags & F_FIN))
        return 0; /* RFC 9293 section 3.7.4; what ends the stream is not kept */
    return length;
}

/* Notes that the queue was sent up to `end`; moves send_next. */
static inline void note_sent(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t end)
{
    bool again = seq_before(c->snd_nxt, c->snd_max);
    struct weir_packet *packet;

    do {
        packet = weir_packet(c->send_next);
        packet->tcp.sent_us = tcp->now_us;
        if (WEIR_UNLIKELY(again))
            packet->tcp.marks = P_REPEATED;
        if (seq_after(packet->tcp.seq + packet->tcp.len, end))
            return;
        c->send_next = packet->next;
    } while (packet->tcp.seq + packet->tcp.len != end);
}

/* Sends `length` bytes from snd_nxt on, of c->send_next (and those after it, where the device cuts), and the FIN with
 * them if it is next and may go. Returns false when there is no memory. */
static inline bool send_next(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t length, bool fin_fits)
{
    struct rte_mbuf *m = NULL;
    uint8_t flags = ACK;
    uint32_t end;

    if (WEIR_UNLIKELY(length > c->mss)) {
        m = tcp_large_take(tcp, c, &length);
        length = m != NULL ? length : c->mss;
    }
    if (WEIR_LIKELY(m == NULL))
        m = take_range(tcp, c->send_next, c->snd_nxt, &length);
    if (WEIR_UNLIKELY(m == NULL))
        return false;
    end = c->snd_nxt + length;
    if (end == c->snd_end) {
        flags |= PSH;
        if ((c->flags & F_FIN) && fin_fits)
            flags |= FIN;
    }
    note_sent(tcp, c, end);
    send_range(tcp, c, m, c->snd_nxt, flags);
    advance(tcp, c, end + !!(flags & FIN));
    return true;
}

/* Returns false when there was no memory for a copy. */
static inline bool send_data(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t window;

    if (WEIR_UNLIKELY(c->snd_una == c->snd_max && c->cwnd > 10u * c->mss && tcp->now - c->rtt_at > tcp_rto(c)))
        tcp_after_pause(tcp, c); /* RFC 5681 section 4.1; rtt_at is about when it last sent */
    window = send_window(c);
    while (c->send_next != NULL && tcp_flight(c) < window) {
        uint32_t usable = window - tcp_flight(c);
        uint32_t length = portion(c, weir_packet(c->send_next), usable);

        if (length == 0)
            return true;
        if (WEIR_UNLIKELY(length == c->mss && tcp->pieces_max > 0))
            length = tcp_large_portion(c, usable);
        if (!send_next(tcp, c, length, usable > length))
            return false;
    }
    return true;
}

/* A packet that is lost, again: in as many segments as it takes. Returns false when there is no memory: then all of it
 * goes once more. */
static bool send_again(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *lost)
{
    struct weir_packet *packet = weir_packet(lost);
    uint32_t seq = packet->tcp.seq, end = packet->tcp.seq + packet->tcp.len;

    if (seq_after(end, c->snd_max))
        end = c->snd_max;
    while (seq_before(seq, end)) {
        uint32_t length = RTE_MIN(end - seq, (uint32_t)c->mss);
        struct rte_mbuf *m = take_range(tcp, lost, seq, &length);
        bool fin = seq + length == c->snd_end && tcp_fin_sent(c);

        if (m == NULL)
            return false;
        send_range(tcp, c, m, seq, fin ? ACK | PSH | FIN : ACK | PSH);
        seq += length;
    }
    packet->tcp.sent_us = tcp->now_us;
    packet->tcp.marks |= P_RESENT | P_REPEATED;
    return true;
}

/* With some packets marked: what is lost first, then new data, as far as the pipe has room. RFC 6675 section 5 (C). */
static bool send_recovering(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct rte_mbuf *lost = NULL;
    uint32_t length;

    while ((lost = tcp_recovery_next(c, lost)) != NULL) {
        length = weir_packet(lost)->tcp.len;
        if (c->pipe > 0 && c->pipe + RTE_MIN(length, (uint32_t)c->mss) > c->cwnd)
            return true;
        if (!send_again(tcp, c, lost))
            return false;
        c->pipe += length;
        c->prr_out += length;
        c->recovery &= (uint8_t)~R_FIRST;
    }
    while (c->send_next != NULL && c->pipe < c->cwnd && tcp_flight(c) < c->snd_wnd) {
        uint32_t usable = RTE_MIN(c->cwnd - c->pipe, c->snd_wnd - tcp_flight(c)), before = c->snd_nxt;

        length = portion(c, weir_packet(c->send_next), usable);
        if (length == 0)
            return true;
        if (!send_next(tcp, c, length, usable > length))
            return false;
        c->pipe += c->snd_nxt - before;
        c->prr_out += c->snd_nxt - before;
    }
    return true;
}

static bool send_fin(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (!tcp_emit_control(tcp, c, c->snd_end, FIN | ACK))
        return false;
    advance(tcp, c, c->snd_end + 1);
    return true;
}

static inline bool fin_is_next(const struct weir_tcp_connection *c)
{
    return (c->flags & F_FIN) && c->snd_nxt == c->snd_end && tcp_synchronized(c);
}

/* The first unacknowledged segment again, wherever snd_nxt stands. RFC 5681 section 3.2, step 3. */
static bool retransmit_first(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct rte_mbuf *m = c->send.head;
    uint32_t length;

    if (c->snd_una == c->snd_max) /* acknowledged meanwhile */
        return true;
    if (m == NULL) {
        WEIR_ASSERT(tcp_fin_sent(c));
        tcp->stats.retrans_segs++;
        tcp_note(tcp, c, E_RETRANSMIT, c->snd_end - c->iss);
        return tcp_emit_control(tcp, c, c->snd_end, FIN | ACK);
    }
    length = RTE_MIN(RTE_MIN(weir_packet(m)->tcp.len, (uint32_t)c->mss), c->snd_max - c->snd_una);
    m = take_range(tcp, m, c->snd_una, &length);
    if (m == NULL)
        return false;
    send_range(tcp, c, m, c->snd_una, ACK | PSH);
    return true;
}

/* A timer wants to see something sent: one segment, or one byte into a window that is closed. RFC 9293 section 3.8.6.1,
 * and for what SWS avoidance holds back the override timeout of 3.8.6.2.1. */
static bool send_forced(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t rest, length, room;

    if (c->snd_wnd == 0) { /* what is sent now is not taken yet: see leave_persist */
        c->marks |= M_PROBED;
        c->flags |= F_SLOW;
    }
    if (c->send_next == NULL)
        return !fin_is_next(c) || send_fin(tcp, c);
    rest = weir_packet(c->send_next)->tcp.seq + weir_packet(c->send_next)->tcp.len - c->snd_nxt;
    length = RTE_MIN(rest, (uint32_t)c->mss);
    room = tcp_flight(c) < c->snd_wnd ? c->snd_wnd - tcp_flight(c) : 1;
    return send_next(tcp, c, RTE_MIN(length, room), length < room);
}

/* The sequence number of a segment that carries nothing: SND.NXT, but never beyond the window, where the peer would not
 * look at the ACK that it carries. */
static inline uint32_t ack_seq(const struct weir_tcp_connection *c)
{
    uint32_t edge = c->snd_una + c->snd_wnd;
    return seq_after(c->snd_max, edge) ? edge : c->snd_max;
}

static bool send_duplicate_acks(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    while (c->dupacks_owed > 0) {
        if (!tcp_emit_control(tcp, c, ack_seq(c), ACK))
            return false;
        c->dupacks_owed--;
    }
    return true;
}

static bool send_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (!tcp_emit_syn(tcp, c))
        return false;
    if (c->snd_max != c->iss) {
        tcp->stats.retrans_segs++;
        tcp_note(tcp, c, E_RETRANSMIT, 0);
    }
    advance(tcp, c, c->iss + 1);
    return true;
}

/* A segment larger than those that are known to arrive: RFC 4821 section 7.5. */
static void send_mtu_probe(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t length = tcp_mtu_prepare(tcp, c);
    uint16_t mss = c->mss;
    struct rte_mbuf *m;

    if (length == 0)
        return;
    m = take_range(tcp, c->send_next, c->snd_nxt, &length);
    WEIR_ASSERT(m != NULL); /* it was made for this */
    note_sent(tcp, c, c->snd_nxt + length);
    c->mss = (uint16_t)length; /* nobody is to cut it */
    send_range(tcp, c, m, c->snd_nxt, ACK);
    c->mss = mss;
    advance(tcp, c, c->snd_nxt + length);
}

/* Does what `marks` ask for. Each mark goes once it is done, so that what found no memory is done at the next flush. */
static bool send_special(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->marks & M_SYN) {
        if (!send_syn(tcp, c))
            return false;
        c->marks &= (uint16_t)~M_SYN;
    }
    if (tcp_synchronized(c)) {
        /* What ACKs data in order comes before the duplicates of that ACK. */
        if (c->dupacks_owed > 0 && (c->flags & F_ACK_OWED) && !tcp_emit_control(tcp, c, ack_seq(c), ACK))
            return false;
        if (!send_duplicate_acks(tcp, c))
            return false;
        if ((c->marks & M_WINDOW) && tcp_window_update_due(tcp, c))
            c->flags |= F_ACK_OWED, c->ack_now = true; /* unless data will carry it */
        c->marks &= (uint16_t)~M_WINDOW;
        if ((c->marks & M_RETRANSMIT) && !retransmit_first(tcp, c))
            return false;
        c->marks &= (uint16_t)~M_RETRANSMIT;
        if ((c->marks & M_FORCE) && !send_forced(tcp, c))
            return false;
        c->marks &= (uint16_t)~M_FORCE;
        if (c->mtu_wanted)
            send_mtu_probe(tcp, c);
    }
    c->flags &= (uint16_t)~F_SPECIAL;
    return true;
}

/* Something waits for the window, and nothing that was sent just now will be answered: the peer must be asked. RFC 9293
 * section 3.8.6.1. Part of it may have been sent before, as a probe that was not taken. */
static inline void watch_window(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (!(c->flags & F_RTX) && (c->snd_una != c->snd_max || c->send_next != NULL || fin_is_next(c)))
        tcp_rtx_start(tcp, c, tcp_rto(c));
}

/* Sends what a connection has to send. Returns false when memory ran out: try again. An ACK goes out even when there is
 * no memory for data: they come from different pools. */
static bool output(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    bool done = true;

    if (WEIR_UNLIKELY(c->flags & F_SPECIAL))
        done = send_special(tcp, c);
    if (WEIR_UNLIKELY(c->state == WEIR_TCP_SYN_SENT))
        return done;
    if (WEIR_LIKELY(tcp_synchronized(c) && done)) {
        if (WEIR_UNLIKELY((c->marks & M_SCORE) && tcp_sack_rules(c))) {
            tcp_recovery_turn(tcp, c);
            done = send_recovering(tcp, c);
        } else if (c->send_next != NULL) {
            done = send_data(tcp, c);
        }
        if (WEIR_UNLIKELY(fin_is_next(c)) && tcp_flight(c) < c->snd_wnd)
            done &= send_fin(tcp, c);
    }
    if (tcp_ack_goes(tcp, c))
        done &= tcp_emit_control(tcp, c, ack_seq(c), ACK);
    else if (WEIR_UNLIKELY(c->flags & F_ACK_OWED))
        tcp_delay_ack(tcp, c);
    watch_window(tcp, c);
    return done;
}

void weir_tcp_flush(struct weir_tcp *tcp, weir_time now)
{
    tcp_set_now(tcp, now);
    tcp_watch_memory(tcp);
    for (uint32_t n = tcp->dirty.tail - tcp->dirty.head; n > 0; n--) {
        struct weir_tcp_connection *c = &tcp->connections[tcp_ring_pop(&tcp->dirty)];

        c->flags &= (uint16_t)~F_DIRTY;
        if (c->state == WEIR_TCP_CLOSED)
            continue;
        if (WEIR_UNLIKELY(!output(tcp, c)))
            tcp_mark_dirty(tcp, c); /* until the pool has packets again */
    }
}
