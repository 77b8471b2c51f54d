/* What received payload does: in order it waits for its reader, out of order it waits for what is missing. */
#include "tcp_private.h"

void tcp_queue_free(struct weir_tcp *tcp, struct weir_packet_queue *queue)
{
    struct rte_mbuf *m;

    while ((m = weir_packet_queue_pop(queue)) != NULL)
        tcp_drop_held(tcp, m);
}

void tcp_out_of_order_free(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp_queue_free(tcp, &c->out_of_order);
    tcp->out_of_order_held -= c->out_of_order_count;
    c->out_of_order_count = 0;
}

/* ---- cutting ---- */

struct rte_mbuf *tcp_trim_front(struct rte_mbuf *m, uint32_t bytes)
{
    WEIR_ASSERT(bytes <= m->pkt_len);
    while (m->nb_segs > 1 && bytes >= m->data_len) { /* a whole segment goes, its packet's own data moves on */
        struct rte_mbuf *next = m->next;

        bytes -= m->data_len;
        next->pkt_len = m->pkt_len - m->data_len;
        next->nb_segs = m->nb_segs - 1;
        *weir_packet(next) = *weir_packet(m);
        m->next = NULL;
        m->nb_segs = 1;
        rte_pktmbuf_free(m);
        m = next;
    }
    m->data_off += (uint16_t)bytes;
    m->data_len -= (uint16_t)bytes;
    m->pkt_len -= bytes;
    return m;
}

void tcp_trim_back(struct rte_mbuf *m, uint32_t bytes)
{
    uint32_t keep = m->pkt_len - bytes;
    struct rte_mbuf *last = m;
    uint16_t segments = 1;

    WEIR_ASSERT(bytes < m->pkt_len);
    m->pkt_len = keep;
    for (; last->next != NULL && keep > last->data_len; last = last->next, segments++)
        keep -= last->data_len;
    last->data_len = (uint16_t)keep;
    if (last->next != NULL)
        rte_pktmbuf_free(last->next);
    last->next = NULL;
    m->nb_segs = segments;
}

/* ---- in order ---- */

/* Moves a small payload behind the last one's, so that one-byte segments do not each pin a packet. */
static bool coalesce(struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t length)
{
    struct rte_mbuf *tail = c->receive.tail;
    const void *bytes;
    char *to;

    if (tail == NULL || length > COALESCE_MAX || tail->nb_segs > 1 || !RTE_MBUF_DIRECT(tail) ||
        rte_mbuf_refcnt_read(tail) != 1)
        return false;
    to = rte_pktmbuf_append(tail, (uint16_t)length);
    if (to == NULL)
        return false;
    bytes = rte_pktmbuf_read(m, 0, length, to);
    if (bytes != to)
        memcpy(to, bytes, length);
    rte_pktmbuf_free(m);
    return true;
}

static void forget_out_of_order(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp->stats.ofo_drop += c->out_of_order_count;
    tcp_sack_dropped(c, c->rcv_nxt);
    tcp_out_of_order_free(tcp, c);
}

bool tcp_receive_crowded(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t length)
{
    if (coalesce(c, m, length))
        return true;
    if (tcp->packets_held >= tcp->packets_limit) /* what comes next is worth more than what comes after it */
        forget_out_of_order(tcp, c);
    if (tcp->packets_held >= tcp->packets_limit) {
        tcp->stats.rcv_q_drop++;
        tcp_note(tcp, c, E_NO_MEMORY, c->rcv_nxt - c->irs);
        rte_pktmbuf_free(m);
        return false;
    }
    tcp_hold(tcp, m);
    weir_packet_queue_push(&c->receive, m);
    return true;
}

/* ---- out of order: sorted by sequence number, no two overlap ---- */

static uint32_t packet_end(struct rte_mbuf *m)
{
    return weir_packet(m)->tcp.seq + weir_packet(m)->tcp.len;
}

static void set_extent(struct rte_mbuf *m, uint32_t seq)
{
    weir_packet(m)->tcp.seq = seq;
    weir_packet(m)->tcp.len = m->pkt_len;
}

/* Takes out those that the range from `seq` to `end` covers, from the one after `before` (NULL: the first) on. */
static void remove_covered(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *before, uint32_t end)
{
    struct rte_mbuf **link = before != NULL ? &weir_packet(before)->next : &c->out_of_order.head;

    while (*link != NULL && !seq_after(packet_end(*link), end)) {
        struct rte_mbuf *m = *link;
        *link = weir_packet(m)->next;
        c->out_of_order_count -= m->nb_segs;
        tcp->out_of_order_held -= m->nb_segs;
        tcp_drop_held(tcp, m);
    }
    if (*link == NULL)
        c->out_of_order.tail = before;
}

