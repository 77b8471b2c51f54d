/* The counters' names: those of the MIBs (RFC 2863, 4022, 4113, 4293), as Linux's nstat writes them; where no MIB has
 * one, those of Linux's extensions; and where both have none, or mean something else, groups of Weir's own. */
#include "stack_private.h"
#include <inttypes.h>
#include <string.h>

#define ROW(group_, name_, field)                                                                                      \
    {                                                                                                                  \
        .group = (group_), .name = (name_), .offset = offsetof(struct weir_stack_stats, field),                        \
        .size = sizeof(((struct weir_stack_stats *)NULL)->field)                                                       \
    }

static const struct row {
    const char *group, *name;
    uint16_t offset, size;
} rows[] = {
    ROW("If", "InPackets", dev.rx_packets),
    ROW("If", "InOctets", dev.rx_bytes),
    ROW("If", "InDiscards", dev.rx_dropped),
    ROW("If", "InErrors", dev.rx_errors),
    ROW("If", "OutPackets", dev.tx_packets),
    ROW("If", "OutOctets", dev.tx_bytes),
    ROW("If", "OutDiscards", dev.tx_dropped),
    ROW("If", "OutErrors", dev.tx_errors),

    ROW("Link", "InFrames", link.rx_frames),
    ROW("Link", "InNotForUs", link.rx_not_for_us),
    ROW("Link", "InErrors", link.rx_bad),
    ROW("Link", "InUnknownProtos", link.rx_unknown_type),
    ROW("Link", "InOtherVlan", link.rx_other_vlan),
    ROW("Link", "OutFrames", link.tx_frames),
    ROW("Link", "OutNoMemory", link.tx_no_memory),
    ROW("Link", "OutDropped", tx_dropped),
    ROW("Arp", "InRequests", link.arp_requests_in),
    ROW("Arp", "InReplies", link.arp_replies_in),
    ROW("Arp", "InErrors", link.arp_bad),
    ROW("Arp", "OutRequests", link.arp_requests_out),
    ROW("Arp", "OutReplies", link.arp_replies_out),
    ROW("Arp", "TableFull", link.arp_table_full),
    ROW("Arp", "UnresolvedDropped", link.arp_unresolved_dropped),
    ROW("Arp", "Conflicts", link.arp_conflicts),
    ROW("Nd", "InSolicits", link.nd_solicits_in),
    ROW("Nd", "InAdvertisements", link.nd_advertisements_in),
    ROW("Nd", "InErrors", link.nd_bad),
    ROW("Nd", "OutSolicits", link.nd_solicits_out),
    ROW("Nd", "OutAdvertisements", link.nd_advertisements_out),
    ROW("Nd", "Conflicts", link.nd_conflicts),
    ROW("Nd", "Duplicates", link.nd_duplicates),

    ROW("Ip", "InReceives", ip.in_receives),
    ROW("Ip", "InHdrErrors", ip.in_hdr_errors),
    ROW("Ip", "InAddrErrors", ip.in_addr_errors),
    ROW("Ip", "InUnknownProtos", ip.in_unknown_protos),
    ROW("Ip", "InDelivers", ip.in_delivers),
    ROW("Ip", "OutRequests", ip.out_requests),
    ROW("Ip", "OutDiscards", ip.out_discards),
    ROW("Ip", "OutNoRoutes", ip.out_no_routes),
    ROW("Ip", "ReasmReqds", ip.reasm_reqds),
    ROW("Ip", "ReasmOKs", ip.reasm_oks),
    ROW("Ip", "ReasmFails", ip.reasm_fails),
    ROW("IpExt", "InTruncatedPkts", ip.in_truncated),
    ROW("IpExt", "InCsumErrors", ip.in_cksum_errors),
    ROW("Icmp", "InMsgs", ip.icmp_in_msgs),
    ROW("Icmp", "InErrors", ip.icmp_in_errors),
    ROW("Icmp", "InDestUnreachs", ip.icmp_in_dest_unreachs),
    ROW("Icmp", "InTimeExcds", ip.icmp_in_time_excds),
    ROW("Icmp", "InEchos", ip.icmp_in_echos),
    ROW("Icmp", "OutMsgs", ip.icmp_out_msgs),
    ROW("Icmp", "OutRateLimitGlobal", ip.icmp_out_rate_limited),
    ROW("Icmp", "OutDestUnreachs", ip.icmp_out_dest_unreachs),
    ROW("Icmp", "OutTimeExcds", ip.icmp_out_time_excds),
    ROW("Icmp", "OutEchoReps", ip.icmp_out_echo_reps),

    ROW("Udp", "InDatagrams", udp.in_datagrams),
    ROW("Udp", "NoPorts", udp.no_ports),
    ROW("Udp", "InErrors", udp.in_errors),
    ROW("Udp", "OutDatagrams", udp.out_datagrams),
    ROW("Udp", "RcvbufErrors", udp.rcvbuf_errors),
    ROW("Udp", "SndbufErrors", udp.out_errors),
    ROW("Udp", "InCsumErrors", udp.in_cksum_errors),

    ROW("Tcp", "ActiveOpens", tcp.active_opens),
    ROW("Tcp", "PassiveOpens", tcp.passive_opens),
    ROW("Tcp", "AttemptFails", tcp.attempt_fails),
    ROW("Tcp", "EstabResets", tcp.estab_resets),
    ROW("Tcp", "CurrEstab", tcp.curr_estab),
    ROW("Tcp", "InSegs", tcp.in_segs),
    ROW("Tcp", "OutSegs", tcp.out_segs),
    ROW("Tcp", "RetransSegs", tcp.retrans_segs),
    ROW("Tcp", "InErrs", tcp.in_errs),
    ROW("Tcp", "OutRsts", tcp.out_rsts),
    ROW("Tcp", "InCsumErrors", tcp.in_cksum_errors),
    ROW("TcpExt", "SyncookiesSent", tcp.syncookies_sent),
    ROW("TcpExt", "SyncookiesRecv", tcp.syncookies_recv),
    ROW("TcpExt", "SyncookiesFailed", tcp.syncookies_failed),
    ROW("TcpExt", "PAWSEstab", tcp.paws_dropped),
    ROW("TcpExt", "ListenOverflows", tcp.listen_overflows),
    ROW("TcpExt", "ListenDrops", tcp.listen_drops),
    ROW("TcpExt", "TCPReqQFullDoCookies", tcp.req_q_full_do_cookies),
    ROW("TcpExt", "TCPMemoryPressures", tcp.memory_pressures),
    ROW("TcpExt", "TCPOFODrop", tcp.ofo_drop),
    ROW("TcpExt", "TCPRcvQDrop", tcp.rcv_q_drop),
    ROW("TcpExt", "TCPAbortOnMemory", tcp.abort_on_memory),
    ROW("TcpExt", "TCPTimeWaitOverflow", tcp.time_wait_overflow),
    ROW("TcpExt", "DelayedACKs", tcp.delayed_acks),
    ROW("TcpExt", "TCPMTUPSuccess", tcp.mtu_probes_delivered),
    ROW("TcpExt", "TCPMTUPFail", tcp.mtu_probes_lost),
    ROW("TcpExt", "TCPTimeouts", tcp.timeouts),
    ROW("TcpExt", "TCPLossProbes", tcp.tail_loss_probes),
    ROW("TcpExt", "TCPChallengeACK", tcp.challenge_acks),
    ROW("TcpExt", "TCPOFOQueue", tcp.out_of_order),
    ROW("TcpExt", "TCPKeepAlive", tcp.keepalive_probes),
    ROW("TcpExt", "TCPWinProbe", tcp.zero_window_probes),
    ROW("TcpExt", "TCPAbortOnTimeout", tcp.abort_on_timeout),
    ROW("TcpExt", "TCPAbortOnClose", tcp.abort_on_close),
    ROW("TcpExt", "TCPAbortOnData", tcp.abort_on_data),
    ROW("TcpExt", "TCPDSACKRecv", tcp.dsacks),
    ROW("TcpExt", "TCPSACKReorder", tcp.reorderings),
    ROW("TcpWeir", "Connections", tcp.connections),
    ROW("TcpWeir", "Recoveries", tcp.fast_retransmits),
    ROW("TcpWeir", "InDuplicates", tcp.duplicates),
    ROW("TcpWeir", "InMarked", tcp.ecn_marked),
    ROW("TcpWeir", "EcnReductions", tcp.ecn_reductions),
    ROW("TcpWeir", "BlackHoles", tcp.mtu_black_holes),
    ROW("TcpWeir", "SpuriousLosses", tcp.spurious_losses),
    ROW("TcpWeir", "NoConnection", tcp.no_connection_memory),

    ROW("Weir", "Turns", turns),
};

/* Two of TCP's are half as wide as the others. */
_Static_assert(RTE_DIM(rows) == sizeof(struct weir_stack_stats) / sizeof(uint64_t) + 1, "each counter has one row");

bool weir_stack_counter(const struct weir_stack_stats *stats, unsigned i, struct weir_counter *counter)
{
    if (i >= RTE_DIM(rows))
        return false;
    const char *at = (const char *)stats + rows[i].offset;
    *counter = (struct weir_counter){rows[i].group, rows[i].name, 0};
    if (rows[i].size == sizeof(uint32_t)) {
        uint32_t narrow;
        memcpy(&narrow, at, sizeof narrow);
        counter->value = narrow;
    } else {
        memcpy(&counter->value, at, sizeof counter->value);
    }
    return true;
}

void weir_stack_print_counters(struct weir_stack *stack, FILE *out)
{
    struct weir_stack_stats stats;
    struct weir_counter counter;
    weir_stack_stats(stack, &stats);
    for (unsigned i = 0; weir_stack_counter(&stats, i, &counter); i++)
        if (counter.value != 0)
            fprintf(out, "%s%-*s %" PRIu64 "\n", counter.group, (int)(32 - strlen(counter.group)), counter.name,
                    counter.value);
}
