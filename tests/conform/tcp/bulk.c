/* Many round trips in a line. "bulk N rtt TIME": a user who always has more to send, and a peer who acknowledges every
 * second segment a round trip later; what is in flight at the end stays in flight. "loss rtt TIME": then the first
 * segment of that is lost, repeated, and all acknowledged a round trip later. */
#include "run.h"

static void top_up(struct script *script)
{
    uint32_t mss = weir_tcp_mss(script->c);

    while (weir_tcp_send_room(script->c) >= mss && rte_mempool_avail_count(script->w.pool) > 16)
        wire_send(&script->w, script->c, mss);
    wire_flush(&script->w);
}

/* Looks at what has come out: data in order, that ends at `end`. */
static void take_all(struct script *script, uint32_t end)
{
    struct wire_seen seen;
    uint32_t at = end;
    char text[512];

    for (bool first = true; wire_next(&script->w, &seen); first = false) {
        if (seen.length == 0 || (!first && seen.seq != at))
            script_fail(&script->place, "not the next data\n    came out: > %s",
                        script_seen(&seen, text, sizeof(text)));
        at = seen.seq + seen.length;
    }
    if (at != end)
        script_fail(&script->place, "the last data ends at %u, not at %u", at, end);
}

/* What was sent last ends there. The SYN is counted too: these are the script's numbers. */
static uint32_t sent_to(const struct script *script, uint32_t *acked)
{
    struct weir_tcp_info info;

    weir_tcp_get_info(script->w.tcp, script->c, &info);
    *acked = (uint32_t)info.bytes_acked;
    return *acked + info.unacked;
}

static weir_time read_rtt(struct script *script, struct script_text *text)
{
    if (script->c == NULL || !script_take(text, "rtt"))
        script_fail(&script->place, "a connection, or \"rtt TIME\", is missing");
    return script_time(text);
}

static void acknowledge(struct script *script, uint32_t ack, uint32_t sack_left, uint32_t sack_right)
{
    IN(&script->w, .flags = ACK, .seq = (uint32_t)(script->w.read + 1), .ack = ack,
       .sack_count = sack_left != sack_right, .sack = {{sack_left, sack_right}});
    wire_flush(&script->w);
}

void script_bulk(struct script *script, struct script_text *text)
{
    int64_t rounds = script_number(text);
    weir_time rtt = read_rtt(script, text);
    uint32_t una, end, step = 2 * weir_tcp_mss(script->c);

    for (;;) {
        top_up(script);
        end = sent_to(script, &una);
        take_all(script, end);
        if (rounds-- == 0)
            break;
        script_pass(script, rtt);
        while (una != end) {
            una += RTE_MIN(step, end - una);
            acknowledge(script, una, 0, 0);
            top_up(script);
        }
    }
}

void script_loss(struct script *script, struct script_text *text)
{
    weir_time rtt = read_rtt(script, text);
    uint32_t una, end, mss = weir_tcp_mss(script->c);
    struct wire_seen seen;

    script_pass(script, rtt);
    (void)sent_to(script, &una);
    for (uint32_t i = 2; i <= 4; i++) {
        acknowledge(script, una, una + mss, una + i * mss);
        while (wire_next(&script->w, &seen) && i < 4) /* what limited transmit lets out */
            ;
    }
    if (seen.seq != una)
        script_fail(&script->place, "the lost segment did not come out again");
    end = sent_to(script, &una);
    script_pass(script, rtt);
    acknowledge(script, end, 0, 0);
}
