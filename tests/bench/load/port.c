/* The port: one queue each way, its link, the server's MAC, and bursts out. */
#include "load.h"

#include <netinet/in.h>
#include <rte_arp.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <stdlib.h>

#define POOL_COUNT 32767
#define POOL_CACHE 512
#define RING 1024
#define PATIENCE_SECONDS 10
#define RESTART_SECONDS 1.0

static uint64_t deadline_in(double seconds)
{
    return rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());
}

static void configure(struct load *load)
{
    struct rte_eth_conf conf = {0};
    uint16_t rx = RING, tx = RING;
    int rc = rte_eth_dev_configure(load->port_id, 1, 1, &conf);

    if (rc == 0)
        rc = rte_eth_dev_adjust_nb_rx_tx_desc(load->port_id, &rx, &tx);
    if (rc == 0)
        rc = rte_eth_rx_queue_setup(load->port_id, 0, rx, SOCKET_ID_ANY, NULL, load->pool);
    if (rc == 0)
        rc = rte_eth_tx_queue_setup(load->port_id, 0, tx, SOCKET_ID_ANY, NULL);
    if (rc == 0)
        rc = rte_eth_macaddr_get(load->port_id, &load->mac);
    if (rc < 0)
        rte_exit(EXIT_FAILURE, "weir-load: port %u: %s\n", load->port_id, rte_strerror(-rc));
}

static bool wait_for_link(const struct load *load, double seconds)
{
    uint64_t deadline = deadline_in(seconds);
    struct rte_eth_link link = {0};

    while (rte_eth_link_get_nowait(load->port_id, &link) == 0 && link.link_status != RTE_ETH_LINK_UP) {
        if (rte_rdtsc() > deadline)
            return false;
        rte_delay_us_sleep(1000);
    }
    return link.link_status == RTE_ETH_LINK_UP;
}

/* A memif client that comes before its server is ready stays without a link: it is started again until it has one. A
 * server waits for its client. */
static bool start(const struct load *load, double seconds)
{
    uint64_t deadline = deadline_in(seconds);
    double patience = load->options.mode == MODE_REFLECT ? seconds : RESTART_SECONDS;

    while (rte_rdtsc() < deadline) {
        if (rte_eth_dev_start(load->port_id) == 0) {
            if (wait_for_link(load, patience))
                return true;
            rte_eth_dev_stop(load->port_id);
        }
        rte_delay_us_sleep(100000);
    }
    return false;
}

void load_port_open(struct load *load)
{
    load->port_id = (uint16_t)rte_eth_find_next(0);
    if (load->port_id == RTE_MAX_ETHPORTS)
        rte_exit(EXIT_FAILURE, "weir-load: no port; name one after --, such as --vdev net_memif0,role=client,...\n");
    load->pool = rte_pktmbuf_pool_create("load", POOL_COUNT, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (load->pool == NULL)
        rte_exit(EXIT_FAILURE, "weir-load: buffers: %s\n", rte_strerror(rte_errno));
    configure(load);
    if (!start(load, PATIENCE_SECONDS))
        rte_exit(EXIT_FAILURE, "weir-load: no link after %d s; is the server running?\n", PATIENCE_SECONDS);
}

struct rte_mbuf *load_alloc(struct load *load)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(load->pool);

    if (m == NULL)
        rte_exit(EXIT_FAILURE, "weir-load: out of buffers; ask for fewer outstanding requests\n");
    return m;
}

void load_flush(struct load *load)
{
    unsigned sent = 0;
    uint64_t deadline = 0;

    while (sent < load->out_count) {
        uint16_t n = rte_eth_tx_burst(load->port_id, 0, load->out + sent, (uint16_t)(load->out_count - sent));

        sent += n;
        if (n != 0)
            continue;
        if (deadline == 0)
            deadline = deadline_in(1e-3);
        if (rte_rdtsc() > deadline) {
            load->stats.tx_dropped += load->out_count - sent;
            rte_pktmbuf_free_bulk(load->out + sent, load->out_count - sent);
            break;
        }
        rte_pause();
    }
    load->out_count = 0;
}

static void arp_send(struct load *load, struct rte_mbuf *m, uint16_t operation, const struct rte_ether_addr *to_mac,
                     uint32_t to)
{
    static const struct rte_ether_addr everyone = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct rte_ether_hdr *ether = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
    struct rte_arp_hdr *arp = (void *)(ether + 1);

    ether->src_addr = load->mac;
    ether->dst_addr = operation == RTE_ARP_OP_REQUEST ? everyone : *to_mac;
    ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
    arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
    arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    arp->arp_hlen = RTE_ETHER_ADDR_LEN;
    arp->arp_plen = sizeof(uint32_t);
    arp->arp_opcode = rte_cpu_to_be_16(operation);
    arp->arp_data.arp_sha = load->mac;
    arp->arp_data.arp_sip = rte_cpu_to_be_32(load->options.address);
    arp->arp_data.arp_tha = *to_mac;
    arp->arp_data.arp_tip = rte_cpu_to_be_32(to);
    m->data_len = sizeof(*ether) + sizeof(*arp);
    m->pkt_len = m->data_len;
    load_send(load, m);
}

static const struct rte_arp_hdr *arp_of(const struct rte_mbuf *m)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

    if (m->data_len < sizeof(*ether) + sizeof(struct rte_arp_hdr) ||
        ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
        return NULL;
    return (const void *)(ether + 1);
}

void load_arp_input(struct load *load, struct rte_mbuf *m)
{
    const struct rte_arp_hdr *arp = arp_of(m);

    if (arp != NULL && arp->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
        arp->arp_data.arp_tip == rte_cpu_to_be_32(load->options.address)) {
        struct rte_ether_addr mac = arp->arp_data.arp_sha;

        arp_send(load, m, RTE_ARP_OP_REPLY, &mac, rte_be_to_cpu_32(arp->arp_data.arp_sip));
        return;
    }
    rte_pktmbuf_free(m);
}

/* Takes the server's MAC out of a frame, if that is what it says. */
static bool arp_learn(struct load *load, const struct rte_mbuf *m)
{
    const struct rte_arp_hdr *arp = arp_of(m);

    if (arp == NULL || arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REPLY) ||
        arp->arp_data.arp_sip != rte_cpu_to_be_32(load->options.server))
        return false;
    load->server_mac = arp->arp_data.arp_sha;
    return true;
}

void load_port_resolve(struct load *load)
{
    static const struct rte_ether_addr unknown;
    uint64_t deadline = deadline_in(PATIENCE_SECONDS), again = 0;
    bool found = false;

    while (!found) {
        struct rte_mbuf *in[LOAD_BURST];
        uint16_t n = rte_eth_rx_burst(load->port_id, 0, in, LOAD_BURST);

        for (uint16_t i = 0; i < n; i++) {
            found |= arp_learn(load, in[i]);
            load_arp_input(load, in[i]);
        }
        if (rte_rdtsc() > deadline)
            rte_exit(EXIT_FAILURE, "weir-load: nobody answers ARP for the server's address\n");
        if (!found && rte_rdtsc() > again) {
            arp_send(load, load_alloc(load), RTE_ARP_OP_REQUEST, &unknown, load->options.server);
            again = deadline_in(0.1);
        }
        load_flush(load);
    }
}
