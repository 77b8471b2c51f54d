/* ICMP: RFC 792, RFC 1122 section 3.2.2. */
#include "ipv6_private.h"

/* What an error's datagram may have in all, the IP header too. RFC 1812 section 4.3.2.3. */
#define ERROR_LENGTH_MAX 576

/* Answers an echo request by the packet itself: turned around, the payload untouched. RFC 1122 section 3.2.2.6. */
static void echo(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx)
{
    struct weir_ip_path path;
    uint16_t before, after, checksum;
    uint8_t *icmp;

    m = weir_ip_make_writable(ip, m, FRAME_ROOM);
    if (m == NULL)
        return;
    if (!weir_packet_pull(m, WEIR_ICMP_HEADER_LENGTH) ||
        weir_ip_path_init(ip, now, &path, &rx->dst, &rx->src, IPPROTO_ICMP) < 0) {
        ip->stats.out_discards++;
        rte_pktmbuf_free(m);
        return;
    }
    icmp = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(&before, icmp, sizeof(before));
    icmp[0] = WEIR_ICMP_ECHO_REPLY;
    memcpy(&after, icmp, sizeof(after));
    memcpy(&checksum, icmp + 2, sizeof(checksum));
    checksum = weir_checksum_update16(checksum, before, after);
    memcpy(icmp + 2, &checksum, sizeof(checksum));
    m->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
    ip->stats.icmp_out_msgs++;
    ip->stats.icmp_out_echo_reps++;
    weir_ip_send(ip, now, &path, m, rx->tos);
}

/* Reads the quote of an error. True if it is of a packet that we could have sent. RFC 1122 section 3.2.2: the transport
 * that sent it is to be told. */
static bool read_error(const struct weir_ip *ip, const struct rte_mbuf *m, const struct weir_icmp *icmp,
                       struct weir_ip_rx *rx)
{
    uint8_t copy[60 + 8];
    uint32_t there = m->pkt_len - WEIR_ICMP_HEADER_LENGTH;
    uint32_t length = RTE_MIN(there, (uint32_t)sizeof(copy));
    const void *bytes = rte_pktmbuf_read(m, WEIR_ICMP_HEADER_LENGTH, length, copy);
    struct weir_icmp_quote quote;

    if (rx->broadcast || bytes == NULL || weir_icmp_quote_parse(bytes, length, &quote) < 0)
        return false;
    if (ip_whose_v4(ip, quote.src) != IP_OURS || ip_whose_v4(ip, quote.dst) != IP_OTHERS ||
        !weir_address_is_host_v4(quote.dst) || (quote.protocol != IPPROTO_TCP && quote.protocol != IPPROTO_UDP))
        return false;
    rx->icmp_type = icmp->type;
    rx->icmp_code = icmp->code;
    rx->icmp_mtu = icmp->mtu;
    rx->quoted_protocol = quote.protocol;
    rx->quoted_src = weir_address_v4(quote.src);
    rx->quoted_dst = weir_address_v4(quote.dst);
    memcpy(rx->icmp_quote, quote.transport, sizeof(rx->icmp_quote));
    return true;
}

static uint8_t error_input(struct weir_ip *ip, struct rte_mbuf *m, const struct weir_icmp *icmp, struct weir_ip_rx *rx)
{
    bool ours = read_error(ip, m, icmp, rx);

    if (!ours)
        ip->stats.icmp_in_errors++;
    else if (icmp->type == WEIR_ICMP_UNREACHABLE)
        ip->stats.icmp_in_dest_unreachs++;
    else if (icmp->type == WEIR_ICMP_TIME_EXCEEDED)
        ip->stats.icmp_in_time_excds++;
    rte_pktmbuf_free(m);
    return ours ? IPPROTO_ICMP : 0;
}

uint8_t ip_icmp_input(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx)
{
    struct weir_icmp icmp;

    ip->stats.icmp_in_msgs++;
    if (!weir_packet_pull(m, WEIR_ICMP_HEADER_LENGTH) ||
        weir_icmp_parse(rte_pktmbuf_mtod(m, const void *), m->data_len, &icmp) < 0 ||
        weir_sum_packet(m, 0, m->pkt_len) != 0xffff) {
        ip->stats.icmp_in_errors++;
        rte_pktmbuf_free(m);
        return 0;
    }
    switch (icmp.type) {
    case WEIR_ICMP_UNREACHABLE:
    case WEIR_ICMP_TIME_EXCEEDED:
    case WEIR_ICMP_PARAMETER_PROBLEM:
        return error_input(ip, m, &icmp, rx);
    case WEIR_ICMP_ECHO:
        ip->stats.icmp_in_echos++;
        if (rx->broadcast)
            break;
        echo(ip, now, m, rx);
        return 0;
    default: /* redirects and source quenches (RFC 6633) among them: a host that heeds them can be led astray */
        break;
    }
    rte_pktmbuf_free(m);
    return 0;
}

