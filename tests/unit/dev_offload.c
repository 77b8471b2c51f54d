/* What a port does by itself. virtio-user with vhost, both in this process, stands in for a NIC that has it all; memif
 * has none of it. */
#include "bulk.h"
#include <criterion/criterion.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <string.h>
#include <unistd.h>

TestSuite(dev_offload, .init = test_eal_init, .timeout = 30);

static char error[256];

static struct weir_dev *open_port(const char *name, const char *arguments, const struct weir_port_options *options,
                                  struct rte_mempool *pool)
{
    uint16_t port = RTE_MAX_ETHPORTS;
    struct weir_dev *dev = NULL;

    cr_assert_eq(rte_eal_hotplug_add("vdev", name, arguments), 0, "%s(%s)", name, arguments);
    cr_assert_eq(rte_eth_dev_get_port_by_name(name, &port), 0);
    cr_assert_eq(weir_dev_open_port(&dev, port, options, pool, error, sizeof(error)), 0, "%s", error);
    return dev;
}

#define ALL                                                                                                            \
    (WEIR_DEV_TX_TCP_CKSUM | WEIR_DEV_TX_UDP_CKSUM | WEIR_DEV_TX_MULTI_SEGS | WEIR_DEV_TX_TSO | WEIR_DEV_RX_CKSUM |    \
     WEIR_DEV_RX_SCATTER | WEIR_DEV_RX_LRO)

/* ---- wires of two ends ---- */

static char directory[] = "/tmp/weir-offload-XXXXXX";
static struct weir_dev *near, *far;

/* The vhost end is first: its other end looks for its socket, and then waits for it in this thread. */
static void open_virtio(const struct weir_port_options *options, struct rte_mempool *near_pool,
                        struct rte_mempool *far_pool)
{
    char arguments[256];

    cr_assert_not_null(mkdtemp(directory));
    snprintf(arguments, sizeof(arguments), "iface=%s/s,tso=1", directory);
    far = open_port("net_vhost0", arguments, options, far_pool);
    snprintf(arguments, sizeof(arguments), "path=%s/s,mrg_rxbuf=1", directory);
    near = open_port("net_virtio_user0", arguments, options, near_pool);
}

static void open_memif(const struct weir_port_options *options, struct rte_mempool *pool, unsigned buffer)
{
    char arguments[256];

    cr_assert_not_null(mkdtemp(directory));
    snprintf(arguments, sizeof(arguments), "role=server,id=0,socket=%s/s,socket-abstract=no,bsize=%u", directory,
             buffer);
    far = open_port("net_memif0", arguments, options, pool);
    snprintf(arguments, sizeof(arguments), "role=client,id=0,socket=%s/../%s/s,socket-abstract=no,bsize=%u", directory,
             strrchr(directory, '/') + 1, buffer); /* another name: the driver keeps sockets by theirs */
    near = open_port("net_memif1", arguments, options, pool);
}

static void close_wire(void)
{
    weir_dev_close(near);
    weir_dev_close(far);
    cr_assert_eq(rmdir(directory), 0, "the socket was left behind");
}

/* Sends a packet, and receives it at the other end; both take their time to meet. */
static struct rte_mbuf *pass(struct weir_dev *from, struct weir_dev *to, struct rte_mbuf *m)
{
    uint64_t deadline = rte_get_timer_cycles() + 5 * rte_get_timer_hz();
    struct rte_mbuf *got = NULL;
    bool sent = false;

    while (got == NULL) {
        sent = sent || weir_dev_tx_burst(from, &m, 1) == 1;
        if (weir_dev_rx_burst(to, &got, 1) == 0)
            got = NULL;
        cr_assert_lt(rte_get_timer_cycles(), deadline, "%s", sent ? "nothing came" : "the ends did not meet");
    }
    return got;
}

/* A packet of a pattern, in as many mbufs as it takes. */
static struct rte_mbuf *pattern(struct rte_mempool *pool, uint32_t length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    cr_assert_not_null(m);
    for (uint32_t at = 0; at < length;) {
        struct rte_mbuf *last = rte_pktmbuf_lastseg(m);
        uint16_t some = (uint16_t)RTE_MIN(length - at, (uint32_t)rte_pktmbuf_tailroom(last));
        uint8_t *bytes = (uint8_t *)rte_pktmbuf_append(m, some);

        if (some == 0) {
            cr_assert_eq(rte_pktmbuf_chain(m, rte_pktmbuf_alloc(pool)), 0);
            continue;
        }
        for (uint16_t i = 0; i < some; i++)
            bytes[i] = (uint8_t)((at + i) * 31 >> 3);
        at += some;
    }
    return m;
}

static void check_pattern(struct rte_mbuf *m, uint32_t length)
{
    uint32_t at = 0;

    cr_assert_eq(m->pkt_len, length);
    for (struct rte_mbuf *part = m; part != NULL; part = part->next)
        for (uint16_t i = 0; i < part->data_len; i++, at++)
            cr_assert_eq(*rte_pktmbuf_mtod_offset(part, uint8_t *, i), (uint8_t)(at * 31 >> 3), "byte %u", at);
    cr_assert_eq(at, length);
    rte_pktmbuf_free(m);
}

