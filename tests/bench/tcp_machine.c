/* The TCP machine alone: requests are put in as a device would, answered, and the answers thrown away. No device, no
 * tasks: what is left is TCP, IP and the mempool. usage: tcp-machine [connections [bytes [requests]]] [hw]
 * "hw": a device that does checksums. */
#include <inttypes.h>
#include <rte_arp.h>
#include <rte_eal.h>
#include <stdlib.h>
#include <string.h>
#include <weir/net/dev.h>
#include <weir/net/tcp.h>
#include <weir/net/wire.h>
#include <weir/net/wire_tcp.h>

#define US RTE_IPV4(10, 0, 0, 1)
#define PEER RTE_IPV4(10, 0, 0, 2)
#define BURST 32
#define HEADER 66u

struct client {
    struct weir_tcp_connection *c;
    uint32_t seq, ack;
    uint8_t frame[HEADER];
};

static struct {
    struct weir_burst burst;
    struct rte_mempool *pool, *control;
    struct weir_link *link;
    struct weir_ip *ip;
    struct weir_tcp *tcp;
    struct client *clients;
    unsigned connections, bytes;
    bool hw;
    weir_time now;
    uint64_t answered;
    weir_time in_tcp;  /* time spent in TCP and what it calls: per burst, so that the clock costs little */
    uint32_t last_seq; /* of the last segment that went out */
} b;

static const struct rte_ether_addr us_mac = {{2, 0, 0, 0, 0, 1}}, peer_mac = {{2, 0, 0, 0, 0, 2}};

static void flush(struct weir_burst *burst)
{
    for (unsigned i = 0; i < burst->count; i++) {
        struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(burst->packets[i], struct rte_tcp_hdr *, 34);

        b.answered++;
        b.last_seq = rte_be_to_cpu_32(tcp->sent_seq);
        rte_pktmbuf_free(burst->packets[i]);
    }
    burst->count = 0;
}

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "tcp-machine: %s\n", what);
        exit(1);
    }
}

static void open_machine(void)
{
    uint32_t capabilities = b.hw ? WEIR_DEV_TX_IPV4_CKSUM | WEIR_DEV_TX_TCP_CKSUM : 0;
    unsigned packets = 4 * BURST + 4 * b.connections;
    struct weir_link_options link = {.mac = us_mac, .capabilities = capabilities};
    struct weir_ip_options ip = {.address = US, .prefix = 24};
    struct weir_tcp_options tcp = {.connections_max = b.connections, .key = "not a secret"};
    struct weir_arp arp = {.operation = RTE_ARP_OP_REQUEST, .sender_mac = peer_mac, .sender = PEER, .target = US};
    struct rte_ether_hdr ethernet = {
        .dst_addr = us_mac, .src_addr = peer_mac, .ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)};
    struct rte_mbuf *m;

    b.burst.flush = flush;
    b.pool = weir_packet_pool("data", packets < 1024 ? 1024 : packets, 256, 0);
    b.control = weir_packet_pool("control", 1024, 64, 0);
    require(b.pool != NULL && b.control != NULL, "no memory for packets");
    link.pool = ip.pool = tcp.control_pool = b.control;
    tcp.pool = b.pool;
    require(weir_link_open(&b.link, &link, &b.burst) == 0 && weir_ip_open(&b.ip, &ip, b.link) == 0 &&
                weir_tcp_open(&b.tcp, &tcp, b.ip) == 0,
            "no memory");
    m = rte_pktmbuf_alloc(b.control);
    memcpy(rte_pktmbuf_append(m, sizeof(ethernet)), &ethernet, sizeof(ethernet));
    weir_arp_write(rte_pktmbuf_append(m, WEIR_ARP_LENGTH), &arp);
    (void)weir_link_input(b.link, b.now, m);
    flush(&b.burst);
}

/* Makes a client's frame: Ethernet, IP, TCP with timestamps; flags and payload length vary. */
static struct rte_mbuf *frame_of(struct client *client, uint8_t flags, unsigned length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(b.pool);
    struct rte_tcp_hdr *tcp;
    struct rte_ipv4_hdr *ip;
    uint8_t *at;

    require(m != NULL, "the pool is empty");
    at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(HEADER + length));
    memcpy(at, client->frame, HEADER);
    ip = (struct rte_ipv4_hdr *)(at + 14);
    ip->total_length = rte_cpu_to_be_16((uint16_t)(HEADER - 14 + length));
    ip->hdr_checksum = 0;
    ip->hdr_checksum = (uint16_t)~weir_sum(ip, sizeof(*ip));
    tcp = (struct rte_tcp_hdr *)(at + 34);
    tcp->sent_seq = rte_cpu_to_be_32(client->seq);
    tcp->recv_ack = rte_cpu_to_be_32(client->ack);
    tcp->tcp_flags = flags;
    if (b.hw)
        m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    else
        tcp->cksum = weir_checksum_join(weir_sum_pseudo(PEER, US, IPPROTO_TCP), (uint16_t)(HEADER - 34 + length),
                                        weir_sum(tcp, HEADER - 34 + length));
    return m;
}

static weir_time clock_now(void)
{
    return weir_clock_tsc()->now(weir_clock_tsc());
}

