/* ICMPv6 headers, and the packets that its errors quote. RFC 4443. */
#include <weir/net/wire_ipv6.h>

void weir_icmp6_write(void *bytes, uint8_t type, uint8_t code, uint32_t value)
{
    uint8_t raw[WEIR_ICMP6_HEADER_LENGTH] = {type, code};

    value = rte_cpu_to_be_32(value);
    memcpy(raw + 4, &value, sizeof(value));
    memcpy(bytes, raw, sizeof(raw));
}

void weir_icmp6_seal(void *message, uint16_t length, const struct weir_address *src, const struct weir_address *dst)
{
    uint8_t *bytes = message;
    uint16_t checksum = 0;

    memcpy(bytes + 2, &checksum, sizeof(checksum));
    checksum = weir_checksum_join(weir_sum_addresses(src, dst, IPPROTO_ICMPV6), length, weir_sum(message, length));
    memcpy(bytes + 2, &checksum, sizeof(checksum));
}

int weir_icmp6_quote_parse(const void *bytes, size_t length, struct weir_icmp6_quote *quote)
{
    struct weir_icmp6_quote found;
    struct weir_ipv6_chain chain;
    struct weir_ipv6 header;

    if (weir_ipv6_parse(bytes, length, &header) < 0 || weir_ipv6_walk(bytes, length, header.next_header, &chain) < 0 ||
        length < chain.offset + sizeof(found.transport))
        return -EBADMSG;
    found = (struct weir_icmp6_quote){.src = header.src, .dst = header.dst, .protocol = chain.protocol};
    memcpy(found.transport, (const uint8_t *)bytes + chain.offset, sizeof(found.transport));
    *quote = found;
    return 0;
}
