/* Ways to others: longest prefix first. RFC 1122 section 3.3.1, RFC 4861 section 5.2. */
#include "ip_private.h"

/* The bits of 128 that a prefix stands for; more than 128: it is too long. */
static unsigned bits_of(const struct weir_address *address, unsigned prefix)
{
    return weir_address_is_v4(address) ? 96 + prefix : prefix;
}

static bool leads_to(const struct route *route, const struct weir_address *dst)
{
    return weir_address_is_v4(&route->destination) == weir_address_is_v4(dst) &&
           weir_address_share_prefix(&route->destination, dst, route->bits);
}

bool ip_next_hop(const struct weir_ip *ip, const struct weir_address *dst, struct weir_address *hop)
{
    *hop = *dst;
    if (weir_address_is_link_local(dst)) /* always on the link: RFC 4861 section 5.1 */
        return true;
    for (unsigned i = 0; i < ip->routes_count; i++) {
        const struct route *route = &ip->routes[i];
        if (!leads_to(route, dst))
            continue;
        if (!weir_address_is_none(&route->gateway))
            *hop = route->gateway;
        return true;
    }
    return false;
}

/* Keeps the table in order: longer prefixes first, equal ones as they came. */
static int insert(struct weir_ip *ip, const struct route *route)
{
    unsigned at = ip->routes_count;

    if (ip->routes_count == WEIR_ROUTES_MAX)
        return -ENOSPC;
    for (; at > 0 && ip->routes[at - 1].bits < route->bits; at--)
        ip->routes[at] = ip->routes[at - 1];
    ip->routes[at] = *route;
    ip->routes_count++;
    weir_link_renew(ip->link);
    return 0;
}

static struct route make(const struct weir_address *destination, unsigned bits, const struct weir_address *gateway)
{
    struct route route = {.destination = weir_address_prefix(destination, bits), .bits = (uint8_t)bits};

    if (gateway != NULL)
        route.gateway = *gateway;
    return route;
}

static bool equal(const struct route *a, const struct route *b)
{
    return a->bits == b->bits && weir_address_equal(&a->destination, &b->destination) &&
           weir_address_equal(&a->gateway, &b->gateway);
}

static int take_out(struct weir_ip *ip, const struct route *route)
{
    for (unsigned i = 0; i < ip->routes_count; i++) {
        if (!equal(&ip->routes[i], route))
            continue;
        memmove(&ip->routes[i], &ip->routes[i + 1], (ip->routes_count - i - 1) * sizeof(*route));
        ip->routes_count--;
        weir_link_renew(ip->link);
        return 0;
    }
    return -ESRCH;
}

static bool is_other_host_on_the_link(const struct weir_ip *ip, const struct weir_address *gateway)
{
    struct weir_address hop;

    return ip_is_host(ip, gateway) && !ip_is_ours(ip, gateway) && ip_next_hop(ip, gateway, &hop) &&
           weir_address_equal(&hop, gateway);
}

int weir_ip_add_route(struct weir_ip *ip, const struct weir_address *destination, unsigned prefix,
                      const struct weir_address *gateway)
{
    unsigned bits = bits_of(destination, prefix);

    if (bits > 128)
        return -EINVAL;
    if (gateway != NULL &&
        (weir_address_is_v4(gateway) != weir_address_is_v4(destination) || !is_other_host_on_the_link(ip, gateway)))
        return -EINVAL;
    struct route route = make(destination, bits, gateway);
    return insert(ip, &route);
}

int weir_ip_remove_route(struct weir_ip *ip, const struct weir_address *destination, unsigned prefix,
                         const struct weir_address *gateway)
{
    unsigned bits = bits_of(destination, prefix);

    if (bits > 128)
        return -ESRCH;
    struct route route = make(destination, bits, gateway);
    return take_out(ip, &route);
}

/* ---- addresses ---- */

/* The last of a network is its broadcast address, unless it has no room for one (RFC 3021). */
static bool is_broadcast_of(const struct weir_address *address, unsigned bits)
{
    return weir_address_is_v4(address) && bits < 127 &&
           (weir_address_to_v4(address) | UINT32_MAX >> (bits - 96)) == weir_address_to_v4(address);
}

int weir_ip_add_address(struct weir_ip *ip, const struct weir_address *address, unsigned prefix, unsigned flags)
{
    unsigned bits = bits_of(address, prefix);
    int rc;

    if (bits > 128 || !weir_address_is_host(address) || is_broadcast_of(address, bits))
        return -EINVAL;
    struct route route = make(address, bits, NULL);
    rc = weir_link_add_address(ip->link, address, bits, flags);
    if (rc < 0 || bits == 128)
        return rc;
    rc = insert(ip, &route);
    if (rc < 0)
        weir_link_remove_address(ip->link, address);
    return rc;
}

int weir_ip_remove_address(struct weir_ip *ip, const struct weir_address *address)
{
    const struct weir_link_address *ours = ip_address_of(ip, address);

    if (ours == NULL)
        return -EADDRNOTAVAIL;
    struct route route = make(address, ours->bits, NULL);
    if (ours->bits < 128)
        take_out(ip, &route);
    return weir_link_remove_address(ip->link, address);
}

int weir_ip_flag_address(struct weir_ip *ip, const struct weir_address *address, unsigned flags)
{
    return weir_link_flag_address(ip->link, address, flags);
}

const struct weir_link_address *weir_ip_addresses(const struct weir_ip *ip, unsigned *count)
{
    *count = ip->link->addresses_count;
    return ip->link->addresses;
}
