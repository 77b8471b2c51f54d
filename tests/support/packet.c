#include "packet.h"
#include <criterion/criterion.h>
#include <string.h>

const struct rte_ether_addr test_mac_us = {{0x02, 0, 0, 0, 0, 0x01}};
const struct rte_ether_addr test_mac_peer = {{0x02, 0, 0, 0, 0, 0x02}};
const struct rte_ether_addr test_mac_other = {{0x02, 0, 0, 0, 0, 0x03}};
const struct rte_ether_addr test_mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

uint16_t test_checksum(const void *bytes, size_t length, uint32_t extra)
{
    const uint8_t *at = bytes;
    uint64_t sum = extra;

    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint64_t)at[i] << 8 : at[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint32_t test_pseudo(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t length)
{
    return (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + protocol + length;
}

void test_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void test_put32(uint8_t *at, uint32_t value)
{
    test_put16(at, (uint16_t)(value >> 16));
    test_put16(at + 2, (uint16_t)value);
}

uint16_t test_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t test_get32(const uint8_t *at)
{
    return (uint32_t)test_get16(at) << 16 | test_get16(at + 2);
}

void test_frame_append(struct test_frame *frame, const void *bytes, size_t length)
{
    cr_assert_leq(frame->length + length, sizeof(frame->bytes));
    if (length > 0)
        memcpy(frame->bytes + frame->length, bytes, length);
    frame->length += (unsigned)length;
}

void test_frame_ethernet(struct test_frame *frame, const struct rte_ether_addr *dst, const struct rte_ether_addr *src,
                         uint16_t type)
{
    uint8_t header[14];

    memcpy(header, dst, 6);
    memcpy(header + 6, src, 6);
    test_put16(header + 12, type);
    frame->length = 0;
    test_frame_append(frame, header, sizeof(header));
}

void test_frame_arp(struct test_frame *frame, const struct rte_ether_addr *dst, uint16_t operation,
                    const struct rte_ether_addr *sender_mac, uint32_t sender, uint32_t target)
{
    uint8_t arp[28] = {0, 1, 8, 0, 6, 4};

    test_put16(arp + 6, operation);
    memcpy(arp + 8, sender_mac, 6);
    test_put32(arp + 14, sender);
    if (operation == 2)
        memcpy(arp + 18, dst, 6);
    test_put32(arp + 24, target);
    test_frame_ethernet(frame, dst, sender_mac, 0x0806);
    test_frame_append(frame, arp, sizeof(arp));
}

void test_frame_fix_ipv4(struct test_frame *frame)
{
    uint8_t *ip = frame->bytes + 14;

    test_put16(ip + 10, 0);
    test_put16(ip + 10, test_checksum(ip, (ip[0] & 15u) * 4u, 0));
}

void test_frame_ipv4(struct test_frame *frame, const struct test_ipv4 *ip, const void *payload, unsigned length)
{
    uint8_t header[20] = {(uint8_t)(0x45 + ip->options_length / 4), ip->tos};

    test_put16(header + 2, (uint16_t)(20 + ip->options_length + length));
    test_put16(header + 4, ip->id);
    test_put16(header + 6, ip->fragment);
    header[8] = ip->ttl != 0 ? ip->ttl : 64;
    header[9] = ip->protocol;
    test_put32(header + 12, ip->src);
    test_put32(header + 16, ip->dst);
    test_frame_ethernet(frame, &test_mac_us, &test_mac_peer, 0x0800);
    test_frame_append(frame, header, sizeof(header));
    test_frame_append(frame, ip->options, ip->options_length);
    test_frame_append(frame, payload, length);
    test_frame_fix_ipv4(frame);
}

void test_frame_udp(struct test_frame *frame, uint32_t src, uint16_t src_port, uint32_t dst, uint16_t dst_port,
                    const void *payload, unsigned length)
{
    uint8_t datagram[4096];
    uint16_t all = (uint16_t)(8 + length);

    test_put16(datagram, src_port);
    test_put16(datagram + 2, dst_port);
    test_put16(datagram + 4, all);
    test_put16(datagram + 6, 0);
    if (length > 0)
        memcpy(datagram + 8, payload, length);
    test_put16(datagram + 6, test_checksum(datagram, all, test_pseudo(src, dst, 17, all)));
    if (test_get16(datagram + 6) == 0)
        test_put16(datagram + 6, 0xffff);
    test_frame_ipv4(frame, &(struct test_ipv4){.src = src, .dst = dst, .protocol = 17}, datagram, all);
}

struct rte_mbuf *test_frame_packet(struct rte_mempool *pool, const struct test_frame *frame)
{
    return test_packet(pool, frame->bytes, (uint16_t)frame->length);
}

struct rte_mbuf *test_segments(struct rte_mempool *pool, const void *bytes, unsigned length, const unsigned *sizes,
                               unsigned count)
{
    const char *at = bytes;
    struct rte_mbuf *first = NULL;

    for (unsigned i = 0; i <= count; i++) {
        unsigned here = i < count && sizes[i] < length ? sizes[i] : length;
        struct rte_mbuf *m = test_packet(pool, at, (uint16_t)here);
        at += here;
        length -= here;
        if (first == NULL)
            first = m;
        else
            cr_assert_eq(rte_pktmbuf_chain(first, m), 0);
    }
    return first;
}

void test_packet_take(struct rte_mbuf *m, struct test_frame *frame)
{
    const char *reason;

    cr_assert_eq(rte_mbuf_check(m, 1, &reason), 0, "%s", reason);
    cr_assert_leq(m->pkt_len, sizeof(frame->bytes));
    frame->length = m->pkt_len;
    for (uint32_t i = 0; i < m->pkt_len; i++)
        frame->bytes[i] = *(const uint8_t *)rte_pktmbuf_read(m, i, 1, &frame->bytes[i]);
    rte_pktmbuf_free(m);
}

static void keep_sent(struct weir_burst *burst)
{
    struct test_net *net = WEIR_CONTAINER_OF(burst, struct test_net, burst);

    cr_assert_leq(net->sent_count + burst->count, TEST_SENT_MAX);
    memcpy(&net->sent[net->sent_count], burst->packets, burst->count * sizeof(burst->packets[0]));
    net->sent_count += burst->count;
    burst->count = 0;
}

void test_net_open(struct test_net *net, const struct weir_link_options *options, unsigned packets)
{
    struct weir_link_options link = *options;
    struct weir_ip_options ip = {
        .address = TEST_US, .prefix = TEST_PREFIX, .gateway = TEST_GATEWAY, .icmp_rate = 1000, .seed = 2};

    memset(net, 0, sizeof(*net));
    net->now = WEIR_SECONDS(1);
    net->pool = test_pool(packets);
    net->burst.flush = keep_sent;
    link.mac = test_mac_us;
    link.pool = ip.pool = net->pool;
    cr_assert_eq(weir_link_open(&net->link, &link, &net->burst), 0);
    cr_assert_eq(weir_ip_open(&net->ip, &ip, net->link), 0);
}

void test_net_close(struct test_net *net)
{
    struct rte_mbuf *m;

    while ((m = test_net_sent(net)) != NULL)
        rte_pktmbuf_free(m);
    weir_ip_close(net->ip);
    weir_link_close(net->link);
    test_pool_is_full(net->pool);
}

struct rte_mbuf *test_net_sent(struct test_net *net)
{
    if (net->burst.count > 0)
        keep_sent(&net->burst);
    return net->sent_taken < net->sent_count ? net->sent[net->sent_taken++] : NULL;
}

bool test_net_take(struct test_net *net, struct test_frame *frame)
{
    struct rte_mbuf *m = test_net_sent(net);

    if (m != NULL)
        test_packet_take(m, frame);
    return m != NULL;
}

uint8_t test_net_input(struct test_net *net, const struct test_frame *frame, struct weir_ip_rx *rx)
{
    struct rte_mbuf *m = test_frame_packet(net->pool, frame);
    uint16_t ether_type = weir_link_input(net->link, net->now, m);
    uint8_t protocol;

    if (ether_type == 0)
        return 0;
    protocol = weir_ip_input(net->ip, net->now, ether_type, &m, rx);
    if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
        rte_pktmbuf_free(m);
    return protocol;
}

void test_net_know(struct test_net *net, uint32_t address, const struct rte_ether_addr *mac)
{
    struct test_frame frame;
    struct weir_ip_rx rx;

    test_frame_arp(&frame, &test_mac_us, 1, mac, address, TEST_US);
    test_net_input(net, &frame, &rx);
    cr_assert(test_net_take(net, &frame), "no answer to a request");
}
