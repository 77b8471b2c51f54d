/* What a connection is like just now, as `ss -ti` tells it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tcp_private.h"
#include "text.h"

void weir_tcp_get_info(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, struct weir_tcp_info *info)
{
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
        .unacked = c->snd_max - c->snd_una,
        .unsent = seq_after(c->snd_end, c->snd_max) ? c->snd_end - c->snd_max : 0,
        .unread = c->rcv_queued,
        .bytes_acked = c->acked_bytes + (c->snd_una - c->acked_to),
        .bytes_received = c->received_bytes + (c->rcv_nxt - c->received_to),
        .segments_retransmitted = c->retransmitted,
        .segments_sacked = c->sacked_count,
        .backoff = RTE_MAX(c->unanswered, c->backoff),
        .recovering = (c->marks & M_RECOVERY) || (c->recovery & R_LOSS),
        .reordering_seen = c->recovery & R_REORDERS,
    };
}

void say(struct text *text, const char *format, ...)
{
    size_t left = text->size > text->length ? text->size - text->length : 0;
    va_list arguments;

    va_start(arguments, format);
    text->length += (size_t)vsnprintf(left > 0 ? text->at + text->length : NULL, left, format, arguments);
    va_end(arguments);
}

int weir_tcp_info_format(const struct weir_tcp_info *info, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};

    say(&text, "%s%s%s%s", info->timestamps ? "ts " : "", info->sack ? "sack " : "", info->ecn ? "ecn " : "",
        info->congestion);
    if (info->scales)
        say(&text, " wscale:%u,%u", info->send_scale, info->receive_scale);
    say(&text, " rto:%.3f rtt:%.3f/%.3f minrtt:%.3f", info->rto_us / 1e3, info->rtt_us / 1e3,
        info->rtt_variation_us / 1e3, info->min_rtt_us / 1e3);
    say(&text, " mss:%u pmtu:%u cwnd:%u", info->mss, info->path_mtu, info->cwnd / RTE_MAX(info->mss, 1u));
    if (info->ssthresh != UINT32_MAX)
        say(&text, " ssthresh:%u", info->ssthresh / RTE_MAX(info->mss, 1u));
    say(&text, " bytes_acked:%" PRIu64 " bytes_received:%" PRIu64, info->bytes_acked, info->bytes_received);
    say(&text, " snd_wnd:%u rcv_wnd:%u unacked:%u notsent:%u unread:%u", info->snd_wnd, info->rcv_wnd, info->unacked,
        info->unsent, info->unread);
    if (info->segments_retransmitted > 0)
        say(&text, " retrans:%u", info->segments_retransmitted);
    if (info->segments_sacked > 0)
        say(&text, " sacked:%u", info->segments_sacked);
    if (info->backoff > 0)
        say(&text, " backoff:%u", info->backoff);
    if (info->recovering)
        say(&text, " recovering");
    if (info->reordering_seen)
        say(&text, " reordering");
    return (int)text.length;
}
