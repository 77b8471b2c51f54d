/* What routers and the peer's host say of our segments: advice, never orders, once a connection stands. RFC 1122
 * section 4.2.3.9, RFC 5927. */
#include "tcp_private.h"

static int error_of(const struct weir_ip_rx *rx)
{
    if (rx->icmp_type == WEIR_ICMP_TIME_EXCEEDED)
        return -EHOSTUNREACH;
    if (rx->icmp_type != WEIR_ICMP_UNREACHABLE)
        return -EPROTO;
    switch (rx->icmp_code) {
    case 0:  /* network unreachable */
    case 6:  /* ... unknown */
    case 9:  /* ... prohibited */
    case 11: /* ... for this type of service */
        return -ENETUNREACH;
    case WEIR_ICMP_UNREACHABLE_PROTOCOL:
    case WEIR_ICMP_UNREACHABLE_PORT:
        return -ECONNREFUSED;
    default:
        return -EHOSTUNREACH;
    }
}

/* Only who sees our segments knows a sequence number that is in flight. RFC 5927 section 4.1. */
static struct weir_tcp_connection *quoted_connection(struct weir_tcp *tcp, const struct weir_ip_rx *rx)
{
    struct tcp_key key = {.remote = rx->quoted_dst, .local = rx->quoted_src};
    struct weir_tcp_connection *c;
    uint32_t ports, seq;

    memcpy(&ports, rx->icmp_quote, sizeof(ports));
    memcpy(&seq, rx->icmp_quote + 4, sizeof(seq));
    key.ports = tcp_ports_swap(ports);
    seq = rte_be_to_cpu_32(seq);
    c = tcp_lookup(tcp, &key, tcp_hash(tcp, &key));
    if (c == NULL || seq_before(seq, c->snd_una) || !seq_before(seq, c->snd_max))
        return NULL;
    return c;
}

void weir_tcp_icmp_error(struct weir_tcp *tcp, weir_time now, const struct weir_ip_rx *rx)
{
    struct weir_tcp_connection *c;
    int error = error_of(rx);

    tcp_set_now(tcp, now);
    c = quoted_connection(tcp, rx);
    if (c == NULL)
        return;
    tcp_note(tcp, c, E_ICMP, (uint32_t)rx->icmp_type << 8 | rx->icmp_code);
    if (rx->icmp_type == WEIR_ICMP_UNREACHABLE && rx->icmp_code == WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED)
        tcp_mtu_told(tcp, c, rx->icmp_mtu);
    else if (c->state == WEIR_TCP_SYN_SENT && rx->icmp_type == WEIR_ICMP_UNREACHABLE)
        tcp_finish(tcp, c, error);
    else
        c->soft_error = error; /* said in place of a timeout, if it comes to that */
}
