/* A segment that was not predicted, by the book: RFC 9293 section 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all other states),
 * in the RFC's order, with RFC 5961 (blind attacks) and RFC 7323 (PAWS). Each step answers whether to go on. A
 * connection that has ended is CLOSED: its place in the slab stays readable until the next one is made. */
#include "tcp_private.h"

void tcp_consume(struct tcp_segment *segment)
{
    rte_pktmbuf_free(segment->m);
    segment->m = NULL;
}

/* A limit for all connections together is one that a stranger can exhaust and watch from a connection of his own, and
 * so find out what goes on on others (RFC 5961 section 10, CVE-2016-5696): how much it is each second is our secret. */
static bool may_challenge(struct weir_tcp *tcp)
{
    if (tcp->challenges_s != tcp->now_s) {
        uint64_t second = (uint64_t)tcp->now_s << 8 | 1; /* another thing than ports are chosen by */

        tcp->challenges_s = tcp->now_s;
        tcp->challenges_left =
            (uint32_t)(CHALLENGES_ALL / 2 + weir_siphash(tcp->key, &second, sizeof(second)) % CHALLENGES_ALL);
    }
    if (tcp->challenges_left == 0)
        return false;
    tcp->challenges_left--;
    return true;
}

/* An ACK that is not about data, so that no two confused ends can answer each other for ever. RFC 5961 section 7. */
void tcp_challenge(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (tcp->now_s - c->challenge_s >= CHALLENGE_SECONDS) {
        c->challenge_s = tcp->now_s;
        c->challenges = 0;
    }
    if (c->challenges == CHALLENGES_MAX || !may_challenge(tcp))
        return;
    c->challenges++;
    tcp->stats.challenge_acks++;
    tcp_note(tcp, c, E_CHALLENGE, 0);
    tcp_owe_ack(tcp, c);
}

/* ---- SYN-SENT: RFC 9293 section 3.10.7.3 ---- */

static void syn_sent(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    bool acked = segment->flags & ACK;

    if (acked && (!seq_after(segment->ack, c->iss) || seq_after(segment->ack, c->snd_max))) {
        tcp_reset_reply(tcp, segment);
        return;
    }
    if (segment->flags & RST) {
        if (acked)
            tcp_finish(tcp, c, -ECONNREFUSED);
        return;
    }
    if (!(segment->flags & SYN))
        return;
    tcp_take_syn(tcp, c, segment);
    c->unanswered = 0;
    if (!acked) { /* both opened at once: RFC 9293 section 3.5, figure 8 */
        tcp_set_state(tcp, c, WEIR_TCP_SYN_RECEIVED);
        tcp_mark(tcp, c, M_SYN);
        return;
    }
    tcp_our_syn_acked(tcp, c, segment);
    tcp_owe_ack(tcp, c);
}

/* ---- the others: RFC 9293 section 3.10.7.4 ---- */

/* The peer's SYN once more, in SYN-RECEIVED: our answer was lost; or, in a simultaneous open, it is its answer. */
static bool check_repeated_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    if (c->state != WEIR_TCP_SYN_RECEIVED || (segment->flags & (SYN | RST)) != SYN || segment->seq != c->irs)
        return true;
    if (!(segment->flags & ACK)) {
        tcp_mark(tcp, c, M_SYN);
        return false;
    }
    segment->flags &= (uint8_t)~SYN;
    segment->seq++;
    segment->from_syn = true;
    return true;
}

/* RFC 7323 section 5.3, R1, and section 3.2: without the option a segment of such a connection is not one of it. But a
 * SYN may be of a peer that has forgotten the connection: RFC 5961 section 4.2. */
static bool check_timestamps(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    if (!(c->flags & F_TIMESTAMPS) || (segment->flags & RST))
        return true;
    if (!segment->options.has_timestamps)
        return segment->flags & SYN;
    if (!seq_before(segment->options.timestamp, c->ts_recent) || tcp->now_s - c->ts_recent_s > PAWS_IDLE_SECONDS)
        return true;
    tcp->stats.paws_dropped++;
    tcp_note(tcp, c, E_OLD_TIMESTAMP, segment->seq - c->irs);
    if (segment->length > 0)
        tcp_owe_ack(tcp, c);
    else
        tcp_challenge(tcp, c);
    return false;
}

/* RFC 7323 section 4.3 (2): only what fills the left edge of what we have acknowledged. While an ACK is owed that edge
 * is behind, and an older timestamp is to be echoed. Asked once the ACK was found possible: who guesses only a sequence
 * number in the window must not move the time, or PAWS would drop all that the peer sends. */
