/* Neighbour discovery's messages and options, RFC 4861 section 4; multicast listener reports, RFC 3810. */
#include <weir/net/wire_nd.h>

enum { ND_FIXED = 24, RS_FIXED = 8, RA_FIXED = 16 };
enum { FLAG_ROUTER = 0x80, FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20 }; /* of an advertisement */
enum { FLAG_ON_LINK = 0x80, FLAG_AUTONOMOUS = 0x40 };                     /* of a prefix */
enum { OPTION_SOURCE_MAC = 1, OPTION_TARGET_MAC = 2, OPTION_PREFIX = 3, OPTION_MTU = 5, OPTION_NONCE = 14 };
enum { PREFIX_LENGTH = 32, MLD2_QUERY_LENGTH = 28 };

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return rte_be_to_cpu_32(value);
}

/* The next option, from *at on; NULL: there is none. What is left is of good form: options_are_good. */
static const uint8_t *next_option(const uint8_t *bytes, size_t length, size_t *at)
{
    const uint8_t *option = bytes + *at;

    if (*at >= length)
        return NULL;
    *at += option[1] * 8u;
    return option;
}

static bool options_are_good(const uint8_t *bytes, size_t length, size_t at)
{
    for (; at < length; at += bytes[at + 1] * 8u)
        if (length - at < 8 || bytes[at + 1] == 0 || bytes[at + 1] * 8u > length - at)
            return false;
    return true;
}

/* Those of RFC 2464 section 6 are 8 bytes. Returns false: no host has such a MAC. */
static bool take_mac(const uint8_t *option, bool *has_mac, struct rte_ether_addr *mac)
{
    if (option[1] != 1)
        return true;
    memcpy(mac, option + 2, sizeof(*mac));
    *has_mac = true;
    return rte_is_valid_assigned_ether_addr(mac);
}

static bool take_nd_option(const uint8_t *option, struct weir_nd *nd)
{
    bool solicitation = nd->type == WEIR_ICMP6_NEIGHBOUR_SOLICITATION;

    if (option[0] == (solicitation ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC))
        return take_mac(option, &nd->has_mac, &nd->mac);
    if (option[0] == OPTION_NONCE && option[1] == 1 && solicitation) {
        memcpy(nd->nonce, option + 2, sizeof(nd->nonce));
        nd->has_nonce = true;
    }
    return true;
}

int weir_nd_parse(const void *message, size_t length, struct weir_nd *nd)
{
    const uint8_t *bytes = message, *option;
    struct weir_nd found = {0};
    size_t at = ND_FIXED;

    if (length < ND_FIXED || bytes[1] != 0 || !options_are_good(bytes, length, at))
        return -EBADMSG;
    found.type = bytes[0];
    if (found.type == WEIR_ICMP6_NEIGHBOUR_ADVERTISEMENT) {
        found.router = bytes[4] & FLAG_ROUTER;
        found.solicited = bytes[4] & FLAG_SOLICITED;
        found.override = bytes[4] & FLAG_OVERRIDE;
    }
    found.target = weir_address_from(bytes + 8);
    if (weir_address_is_multicast(&found.target) || weir_address_is_v4(&found.target)) /* that is ARP's to say */
        return -EBADMSG;
    while ((option = next_option(bytes, length, &at)) != NULL)
        if (!take_nd_option(option, &found))
            return -EBADMSG;
    *nd = found;
    return 0;
}

static uint16_t put_option(uint8_t *at, uint8_t type, const void *six)
{
    at[0] = type;
    at[1] = 1;
    memcpy(at + 2, six, 6);
    return 8;
}

uint16_t weir_nd_write(void *message, const struct weir_nd *nd)
{
    uint8_t *bytes = message;
    uint16_t length = ND_FIXED;
    bool solicitation = nd->type == WEIR_ICMP6_NEIGHBOUR_SOLICITATION;

    memset(bytes, 0, ND_FIXED);
    bytes[0] = nd->type;
    bytes[4] = (uint8_t)((nd->router ? FLAG_ROUTER : 0) | (nd->solicited ? FLAG_SOLICITED : 0) |
                         (nd->override ? FLAG_OVERRIDE : 0));
    memcpy(bytes + 8, &nd->target, sizeof(nd->target));
    if (nd->has_mac)
        length += put_option(bytes + length, solicitation ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC, &nd->mac);
    if (nd->has_nonce)
        length += put_option(bytes + length, OPTION_NONCE, nd->nonce);
    return length;
}

