/* How a segment is built in the headroom of its payload, and handed to IP. RFC 9293 section 3.1. */
#include "tcp_private.h"

/* The least by which the right edge of the window moves: receiver's SWS avoidance, RFC 9293 section 3.8.6.2.2. */
static inline uint32_t window_step(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    return RTE_MIN((uint32_t)c->mss, tcp->receive_buffer / 2);
}

/* By how much the right edge could move; never negative: it does not move left, RFC 9293 section 3.8.6. */
static inline uint32_t window_growth(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    uint32_t limit = tcp->receive_buffer, space, edge;

    if (WEIR_UNLIKELY(tcp_scarce(tcp, 0))) { /* a reader with nothing will be given one packet */
        limit = tcp_share(tcp, limit);
        if (c->rcv_queued == 0)
            limit = RTE_MAX(limit, window_step(tcp, c));
    }
    if (WEIR_UNLIKELY(c->rcv_queued >= limit))
        return 0;
    space = RTE_MIN(limit - c->rcv_queued, (uint32_t)UINT16_MAX << (c->scales >> 4));
    edge = c->rcv_nxt + space;
    return seq_after(edge, c->rcv_edge) ? edge - c->rcv_edge : 0;
}

bool tcp_window_update_due(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    uint32_t growth = window_growth(tcp, c);
    /* Two segments, or half the buffer; one segment where the peer has no room for one. */
    uint32_t enough = c->rcv_edge - c->rcv_nxt < c->mss ? c->mss : 2 * (uint32_t)c->mss;

    return growth > 0 && growth >= RTE_MIN(enough, tcp->receive_buffer / 2) && tcp_synchronized(c) &&
           !(c->marks & M_PEER_FIN);
}

/* What the window field says. Rounded up where it is scaled: rounded down, the edge would move left. */
static inline uint16_t advertise(const struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    unsigned scale = c->scales >> 4;
    uint32_t window, growth = window_growth(tcp, c);

    /* Duplicate ACKs must not differ in the window, or they are none (RFC 5681 section 2). */
    if (growth >= window_step(tcp, c) && c->dupacks_owed == 0)
        c->rcv_edge += growth;
    window = c->rcv_edge - c->rcv_nxt;
    window = RTE_MIN((window + (1u << scale) - 1) >> scale, (uint32_t)UINT16_MAX);
    if (seq_after(c->rcv_nxt + (window << scale), c->rcv_edge))
        c->rcv_edge = c->rcv_nxt + (window << scale);
    return (uint16_t)window;
}

static inline struct rte_tcp_hdr *prepend(struct rte_mbuf *m, unsigned length)
{
    WEIR_ASSERT(m->data_off >= length && (m->nb_segs == 1 || m->data_len == 0));
    m->data_off -= (uint16_t)length;
    m->data_len += (uint16_t)length;
    m->pkt_len += length;
    return rte_pktmbuf_mtod(m, struct rte_tcp_hdr *);
}

/* The checksum goes last. `sum` is that of the pseudo header, of the length, and, unless the device will do it, of all
 * of the segment but the checksum. */
static inline void seal(const struct weir_tcp *tcp, struct rte_mbuf *m, struct rte_tcp_hdr *header, uint64_t sum)
{
    uint16_t folded = weir_sum_fold(sum);

    header->tcp_urp = 0;
    if (tcp->capabilities & WEIR_DEV_TX_TCP_CKSUM) {
        m->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM;
        m->tx_offload = 0;
        m->l4_len = (header->data_off >> 4) * 4u;
        header->cksum = folded;
    } else {
        m->ol_flags = 0;
        header->cksum = (uint16_t)~folded;
    }
}

static inline uint64_t sum_of(const struct weir_tcp *tcp, const void *bytes, size_t length)
{
    return tcp->capabilities & WEIR_DEV_TX_TCP_CKSUM ? 0 : weir_sum(bytes, length);
}

static inline uint64_t sum_of_payload(const struct weir_tcp *tcp, const struct rte_mbuf *m)
{
    if (WEIR_LIKELY(m->nb_segs == 1))
        return sum_of(tcp, rte_pktmbuf_mtod(m, void *), m->data_len);
    return tcp->capabilities & WEIR_DEV_TX_TCP_CKSUM ? 0 : weir_sum_packet(m, 0, m->pkt_len);
}

/* Writes a word of the header and returns it, to be summed while it is still in a register: the sum of what was just
 * written in small pieces would wait for all of them to arrive in the cache. */
static inline uint64_t put(void *header, unsigned word, uint32_t value)
{
    memcpy((char *)header + 4 * word, &value, sizeof(value));
    return value;
}

static inline void hand_down(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint8_t tos)
{
    tcp->stats.out_segs++;
    if (WEIR_UNLIKELY(++c->out_lately > OUT_LATELY_MAX))
        tcp_add_up(c);
    weir_ip_send(tcp->ip, tcp->now, &c->path, m, tos);
}

/* RFC 3168 section 6.1: only new data may be marked on its way (not what is sent again, nor pure ACKs, nor what asks
 * for a window); echoes go on every ACK until they are heard. */