static void take_timestamp(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    if (!(c->flags & F_TIMESTAMPS) || !segment->options.has_timestamps || (c->flags & F_ACK_OWED) ||
        seq_after(segment->seq, c->rcv_nxt))
        return;
    c->ts_recent = segment->options.timestamp;
    c->ts_recent_s = tcp->now_s;
}

static uint32_t sequence_length(const struct tcp_segment *segment)
{
    return segment->length + !!(segment->flags & SYN) + !!(segment->flags & FIN);
}

/* The table of RFC 9293 section 3.4. One case is wider: a segment without length may stand right behind the window,
 * where a peer that has filled it (and lost some of it) must put its ACKs. */
static bool in_window(const struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    uint32_t window = c->rcv_edge - c->rcv_nxt, at = segment->seq - c->rcv_nxt, length = sequence_length(segment);

    if (segment->flags & RST) /* its text, if it has any, is none: RFC 9293 section 3.5.3 */
        return at == 0 || at < window;
    if (length == 0)
        return at <= window;
    return at < window || at + length - 1 < window;
}

static void answer_unacceptable(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    if (segment->flags & RST)
        return;
    if (c->state == WEIR_TCP_TIME_WAIT && (segment->flags & FIN))
        tcp_enter_time_wait(tcp, c); /* our last ACK was lost: the wait starts anew */
    if (segment->length > 0 && tcp_synchronized(c)) {
        tcp->stats.duplicates++;
        tcp_note(tcp, c, E_REPEATED, segment->seq - c->irs);
        tcp_sack_repeated(c, segment->seq, segment->seq + segment->length);
        tcp_owe_duplicate(tcp, c);
    } else if (segment->flags & FIN) {
        tcp_owe_ack(tcp, c);
    } else {
        tcp_challenge(tcp, c);
    }
}

/* First: check the sequence number. */
static bool check_sequence(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    uint32_t length = sequence_length(segment);

    if (length > 0 && c->rcv_edge == c->rcv_nxt && segment->seq == c->rcv_nxt && !(segment->flags & RST)) {
        /* A probe of our closed window: its ACK counts, its text does not fit. */
        segment->length = 0;
        segment->flags &= (uint8_t)~FIN;
        tcp_owe_ack(tcp, c);
        return true;
    }
    if (in_window(c, segment))
        return true;
    answer_unacceptable(tcp, c, segment);
    return false;
}

/* Second: check the RST bit. RFC 5961 section 3.2: only the exact sequence number resets. */
static bool check_reset(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    int error = -ECONNRESET;

    if (!(segment->flags & RST))
        return true;
    if (segment->seq != c->rcv_nxt) {
        tcp_challenge(tcp, c);
        return false;
    }
    tcp_note(tcp, c, E_RESET_IN, segment->seq - c->irs);
    if (c->state == WEIR_TCP_SYN_RECEIVED)
        error = -ECONNREFUSED;
    else if (c->state == WEIR_TCP_TIME_WAIT ||
             ((c->state == WEIR_TCP_CLOSING || c->state == WEIR_TCP_LAST_ACK) && c->send.head == NULL))
        error = 0; /* all that either side had to say was said */
    tcp_finish(tcp, c, error);
    return false;
}

/* Fourth: check the SYN bit. RFC 5961 section 4.2: never believed. */
static bool check_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    if (!(segment->flags & SYN))
        return true;
    if (c->state == WEIR_TCP_SYN_RECEIVED && (c->marks & M_PASSIVE))
        tcp_finish(tcp, c, -ECONNRESET); /* "return to the LISTEN state" */
    else
        tcp_challenge(tcp, c);
    return false;
}

void tcp_our_syn_acked(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    /* a SYN's window is never scaled */
    unsigned scale = (segment->flags & SYN) || segment->from_syn ? 0 : c->scales & 15;

    if (c->flags & F_TIMED)
        tcp_timed(tcp, c);
    else
        c->rto_us = c->wait_us = RTE_MAX(INITIAL_RTO_LOST_SYN_US, tcp->rto_min_us);
    c->marks &= (uint16_t) ~(M_KARN | M_SYN);
    c->flags |= F_SAMPLE;
    c->unanswered = c->retries = 0;
    tcp_release(tcp, c, segment->ack);
    tcp_rtx_restart(tcp, c);
    c->snd_wl1 = segment->seq;
    c->snd_wnd = (uint32_t)segment->window << scale;
    c->snd_wnd_max = c->snd_wnd;
    tcp_established(tcp, c);
    if (c->flags & F_FIN)
        tcp_mark_dirty(tcp, c);
}

