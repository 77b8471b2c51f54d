/* A decorator that writes all packets of a DPDK port to a pcapng file too. */
#define ALLOW_EXPERIMENTAL_API /* all of librte_pcapng is called so in 22.11 */
#include <fcntl.h>
#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_pcapng.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/net/dev.h>

enum { BURST = 32, COPIES = 4 * BURST - 1 };

struct pcap_dev {
    struct weir_dev dev;
    struct weir_dev *inner;
    rte_pcapng_t *file;
    struct rte_mempool *copies;
    uint16_t port;
    bool broken; /* the file could not be written; said once, and no more is tried */
};

static struct pcap_dev *pcap_of(struct weir_dev *dev)
{
    return WEIR_CONTAINER_OF(dev, struct pcap_dev, dev);
}

static uint16_t copy(struct pcap_dev *pcap, struct rte_mbuf **copies, struct rte_mbuf **packets, uint16_t n,
                     enum rte_pcapng_direction direction)
{
    uint64_t now = rte_get_tsc_cycles();
    uint16_t i;

    for (i = 0; i < n; i++) {
        copies[i] = rte_pcapng_copy(pcap->port, 0, packets[i], pcap->copies, UINT32_MAX, now, direction);
        if (copies[i] == NULL)
            break;
    }
    return i;
}

static void write_copies(struct pcap_dev *pcap, struct rte_mbuf **copies, uint16_t n)
{
    if (n == 0 || pcap->broken)
        return;
    if (rte_pcapng_write_packets(pcap->file, copies, n) < 0) {
        pcap->broken = true;
        weir_log(WEIR_LOG_ERROR, "the capture file ends here: %s", rte_strerror(rte_errno));
    }
}

static uint16_t pcap_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct pcap_dev *pcap = pcap_of(dev);
    struct rte_mbuf *copies[BURST];
    uint16_t got = weir_dev_rx_burst(pcap->inner, packets, RTE_MIN(n, BURST));
    uint16_t copied = copy(pcap, copies, packets, got, RTE_PCAPNG_DIRECTION_IN);

    write_copies(pcap, copies, copied);
    rte_pktmbuf_free_bulk(copies, copied);
    return got;
}

/* The copies are made first: a packet that was sent is no longer ours to read. */
static uint16_t pcap_tx_some(struct pcap_dev *pcap, struct rte_mbuf **packets, uint16_t n)
{
    struct rte_mbuf *copies[BURST];
    uint16_t copied = copy(pcap, copies, packets, n, RTE_PCAPNG_DIRECTION_OUT);
    uint16_t sent = weir_dev_tx_burst(pcap->inner, packets, n);

    write_copies(pcap, copies, RTE_MIN(copied, sent));
    rte_pktmbuf_free_bulk(copies, copied);
    return sent;
}

static uint16_t pcap_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    uint16_t sent = 0;

    while (sent < n) {
        uint16_t some = RTE_MIN(n - sent, BURST);
        uint16_t taken = pcap_tx_some(pcap_of(dev), packets + sent, some);

        sent += taken;
        if (taken < some)
            break;
    }
    return sent;
}

static weir_time pcap_next_deadline(struct weir_dev *dev)
{
    struct weir_dev *inner = pcap_of(dev)->inner;

    return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : WEIR_NEVER;
}

static int pcap_rx_interrupt(struct weir_dev *dev, bool on)
{
    struct weir_dev *inner = pcap_of(dev)->inner;

    return inner->ops->rx_interrupt != NULL ? inner->ops->rx_interrupt(inner, on) : -ENOTSUP;
}

static void pcap_stats(struct weir_dev *dev, struct weir_dev_stats *stats)
{
    struct weir_dev *inner = pcap_of(dev)->inner;

    inner->ops->stats(inner, stats);
}

static void pcap_free(struct pcap_dev *pcap)
{
    if (pcap->file != NULL)
        rte_pcapng_close(pcap->file);
    rte_mempool_free(pcap->copies);
    free(pcap);
}

static void pcap_close(struct weir_dev *dev)
{
    struct pcap_dev *pcap = pcap_of(dev);

    weir_dev_close(pcap->inner);
    pcap_free(pcap);
}

static const struct weir_dev_ops pcap_ops = {.rx_burst = pcap_rx_burst,
                                             .tx_burst = pcap_tx_burst,
                                             .next_deadline = pcap_next_deadline,
                                             .rx_interrupt = pcap_rx_interrupt,
                                             .stats = pcap_stats,
                                             .close = pcap_close};

static int open_file(struct pcap_dev *pcap, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    pcap->file = rte_pcapng_fdopen(fd, NULL, NULL, "weir", NULL);
    if (pcap->file == NULL) {
        close(fd);
        return rte_errno != 0 ? -rte_errno : -EIO;
    }
    return 0;
}

static int make_copies_pool(struct pcap_dev *pcap)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    uint32_t room = rte_pcapng_mbuf_size(RTE_ETHER_HDR_LEN + pcap->inner->mtu);

    snprintf(name, sizeof(name), "pcap-%" PRIxPTR, (uintptr_t)pcap);
    pcap->copies = weir_packet_pool(name, COPIES, 0, (uint16_t)room);
    return pcap->copies == NULL ? -ENOMEM : 0;
}

/* The library sets its clock when it sees the first packet, which it then takes to be from before: 2^64 cycles later,
 * some 200 years (22.11). So the first one that it sees is from a little later, and goes nowhere. */
static int set_clock(struct pcap_dev *pcap)
{
    struct rte_mbuf *empty = rte_pktmbuf_alloc(pcap->copies);

    if (empty == NULL)
        return -ENOMEM;
    rte_pktmbuf_free(rte_pcapng_copy(pcap->port, 0, empty, pcap->copies, UINT32_MAX,
                                     rte_get_tsc_cycles() + rte_get_tsc_hz() / 100, RTE_PCAPNG_DIRECTION_UNKNOWN));
    rte_pktmbuf_free(empty);
    return 0;
}

int weir_dev_open_pcap(struct weir_dev **dev, struct weir_dev *inner, const char *path)
{
    struct pcap_dev *pcap = calloc(1, sizeof(*pcap));
    int rc;

    if (pcap == NULL)
        return -ENOMEM;
    pcap->dev = *inner;
    pcap->dev.ops = &pcap_ops;
    pcap->inner = inner;
    rc = rte_eth_dev_get_port_by_name(inner->name, &pcap->port); /* the file names the port of each packet */
    if (rc == 0)
        rc = make_copies_pool(pcap);
    if (rc == 0)
        rc = set_clock(pcap);
    if (rc == 0)
        rc = open_file(pcap, path);
    if (rc < 0) {
        pcap_free(pcap);
        return rc;
    }
    *dev = &pcap->dev;
    return 0;
}
