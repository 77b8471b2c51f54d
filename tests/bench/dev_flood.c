/* Weir's device room by itself, against a reflector such as testpmd's 5tswap: a window of packets, each sent again as
 * soon as it is back. Arguments are the EAL's; FLOOD_SECONDS in the environment says for how long (5). */
#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdlib.h>
#include <string.h>
#include <weir/net/dev.h>

enum { PACKETS = 8191, CACHE = 256, WINDOW = 256, BURST = 32, SIZE = 60, PATIENCE_SECONDS = 10 };

static void fill(struct rte_mbuf *m)
{
    struct rte_ether_hdr *ether = (void *)rte_pktmbuf_append(m, SIZE);
    struct rte_ipv4_hdr *ip = (void *)(ether + 1);
    struct rte_udp_hdr *udp = (void *)(ip + 1);

    memset(ether, 0, SIZE);
    ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    ip->version_ihl = RTE_IPV4_VHL_DEF;
    ip->total_length = rte_cpu_to_be_16(SIZE - sizeof(*ether));
    ip->time_to_live = 64;
    ip->next_proto_id = IPPROTO_UDP;
    ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 2));
    ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1));
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    udp->src_port = udp->dst_port = rte_cpu_to_be_16(7);
    udp->dgram_len = rte_cpu_to_be_16(SIZE - sizeof(*ether) - sizeof(*ip));
}

/* Sends all of them, however often the ring is full, until the deadline. */
static void send_all(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n, uint64_t deadline)
{
    uint16_t sent = 0;

    while (sent < n && rte_rdtsc() < deadline)
        sent += weir_dev_tx_burst(dev, packets + sent, n - sent);
    rte_pktmbuf_free_bulk(packets + sent, n - sent);
}

static uint64_t flood(struct weir_dev *dev, uint64_t deadline)
{
    struct rte_mbuf *packets[WINDOW];
    uint64_t count = 0;

    if (rte_pktmbuf_alloc_bulk(dev->pool, packets, WINDOW) != 0)
        rte_exit(EXIT_FAILURE, "dev-flood: no packets\n");
    for (unsigned i = 0; i < WINDOW; i++)
        fill(packets[i]);
    send_all(dev, packets, WINDOW, deadline);
    while (rte_rdtsc() < deadline) {
        uint16_t n = weir_dev_rx_burst(dev, packets, BURST);

        count += n;
        if (n != 0)
            send_all(dev, packets, n, deadline);
    }
    return count;
}

static struct weir_dev *open_port(struct rte_mempool *pool)
{
    uint16_t port = (uint16_t)rte_eth_find_next(0);
    uint64_t deadline = rte_rdtsc() + PATIENCE_SECONDS * rte_get_tsc_hz();
    struct rte_eth_link link = {0};
    struct weir_dev *dev;
    char error[256];

    if (weir_dev_open_port(&dev, port, NULL, pool, error, sizeof(error)) < 0)
        rte_exit(EXIT_FAILURE, "dev-flood: %s\n", error);
    while (rte_eth_link_get_nowait(port, &link) == 0 && link.link_status != RTE_ETH_LINK_UP)
        if (rte_rdtsc() > deadline)
            rte_exit(EXIT_FAILURE, "dev-flood: no link after %d s\n", PATIENCE_SECONDS);
    return dev;
}

int main(int argc, char **argv)
{
    const char *text = getenv("FLOOD_SECONDS");
    double seconds = text != NULL ? atof(text) : 5;
    struct rte_mempool *pool;
    struct weir_dev *dev;
    uint64_t count;

    if (rte_eal_init(argc, argv) < 0 || weir_packet_register() < 0)
        return EXIT_FAILURE;
    pool = weir_packet_pool("packets", PACKETS, CACHE, 0);
    if (pool == NULL)
        rte_exit(EXIT_FAILURE, "dev-flood: no memory\n");
    dev = open_port(pool);
    count = flood(dev, rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz()));
    printf("dev-flood: %" PRIu64 " packets went out and came back in %g s, %.2f M/s\n", count, seconds,
           (double)count / seconds / 1e6);
    weir_dev_close(dev);
    rte_mempool_free(pool);
    rte_eal_cleanup();
    return count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
