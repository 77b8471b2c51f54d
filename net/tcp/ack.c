/* What an acknowledgement does: RFC 9293 section 3.10.7.4 (fifth), RFC 5681, RFC 6582, RFC 6298. */
#include <stdlib.h>

#include "tcp_private.h"

void tcp_release(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t ack)
{
    struct rte_mbuf *m;

    while ((m = c->send.head) != NULL) {
        struct weir_packet *packet = weir_packet(m);
        uint32_t end = packet->tcp.seq + packet->tcp.len;

        if (seq_after(end, ack)) {
            if (seq_before(packet->tcp.seq, ack)) { /* the payload is found from its end, so this is all */
                packet->tcp.seq = ack;
                packet->tcp.len = end - ack;
            }
            break;
        }
        c->send.head = packet->next;
        tcp_drop_held(tcp, m);
    }
    if (c->send.head == NULL)
        c->send.tail = NULL;
    c->snd_una = ack;
    if (WEIR_UNLIKELY(seq_before(c->snd_nxt, ack))) { /* it had gone back, and the peer had more than we thought */
        c->snd_nxt = ack;
        c->send_next = c->send.head;
    }
}

/* RFC 6298 section 2. */
void tcp_rtt_sample(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint64_t measured_us)
{
    uint32_t us = (uint32_t)RTE_MIN(measured_us, (uint64_t)RTO_MAX_US);
    uint32_t rto;

    if (c->srtt8_us == 0) {
        c->srtt8_us = RTE_MAX(us * 8, 1u);
        c->rttvar4_us = us * 2;
    } else {
        int32_t error = (int32_t)(us - c->srtt8_us / 8);
        c->rttvar4_us += (uint32_t)abs(error) - c->rttvar4_us / 4;
        c->srtt8_us = RTE_MAX(c->srtt8_us + (uint32_t)error, 1u);
    }
    rto = c->srtt8_us / 8 + RTE_MAX(c->rttvar4_us, 1000u); /* G: a millisecond */
    c->rto_us = RTE_MIN(RTE_MAX(rto, tcp->rto_min_us), RTO_MAX_US);
    c->wait_us = tcp_first_wait(c);
    tcp_rack_min_rtt(tcp, c, us);
}

void tcp_timed(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->flags &= (uint16_t)~F_TIMED;
    tcp_rtt_sample(tcp, c, (uint64_t)(tcp->now - c->rtt_at) / 1000);
}

void tcp_heard(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->rcv_nxt != c->received_to) /* the data that came since came with what was heard then, or it had been later */
        c->received_ms = c->heard_ms;
    c->heard_ms = tcp->now_ms;
    c->received_bytes += c->rcv_nxt - c->received_to;
    c->received_to = c->rcv_nxt;
    tcp_add_up(c);
}

void tcp_tick(struct weir_tcp *tcp, struct weir_tcp_connection *c, bool progress)
{
    c->tick = (uint8_t)tcp->now_ms;
    c->alive_s = tcp->now_s;
    c->acked_bytes += c->snd_una - c->acked_to;
    c->acked_to = c->snd_una;
    tcp_heard(tcp, c);
    c->ts_recent_s = tcp->now_s;
    if (!(c->flags & F_TIMED))
        c->flags |= F_SAMPLE;
    if (WEIR_UNLIKELY(c->mss < c->mss_high) && progress)
        tcp_mtu_want(tcp, c);
    if (!progress || c->heard_s == tcp->now_s)
        return;
    c->heard_s = tcp->now_s; /* RFC 1122 section 2.3.2.1: advice from above keeps ARP from asking */
    weir_ip_confirm(tcp->ip, tcp->now, &c->path);
    if (tcp->now_s - c->limited_s >= UNUSED_SECONDS)
        tcp_unused(tcp, c);
    if (c->mss < c->mss_most)
        tcp_mtu_search_again(tcp, c);
}

static void measure(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    uint32_t ms = tcp->now_ms + c->ts_offset - segment->options.timestamp_echo;

    if ((c->flags & F_TIMED) && !seq_before(segment->ack, c->rtt_seq)) {
        tcp_timed(tcp, c);
    } else if (c->marks & M_KARN) {
        /* The echo tells which of the sendings was acknowledged: RFC 7323 section 4.1. Nothing else can: Karn. */
        if ((c->flags & F_TIMESTAMPS) && segment->options.timestamp_echo != 0 && ms < RTO_MAX_US / 1000)
            tcp_rtt_sample(tcp, c, RTE_MAX((uint64_t)ms * 1000, 1u));
        c->marks &= (uint16_t)~M_KARN;
        c->flags |= F_SAMPLE;
    }
}

/* An ACK of new data while in fast recovery. RFC 6582 section 3.2, steps 3 to 5. */
static void recovery_progress(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t ack, uint32_t acked)
{
    if (!seq_before(ack, c->recover)) {
        uint32_t flight = c->snd_max - ack;

        tcp_note(tcp, c, E_RECOVERED, c->ssthresh);
        c->cwnd = RTE_MIN(c->ssthresh, RTE_MAX(flight, (uint32_t)c->mss) + c->mss);
        c->marks &= (uint16_t) ~(M_RECOVERY | M_PARTIAL);
        c->dupacks = 0;
        c->recover = ack - 1; /* the next loss, even at once, is a new one: no retransmission is on its way */
        return;
    }
    c->cwnd = c->cwnd > acked + c->mss ? c->cwnd - acked : c->mss;
    if (acked >= c->mss)
        c->cwnd += c->mss;
    tcp_mark(tcp, c, M_RETRANSMIT);
}

