/* What a connection is like just now, as `ss -ti` tells it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tcp_private.h"
#include "text.h"

/* What stands in the send queue is counted only when somebody asks. */
static void look_at_flight(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, struct weir_tcp_info *info)
{
    for (struct rte_mbuf *m = c->send.head; m != NULL && seq_before(weir_packet(m)->tcp.seq, c->snd_max);
         m = weir_packet(m)->next) {
        uint8_t marks = weir_packet(m)->tcp.marks;

        info->segments_sacked += !!(marks & P_SACKED);
        info->segments_lost += (marks & (P_LOST | P_RESENT | P_SACKED)) == P_LOST;
        info->segments_resent += (marks & P_REPEATED) && !(marks & P_SACKED);
        info->sent_ms_ago = RTE_MIN(info->sent_ms_ago, (tcp->now_us - weir_packet(m)->tcp.sent_us) / 1000);
    }
}

/* New data is timed about once a millisecond; while some is, the queue knows of what went out since. */
static uint32_t timed_ms_ago(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    return c->snd_max == c->iss + 1 ? UINT32_MAX : (uint32_t)((uint64_t)(tcp->now - c->rtt_at) / 1000000);
}

static uint32_t received_ms_ago(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    if (c->rcv_nxt == c->irs + 1 || c->irs == c->rcv_nxt)
        return UINT32_MAX;
    return tcp->now_ms - (c->rcv_nxt != c->received_to ? c->heard_ms : c->received_ms);
}

void weir_tcp_get_info(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, struct weir_tcp_info *info)
{
    const struct tcp_event_ring *ring = &tcp->rings[c->index];

    *info = (struct weir_tcp_info){
        .state = c->state,
        .congestion = tcp->congestion->name,
        .timestamps = c->flags & F_TIMESTAMPS,
        .sack = c->flags & F_SACK,
        .ecn = c->flags & F_ECN,
        .scales = c->marks & M_PEER_SCALES,
        .send_scale = c->scales & 15,
        .receive_scale = c->scales >> 4,
        .rto_us = c->rto_us,
        .rtt_us = c->srtt8_us / 8,
        .rtt_variation_us = c->rttvar4_us / 4,
        .min_rtt_us = c->min_rtt_us,
        .mss = c->mss,
        .path_mtu = c->path.mtu,
        .cwnd = c->cwnd,
        .ssthresh = c->ssthresh,
        .snd_wnd = c->snd_wnd,
        .rcv_wnd = c->rcv_edge - c->rcv_nxt,
        .receive_buffer = tcp->receive_buffer,
        .send_buffer = tcp->send_buffer,
        .unacked = c->snd_max - c->snd_una,
        .unsent = seq_after(c->snd_end, c->snd_max) ? c->snd_end - c->snd_max : 0,
        .unread = c->rcv_queued,
        .bytes_retransmitted = ring->bytes_retransmitted,
        .bytes_acked = c->acked_bytes + (c->snd_una - c->acked_to),
        .bytes_received = c->received_bytes + (c->rcv_nxt - c->received_to),
        .segments_in = c->segments_in + c->in_lately,
        .segments_out = c->segments_out + c->out_lately,
        .segments_retransmitted = c->retransmitted,
        .dsacks = ring->dsacks,
        .reorderings = ring->reorderings,
        .out_of_order = ring->out_of_order,
        .sent_ms_ago = timed_ms_ago(tcp, c),
        .received_ms_ago = received_ms_ago(tcp, c),
        .heard_ms_ago = tcp->now_ms - c->heard_ms,
        .backoff = RTE_MAX(c->unanswered, c->backoff),
        .recovering = (c->marks & M_RECOVERY) || (c->recovery & R_LOSS),
        .reordering_seen = c->recovery & R_REORDERS,
    };
    info->bytes_sent = info->bytes_acked + info->unacked + info->bytes_retransmitted;
    if (info->rtt_us > 0)
        info->send_rate = (uint64_t)c->cwnd * 8 * 1000000 / info->rtt_us;
    look_at_flight(tcp, c, info);
}