int weir_nd_router_parse(const void *message, size_t length, struct weir_nd_router *router)
{
    const uint8_t *bytes = message, *option;
    struct weir_nd_router found;
    size_t at = RA_FIXED;

    if (length < RA_FIXED || bytes[1] != 0 || !options_are_good(bytes, length, at))
        return -EBADMSG;
    found = (struct weir_nd_router){
        .hop_limit = bytes[4],
        .lifetime = (uint16_t)(bytes[6] << 8 | bytes[7]),
        .reachable_time = get32(bytes + 8),
        .retrans_timer = get32(bytes + 12),
    };
    while ((option = next_option(bytes, length, &at)) != NULL) {
        if (option[0] == OPTION_SOURCE_MAC && !take_mac(option, &found.has_mac, &found.mac))
            return -EBADMSG;
        if (option[0] == OPTION_MTU && option[1] == 1)
            found.mtu = get32(option + 4);
    }
    *router = found;
    return 0;
}

bool weir_nd_next_prefix(const void *message, size_t length, size_t *at, struct weir_nd_prefix *prefix)
{
    const uint8_t *bytes = message, *option;

    if (*at == 0)
        *at = RA_FIXED;
    while ((option = next_option(bytes, length, at)) != NULL) {
        if (option[0] != OPTION_PREFIX || option[1] * 8 != PREFIX_LENGTH || option[2] > 128)
            continue;
        *prefix = (struct weir_nd_prefix){
            .prefix = weir_address_from(option + 16),
            .bits = option[2],
            .on_link = option[3] & FLAG_ON_LINK,
            .autonomous = option[3] & FLAG_AUTONOMOUS,
            .valid = get32(option + 4),
            .preferred = get32(option + 8),
        };
        return true;
    }
    return false;
}

uint16_t weir_nd_solicit_router(void *message, const struct rte_ether_addr *mac)
{
    uint8_t *bytes = message;

    memset(bytes, 0, RS_FIXED);
    bytes[0] = WEIR_ICMP6_ROUTER_SOLICITATION;
    return mac == NULL ? RS_FIXED : (uint16_t)(RS_FIXED + put_option(bytes + RS_FIXED, OPTION_SOURCE_MAC, mac));
}

struct weir_address weir_nd_solicited_node(const struct weir_address *address)
{
    const uint8_t *low = address->bytes + 13;

    return (struct weir_address){.bytes = {0xff, 0x02, [11] = 1, [12] = 0xff, low[0], low[1], low[2]}};
}

struct rte_ether_addr weir_nd_multicast_mac(const struct weir_address *group)
{
    const uint8_t *low = group->bytes + 12;

    return (struct rte_ether_addr){{0x33, 0x33, low[0], low[1], low[2], low[3]}};
}

uint16_t weir_mld_report(void *message, enum weir_mld_record record, const struct weir_address *groups, unsigned count)
{
    uint8_t *bytes = message;

    memset(bytes, 0, WEIR_MLD_REPORT_LENGTH(count));
    bytes[0] = WEIR_ICMP6_MLD2_REPORT;
    bytes[7] = (uint8_t)count;
    for (unsigned i = 0; i < count; i++) {
        bytes[WEIR_MLD_REPORT_LENGTH(i)] = (uint8_t)record;
        memcpy(bytes + WEIR_MLD_REPORT_LENGTH(i) + 4, &groups[i], sizeof(groups[i]));
    }
    return (uint16_t)WEIR_MLD_REPORT_LENGTH(count);
}

uint32_t weir_mld_response_delay(const void *message, size_t length)
{
    const uint8_t *bytes = message;
    uint32_t code = (uint32_t)(bytes[4] << 8 | bytes[5]);

    if (length < MLD2_QUERY_LENGTH || code < 0x8000) /* version 1 knows no exponent */
        return code;
    return ((code & 0x0fff) | 0x1000) << ((code >> 12 & 7) + 3);
}

void weir_router_alert(void *bytes)
{
    static const uint8_t alert[WEIR_ROUTER_ALERT_LENGTH] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};

    memcpy(bytes, alert, sizeof(alert));
}