void tcp_acked(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    measure(tcp, c, segment);
    if (c->mtu_probe != 0)
        tcp_mtu_acked(tcp, c, segment->ack);
    c->backoff = c->retries = 0;
    c->marks &= (uint16_t)~M_PROBED;
    tcp_release(tcp, c, segment->ack);
    tcp_rtx_restart(tcp, c);
    if (c->flags & F_BLOCKED)
        tcp_report_writable(tcp, c);
    tcp_tick(tcp, c, true);
    if (c->send_next != NULL || (c->flags & F_FIN))
        tcp_mark_dirty(tcp, c);
}

/* Without SACK: RFC 6582. */
static void new_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    uint32_t acked = segment->ack - c->snd_una;
    bool limited = tcp_cwnd_limited(c) && !tcp_ecn_echoed(c, segment), restart = true;

    measure(tcp, c, segment);
    if (c->mtu_probe != 0)
        tcp_mtu_acked(tcp, c, segment->ack);
    if (c->marks & M_RECOVERY) {
        /* Only the first partial ACK restarts the timer ("impatient"): many losses shall end in a timeout. */
        restart = !(c->marks & M_PARTIAL);
        c->marks |= M_PARTIAL;
        recovery_progress(tcp, c, segment->ack, acked);
    } else {
        c->dupacks = 0;
        if (limited)
            tcp_grow(tcp, c, acked);
    }
    c->backoff = c->retries = 0;
    c->marks &= (uint16_t)~M_PROBED;
    tcp_release(tcp, c, segment->ack);
    if (restart || c->snd_una == c->snd_max)
        tcp_rtx_restart(tcp, c);
    if (c->flags & F_BLOCKED)
        tcp_report_writable(tcp, c);
    tcp_tick(tcp, c, true);
    if (c->send_next != NULL || (c->flags & F_FIN))
        tcp_mark_dirty(tcp, c);
}

/* RFC 5681 section 3.2, RFC 6582 section 3.2 steps 2 and 3. */
static void duplicate_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp_mark_dirty(tcp, c); /* limited transmit, or the inflated window, may let something out */
    if (c->marks & M_RECOVERY) {
        if (c->cwnd < c->ssthresh + (c->recover - c->snd_una)) /* no more of them than were in flight: made up */
            c->cwnd += c->mss;
        return;
    }
    if (c->dupacks < UINT8_MAX)
        c->dupacks++;
    if (c->dupacks == DUPACKS && tcp_mtu_lost(tcp, c, c->snd_una)) {
        tcp_mtu_go_back(tcp, c);
        return;
    }
    /* Duplicates up to `recover` may be the echo of what a timeout has sent again. */
    if (c->dupacks != DUPACKS || c->recover == c->snd_una || tcp_in_flight(c, c->recover))
        return;
    tcp_reduce(tcp, c);
    c->cwnd = c->ssthresh + DUPACKS * c->mss;
    c->recover = c->snd_max;
    tcp_mark(tcp, c, M_RECOVERY | M_RETRANSMIT);
    c->marks &= (uint16_t)~M_PARTIAL;
    tcp->stats.fast_retransmits++;
    tcp_note(tcp, c, E_RECOVERY, c->snd_max - c->snd_una);
    tcp_rtx_start(tcp, c, tcp_rto(c));
}

/* The window opened: what a probe sent into it was not taken, and goes again with the rest. */
static void leave_persist(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->backoff = 0;
    if (c->marks & M_PROBED) {
        c->marks &= (uint16_t)~M_PROBED;
        c->snd_nxt = c->snd_una;
        c->send_next = c->send.head;
        tcp_sack_forget(c);
        c->flags &= (uint16_t)~F_RTX;
    } else if (c->snd_una == c->snd_max) {
        c->flags &= (uint16_t)~F_RTX;
    }
}

void tcp_update_window(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t seq, uint32_t window)
{
    bool opened;

    if (seq_before(seq, c->snd_wl1)) /* an old segment says nothing about now */
        return;
    opened = window > c->snd_wnd;
    if (WEIR_UNLIKELY((window == 0) != (c->snd_wnd == 0)))
        tcp_note(tcp, c, opened ? E_WINDOW_OPENED : E_WINDOW_CLOSED, window);
    c->snd_wl1 = seq;
    c->snd_wnd = window;
    c->snd_wnd_max = RTE_MAX(c->snd_wnd_max, window);
    if (!opened)
        return;
    leave_persist(tcp, c);
    if (c->send_next != NULL || (c->flags & F_FIN))
        tcp_mark_dirty(tcp, c);
}

void tcp_take_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    uint32_t window = (uint32_t)segment->window << (c->scales & 15);

    c->unanswered = 0;
    c->alive_s = tcp->now_s;
    if (tcp_sack_rules(c) && !(c->marks & M_PROBED))
        tcp_recovery_ack(tcp, c, segment);
    else if (segment->ack != c->snd_una)
        new_ack(tcp, c, segment);
    else if (segment->length == 0 && !(segment->flags & FIN) && window == c->snd_wnd && c->snd_una != c->snd_max &&
             !(c->marks & M_PROBED))
        duplicate_ack(tcp, c);
    tcp_update_window(tcp, c, segment->seq, window);
}
