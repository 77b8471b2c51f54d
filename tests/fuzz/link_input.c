/* Whole frames into link, IP and UDP. An input is a sequence of records: a byte of HOW, a length of two bytes (low one
 * first), and the frame. Whatever comes, nothing is read or written out of bounds, and no packet is lost. */
#include <rte_eal.h>
#include <stdlib.h>
#include <string.h>
#include <weir/net/udp.h>
#include <weir/net/wire_ipv6.h>

enum how {
    FIX_IPV4 = 1,  /* make the IPv4 header's checksum right, or next to nothing would get past it */
    FIX_ABOVE = 2, /* and that of ICMP, ICMPv6 or UDP                                              */
    SPLIT = 4,     /* in two segments; the length's high byte says where                           */
    VOUCH = 8,     /* the device says that the checksums are good                                  */
    LATER = 16,    /* twenty seconds later                                                         */
    HELD = 32,     /* another holds the packet too                                                 */
    ANSWER = 64,   /* what the socket received goes back                                           */
};

#define FRAME_MAX 1600

struct machine {
    struct weir_burst burst;
    struct weir_link *link;
    struct weir_ip *ip;
    struct weir_udp *udp;
    struct weir_udp_socket *socket;
    weir_time now;
};

static struct rte_mempool *pool;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char *eal[] = {"fuzz", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "64", "-l", "0"};

    (void)argc;
    (void)argv;
    if (rte_eal_init(RTE_DIM(eal), eal) < 0 || weir_packet_register() < 0)
        abort();
    pool = rte_pktmbuf_pool_create("fuzz", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (pool == NULL)
        abort();
    return 0;
}

static void free_sent(struct weir_burst *burst)
{
    for (unsigned i = 0; i < burst->count; i++) {
        WEIR_ASSERT(rte_mbuf_check(burst->packets[i], 1, &(const char *){NULL}) == 0);
        rte_pktmbuf_free(burst->packets[i]);
    }
    burst->count = 0;
}

static void machine_open(struct machine *machine)
{
    struct weir_link_options link = {
        .mac = {{2, 0, 0, 0, 0, 1}}, .pool = pool, .neighbours_max = 4, .capabilities = 0, .pending_max = 2};
    struct weir_ip_options ip = {
        .address = WEIR_IPV4(10, 0, 0, 1), .prefix = 24, .gateway = WEIR_IPV4(10, 0, 0, 254), .pool = pool};
    struct weir_udp_options udp = {.sockets_max = 2, .queue_max = 4};

    const struct weir_address site = {.bytes = {0xfd, [15] = 1}}, local = {.bytes = {0xfe, 0x80, [15] = 1}},
                              tentative = {.bytes = {0xfe, 0x80, [15] = 3}};

    memset(machine, 0, sizeof(*machine));
    machine->burst.flush = free_sent;
    machine->now = WEIR_SECONDS(1);
    if (weir_link_open(&machine->link, &link, &machine->burst) < 0 ||
        weir_ip_open(&machine->ip, &ip, machine->link) < 0 || weir_udp_open(&machine->udp, &udp, machine->ip) < 0 ||
        weir_udp_bind(machine->udp, 7, machine, &machine->socket) < 0 ||
        weir_ip_add_address(machine->ip, &site, 64, 0) < 0 || weir_ip_add_address(machine->ip, &local, 64, 0) < 0 ||
        weir_ip_add_address(machine->ip, &tentative, 64, WEIR_ADDRESS_TENTATIVE) < 0)
        abort();
    weir_link_announce(machine->link, machine->now, &local);
    weir_link_announce(machine->link, machine->now, &tentative);
}

static void machine_close(struct machine *machine)
{
    weir_udp_close(machine->udp);
    weir_ip_close(machine->ip);
    weir_link_close(machine->link);
    free_sent(&machine->burst);
    WEIR_ASSERT_EQ(rte_mempool_in_use_count(pool), 0);
}

/* The same of what an IPv6 header carries. */
static void fix_ipv6(uint8_t *ip, size_t room)
{
    struct weir_ipv6_chain chain;
    struct weir_ipv6 header;
    uint16_t checksum = 0;
    size_t at, there;

    if (weir_ipv6_parse(ip, room, &header) < 0)
        return;
    there = RTE_MIN(room, (size_t)WEIR_IPV6_HEADER_LENGTH + header.payload_length);
    if (weir_ipv6_walk(ip, there, header.next_header, &chain) < 0 || there - chain.offset < 8)
        return;
    if (chain.protocol != IPPROTO_ICMPV6 && chain.protocol != IPPROTO_UDP)
        return;
    at = chain.offset + (chain.protocol == IPPROTO_UDP ? 6u : 2u);
    memset(ip + at, 0, 2);
    there -= chain.offset;
    checksum = weir_checksum_join(weir_sum_addresses(&header.src, &header.dst, chain.protocol), (uint16_t)there,
                                  weir_sum(ip + chain.offset, there));
    memcpy(ip + at, &checksum, 2);
}