bool ip_may_send_error(struct weir_ip *ip, weir_time now)
{
    weir_time credit = weir_time_add(ip->icmp_credit, now - ip->icmp_refilled);

    ip->icmp_credit = RTE_MIN(credit, ip->icmp_credit_max);
    ip->icmp_refilled = now;
    if (ip->icmp_credit < ip->icmp_cost)
        return false;
    ip->icmp_credit -= ip->icmp_cost;
    return true;
}

/* Makes an ICMP error that quotes m, from its IP header on. NULL: no memory. */
static struct rte_mbuf *make_error(struct weir_ip *ip, struct rte_mbuf *m, uint8_t type, uint8_t code)
{
    struct rte_mbuf *error = rte_pktmbuf_alloc(ip->pool);
    uint32_t length, header = m->l3_len;
    uint16_t checksum;
    uint8_t *bytes;
    const void *quote;

    if (error == NULL)
        return NULL;
    length = RTE_MIN(header + m->pkt_len, (uint32_t)(ERROR_LENGTH_MAX - IPV4_LENGTH - WEIR_ICMP_HEADER_LENGTH));
    length = RTE_MIN(length, (uint32_t)rte_pktmbuf_tailroom(error) - WEIR_ICMP_HEADER_LENGTH);
    bytes = (uint8_t *)rte_pktmbuf_append(error, (uint16_t)(WEIR_ICMP_HEADER_LENGTH + length));
    WEIR_ASSERT(bytes != NULL && length >= header);
    weir_icmp_write(bytes, type, code);
    bytes += WEIR_ICMP_HEADER_LENGTH;
    memcpy(bytes, rte_pktmbuf_mtod_offset(m, const uint8_t *, -(int)header), header);
    quote = rte_pktmbuf_read(m, 0, length - header, bytes + header);
    if (quote != bytes + header)
        memcpy(bytes + header, quote, length - header);
    checksum = (uint16_t)~weir_sum(bytes - WEIR_ICMP_HEADER_LENGTH, WEIR_ICMP_HEADER_LENGTH + length);
    memcpy(bytes - WEIR_ICMP_HEADER_LENGTH + 2, &checksum, sizeof(checksum));
    return error;
}

/* Sends an error about m, unless it must not be; consumes m. RFC 1122 section 3.2.2. */
static void send_error(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx, uint8_t type,
                       uint8_t code, uint64_t *counter)
{
    struct rte_mbuf *error = NULL;
    struct weir_ip_path path;

    WEIR_ASSERT(m->l3_len >= IPV4_LENGTH);
    if (rx->broadcast) {
        rte_pktmbuf_free(m);
        return;
    }
    if (!ip_may_send_error(ip, now)) {
        ip->stats.icmp_out_rate_limited++;
    } else if (weir_ip_path_init(ip, now, &path, &rx->dst, &rx->src, IPPROTO_ICMP) < 0 ||
               (error = make_error(ip, m, type, code)) == NULL) {
        ip->stats.out_discards++;
    } else {
        ip->stats.icmp_out_msgs++;
        ++*counter;
        weir_ip_send(ip, now, &path, error, 0);
    }
    rte_pktmbuf_free(m);
}

void weir_ip_send_unreachable(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx,
                              uint8_t code)
{
    WEIR_ASSERT(rx->protocol != IPPROTO_ICMP); /* errors never come here: weir_ip_input keeps them */
    if (weir_address_is_v4(&rx->src))
        send_error(ip, now, m, rx, WEIR_ICMP_UNREACHABLE, code, &ip->stats.icmp_out_dest_unreachs);
    else
        ip_icmp6_error(ip, now, m, rx, &(struct icmp6_error){WEIR_ICMP6_UNREACHABLE, WEIR_ICMP6_UNREACHABLE_PORT});
}

void ip_send_time_exceeded(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx)
{
    send_error(ip, now, m, rx, WEIR_ICMP_TIME_EXCEEDED, 1, &ip->stats.icmp_out_time_excds);
}
