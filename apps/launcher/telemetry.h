/* What dpdk-telemetry.py can ask a running `weir run`: /weir/stats, /weir/connections, /weir/connection. */
#ifndef LAUNCHER_TELEMETRY_H
#define LAUNCHER_TELEMETRY_H

#include <weir/net/stack.h>

/* Answers for this stack from now on, in the current loop, between two tasks: nothing is read while the stack is at
 * work. Where the EAL runs without telemetry nobody asks. */
void telemetry_open(struct weir_stack *stack);

/* Before the stack is closed: from now on nothing is answered. */
void telemetry_close(void);

#endif
