/* Two TAPs joined by a bad wire, so that two kernels can talk over the same one that `weir run --fault` puts before
 * Weir: what goes from A to B is drawn as what Weir sends, and back as what it receives. */
#include "../../apps/launcher/fault_option.h"
#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/clock.h>
#include <weir/lcore.h>
#include <weir/net/dev.h>

enum { PACKETS = 16383, CACHE = 256, BURST = 32, NAP_US = 20 };

static volatile sig_atomic_t over;

static void stop(int number)
{
    over = 1;
}

static __attribute__((noreturn)) void fail(const char *what)
{
    fprintf(stderr, "tap-bridge: %s\n", what);
    exit(EXIT_FAILURE);
}

static struct weir_dev *open_tap(const char *vdev, const char *interface, struct rte_mempool *pool)
{
    char arguments[64], error[256];
    struct weir_dev *dev;
    uint16_t port;

    snprintf(arguments, sizeof(arguments), "iface=%s", interface);
    if (rte_eal_hotplug_add("vdev", vdev, arguments) < 0 || rte_eth_dev_get_port_by_name(vdev, &port) < 0)
        fail(weir_eal_log_kept());
    if (weir_dev_open_port(&dev, port, NULL, pool, error, sizeof(error)) < 0)
        fail(error);
    return dev;
}

/* What a full device does not take is lost, as on any wire. */
static unsigned move(struct weir_dev *from, struct weir_dev *to)
{
    struct rte_mbuf *packets[BURST];
    uint16_t n = weir_dev_rx_burst(from, packets, BURST), sent = weir_dev_tx_burst(to, packets, n);

    rte_pktmbuf_free_bulk(packets + sent, n - sent);
    return n;
}

int main(int argc, char **argv)
{
    struct weir_eal_options eal = {.program = "tap-bridge", .memory_mb = 160};
    struct weir_fault fault = {0};
    struct weir_dev *a, *b;
    struct rte_mempool *pool;
    uint64_t seed = 1;
    char error[256];

    if (argc != 4) {
        fprintf(stderr, "usage: tap-bridge INTERFACE-A INTERFACE-B FAULTS (as of weir run --fault)\n");
        return EXIT_FAILURE;
    }
    if (fault_option(argv[3], &fault, &seed, error, sizeof(error)) < 0 || weir_eal_open(&eal, error, sizeof(error)) < 0)
        fail(error);
    pool = weir_packet_register() == 0 ? weir_packet_pool("bridge", PACKETS, CACHE, 0) : NULL;
    if (pool == NULL)
        fail("no memory for packets");
    weir_eal_log_keep();
    a = open_tap("net_tap0", argv[1], pool);
    b = open_tap("net_tap1", argv[2], pool);
    weir_eal_log_pass();
    if (weir_dev_open_fault(&b, b, weir_clock_tsc(), &fault, &fault, 0, seed) < 0)
        fail("no memory for packets on the wire");
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    printf("ready\n");
    fflush(stdout);
    while (!over)
        if (move(a, b) + move(b, a) == 0)
            rte_delay_us_sleep(NAP_US);
    weir_dev_close(a);
    weir_dev_close(b);
    rte_mempool_free(pool);
    weir_eal_close();
    return EXIT_SUCCESS;
}
