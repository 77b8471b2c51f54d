/* UDP echo: F flows with a window of outstanding datagrams each. Raw: the same frames in one window, and nothing kept
 * of them: the generator at its fastest. testpmd's 5tswap sends both back. */
#include "frame.h"

#include <rte_malloc.h>
#include <stdlib.h>

#define PORT_FIRST 10000

struct flow {
    uint32_t outstanding;
    uint32_t replies; /* since the last look for silence */
};

struct udp_client {
    struct load *load;
    struct frame request;
    unsigned flows;
    unsigned window;
    unsigned milliseconds; /* since the last look for silence */
    bool started, ending;
    struct flow flow[];
};

static void *udp_open(struct load *load)
{
    unsigned flows = load->options.connections;
    struct udp_client *client = rte_zmalloc("udp", sizeof(*client) + flows * sizeof(struct flow), RTE_CACHE_LINE_SIZE);

    if (client == NULL)
        rte_exit(EXIT_FAILURE, "weir-load: out of memory\n");
    client->load = load;
    client->flows = flows;
    client->window = load->options.depth;
    frame_build_udp(&client->request, load, load->options.size);
    return client;
}

/* Writes the next request of a flow into m and sends it. */
static inline void send_request(struct udp_client *client, uint32_t index, struct rte_mbuf *m)
{
    struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, FRAME_L4);
    struct mark *mark = (void *)(udp + 1);

    frame_write(&client->request, m);
    udp->src_port = rte_cpu_to_be_16((uint16_t)(PORT_FIRST + index));
    mark->tag = index;
    mark->stamp = (uint32_t)client->load->now;
    udp->dgram_cksum = frame_checksum(client->request.sum + udp->src_port + mark->tag + mark->stamp);
    load_send(client->load, m);
}

static void fill(struct udp_client *client, uint32_t index)
{
    while (client->flow[index].outstanding < client->window) {
        client->flow[index].outstanding++;
        send_request(client, index, load_alloc(client->load));
    }
}

/* Returns the flow that a frame answers, or UINT32_MAX after counting why it is none. */
static inline uint32_t reply_of(struct udp_client *client, struct rte_mbuf *m)
{
    struct load *load = client->load;
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, FRAME_IP);
    const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, FRAME_L4);
    const struct mark *mark = (const void *)(udp + 1);
    uint32_t index = (uint32_t)rte_be_to_cpu_16(udp->dst_port) - PORT_FIRST;

    if (ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_UDP || index >= client->flows)
        return UINT32_MAX;
    if (mark->tag != index || ip->total_length != rte_cpu_to_be_16(client->request.length - FRAME_IP)) {
        load->stats.bad_tags++;
        return UINT32_MAX;
    }
    if (load_sample(load) && !frame_checksums_good(m))
        load->stats.bad_cksums++;
    if (load->measuring) {
        load->stats.replies++;
        histogram_add(&load->latency, (uint32_t)load->now - mark->stamp);
    }
    return index;
}

static void udp_input(void *driver, struct rte_mbuf *m)
{
    struct udp_client *client = driver;
    uint32_t index = reply_of(client, m);
    struct flow *flow;

    if (index == UINT32_MAX) {
        load_arp_input(client->load, m);
        return;
    }
    flow = &client->flow[index];
    flow->replies++;
    if (flow->outstanding == 0) { /* repeated after silence, and the first came after all */
        client->load->stats.out_of_order++;
        rte_pktmbuf_free(m);
    } else if (client->ending) {
        flow->outstanding--;
        rte_pktmbuf_free(m);
    } else {
        send_request(client, index, m);
    }
}

/* A flow without any reply for the whole timeout has lost its window: it starts over. */
static void udp_every_millisecond(void *driver)
{
    struct udp_client *client = driver;
    bool look = !client->started || ++client->milliseconds >= client->load->options.timeout_ms;

    for (uint32_t i = 0; look && !client->ending && i < client->flows; i++) {
        struct flow *flow = &client->flow[i];

        if (client->started && flow->replies == 0) {
            client->load->stats.retransmits += flow->outstanding;
            flow->outstanding = 0;
        }
        flow->replies = 0;
        fill(client, i);
    }
    if (look)
        client->milliseconds = 0;
    client->started = true;
}

static bool udp_ready(void *driver)
{
    return true;
}

static void udp_finish(void *driver)
{
    ((struct udp_client *)driver)->ending = true;
}

static bool udp_finished(void *driver)
{
    struct udp_client *client = driver;

    for (uint32_t i = 0; i < client->flows; i++)
        if (client->flow[i].outstanding != 0)
            return false;
    return true;
}

const struct load_driver load_udp = {udp_open, udp_input, udp_every_millisecond, udp_ready, udp_finish, udp_finished};

/* Raw: the window is the number of buffers in flight; each frame that comes back goes out again. */
static void raw_input(void *driver, struct rte_mbuf *m)
{
    struct udp_client *client = driver;
    uint32_t index = reply_of(client, m);

    if (index == UINT32_MAX || client->ending)
        rte_pktmbuf_free(m);
    else
        send_request(client, index, m);
}

static void raw_every_millisecond(void *driver)
{
    struct udp_client *client = driver;

    for (unsigned i = 0; !client->started && i < client->window; i++)
        send_request(client, i % client->flows, load_alloc(client->load));
    client->started = true;
}

static bool raw_finished(void *driver)
{
    return true;
}

const struct load_driver load_raw = {udp_open, raw_input, raw_every_millisecond, udp_ready, udp_finish, raw_finished};
