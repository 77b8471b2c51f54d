#include "begin.h"
#include <rte_eal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/net/dev.h>

struct rte_mempool *sim_begin(void)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "--file-prefix=weir-sim-%ld", (long)getpid());
    char *arguments[] = {(char[]){"sim"},
                         (char[]){"--no-huge"},
                         (char[]){"--no-shconf"},
                         (char[]){"--no-pci"},
                         (char[]){"-m"},
                         (char[]){"256"},
                         (char[]){"-l"},
                         (char[]){"0"},
                         (char[]){"--log-level=error"},
                         (char[]){"--no-telemetry"},
                         prefix,
                         NULL};
    if (rte_eal_init((int)(sizeof arguments / sizeof arguments[0]) - 1, arguments) < 0 || weir_packet_register() < 0)
        exit(EXIT_FAILURE);
    (void)rmdir(rte_eal_get_runtime_dir());
    struct rte_mempool *pool = weir_packet_pool("sim", 16383, 0, 0);
    if (pool == NULL)
        exit(EXIT_FAILURE);
    return pool;
}

void sim_end(struct rte_mempool *pool)
{
    rte_mempool_free(pool);
    rte_eal_cleanup();
}
