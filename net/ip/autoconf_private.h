/* Private to net/ip: what a host learns from routers. */
#ifndef WEIR_AUTOCONF_PRIVATE_H
#define WEIR_AUTOCONF_PRIVATE_H

#include "ipv6_private.h"
#include <weir/net/autoconf.h>
#include <weir/net/wire_nd.h>

/* An address made from a prefix; WEIR_NEVER: for ever. */
struct autoconf_address {
    struct weir_address prefix, address; /* prefix none: not in use */
    weir_time valid, preferred;          /* until then */
    weir_time look;                      /* when duplicate address detection is over */
    unsigned counter;                    /* identifiers that were tried */
};

/* A route that lasts until then: to a prefix on the link, or (bits 0) by a router to all. */
struct autoconf_route {
    struct weir_address prefix, router;
    uint8_t bits;
    bool used;
    weir_time until;
};

struct ip_autoconf {
    uint8_t secret[16];
    bool routers;
    struct autoconf_address addresses[8];
    struct autoconf_route routes[16];
    weir_time solicit, interval; /* when to ask for routers again, and how long to wait then */
    weir_time due;               /* when one of all these is, or sooner */
};

/* ---- autoconf.c ---- */

weir_time autoconf_until(weir_time now, uint32_t seconds);
void autoconf_wake_at(struct ip_autoconf *autoconf, weir_time due);
int autoconf_add(struct weir_ip *ip, weir_time now, const struct weir_address *prefix, weir_time valid,
                 weir_time preferred);
/* A prefix to make addresses of. */
void autoconf_prefix(struct weir_ip *ip, weir_time now, const struct weir_nd_prefix *told);
void autoconf_timers(struct weir_ip *ip, weir_time now);

/* ---- routers.c ---- */

/* Takes a router advertisement, all of it in one piece. */
void autoconf_advertisement(struct weir_ip *ip, weir_time now, const struct weir_link_message *in);
void autoconf_routers_timers(struct weir_ip *ip, weir_time now);

#endif
