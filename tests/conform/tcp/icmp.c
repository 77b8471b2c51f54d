/* A router on the way complains of a segment that the machine has sent. */
#include "packet.h"
#include "run.h"

static const struct {
    const char *name;
    uint8_t type, code; /* RFC 792, RFC 1122 section 3.2.2 */
} kinds[] = {{"net-unreachable", 3, 0},  {"host-unreachable", 3, 1},  {"protocol-unreachable", 3, 2},
             {"port-unreachable", 3, 3}, {"too-big", 3, 4},           {"prohibited", 3, 13},
             {"time-exceeded", 11, 0},   {"parameter-problem", 12, 0}};

static void put_ipv4(struct test_frame *quote, const struct wire *w, const uint8_t *transport)
{
    uint8_t header[20] = {0x45};

    test_put16(header + 2, 1000);
    header[8] = 60;
    header[9] = IPPROTO_TCP;
    test_put32(header + 12, w->address);
    test_put32(header + 16, w->peer_address);
    test_put16(header + 10, test_checksum(header, sizeof(header), 0));
    test_frame_append(quote, header, sizeof(header));
    test_frame_append(quote, transport, 8);
}

/* "mtu ip+N": what the link takes, told as what it leaves TCP: so that it is the same for both families. */
static uint16_t read_mtu(struct script_text *text)
{
    if (!script_take(text, "mtu"))
        return 0;
    if (script_take(text, "ip+"))
        return (uint16_t)(sizeof(struct rte_ipv4_hdr) + (uint16_t)script_number(text));
    return (uint16_t)script_number(text);
}

void script_icmp(struct script *script, struct script_text *text)
{
    struct wire *w = &script->w;
    struct test_frame message = {.length = 0}, frame;
    uint8_t transport[8], head[8] = {0};
    unsigned i = 0;

    while (i < RTE_DIM(kinds) && !script_take(text, kinds[i].name))
        i++;
    if (i == RTE_DIM(kinds))
        script_fail(&script->place, "no ICMP message is called \"%s\"", text->at);
    head[0] = kinds[i].type;
    head[1] = kinds[i].code;
    test_put16(head + 6, read_mtu(text));
    if (!script_take(text, "at"))
        script_fail(&script->place, "\"at SEQUENCE\" is missing");
    test_put16(transport, w->port);
    test_put16(transport + 2, w->peer_port);
    test_put32(transport + 4, w->iss + (uint32_t)script_number(text));
    test_frame_append(&message, head, sizeof(head));
    put_ipv4(&message, w, transport);
    test_put16(message.bytes + 2, test_checksum(message.bytes, message.length, 0));
    test_frame_ipv4(&frame, &(struct test_ipv4){.src = w->peer_address, .dst = w->address, .protocol = IPPROTO_ICMP},
                    message.bytes, message.length);
    wire_feed(w, test_frame_packet(w->pool, &frame));
    script->turn = true;
}