static void feed(struct rte_mbuf **frames, unsigned n)
{
    struct weir_ip_rx rx[BURST];

    for (unsigned i = 0; i < n; i++)
        require(weir_link_input(b.link, b.now, frames[i]) == RTE_ETHER_TYPE_IPV4 &&
                    weir_ip_input(b.ip, b.now, RTE_ETHER_TYPE_IPV4, &frames[i], &rx[i]) == IPPROTO_TCP,
                "a frame was not taken");
    b.in_tcp -= clock_now();
    weir_tcp_input(b.tcp, b.now, frames, rx, n);
    b.in_tcp += clock_now();
}

static void write_template(struct client *client, uint16_t port)
{
    struct rte_ether_hdr ethernet = {
        .dst_addr = us_mac, .src_addr = peer_mac, .ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
    struct rte_ipv4_hdr ip = {.version_ihl = RTE_IPV4_VHL_DEF,
                              .time_to_live = 64,
                              .next_proto_id = IPPROTO_TCP,
                              .src_addr = rte_cpu_to_be_32(PEER),
                              .dst_addr = rte_cpu_to_be_32(US)};
    struct weir_tcp_header tcp = {.src_port = port, .dst_port = 7, .header_length = 32, .window = 65535};

    memcpy(client->frame, &ethernet, sizeof(ethernet));
    memcpy(client->frame + 14, &ip, sizeof(ip));
    weir_tcp_header_write(client->frame + 34, &tcp);
    weir_tcp_timestamps_write(client->frame + 54, 1000, 0);
}

static void connect_all(void)
{
    struct weir_tcp_listener *listener;
    struct rte_mbuf *m;

    b.clients = calloc(b.connections, sizeof(*b.clients));
    require(weir_tcp_listen(b.tcp, 7, b.connections, &b, &listener) == 0, "cannot listen");
    for (unsigned i = 0; i < b.connections; i++) {
        struct client *client = &b.clients[i];

        write_template(client, (uint16_t)(1024 + i));
        client->seq = i * 77777;
        m = frame_of(client, RTE_TCP_SYN_FLAG, 0);
        feed(&m, 1);
        weir_tcp_flush(b.tcp, b.now);
        flush(&b.burst);
        client->seq++;
        client->ack = b.last_seq + 1;
        m = frame_of(client, RTE_TCP_ACK_FLAG, 0);
        feed(&m, 1);
        require(weir_tcp_accept(b.tcp, listener, client, &client->c) == 0, "not established");
    }
}

static void answer_all(void)
{
    struct client *client;
    struct rte_mbuf *m;
    unsigned events;

    while ((client = weir_tcp_next_event(b.tcp, &events)) != NULL) {
        if (client == (void *)&b)
            continue;
        while (weir_tcp_receive(b.tcp, client->c, &m) > 0) {
            client->ack += m->pkt_len;
            require(weir_tcp_send(b.tcp, client->c, m) == 0, "cannot send");
        }
    }
}

static void turn(unsigned first)
{
    struct rte_mbuf *frames[BURST];
    unsigned n = 0;

    for (; n < BURST && n < b.connections; n++) {
        struct client *client = &b.clients[(first + n) % b.connections];

        frames[n] = frame_of(client, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG, b.bytes);
        client->seq += b.bytes;
    }
    feed(frames, n);
    b.in_tcp -= clock_now();
    answer_all();
    weir_tcp_timers(b.tcp, b.now);
    weir_tcp_flush(b.tcp, b.now);
    b.in_tcp += clock_now();
    flush(&b.burst);
    b.now += WEIR_MICROSECONDS(5);
}

int main(int argc, char **argv)
{
    char *eal[] = {argv[0],
                   (char[]){"--no-huge"},
                   (char[]){"--no-shconf"},
                   (char[]){"--no-pci"},
                   (char[]){"--no-telemetry"},
                   (char[]){"-m"},
                   (char[]){"256"},
                   (char[]){"-l"},
                   (char[]){"0"},
                   (char[]){"--log-level=error"}};
    uint64_t requests;
    weir_time start;

    b.hw = argc > 1 && strcmp(argv[argc - 1], "hw") == 0;
    argc -= b.hw;
    b.connections = argc > 1 ? (unsigned)atoi(argv[1]) : 64;
    b.bytes = argc > 2 ? (unsigned)atoi(argv[2]) : 64;
    requests = argc > 3 ? strtoull(argv[3], NULL, 10) : 10000000;
    require(b.connections > 0 && b.bytes > 0 && b.bytes <= 1448, "1 connection, 1 to 1448 bytes, at least");
    b.now = WEIR_SECONDS(1);
    require(rte_eal_init((int)RTE_DIM(eal), eal) >= 0 && weir_packet_register() == 0, "the EAL does not start");
    open_machine();
    connect_all();
    b.answered = 0;
    b.in_tcp = 0;
    start = clock_now();
    for (unsigned first = 0; b.answered < requests; first = (first + BURST) % b.connections)
        turn(first);
    start = clock_now() - start;
    printf("%u connections, %u bytes%s: %.1f ns a request, of which %.1f in TCP and below\n", b.connections, b.bytes,
           b.hw ? ", hw" : "", (double)start / (double)b.answered, (double)b.in_tcp / (double)b.answered);
    require(weir_tcp_stats(b.tcp)->retrans_segs == 0, "something was sent twice");
    return 0;
}
