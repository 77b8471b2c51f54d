/* A connection's life: how it starts, the states it passes, how it ends, and what is reported of all that. */
#include "tcp_private.h"

static bool counts_as_established(enum weir_tcp_state state)
{
    return state == WEIR_TCP_ESTABLISHED || state == WEIR_TCP_CLOSE_WAIT; /* RFC 4022, tcpCurrEstab */
}

void tcp_set_state(struct weir_tcp *tcp, struct weir_tcp_connection *c, enum weir_tcp_state state)
{
    tcp->stats.curr_estab += counts_as_established(state);
    tcp->stats.curr_estab -= counts_as_established(c->state);
    c->state = (uint8_t)state;
    tcp_note(tcp, c, E_STATE, 0);
}

void tcp_update_slow(struct weir_tcp_connection *c)
{
    bool slow = c->state != WEIR_TCP_ESTABLISHED || (c->flags & F_ORPHAN) || c->out_of_order.head != NULL ||
                (c->marks & (M_RECOVERY | M_PROBED | M_KARN | M_FIN_SEEN | M_SCORE)) ||
                (c->recovery & (R_DETECT | R_LOSS | R_PROBE)) || c->dupacks > 0 || c->mtu_probe != 0 ||
                c->unanswered > 0 || c->retries > 0 || c->backoff > 0 || c->snd_nxt != c->snd_max;

    c->flags = (uint16_t)(slow ? c->flags | F_SLOW : c->flags & ~F_SLOW);
}

void tcp_connection_start(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t iss, uint32_t ts_offset)
{
    struct tcp_key key = tcp_key_of(c);

    c->hash = tcp_hash(tcp, &key);
    tcp_table_insert(tcp, c);
    c->iss = c->snd_una = c->snd_nxt = c->snd_max = iss;
    c->snd_end = iss + 1;
    c->recover = iss; /* RFC 6582 section 3.2, step 1 */
    c->ts_offset = ts_offset;
    c->heard_ms = tcp->now_ms;
    c->rto_us = c->wait_us = RTE_MAX(INITIAL_RTO_US, tcp->rto_min_us);
    c->reorder_mult = 1;
    c->rack_fack = iss;
    c->acked_to = c->ecn_recover = iss;
    c->flags |= F_SAMPLE | F_SLOW;
    c->mss = (uint16_t)RTE_MIN((uint32_t)DEFAULT_MSS, tcp->copy_max);
    tcp_mark(tcp, c, M_SYN);
}

/* How much payload fits a segment to this peer. RFC 6691: MSS options count no options, segments must. */
static void choose_mss(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint16_t peers)
{
    uint32_t mss = tcp_mss_of(tcp, &c->path);

    if (peers == 0)
        peers = weir_ip_path_is_v4(&c->path) ? DEFAULT_MSS : DEFAULT_MSS_V6;
    mss = RTE_MIN(mss, (uint32_t)RTE_MAX(peers, (uint16_t)MSS_MIN));
    if (c->flags & F_TIMESTAMPS)
        mss -= WEIR_TCP_TIMESTAMPS_LENGTH;
    c->mss = (uint16_t)RTE_MIN(mss, tcp->copy_max);
    tcp_mtu_start(tcp, c);
}

void tcp_take_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    const struct weir_tcp_option_values *options = &segment->options;

    c->irs = segment->seq;
    c->rcv_nxt = segment->seq + 1;
    c->received_to = segment->seq;
    c->rcv_edge = c->rcv_nxt + RTE_MIN(tcp->receive_buffer, (uint32_t)UINT16_MAX); /* what our SYN says */
    if (options->has_timestamps) {
        c->flags |= F_TIMESTAMPS;
        c->ts_recent = options->timestamp;
        c->ts_recent_s = tcp->now_s;
    }
    tcp_ecn_take_syn(tcp, c, segment);
    if (options->sack_permitted)
        c->flags |= F_SACK;
    if (options->has_scale) {
        c->marks |= M_PEER_SCALES;
        c->scales = (uint8_t)(tcp->receive_scale << 4 | options->scale);
    }
    choose_mss(tcp, c, options->mss);
    c->snd_wl1 = segment->seq;
    c->snd_wnd = c->snd_wnd_max = segment->window; /* a SYN's is never scaled, RFC 7323 section 2.2 */
    tcp->congestion->init(c);
    c->limited_s = tcp->now_s;
}

