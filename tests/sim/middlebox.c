#include "middlebox.h"
#include "../support/nic.h"
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

enum { NOP = 1, SCALE = 3, SACK_PERMITTED = 4, TIMESTAMPS = 8, ECT_0 = 2, CE = 3 };

static bool is_taken_out(const struct middlebox *box, uint8_t option)
{
    return (option == SACK_PERMITTED && box->no_sack) || (option == TIMESTAMPS && box->no_timestamps) ||
           (option == SCALE && box->no_scale);
}

static void take_options_out(const struct middlebox *box, struct rte_tcp_hdr *tcp)
{
    uint8_t *option = (uint8_t *)(tcp + 1), *end = (uint8_t *)tcp + (tcp->data_off >> 4) * 4;

    while (option < end && *option != 0) {
        uint8_t length = *option == NOP ? 1 : option[1];

        if (is_taken_out(box, *option))
            memset(option, NOP, length);
        option += length;
    }
}

static NIC_ANY_BYTE void pass_tcp(const struct middlebox *box, struct rte_tcp_hdr *tcp, const struct rte_ipv4_hdr *v4,
                                  const struct rte_ipv6_hdr *v6)
{
    if (!(tcp->tcp_flags & RTE_TCP_SYN_FLAG))
        return;
    take_options_out(box, tcp);
    tcp->cksum = 0;
    tcp->cksum = v4 != NULL ? rte_ipv4_udptcp_cksum(v4, tcp) : rte_ipv6_udptcp_cksum(v6, tcp);
}

static NIC_ANY_BYTE void pass_v4(const struct middlebox *box, bool marks, struct rte_ipv4_hdr *ip)
{
    if (marks && (ip->type_of_service & CE) == ECT_0) {
        ip->type_of_service |= CE;
        ip->hdr_checksum = 0;
        ip->hdr_checksum = rte_ipv4_cksum(ip);
    }
    if (ip->next_proto_id == IPPROTO_TCP)
        pass_tcp(box, (void *)((uint8_t *)ip + rte_ipv4_hdr_len(ip)), ip, NULL);
}

static NIC_ANY_BYTE void pass_v6(const struct middlebox *box, bool marks, struct rte_ipv6_hdr *ip)
{
    uint32_t word = rte_be_to_cpu_32(ip->vtc_flow);

    if (marks && (word >> 20 & CE) == ECT_0)
        ip->vtc_flow = rte_cpu_to_be_32(word | CE << 20);
    if (ip->proto == IPPROTO_TCP)
        pass_tcp(box, (void *)(ip + 1), NULL, ip);
}

NIC_ANY_BYTE void middlebox_pass(const struct middlebox *box, struct weir_rng *rng, struct rte_mbuf *frame)
{
    struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, struct rte_ether_hdr *);
    bool marks = weir_rng_double(rng) < box->mark;

    if (ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
        pass_v4(box, marks, (void *)(ether + 1));
    else if (ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
        pass_v6(box, marks, (void *)(ether + 1));
}