static inline uint8_t ecn_flags(struct weir_tcp_connection *c, const struct rte_mbuf *m, uint32_t seq, uint8_t *tos)
{
    bool news = m->pkt_len > 0 && seq == c->snd_max && seq_before(seq, c->snd_una + c->snd_wnd);
    uint8_t flags = c->ecn_echo ? ECE : 0;

    *tos = news ? ECN_ECT_0 : 0;
    if (news && c->ecn_reduced) {
        flags |= CWR;
        c->ecn_reduced = false;
    }
    return flags;
}

/* The fourth word: lengths, flags and window. */
static inline uint32_t fourth_word(unsigned length, uint8_t flags, uint16_t window)
{
    return rte_cpu_to_be_32((uint32_t)length << 26 | (uint32_t)flags << 16 | window);
}

/* What the device must know to cut a packet. The pseudo header's sum is then without the length, which each segment has
 * its own of. Source: rte_mbuf_core.h, RTE_MBUF_F_TX_TCP_SEG. */
static void seal_large(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m,
                       struct rte_tcp_hdr *header)
{
    uint32_t payload = m->pkt_len - tcp_header_length(c);

    seal(tcp, m, header, c->path.pseudo_sum);
    m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    m->tso_segsz = c->mss;
    tcp->stats.out_segs += (payload - 1) / c->mss; /* and one */
    c->segments_out += (payload - 1) / c->mss;
}

void tcp_emit(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t seq, uint8_t flags)
{
    unsigned length = tcp_header_length(c);
    uint64_t sum = sum_of_payload(tcp, m);
    struct rte_tcp_hdr *header;
    uint64_t words;
    uint8_t tos = 0;

    if (WEIR_UNLIKELY(c->flags & F_ECN))
        flags |= ecn_flags(c, m, seq, &tos);
    header = prepend(m, length);
    words = put(header, 0, tcp_ports_swap(c->ports));
    words += put(header, 1, rte_cpu_to_be_32(seq));
    words += put(header, 2, rte_cpu_to_be_32(c->rcv_nxt));
    words += put(header, 3, fourth_word(length, flags, advertise(tcp, c)));
    if (WEIR_LIKELY(c->flags & F_TIMESTAMPS)) {
        words += put(header, 5, RTE_BE32(WEIR_TCP_TIMESTAMPS_WORD));
        words += put(header, 6, rte_cpu_to_be_32(tcp->now_ms + c->ts_offset));
        words += put(header, 7, rte_cpu_to_be_32(c->ts_recent));
    }
    if (!(tcp->capabilities & WEIR_DEV_TX_TCP_CKSUM))
        sum += words;
    c->flags &= (uint16_t)~F_ACK_OWED;
    if (WEIR_UNLIKELY(m->pkt_len > length + c->mss))
        seal_large(tcp, c, m, header);
    else
        seal(tcp, m, header, sum + c->path.pseudo_sum + rte_cpu_to_be_16((uint16_t)m->pkt_len));
    hand_down(tcp, c, m, tos);
}

static void seal_whole(const struct weir_tcp *tcp, struct rte_mbuf *m, struct rte_tcp_hdr *header, uint16_t pseudo)
{
    seal(tcp, m, header, sum_of(tcp, header, m->data_len) + pseudo + rte_cpu_to_be_16((uint16_t)m->pkt_len));
}

/* An ACK that tells what has come out of order. RFC 2018 section 4, RFC 2883. */
static void emit_sack(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t seq)
{
    uint8_t options[WEIR_TCP_OPTIONS_MAX];
    struct weir_tcp_option_values values = {
        .has_timestamps = c->flags & F_TIMESTAMPS,
        .timestamp = tcp->now_ms + c->ts_offset,
        .timestamp_echo = c->ts_recent,
    };
    struct rte_tcp_hdr *header;
    unsigned length;

    values.sack_count = tcp_sack_fill(c, values.sack);
    length = weir_tcp_options_write(options, &values);
    header = prepend(m, WEIR_TCP_HEADER_LENGTH + length);
    put(header, 0, tcp_ports_swap(c->ports));
    put(header, 1, rte_cpu_to_be_32(seq));
    put(header, 2, rte_cpu_to_be_32(c->rcv_nxt));
    put(header, 3, fourth_word(WEIR_TCP_HEADER_LENGTH + length, c->ecn_echo ? ACK | ECE : ACK, advertise(tcp, c)));
    put(header, 4, 0);
    memcpy(header + 1, options, length);
    c->flags &= (uint16_t)~F_ACK_OWED;
    seal_whole(tcp, m, header, c->path.pseudo_sum);
    hand_down(tcp, c, m, 0);
}

bool tcp_emit_control(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t seq, uint8_t flags)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(tcp->control_pool);

    if (m == NULL)
        return false;
    if (WEIR_UNLIKELY(flags == ACK && tcp_sack_to_tell(c)))
        emit_sack(tcp, c, m, seq);
    else
        tcp_emit(tcp, c, m, seq, flags);
    return true;
}

