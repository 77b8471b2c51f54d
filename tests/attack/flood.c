/* A stranger sends a million frames a second, for as long as a transfer takes: what is established goes on within 10 %,
 * memory stays flat, and afterwards all is as before. RFC 4987 (SYN floods), RFC 826 (whom an ARP is believed). */
#include "hosts.h"
#include <netinet/in.h>
#include <rte_arp.h>
#include <rte_icmp.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <string.h>
#include <weir/net/wire_nd.h>

TestSuite(flood, .init = test_eal_init, .timeout = 100);

enum { BYTES = 8 << 20, PIECE = 65536, BACKLOG = 128 };

/* ---- the strangers ---- */

static uint32_t far_away(struct hosts *hosts)
{
    return WEIR_IPV4(198, 18, 0, 0) + (uint32_t)weir_rng_below(&hosts->rng, 1 << 17);
}

/* Says that it is on the server's own link: who is to be answered must be asked for by ARP first. */
static uint32_t next_door(struct hosts *hosts)
{
    return WEIR_IPV4(10, 0, 1, 0) + (uint32_t)weir_rng_below(&hosts->rng, 60000);
}

static uint16_t some_port(struct hosts *hosts)
{
    return (uint16_t)(1024 + weir_rng_below(&hosts->rng, 60000));
}

static uint32_t some_number(struct hosts *hosts)
{
    return (uint32_t)weir_rng_next(&hosts->rng);
}

static void syn(struct hosts *hosts, struct rte_mbuf *m, uint32_t from, uint16_t port)
{
    put_tcp(m, from, some_port(hosts), port, some_number(hosts), 0, RTE_TCP_SYN_FLAG, 0);
}

/* What passes on the same cable, so that turns of the loop are as many as in a flood. */
static void to_somebody_else(struct hosts *hosts, struct rte_mbuf *m)
{
    syn(hosts, m, far_away(hosts), PORT);
    rte_pktmbuf_mtod(m, struct rte_ether_hdr *)->dst_addr.addr_bytes[5] = 99;
}

static void syn_from_afar(struct hosts *hosts, struct rte_mbuf *m)
{
    syn(hosts, m, far_away(hosts), PORT);
}

static void syn_from_next_door(struct hosts *hosts, struct rte_mbuf *m)
{
    syn(hosts, m, next_door(hosts), PORT);
}

/* As if it came from the client: only its port must be guessed. */
static void syn_in_the_clients_name(struct hosts *hosts, struct rte_mbuf *m)
{
    syn(hosts, m, WEIR_IPV4(10, 0, 0, 1), PORT);
}

static void syn_to_a_closed_port(struct hosts *hosts, struct rte_mbuf *m)
{
    syn(hosts, m, far_away(hosts), 9);
}

static void guessed_cookies(struct hosts *hosts, struct rte_mbuf *m)
{
    put_tcp(m, far_away(hosts), some_port(hosts), PORT, some_number(hosts), some_number(hosts), RTE_TCP_ACK_FLAG, 100);
}

static void any_flags(struct hosts *hosts, struct rte_mbuf *m)
{
    put_tcp(m, next_door(hosts), some_port(hosts), PORT, some_number(hosts), some_number(hosts),
            (uint8_t)some_number(hosts), (uint16_t)weir_rng_below(&hosts->rng, 1400));
}

static void datagrams(struct hosts *hosts, struct rte_mbuf *m)
{
    struct rte_udp_hdr udp = {.src_port = rte_cpu_to_be_16(some_port(hosts)),
                              .dst_port = rte_cpu_to_be_16(some_port(hosts)),
                              .dgram_len = rte_cpu_to_be_16(sizeof udp + 100)};

    put_ethernet(m, NULL, RTE_ETHER_TYPE_IPV4);
    put_ipv4(m, next_door(hosts), IPPROTO_UDP, sizeof udp + 100);
    memcpy(rte_pktmbuf_append(m, sizeof udp), &udp, sizeof udp);
    memset(rte_pktmbuf_append(m, 100), 0, 100);
}

static void echo_requests(struct hosts *hosts, struct rte_mbuf *m)
{
    struct rte_icmp_hdr icmp = {.icmp_type = RTE_IP_ICMP_ECHO_REQUEST, .icmp_ident = (uint16_t)some_number(hosts)};

    put_ethernet(m, NULL, RTE_ETHER_TYPE_IPV4);
    put_ipv4(m, next_door(hosts), IPPROTO_ICMP, sizeof icmp);
    icmp.icmp_cksum = (uint16_t)~weir_sum(&icmp, sizeof icmp);
    memcpy(rte_pktmbuf_append(m, sizeof icmp), &icmp, sizeof icmp);
}

