/* ICMPv6: RFC 4443. */
#include "autoconf_private.h"

/* From the address that was spoken to, or if that was many's, from one of ours (NULL: there is none): a source to be
 * named also says that the other spoke first, who is not to push out whom we talk to. */
static const struct weir_address *answers_from(const struct weir_ip *ip, const struct weir_ip_rx *rx)
{
    return rx->dst.bytes[0] == 0xff ? ip_source(ip, &rx->src, &rx->src) : &rx->dst;
}

/* Answers an echo request by the packet itself: turned around, the payload untouched. RFC 4443 section 4.2. */
static void echo(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx)
{
    struct weir_ip_path path;
    uint16_t before, after, checksum;
    uint8_t *icmp;

    m = weir_ip_make_writable(ip, m, FRAME_ROOM);
    if (m == NULL)
        return;
    if (!weir_packet_pull(m, WEIR_ICMP6_HEADER_LENGTH) ||
        weir_ip_path_init(ip, now, &path, answers_from(ip, rx), &rx->src, IPPROTO_ICMPV6) < 0) {
        ip->stats.out_discards++;
        rte_pktmbuf_free(m);
        return;
    }
    icmp = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(&before, icmp, sizeof(before));
    icmp[0] = WEIR_ICMP6_ECHO_REPLY;
    memcpy(&after, icmp, sizeof(after));
    memcpy(&checksum, icmp + 2, sizeof(checksum));
    checksum = weir_checksum_update16(checksum, before, after);
    checksum = weir_checksum_update16(checksum, rx->pseudo_sum, path.pseudo_sum);
    memcpy(icmp + 2, &checksum, sizeof(checksum));
    m->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
    ip->stats.icmp_out_msgs++;
    ip->stats.icmp_out_echo_reps++;
    weir_ip_send(ip, now, &path, m, rx->tos);
}

/* ---- what we are told ---- */

/* As transports know it: by ICMP's type and code. Returns false: it means nothing to them, or is not to be believed. */
static bool translate(const uint8_t *icmp, struct weir_ip_rx *rx)
{
    /* no route, prohibited, beyond scope, unreachable, port, source policy, rejected; RFC 4443 section 3.1 */
    static const uint8_t unreachable[] = {0, 13, 1, 1, WEIR_ICMP_UNREACHABLE_PORT, 13, 13};
    uint32_t value;

    memcpy(&value, icmp + 4, sizeof(value));
    value = rte_be_to_cpu_32(value);
    rx->icmp_code = icmp[1];
    rx->icmp_mtu = 0;
    switch (icmp[0]) {
    case WEIR_ICMP6_UNREACHABLE:
        rx->icmp_type = WEIR_ICMP_UNREACHABLE;
        rx->icmp_code = icmp[1] < RTE_DIM(unreachable) ? unreachable[icmp[1]] : 0;
        return true;
    case WEIR_ICMP6_PACKET_TOO_BIG:
        rx->icmp_type = WEIR_ICMP_UNREACHABLE;
        rx->icmp_code = WEIR_ICMP_UNREACHABLE_FRAGMENTATION_NEEDED;
        rx->icmp_mtu = (uint16_t)RTE_MIN(value, (uint32_t)UINT16_MAX);
        return value >= WEIR_IPV6_MTU_MIN; /* RFC 8201 section 4: there is no such link */
    case WEIR_ICMP6_TIME_EXCEEDED:
        rx->icmp_type = WEIR_ICMP_TIME_EXCEEDED;
        return true;
    case WEIR_ICMP6_PARAMETER_PROBLEM:
        rx->icmp_type = WEIR_ICMP_PARAMETER_PROBLEM;
        return true;
    default: /* errors of a kind that is not known; RFC 4443 section 2.4 (a) */
        return false;
    }
}

/* Reads the quote of an error. True if it is of a packet that we could have sent. RFC 4443 section 2.4 (d): the
 * transport that sent it is to be told. */
