/* A host's addresses and routes, as users write them. */
#include "network.h"
#include "value.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/random.h>

#define APPLICATION 0x7765697220697036u /* "weir ip6": another program shall make other secrets of the machine's */

int network_add_address(struct network *network, const char *text)
{
    struct weir_address address;
    uint8_t prefix = 0;

    WEIR_TRY(value_network(text, &address, &prefix));
    WEIR_TRY(value_is_host_of(&address, prefix));
    for (unsigned i = 0; i < network->addresses_count; i++)
        if (weir_address_equal(&network->addresses[i].address, &address))
            return -EEXIST;
    if (network->addresses_count == WEIR_LINK_ADDRESSES_MAX)
        return -ENOSPC;
    network->addresses[network->addresses_count].address = address;
    network->addresses[network->addresses_count++].prefix = prefix;
    return 0;
}

static int add_route(struct network *network, const struct weir_address *destination, uint8_t prefix,
                     const struct weir_address *gateway)
{
    if (network->routes_count == NETWORK_ROUTES_MAX)
        return -ENOSPC;
    network->routes[network->routes_count].destination = *destination;
    network->routes[network->routes_count].gateway = *gateway;
    network->routes[network->routes_count++].prefix = prefix;
    return 0;
}

int network_add_gateway(struct network *network, const char *text)
{
    struct weir_address gateway, all = {0};

    WEIR_TRY(value_address(text, &gateway));
    if (weir_address_is_v4(&gateway))
        all = weir_address_v4(0);
    return add_route(network, &all, 0, &gateway);
}

int network_add_route(struct network *network, const char *text)
{
    struct weir_address destination, gateway = {0};
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    char before[64];
    uint8_t prefix = 0;

    if (length >= sizeof(before))
        return -EINVAL;
    memcpy(before, text, length);
    before[length] = '\0';
    WEIR_TRY(value_network(before, &destination, &prefix));
    if (equals != NULL)
        WEIR_TRY(value_address(equals + 1, &gateway));
    if (equals != NULL && weir_address_is_v4(&gateway) != weir_address_is_v4(&destination))
        return -EINVAL;
    return add_route(network, &destination, prefix, &gateway);
}

static unsigned bits_of(const struct weir_address *address, uint8_t prefix)
{
    return weir_address_is_v4(address) ? 96u + prefix : prefix;
}

static bool covers(const struct weir_address *net, uint8_t prefix, const struct weir_address *address)
{
    return weir_address_is_v4(net) == weir_address_is_v4(address) &&
           weir_address_share_prefix(net, address, bits_of(net, prefix));
}

static bool is_on_the_link(const struct network *network, const struct weir_address *gateway)
{
    if (weir_address_is_link_local(gateway))
        return true;
    for (unsigned i = 0; i < network->addresses_count; i++)
        if (covers(&network->addresses[i].address, network->addresses[i].prefix, gateway))
            return true;
    for (unsigned i = 0; i < network->routes_count; i++)
        if (weir_address_is_none(&network->routes[i].gateway) &&
            covers(&network->routes[i].destination, network->routes[i].prefix, gateway))
            return true;
    return false;
}

static bool is_ours(const struct network *network, const struct weir_address *address)
{
    for (unsigned i = 0; i < network->addresses_count; i++)
        if (weir_address_equal(&network->addresses[i].address, address))
            return true;
    return false;
}

/* Whoever speaks IPv6 has a link-local address: neighbours talk to each other by these. RFC 4291 section 2.1. */
static bool lacks_link_local(const struct network *network)
{
    bool v6 = false;

    for (unsigned i = 0; i < network->addresses_count; i++) {
        if (weir_address_is_link_local(&network->addresses[i].address))
            return false;
        v6 |= !weir_address_is_v4(&network->addresses[i].address);
    }
    return v6;
}

int network_check(const struct network *network, char *error, size_t size)
{
    char text[INET6_ADDRSTRLEN];

    if (network->addresses_count == WEIR_LINK_ADDRESSES_MAX && (network->slaac || lacks_link_local(network))) {
        snprintf(error, size, "so many of --address leave no room for a link-local one");
        return -EINVAL;
    }
    for (unsigned i = 0; i < network->routes_count; i++) {
        const struct weir_address *gateway = &network->routes[i].gateway;
        if (weir_address_is_none(gateway) || (is_on_the_link(network, gateway) && !is_ours(network, gateway)))
            continue;
        snprintf(error, size, "gateway %s is no other host on the network of --address",
                 value_address_text(gateway, text));
        return -EINVAL;
    }
    return 0;
}

/* Of this machine, and not to be guessed from what is made of it, as machine-id(5) asks: so the addresses are the same
 * each time (RFC 7217 section 5). A machine that has no name of its own gets others each time. */
static int choose_secret(uint8_t secret[16])
{
    FILE *in = fopen("/etc/machine-id", "re");
    uint8_t id[16];
    size_t read = 0;

    while (in != NULL && read < sizeof(id) && fscanf(in, "%2hhx", &id[read]) == 1)
        read++;
    if (in != NULL)
        fclose(in);
    if (read < sizeof(id))
        return getrandom(secret, 16, 0) == 16 ? 0 : -EIO;
    for (uint64_t i = 0; i < 2; i++) {
        const uint64_t told[] = {APPLICATION, i};
        uint64_t half = weir_siphash(id, told, sizeof(told));
        memcpy(secret + i * sizeof(half), &half, sizeof(half));
    }
    return 0;
}

static int autoconfigure(const struct network *network, struct weir_stack *stack)
{
    struct weir_autoconf_options options = {.routers = network->slaac};

    WEIR_TRY(choose_secret(options.secret));
    return weir_stack_autoconfigure(stack, &options);
}

int network_apply(const struct network *network, struct weir_stack *stack)
{
    for (unsigned i = 0; i < network->addresses_count; i++) {
        const struct weir_address *address = &network->addresses[i].address;
        unsigned flags = weir_address_is_v4(address) ? 0 : WEIR_ADDRESS_TENTATIVE; /* RFC 4862 section 5.4 */
        WEIR_TRY(weir_stack_add_address(stack, address, network->addresses[i].prefix, flags));
    }
    if (network->slaac || lacks_link_local(network))
        WEIR_TRY(autoconfigure(network, stack));
    for (unsigned direct = 0; direct < 2; direct++) /* first those that gateways may lie on */
        for (unsigned i = 0; i < network->routes_count; i++) {
            const struct weir_address *gateway = &network->routes[i].gateway;
            if (weir_address_is_none(gateway) == (direct != 0))
                continue;
            WEIR_TRY(weir_stack_add_route(stack, &network->routes[i].destination, network->routes[i].prefix,
                                          direct == 0 ? NULL : gateway));
        }
    return 0;
}
