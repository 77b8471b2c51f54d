/* A conversation in which a machine sends much, with losses, closed windows and timeouts; always the same. */
#ifndef TEST_BULK_H
#define TEST_BULK_H

#include "tcp_wire.h"

struct bulk {
    uint16_t peer_mss;
    bool sack, nagle;
    enum weir_tcp_ecn ecn;
};

/* Opens a wire (its capabilities, carry and finish are set already) and lets it talk. What came out stays in w->sent,
 * for the caller to look at and close. */
void bulk_talk(struct wire *w, const struct bulk *bulk);

/* Fails the test if the two did not send the same bytes. */
void bulk_compare(const struct wire *a, const struct wire *b);

/* Queues `length` bytes of our stream as one packet of several mbufs. */
void bulk_send_chain(struct wire *w, struct weir_tcp_connection *c, uint32_t length);

#endif