/* Finds the last packet that begins at or before `seq`; NULL: none does. The newest is the likeliest. */
static struct rte_mbuf *find_before(struct weir_tcp_connection *c, uint32_t seq)
{
    struct rte_mbuf *before = NULL;

    if (c->out_of_order.tail != NULL && !seq_after(weir_packet(c->out_of_order.tail)->tcp.seq, seq))
        return c->out_of_order.tail;
    for (struct rte_mbuf *m = c->out_of_order.head; m != NULL && !seq_after(weir_packet(m)->tcp.seq, seq);
         m = weir_packet(m)->next)
        before = m;
    return before;
}

/* Cuts what is held already off a payload's front. Returns NULL, and frees it, if nothing is left. */
static struct rte_mbuf *cut_front(struct rte_mbuf *m, struct rte_mbuf *before)
{
    uint32_t seq = weir_packet(m)->tcp.seq;

    if (before == NULL || !seq_after(packet_end(before), seq))
        return m;
    if (!seq_before(packet_end(before), packet_end(m))) {
        rte_pktmbuf_free(m);
        return NULL;
    }
    m = tcp_trim_front(m, packet_end(before) - seq);
    set_extent(m, packet_end(before));
    return m;
}

static void insert(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    struct rte_mbuf *before = find_before(c, weir_packet(m)->tcp.seq), *next;

    m = cut_front(m, before);
    if (m == NULL)
        return;
    remove_covered(tcp, c, before, packet_end(m));
    next = before != NULL ? weir_packet(before)->next : c->out_of_order.head;
    if (next != NULL && !seq_after(weir_packet(next)->tcp.seq, weir_packet(m)->tcp.seq)) {
        rte_pktmbuf_free(m); /* between the two, nothing is left of it */
        return;
    }
    if (next != NULL && seq_before(weir_packet(next)->tcp.seq, packet_end(m))) {
        tcp_trim_back(m, packet_end(m) - weir_packet(next)->tcp.seq);
        set_extent(m, weir_packet(m)->tcp.seq);
    }
    weir_packet(m)->next = next;
    if (before != NULL)
        weir_packet(before)->next = m;
    else
        c->out_of_order.head = m;
    if (next == NULL)
        c->out_of_order.tail = m;
    c->out_of_order_count += m->nb_segs;
    tcp->out_of_order_held += m->nb_segs;
    tcp_hold(tcp, m);
}

/* No more than half of what may be held, all connections together: what waits for a segment that never comes must leave
 * the others room to go on. */
static bool out_of_order_full(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    return tcp->packets_held >= tcp->packets_limit || tcp->out_of_order_held >= tcp->packets_max / 2 ||
           c->out_of_order_count >= 16 + tcp->receive_buffer / 512;
}

static void drop_last(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct rte_mbuf *last = c->out_of_order.tail, *before = NULL;

    for (struct rte_mbuf *m = c->out_of_order.head; m != last; m = weir_packet(m)->next)
        before = m;
    tcp_sack_dropped(c, weir_packet(last)->tcp.seq);
    remove_covered(tcp, c, before, packet_end(last));
}

/* What is nearest to the left edge is worth most: it pushes out what is farther away. Returns false if m is not that.
 */
static bool make_room(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    while (out_of_order_full(tcp, c)) {
        struct rte_mbuf *last = c->out_of_order.tail;

        tcp->stats.ofo_drop++;
        if (last == NULL || !seq_before(weir_packet(m)->tcp.seq, weir_packet(last)->tcp.seq))
            return false;
        drop_last(tcp, c);
    }
    return true;
}

static void receive_out_of_order(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t seq)
{
    uint32_t end = seq + m->pkt_len;

    tcp->stats.out_of_order++;
    tcp_note(tcp, c, E_OUT_OF_ORDER, seq - c->irs);
    tcp->rings[c->index].out_of_order++;
    tcp_owe_duplicate(tcp, c);
    set_extent(m, seq);
    if (tcp->shed >= SHED_OUT_OF_ORDER) {
        tcp->stats.ofo_drop++;
        tcp_note(tcp, c, E_NO_MEMORY, seq - c->irs);
        rte_pktmbuf_free(m);
        return;
    }
    if (!make_room(tcp, c, m)) {
        tcp_note(tcp, c, E_NO_MEMORY, seq - c->irs);
        rte_pktmbuf_free(m);
        return;
    }
    insert(tcp, c, m);
    tcp_sack_arrived(c, seq, end);
}