/* ---- the same bytes on the wire ---- */

static struct wire plain, wire;

static struct rte_mbuf *cross(struct rte_mbuf *m)
{
    return pass(near, far, m);
}

/* Lets a TCP machine talk through the open wire, and compares what comes out there, once whoever is there has done what
 * was left to it, with what one sends whose device can do nothing. Closes the wire. */
static void compare_talk(uint32_t capabilities)
{
    const struct bulk bulk = {.peer_mss = 1460, .sack = true};

    wire_init(&plain);
    bulk_talk(&plain, &bulk);
    cr_assert_eq(near->capabilities, capabilities, "%#x", near->capabilities);
    wire_init(&wire);
    wire.capabilities = capabilities;
    wire.carry = cross;
    wire.finish = true;
    bulk_talk(&wire, &bulk);
    close_wire(); /* the port may hold packets of the machine's until then */
    bulk_compare(&plain, &wire);
    cr_assert_eq(wire.nic.cut > 20, capabilities & WEIR_DEV_TX_TSO ? 1 : 0, "%u were cut", wire.nic.cut);
    wire_close_quietly(&wire);
    wire_close_quietly(&plain);
}

Test(dev_offload, segments_are_the_same_where_the_port_cuts_them)
{
    struct rte_mempool *pool = test_pool(4095);

    open_virtio(NULL, pool, pool);
    cr_assert_gt(near->tx_segments_max, 44);
    compare_talk(ALL);
    test_pool_is_full(pool);
}

Test(dev_offload, segments_are_the_same_where_it_computes_checksums)
{
    struct weir_port_options options = {.without = WEIR_DEV_TX_TSO | WEIR_DEV_RX_LRO};
    struct rte_mempool *pool = test_pool(4095);

    open_virtio(&options, pool, pool);
    compare_talk(ALL & ~(WEIR_DEV_TX_TSO | WEIR_DEV_RX_LRO | WEIR_DEV_RX_SCATTER));
    test_pool_is_full(pool);
}

Test(dev_offload, segments_are_the_same_where_it_is_to_do_nothing)
{
    struct weir_port_options options = {.without = ~WEIR_DEV_TX_MULTI_SEGS};
    struct rte_mempool *pool = test_pool(4095);

    open_virtio(&options, pool, pool);
    compare_talk(WEIR_DEV_TX_MULTI_SEGS);
    test_pool_is_full(pool);
}

Test(dev_offload, segments_are_the_same_on_a_memif)
{
    struct rte_mempool *pool = test_pool(8191);

    open_memif(NULL, pool, 2048);
    compare_talk(WEIR_DEV_TX_MULTI_SEGS);
    test_pool_is_full(pool);
}

/* ---- large frames ---- */

Test(dev_offload, a_jumbo_frame_crosses_a_memif_in_one_piece_or_in_several)
{
    struct weir_port_options options = {.mtu = 9000};
    struct rte_mempool *pool = test_pool(8191), *large = weir_packet_pool("large", 2047, 0, 9216);

    cr_assert_not_null(large);
    open_memif(&options, pool, 9216);
    cr_assert_eq(near->mtu, 9000);
    for (int i = 0; i < 3; i++) {
        check_pattern(pass(near, far, pattern(pool, 9014)), 9014);
        check_pattern(pass(far, near, pattern(large, 9014)), 9014);
        check_pattern(pass(near, far, pattern(pool, 60)), 60);
    }
    close_wire();
    test_pool_is_full(pool);
    test_pool_is_full(large);
}

Test(dev_offload, a_jumbo_frame_is_scattered_where_packets_are_small)
{
    struct weir_port_options options = {.mtu = 9000};
    struct rte_mempool *pool = test_pool(4095);
    struct rte_mbuf *m;

    open_virtio(&options, pool, pool);
    cr_assert_eq(near->mtu, 9000);
    m = pass(far, near, pattern(pool, 9014));
    cr_assert_gt(m->nb_segs, 1);
    check_pattern(m, 9014);
    check_pattern(pass(near, far, pattern(pool, 9014)), 9014);
    close_wire();
    test_pool_is_full(pool);
}

Test(dev_offload, an_mtu_that_the_port_cannot_have_is_refused_in_one_line)
{
    struct weir_port_options options = {.mtu = 9800};
    struct rte_mempool *pool = test_pool(4095);
    char arguments[256];
    uint16_t port = RTE_MAX_ETHPORTS;

    cr_assert_not_null(mkdtemp(directory));
    snprintf(arguments, sizeof(arguments), "iface=%s/s", directory);
    far = open_port("net_vhost0", arguments, NULL, pool);
    snprintf(arguments, sizeof(arguments), "path=%s/s", directory);
    cr_assert_eq(rte_eal_hotplug_add("vdev", "net_virtio_user0", arguments), 0);
    cr_assert_eq(rte_eth_dev_get_port_by_name("net_virtio_user0", &port), 0);
    cr_assert_eq(weir_dev_open_port(&near, port, &options, pool, error, sizeof(error)), -EINVAL);
    cr_assert_not_null(strstr(error, "MTU"));
    cr_assert_null(strchr(error, '\n'));
    weir_dev_close(far);
    rmdir(directory);
    test_pool_is_full(pool);
}
