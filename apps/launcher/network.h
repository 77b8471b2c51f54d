/* A host's addresses and routes, as users write them. */
#ifndef LAUNCHER_NETWORK_H
#define LAUNCHER_NETWORK_H

#include <weir/net/stack.h>

enum { NETWORK_ROUTES_MAX = 32 };

struct network {
    struct {
        struct weir_address address;
        uint8_t prefix;
    } addresses[WEIR_LINK_ADDRESSES_MAX];
    unsigned addresses_count;
    struct {
        struct weir_address destination, gateway; /* gateway none: directly on the link */
        uint8_t prefix;
    } routes[NETWORK_ROUTES_MAX];
    unsigned routes_count;
    uint16_t vlan; /* 0: none */
    bool slaac;    /* heed routers */
};

/* Each takes in what an option says: "10.0.0.1/24" or "2001:db8::1/64"; a gateway "10.0.0.254", the way to all others
 * of its family; a route "NETWORK/PREFIX=GATEWAY", or "NETWORK/PREFIX" directly on the link. Returns 0, -EINVAL (makes
 * no sense), -EEXIST (an address twice), -ENOSPC (too many). */
WEIR_MUST_CHECK int network_add_address(struct network *network, const char *text);
WEIR_MUST_CHECK int network_add_gateway(struct network *network, const char *text);
WEIR_MUST_CHECK int network_add_route(struct network *network, const char *text);

/* Looks whether the whole makes sense: each gateway is another host on a network that the link reaches, and there is
 * room for a link-local address. Returns 0, or -EINVAL with one line in `error`. */
WEIR_MUST_CHECK int network_check(const struct network *network, char *error, size_t size);

/* Gives all to a stack, and with IPv6 a link-local address. Returns 0, or as weir_stack_add_address,
 * weir_stack_autoconfigure and weir_stack_add_route. */
WEIR_MUST_CHECK int network_apply(const struct network *network, struct weir_stack *stack);

#endif
