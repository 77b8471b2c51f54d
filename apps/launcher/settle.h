/* A host's addresses once it runs: not at once its own, and some of them routers' gifts. */
#ifndef LAUNCHER_SETTLE_H
#define LAUNCHER_SETTLE_H

#include "network.h"

/* Waits until duplicate address detection has let the stack have its addresses (RFC 4862 section 5.4: a second or two,
 * with IPv6; none without), and with SLAAC until a router has told of one, for 10 seconds at most: who comes later is
 * heeded later. Returns 0, -EADDRINUSE (one of --address is another host's; one line in `error`), or as weir_sleep.
 * Checkpoint: only if there is something to wait for. */
WEIR_MUST_CHECK int network_settle(const struct network *network, struct weir_stack *stack, char *error, size_t size);

/* Writes "10.0.0.1/24, 2001:db8::1/64, VLAN 7": the addresses that are the stack's own now. Checkpoint: never. */
void network_describe(const struct network *network, const struct weir_stack *stack, char *text, size_t size);

#endif
