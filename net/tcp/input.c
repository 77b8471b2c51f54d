/* A burst of segments: looked up together, so that their cache misses overlap; then each is taken, most of them on the
 * predicted path (Jacobson's header prediction): the next data in order, or an ACK of new data, in ESTABLISHED. */
#include "tcp_private.h"

#define BURST_MAX 64

struct lookup {
    struct tcp_key key;
    uint32_t hash;
    struct weir_tcp_connection *guess; /* a connection whose hash fits, to be compared */
};

static bool checksum_is_good(const struct rte_mbuf *m, const struct weir_ip_rx *rx)
{
    uint64_t told = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

    if (WEIR_LIKELY(told == RTE_MBUF_F_RX_L4_CKSUM_GOOD))
        return true;
    if (told == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        return false;
    if (told == RTE_MBUF_F_RX_L4_CKSUM_NONE) /* not in the packet, but its data is known to be good (virtio) */
        return true;
    return weir_checksum_join(rx->pseudo_sum, (uint16_t)m->pkt_len, weir_sum_packet(m, 0, m->pkt_len)) == 0;
}

/* What happens on the predicted path once all conditions hold. */
static inline void take_predicted_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t ack)
{
    if (WEIR_UNLIKELY(tcp_cwnd_limited(c)))
        tcp_grow(tcp, c, ack - c->snd_una);
    if (WEIR_UNLIKELY(c->flags & F_TIMED) && !seq_before(ack, c->rtt_seq))
        tcp_timed(tcp, c);
    tcp_release(tcp, c, ack);
    tcp_rtx_restart(tcp, c);
    if (WEIR_UNLIKELY(c->flags & F_BLOCKED))
        tcp_report_writable(tcp, c);
    if (c->send_next != NULL)
        tcp_mark_dirty(tcp, c);
}

static inline void take_predicted_data(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m,
                                       unsigned header, uint32_t length)
{
    m->data_off += (uint16_t)header;
    m->data_len -= (uint16_t)header;
    m->pkt_len = length;
    tcp_owe_ack_of_data(tcp, c, length);
    (void)tcp_receive_in_order(tcp, c, m, length);
}

/* Returns false, and has done nothing, if the segment is not one that was to be expected. */
static inline bool predicted(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    const struct rte_tcp_hdr *in = rte_pktmbuf_mtod(m, const struct rte_tcp_hdr *);
    bool timestamps = c->flags & F_TIMESTAMPS;
    unsigned header = tcp_header_length(c);
    uint32_t seq = rte_be_to_cpu_32(in->sent_seq), ack = rte_be_to_cpu_32(in->recv_ack);
    uint32_t length = m->pkt_len - header, timestamp, echo, window;

    if ((c->flags & F_SLOW) || in->data_off != header << 2 || (in->tcp_flags & ~PSH) != ACK || m->data_len < header ||
        seq != c->rcv_nxt || length > c->rcv_edge - c->rcv_nxt || ack - c->snd_una > c->snd_max - c->snd_una)
        return false;
    if (ack == c->snd_una && length == 0) /* a duplicate, or a window update */
        return false;
    if (timestamps) {
        if (!weir_tcp_timestamps_read(in + 1, &timestamp, &echo) || seq_before(timestamp, c->ts_recent))
            return false;
        if (!(c->flags & F_ACK_OWED)) /* see take_timestamp in segment.c */
            c->ts_recent = timestamp;
    }
    if (WEIR_UNLIKELY(c->tick != (uint8_t)tcp->now_ms))
        tcp_tick(tcp, c, ack != c->snd_una);
    c->in_lately++;
    window = (uint32_t)rte_be_to_cpu_16(in->rx_win) << (c->scales & 15);
    if (ack != c->snd_una)
        take_predicted_ack(tcp, c, ack);
    if (window != c->snd_wnd)
        tcp_update_window(tcp, c, seq, window);
    else if (!seq_before(seq, c->snd_wl1))
        c->snd_wl1 = seq;
    if (length > 0)
        take_predicted_data(tcp, c, m, header, length);
    else
        rte_pktmbuf_free(m);
    return true;
}

static bool decode(struct rte_mbuf *m, const struct weir_ip_rx *rx, const struct tcp_key *key,
                   struct tcp_segment *segment)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);
    struct weir_tcp_header header;

    if (weir_tcp_header_parse(bytes, m->data_len, &header) < 0)
        return false;
    *segment = (struct tcp_segment){
        .m = m,
        .rx = rx,
        .ports = key->ports,
        .seq = header.seq,
        .ack = header.ack,
        .length = m->pkt_len - header.header_length,
        .window = header.window,
        .flags = header.flags,
        .header_length = header.header_length,
    };
    weir_tcp_options_parse(bytes + WEIR_TCP_HEADER_LENGTH, header.header_length - WEIR_TCP_HEADER_LENGTH,
                           &segment->options);
    return true;
}

