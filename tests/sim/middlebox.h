/* A box on the way that knows more of packets than a cable does: it takes options out of SYNs, as some firewalls do, so
 * that a stack can be had without them; and it marks congestion where it might drop (RFC 3168 section 5). */
#ifndef SIM_MIDDLEBOX_H
#define SIM_MIDDLEBOX_H

#include <rte_mbuf.h>
#include <weir/base.h>

struct middlebox {
    bool no_sack, no_timestamps, no_scale; /* not let through in a SYN */
    double mark;                           /* of the packets that may be marked */
};

/* Changes a frame's headers in place; checksums stay right. */
void middlebox_pass(const struct middlebox *box, struct weir_rng *rng, struct rte_mbuf *frame);

#endif
