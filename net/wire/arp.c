/* ARP packets, RFC 826. */
#include <rte_arp.h>
#include <weir/net/wire.h>

_Static_assert(sizeof(struct rte_arp_hdr) == WEIR_ARP_LENGTH, "ARP for IPv4 on Ethernet");

int weir_arp_parse(const void *bytes, size_t length, struct weir_arp *arp)
{
    struct rte_arp_hdr raw;
    uint16_t operation;

    if (length < sizeof(raw))
        return -EBADMSG;
    memcpy(&raw, bytes, sizeof(raw));
    operation = rte_be_to_cpu_16(raw.arp_opcode);
    if (raw.arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
        raw.arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || raw.arp_hlen != RTE_ETHER_ADDR_LEN ||
        raw.arp_plen != sizeof(uint32_t))
        return -EBADMSG;
    if (operation != RTE_ARP_OP_REQUEST && operation != RTE_ARP_OP_REPLY)
        return -EBADMSG;
    if (!rte_is_valid_assigned_ether_addr(&raw.arp_data.arp_sha))
        return -EBADMSG;
    *arp = (struct weir_arp){
        .operation = operation,
        .sender_mac = raw.arp_data.arp_sha,
        .target_mac = raw.arp_data.arp_tha,
        .sender = rte_be_to_cpu_32(raw.arp_data.arp_sip),
        .target = rte_be_to_cpu_32(raw.arp_data.arp_tip),
    };
    return 0;
}

void weir_arp_write(void *bytes, const struct weir_arp *arp)
{
    struct rte_arp_hdr raw = {
        .arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
        .arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
        .arp_hlen = RTE_ETHER_ADDR_LEN,
        .arp_plen = sizeof(uint32_t),
        .arp_opcode = rte_cpu_to_be_16(arp->operation),
        .arp_data = {.arp_sha = arp->sender_mac,
                     .arp_sip = rte_cpu_to_be_32(arp->sender),
                     .arp_tha = arp->target_mac,
                     .arp_tip = rte_cpu_to_be_32(arp->target)},
    };
    memcpy(bytes, &raw, sizeof(raw));
}