static bool read_quote(const struct weir_ip *ip, const struct rte_mbuf *m, struct weir_ip_rx *rx)
{
    uint8_t copy[256];
    uint32_t there = m->pkt_len - WEIR_ICMP6_HEADER_LENGTH;
    uint32_t length = RTE_MIN(there, (uint32_t)sizeof(copy));
    const void *bytes = rte_pktmbuf_read(m, WEIR_ICMP6_HEADER_LENGTH, length, copy);
    struct weir_icmp6_quote quote;

    if (bytes == NULL || weir_icmp6_quote_parse(bytes, length, &quote) < 0 ||
        (quote.protocol != IPPROTO_TCP && quote.protocol != IPPROTO_UDP) || !ip_is_ours(ip, &quote.src) ||
        ip_is_ours(ip, &quote.dst))
        return false;
    rx->quoted_protocol = quote.protocol;
    rx->quoted_src = quote.src;
    rx->quoted_dst = quote.dst;
    memcpy(rx->icmp_quote, quote.transport, sizeof(rx->icmp_quote));
    return true;
}

static uint8_t error_input(struct weir_ip *ip, struct rte_mbuf *m, struct weir_ip_rx *rx)
{
    bool ours = !rx->broadcast && translate(rte_pktmbuf_mtod(m, const uint8_t *), rx) && read_quote(ip, m, rx);

    if (!ours)
        ip->stats.icmp_in_errors++;
    else if (rx->icmp_type == WEIR_ICMP_UNREACHABLE)
        ip->stats.icmp_in_dest_unreachs++;
    else if (rx->icmp_type == WEIR_ICMP_TIME_EXCEEDED)
        ip->stats.icmp_in_time_excds++;
    rte_pktmbuf_free(m);
    return ours ? IPPROTO_ICMP : 0;
}

/* Neighbours and multicast groups are the link's business, routers are ours. */
static void discovery(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx, uint8_t type)
{
    if (weir_packet_pull(m, m->pkt_len)) {
        struct weir_link_message message = {.src = rx->src,
                                            .dst = rx->dst,
                                            .hop_limit = rx->ttl,
                                            .bytes = rte_pktmbuf_mtod(m, const void *),
                                            .length = m->pkt_len};
        if (type == WEIR_ICMP6_ROUTER_ADVERTISEMENT)
            autoconf_advertisement(ip, now, &message);
        else
            weir_link_discovery(ip->link, now, &message);
    } else {
        ip->stats.icmp_in_errors++;
    }
    rte_pktmbuf_free(m);
}

static bool is_good(struct rte_mbuf *m, const struct weir_ip_rx *rx)
{
    return weir_packet_pull(m, WEIR_ICMP6_HEADER_LENGTH) &&
           weir_checksum_join(rx->pseudo_sum, (uint16_t)m->pkt_len, weir_sum_packet(m, 0, m->pkt_len)) == 0;
}

uint8_t ip_icmp6_input(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, struct weir_ip_rx *rx, bool fragmented)
{
    uint8_t type;

    ip->stats.icmp_in_msgs++;
    if (!is_good(m, rx)) {
        ip->stats.icmp_in_errors++;
        rte_pktmbuf_free(m);
        return 0;
    }
    type = *rte_pktmbuf_mtod(m, const uint8_t *);
    if (type < WEIR_ICMP6_INFORMATIONAL)
        return error_input(ip, m, rx);
    switch (type) {
    case WEIR_ICMP6_ECHO:
        ip->stats.icmp_in_echos++;
        if (weir_address_is_none(&rx->src))
            break;
        echo(ip, now, m, rx);
        return 0;
    case WEIR_ICMP6_NEIGHBOUR_SOLICITATION:
    case WEIR_ICMP6_NEIGHBOUR_ADVERTISEMENT:
    case WEIR_ICMP6_MLD_QUERY:
    case WEIR_ICMP6_ROUTER_ADVERTISEMENT:
        if (fragmented) { /* to get past switches that look for such. RFC 6980 section 5 */
            ip->stats.icmp_in_errors++;
            break;
        }
        discovery(ip, now, m, rx, type);
        return 0;
    default: /* redirects among them: a host that heeds them can be led astray (RFC 4861 section 8.3 leaves that open)
              */
        break;
    }
    rte_pktmbuf_free(m);
    return 0;
}

