/* What is lost, by time: a packet sent well before one that has arrived. RFC 8985: RACK, section 6, and the tail loss
 * probe, section 7. */
#include "tcp_private.h"

#define PROBE_FLOOR_US 10000u  /* a peer on the same wire may be scheduled away for so long */
#define DELAYED_ACK_US 200000u /* section 7.2: TLP.max_ack_delay                            */
#define DSACK_PERSISTS 15u     /* recoveries; section 6.2 step 4 says 16, in a field of four bits */
#define MIN_RTT_SECONDS 300

/* Both are past: one that is long past would seem to lie ahead if they were compared with each other. */
static bool sent_before(const struct weir_tcp *tcp, uint32_t a_us, uint32_t b_us)
{
    return tcp->now_us - a_us > tcp->now_us - b_us;
}

static uint32_t end_of(struct rte_mbuf *m)
{
    return weir_packet(m)->tcp.seq + weir_packet(m)->tcp.len;
}

/* Section 6.2 step 1; the filter's window is coarse: a path that has become longer is believed after a while. */
void tcp_rack_min_rtt(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t us)
{
    if (c->min_rtt_us != 0 && us > c->min_rtt_us && tcp->now_s - c->min_rtt_s < MIN_RTT_SECONDS)
        return;
    c->min_rtt_us = RTE_MAX(us, 1u);
    c->min_rtt_s = tcp->now_s;
}

/* Section 6.2 step 2: an ACK that comes too soon, or echoes an older sending, is of the original and not of the copy.
 */
static bool is_of_original(const struct weir_tcp *tcp, const struct weir_tcp_connection *c,
                           const struct weir_packet *packet, const struct tcp_segment *segment)
{
    uint32_t sent_ms;

    if (!(packet->tcp.marks & P_REPEATED))
        return false;
    if (tcp->now_us - packet->tcp.sent_us < c->min_rtt_us)
        return true;
    if (!(c->flags & F_TIMESTAMPS) || !segment->options.has_timestamps)
        return false;
    sent_ms = tcp->now_ms - (tcp->now_us - packet->tcp.sent_us) / 1000 + c->ts_offset;
    return seq_before(segment->options.timestamp_echo, sent_ms - 1);
}

void tcp_rack_delivered(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m,
                        const struct tcp_segment *segment)
{
    const struct weir_packet *packet = weir_packet(m);
    uint32_t end = end_of(m), sent = packet->tcp.sent_us;

    if (seq_before(end, c->rack_fack) && tcp_in_flight(c, c->rack_fack) &&
        !(packet->tcp.marks & P_REPEATED)) { /* section 6.2 step 3 */
        c->recovery |= R_REORDERS;
        tcp->rings[c->index].reorderings++;
        tcp->stats.reorderings++;
    }
    if (is_of_original(tcp, c, packet, segment))
        return;
    if (!(packet->tcp.marks & P_REPEATED))
        tcp_rack_min_rtt(tcp, c, tcp->now_us - sent);
    if (c->rack_rtt_us != 0 &&
        (sent_before(tcp, sent, c->rack_sent_us) || (sent == c->rack_sent_us && !seq_after(end, c->rack_end))))
        return;
    c->rack_rtt_us = RTE_MAX(tcp->now_us - sent, 1u);
    c->rack_sent_us = sent;
    c->rack_end = end;
}

/* ---- section 6.2 step 4: how much reordering is borne ---- */

void tcp_rack_dsack(struct weir_tcp_connection *c)
{
    if ((c->recovery & R_DSACK_ROUND) && !tcp_in_flight(c, c->dsack_round))
        c->recovery &= (uint8_t)~R_DSACK_ROUND;
    if (c->recovery & R_DSACK_ROUND)
        return;
    c->recovery |= R_DSACK_ROUND;
    c->dsack_round = c->snd_max;
    c->reorder_mult = RTE_MIN(c->reorder_mult + 1u, 15u) & 15u;
    c->reorder_persist = DSACK_PERSISTS;
}

void tcp_rack_recovered(struct weir_tcp_connection *c)
{
    if (c->reorder_persist > 0)
        c->reorder_persist--;
    if (c->reorder_persist == 0)
        c->reorder_mult = 1;
}

static uint32_t reordering_window(const struct weir_tcp_connection *c)
{
    bool recovering = (c->marks & M_RECOVERY) || (c->recovery & R_LOSS);

    if (!(c->recovery & R_REORDERS) && (recovering || c->sacked_count >= DUPACKS))
        return 0;
    return RTE_MIN(c->reorder_mult * c->min_rtt_us / 4, c->srtt8_us / 8);
}

/* ---- section 6.2 step 5 ---- */

static bool sent_before_delivered(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    uint32_t sent = weir_packet(m)->tcp.sent_us;

    return sent_before(tcp, sent, c->rack_sent_us) || (sent == c->rack_sent_us && seq_before(end_of(m), c->rack_end));
}

/* Looks at one packet in flight. Returns how long it may yet take, in us; 0: it is lost; -1: nothing is known of it. */
static int32_t patience(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, struct rte_mbuf *m,
                        uint32_t window)
{
    int32_t left;

    if (c->rack_rtt_us == 0 || !sent_before_delivered(tcp, c, m))
        return -1;
    left = (int32_t)(weir_packet(m)->tcp.sent_us + c->rack_rtt_us + window - tcp->now_us);
    return RTE_MAX(left, 0);
}

