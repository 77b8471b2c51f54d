#include "hosts.h"
#include <rte_tcp.h>
#include <string.h>
#include <weir/net/wire_ipv6.h>

#define FRAMES_BEHIND_MAX 64 /* a NIC's ring overflows */

static const struct rte_ether_addr client_mac = {{2, 0, 0, 0, 0, 1}}, server_mac = {{2, 0, 0, 0, 0, 2}};
static const struct weir_address server_v6 = {.bytes = {0xfd, [15] = 2}};

/* ---- the stranger: a device around host 1's ---- */

struct intruded {
    struct weir_dev dev;
    struct weir_dev *inner;
    struct hosts *hosts;
    weir_time due;
};

static void watch(struct hosts *hosts)
{
    unsigned in_use = rte_mempool_in_use_count(hosts->pool), connections;

    if (hosts->stacks[1] == NULL)
        return;
    struct weir_stack_stats stats;
    weir_stack_stats(hosts->stacks[1], &stats);
    connections = stats.tcp.connections;
    hosts->packets_max = RTE_MAX(hosts->packets_max, in_use);
    hosts->connections_max = RTE_MAX(hosts->connections_max, connections);
}

static uint16_t rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct intruded *self = WEIR_CONTAINER_OF(dev, struct intruded, dev);
    struct hosts *hosts = self->hosts;
    weir_time now = hosts->clock.time;
    uint16_t got = weir_dev_rx_burst(self->inner, packets, n);

    if (hosts->stranger == NULL)
        return got;
    self->due = RTE_MAX(self->due, now - FRAMES_BEHIND_MAX * hosts->every);
    for (; got < n && self->due <= now; self->due += hosts->every) {
        struct rte_mbuf *m = rte_pktmbuf_alloc(hosts->pool);
        if (m == NULL)
            break;
        hosts->stranger(hosts, m);
        hosts->made++;
        packets[got++] = m;
    }
    watch(hosts);
    return got;
}

static uint16_t tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    return weir_dev_tx_burst(WEIR_CONTAINER_OF(dev, struct intruded, dev)->inner, packets, n);
}

static weir_time next_deadline(struct weir_dev *dev)
{
    struct intruded *self = WEIR_CONTAINER_OF(dev, struct intruded, dev);
    weir_time inner = self->inner->ops->next_deadline(self->inner);
    /* some at once: a turn for each would take the test long */
    weir_time ours = self->hosts->stranger != NULL ? self->due + 16 * self->hosts->every : WEIR_NEVER;
    return RTE_MIN(inner, ours);
}

static const struct weir_dev_ops intruded_ops = {
    .rx_burst = rx_burst, .tx_burst = tx_burst, .next_deadline = next_deadline};

/* ---- the hosts ---- */

void hosts_init(struct hosts *hosts)
{
    *hosts = (struct hosts){.delay = WEIR_MILLISECONDS(1), .pool_size = 16383, .every = WEIR_MICROSECONDS(1)};
    weir_rng_seed(&hosts->rng, 1);
}

struct weir_endpoint host_endpoint(int host, uint16_t port)
{
    return (struct weir_endpoint){
        .family = AF_INET, .port = port, .v4.s_addr = rte_cpu_to_be_32(WEIR_IPV4(10, 0, 0, (uint32_t)host + 1))};
}

struct call {
    struct hosts *hosts;
    int (*body)(struct hosts *hosts);
    struct weir_dev *devs[2];
};

static int open_stack(struct call *call, int i)
{
    struct weir_stack_options options = i == 1 ? call->hosts->options : (struct weir_stack_options){.prefix = 0};

    options.address = WEIR_IPV4(10, 0, 0, (uint32_t)i + 1);
    options.prefix = 16;
    options.gateway = i == 1 ? WEIR_IPV4(10, 0, 0, 1) : 0; /* whom strangers from afar come by */
    options.seed = (uint64_t)i + 1;
    WEIR_TRY(weir_stack_open(&call->hosts->stacks[i], call->devs[i], &options));
    return i == 1 ? weir_stack_add_address(call->hosts->stacks[i], &server_v6, 64, 0) : 0;
}

static int between(void *arg)
{
    struct call *call = arg;
    struct hosts *hosts = call->hosts;
    int rc = open_stack(call, 0);

    if (rc == 0)
        rc = open_stack(call, 1);
    if (rc == 0)
        rc = call->body(hosts);
    hosts->stranger = NULL;
    for (int i = 0; i < 2; i++) {
        struct weir_stack *stack = hosts->stacks[i];
        hosts->stacks[i] = NULL;
        weir_stack_close(stack);
    }
    return rc;
}

