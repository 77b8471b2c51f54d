/* DPDK ports as devices, over drivers that need no NIC: net_ring (a loop), and net_memif (two ports, one process). */
#include "eal.h"
#include <criterion/criterion.h>
#include <rte_cycles.h>
#include <rte_dev.h>

#include <rte_ethdev.h>
#include <string.h>
#include <unistd.h>

TestSuite(dev_port, .init = test_eal_init);

enum { BURST = 64 };

static char error[256];

static uint16_t make_port(const char *name, const char *arguments)
{
    uint16_t port = RTE_MAX_ETHPORTS;

    cr_assert_eq(rte_eal_hotplug_add("vdev", name, arguments != NULL ? arguments : ""), 0, "%s(%s)", name,
                 arguments != NULL ? arguments : "");
    cr_assert_eq(rte_eth_dev_get_port_by_name(name, &port), 0);
    return port;
}

static struct weir_dev *open_port(const char *name, const char *arguments, struct rte_mempool *pool)
{
    struct weir_dev *dev = NULL;

    cr_assert_eq(weir_dev_open_port(&dev, make_port(name, arguments), NULL, pool, error, sizeof(error)), 0, "%s",
                 error);
    return dev;
}

/* Receives exactly n, or fails when they have not come after a second (a driver's thread may be in between). */
static void receive(struct weir_dev *dev, struct rte_mbuf **got, uint16_t n)
{
    uint64_t deadline = rte_get_timer_cycles() + rte_get_timer_hz();
    uint16_t count = 0;

    while (count < n) {
        count += weir_dev_rx_burst(dev, got + count, n - count);
        cr_assert_lt(rte_get_timer_cycles(), deadline, "%u of %u packets came", count, n);
    }
}

Test(dev_port, a_burst_goes_out_and_comes_back_in_order)
{
    struct rte_mempool *pool = test_pool(4095);
    struct weir_dev *dev = open_port("net_ring0", NULL, pool);
    struct rte_mbuf *sent[BURST], *got[BURST];

    for (uint8_t i = 0; i < BURST; i++)
        sent[i] = test_packet(pool, &i, 1);
    cr_assert_eq(weir_dev_tx_burst(dev, sent, BURST), BURST);
    receive(dev, got, BURST);
    for (uint8_t i = 0; i < BURST; i++) {
        cr_assert_eq(*rte_pktmbuf_mtod(got[i], uint8_t *), i);
        rte_pktmbuf_free(got[i]);
    }
    weir_dev_close(dev);
    test_pool_is_full(pool);
}

Test(dev_port, packets_that_the_port_refuses_stay_the_callers)
{
    struct rte_mempool *pool = test_pool(4095);
    struct weir_dev *dev = open_port("net_ring0", NULL, pool);
    unsigned taken = 0, refused = 0;
    struct rte_mbuf *m;

    for (int i = 0; i < 3000; i++) {
        m = test_packet(pool, "x", 1);
        if (weir_dev_tx_burst(dev, &m, 1) == 1) {
            taken++;
        } else {
            refused++;
            rte_pktmbuf_free(m);
        }
    }
    cr_assert_gt(refused, 0);
    cr_assert_eq(rte_mempool_in_use_count(pool), taken);
    while (weir_dev_rx_burst(dev, &m, 1) == 1)
        rte_pktmbuf_free(m);
    weir_dev_close(dev);
    test_pool_is_full(pool);
}

Test(dev_port, has_the_ports_name_and_address_and_an_mtu)
{
    struct rte_mempool *pool = test_pool(4095);
    struct weir_dev *dev = open_port("net_ring0", NULL, pool);
    struct rte_ether_addr mac;
    struct weir_dev_stats stats;

    cr_assert_str_eq(dev->name, "net_ring0");
    cr_assert_eq(dev->mtu, 1500);
    cr_assert_eq(rte_eth_macaddr_get(0, &mac), 0);
    cr_assert(rte_is_same_ether_addr(&dev->mac, &mac));
    dev->ops->stats(dev, &stats);
    cr_assert_eq(stats.tx_packets, 0);
    weir_dev_close(dev);
    test_pool_is_full(pool);
}

Test(dev_port, answers_to_another_address_when_told)
{
    struct rte_mempool *pool = test_pool(4095);
    struct rte_ether_addr mac = {{0x02, 1, 2, 3, 4, 5}};
    struct weir_port_options options = {.mac = &mac};
    struct weir_dev *dev = NULL;

    cr_assert_eq(weir_dev_open_port(&dev, make_port("net_ring0", NULL), &options, pool, error, sizeof(error)), 0, "%s",
                 error);
    cr_assert(rte_is_same_ether_addr(&dev->mac, &mac));
    weir_dev_close(dev);
    test_pool_is_full(pool);
}

Test(dev_port, a_port_that_is_not_there_is_said_in_one_line)
{
    struct weir_dev *dev = NULL;

    cr_assert_eq(weir_dev_open_port(&dev, 7, NULL, NULL, error, sizeof(error)), -ENODEV);
    cr_assert_not_null(strstr(error, "7"));
    cr_assert_null(strchr(error, '\n'));
    cr_assert_null(dev);
}

