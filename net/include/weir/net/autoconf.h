/* What an IPv6 host finds out by itself: a link-local address, and from routers' advertisements addresses, networks and
 * default gateways. Source: RFC 4861 section 6.3, RFC 4862 section 5.5. */
#ifndef WEIR_NET_AUTOCONF_H
#define WEIR_NET_AUTOCONF_H

#include <weir/net/ip.h>

struct weir_autoconf_options {
    uint8_t secret[16]; /* makes interface identifiers that nobody guesses; the same secret, the same ones. RFC 7217 */
    bool routers;       /* ask for routers, and heed them; else there is a link-local address, and no more */
};

/* Begins: a link-local address, tentative at first, and router solicitations within a second. Once only. Call
 * weir_ip_timers when weir_ip_next_deadline has come. Returns 0, -ENOMEM, -ENOSPC (too many addresses).
 * Checkpoint: never. */
WEIR_MUST_CHECK int weir_ip_autoconfigure(struct weir_ip *ip, weir_time now,
                                          const struct weir_autoconf_options *options);

#endif
