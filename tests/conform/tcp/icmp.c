/* A router on the way complains of a segment that the machine has sent. */
#include "packet_ipv6.h"
#include "run.h"
#include <arpa/inet.h>
#include <weir/net/wire_ipv6.h>

#define HEAD 8 /* of an ICMP message, before what it quotes; and what it quotes of TCP */

static const struct {
    const char *name;
    uint8_t type, code;   /* RFC 792, RFC 1122 section 3.2.2 */
    uint8_t type6, code6; /* RFC 4443 section 3 */
} kinds[] = {{"net-unreachable", 3, 0, 1, 0},  {"host-unreachable", 3, 1, 1, 3},  {"protocol-unreachable", 3, 2, 4, 1},
             {"port-unreachable", 3, 3, 1, 4}, {"too-big", 3, 4, 2, 0},           {"prohibited", 3, 13, 1, 1},
             {"time-exceeded", 11, 0, 3, 0},   {"parameter-problem", 12, 0, 4, 0}};

/* The header of the packet that the router could not deliver. */
static void quote_ip(struct test_frame *message, const struct wire *w)
{
    uint8_t header[WEIR_IPV6_HEADER_LENGTH] = {w->ipv6 ? 0x60 : 0x45};

    if (w->ipv6) {
        test_put16(header + 4, 1000);
        header[6] = IPPROTO_TCP;
        header[7] = 60;
        memcpy(header + 8, &w->address, 16);
        memcpy(header + 24, &w->peer_address, 16);
    } else {
        test_put16(header + 2, 1000);
        header[8] = 60;
        header[9] = IPPROTO_TCP;
        memcpy(header + 12, &w->address.words[3], 4);
        memcpy(header + 16, &w->peer_address.words[3], 4);
        test_put16(header + 10, test_checksum(header, wire_ip_length(w), 0));
    }
    test_frame_append(message, header, wire_ip_length(w));
}

static void quote_tcp(struct test_frame *message, const struct wire *w, uint32_t seq)
{
    uint8_t header[HEAD];

    test_put16(header, w->port);
    test_put16(header + 2, w->peer_port);
    test_put32(header + 4, w->iss + seq);
    test_frame_append(message, header, sizeof(header));
}

/* "mtu ip+N": what the link takes, told as what it leaves TCP: so that it is the same for both families. */
static uint16_t read_mtu(const struct wire *w, struct script_text *text)
{
    if (!script_take(text, "mtu"))
        return 0;
    if (script_take(text, "ip+"))
        return (uint16_t)(wire_ip_length(w) + (uint16_t)script_number(text));
    return (uint16_t)script_number(text);
}

static void deliver(struct wire *w, struct test_frame *message)
{
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    struct test_frame frame;

    if (w->ipv6) {
        inet_ntop(AF_INET6, &w->peer_address, from, sizeof(from));
        inet_ntop(AF_INET6, &w->address, to, sizeof(to));
        test_frame_icmp6(&frame, &(struct test_ipv6){.src = from, .dst = to}, message->bytes, message->length);
    } else {
        test_put16(message->bytes + 2, test_checksum(message->bytes, message->length, 0));
        test_frame_ipv4(&frame,
                        &(struct test_ipv4){.src = weir_address_to_v4(&w->peer_address),
                                            .dst = weir_address_to_v4(&w->address),
                                            .protocol = IPPROTO_ICMP},
                        message->bytes, message->length);
    }
    wire_feed(w, test_frame_packet(w->pool, &frame));
}

void script_icmp(struct script *script, struct script_text *text)
{
    struct wire *w = &script->w;
    struct test_frame message = {.length = 0};
    uint8_t head[HEAD] = {0};
    unsigned i = 0;

    while (i < RTE_DIM(kinds) && !script_take(text, kinds[i].name))
        i++;
    if (i == RTE_DIM(kinds))
        script_fail(&script->place, "no ICMP message is called \"%s\"", text->at);
    head[0] = w->ipv6 ? kinds[i].type6 : kinds[i].type;
    head[1] = w->ipv6 ? kinds[i].code6 : kinds[i].code;
    test_put16(head + 6, read_mtu(w, text)); /* of IPv6 it is a whole word */
    if (!script_take(text, "at"))
        script_fail(&script->place, "\"at SEQUENCE\" is missing");
    test_frame_append(&message, head, sizeof(head));
    quote_ip(&message, w);
    quote_tcp(&message, w, (uint32_t)script_number(text));
    deliver(w, &message);
    script->turn = true;
}