static void put_arp(struct hosts *hosts, struct rte_mbuf *m, uint16_t operation, uint32_t sender)
{
    struct weir_arp arp = {.operation = operation, .sender = sender, .target = WEIR_IPV4(10, 0, 0, 2)};

    memset(&arp.sender_mac, 0, sizeof arp.sender_mac);
    arp.sender_mac.addr_bytes[0] = 2;
    memcpy(&arp.sender_mac.addr_bytes[2], &sender, sizeof sender);
    put_ethernet(m, &arp.sender_mac, RTE_ETHER_TYPE_ARP);
    weir_arp_write(rte_pktmbuf_append(m, WEIR_ARP_LENGTH), &arp);
}

static void arp_requests(struct hosts *hosts, struct rte_mbuf *m)
{
    put_arp(hosts, m, RTE_ARP_OP_REQUEST, next_door(hosts));
}

static void arp_replies(struct hosts *hosts, struct rte_mbuf *m)
{
    put_arp(hosts, m, RTE_ARP_OP_REPLY, next_door(hosts));
}

/* Bytes 64 i to 64 i + 63, and more to come, of one of many packets: what fits together, overlaps, or has no end. */
static void fragments(struct hosts *hosts, struct rte_mbuf *m)
{
    struct rte_ipv4_hdr *ip;

    put_ethernet(m, NULL, RTE_ETHER_TYPE_IPV4);
    put_ipv4(m, next_door(hosts) & ~0xffu, IPPROTO_UDP, 64);
    ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
    ip->fragment_offset = rte_cpu_to_be_16((uint16_t)(RTE_IPV4_HDR_MF_FLAG | 8 * weir_rng_below(&hosts->rng, 16)));
    ip->hdr_checksum = 0;
    ip->hdr_checksum = (uint16_t)~weir_sum(ip, sizeof *ip);
    memset(rte_pktmbuf_append(m, 64), 0, 64);
}

/* As next_door, in IPv6. */
static struct weir_address neighbour_v6(struct hosts *hosts)
{
    uint64_t id = weir_rng_next(&hosts->rng) | 4;
    struct weir_address address = {.bytes = {0xfd}};

    memcpy(&address.bytes[8], &id, sizeof id);
    return address;
}

static void fragments_v6(struct hosts *hosts, struct rte_mbuf *m)
{
    uint8_t payload[8 + 64] = {IPPROTO_UDP, 0, [3] = (uint8_t)(weir_rng_below(&hosts->rng, 4) * 64 | 1)};
    struct weir_address src = neighbour_v6(hosts);

    memset(&src.bytes[8], 0, 7);
    put_ethernet(m, NULL, RTE_ETHER_TYPE_IPV6);
    put_ipv6(m, &src, IPPROTO_FRAGMENT, 64, sizeof payload);
    memcpy(rte_pktmbuf_append(m, sizeof payload), payload, sizeof payload);
}

static void put_solicitation(struct hosts *hosts, struct rte_mbuf *m, bool has_mac)
{
    uint8_t message[WEIR_ND_LENGTH_MAX];
    struct weir_address src = neighbour_v6(hosts);
    struct weir_nd nd = {.type = WEIR_ICMP6_NEIGHBOUR_SOLICITATION,
                         .target = {.bytes = {0xfd, [15] = 2}},
                         .has_mac = has_mac,
                         .mac = {{2, 9, src.bytes[12], src.bytes[13], src.bytes[14], src.bytes[15]}}};

    put_icmp6(m, &src, WEIR_ND_HOP_LIMIT, message, weir_nd_write(message, &nd));
}

static void solicitations(struct hosts *hosts, struct rte_mbuf *m)
{
    put_solicitation(hosts, m, true);
}

/* To be answered, they must be asked for. */
static void solicitations_without_a_mac(struct hosts *hosts, struct rte_mbuf *m)
{
    put_solicitation(hosts, m, false);
}

/* RFC 6583 */
static void echo_requests_v6(struct hosts *hosts, struct rte_mbuf *m)
{
    uint8_t message[8] = {WEIR_ICMP6_ECHO};
    struct weir_address src = neighbour_v6(hosts);

    put_icmp6(m, &src, 64, message, sizeof message);
}