static bool check_ack_syn_received(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    if (!seq_after(segment->ack, c->snd_una) || seq_after(segment->ack, c->snd_max)) {
        tcp_reset_reply(tcp, segment);
        return false;
    }
    if ((c->marks & M_PASSIVE) && !tcp_passive_ready(tcp, c)) {
        c->turned_away = true; /* as if it were lost: ours will be sent again, and the peer will answer again */
        return false;
    }
    take_timestamp(tcp, c, segment);
    tcp_our_syn_acked(tcp, c, segment);
    return true;
}

/* Fifth: check the ACK field. RFC 5961 section 5.2. */
static bool check_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    if (!(segment->flags & ACK))
        return false;
    if (c->state == WEIR_TCP_SYN_RECEIVED)
        return check_ack_syn_received(tcp, c, segment);
    if (seq_after(segment->ack, c->snd_max) || seq_before(segment->ack, c->snd_una - c->snd_wnd_max)) {
        tcp_challenge(tcp, c);
        return false;
    }
    take_timestamp(tcp, c, segment);
    if (c->flags & F_ECN)
        tcp_ecn_take(tcp, c, segment);
    if (!seq_before(segment->ack, c->snd_una))
        tcp_take_ack(tcp, c, segment);
    else if (segment->options.sack_count > 0 && tcp_sack_rules(c))
        tcp_recovery_ack(tcp, c, segment);
    if (!tcp_fin_acked(c))
        return true;
    if (c->state == WEIR_TCP_FIN_WAIT_1) {
        tcp_enter_fin_wait_2(tcp, c);
    } else if (c->state == WEIR_TCP_CLOSING) {
        tcp_enter_time_wait(tcp, c);
    } else if (c->state == WEIR_TCP_LAST_ACK) {
        tcp_finish(tcp, c, 0);
        return false;
    }
    return true;
}

/* Seventh and eighth: the text and the FIN. (Sixth, urgent data, is data: RFC 6093.) */
static void check_text(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    if (segment->length == 0 && !(segment->flags & FIN))
        return;
    if (c->state != WEIR_TCP_ESTABLISHED && c->state != WEIR_TCP_FIN_WAIT_1 && c->state != WEIR_TCP_FIN_WAIT_2)
        return;
    if ((c->flags & F_ORPHAN) && seq_after(segment->seq + segment->length, c->rcv_nxt) && segment->length > 0) {
        tcp->stats.abort_on_data++;
        tcp_emit_reset(tcp, c); /* nobody will ever read it: RFC 1122 section 4.2.2.13 */
        tcp_finish(tcp, c, -ECONNRESET);
        return;
    }
    tcp_receive_text(tcp, c, segment);
}

static void other_state(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    if (!check_repeated_syn(tcp, c, segment) || !check_timestamps(tcp, c, segment) || !check_sequence(tcp, c, segment))
        return;
    if (!check_reset(tcp, c, segment) || !check_syn(tcp, c, segment))
        return;
    if (check_ack(tcp, c, segment))
        check_text(tcp, c, segment);
}

/* A new SYN for a four-tuple in TIME-WAIT: RFC 9293 section 3.10.7.4 (TIME-WAIT), RFC 6191 section 2. Timestamps tell
 * old segments from new ones, if they grow, or if the old ones had none; else the sequence number must. */
static bool may_follow_time_wait(const struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    if ((segment->flags & (SYN | ACK | RST | FIN)) != SYN)
        return false;
    if (segment->options.has_timestamps && !(c->flags & F_TIMESTAMPS))
        return true;
    if (segment->options.has_timestamps && segment->options.timestamp != c->ts_recent)
        return seq_after(segment->options.timestamp, c->ts_recent);
    return seq_after(segment->seq, c->rcv_nxt);
}

static void follow_time_wait(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment,
                             struct weir_tcp_listener *listener)
{
    struct tcp_key key = tcp_key_of(c);
    uint32_t last = c->snd_max;

    tcp_finish(tcp, c, 0);
    tcp_passive_open(tcp, listener, segment, &key, &last);
    tcp_consume(segment);
}

void tcp_segment_arrives(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    c->in_lately++;
    tcp_heard(tcp, c);
    if (c->state == WEIR_TCP_TIME_WAIT && may_follow_time_wait(c, segment)) {
        struct weir_tcp_listener *listener = tcp_find_listener(tcp, tcp_local_port(c->ports));
        if (listener != NULL) {
            follow_time_wait(tcp, c, segment, listener);
            return;
        }
    }
    if (c->state == WEIR_TCP_SYN_SENT)
        syn_sent(tcp, c, segment);
    else
        other_state(tcp, c, segment);
    if (segment->m != NULL)
        tcp_consume(segment);
    if (c->state != WEIR_TCP_CLOSED)
        tcp_update_slow(c);
}