void tcp_established(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->marks & M_SYN_LOST)
        c->cwnd = c->mss; /* RFC 6928 section 2, as RFC 5681 section 3.1: a lost SYN tells of congestion */
    tcp_set_state(tcp, c, WEIR_TCP_ESTABLISHED);
    if (c->flags & F_FIN) /* closed before it was open */
        tcp_set_state(tcp, c, WEIR_TCP_FIN_WAIT_1);
    if (!(c->marks & M_PASSIVE))
        tcp_report(tcp, c, WEIR_TCP_CONNECTED);
}

/* Empties what no longer has a meaning; received data is kept unless a reset took it back. */
static void let_go(struct weir_tcp *tcp, struct weir_tcp_connection *c, bool reset)
{
    tcp_table_remove(tcp, c);
    weir_wheel_disarm(&tcp->wheel, &c->timer);
    c->flags &= (uint16_t) ~(F_TIMER | F_RTX);
    c->send_next = NULL;
    tcp_queue_free(tcp, &c->send);
    tcp_out_of_order_free(tcp, c);
    if (reset) {
        tcp_queue_free(tcp, &c->receive);
        c->rcv_queued = 0;
    }
    tcp_listener_forget(c);
    weir_list_remove(&c->member);
}

void tcp_finish(struct weir_tcp *tcp, struct weir_tcp_connection *c, int error)
{
    bool held = (c->marks & M_ACCEPTED) && !(c->flags & F_ORPHAN);

    WEIR_ASSERT(c->state != WEIR_TCP_CLOSED);
    tcp->orphans -= (c->flags & F_ORPHAN) && c->state != WEIR_TCP_TIME_WAIT;
    tcp_events_end(tcp, c, error);
    if (c->state < WEIR_TCP_ESTABLISHED)
        tcp->stats.attempt_fails++;
    else if (error < 0 && counts_as_established(c->state))
        tcp->stats.estab_resets++;
    let_go(tcp, c, error == -ECONNRESET || !held);
    tcp_set_state(tcp, c, WEIR_TCP_CLOSED);
    c->error = error;
    if (!held)
        tcp_connection_free(tcp, c);
    else
        tcp_report(tcp, c, error < 0 ? WEIR_TCP_FAILED | WEIR_TCP_READABLE | WEIR_TCP_WRITABLE : WEIR_TCP_READABLE);
}

void tcp_enter_time_wait(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp->orphans -= (c->flags & F_ORPHAN) && c->state != WEIR_TCP_TIME_WAIT;
    tcp_set_state(tcp, c, WEIR_TCP_TIME_WAIT);
    c->life_at = weir_time_add(tcp->now, tcp->time_wait_time);
    c->flags &= (uint16_t)~F_RTX;
    c->rtx_at = WEIR_NEVER;
    tcp_timer_arm(tcp, c);
    if (c->flags & F_ORPHAN) { /* the latest is the last to be given up for a new one */
        weir_list_remove(&c->member);
        weir_list_append(&tcp->time_wait, &c->member);
    }
}

void tcp_enter_fin_wait_2(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp_set_state(tcp, c, WEIR_TCP_FIN_WAIT_2);
    if (!(c->flags & F_ORPHAN))
        return; /* a half-closed connection may go on for ever */
    c->life_at = weir_time_add(tcp->now, FIN_WAIT_2_TIME);
    c->rtx_at = WEIR_NEVER;
    tcp_timer_arm(tcp, c);
}

void tcp_report_writable(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t room = weir_tcp_send_room(c);

    /* Not at the first free byte: the writer would be woken for each ACK. */
    if (room == 0 || room < tcp_send_limit(tcp) / 4)
        return;
    c->flags &= (uint16_t)~F_BLOCKED;
    tcp_report(tcp, c, WEIR_TCP_WRITABLE);
}

void *weir_tcp_next_event(struct weir_tcp *tcp, unsigned *events)
{
    struct weir_tcp_listener *listener = WEIR_LIST_FIRST(&tcp->listeners_reported, struct weir_tcp_listener, reported);

    if (listener != NULL) {
        weir_list_remove(&listener->reported);
        *events = WEIR_TCP_ACCEPTABLE;
        return listener->user;
    }
    while (tcp->reports.head != tcp->reports.tail) {
        struct weir_tcp_connection *c = &tcp->connections[tcp_ring_pop(&tcp->reports)];

        c->flags &= (uint16_t)~F_REPORTED;
        if (c->events == 0 || c->user == NULL)
            continue;
        *events = c->events;
        c->events = 0;
        return c->user;
    }
    return NULL;
}
