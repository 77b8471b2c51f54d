/* Routers: asked for, heeded, given up when their time is over. RFC 4861 section 6.3. */
#include "autoconf_private.h"
#include <stdlib.h>

#define ASK_FIRST WEIR_SECONDS(4) /* RTR_SOLICITATION_INTERVAL; then twice as long each time: RFC 7559 section 2 */
#define ASK_MOST WEIR_SECONDS(3600)
#define ASK_DELAY WEIR_SECONDS(1) /* MAX_RTR_SOLICITATION_DELAY */

static const struct weir_address everywhere = {0};

static void route_off(struct weir_ip *ip, struct autoconf_route *route)
{
    (void)weir_ip_remove_route(ip, &route->prefix, route->bits, route->bits == 0 ? &route->router : NULL);
    *route = (struct autoconf_route){.until = WEIR_NEVER};
}

/* Adds a route, or lets it last longer, or (0 seconds) takes it away. What finds no room is left out. */
static void route_until(struct weir_ip *ip, const struct autoconf_route *wanted, bool lasts)
{
    struct autoconf_route *free = NULL;

    for (unsigned i = 0; i < RTE_DIM(ip->autoconf->routes); i++) {
        struct autoconf_route *route = &ip->autoconf->routes[i];
        if (!route->used) {
            free = free != NULL ? free : route;
        } else if (route->bits == wanted->bits && weir_address_equal(&route->prefix, &wanted->prefix) &&
                   weir_address_equal(&route->router, &wanted->router)) {
            route->until = wanted->until;
            if (!lasts)
                route_off(ip, route);
            return;
        }
    }
    if (lasts && free != NULL &&
        weir_ip_add_route(ip, &wanted->prefix, wanted->bits, wanted->bits == 0 ? &wanted->router : NULL) == 0)
        *free = *wanted;
}

static void take_prefixes(struct weir_ip *ip, weir_time now, const struct weir_link_message *in)
{
    struct weir_nd_prefix told;
    size_t at = 0;

    while (weir_nd_next_prefix(in->bytes, in->length, &at, &told)) {
        struct autoconf_route route = {.prefix = weir_address_prefix(&told.prefix, told.bits),
                                       .bits = told.bits,
                                       .used = true,
                                       .until = autoconf_until(now, told.valid)};
        if (weir_address_is_link_local(&told.prefix) || weir_address_is_none(&route.prefix))
            continue;
        if (told.on_link) {
            route_until(ip, &route, told.valid != 0);
            autoconf_wake_at(ip->autoconf, route.until);
        }
        if (told.autonomous)
            autoconf_prefix(ip, now, &told);
    }
}

void autoconf_advertisement(struct weir_ip *ip, weir_time now, const struct weir_link_message *in)
{
    struct ip_autoconf *autoconf = ip->autoconf;
    struct weir_nd_router told;

    if (autoconf == NULL || !autoconf->routers)
        return;
    if (in->hop_limit != WEIR_ND_HOP_LIMIT || !weir_address_is_link_local(&in->src) ||
        weir_nd_router_parse(in->bytes, in->length, &told) < 0) { /* RFC 4861 section 6.1.2 */
        ip->stats.icmp_in_errors++;
        return;
    }
    struct autoconf_route route = {.prefix = everywhere,
                                   .router = in->src,
                                   .used = true,
                                   .until = weir_time_add(now, WEIR_SECONDS((weir_time)told.lifetime))};
    if (told.has_mac)
        weir_link_heard_of(ip->link, now, &in->src, &told.mac);
    route_until(ip, &route, told.lifetime != 0);
    autoconf_wake_at(autoconf, route.until);
    if (told.lifetime != 0)
        autoconf->solicit = WEIR_NEVER;
    if (told.mtu >= WEIR_IPV6_MTU_MIN && told.mtu <= weir_link_mtu(ip->link))
        ip->mtu_v6 = (uint16_t)told.mtu;
    if (told.hop_limit != 0)
        ip->hop_limit = told.hop_limit;
    take_prefixes(ip, now, in);
}

void autoconf_routers_timers(struct weir_ip *ip, weir_time now)
{
    struct ip_autoconf *autoconf = ip->autoconf;

    for (unsigned i = 0; i < RTE_DIM(autoconf->routes); i++) {
        if (autoconf->routes[i].used && now >= autoconf->routes[i].until)
            route_off(ip, &autoconf->routes[i]);
        autoconf_wake_at(autoconf, autoconf->routes[i].until);
    }
    if (now >= autoconf->solicit) {
        weir_link_solicit_routers(ip->link);
        autoconf->solicit = weir_time_add(now, autoconf->interval);
        autoconf->interval = RTE_MIN(2 * autoconf->interval, ASK_MOST);
    }
    autoconf_wake_at(autoconf, autoconf->solicit);
}

int weir_ip_autoconfigure(struct weir_ip *ip, weir_time now, const struct weir_autoconf_options *options)
{
    static const struct weir_address link_local = {.bytes = {0xfe, 0x80}};
    struct ip_autoconf *autoconf = calloc(1, sizeof(*autoconf));

    WEIR_ASSERT(ip->autoconf == NULL);
    if (autoconf == NULL)
        return -ENOMEM;
    memcpy(autoconf->secret, options->secret, sizeof(autoconf->secret));
    autoconf->routers = options->routers;
    autoconf->due = WEIR_NEVER;
    autoconf->interval = ASK_FIRST;
    autoconf->solicit =
        options->routers ? weir_time_add(now, (weir_time)(weir_siphash(options->secret, "", 0) % (uint64_t)ASK_DELAY))
                         : WEIR_NEVER;
    for (unsigned i = 0; i < RTE_DIM(autoconf->addresses); i++)
        autoconf->addresses[i].valid = autoconf->addresses[i].preferred = WEIR_NEVER;
    for (unsigned i = 0; i < RTE_DIM(autoconf->routes); i++)
        autoconf->routes[i].until = WEIR_NEVER;
    autoconf_wake_at(autoconf, autoconf->solicit);
    ip->autoconf = autoconf;
    return autoconf_add(ip, now, &link_local, WEIR_NEVER, WEIR_NEVER);
}
