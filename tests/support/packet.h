/* Frames for tests: built byte by byte, apart from the codecs under test; and a link with IP on it, whose frames are
 * kept to be looked at. */
#ifndef TEST_PACKET_H
#define TEST_PACKET_H

#include "eal.h"
#include <weir/net/ip.h>
#include <weir/net/wire.h>

#define TEST_US WEIR_IPV4(10, 0, 0, 1)
#define TEST_PEER WEIR_IPV4(10, 0, 0, 2)
#define TEST_GATEWAY WEIR_IPV4(10, 0, 0, 254)
#define TEST_FAR WEIR_IPV4(192, 0, 2, 9)
#define TEST_PREFIX 24

extern const struct rte_ether_addr test_mac_us, test_mac_peer, test_mac_other, test_mac_broadcast;

/* ---- bytes ---- */

struct test_frame {
    uint8_t bytes[4096];
    unsigned length;
};

/* The Internet checksum, word by word, in host order. `extra` is added: a pseudo header's sum. */
uint16_t test_checksum(const void *bytes, size_t length, uint32_t extra);
/* The sum of UDP's or TCP's pseudo header. */
uint32_t test_pseudo(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t length);

void test_put16(uint8_t *at, uint16_t value);
void test_put32(uint8_t *at, uint32_t value);
uint16_t test_get16(const uint8_t *at);
uint32_t test_get32(const uint8_t *at);

struct test_ipv4 {
    uint32_t src, dst;
    uint8_t protocol, tos, ttl; /* ttl 0: 64 */
    uint16_t id;
    uint16_t fragment; /* flags and offset, as on the wire */
    const uint8_t *options;
    unsigned options_length; /* a multiple of 4 */
};

void test_frame_ethernet(struct test_frame *frame, const struct rte_ether_addr *dst, const struct rte_ether_addr *src,
                         uint16_t type);
void test_frame_append(struct test_frame *frame, const void *bytes, size_t length);
void test_frame_arp(struct test_frame *frame, const struct rte_ether_addr *dst, uint16_t operation,
                    const struct rte_ether_addr *sender_mac, uint32_t sender, uint32_t target);
/* A whole frame, peer's MAC to ours, with an IPv4 packet of this payload. */
void test_frame_ipv4(struct test_frame *frame, const struct test_ipv4 *ip, const void *payload, unsigned length);
/* The same with a UDP datagram in it. */
void test_frame_udp(struct test_frame *frame, uint32_t src, uint16_t src_port, uint32_t dst, uint16_t dst_port,
                    const void *payload, unsigned length);
/* Computes the IPv4 header's checksum anew after a test has changed it. */
void test_frame_fix_ipv4(struct test_frame *frame);

/* ---- packets ---- */

struct rte_mbuf *test_frame_packet(struct rte_mempool *pool, const struct test_frame *frame);
/* The same bytes in segments: sizes[0], sizes[1], ..., the rest in a last one. */
struct rte_mbuf *test_segments(struct rte_mempool *pool, const void *bytes, unsigned length, const unsigned *sizes,
                               unsigned count);
/* Copies a packet's bytes to a frame, and frees it. */
void test_packet_take(struct rte_mbuf *m, struct test_frame *frame);

/* ---- a link, and IP on it ---- */

#define TEST_SENT_MAX 8192

struct test_net {
    struct weir_burst burst;
    struct rte_mbuf *sent[TEST_SENT_MAX]; /* what left, oldest first */
    unsigned sent_count, sent_taken;
    struct rte_mempool *pool;
    struct weir_link *link;
    struct weir_ip *ip;
    weir_time now;
};

/* Opens a link of these options (mac, pool filled in if unset) and IP (10.0.0.1/24 via .254) at time 1 s. */
void test_net_open(struct test_net *net, const struct weir_link_options *options, unsigned packets);
/* Closes both, frees what was sent; fails the test unless all packets are back. */
void test_net_close(struct test_net *net);
/* Takes the oldest frame that was sent and not yet taken; NULL if there is none. */
struct rte_mbuf *test_net_sent(struct test_net *net);
/* The same into `frame`; false if there is none. */
bool test_net_take(struct test_net *net, struct test_frame *frame);
/* Gives a frame to the link and, if it is IP's, to IP; frees what would go further up. Returns its protocol. */
uint8_t test_net_input(struct test_net *net, const struct test_frame *frame, struct weir_ip_rx *rx);
/* Makes a neighbour known, by a request of its. */
void test_net_know(struct test_net *net, uint32_t address, const struct rte_ether_addr *mac);

#endif
