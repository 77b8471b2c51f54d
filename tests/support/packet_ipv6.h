/* Frames of IPv6 for tests, built byte by byte, apart from the codecs under test. */
#ifndef TEST_PACKET_IPV6_H
#define TEST_PACKET_IPV6_H

#include "packet.h"

/* "2001:db8::1", or an IPv4 one; fails the test if it is neither. */
struct weir_address test_address(const char *text);
#define TEST_AT(text) ((const struct weir_address[]){test_address(text)})

/* ---- bytes that go in ---- */

struct test_ipv6 {
    const char *src, *dst;
    uint8_t next_header, traffic_class;
    int hop_limit; /* 0: 64, -1: 0 */
};

/* A whole frame, from the peer's MAC to ours or to the group's that dst is, with this payload. */
void test_frame_ipv6(struct test_frame *frame, const struct test_ipv6 *ip, const void *payload, unsigned length);
/* The same with the checksum of ICMPv6 written in the payload. */
void test_frame_icmp6(struct test_frame *frame, const struct test_ipv6 *ip, const void *payload, unsigned length);
/* An echo request, a neighbour solicitation (with the peer's MAC if `mac`), an advertisement of these flags. */
void test_frame_echo6(struct test_frame *frame, const char *src, const char *dst, const char *text);
void test_frame_solicit(struct test_frame *frame, const char *src, const char *dst, const char *target,
                        const struct rte_ether_addr *mac);
void test_frame_advertise(struct test_frame *frame, const char *src, const char *dst, const char *target, uint8_t flags,
                          const struct rte_ether_addr *mac);

/* ---- bytes that come out ---- */

/* The upper layer's bytes of a frame; its ICMPv6 checksum, and all that its IPv6 header says, is checked against what
 * lies there. `length` may be NULL. */
const uint8_t *test_icmp6(const struct test_frame *frame, const char *src, const char *dst, unsigned *length);

#endif