int hosts_run(struct hosts *hosts, int (*body)(struct hosts *hosts))
{
    struct weir_dev *ends[2], *faults[2];
    struct weir_fault fault = {.delay = hosts->delay}, none = {.loss = 0};
    int rc;

    hosts->pool = test_pool(hosts->pool_size);
    weir_virtual_clock_init(&hosts->clock, WEIR_SECONDS(1000), true);
    cr_assert_eq(weir_dev_open_pair(ends, hosts->pool, 4096), 0);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(
            weir_dev_open_fault(&faults[i], ends[i], &hosts->clock.clock, &fault, &none, 8192, (uint64_t)i + 1), 0);
    struct intruded intruded = {.dev = *faults[1], .inner = faults[1], .hosts = hosts, .due = hosts->clock.time};
    intruded.dev.ops = &intruded_ops;
    struct call call = {hosts, body, {faults[0], &intruded.dev}};
    struct weir_run_options options = {.clock = &hosts->clock.clock, .tasks_max = 4096};
    rc = weir_run(between, &call, &options);
    for (int i = 0; i < 2; i++)
        weir_dev_close(faults[i]);
    test_pool_is_full(hosts->pool);
    return rc;
}

/* ---- frames ---- */

void put_ethernet(struct rte_mbuf *m, const struct rte_ether_addr *from, uint16_t type)
{
    struct rte_ether_hdr ethernet = {
        .dst_addr = server_mac, .src_addr = from != NULL ? *from : client_mac, .ether_type = rte_cpu_to_be_16(type)};

    memcpy(rte_pktmbuf_append(m, sizeof ethernet), &ethernet, sizeof ethernet);
}

void put_ipv4(struct rte_mbuf *m, uint32_t src, uint8_t protocol, uint16_t length)
{
    struct rte_ipv4_hdr ip = {.version_ihl = RTE_IPV4_VHL_DEF,
                              .total_length = rte_cpu_to_be_16((uint16_t)(sizeof ip + length)),
                              .time_to_live = 64,
                              .next_proto_id = protocol,
                              .src_addr = rte_cpu_to_be_32(src),
                              .dst_addr = rte_cpu_to_be_32(WEIR_IPV4(10, 0, 0, 2))};

    ip.hdr_checksum = (uint16_t)~weir_sum(&ip, sizeof ip);
    memcpy(rte_pktmbuf_append(m, sizeof ip), &ip, sizeof ip);
}

void put_ipv6(struct rte_mbuf *m, const struct weir_address *src, uint8_t protocol, uint8_t hop_limit, uint16_t length)
{
    struct weir_ipv6 ip = {
        .src = *src, .dst = server_v6, .next_header = protocol, .hop_limit = hop_limit, .payload_length = length};

    weir_ipv6_write(rte_pktmbuf_append(m, WEIR_IPV6_HEADER_LENGTH), &ip);
}

void put_icmp6(struct rte_mbuf *m, const struct weir_address *src, uint8_t hop_limit, void *message, uint16_t length)
{
    put_ethernet(m, NULL, RTE_ETHER_TYPE_IPV6);
    put_ipv6(m, src, IPPROTO_ICMPV6, hop_limit, length);
    weir_icmp6_seal(message, length, src, &server_v6);
    memcpy(rte_pktmbuf_append(m, length), message, length);
}

void put_tcp(struct rte_mbuf *m, uint32_t src, uint16_t src_port, uint16_t dst_port, uint32_t seq, uint32_t ack,
             uint8_t flags, uint16_t length)
{
    struct rte_tcp_hdr tcp = {.src_port = rte_cpu_to_be_16(src_port),
                              .dst_port = rte_cpu_to_be_16(dst_port),
                              .sent_seq = rte_cpu_to_be_32(seq),
                              .recv_ack = rte_cpu_to_be_32(ack),
                              .data_off = sizeof tcp << 2,
                              .tcp_flags = flags,
                              .rx_win = 0xffff};
    uint16_t whole = (uint16_t)(sizeof tcp + length);
    uint8_t *at;

    put_ethernet(m, NULL, RTE_ETHER_TYPE_IPV4);
    put_ipv4(m, src, IPPROTO_TCP, whole);
    at = (uint8_t *)rte_pktmbuf_append(m, whole);
    memcpy(at, &tcp, sizeof tcp);
    memset(at + sizeof tcp, 0x55, length);
    tcp.cksum =
        weir_checksum_join(weir_sum_pseudo(src, WEIR_IPV4(10, 0, 0, 2), IPPROTO_TCP), whole, weir_sum(at, whole));
    memcpy(at, &tcp, sizeof tcp);
}
