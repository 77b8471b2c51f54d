/* What happens when nothing happens: retransmission (RFC 6298), probing of a closed window (RFC 9293 section 3.8.6.1),
 * and the ends of TIME_WAIT and FIN_WAIT_2. One timer a connection; what it means is found out when it runs out. */
#include "tcp_private.h"

void tcp_timer_arm(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    weir_time at = c->flags & F_RTX ? RTE_MIN(c->rtx_at, c->life_at) : c->life_at;

    if (at == WEIR_NEVER)
        return;
    weir_wheel_arm(&tcp->wheel, &c->timer, at);
    c->flags |= F_TIMER;
}

/* R2 counts how often the same segment was sent: ACKs that do not acknowledge it are no reason to go on. RFC 1122
 * section 4.2.3.5. */
static bool gives_up(const struct weir_tcp_connection *c)
{
    unsigned tries = RTE_MAX(c->unanswered, c->retries);
    bool late = c->user_timeout_s != 0 && c->tcp->now_s - c->stalled_s >= c->user_timeout_s;

    if (c->state < WEIR_TCP_ESTABLISHED)
        return c->unanswered > (c->state == WEIR_TCP_SYN_SENT ? SYN_RETRIES : SYN_ACK_RETRIES);
    /* A peer that answers probes may keep its window closed as long as it likes (RFC 1122 section 4.2.2.17), but not
     * when nobody is left here to care. */
    if (c->flags & F_ORPHAN)
        return late || tries > ORPHAN_RETRIES || c->backoff > ORPHAN_RETRIES;
    if (c->user_timeout_s != 0)
        return late;
    return tries > DATA_RETRIES;
}

/* The link has asked for the next hop again and again, and nobody answered: RFC 4861 section 7.2.2 has the sender told
 * that. Half a minute, for the way may be dark for a while; and where a connection stands already the host may come
 * back. */
static bool nobody_there(const struct weir_tcp_connection *c)
{
    return c->state == WEIR_TCP_SYN_SENT && c->unanswered >= UNREACHABLE_AFTER && !weir_ip_reaches(&c->path);
}

/* Gone without a word. A peer that is there after all must not wait for ever; but a SYN may be of nobody. */
static void give_up(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp->stats.abort_on_timeout++;
    if (tcp_synchronized(c) || c->turned_away)
        tcp_emit_reset(tcp, c);
    if (c->soft_error == 0)
        c->soft_error = weir_ip_reaches(&c->path) ? -ETIMEDOUT : -EHOSTUNREACH;
    tcp_finish(tcp, c, c->soft_error);
}

/* ---- keepalive: RFC 9293 section 3.8.4, RFC 1122 section 4.2.3.6 ---- */

static bool keeps_alive(const struct weir_tcp_connection *c)
{
    return c->keep_idle_s != 0 && !(c->flags & F_ORPHAN) && c->state != WEIR_TCP_TIME_WAIT;
}

void tcp_keepalive_arm(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t wait = c->keep_asked > 0 ? c->keep_interval_s : c->keep_idle_s;
    uint32_t silent = c->keep_asked > 0 ? 0 : tcp->now_s - c->alive_s;

    c->life_at = tcp->now + WEIR_SECONDS(wait > silent ? wait - silent : 1);
    tcp_timer_arm(tcp, c);
}

void tcp_keepalive_stop(struct weir_tcp_connection *c)
{
    if (c->keep_idle_s != 0 && c->state != WEIR_TCP_TIME_WAIT)
        c->life_at = WEIR_NEVER; /* it was when to ask whether the peer is there */
    c->keep_idle_s = 0;
}

/* One byte before what the peer expects, and none of it there: it must answer. What is in flight asks by itself, and so
 * does a SYN. */
static void keepalive(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->life_at = WEIR_NEVER;
    if (!tcp_synchronized(c) || tcp->now_s - c->alive_s < c->keep_idle_s || c->snd_una != c->snd_max)
        c->keep_asked = 0;
    else if (c->keep_asked >= c->keep_count) {
        give_up(tcp, c);
        return;
    } else if (tcp_emit_control(tcp, c, c->snd_una - 1, ACK)) {
        tcp->stats.keepalive_probes++;
        tcp_note(tcp, c, E_KEEPALIVE, 0);
        c->keep_asked++;
    }
    tcp_keepalive_arm(tcp, c);
}

static void go_back(struct weir_tcp_connection *c)
{
    tcp_sack_forget(c);
    c->snd_nxt = c->snd_una;
    c->send_next = c->send.head;
}

