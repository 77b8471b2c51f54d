/* Every parser of net/wire by itself: the first byte of an input says which, the rest is what it reads. The bytes lie
 * at the end of an allocation of their own, so that a look beyond them is seen; and what a parser takes is written
 * again where there is a writer, and must read the same. */
#include <stdlib.h>
#include <string.h>
#include <weir/net/ip.h>
#include <weir/net/wire.h>
#include <weir/net/wire_ipv6.h>
#include <weir/net/wire_nd.h>
#include <weir/net/wire_tcp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ethernet(const uint8_t *bytes, size_t length)
{
    struct weir_ethernet header;
    WEIR_ASSERT((weir_ethernet_parse(bytes, length, &header) == 0) == (length >= 14));
}

static void arp(const uint8_t *bytes, size_t length)
{
    struct weir_arp read, again;
    uint8_t written[WEIR_ARP_LENGTH];

    if (weir_arp_parse(bytes, length, &read) < 0)
        return;
    weir_arp_write(written, &read);
    WEIR_ASSERT_EQ(weir_arp_parse(written, sizeof(written), &again), 0);
    WEIR_ASSERT(read.operation == again.operation && read.sender == again.sender && read.target == again.target);
}

static void ipv4(const uint8_t *bytes, size_t length)
{
    struct weir_ipv4 header;
    int routed;

    if (weir_ipv4_parse(bytes, length, &header) < 0)
        return;
    WEIR_ASSERT(header.header_length >= 20 && header.header_length <= length &&
                header.total_length >= header.header_length);
    routed = weir_ipv4_source_routed(bytes + 20, header.header_length - 20u);
    WEIR_ASSERT(routed == 0 || routed == 1 || routed == -EBADMSG);
}

static void ipv4_options(const uint8_t *bytes, size_t length)
{
    int routed = weir_ipv4_source_routed(bytes, length);
    WEIR_ASSERT(routed == 0 || routed == 1 || routed == -EBADMSG);
}

static void icmp(const uint8_t *bytes, size_t length)
{
    struct weir_icmp header;
    WEIR_ASSERT((weir_icmp_parse(bytes, length, &header) == 0) == (length >= WEIR_ICMP_HEADER_LENGTH));
}

static void icmp_quote(const uint8_t *bytes, size_t length)
{
    struct weir_icmp_quote quote;
    if (weir_icmp_quote_parse(bytes, length, &quote) == 0)
        WEIR_ASSERT(length >= 28);
}

static void udp(const uint8_t *bytes, size_t length)
{
    struct weir_udp_header header;
    if (weir_udp_parse(bytes, length, &header) == 0)
        WEIR_ASSERT(length >= 8 && header.length >= 8);
}

static void tcp_options(const uint8_t *bytes, size_t length)
{
    struct weir_tcp_option_values read = {0}, again = {0};
    uint8_t written[WEIR_TCP_OPTIONS_MAX];
    unsigned size;

    if (length > WEIR_TCP_OPTIONS_MAX)
        length = WEIR_TCP_OPTIONS_MAX;
    weir_tcp_options_parse(bytes, length, &read);
    WEIR_ASSERT(read.sack_count <= WEIR_TCP_SACK_MAX);
    if (read.has_timestamps && read.sack_count > 3) /* there is no room for all of them beside it */
        return;
    if (read.sack_count > 0) /* blocks do not go with what a SYN says */
        read.mss = 0, read.has_scale = read.sack_permitted = false;
    size = weir_tcp_options_write(written, &read);
    WEIR_ASSERT(size <= WEIR_TCP_OPTIONS_MAX && size % 4 == 0);
    weir_tcp_options_parse(written, size, &again);
    WEIR_ASSERT(again.mss == read.mss && again.sack_count == read.sack_count &&
                again.has_timestamps == read.has_timestamps && again.has_scale == read.has_scale);
}

static void tcp(const uint8_t *bytes, size_t length)
{
    struct weir_tcp_header header;

    if (weir_tcp_header_parse(bytes, length, &header) < 0)
        return;
    WEIR_ASSERT(header.header_length >= WEIR_TCP_HEADER_LENGTH && header.header_length <= length);
    tcp_options(bytes + WEIR_TCP_HEADER_LENGTH, header.header_length - (size_t)WEIR_TCP_HEADER_LENGTH);
}

static void ipv6(const uint8_t *bytes, size_t length)
{
    struct weir_ipv6_chain chain;
    struct weir_ipv6 header;

    if (weir_ipv6_parse(bytes, length, &header) < 0)
        return;
    if (weir_ipv6_walk(bytes, length, header.next_header, &chain) == 0)
        WEIR_ASSERT(chain.offset >= WEIR_IPV6_HEADER_LENGTH && chain.offset <= length && chain.named_at < length);
    (void)weir_ipv6_is_icmp_error(bytes, length, header.next_header);
}

static void icmp6_quote(const uint8_t *bytes, size_t length)
{
    struct weir_icmp6_quote quote;
    if (weir_icmp6_quote_parse(bytes, length, &quote) == 0)
        WEIR_ASSERT(length >= WEIR_IPV6_HEADER_LENGTH + 8);
}

static void neighbour_discovery(const uint8_t *bytes, size_t length)
{
    uint8_t written[WEIR_ND_LENGTH_MAX];
    struct weir_nd nd;

    if (weir_nd_parse(bytes, length, &nd) == 0)
        WEIR_ASSERT(weir_nd_write(written, &nd) <= WEIR_ND_LENGTH_MAX);
}

static void router(const uint8_t *bytes, size_t length)
{
    struct weir_nd_router advertisement;
    struct weir_nd_prefix prefix;
    size_t at = 0;

    if (weir_nd_router_parse(bytes, length, &advertisement) < 0)
        return;
    while (weir_nd_next_prefix(bytes, length, &at, &prefix))
        WEIR_ASSERT(at <= length);
}

static void endpoint(const uint8_t *bytes, size_t length)
{
    char text[128] = "", formatted[WEIR_ENDPOINT_TEXT];
    struct weir_endpoint read, again;

    memcpy(text, bytes, RTE_MIN(length, sizeof(text) - 1));
    if (weir_endpoint_parse(text, &read) < 0)
        return;
    weir_endpoint_format(&read, formatted, sizeof(formatted));
    WEIR_ASSERT_EQ(weir_endpoint_parse(formatted, &again), 0);
    WEIR_ASSERT(read.family == again.family && read.port == again.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(const uint8_t *bytes, size_t length) = {
        ethernet,    arp,  ipv4,        ipv4_options,        icmp,   icmp_quote, udp, tcp,
        tcp_options, ipv6, icmp6_quote, neighbour_discovery, router, endpoint,
    };
    uint8_t *bytes;

    if (size == 0)
        return 0;
    bytes = malloc(size - 1);
    if (bytes == NULL && size > 1)
        abort();
    if (size > 1)
        memcpy(bytes, data + 1, size - 1);
    parsers[data[0] % RTE_DIM(parsers)](bytes, size - 1);
    free(bytes);
    return 0;
}
