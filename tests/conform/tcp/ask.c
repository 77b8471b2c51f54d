/* What the machine says of itself, by the names of its structures; and what it is told before it is made. */
#include "run.h"
#include <inttypes.h>

struct field {
    const char *name;
    size_t offset, size;
};

#define FIELD(type, name)                                                                                              \
    {                                                                                                                  \
#name, offsetof(struct type, name), sizeof(((struct type *)0)->name)                                           \
    }

static const struct field info_fields[] = {FIELD(weir_tcp_info, timestamps),
                                           FIELD(weir_tcp_info, sack),
                                           FIELD(weir_tcp_info, scales),
                                           FIELD(weir_tcp_info, ecn),
                                           FIELD(weir_tcp_info, send_scale),
                                           FIELD(weir_tcp_info, receive_scale),
                                           FIELD(weir_tcp_info, rto_us),
                                           FIELD(weir_tcp_info, rtt_us),
                                           FIELD(weir_tcp_info, min_rtt_us),
                                           FIELD(weir_tcp_info, rtt_variation_us),
                                           FIELD(weir_tcp_info, mss),
                                           FIELD(weir_tcp_info, path_mtu),
                                           FIELD(weir_tcp_info, cwnd),
                                           FIELD(weir_tcp_info, ssthresh),
                                           FIELD(weir_tcp_info, snd_wnd),
                                           FIELD(weir_tcp_info, rcv_wnd),
                                           FIELD(weir_tcp_info, unacked),
                                           FIELD(weir_tcp_info, unsent),
                                           FIELD(weir_tcp_info, unread),
                                           FIELD(weir_tcp_info, bytes_acked),
                                           FIELD(weir_tcp_info, bytes_received),
                                           FIELD(weir_tcp_info, segments_retransmitted),
                                           FIELD(weir_tcp_info, recovering),
                                           FIELD(weir_tcp_info, segments_sacked),
                                           FIELD(weir_tcp_info, backoff),
                                           FIELD(weir_tcp_info, reordering_seen)};

static const struct field stat_fields[] = {
    FIELD(weir_tcp_stats, active_opens),      FIELD(weir_tcp_stats, passive_opens),
    FIELD(weir_tcp_stats, attempt_fails),     FIELD(weir_tcp_stats, estab_resets),
    FIELD(weir_tcp_stats, in_errs),           FIELD(weir_tcp_stats, out_rsts),
    FIELD(weir_tcp_stats, retrans_segs),      FIELD(weir_tcp_stats, paws_dropped),
    FIELD(weir_tcp_stats, fast_retransmits),  FIELD(weir_tcp_stats, timeouts),
    FIELD(weir_tcp_stats, tail_loss_probes),  FIELD(weir_tcp_stats, zero_window_probes),
    FIELD(weir_tcp_stats, syncookies_sent),   FIELD(weir_tcp_stats, syncookies_recv),
    FIELD(weir_tcp_stats, syncookies_failed), FIELD(weir_tcp_stats, listen_overflows),
    FIELD(weir_tcp_stats, challenge_acks),    FIELD(weir_tcp_stats, connections),
    FIELD(weir_tcp_stats, keepalive_probes),  FIELD(weir_tcp_stats, ecn_marked),
    FIELD(weir_tcp_stats, ecn_reductions),    FIELD(weir_tcp_stats, curr_estab),
    FIELD(weir_tcp_stats, spurious_losses)};

/* Compares the field that is named next with "N" or "A..B". */
static void ask(struct script *script, struct script_text *text, const struct field *fields, unsigned count,
                const void *of)
{
    char name[64];
    unsigned i = 0;
    uint64_t value = 0;
    int64_t from, to;

    if (!script_word(text, name, sizeof(name)))
        script_fail(&script->place, "ask for what?");
    while (i < count && strcmp(fields[i].name, name) != 0)
        i++;
    if (i == count)
        script_fail(&script->place, "nothing is called \"%s\"", name);
    memcpy(&value, (const char *)of + fields[i].offset, fields[i].size); /* little-endian, as all that Weir runs on */
    from = to = script_number(text);
    if (script_take(text, ".."))
        to = script_number(text);
    if ((int64_t)value < from || (int64_t)value > to)
        script_fail(&script->place, "%s is %" PRIu64, name, value);
}

void script_info(struct script *script, struct script_text *text)
{
    struct weir_tcp_info info;

    if (script->c == NULL)
        script_fail(&script->place, "there is no connection in the user's hands");
    weir_tcp_get_info(script->w.tcp, script->c, &info);
    ask(script, text, info_fields, RTE_DIM(info_fields), &info);
}

void script_stat(struct script *script, struct script_text *text)
{
    ask(script, text, stat_fields, RTE_DIM(stat_fields), weir_tcp_stats(script->w.tcp));
}

/* ---- before the machine is made ---- */

static void set_ecn(struct script_text *text, struct weir_tcp_options *options)
{
    if (script_take(text, "accept"))
        options->ecn = WEIR_TCP_ECN_ACCEPT;
    else if (script_take(text, "request"))
        options->ecn = WEIR_TCP_ECN_REQUEST;
    else if (script_take(text, "off"))
        options->ecn = WEIR_TCP_ECN_OFF;
}

void script_set(struct script *script, struct script_text *text)
{
    struct weir_tcp_options *options = &script->w.options;
    char name[32];

    if (script->open)
        script_fail(&script->place, "settings come before anything else");
    if (script_take(text, "receive_buffer"))
        options->receive_buffer = (uint32_t)script_number(text);
    else if (script_take(text, "send_buffer"))
        options->send_buffer = (uint32_t)script_number(text);
    else if (script_take(text, "connections_max"))
        options->connections_max = (unsigned)script_number(text);
    else if (script_take(text, "rto_min"))
        options->rto_min = script_time(text);
    else if (script_take(text, "time_wait"))
        options->time_wait = script_time(text);
    else if (script_take(text, "delayed_ack"))
        options->delayed_ack = script_time(text);
    else if (script_take(text, "mss_max"))
        options->mss_max = (uint16_t)script_number(text);
    else if (script_take(text, "syn_cookies"))
        options->syn_cookies = true;
    else if (script_take(text, "mtu"))
        script->w.mtu = (uint16_t)script_number(text);
    else if (script_take(text, "ecn"))
        set_ecn(text, options);
    else if (script_take(text, "congestion") && script_word(text, name, sizeof(name)))
        options->congestion = weir_tcp_congestion_find(name);
    else
        script_fail(&script->place, "nothing is called \"%s\"", text->at);
}
