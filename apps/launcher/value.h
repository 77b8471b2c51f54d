/* Values as users write them. Each returns 0, or -EINVAL with the output untouched. */
#ifndef LAUNCHER_VALUE_H
#define LAUNCHER_VALUE_H

#include <netinet/in.h>
#include <rte_ether.h>
#include <weir/clock.h>
#include <weir/net/address.h>

/* A whole number, decimal or 0x..., from `least` to `most`. */
WEIR_MUST_CHECK int value_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

/* A decimal fraction from `least` to `most`. */
WEIR_MUST_CHECK int value_fraction(const char *text, double least, double most, double *fraction);

/* A time: a number with "ns", "us", "ms" or "s" after it (none: seconds), 0 to 1 year. */
WEIR_MUST_CHECK int value_time(const char *text, weir_time *time);

/* An amount: a number with "k", "M" or "G" after it (thousands), at least 1. */
WEIR_MUST_CHECK int value_amount(const char *text, uint64_t *amount);

/* An address that a host can have (not 0, not loopback, multicast or broadcast), of IPv4 or IPv6. */
WEIR_MUST_CHECK int value_address(const char *text, struct weir_address *address);

/* The other way round; returns `text`. */
const char *value_address_text(const struct weir_address *address, char text[INET6_ADDRSTRLEN]);

/* ADDRESS/PREFIX, of either family. */
WEIR_MUST_CHECK int value_network(const char *text, struct weir_address *address, uint8_t *prefix);

/* Can a host on a network of this prefix have the address? Returns 0 or -EINVAL. */
WEIR_MUST_CHECK int value_is_host_of(const struct weir_address *address, uint8_t prefix);

/* A MAC address that one station can have: not multicast, not zero. */
WEIR_MUST_CHECK int value_mac(const char *text, struct rte_ether_addr *mac);

#endif
