/* SYN cookies: when a listener's backlog is full a SYN is answered without keeping anything; the initial sequence
 * number and the timestamp carry what must be known when the peer's ACK brings them back. RFC 4987 section 3.6, after
 * Bernstein.
 *
 * The number: 5 bits of a clock of 64 s, 3 bits of MSS, 24 bits of MAC. The timestamp's low 6 bits: the peer's window
 * scale (15: none) and whether it knows SACK. Without timestamps neither can be had: RFC 4987 section 3.6, "drawbacks".
 */
#include "tcp_private.h"

#define PERIOD_S 64
#define PERIODS_MAX 2 /* a cookie is good for two to three minutes */
#define MAC_BITS 24
#define NO_SCALE 15u
#define SACK_BIT 16u
#define OPTION_BITS 6

static const uint16_t mss_table[8] = {216, 536, 1220, 1360, 1400, 1440, 1460, 8960};

/* The secret part: of who, of what the peer chose, and of when and how much it is that is told. */
static uint32_t mac(const struct weir_tcp *tcp, const struct tcp_key *key, uint32_t irs, uint32_t period,
                    uint32_t mss_index)
{
    struct {
        struct tcp_key key;
        uint32_t irs, period, mss_index;
    } told = {*key, irs, period, mss_index};
    _Static_assert(sizeof(told) == sizeof(struct tcp_key) + 12, "no holes: all of it is hashed");

    return (uint32_t)weir_siphash(tcp->key, &told, sizeof(told)) & ((1u << MAC_BITS) - 1);
}

static uint32_t mss_index(uint16_t mss)
{
    uint32_t index = RTE_DIM(mss_table) - 1;

    mss = mss != 0 ? mss : DEFAULT_MSS;
    while (index > 0 && mss_table[index] > mss)
        index--;
    return index;
}

static uint32_t number(const struct weir_tcp *tcp, const struct tcp_key *key, uint32_t irs, uint32_t period,
                       uint32_t index)
{
    return (period & 31) << 27 | index << MAC_BITS | mac(tcp, key, irs, period, index);
}

/* Our timestamp, with low bits that tell; never later than now, or later ones would seem old to the peer (PAWS). */
static uint32_t telling_timestamp(uint32_t now, const struct weir_tcp_option_values *options)
{
    uint32_t bits = options->has_scale ? options->scale : NO_SCALE, told;

    if (options->sack_permitted)
        bits |= SACK_BIT;
    told = (now & ~((1u << OPTION_BITS) - 1)) | bits;
    return seq_after(told, now) ? told - (1u << OPTION_BITS) : told;
}

void tcp_cookie_send(struct weir_tcp *tcp, const struct tcp_segment *segment, const struct tcp_key *key,
                     struct weir_ip_path *path)
{
    uint32_t isn, ts_offset;
    struct weir_tcp_option_values values = {
        .mss = tcp_mss_of(tcp, path),
        .has_timestamps = segment->options.has_timestamps,
        .timestamp_echo = segment->options.timestamp,
    };

    tcp_choose_numbers(tcp, key, &isn, &ts_offset);
    isn = number(tcp, key, segment->seq, tcp->now_s / PERIOD_S, mss_index(segment->options.mss));
    if (values.has_timestamps) {
        values.timestamp = telling_timestamp(tcp->now_ms + ts_offset, &segment->options);
        values.sack_permitted = segment->options.sack_permitted;
        values.has_scale = segment->options.has_scale;
        values.scale = tcp->receive_scale;
    }
    tcp->cookies_sent_s = tcp->now_s;
    tcp->stats.syncookies_sent++;
    tcp_emit_syn_ack(tcp, segment, path, isn, &values);
}

/* Looks whether `cookie` is one of ours. Returns false if it is not, or no longer. */
static bool verify(const struct weir_tcp *tcp, const struct tcp_key *key, uint32_t irs, uint32_t cookie,
                   uint32_t *index)
{
    uint32_t now = tcp->now_s / PERIOD_S, age = (now - (cookie >> 27)) & 31;

    *index = cookie >> MAC_BITS & 7;
    return age <= PERIODS_MAX && age <= now && cookie == number(tcp, key, irs, now - age, *index);
}

/* What the peer's SYN said, as far as it came back. */
static void recall(const struct tcp_segment *ack, uint32_t index, struct tcp_segment *syn)
{
    uint32_t bits = ack->options.timestamp_echo & ((1u << OPTION_BITS) - 1), scale = bits & 15;

    *syn = (struct tcp_segment){
        .rx = ack->rx, .ports = ack->ports, .seq = ack->seq - 1, .window = ack->window, .flags = SYN};
    syn->options.mss = mss_table[index];
    if (!ack->options.has_timestamps)
        return;
    syn->options.has_timestamps = true;
    syn->options.timestamp = ack->options.timestamp;
    syn->options.has_scale = scale != NO_SCALE;
    syn->options.scale = (uint8_t)RTE_MIN(scale, (uint32_t)WEIR_TCP_SCALE_MAX);
    syn->options.sack_permitted = bits & SACK_BIT;
}

bool tcp_cookie_take(struct weir_tcp *tcp, struct weir_tcp_listener *listener, const struct tcp_segment *segment,
                     const struct tcp_key *key, struct weir_tcp_connection **made)
{
    uint32_t index, cookie = segment->ack - 1;
    struct tcp_segment syn;

    if ((segment->flags & (ACK | SYN | RST)) != ACK || tcp->stats.syncookies_sent == 0 ||
        tcp->now_s - tcp->cookies_sent_s > PERIOD_S * (PERIODS_MAX + 1))
        return false;
    if (!verify(tcp, key, segment->seq - 1, cookie, &index)) {
        tcp->stats.syncookies_failed++;
        return false;
    }
    recall(segment, index, &syn);
    tcp->stats.syncookies_recv++;
    *made = tcp_passive_resume(tcp, listener, &syn, key, cookie);
    return true;
}
