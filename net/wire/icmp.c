/* ICMP headers, and the packets that ICMP errors quote. RFC 792. */
#include <weir/net/wire.h>

int weir_icmp_parse(const void *bytes, size_t length, struct weir_icmp *icmp)
{
    const uint8_t *raw = bytes;
    bool says_mtu;

    if (length < WEIR_ICMP_HEADER_LENGTH)
        return -EBADMSG;
    says_mtu = raw[0] == WEIR_ICMP_UNREACHABLE && raw[1] == WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED;
    *icmp = (struct weir_icmp){
        .type = raw[0], .code = raw[1], .mtu = says_mtu ? (uint16_t)(raw[6] << 8 | raw[7]) : (uint16_t)0};
    return 0;
}

void weir_icmp_write(void *bytes, uint8_t type, uint8_t code)
{
    uint8_t raw[WEIR_ICMP_HEADER_LENGTH] = {type, code};

    memcpy(bytes, raw, sizeof(raw));
}

int weir_icmp_quote_parse(const void *bytes, size_t length, struct weir_icmp_quote *quote)
{
    struct weir_ipv4 header;
    struct weir_icmp_quote found;

    if (weir_ipv4_parse(bytes, length, &header) < 0)
        return -EBADMSG;
    if (header.fragment_offset != 0 || header.total_length < header.header_length + sizeof(found.transport) ||
        length < header.header_length + sizeof(found.transport))
        return -EBADMSG;
    found = (struct weir_icmp_quote){.src = header.src, .dst = header.dst, .protocol = header.protocol};
    memcpy(found.transport, (const uint8_t *)bytes + header.header_length, sizeof(found.transport));
    *quote = found;
    return 0;
}
