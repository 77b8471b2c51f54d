#include "packet_ipv6.h"
#include <criterion/criterion.h>
#include <string.h>

struct weir_address test_address(const char *text)
{
    struct weir_endpoint endpoint;

    cr_assert_eq(weir_endpoint_parse(text, &endpoint), 0, "'%s' is no address", text);
    return weir_endpoint_address(&endpoint);
}

static uint16_t checksum(const uint8_t *ipv6, const uint8_t *above, unsigned length, uint8_t protocol)
{
    uint32_t pseudo = protocol + length;

    for (unsigned i = 8; i < 40; i += 2)
        pseudo += test_get16(ipv6 + i);
    return test_checksum(above, length, pseudo);
}

void test_frame_ipv6(struct test_frame *frame, const struct test_ipv6 *ip, const void *payload, unsigned length)
{
    struct weir_address src = test_address(ip->src), dst = test_address(ip->dst);
    struct rte_ether_addr group = {{0x33, 0x33, dst.bytes[12], dst.bytes[13], dst.bytes[14], dst.bytes[15]}};
    uint8_t header[40] = {(uint8_t)(0x60 | ip->traffic_class >> 4), (uint8_t)(ip->traffic_class << 4)};

    test_put16(header + 4, (uint16_t)length);
    header[6] = ip->next_header;
    header[7] = ip->hop_limit == 0 ? 64 : (uint8_t)RTE_MAX(ip->hop_limit, 0);
    memcpy(header + 8, &src, 16);
    memcpy(header + 24, &dst, 16);
    test_frame_ethernet(frame, dst.bytes[0] == 0xff ? &group : &test_mac_us, &test_mac_peer, 0x86dd);
    test_frame_append(frame, header, sizeof(header));
    test_frame_append(frame, payload, length);
}

void test_frame_icmp6(struct test_frame *frame, const struct test_ipv6 *ip, const void *payload, unsigned length)
{
    struct test_ipv6 header = *ip;
    uint8_t *above = frame->bytes + 54;

    header.next_header = 58;
    test_frame_ipv6(frame, &header, payload, length);
    test_put16(above + 2, 0);
    test_put16(above + 2, checksum(frame->bytes + 14, above, length, 58));
}

void test_frame_echo6(struct test_frame *frame, const char *src, const char *dst, const char *text)
{
    uint8_t echo[512] = {128, 0, 0, 0, 0x12, 0x34, 0, 1};

    memcpy(echo + 8, text, strlen(text));
    test_frame_icmp6(frame, &(struct test_ipv6){.src = src, .dst = dst}, echo, 8 + (unsigned)strlen(text));
}

static void discover(struct test_frame *frame, const struct test_ipv6 *ip, uint8_t type, uint8_t flags,
                     const char *target, const struct rte_ether_addr *mac)
{
    uint8_t message[32] = {type, [4] = flags, [24] = type == 135 ? 1 : 2, 1};
    struct weir_address address = test_address(target);

    memcpy(message + 8, &address, 16);
    if (mac != NULL)
        memcpy(message + 26, mac, 6);
    test_frame_icmp6(frame, ip, message, mac != NULL ? 32 : 24);
}

void test_frame_solicit(struct test_frame *frame, const char *src, const char *dst, const char *target,
                        const struct rte_ether_addr *mac)
{
    discover(frame, &(struct test_ipv6){.src = src, .dst = dst, .hop_limit = 255}, 135, 0, target, mac);
}

void test_frame_advertise(struct test_frame *frame, const char *src, const char *dst, const char *target, uint8_t flags,
                          const struct rte_ether_addr *mac)
{
    discover(frame, &(struct test_ipv6){.src = src, .dst = dst, .hop_limit = 255}, 136, flags, target, mac);
}

const uint8_t *test_icmp6(const struct test_frame *frame, const char *src, const char *dst, unsigned *length)
{
    const uint8_t *ip = frame->bytes + 14, *above = ip + 40;
    unsigned there = test_get16(ip + 4);

    cr_assert_eq(test_get16(frame->bytes + 12), 0x86dd);
    cr_assert_eq(ip[0] >> 4, 6);
    cr_assert_eq(14 + 40 + there, frame->length, "the payload's length is %u, of a frame of %u", there, frame->length);
    cr_assert(memcmp(ip + 8, TEST_AT(src), 16) == 0, "not from %s", src);
    cr_assert(memcmp(ip + 24, TEST_AT(dst), 16) == 0, "not to %s", dst);
    if (ip[6] == 0) { /* hop-by-hop options, of multicast listener reports */
        above += (ip[41] + 1) * 8;
        there -= (ip[41] + 1) * 8u;
        cr_assert_eq(ip[40], 58);
    } else {
        cr_assert_eq(ip[6], 58, "protocol %u", ip[6]);
    }
    cr_assert_eq(checksum(ip, above, there, 58), 0, "a bad checksum");
    if (length != NULL)
        *length = there;
    return above;
}
