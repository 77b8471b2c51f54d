/* A host's addresses, and its ways to others: bounded lists, of both families. */
#ifndef WEIR_NET_ROUTE_H
#define WEIR_NET_ROUTE_H

#include <weir/net/link.h>

struct weir_ip;

#define WEIR_ROUTES_MAX 64 /* those to our own networks among them, one for each address */

/* Gives the host an address, on a network of `prefix` bits (0 to 32, or 128) that the link reaches directly; one of a
 * single host (32, 128) comes with no such network. `flags`: WEIR_ADDRESS_*. The first one added is the first choice.
 * Returns 0, -EINVAL (no host may have it, a broadcast address, prefix too long), -EEXIST, -ENOSPC (too many addresses
 * or routes). Checkpoint: never. Source: RFC 1122 section 3.2.1.3, RFC 3021, RFC 6164, RFC 4291 section 2. */
WEIR_MUST_CHECK int weir_ip_add_address(struct weir_ip *ip, const struct weir_address *address, unsigned prefix,
                                        unsigned flags);

/* Takes an address away, and the way to its network that came with it. What still sends from it is answered by nobody.
 * Returns 0, -EADDRNOTAVAIL (not ours). Checkpoint: never. */
int weir_ip_remove_address(struct weir_ip *ip, const struct weir_address *address);

/* Changes an address's WEIR_ADDRESS_* flags. Returns 0, -EADDRNOTAVAIL. Checkpoint: never. */
int weir_ip_flag_address(struct weir_ip *ip, const struct weir_address *address, unsigned flags);

/* Adds the way to a network: by a gateway, or (NULL) directly on the link. With prefix 0 it is the way to all others of
 * that family, which `destination` names. The longest prefix wins; of equal ones the first added. Returns 0, -EINVAL
 * (prefix too long, families mixed, a gateway that is no other host on the link), -ENOSPC. Checkpoint: never.
 * Source: RFC 1122 section 3.3.1, RFC 4861 section 5.2. */
WEIR_MUST_CHECK int weir_ip_add_route(struct weir_ip *ip, const struct weir_address *destination, unsigned prefix,
                                      const struct weir_address *gateway);

/* Removes one that is equal in all three. Returns 0, -ESRCH (there is none). Checkpoint: never. */
int weir_ip_remove_route(struct weir_ip *ip, const struct weir_address *destination, unsigned prefix,
                         const struct weir_address *gateway);

/* The addresses, in the order in which they were added; `count` of them. Good until one is added or removed. */
const struct weir_link_address *weir_ip_addresses(const struct weir_ip *ip, unsigned *count);

#endif
