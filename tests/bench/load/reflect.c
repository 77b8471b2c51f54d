/* The least that can pass for an echo server: no stack and no memory of anyone; each frame is turned round by what it
 * says itself. It shows how fast the generator can go (its ceiling), and proves it where no server is at hand. */
#include "frame.h"

#include <rte_malloc.h>
#include <stdlib.h>

#define ISS 1000u

static void *reflect_open(struct load *load)
{
    return load;
}

static inline void swap_addresses(struct rte_mbuf *m)
{
    struct rte_ether_hdr *ether = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
    struct rte_ipv4_hdr *ip = (void *)(ether + 1);
    struct rte_udp_hdr *ports = (void *)(ip + 1); /* TCP's stand at the same place */
    struct rte_ether_addr mac = ether->src_addr;
    rte_be32_t address = ip->src_addr;
    rte_be16_t port = ports->src_port;

    ether->src_addr = ether->dst_addr;
    ether->dst_addr = mac;
    ip->src_addr = ip->dst_addr;
    ip->dst_addr = address;
    ports->src_port = ports->dst_port;
    ports->dst_port = port;
}

/* The checksum of what changes from one set of words to another. Source: RFC 1624 equation 3. */
static inline uint16_t checksum_moved(uint16_t checksum, uint64_t from, uint64_t to)
{
    uint64_t away = (from & 0xffffffff) + (from >> 32);

    away = (away & 0xffff) + (away >> 16);
    away = (away & 0xffff) + (away >> 16);
    away = (away & 0xffff) + (away >> 16);
    return frame_checksum((uint16_t)~checksum + (uint64_t)(uint16_t)~away + to);
}

/* What the other side acknowledges is where we stand; what it sent, we acknowledge. Returns false: no answer is due. */
static inline bool turn_tcp(struct rte_mbuf *m)
{
    struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, FRAME_IP);
    struct rte_tcp_hdr *tcp = (void *)(ip + 1);
    uint32_t header = (tcp->data_off >> 4) * 4u;
    uint32_t length = rte_be_to_cpu_16(ip->total_length) - sizeof(*ip) - header;
    bool syn = tcp->tcp_flags & RTE_TCP_SYN_FLAG, fin = tcp->tcp_flags & RTE_TCP_FIN_FLAG;
    uint8_t flags = syn ? RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG : tcp->tcp_flags;
    rte_be32_t seq = syn ? rte_cpu_to_be_32(ISS) : tcp->recv_ack;
    rte_be32_t ack = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + length + syn + fin);
    uint64_t from = (uint64_t)tcp->sent_seq + tcp->recv_ack + rte_cpu_to_be_16(tcp->tcp_flags);

    if (length == 0 && !syn && !fin)
        return false;
    tcp->cksum = checksum_moved(tcp->cksum, from, (uint64_t)seq + ack + rte_cpu_to_be_16(flags));
    tcp->sent_seq = seq;
    tcp->recv_ack = ack;
    tcp->tcp_flags = flags;
    return true;
}

static void reflect_input(void *driver, struct rte_mbuf *m)
{
    struct load *load = driver;
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, FRAME_IP);

    if (ip->version_ihl != RTE_IPV4_VHL_DEF || m->data_len < FRAME_L4 + sizeof(struct rte_udp_hdr)) {
        load_arp_input(load, m);
    } else if (ip->next_proto_id == IPPROTO_UDP || (ip->next_proto_id == IPPROTO_TCP && turn_tcp(m))) {
        swap_addresses(m);
        load_send(load, m);
    } else {
        rte_pktmbuf_free(m);
    }
}

static void reflect_every_millisecond(void *driver)
{
}

static bool reflect_true(void *driver)
{
    return true;
}

const struct load_driver load_reflect = {reflect_open, reflect_input, reflect_every_millisecond,
                                         reflect_true, NULL,          reflect_true};
