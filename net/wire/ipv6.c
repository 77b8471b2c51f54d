/* IPv6's header and its extension headers, RFC 8200. */
#include <weir/net/wire_ipv6.h>

/* RFC 8200 section 4.2 */
enum { OPTION_PAD1 = 0, OPTION_SKIP = 0, OPTION_DISCARD = 1, OPTION_TELL = 2, OPTION_TELL_UNLESS_MANY = 3 };
enum { OPTION_PADN = 1, OPTION_ROUTER_ALERT = 5 };

void weir_ipv6_write(void *bytes, const struct weir_ipv6 *header)
{
    struct rte_ipv6_hdr raw = {
        .vtc_flow = rte_cpu_to_be_32(6u << 28 | (uint32_t)header->traffic_class << 20),
        .payload_len = rte_cpu_to_be_16(header->payload_length),
        .proto = header->next_header,
        .hop_limits = header->hop_limit,
    };

    memcpy(raw.src_addr, &header->src, sizeof(raw.src_addr));
    memcpy(raw.dst_addr, &header->dst, sizeof(raw.dst_addr));
    memcpy(bytes, &raw, sizeof(raw));
}

/* A walk that is under way. */
struct walk {
    const uint8_t *bytes;
    size_t length;
    struct weir_ipv6_chain *chain;
};

static int refuse(struct walk *walk, uint8_t code, size_t at, bool to_many)
{
    walk->chain->problem_code = code;
    walk->chain->problem_at = (uint16_t)at;
    walk->chain->to_many = to_many;
    return -EPROTO;
}

/* The two high bits of an option that we do not know say what to do. RFC 8200 section 4.2. */
static int unknown_option(struct walk *walk, size_t at)
{
    switch (walk->bytes[at] >> 6) {
    case OPTION_SKIP:
        return 0;
    case OPTION_DISCARD:
        return -ENOTSUP;
    case OPTION_TELL:
        return refuse(walk, WEIR_ICMP6_PROBLEM_OPTION, at, true);
    default:
        return refuse(walk, WEIR_ICMP6_PROBLEM_OPTION, at, false);
    }
}

/* Looks at the options from `at` to `end`. */
static int look_at_options(struct walk *walk, size_t at, size_t end)
{
    while (at < end) {
        const uint8_t *option = walk->bytes + at;
        if (*option == OPTION_PAD1) {
            at++;
            continue;
        }
        if (end - at < 2 || option[1] > end - at - 2)
            return -EBADMSG;
        if (*option != OPTION_PADN && *option != OPTION_ROUTER_ALERT)
            WEIR_TRY(unknown_option(walk, at));
        at += 2u + option[1];
    }
    return 0;
}

static bool is_extension(uint8_t type)
{
    return type == IPPROTO_HOPOPTS || type == IPPROTO_DSTOPTS || type == IPPROTO_ROUTING || type == IPPROTO_FRAGMENT;
}

/* Neither an offset nor more to come. RFC 6946 */
static bool is_whole(const uint8_t *fragment)
{
    return fragment[2] == 0 && (fragment[3] & 0xf9) == 0;
}

/* Bytes of the extension header at `at`; 0: it is not all there. */
static size_t extension_length(const struct walk *walk, uint8_t type, size_t at)
{
    size_t length;

    if (walk->length - at < 8)
        return 0;
    length = type == IPPROTO_FRAGMENT ? 8 : (walk->bytes[at + 1] + 1u) * 8;
    return length <= walk->length - at ? length : 0;
}

static int look_at(struct walk *walk, uint8_t type, size_t at, size_t length)
{
    switch (type) {
    case IPPROTO_FRAGMENT:
        return 0;
    case IPPROTO_ROUTING: /* segments left: to nodes that it names, and we are no router. Section 4.4 */
        return walk->bytes[at + 3] == 0 ? 0 : refuse(walk, WEIR_ICMP6_PROBLEM_FIELD, at + 2, true);
    case IPPROTO_HOPOPTS:
        if (at != WEIR_IPV6_HEADER_LENGTH) /* only the first may be one. Section 4 */
            return refuse(walk, WEIR_ICMP6_PROBLEM_NEXT_HEADER, walk->chain->named_at, true);
    }
    return look_at_options(walk, at + 2, at + length);
}

int weir_ipv6_walk(const void *bytes, size_t length, uint8_t next_header, struct weir_ipv6_chain *chain)
{
    struct walk walk = {bytes, RTE_MIN(length, (size_t)UINT16_MAX), chain};
    size_t at = WEIR_IPV6_HEADER_LENGTH, here, named_at = offsetof(struct rte_ipv6_hdr, proto);
    bool fragmented = false;

    for (;; at += here) {
        *chain = (struct weir_ipv6_chain){next_header, (uint16_t)at, (uint16_t)named_at, .fragmented = fragmented};
        if (!is_extension(next_header))
            return 0;
        here = extension_length(&walk, next_header, at);
        if (here == 0)
            return -EBADMSG;
        if (next_header == IPPROTO_FRAGMENT && !is_whole(walk.bytes + at))
            return 0;
        WEIR_TRY(look_at(&walk, next_header, at, here));
        fragmented |= next_header == IPPROTO_FRAGMENT;
        next_header = walk.bytes[at];
        named_at = at;
    }
}

bool weir_ipv6_is_icmp_error(const void *bytes, size_t length, uint8_t next_header)
{
    struct walk walk = {.bytes = bytes, .length = length};
    size_t at = WEIR_IPV6_HEADER_LENGTH, here;

    for (; is_extension(next_header); at += here) {
        here = extension_length(&walk, next_header, at);
        if (here == 0)
            return false;
        next_header = walk.bytes[at];
    }
    return next_header == IPPROTO_ICMPV6 && (at >= length || walk.bytes[at] < WEIR_ICMP6_INFORMATIONAL);
}
