#ifndef SIM_SCENARIOS_H
#define SIM_SCENARIOS_H

#include "world.h"

extern const struct scenario sim_echo_zero_copy, sim_echo_copied, sim_half_close, sim_tiny_buffers, sim_udp,
    sim_blackout, sim_many_connections, sim_aborts, sim_heavy_loss, sim_changing_way, sim_both_ways, sim_crowd;

#endif
