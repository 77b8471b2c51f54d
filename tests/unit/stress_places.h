/* The places where tasks of the stress meet, and what must hold there. */
#ifndef TEST_STRESS_PLACES_H
#define TEST_STRESS_PLACES_H

#include "stress.h"

enum { CHANNELS = 4, LOCKS = 2, EVENTS = 2, LOTS = 2, MESSAGES_MAX = 1 << 16, SEMAPHORE_MAX = 2 };

struct places {
    struct weir_send_channel send[CHANNELS];
    struct weir_receive_channel receive[CHANNELS];
    uint8_t accepted[MESSAGES_MAX], arrived[MESSAGES_MAX]; /* how often each was sent; received or destroyed */
    uint64_t messages;
    struct weir_lock locks[LOCKS];
    struct weir_task *holders[LOCKS];
    struct weir_condition condition; /* of the first lock */
    struct weir_semaphore semaphore;
    struct weir_capacity_limiter limiter;
    unsigned semaphore_held, tokens_held;
    struct weir_event events[EVENTS];
    struct weir_parking_lot lots[LOTS];
};
extern struct places places;

/* Whether a call was cancelled; it may be only in a cancelled scope. Any other error is one of two expected ones. */
bool was_cancelled(int rc, int expected, int also);

uint64_t new_message(void);
void took(uint64_t message);
void locked(unsigned which);
void unlock(unsigned which);

#endif
