/* Segments of a script: put in, and compared with what comes out. */
#include "packet.h"
#include "run.h"

#define SEGMENT_MAX 1460

/* ---- in ---- */

/* What the peer's SYN offers stays; later segments carry timestamps by themselves if it offered them. */
static void take_offer(struct wire *w, const struct script_segment *segment)
{
    const struct weir_tcp_option_values *options = &segment->options;

    w->peer_mss = segment->options_are ? options->mss : 1000;
    w->peer_scale = options->has_scale ? options->scale : -1;
    w->sack = options->sack_permitted;
    w->timestamps = options->has_timestamps;
}

/* The peer's clock: milliseconds since its SYN, on top of what that said. */
static uint32_t peer_clock(const struct script *script)
{
    return script->w.ts + (uint32_t)((script->w.now - script->peer_began) / 1000000);
}

static void start_peer_clock(struct script *script, const struct script_segment *segment)
{
    script->w.ts = segment->value_is ? segment->options.timestamp : 1000;
    script->peer_began = script->w.now;
}

void script_arrives(struct script *script, struct script_text *text)
{
    struct wire *w = &script->w;
    struct script_segment segment;
    struct wire_segment put;
    uint32_t echo = w->ts_echo;

    script_segment(text, &segment);
    if (segment.length > SEGMENT_MAX)
        script_fail(&script->place, "no more than %d bytes of text fit a packet here", SEGMENT_MAX);
    if (segment.flags & SYN) {
        take_offer(w, &segment);
        start_peer_clock(script, &segment);
    }
    if (segment.window_is)
        w->window = segment.window;
    put = (struct wire_segment){.flags = segment.flags,
                                .seq = segment.seq,
                                .ack = segment.ack,
                                .length = segment.length,
                                .tos = segment.tos,
                                .urgent = segment.urgent,
                                .ts_is = true,
                                .ts = segment.value_is ? segment.options.timestamp : peer_clock(script),
                                .no_ts = segment.no_timestamps,
                                .sack_count = segment.options.sack_count};
    memcpy(put.sack, segment.options.sack, sizeof(put.sack));
    if (segment.echo_is)
        w->ts_echo = script->ts_first + segment.options.timestamp_echo;
    wire_put(w, put);
    w->ts_echo = echo;
    script->turn = true;
}

/* ---- out ---- */

static bool next(struct script *script, struct wire_seen *seen)
{
    if (!wire_next(&script->w, seen))
        return false;
    for (unsigned i = 0; i < seen->options.sack_count; i++) {
        seen->options.sack[i].left -= script->w.isn;
        seen->options.sack[i].right -= script->w.isn;
    }
    if (seen->options.has_timestamps && !script->ts_known) {
        script->ts_known = true;
        script->ts_first = seen->options.timestamp;
    }
    return true;
}

static void mismatch(const struct script *script, const char *line, const char *what, const struct wire_seen *seen)
{
    char text[512];

    script_fail(&script->place, "%s\n    expected: >%s\n    came out: > %s", what, line,
                script_seen(seen, text, sizeof(text)));
}

static bool same_blocks(const struct weir_tcp_option_values *a, const struct weir_tcp_option_values *b)
{
    return a->sack_count == b->sack_count && memcmp(a->sack, b->sack, a->sack_count * sizeof(a->sack[0])) == 0;
}

static uint16_t own_mss(const struct wire *w)
{
    return (uint16_t)(w->mtu - wire_ip_length(w) - WEIR_TCP_HEADER_LENGTH);
}

/* Returns what is wrong with the options, or NULL. */
static const char *compare_options(const struct script *script, const struct script_segment *expected,
                                   const struct wire_seen *seen)
{
    const struct weir_tcp_option_values *a = &expected->options, *b = &seen->options;

    if (expected->own_mss && b->mss != own_mss(&script->w))
        return "another MSS than the link's";
    if ((expected->flags & SYN) && !expected->own_mss && a->mss != b->mss)
        return "another MSS";
    if (a->has_scale != b->has_scale || a->scale != b->scale)
        return "another window scale";
    if (a->sack_permitted != b->sack_permitted)
        return "another word about SACK";
    if (!same_blocks(a, b))
        return "other SACK blocks";
    if ((a->has_timestamps && !b->has_timestamps) || (expected->no_timestamps && b->has_timestamps))
        return "with timestamps or without";
    if (expected->value_is && b->timestamp - script->ts_first != a->timestamp)
        return "another timestamp";
    if (expected->echo_is && b->timestamp_echo != a->timestamp_echo)
        return "another timestamp echoed";
    return NULL;
}

/* PSH is not compared. */
static const char *compare(const struct script *script, const struct script_segment *expected,
                           const struct wire_seen *seen)
{
    if ((seen->flags & ~PSH) != (expected->flags & ~PSH))
        return "other flags";
    if (seen->seq != expected->seq)
        return "another sequence number";
    if (seen->length != expected->length)
        return "another length";
    if ((seen->flags & ACK) && seen->ack != expected->ack)
        return "another acknowledgement";
    if (expected->window_is && seen->window != expected->window)
        return "another window";
    if (expected->tos_is && (seen->tos & 3) != expected->tos)
        return "another mark of IP";
    if (expected->options_are)
        return compare_options(script, expected, seen);
    return NULL;
}

static void check_payload(const struct script *script, const char *line, const struct wire_seen *seen)
{
    for (uint32_t i = 0; i < seen->length; i++)
        if (seen->payload[i] != wire_byte(true, seen->seq + i))
            mismatch(script, line, "these are not the bytes that were sent", seen);
}

/* One segment, or several that follow each other and are it together. */
void script_comes_out(struct script *script, struct script_text *text, weir_time from, weir_time to)
{
    const char *line = text->at, *wrong;
    struct script_segment expected, part;
    struct wire_seen seen;

    script_segment(text, &expected);
    for (uint32_t done = 0;;) {
        if (!next(script, &seen))
            script_fail(&script->place, "nothing came out, %.3f s into the case\n    expected: >%s",
                        (double)(script->w.now - script->began) / 1e9, line);
        part = expected;
        part.seq += done;
        part.length -= done;
        if (seen.length > 0 && seen.length < part.length) {
            part.length = seen.length;
            part.flags &= (uint8_t)~FIN;
        }
        wrong = compare(script, &part, &seen);
        if (wrong != NULL)
            mismatch(script, line, wrong, &seen);
        if (seen.at < from || seen.at > to)
            script_fail(&script->place, "it came out at another time: %.3f s into the case\n    expected: >%s",
                        (double)(seen.at - script->began) / 1e9, line);
        check_payload(script, line, &seen);
        done += seen.length;
        if (done >= expected.length)
            return;
    }
}