/* The options of our SYN: all that we can; of our SYN and ACK: what the peer offered too. RFC 7323 sections 1.3, 2.2.
 */
static unsigned syn_options(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, void *options)
{
    bool answer = c->state == WEIR_TCP_SYN_RECEIVED;
    struct weir_tcp_option_values values = {
        .mss = tcp_mss_of(tcp, &c->path),
        .sack_permitted = !answer || (c->flags & F_SACK),
        .has_timestamps = !answer || (c->flags & F_TIMESTAMPS),
        .timestamp = tcp->now_ms + c->ts_offset,
        .timestamp_echo = c->ts_recent,
        /* A peer that scales by zero is told so by our zero; one that does not scale is not told anything. */
        .has_scale = !answer || (c->marks & M_PEER_SCALES),
        .scale = tcp->receive_scale,
    };

    return weir_tcp_options_write(options, &values);
}

bool tcp_emit_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(tcp->control_pool);
    uint8_t flags = (uint8_t)((c->state == WEIR_TCP_SYN_RECEIVED ? SYN | ACK : SYN) | tcp_ecn_syn_flags(tcp, c));
    uint8_t options[WEIR_TCP_OPTIONS_MAX];
    unsigned length;
    struct rte_tcp_hdr *header;
    uint32_t window = RTE_MIN(tcp->receive_buffer, (uint32_t)UINT16_MAX); /* see tcp_take_syn */

    if (m == NULL)
        return false;
    length = syn_options(tcp, c, options);
    header = prepend(m, WEIR_TCP_HEADER_LENGTH + length);
    put(header, 0, tcp_ports_swap(c->ports));
    put(header, 1, rte_cpu_to_be_32(c->iss));
    put(header, 2, flags & ACK ? rte_cpu_to_be_32(c->rcv_nxt) : 0);
    put(header, 3, fourth_word(WEIR_TCP_HEADER_LENGTH + length, flags, (uint16_t)window));
    put(header, 4, 0);
    memcpy(header + 1, options, length);
    seal_whole(tcp, m, header, c->path.pseudo_sum);
    if (flags & ACK)
        c->flags &= (uint16_t)~F_ACK_OWED;
    hand_down(tcp, c, m, 0);
    return true;
}

void tcp_emit_reset(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp_note(tcp, c, E_RESET_OUT, 0);
    /* A reset that does not fit the control pool is lost, as it might be on the wire. */
    if (tcp_emit_control(tcp, c, c->snd_max, RST | ACK))
        tcp->stats.out_rsts++;
}

void tcp_emit_syn_ack(struct weir_tcp *tcp, const struct tcp_segment *segment, struct weir_ip_path *path, uint32_t isn,
                      const struct weir_tcp_option_values *values)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(tcp->control_pool);
    uint8_t options[WEIR_TCP_OPTIONS_MAX];
    unsigned length;
    struct rte_tcp_hdr *header;

    if (m == NULL)
        return;
    length = weir_tcp_options_write(options, values);
    header = prepend(m, WEIR_TCP_HEADER_LENGTH + length);
    put(header, 0, tcp_ports_swap(segment->ports));
    put(header, 1, rte_cpu_to_be_32(isn));
    put(header, 2, rte_cpu_to_be_32(segment->seq + 1));
    put(header, 3,
        fourth_word(WEIR_TCP_HEADER_LENGTH + length, SYN | ACK,
                    (uint16_t)RTE_MIN(tcp->receive_buffer, (uint32_t)UINT16_MAX)));
    put(header, 4, 0);
    memcpy(header + 1, options, length);
    seal_whole(tcp, m, header, path->pseudo_sum);
    tcp->stats.out_segs++;
    weir_ip_send(tcp->ip, tcp->now, path, m, 0);
}

void tcp_reset_reply(struct weir_tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t length = segment->length + !!(segment->flags & SYN) + !!(segment->flags & FIN);
    struct weir_ip_path path;
    struct rte_tcp_hdr *header;
    struct rte_mbuf *m;

    if ((segment->flags & RST) || segment->rx->broadcast ||
        weir_ip_path_init(tcp->ip, tcp->now, &path, &segment->rx->dst, &segment->rx->src, IPPROTO_TCP) < 0)
        return;
    m = rte_pktmbuf_alloc(tcp->control_pool);
    if (m == NULL)
        return;
    header = prepend(m, sizeof(*header));
    put(header, 0, tcp_ports_swap(segment->ports));
    put(header, 1, segment->flags & ACK ? rte_cpu_to_be_32(segment->ack) : 0);
    put(header, 2, segment->flags & ACK ? 0 : rte_cpu_to_be_32(segment->seq + length));
    put(header, 3, fourth_word(sizeof(*header), segment->flags & ACK ? RST : RST | ACK, 0));
    put(header, 4, 0);
    seal_whole(tcp, m, header, path.pseudo_sum);
    tcp->stats.out_segs++;
    tcp->stats.out_rsts++;
    weir_ip_send(tcp->ip, tcp->now, &path, m, 0);
}