/* ---- what we tell ---- */

/* Makes an error that quotes m from its IPv6 header on, as far as the smallest path carries it. NULL: no memory. */
static struct rte_mbuf *make_error(struct weir_ip *ip, const struct rte_mbuf *m, const struct weir_ip_path *path,
                                   const struct icmp6_error *what)
{
    struct rte_mbuf *error = rte_pktmbuf_alloc(ip->pool);
    uint32_t length, header = m->l3_len;
    const void *quote;
    uint8_t *bytes;

    if (error == NULL)
        return NULL;
    length = RTE_MIN(header + m->pkt_len, (uint32_t)(WEIR_IPV6_MTU_MIN - IPV6_LENGTH - WEIR_ICMP6_HEADER_LENGTH));
    length = RTE_MIN(length, (uint32_t)rte_pktmbuf_tailroom(error) - WEIR_ICMP6_HEADER_LENGTH);
    bytes = (uint8_t *)rte_pktmbuf_append(error, (uint16_t)(WEIR_ICMP6_HEADER_LENGTH + length));
    WEIR_ASSERT(bytes != NULL && length >= header);
    weir_icmp6_write(bytes, what->type, what->code, what->value);
    memcpy(bytes + WEIR_ICMP6_HEADER_LENGTH, rte_pktmbuf_mtod_offset(m, const uint8_t *, -(int)header), header);
    quote = rte_pktmbuf_read(m, 0, length - header, bytes + WEIR_ICMP6_HEADER_LENGTH + header);
    if (quote != bytes + WEIR_ICMP6_HEADER_LENGTH + header)
        memcpy(bytes + WEIR_ICMP6_HEADER_LENGTH + header, quote, length - header);
    struct weir_address src = weir_ip_path_src(path), dst = weir_ip_path_dst(path);
    weir_icmp6_seal(bytes, (uint16_t)(WEIR_ICMP6_HEADER_LENGTH + length), &src, &dst);
    return error;
}

/* RFC 4443 section 2.4 (e): not about errors, nor to who is not one host; (f): not too often. */
static bool may_tell(struct weir_ip *ip, weir_time now, const struct rte_mbuf *m, const struct weir_ip_rx *rx,
                     const struct icmp6_error *what)
{
    const uint8_t *ipv6 = rte_pktmbuf_mtod_offset(m, const uint8_t *, -(int)m->l3_len);

    if ((rx->broadcast && !what->to_many) || weir_address_is_none(&rx->src) ||
        weir_ipv6_is_icmp_error(ipv6, m->l3_len + m->data_len, ipv6[offsetof(struct rte_ipv6_hdr, proto)]))
        return false;
    if (ip_may_send_error(ip, now))
        return true;
    ip->stats.icmp_out_rate_limited++;
    return false;
}

void ip_icmp6_error(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ip_rx *rx,
                    const struct icmp6_error *what)
{
    struct rte_mbuf *error = NULL;
    struct weir_ip_path path;

    if (!may_tell(ip, now, m, rx, what)) {
        rte_pktmbuf_free(m);
        return;
    }
    if (weir_ip_path_init(ip, now, &path, answers_from(ip, rx), &rx->src, IPPROTO_ICMPV6) < 0 ||
        (error = make_error(ip, m, &path, what)) == NULL) {
        ip->stats.out_discards++;
    } else {
        ip->stats.icmp_out_msgs++;
        ip->stats.icmp_out_dest_unreachs += what->type == WEIR_ICMP6_UNREACHABLE;
        weir_ip_send(ip, now, &path, error, 0);
    }
    rte_pktmbuf_free(m);
}