/* A segment that belongs to no connection: for a listener (RFC 9293 section 3.10.7.2), or for nobody (3.10.7.1). */
static void for_no_connection(struct weir_tcp *tcp, struct tcp_segment *segment, const struct tcp_key *key)
{
    struct weir_tcp_listener *listener = tcp_find_listener(tcp, tcp_local_port(key->ports));
    struct weir_tcp_connection *c;

    if (listener != NULL && tcp_cookie_take(tcp, listener, segment, key, &c)) {
        if (c != NULL)
            tcp_segment_arrives(tcp, c, segment);
        else /* as if it were lost: what the peer sends next brings the cookie back again */
            tcp_consume(segment);
        return;
    }
    if (segment->flags & RST || segment->rx->broadcast)
        ;
    else if (listener == NULL || (segment->flags & ACK))
        tcp_reset_reply(tcp, segment);
    else if (segment->flags & SYN)
        tcp_passive_open(tcp, listener, segment, key, NULL);
    tcp_consume(segment);
}

static inline void take(struct weir_tcp *tcp, struct rte_mbuf *m, const struct weir_ip_rx *rx,
                        const struct lookup *lookup)
{
    struct weir_tcp_connection *c = lookup->guess;
    struct tcp_segment segment;

    tcp->stats.in_segs++;
    if (WEIR_UNLIKELY(m->data_len < WEIR_TCP_HEADER_LENGTH || m->pkt_len > UINT16_MAX || rx->broadcast)) {
        tcp->stats.in_errs++;
        rte_pktmbuf_free(m);
        return;
    }
    if (WEIR_UNLIKELY(!checksum_is_good(m, rx))) {
        tcp->stats.in_cksum_errors++;
        tcp->stats.in_errs++;
        rte_pktmbuf_free(m);
        return;
    }
    if (c == NULL || !tcp_is(c, &lookup->key) || c->state == WEIR_TCP_CLOSED)
        c = tcp_lookup(tcp, &lookup->key, lookup->hash); /* made, or freed, since the guess */
    if (WEIR_LIKELY(c != NULL) && WEIR_LIKELY((rx->tos & ECN_MASK) != ECN_CE) && WEIR_LIKELY(predicted(tcp, c, m)))
        return;
    if (!decode(m, rx, &lookup->key, &segment)) {
        tcp->stats.in_errs++;
        rte_pktmbuf_free(m);
    } else if (c != NULL) {
        tcp_segment_arrives(tcp, c, &segment);
    } else {
        for_no_connection(tcp, &segment, &lookup->key);
    }
}

static inline void hash_packet(const struct weir_tcp *tcp, const struct rte_mbuf *m, const struct weir_ip_rx *rx,
                               struct lookup *lookup)
{
    lookup->key = (struct tcp_key){rx->src, rx->dst, 0};
    if (WEIR_LIKELY(m->data_len >= sizeof(lookup->key.ports)))
        memcpy(&lookup->key.ports, rte_pktmbuf_mtod(m, const void *), sizeof(lookup->key.ports));
    lookup->hash = tcp_hash(tcp, &lookup->key);
    rte_prefetch0(&tcp->slots[lookup->hash & tcp->slots_mask]);
}

static inline void guess_connection(const struct weir_tcp *tcp, struct lookup *lookup)
{
    const struct tcp_slot *slot = &tcp->slots[lookup->hash & tcp->slots_mask];

    lookup->guess = NULL;
    for (uint32_t at = lookup->hash; WEIR_UNLIKELY(slot->hash != lookup->hash);
         slot = &tcp->slots[at & tcp->slots_mask]) {
        if (slot->index == 0)
            return;
        at++;
    }
    if (WEIR_UNLIKELY(slot->index == 0)) /* a free slot, and a hash of 0 */
        return;
    lookup->guess = &tcp->connections[slot->index - 1];
    rte_prefetch0(lookup->guess);
    rte_prefetch0(&lookup->guess->send);
    rte_prefetch0(&lookup->guess->path);
}

/* What the segment is likely to acknowledge: to be freed, both lines of it. */
static inline void prefetch_sent(const struct lookup *lookup)
{
    const struct rte_mbuf *sent = lookup->guess != NULL ? lookup->guess->send.head : NULL;

    if (sent == NULL)
        return;
    rte_prefetch0(sent);
    rte_prefetch0(sent->cacheline1);
}

void weir_tcp_input(struct weir_tcp *tcp, weir_time now, struct rte_mbuf **packets, const struct weir_ip_rx *rx,
                    unsigned n)
{
    struct lookup lookups[BURST_MAX];

    WEIR_ASSERT(n <= BURST_MAX);
    tcp_set_now(tcp, now);
    for (unsigned i = 0; i < n; i++)
        hash_packet(tcp, packets[i], &rx[i], &lookups[i]);
    for (unsigned i = 0; i < n; i++)
        guess_connection(tcp, &lookups[i]);
    for (unsigned i = 0; i < n; i++)
        prefetch_sent(&lookups[i]);
    for (unsigned i = 0; i < n; i++)
        take(tcp, packets[i], &rx[i], &lookups[i]);
}
