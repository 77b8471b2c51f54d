#include "frame.h"

#include <netinet/in.h>

#define WINDOW 65535

static void build_ip(struct frame *frame, const struct load *load, uint8_t protocol)
{
    struct rte_ether_hdr *ether = (void *)frame->bytes;
    struct rte_ipv4_hdr *ip = (void *)(frame->bytes + FRAME_IP);

    ether->src_addr = load->mac;
    ether->dst_addr = load->server_mac;
    ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);

    ip->version_ihl = RTE_IPV4_VHL_DEF;
    ip->total_length = rte_cpu_to_be_16(frame->length - FRAME_IP);
    ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
    ip->time_to_live = 64;
    ip->next_proto_id = protocol;
    ip->src_addr = rte_cpu_to_be_32(load->options.address);
    ip->dst_addr = rte_cpu_to_be_32(load->options.server);
    ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static void build_payload(struct frame *frame)
{
    for (unsigned i = frame->payload + sizeof(struct mark); i < frame->length; i++)
        frame->bytes[i] = (uint8_t)('a' + (i - frame->payload) % 26);
}

static void sum_up(struct frame *frame)
{
    const struct rte_ipv4_hdr *ip = (const void *)(frame->bytes + FRAME_IP);

    frame->sum = rte_ipv4_phdr_cksum(ip, 0) + rte_raw_cksum(frame->bytes + FRAME_L4, frame->length - FRAME_L4);
}

void frame_build_tcp(struct frame *frame, const struct load *load, uint8_t flags, const uint8_t *options,
                     unsigned options_length, unsigned payload)
{
    struct rte_tcp_hdr *tcp = (void *)(frame->bytes + FRAME_L4);
    unsigned header = sizeof(*tcp) + options_length;

    memset(frame, 0, sizeof(*frame));
    frame->payload = FRAME_L4 + header;
    frame->length = frame->payload + payload;
    build_ip(frame, load, IPPROTO_TCP);
    tcp->dst_port = rte_cpu_to_be_16(load->options.port);
    tcp->data_off = header << 2;
    tcp->tcp_flags = flags;
    tcp->rx_win = rte_cpu_to_be_16(WINDOW);
    memcpy(tcp + 1, options, options_length);
    build_payload(frame);
    sum_up(frame);
}

void frame_build_udp(struct frame *frame, const struct load *load, unsigned payload)
{
    struct rte_udp_hdr *udp = (void *)(frame->bytes + FRAME_L4);

    memset(frame, 0, sizeof(*frame));
    frame->payload = FRAME_L4 + sizeof(*udp);
    frame->length = frame->payload + payload;
    build_ip(frame, load, IPPROTO_UDP);
    udp->dst_port = rte_cpu_to_be_16(load->options.port);
    udp->dgram_len = rte_cpu_to_be_16(frame->length - FRAME_L4);
    build_payload(frame);
    sum_up(frame);
}

bool frame_checksums_good(const struct rte_mbuf *m)
{
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, FRAME_IP);
    const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, FRAME_L4);

    if (rte_raw_cksum(ip, sizeof(*ip)) != 0xffff)
        return false;
    if (ip->next_proto_id == IPPROTO_UDP && udp->dgram_cksum == 0)
        return true; /* RFC 768: the sender made none */
    return frame_checksum((uint64_t)rte_ipv4_phdr_cksum(ip, 0) +
                          rte_raw_cksum(udp, rte_be_to_cpu_16(ip->total_length) - sizeof(*ip))) == 0;
}
