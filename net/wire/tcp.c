/* TCP's options. RFC 9293 section 3.2. */
#include <weir/net/wire_tcp.h>

enum {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_SCALE = 3,
    KIND_SACK_PERMITTED = 4,
    KIND_SACK = 5,
    KIND_TIMESTAMPS = 8
};
enum { LENGTH_MSS = 4, LENGTH_SCALE = 3, LENGTH_SACK_PERMITTED = 2, LENGTH_SACK_BLOCK = 8, LENGTH_TIMESTAMPS = 10 };

static uint32_t get32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof(word));
    return rte_be_to_cpu_32(word);
}

static void put32(uint8_t *at, uint32_t value)
{
    value = rte_cpu_to_be_32(value);
    memcpy(at, &value, sizeof(value));
}

static void take_sack(const uint8_t *option, struct weir_tcp_option_values *values)
{
    unsigned blocks = (option[1] - 2u) / LENGTH_SACK_BLOCK;

    if (blocks == 0 || blocks > WEIR_TCP_SACK_MAX || option[1] != 2 + blocks * LENGTH_SACK_BLOCK)
        return;
    values->sack_count = (uint8_t)blocks;
    for (unsigned i = 0; i < blocks; i++) {
        values->sack[i].left = get32(option + 2 + i * LENGTH_SACK_BLOCK);
        values->sack[i].right = get32(option + 6 + i * LENGTH_SACK_BLOCK);
    }
}

/* Takes one option; one of a length other than its kind's is as good as unknown. */
static void take(const uint8_t *option, struct weir_tcp_option_values *values)
{
    unsigned length = option[1];

    switch (option[0]) {
    case KIND_MSS:
        if (length == LENGTH_MSS)
            values->mss = (uint16_t)(option[2] << 8 | option[3]);
        break;
    case KIND_SCALE:
        if (length == LENGTH_SCALE) {
            values->has_scale = true; /* RFC 7323 section 2.3: more than 14 is taken as 14 */
            values->scale = option[2] > WEIR_TCP_SCALE_MAX ? WEIR_TCP_SCALE_MAX : option[2];
        }
        break;
    case KIND_SACK_PERMITTED:
        if (length == LENGTH_SACK_PERMITTED)
            values->sack_permitted = true;
        break;
    case KIND_SACK:
        take_sack(option, values);
        break;
    case KIND_TIMESTAMPS:
        if (length == LENGTH_TIMESTAMPS) {
            values->has_timestamps = true;
            values->timestamp = get32(option + 2);
            values->timestamp_echo = get32(option + 6);
        }
        break;
    }
}

void weir_tcp_options_parse(const void *options, size_t length, struct weir_tcp_option_values *values)
{
    const uint8_t *at = options, *end = at + length;

    *values = (struct weir_tcp_option_values){0};
    while (at < end && *at != KIND_END) {
        if (*at == KIND_NOP) {
            at++;
            continue;
        }
        if (end - at < 2 || at[1] < 2 || at[1] > end - at)
            return;
        take(at, values);
        at += at[1];
    }
}

unsigned weir_tcp_options_write(void *options, const struct weir_tcp_option_values *values)
{
    uint8_t *at = options;

    if (values->mss != 0) {
        put32(at, KIND_MSS << 24 | LENGTH_MSS << 16 | values->mss);
        at += 4;
    }
    if (values->sack_permitted) {
        put32(at, KIND_NOP << 24 | KIND_NOP << 16 | KIND_SACK_PERMITTED << 8 | LENGTH_SACK_PERMITTED);
        at += 4;
    }
    if (values->has_timestamps) {
        weir_tcp_timestamps_write(at, values->timestamp, values->timestamp_echo);
        at += WEIR_TCP_TIMESTAMPS_LENGTH;
    }
    if (values->has_scale) {
        put32(at, (uint32_t)(KIND_NOP << 24 | KIND_SCALE << 16 | LENGTH_SCALE << 8 | values->scale));
        at += 4;
    }
    if (values->sack_count > 0) {
        put32(at, (uint32_t)(KIND_NOP << 24 | KIND_NOP << 16 | KIND_SACK << 8 |
                             (2 + values->sack_count * LENGTH_SACK_BLOCK)));
        at += 4;
        for (unsigned i = 0; i < values->sack_count; i++, at += LENGTH_SACK_BLOCK) {
            put32(at, values->sack[i].left);
            put32(at + 4, values->sack[i].right);
        }
    }
    return (unsigned)(at - (uint8_t *)options);
}