/* The window is closed, or too small for what waits: a probe, ever more seldom. */
static void persist(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint64_t delay;

    if (c->backoff < UINT8_MAX)
        c->backoff++;
    delay = (uint64_t)c->rto_us << RTE_MIN(c->backoff, 20u);
    if (c->snd_wnd == 0)
        tcp->stats.zero_window_probes++;
    tcp_note(tcp, c, E_WINDOW_PROBE, c->backoff);
    go_back(c);
    tcp_mark(tcp, c, M_FORCE);
    tcp_rtx_start(tcp, c, (weir_time)RTE_MIN(delay, RTO_MAX_US) * 1000);
}

/* RFC 6298 section 5.4 to 5.7, RFC 5681 section 3.1, RFC 6582 section 3.2 step 4. */
static void retransmit(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp->stats.timeouts++;
    tcp_note(tcp, c, E_TIMEOUT, c->rto_us / 1000);
    c->rto_us = RTE_MIN(2 * c->rto_us, RTO_MAX_US);
    c->wait_us = tcp_first_wait(c);
    c->marks |= M_KARN; /* timestamps, if there are any, will tell the time, and undo the backing off */
    c->flags &= (uint16_t)~F_TIMED;
    tcp_mtu_timeout(tcp, c);
    if (c->state < WEIR_TCP_ESTABLISHED) {
        go_back(c);
        tcp_mark(tcp, c, M_SYN | M_SYN_LOST);
    } else if (tcp_sack_rules(c) && c->send.head != NULL) {
        if (c->retries == 1 && !(c->recovery & R_LOSS)) {
            tcp_undo_note(tcp, c);
            tcp_reduce(tcp, c);
        }
        c->cwnd = c->mss;
        c->recover = c->snd_max;
        tcp_recovery_timeout(tcp, c);
        tcp_mark_dirty(tcp, c);
    } else {
        go_back(c);
        if (c->retries == 1) /* later ones tell nothing new: RFC 5681 section 3.1 */
            tcp_reduce(tcp, c);
        c->cwnd = c->mss;
        c->marks &= (uint16_t) ~(M_RECOVERY | M_PARTIAL | M_RETRANSMIT);
        c->dupacks = 0;
        c->recover = c->snd_max;
        tcp_mark(tcp, c, M_FORCE);
    }
    tcp_rtx_start(tcp, c, tcp_rto(c));
}

/* Nothing that was sent is due but what asks for a window. */
static bool persists(const struct weir_tcp_connection *c)
{
    return tcp_synchronized(c) && (c->snd_una == c->snd_max || c->snd_wnd == 0);
}

/* Since when: the first time that is in vain. */
static void count_timeout(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint8_t *counter = persists(c) ? &c->unanswered : &c->retries;

    if (*counter == 0)
        c->stalled_s = tcp->now_s - c->rto_us / 1000000;
    if (c->unanswered < UINT8_MAX)
        c->unanswered++;
    if (!persists(c) && c->retries < UINT8_MAX)
        c->retries++;
}

static void timed_out(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    bool waits = c->snd_una != c->snd_max || c->send_next != NULL || ((c->flags & F_FIN) && !tcp_fin_sent(c));

    c->flags &= (uint16_t)~F_RTX;
    if (!waits)
        return;
    if (c->recovery & R_TIMER) { /* what was given time to arrive out of order has not */
        c->recovery = (uint8_t)((c->recovery | R_DETECT) & ~R_TIMER);
        tcp_rtx_start(tcp, c, tcp_rto(c));
        tcp_mark_dirty(tcp, c);
        tcp_update_slow(c);
        return;
    }
    if (tcp_probe_due(c)) {
        tcp_probe_timer(tcp, c);
        tcp_update_slow(c);
        return;
    }
    count_timeout(tcp, c);
    if (c->unanswered >= DOUBT_AFTER)
        weir_ip_doubt(tcp->ip, tcp->now, &c->path);
    if (gives_up(c) || nobody_there(c)) {
        give_up(tcp, c);
        return;
    }
    if (persists(c))
        persist(tcp, c);
    else
        retransmit(tcp, c);
    tcp_update_slow(c);
}

void weir_tcp_timers(struct weir_tcp *tcp, weir_time now)
{
    struct weir_timer *timer;

    tcp_set_now(tcp, now);
    if (now >= tcp->delayed_at)
        tcp_delayed_due(tcp);
    while ((timer = weir_wheel_expire(&tcp->wheel, now)) != NULL) {
        struct weir_tcp_connection *c = WEIR_CONTAINER_OF(timer, struct weir_tcp_connection, timer);

        c->flags &= (uint16_t)~F_TIMER;
        if (c->life_at <= now && keeps_alive(c)) {
            keepalive(tcp, c);
        } else if (c->life_at <= now) {
            tcp_finish(tcp, c, 0);
            continue;
        }
        if (c->state != WEIR_TCP_CLOSED && (c->flags & F_RTX) && c->rtx_at <= now)
            timed_out(tcp, c);
        if (c->state != WEIR_TCP_CLOSED && !(c->flags & F_TIMER))
            tcp_timer_arm(tcp, c);
    }
}
