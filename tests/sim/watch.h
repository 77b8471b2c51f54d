/* Looks at a stack's connections at each moment of virtual time: whoever waits for an answer, or for a window, must
 * have a timer running that is due no later than RFC 6298 and RFC 9293 section 3.8.6.1 let it be; and one that is due
 * must run. So nothing stalls for longer than the timers may take, whatever gets lost. */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H

#include <weir/net/stack.h>

enum { WATCH_CONNECTIONS = 512 }; /* of a stack: few, for they are looked at often */

struct watched_timer {
    weir_time due, timeout;
};

struct watch {
    struct watched_timer timers[WATCH_CONNECTIONS];
    weir_time looked;       /* when the connections were last looked at */
    bool gave_up;           /* some connection came to the end of its retransmissions: it may end with -ETIMEDOUT */
    unsigned timeouts_most; /* in a row */
};

/* To be called between two turns of the stack. Returns NULL; or what is wrong, of the connection at fault. */
const char *watch_look(struct watch *watch, struct weir_stack *stack, weir_time now);

#endif