Test(dev_port, a_pool_too_small_for_the_rings_is_refused_and_stays_full)
{
    struct rte_mempool *pool = test_pool(100);
    struct weir_dev *dev = NULL;

    cr_assert_eq(weir_dev_open_port(&dev, make_port("net_ring0", NULL), NULL, pool, error, sizeof(error)), -ENOMEM);
    cr_assert_not_null(strstr(error, "pool"));
    cr_assert_null(strchr(error, '\n'));
    test_pool_is_full(pool);
}

Test(dev_port, a_driver_without_interrupts_says_so)
{
    struct rte_mempool *pool = test_pool(4095);
    struct weir_dev *dev = open_port("net_ring0", NULL, pool);

    cr_assert_eq(dev->ops->rx_interrupt(dev, true), -ENOTSUP);
    weir_dev_close(dev);
    test_pool_is_full(pool);
}

Test(dev_port, more_packets_than_the_pool_has_are_never_needed)
{
    struct rte_mempool *pool = test_pool(255);
    struct weir_dev *dev = open_port("net_null0", NULL, pool); /* an endless source */
    struct rte_mbuf *got[256];
    unsigned count = 0;
    uint16_t n;

    while (count < 256 && (n = weir_dev_rx_burst(dev, got + count, (uint16_t)(256 - count))) > 0)
        count += n;
    cr_assert_leq(count, 255);
    rte_pktmbuf_free_bulk(got, count);
    weir_dev_close(dev);
    test_pool_is_full(pool);
}

/* ---- two ports, one wire ---- */

static char directory[] = "/tmp/weir-dev-port-XXXXXX";
static struct weir_dev *server, *client;

static void open_memif(struct rte_mempool *pool)
{
    char arguments[256];

    cr_assert_not_null(mkdtemp(directory));
    snprintf(arguments, sizeof(arguments), "role=server,id=0,socket=%s/s,socket-abstract=no", directory);
    server = open_port("net_memif0", arguments, pool);
    /* Not one socket path twice in a process: the driver keeps sockets by their names. */
    snprintf(arguments, sizeof(arguments), "role=client,id=0,socket=%s/../%s/s,socket-abstract=no", directory,
             strrchr(directory, '/') + 1);
    client = open_port("net_memif1", arguments, pool);
}

static void close_memif(void)
{
    weir_dev_close(client);
    weir_dev_close(server);
    cr_assert_eq(rmdir(directory), 0, "the socket was left behind");
}

/* The two ends meet in the driver's thread; a packet is refused until they have. */
static void send_when_connected(struct weir_dev *dev, struct rte_mbuf *m)
{
    uint64_t deadline = rte_get_timer_cycles() + 5 * rte_get_timer_hz();

    while (weir_dev_tx_burst(dev, &m, 1) == 0)
        cr_assert_lt(rte_get_timer_cycles(), deadline, "the memif did not connect");
}

Test(dev_port, a_memif_without_its_peer_opens_and_refuses)
{
    struct rte_mempool *pool = test_pool(4095);
    char arguments[256];
    struct rte_mbuf *m = test_packet(pool, "x", 1);

    cr_assert_not_null(mkdtemp(directory));
    snprintf(arguments, sizeof(arguments), "role=server,id=0,socket=%s/s,socket-abstract=no", directory);
    server = open_port("net_memif0", arguments, pool);
    cr_assert_eq(weir_dev_tx_burst(server, &m, 1), 0);
    cr_assert_eq(weir_dev_rx_burst(server, &m, 1), 0);
    rte_pktmbuf_free(m);
    weir_dev_close(server);
    cr_assert_eq(rmdir(directory), 0);
    test_pool_is_full(pool);
}

Test(dev_port, packets_cross_a_memif_both_ways_and_all_come_back)
{
    struct rte_mempool *pool = test_pool(4095);
    struct rte_mbuf *got[BURST], *sent[BURST];
    uint8_t bytes[1400];

    open_memif(pool);
    send_when_connected(client, test_packet(pool, "hello", 5));
    receive(server, got, 1);
    cr_assert_eq(got[0]->pkt_len, 5);
    rte_pktmbuf_free(got[0]);
    for (unsigned i = 0; i < BURST; i++) {
        memset(bytes, (int)i, sizeof(bytes));
        sent[i] = test_packet(pool, bytes, sizeof(bytes));
    }
    cr_assert_eq(weir_dev_rx_burst(client, got, BURST), 0); /* a client's polling is what gives the server buffers */
    cr_assert_eq(weir_dev_tx_burst(server, sent, BURST), BURST);
    receive(client, got, BURST);
    for (unsigned i = 0; i < BURST; i++) {
        memset(bytes, (int)i, sizeof(bytes));
        cr_assert_arr_eq(rte_pktmbuf_mtod(got[i], uint8_t *), bytes, sizeof(bytes));
        rte_pktmbuf_free(got[i]);
    }
    close_memif();
    test_pool_is_full(pool);
}

Test(dev_port, a_packet_that_the_sender_holds_survives_being_sent)
{
    struct rte_mempool *pool = test_pool(4095);
    struct rte_mbuf *m, *got;

    open_memif(pool);
    m = test_packet(pool, "kept", 4);
    rte_mbuf_refcnt_update(m, 1);
    send_when_connected(client, m);
    receive(server, &got, 1);
    cr_assert_eq(rte_mbuf_refcnt_read(m), 1, "the port frees without looking at references");
    cr_assert_arr_eq(rte_pktmbuf_mtod(m, char *), "kept", 4);
    rte_pktmbuf_free(m);
    rte_pktmbuf_free(got);
    close_memif();
    test_pool_is_full(pool);
}
