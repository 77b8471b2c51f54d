/* How large a segment may be: what the link and both ends allow, what routers say (RFC 1191, RFC 8201, with the doubts
 * of RFC 5927), and what probes find out, for routers may be silent: RFC 4821. A probe is a segment of data, larger
 * than those that are known to arrive; its loss says that it was too large, and nothing else. */
#include "tcp_private.h"

#define MTU_MIN_V4 552 /* less is more likely an attack than a link: RFC 5927 section 7.2; as Linux's min_pmtu */
#define MTU_MIN_V6 1280
#define GRAIN 8            /* payload bytes: what is nearer is not searched for. RFC 4821 section 7.3 */
#define SEARCH_AGAIN_S 600 /* RFC 8899 section 5.1.1, PMTU_RAISE_TIMER; RFC 1191 section 6.3 */
#define BLACK_HOLE_TIMEOUTS                                                                                            \
    6u /* some 12 s: a path that loses every tenth segment, which three in a row happen to, is none */

static uint32_t mtu_min(const struct weir_tcp_connection *c)
{
    return weir_ip_path_is_v4(&c->path) ? MTU_MIN_V4 : MTU_MIN_V6;
}

static uint32_t overhead(const struct weir_tcp_connection *c)
{
    return c->path.l3_length + WEIR_TCP_HEADER_LENGTH + (c->flags & F_TIMESTAMPS ? WEIR_TCP_TIMESTAMPS_LENGTH : 0);
}

/* RFC 4821 section 7.2. */
static uint32_t base_mss(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    return RTE_MAX(tcp->mtu_base, mtu_min(c)) - overhead(c);
}

void tcp_mtu_start(const struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->mss_most = c->mss_high = c->mss;
    if (tcp->mtu_probing == WEIR_TCP_MTU_ALWAYS)
        c->mss = (uint16_t)RTE_MIN(c->mss, base_mss(tcp, c));
}

void tcp_mtu_go_back(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->snd_nxt = c->snd_una;
    c->send_next = c->send.head;
    c->dupacks = 0;
    c->recover = c->snd_max; /* what arrives twice now is acknowledged twice, and not for a loss: RFC 6582 section 4 */
    tcp_sack_forget(c);
    tcp_update_slow(c);
    tcp_mark_dirty(tcp, c);
}

/* A link on the way is narrower than ours: smaller segments from now on, and what was lost again. RFC 1191 section 6,
 * without its guesses: a router that does not say the MTU is not obeyed. */
void tcp_mtu_told(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t mtu)
{
    uint32_t mss = mtu - overhead(c);

    if (mtu < mtu_min(c) || mtu >= c->path.mtu || !tcp_synchronized(c))
        return;
    tcp_note(tcp, c, E_MTU, mtu);
    c->path.mtu = (uint16_t)mtu;
    c->mtu_probed_s = tcp->now_s;
    if (mss >= c->mss) { /* of a probe, then; its loss will be noticed */
        c->mss_high = (uint16_t)RTE_MIN(c->mss_high, mss);
        return;
    }
    c->mss = c->mss_high = (uint16_t)mss;
    c->mtu_probe = 0;
    tcp_mtu_go_back(tcp, c);
}

/* ---- probes ---- */

void tcp_mtu_want(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->mtu_probe != 0 || c->mtu_probed_s == tcp->now_s) /* one a second is fast enough to find the size */
        return;
    c->mtu_wanted = true;
    tcp_mark(tcp, c, 0);
}

void tcp_mtu_search_again(const struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (tcp->mtu_probing != WEIR_TCP_MTU_OFF && c->mss_high == c->mss && tcp->now_s - c->mtu_probed_s >= SEARCH_AGAIN_S)
        c->mss_high = c->mss_most;
}

/* The most, for that is the likeliest; then halves. RFC 4821 section 7.3. */
static uint32_t probe_size(const struct weir_tcp_connection *c)
{
    return c->mss_high == c->mss_most ? c->mss_most : (c->mss + c->mss_high + 1u) / 2;
}

/* RFC 4821 section 7.4: nothing is being made good, and there is enough to send, and room for it, that a loss is
 * noticed by what arrives after it. The probe itself is one segment to congestion control. */
static bool may_probe(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, uint32_t size)
{
    uint32_t after = c->flags & F_SACK ? 1 : DUPACKS, needed = size + after * c->mss, flight = tcp_flight(c);

    if ((c->state != WEIR_TCP_ESTABLISHED && c->state != WEIR_TCP_CLOSE_WAIT) || c->mtu_probe != 0 ||
        c->snd_nxt != c->snd_max || c->retries > 0 || c->dupacks > 0 ||
        (c->marks & (M_RECOVERY | M_SCORE | M_PROBED)) || (c->recovery & (R_LOSS | R_PROBE)))
        return false;
    return c->mss < c->mss_high && c->snd_end - c->snd_nxt >= needed && flight + needed <= c->snd_wnd &&
           needed <= c->cwnd && flight + c->mss <= c->cwnd && weir_packet(c->send_next)->tcp.seq == c->snd_nxt &&
           tcp->packets_held < tcp->packets_max;
}

