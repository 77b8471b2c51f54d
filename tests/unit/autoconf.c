/* What an IPv6 host learns from routers: addresses, networks, gateways, and how long they last. */
#include "packet_ipv6.h"
#include <criterion/criterion.h>
#include <string.h>
#include <weir/net/autoconf.h>

TestSuite(autoconf, .init = test_eal_init);

#define ROUTER "fe80::fe"

static struct test_net net;
static struct test_frame frame;
static struct weir_ip_rx rx;
static struct weir_ip_path path;
static int hop_limit = 255;

static void drain(void)
{
    while (test_net_take(&net, &frame))
        ;
}

static void pass(weir_time time)
{
    weir_time end = net.now + time;
    weir_time next;

    while ((next = RTE_MIN(weir_link_next_deadline(net.link), weir_ip_next_deadline(net.ip))) <= end) {
        net.now = RTE_MAX(next, net.now);
        weir_link_timers(net.link, net.now);
        weir_ip_timers(net.ip, net.now);
        drain();
    }
    net.now = end;
}

static const struct weir_link_address *address_in(const char *prefix)
{
    unsigned count;
    const struct weir_link_address *addresses = weir_ip_addresses(net.ip, &count);

    for (unsigned i = 0; i < count; i++)
        if (weir_address_share_prefix(&addresses[i].address, TEST_AT(prefix), 64))
            return &addresses[i];
    return NULL;
}

static void start(void)
{
    test_net_open(&net, &(struct weir_link_options){0}, 255);
    cr_assert_eq(
        weir_ip_autoconfigure(net.ip, net.now, &(struct weir_autoconf_options){.secret = "s", .routers = true}), 0);
    pass(WEIR_SECONDS(3));
}

/* One prefix option, of 64 bits. */
static void advertise(uint16_t lifetime, const char *prefix, uint32_t valid, uint32_t preferred, uint8_t flags)
{
    uint8_t message[16 + 8 + 32] = {134, [4] = 64, [16] = 5, 1, [24] = 3, 4, 64, flags};

    test_put16(message + 6, lifetime);
    test_put32(message + 20, 1400);
    test_put32(message + 28, valid);
    test_put32(message + 32, preferred);
    memcpy(message + 40, TEST_AT(prefix), 16);
    test_frame_icmp6(&frame, &(struct test_ipv6){.src = ROUTER, .dst = "ff02::1", .hop_limit = hop_limit}, message,
                     sizeof(message));
    cr_assert_eq(test_net_input(&net, &frame, &rx), 0);
    pass(WEIR_SECONDS(3));
}

static int way_to(const char *address)
{
    return weir_ip_path_init(net.ip, net.now, &path, NULL, TEST_AT(address), 17);
}

Test(autoconf, link_local_address_is_made_and_routers_are_asked_for)
{
    bool asked = false;

    test_net_open(&net, &(struct weir_link_options){0}, 255);
    cr_assert_eq(weir_ip_autoconfigure(net.ip, net.now, &(struct weir_autoconf_options){.routers = true}), 0);
    cr_assert(address_in("fe80::")->flags & WEIR_ADDRESS_TENTATIVE);
    for (int i = 0; i < 40; i++) {
        net.now += WEIR_MILLISECONDS(100);
        weir_link_timers(net.link, net.now);
        weir_ip_timers(net.ip, net.now);
        while (test_net_take(&net, &frame))
            asked |= frame.bytes[54] == 133;
    }
    cr_assert(asked);
    cr_assert_eq(address_in("fe80::")->flags, 0);
    test_net_close(&net);
}

Test(autoconf, prefix_and_router_give_an_address_and_a_way_to_all)
{
    start();
    cr_assert_eq(way_to("2001:db8:9::1"), -ENETUNREACH);
    advertise(1800, "2001:db8::", 86400, 3600, 0xc0);
    cr_assert_not_null(address_in("2001:db8::"));
    cr_assert_eq(address_in("2001:db8::")->flags, 0);
    cr_assert_eq(way_to("2001:db8:9::1"), 0);
    cr_assert(weir_address_equal(&address_in("2001:db8::")->address, (struct weir_address[]){weir_ip_path_src(&path)}));
    cr_assert_eq(path.mtu, 1400);
    pass(WEIR_SECONDS(3600));
    cr_assert_eq(address_in("2001:db8::")->flags, WEIR_ADDRESS_DEPRECATED);
    cr_assert_eq(way_to("2001:db8:9::1"), -ENETUNREACH, "the router's 1800 s are over");
    pass(WEIR_SECONDS(86400));
    cr_assert_null(address_in("2001:db8::"));
    test_net_close(&net);
}

/* RFC 4862 section 5.5.3 (e) */
Test(autoconf, forged_advertisement_takes_no_address_away_within_two_hours)
{
    start();
    advertise(1800, "2001:db8::", 86400, 3600, 0xc0);
    advertise(0, "2001:db8::", 1, 1, 0xc0);
    cr_assert_eq(way_to("2001:db8:9::1"), -ENETUNREACH, "a lifetime of 0: no router any more");
    pass(WEIR_SECONDS(7000));
    cr_assert_not_null(address_in("2001:db8::"));
    pass(WEIR_SECONDS(300));
    cr_assert_null(address_in("2001:db8::"));
    test_net_close(&net);
}

Test(autoconf, advertisements_that_make_no_sense_are_ignored)
{
    start();
    advertise(0, "2001:db8::", 10, 20, 0x40); /* preferred for longer than valid */
    advertise(0, "2001:db8::", 0, 0, 0x40);
    advertise(0, "2001:db8::", 10, 10, 0x80); /* not to make addresses of */
    cr_assert_null(address_in("2001:db8::"));
    hop_limit = 254; /* not of this link */
    advertise(1800, "2001:db8::", 100, 100, 0xc0);
    cr_assert_null(address_in("2001:db8::"));
    cr_assert_eq(weir_ip_stats(net.ip)->icmp_in_errors, 1);
    test_net_close(&net);
}

Test(autoconf, prefix_of_nobody_is_ignored)
{
    start();
    advertise(1800, "::", 100, 100, 0xc0);
    net.now += WEIR_SECONDS(3 * 3600);
    weir_link_timers(net.link, net.now);
    weir_ip_timers(net.ip, net.now);
    cr_assert_gt(weir_ip_next_deadline(net.ip), net.now, "a deadline that does not pass");
    test_net_close(&net);
}