/* Moves what is no longer out of order to the reader. */
static void drain(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct rte_mbuf *m;

    while ((m = c->out_of_order.head) != NULL && !seq_after(weir_packet(m)->tcp.seq, c->rcv_nxt)) {
        uint32_t have = c->rcv_nxt - weir_packet(m)->tcp.seq;

        weir_packet_queue_pop(&c->out_of_order);
        c->out_of_order_count -= m->nb_segs;
        tcp->out_of_order_held -= m->nb_segs;
        tcp_let_go(tcp, m);
        if (have >= weir_packet(m)->tcp.len) {
            rte_pktmbuf_free(m);
            continue;
        }
        m = tcp_trim_front(m, have);
        if (!tcp_receive_in_order(tcp, c, m, m->pkt_len))
            return;
    }
}

/* ---- a segment's text ---- */

/* RFC 9293 section 3.10.7.4, eighth: check the FIN bit. */
static void take_fin(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->rcv_nxt++;
    if (seq_before(c->rcv_edge, c->rcv_nxt))
        c->rcv_edge = c->rcv_nxt;
    c->marks |= M_PEER_FIN;
    tcp_owe_ack(tcp, c);
    tcp_report(tcp, c, WEIR_TCP_READABLE);
    if (c->state == WEIR_TCP_ESTABLISHED)
        tcp_set_state(tcp, c, WEIR_TCP_CLOSE_WAIT);
    else if (c->state == WEIR_TCP_FIN_WAIT_1)
        tcp_set_state(tcp, c, WEIR_TCP_CLOSING);
    else
        tcp_enter_time_wait(tcp, c);
}

/* Where the stream ends: data beyond it, of a peer that contradicts itself, is not taken. */
static void note_fin(struct weir_tcp_connection *c, uint32_t seq)
{
    if ((c->marks & M_FIN_SEEN) || seq_before(seq, c->rcv_nxt) ||
        (c->out_of_order.tail != NULL && seq_after(packet_end(c->out_of_order.tail), seq)))
        return;
    c->marks |= M_FIN_SEEN;
    c->fin_seq = seq;
}

/* Cuts a segment to what the window takes. Returns false if no payload is left (the FIN may be). */
static bool cut_to_window(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    uint32_t edge = c->rcv_edge;

    if (seq_before(segment->seq, c->rcv_nxt)) {
        uint32_t old = RTE_MIN(c->rcv_nxt - segment->seq, segment->length);
        tcp->stats.duplicates++;
        tcp_note(tcp, c, E_REPEATED, segment->seq - c->irs);
        if (old > 0)
            tcp_sack_repeated(c, segment->seq, segment->seq + old);
        segment->m = tcp_trim_front(segment->m, old);
        segment->seq += old;
        segment->length -= old;
    }
    if (seq_after(segment->seq + segment->length, edge)) {
        segment->flags &= (uint8_t)~FIN;
    } else if (segment->flags & FIN) {
        note_fin(c, segment->seq + segment->length);
    }
    if ((c->marks & M_FIN_SEEN) && seq_before(c->fin_seq, edge))
        edge = c->fin_seq;
    if (segment->length == 0 || !seq_before(segment->seq, edge))
        return false;
    if (seq_after(segment->seq + segment->length, edge)) {
        tcp_trim_back(segment->m, segment->seq + segment->length - edge);
        segment->length = edge - segment->seq;
    }
    return true;
}

void tcp_receive_text(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment)
{
    segment->m = tcp_trim_front(segment->m, segment->header_length);
    if (cut_to_window(tcp, c, segment)) {
        struct rte_mbuf *m = segment->m;

        segment->m = NULL;
        if (segment->seq != c->rcv_nxt) {
            receive_out_of_order(tcp, c, m, segment->seq);
        } else {
            if (tcp_receive_in_order(tcp, c, m, segment->length))
                c->dupacks_owed = 0; /* they were of an older ACK */
            drain(tcp, c);
            tcp_owe_ack(tcp, c);
        }
    }
    if ((c->marks & (M_FIN_SEEN | M_PEER_FIN)) == M_FIN_SEEN && c->rcv_nxt == c->fin_seq)
        take_fin(tcp, c);
    else if (segment->flags & FIN) /* it came before what it follows */
        tcp_owe_ack(tcp, c);
}