/* Writes the checksums that a sender would, where there is room for them. */
static void fix(uint8_t *frame, size_t length, enum how how)
{
    struct weir_ipv4 header;
    uint8_t *ip = frame + RTE_ETHER_HDR_LEN, *above;
    size_t room = length - RTE_MIN(length, (size_t)RTE_ETHER_HDR_LEN), there;
    uint16_t checksum;

    if (how & FIX_ABOVE)
        fix_ipv6(ip, room);
    if (weir_ipv4_parse(ip, room, &header) < 0)
        return;
    if (how & FIX_IPV4) {
        memset(ip + 10, 0, 2);
        checksum = (uint16_t)~weir_sum(ip, header.header_length);
        memcpy(ip + 10, &checksum, 2);
    }
    there = RTE_MIN(room, (size_t)header.total_length) - header.header_length;
    if (!(how & FIX_ABOVE) || there < 8)
        return;
    above = ip + header.header_length;
    if (header.protocol == IPPROTO_ICMP) {
        memset(above + 2, 0, 2);
        checksum = (uint16_t)~weir_sum(above, there);
        memcpy(above + 2, &checksum, 2);
    } else if (header.protocol == IPPROTO_UDP) {
        memset(above + 6, 0, 2);
        checksum = weir_checksum_join(weir_sum_pseudo(header.src, header.dst, IPPROTO_UDP), (uint16_t)there,
                                      weir_sum(above, there));
        memcpy(above + 6, &checksum, 2);
    }
}

static struct rte_mbuf *packet_of(const uint8_t *bytes, size_t length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    if (m == NULL)
        abort();
    memcpy(rte_pktmbuf_append(m, (uint16_t)length), bytes, length);
    return m;
}

static void answer(struct machine *machine)
{
    struct rte_mbuf *packets[4];
    struct weir_endpoint from[4];
    int n = weir_udp_receive(machine->socket, packets, from, 4);

    if (n > 0 && weir_udp_send(machine->udp, machine->now, machine->socket, packets, from, NULL, (unsigned)n) == 0)
        abort();
}

static void input(struct machine *machine, struct rte_mbuf *m)
{
    struct weir_ip_rx rx;
    uint16_t ether_type = weir_link_input(machine->link, machine->now, m);

    if (ether_type == 0)
        return;
    switch (weir_ip_input(machine->ip, machine->now, ether_type, &m, &rx)) {
    case IPPROTO_UDP:
        weir_udp_input(machine->udp, machine->now, m, &rx);
        break;
    case IPPROTO_TCP: /* nobody speaks it here */
        weir_ip_send_unreachable(machine->ip, machine->now, m, &rx, WEIR_ICMP_UNREACHABLE_PROTOCOL);
        break;
    case IPPROTO_ICMP:
        weir_udp_icmp_error(machine->udp, &rx);
        break;
    }
}

static void record(struct machine *machine, enum how how, uint8_t split, const uint8_t *data, size_t length)
{
    uint8_t frame[FRAME_MAX];
    struct rte_mbuf *m, *rest, *held = NULL;
    size_t first = how & SPLIT ? RTE_MIN((size_t)split, length) : length;

    memcpy(frame, data, length);
    if (how & (FIX_IPV4 | FIX_ABOVE))
        fix(frame, length, how);
    m = packet_of(frame, first);
    if (how & SPLIT) {
        rest = packet_of(frame + first, length - first);
        if (rte_pktmbuf_chain(m, rest) < 0)
            abort();
    }
    if (how & VOUCH)
        m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    if (how & HELD) {
        held = rte_pktmbuf_clone(m, pool);
        if (held == NULL)
            abort();
    }
    if (how & LATER) {
        machine->now += WEIR_SECONDS(20);
        weir_link_timers(machine->link, machine->now);
    }
    input(machine, m);
    if (how & ANSWER)
        answer(machine);
    rte_pktmbuf_free(held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine machine;

    machine_open(&machine);
    while (size >= 3) {
        size_t length = RTE_MIN(RTE_MIN(data[1] + (data[2] & 7u) * 256u, size - 3), (size_t)FRAME_MAX);
        record(&machine, data[0], data[2], data + 3, length);
        data += 3 + length;
        size -= 3 + length;
    }
    machine_close(&machine);
    return 0;
}
