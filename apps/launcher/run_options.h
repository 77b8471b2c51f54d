/* The options of `weir run`. */
#ifndef LAUNCHER_RUN_OPTIONS_H
#define LAUNCHER_RUN_OPTIONS_H

#include "device.h"
#include "network.h"
#include <weir/app.h>

enum { MBUFS_LEAST = 1024, MBUFS_DEFAULT = 16383 };

struct run_options {
    const char *name; /* "weir run echo", for messages            */
    const struct weir_app *app;
    void *settings; /* the app's                                */
    char **eal;     /* the user's EAL arguments, or NULL: ours  */
    int eal_count;

    bool device_named;
    struct device device;
    bool mac_named;
    struct rte_ether_addr mac;
    uint16_t mtu; /* 0: the device's usual one */
    bool gro;
    struct network network;
    enum weir_idle idle;
    unsigned mbufs; /* 0: MBUFS_DEFAULT, or fewer */
    unsigned connections;
    bool faulty;
    struct weir_fault fault;
    uint64_t fault_seed; /* 0: chosen when the wire is made */
    const char *pcap, *trace;
    weir_time statistics, duration, watchdog; /* 0: none */
    bool quiet, counters, telemetry;
    struct weir_stack_options stack; /* what tcp_options.h sets of it */
};

/* Takes apart `weir run APP [EAL-ARGS --] [options]`: argv[0] is APP. Prints one line and exits on a mistake; prints
 * and exits for --help. The settings are to be freed. */
void run_options_parse(struct run_options *options, int argc, char **argv);

#endif