bool tcp_rack_detect(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t window = reordering_window(c), waits = 0, lost = 0;
    bool news = false;

    c->pipe = 0; /* a FIN is no byte of it: it must not keep a segment out */
    for (struct rte_mbuf *m = c->send.head; m != NULL && seq_before(weir_packet(m)->tcp.seq, c->snd_max);
         m = weir_packet(m)->next) {
        struct weir_packet *packet = weir_packet(m);
        int32_t left;

        if (packet->tcp.marks & P_SACKED)
            continue;
        if ((packet->tcp.marks & (P_LOST | P_RESENT)) == P_LOST) {
            lost++;
            continue;
        }
        left = patience(tcp, c, m, window);
        if (left == 0) {
            packet->tcp.marks = (uint8_t)((packet->tcp.marks | P_LOST) & ~P_RESENT);
            if (!tcp_mtu_lost(tcp, c, packet->tcp.seq))
                news = true;
            lost++;
            continue;
        }
        waits = RTE_MAX(waits, (uint32_t)RTE_MAX(left, 0));
        c->pipe += RTE_MIN(packet->tcp.len, c->snd_max - packet->tcp.seq);
    }
    if (lost == 0 && c->sacked_count == 0 && !(c->marks & M_RECOVERY) && !(c->recovery & R_LOSS)) {
        c->marks &= (uint16_t)~M_SCORE;
    } else if (waits > 0) {
        c->recovery |= R_TIMER;
        tcp_rtx_start(tcp, c, (weir_time)waits * 1000 + 1000);
    }
    return news;
}

/* ---- the tail loss probe: section 7 ---- */

uint32_t tcp_first_wait(const struct weir_tcp_connection *c)
{
    return c->flags & F_SACK ? RTE_MIN(c->srtt8_us / 4 + PROBE_FLOOR_US, c->rto_us) : c->rto_us;
}

bool tcp_probe_due(const struct weir_tcp_connection *c)
{
    return tcp_sack_rules(c) && !(c->marks & (M_SCORE | M_RECOVERY)) && !(c->recovery & (R_LOSS | R_PROBE | R_TIMER)) &&
           c->unanswered == 0 && c->snd_una != c->snd_max && c->snd_wnd > 0 && c->wait_us < c->rto_us;
}

static struct rte_mbuf *last_sent(const struct weir_tcp_connection *c)
{
    struct rte_mbuf *last = NULL;

    for (struct rte_mbuf *m = c->send.head; m != NULL && seq_before(weir_packet(m)->tcp.seq, c->snd_max);
         m = weir_packet(m)->next)
        last = m;
    return last;
}

/* Section 7.2: the timer runs from when something was last sent, but is started seldom: looked at now. What is sent
 * meanwhile puts it off, but not beyond when the first one times out. Returns how long yet; 0: now is the time. */
static uint32_t probe_wait(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, uint32_t waited)
{
    uint32_t first = tcp->now_us - weir_packet(c->send.head)->tcp.sent_us;

    if (waited >= c->wait_us || first >= c->rto_us)
        return 0;
    return RTE_MIN(c->wait_us - waited, c->rto_us - first);
}

/* One segment alone may be waiting for a delayed ACK (section 7.2), and then a timeout comes sooner than a probe would.
 */
void tcp_probe_timer(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct rte_mbuf *last = last_sent(c);
    uint32_t waited = last != NULL ? tcp->now_us - weir_packet(last)->tcp.sent_us : UINT32_MAX;
    uint32_t wait = last != NULL ? probe_wait(tcp, c, waited) : 0;
    bool alone = c->snd_max - c->snd_una <= c->mss;

    if (wait > 0) {
        tcp_rtx_start(tcp, c, (weir_time)wait * 1000);
        return;
    }
    c->recovery |= R_PROBE;
    c->recovery &= (uint8_t)~R_PROBE_AGAIN;
    c->tlp_end = c->snd_max;
    if (alone && c->wait_us + DELAYED_ACK_US > c->rto_us) { /* no probe, but the timeout that would come first */
        tcp_rtx_start(tcp, c, (weir_time)(c->rto_us > waited ? c->rto_us - waited : 1) * 1000);
        return;
    }
    tcp->stats.tail_loss_probes++;
    tcp_note(tcp, c, E_TAIL_PROBE, c->snd_max - c->snd_una);
    if (c->send_next == NULL || c->snd_max - c->snd_una >= c->snd_wnd) {
        c->recovery |= R_PROBE_AGAIN;
        if (last != NULL)
            weir_packet(last)->tcp.marks = (uint8_t)((weir_packet(last)->tcp.marks | P_LOST) & ~P_RESENT);
        c->marks |= M_SCORE;
        tcp_mark_dirty(tcp, c);
    } else {
        tcp_mark(tcp, c, M_FORCE);
    }
    tcp_rtx_start(tcp, c, tcp_rto(c));
}

/* Before SND.UNA moves. */
void tcp_probe_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment, bool dsack)
{
    bool again = c->recovery & R_PROBE_AGAIN;

    if (!(c->recovery & R_PROBE) || seq_before(segment->ack, c->tlp_end))
        return;
    if (again && !dsack && segment->ack == c->tlp_end && segment->ack != c->snd_una)
        return; /* of the probe, or of what it repeats? What comes next will tell. */
    if (again && !dsack && seq_after(segment->ack, c->tlp_end)) {
        /* What was lost was the last of them, and the probe has mended it: congestion all the same. */
        tcp_reduce(tcp, c);
        c->cwnd = c->ssthresh;
    }
    c->recovery &= (uint8_t) ~(R_PROBE | R_PROBE_AGAIN);
}