struct weir_tcp_connection *weir_tcp_next_connection(const struct weir_tcp *tcp, unsigned *at)
{
    while (*at < tcp->connections_max) {
        struct weir_tcp_connection *c = &tcp->connections[(*at)++];

        if (c->state != WEIR_TCP_CLOSED)
            return c;
    }
    return NULL;
}

/* ---- as text ---- */

void say(struct text *text, const char *format, ...)
{
    size_t left = text->size > text->length ? text->size - text->length : 0;
    va_list arguments;

    va_start(arguments, format);
    text->length += (size_t)vsnprintf(left > 0 ? text->at + text->length : NULL, left, format, arguments);
    va_end(arguments);
}

/* A number that says nothing while it is zero. */
static void say_if(struct text *text, const char *name, uint64_t value)
{
    if (value > 0)
        say(text, " %s:%" PRIu64, name, value);
}

static void say_times(struct text *text, const struct weir_tcp_info *info)
{
    if (info->sent_ms_ago != UINT32_MAX)
        say(text, " lastsnd:%u", info->sent_ms_ago);
    if (info->received_ms_ago != UINT32_MAX)
        say(text, " lastrcv:%u", info->received_ms_ago);
    say(text, " lastack:%u", info->heard_ms_ago);
}

static void say_flight(struct text *text, const struct weir_tcp_info *info)
{
    say_if(text, "unacked", info->unacked);
    if (info->segments_retransmitted > 0)
        say(text, " retrans:%u/%u", info->segments_resent, info->segments_retransmitted);
    say_if(text, "lost", info->segments_lost);
    say_if(text, "sacked", info->segments_sacked);
    say_if(text, "dsack_dups", info->dsacks);
    say_if(text, "reord_seen", info->reorderings);
    say(text, " rcv_space:%u", info->receive_buffer);
    say_if(text, "notsent", info->unsent);
    say_if(text, "unread", info->unread);
}

int weir_tcp_info_format(const struct weir_tcp_info *info, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    unsigned mss = RTE_MAX(info->mss, 1u);

    say(&text, "%s%s%s%s", info->timestamps ? "ts " : "", info->sack ? "sack " : "", info->ecn ? "ecn " : "",
        info->congestion);
    if (info->scales)
        say(&text, " wscale:%u,%u", info->send_scale, info->receive_scale);
    say(&text, " rto:%.3f", info->rto_us / 1e3);
    say_if(&text, "backoff", info->backoff);
    say(&text, " rtt:%.3f/%.3f mss:%u pmtu:%u cwnd:%u", info->rtt_us / 1e3, info->rtt_variation_us / 1e3, info->mss,
        info->path_mtu, info->cwnd / mss);
    if (info->ssthresh != UINT32_MAX)
        say(&text, " ssthresh:%u", info->ssthresh / mss);
    say_if(&text, "bytes_sent", info->bytes_sent);
    say_if(&text, "bytes_retrans", info->bytes_retransmitted);
    say_if(&text, "bytes_acked", info->bytes_acked);
    say_if(&text, "bytes_received", info->bytes_received);
    say_if(&text, "segs_out", info->segments_out);
    say_if(&text, "segs_in", info->segments_in);
    if (info->send_rate > 0)
        say(&text, " send %" PRIu64 "bps", info->send_rate);
    say_times(&text, info);
    say_flight(&text, info);
    if (info->min_rtt_us > 0)
        say(&text, " minrtt:%.3f", info->min_rtt_us / 1e3);
    say_if(&text, "rcv_ooopack", info->out_of_order);
    say(&text, " snd_wnd:%u rcv_wnd:%u", info->snd_wnd, info->rcv_wnd);
    if (info->recovering)
        say(&text, " recovering");
    return (int)text.length;
}