/* ---- the transfer ---- */

static int send_it(void *arg)
{
    static const char piece[PIECE];
    struct weir_listener *listener = arg;
    struct weir_stream *stream;
    int rc = weir_accept(listener, &stream);

    WEIR_TRY(rc);
    for (int sent = 0; sent < BYTES && rc == 0; sent += PIECE)
        rc = weir_send_all(stream, piece, sizeof piece);
    int closed = weir_stream_close(stream);
    return rc < 0 ? rc : closed;
}

static int take_it(struct weir_stream *stream)
{
    static char buffer[PIECE];
    uint64_t got = 0;
    int n;

    while ((n = weir_receive_some(stream, buffer, sizeof buffer)) > 0)
        got += (uint64_t)n;
    WEIR_TRY(n);
    return got == BYTES ? 0 : -EIO;
}

static stranger_t to_come;
static weir_time took;

/* What the flood has begun is given up, and another connection can be opened. */
static int afterwards(struct hosts *hosts)
{
    struct weir_endpoint server = host_endpoint(1, PORT);
    struct weir_stack_stats stats;
    struct weir_stream *stream;

    WEIR_TRY(weir_sleep(WEIR_SECONDS(200)));
    weir_stack_stats(hosts->stacks[1], &stats);
    if (stats.tcp.connections != 0)
        return -EBUSY;
    WEIR_TRY(weir_open_tcp_stream(hosts->stacks[0], &server, &stream));
    weir_stream_abort(stream);
    return 0;
}

/* The connection is there before the flood is; it goes on as if there were none. */
static int transfer(struct hosts *hosts)
{
    struct weir_endpoint server = host_endpoint(1, PORT);
    struct weir_nursery nursery;
    struct weir_scope patience;
    struct weir_listener *listener;
    struct weir_stream *stream;
    int rc = weir_open_tcp_listener(hosts->stacks[1], PORT, BACKLOG, &listener);

    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_it, listener);
        WEIR_DO(rc, weir_open_tcp_stream(hosts->stacks[0], &server, &stream));
        weir_time begin = weir_current_time();
        hosts->stranger = to_come;
        weir_fail_after (&patience, WEIR_SECONDS(1), rc) {
            rc = take_it(stream);
        }
        took = weir_current_time() - begin;
        hosts->stranger = NULL;
        int closed = weir_stream_close(stream);
        rc = rc < 0 ? rc : closed;
    }
    if (rc == 0)
        rc = afterwards(hosts);
    weir_listener_close(listener);
    return rc;
}

static weir_time run(struct hosts *hosts, stranger_t stranger)
{
    hosts_init(hosts);
    to_come = stranger;
    cr_assert_eq(hosts_run(hosts, transfer), 0);
    return took;
}

static const struct {
    const char *name;
    stranger_t stranger;
} floods[] = {
    {"SYNs from afar", syn_from_afar},
    {"SYNs from next door", syn_from_next_door},
    {"SYNs in the client's name", syn_in_the_clients_name},
    {"SYNs to a closed port", syn_to_a_closed_port},
    {"guessed cookies", guessed_cookies},
    {"segments of any flags", any_flags},
    {"datagrams to nobody", datagrams},
    {"echo requests", echo_requests},
    {"ARP requests", arp_requests},
    {"ARP replies", arp_replies},
    {"fragments", fragments},
    {"fragments of IPv6", fragments_v6},
    {"neighbour solicitations", solicitations},
    {"neighbour solicitations without a MAC", solicitations_without_a_mac},
    {"echo requests from made-up neighbours", echo_requests_v6},
};

Test(flood, leaves_what_is_established_alone)
{
    static struct hosts hosts;
    weir_time alone = run(&hosts, to_somebody_else);

    for (size_t i = 0; i < RTE_DIM(floods); i++) {
        weir_time flooded = run(&hosts, floods[i].stranger);

        cr_expect_gt(hosts.made, 50000, "%s: %" PRIu64 " frames were no flood", floods[i].name, hosts.made);
        cr_expect(flooded <= alone + alone / 10, "%s: it took %" PRId64 " us, alone %" PRId64, floods[i].name,
                  flooded / 1000, alone / 1000);
        cr_expect_leq(hosts.connections_max, 1 + BACKLOG, "%s", floods[i].name);
        cr_expect_leq(hosts.packets_max, hosts.pool_size / 4, "%s: %u packets", floods[i].name, hosts.packets_max);
    }
}