/* Copies the next `size` bytes to be sent. */
static struct rte_mbuf *copy_next(struct weir_tcp *tcp, const struct weir_tcp_connection *c, uint32_t size)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(tcp->pool);

    for (struct rte_mbuf *from = c->send_next; m != NULL && m->pkt_len < size; from = weir_packet(from)->next) {
        uint32_t length = RTE_MIN(weir_packet(from)->tcp.len, size - m->pkt_len);
        char *to = rte_pktmbuf_append(m, (uint16_t)length);
        const void *bytes;

        WEIR_ASSERT(to != NULL); /* mss_most is at most copy_max */
        bytes = rte_pktmbuf_read(from, from->pkt_len - weir_packet(from)->tcp.len, length, to);
        if (bytes != to)
            memcpy(to, bytes, length);
    }
    return m;
}

/* Puts a packet in the place of the next bytes to be sent. More follow it. */
static void replace_next(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    uint32_t end = c->snd_nxt + m->pkt_len, old_end;
    struct rte_mbuf **link = &c->send.head, *old;

    while (*link != c->send_next)
        link = &weir_packet(*link)->next;
    for (old = *link;; old = weir_packet(m)->next) {
        old_end = weir_packet(old)->tcp.seq + weir_packet(old)->tcp.len;
        if (seq_after(old_end, end))
            break;
        weir_packet(m)->next = weir_packet(old)->next;
        tcp_drop_held(tcp, old);
    }
    weir_packet(old)->tcp.seq = end; /* the payload is found from its end, so this is all */
    weir_packet(old)->tcp.len = old_end - end;
    weir_packet(m)->next = old;
    weir_packet(m)->tcp.seq = c->snd_nxt;
    weir_packet(m)->tcp.len = m->pkt_len;
    weir_packet(m)->tcp.marks = 0;
    tcp_hold(tcp, m);
    *link = c->send_next = m;
}

uint32_t tcp_mtu_prepare(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t size = probe_size(c);
    struct rte_mbuf *m;

    c->mtu_wanted = false;
    if (!may_probe(tcp, c, size))
        return 0;
    m = copy_next(tcp, c, size);
    if (m == NULL)
        return 0;
    replace_next(tcp, c, m);
    c->mtu_probe = (uint16_t)size;
    c->mtu_probe_seq = c->snd_nxt;
    c->mtu_probed_s = tcp->now_s;
    c->path.mtu = (uint16_t)RTE_MAX(c->path.mtu, size + overhead(c));
    c->flags |= F_SLOW;
    return size;
}

/* Nothing worth a probe is left between what arrives and what does not. */
static void end_search(struct weir_tcp_connection *c)
{
    if (c->mss_high < c->mss + GRAIN)
        c->mss_high = c->mss;
}

static bool sent_once(const struct weir_tcp_connection *c)
{
    for (struct rte_mbuf *m = c->send.head; m != NULL; m = weir_packet(m)->next)
        if (weir_packet(m)->tcp.seq == c->mtu_probe_seq)
            return !(weir_packet(m)->tcp.marks & P_REPEATED);
    return false;
}

/* RFC 4821 section 7.6.1. What had to be sent again arrived in smaller pieces, and tells nothing. */
void tcp_mtu_acked(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t ack)
{
    if (seq_before(ack, c->mtu_probe_seq + c->mtu_probe))
        return;
    if (sent_once(c)) {
        tcp->stats.mtu_probes_delivered++;
        tcp_note(tcp, c, E_MTU_PROBED, c->mtu_probe);
        c->mss = c->mtu_probe;
        end_search(c);
    }
    c->mtu_probe = 0;
}

bool tcp_mtu_lost(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t seq)
{
    if (c->mtu_probe == 0 || seq != c->mtu_probe_seq)
        return false;
    tcp->stats.mtu_probes_lost++;
    tcp_note(tcp, c, E_MTU_TOO_LARGE, c->mtu_probe);
    c->mss_high = (uint16_t)RTE_MIN(c->mss_high, c->mtu_probe - 1);
    c->mtu_probe = 0;
    end_search(c);
    return true;
}

/* RFC 4821 section 7.7: large segments vanish, and nobody says why. Of small ones that vanish it is not the size. */
void tcp_mtu_timeout(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t mss = base_mss(tcp, c);

    (void)tcp_mtu_lost(tcp, c, c->mtu_probe_seq);
    if (c->mss <= mss)
        mss = RTE_MAX(c->mss / 2u, mtu_min(c) - overhead(c));
    if (tcp->mtu_probing == WEIR_TCP_MTU_OFF || c->retries < BLACK_HOLE_TIMEOUTS || c->mss <= mss ||
        c->send.head == NULL || weir_packet(c->send.head)->tcp.len <= mss)
        return;
    tcp->stats.mtu_black_holes++;
    tcp_note(tcp, c, E_BLACK_HOLE, c->mss);
    c->mss = (uint16_t)mss;
    c->mss_high = c->mss_most;
}
