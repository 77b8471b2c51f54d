/* A world in virtual time: two hosts, each a stack on one end of an in-memory cable with faults. All of it follows from
 * one seed, so a run that failed can be run again, exactly. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "middlebox.h"
#include "nic.h"
#include "watch.h"
#include <weir/net/stream.h>
#include <weir/weir.h>

/* What the devices do. The last two differ in nothing else: not in how packets lie in memory. */
enum world_device {
    DEVICE_PLAIN,
    DEVICE_COPIES, /* they copy each packet                                     */
    DEVICE_CUTS,   /* and cut large ones, and compute TCP's checksums           */
};

struct world {
    uint64_t seed;
    bool ipv6;           /* else IPv4 */
    struct weir_rng rng; /* for the scenario's own choices */
    struct weir_virtual_clock clock;
    struct rte_mempool *pool;
    struct weir_dev *devs[2];     /* fault devices; what they do is set below */
    struct weir_stack *stacks[2]; /* 10.0.0.1 and 10.0.0.2, or fd00::1 and fd00::2 */
    struct weir_fault fault;      /* both ways; a scenario may change it before or (world_set_fault) while it runs */
    struct middlebox middlebox;   /* both ways, likewise before */
    struct weir_stack_options options; /* of both stacks; addresses and seeds are filled in */
    struct watch watches[2];           /* of both stacks' timers */
    FILE *capture;                     /* of host 0's packets, or NULL */
    enum world_device device;
    struct nic *nic;   /* with which they do; one for all worlds */
    uint64_t digest;   /* of every frame sent and its time: equal for equal runs */
    char failure[256]; /* what went wrong; empty: nothing */
};

struct scenario {
    const char *name, *summary;
    void (*prepare)(struct world *world); /* sets fault and options; or NULL */
    int (*main)(struct world *world);     /* runs as a task, stacks up */
    bool ipv6;                            /* by which it is run; else by IPv4 */
};

/* Runs one scenario under one seed. Returns true if it held; else world->failure says what did not. A connection that
 * came to the end of its retransmissions, by bad luck, may fail: that is what they are for. */
bool world_run(struct world *world, const struct scenario *scenario, uint64_t seed, struct rte_mempool *pool,
               FILE *capture, enum world_device device);

/* Notes the first failure. Returns -EIO, to be returned. */
int world_fail(struct world *world, const char *format, ...) WEIR_PRINTF(2, 3);

void world_set_fault(struct world *world, const struct weir_fault *fault);
struct weir_endpoint world_endpoint(const struct world *world, int host, uint16_t port);

#endif
