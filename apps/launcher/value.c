/* Values as users write them. */
#include "value.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int value_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    char *end;
    unsigned long long value;

    if (!isdigit((unsigned char)text[0])) /* strtoull takes signs and blanks */
        return -EINVAL;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < least || value > most)
        return -EINVAL;
    *number = value;
    return 0;
}

/* A number and what follows it. */
static int split(const char *text, double *value, const char **suffix)
{
    char *end;

    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return -EINVAL;
    errno = 0;
    *value = strtod(text, &end);
    *suffix = end;
    return errno != 0 ? -EINVAL : 0;
}

struct unit {
    const char *suffix;
    double factor;
};

static int scaled(const char *text, const struct unit *units, double *value)
{
    const char *suffix;

    WEIR_TRY(split(text, value, &suffix));
    for (; units->suffix != NULL; units++) {
        if (strcmp(suffix, units->suffix) != 0)
            continue;
        *value *= units->factor;
        return 0;
    }
    return -EINVAL;
}

int value_fraction(const char *text, double least, double most, double *fraction)
{
    static const struct unit plain[] = {{"", 1}, {NULL, 0}};
    double value;

    WEIR_TRY(scaled(text, plain, &value));
    if (!(value >= least && value <= most))
        return -EINVAL;
    *fraction = value;
    return 0;
}

int value_time(const char *text, weir_time *time)
{
    static const struct unit units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {NULL, 0}};
    double value;

    WEIR_TRY(scaled(text, units, &value));
    if (!(value >= 0 && value <= 365.0 * 86400 * 1e9))
        return -EINVAL;
    *time = (weir_time)value;
    return 0;
}

int value_amount(const char *text, uint64_t *amount)
{
    static const struct unit units[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {NULL, 0}};
    double value;

    WEIR_TRY(scaled(text, units, &value));
    if (!(value >= 1 && value <= 1e15))
        return -EINVAL;
    *amount = (uint64_t)value;
    return 0;
}

static int parse_address(const char *text, struct weir_address *address)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, text, &v4) == 1)
        *address = weir_address_v4(ntohl(v4.s_addr));
    else if (inet_pton(AF_INET6, text, &v6) == 1)
        *address = weir_address_from(&v6);
    else
        return -EINVAL;
    return 0;
}

int value_address(const char *text, struct weir_address *address)
{
    struct weir_address value;

    WEIR_TRY(parse_address(text, &value));
    if (!weir_address_is_host(&value))
        return -EINVAL;
    *address = value;
    return 0;
}

const char *value_address_text(const struct weir_address *address, char text[INET6_ADDRSTRLEN])
{
    if (weir_address_is_v4(address))
        return inet_ntop(AF_INET, &address->words[3], text, INET6_ADDRSTRLEN);
    return inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
}

int value_network(const char *text, struct weir_address *address, uint8_t *prefix)
{
    const char *slash = strchr(text, '/');
    char host[INET6_ADDRSTRLEN];
    struct weir_address value;
    uint64_t bits;

    if (slash == NULL || (size_t)(slash - text) >= sizeof(host))
        return -EINVAL;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = '\0';
    WEIR_TRY(parse_address(host, &value));
    WEIR_TRY(value_number(slash + 1, 0, weir_address_is_v4(&value) ? 32 : 128, &bits));
    *address = value;
    *prefix = (uint8_t)bits;
    return 0;
}

int value_is_host_of(const struct weir_address *address, uint8_t prefix)
{
    uint32_t v4, host_part;

    if (!weir_address_is_host(address) || prefix == 0)
        return -EINVAL;
    if (!weir_address_is_v4(address))
        return 0;
    v4 = weir_address_to_v4(address);
    host_part = prefix < 31 ? UINT32_MAX >> prefix : 0; /* RFC 3021: a /31 has two hosts and nothing else */
    if (host_part != 0 && ((v4 & host_part) == 0 || (v4 & host_part) == host_part))
        return -EINVAL; /* the network's own address, or its broadcast */
    return 0;
}

int value_mac(const char *text, struct rte_ether_addr *mac)
{
    struct rte_ether_addr value;

    if (rte_ether_unformat_addr(text, &value) != 0 || !rte_is_valid_assigned_ether_addr(&value))
        return -EINVAL;
    *mac = value;
    return 0;
}
