/* A host's addresses and routes, of both families: where packets go, and from which address. */
#include "packet.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(route, .init = test_eal_init);

static struct test_net net;
static struct test_frame frame;
static struct weir_ip_path path;
static struct weir_ip_rx rx;

static struct weir_address at(const char *text)
{
    struct weir_endpoint endpoint;

    cr_assert_eq(weir_endpoint_parse(text, &endpoint), 0, "'%s' is no address", text);
    return weir_endpoint_address(&endpoint);
}
#define AT(text) ((const struct weir_address[]){at(text)})

static void expect_address(const struct weir_address *address, const char *text)
{
    struct weir_endpoint endpoint = weir_endpoint_of(address, 0);
    char got[WEIR_ENDPOINT_TEXT];

    cr_assert(weir_address_equal(address, AT(text)), "%s, not %s", weir_endpoint_format(&endpoint, got, sizeof(got)),
              text);
}

/* A host without an address. */
static void open_net(void)
{
    struct weir_ip_options options = {.seed = 2};

    test_net_open(&net, &(struct weir_link_options){0}, 255);
    weir_ip_close(net.ip);
    options.pool = net.pool;
    cr_assert_eq(weir_ip_open(&net.ip, &options, net.link), 0);
}

static int add(const char *address, unsigned prefix)
{
    return weir_ip_add_address(net.ip, AT(address), prefix, 0);
}

static int route(const char *destination, unsigned prefix, const char *gateway)
{
    return weir_ip_add_route(net.ip, AT(destination), prefix, gateway != NULL ? AT(gateway) : NULL);
}

static int way(const char *dst)
{
    return weir_ip_path_init(net.ip, net.now, &path, NULL, AT(dst), IPPROTO_UDP);
}

static void expect_hop(const char *dst, const char *hop)
{
    cr_assert_eq(way(dst), 0, "no way to %s", dst);
    expect_address(&path.neighbour->address, hop);
}

static void expect_source(const char *dst, const char *source)
{
    struct weir_address from;

    cr_assert_eq(way(dst), 0, "no way to %s", dst);
    from = weir_ip_path_src(&path);
    expect_address(&from, source);
}

/* ---- routes ---- */

Test(route, longest_prefix_wins_and_of_equal_ones_the_first)
{
    open_net();
    cr_assert_eq(add("10.0.0.1", 24), 0);
    cr_assert_eq(add("2001:db8::1", 64), 0);
    cr_assert_eq(route("0.0.0.0", 0, "10.0.0.254"), 0);
    cr_assert_eq(route("0.0.0.0", 0, "10.0.0.253"), 0);
    cr_assert_eq(route("172.16.0.0", 12, "10.0.0.10"), 0);
    cr_assert_eq(route("172.16.9.0", 24, "10.0.0.11"), 0);
    cr_assert_eq(route("172.16.9.7", 32, "10.0.0.12"), 0);
    cr_assert_eq(route("192.0.2.0", 24, NULL), 0);
    cr_assert_eq(route("::", 0, "fe80::1"), 0);
    cr_assert_eq(route("2001:db8:7::", 48, "2001:db8::7"), 0);
    cr_assert_eq(route("2001:db8:7:8000::", 49, "2001:db8::8"), 0);

    expect_hop("10.0.0.2", "10.0.0.2");
    expect_hop("8.8.8.8", "10.0.0.254");
    expect_hop("172.31.255.255", "10.0.0.10");
    expect_hop("172.32.0.1", "10.0.0.254");
    expect_hop("172.16.9.6", "10.0.0.11");
    expect_hop("172.16.9.7", "10.0.0.12");
    expect_hop("192.0.2.9", "192.0.2.9");
    expect_hop("2001:db8::2", "2001:db8::2");
    expect_hop("2001:db8:0:1::2", "fe80::1");
    expect_hop("2001:db8:7:7fff::2", "2001:db8::7");
    expect_hop("2001:db8:7:8000::2", "2001:db8::8");
    expect_hop("fe80::9", "fe80::9");
    test_net_close(&net);
}

Test(route, families_do_not_mix)
{
    open_net();
    cr_assert_eq(add("2001:db8::1", 64), 0);
    cr_assert_eq(route("::", 0, "2001:db8::fe"), 0);
    cr_assert_eq(way("10.0.0.1"), -ENETUNREACH);
    cr_assert_eq(add("10.0.0.1", 32), 0);
    cr_assert_eq(way("10.0.0.2"), -ENETUNREACH, "::/0 is no way for IPv4");
    cr_assert_eq(route("0.0.0.0", 0, "2001:db8::fe"), -EINVAL);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, AT("10.0.0.1"), AT("2001:db8::2"), 17), -EADDRNOTAVAIL);
    test_net_close(&net);
}

Test(route, gateway_must_be_another_host_on_the_link)
{
    static const char *const wrong[] = {"192.0.2.1", "10.0.0.1", "10.0.0.255", "224.0.0.1", "0.0.0.0", "127.0.0.1"};

    open_net();
    cr_assert_eq(add("10.0.0.1", 24), 0);
    cr_assert_eq(route("0.0.0.0", 0, "10.0.0.254"), 0);
    for (unsigned i = 0; i < RTE_DIM(wrong); i++)
        cr_assert_eq(route("172.16.0.0", 12, wrong[i]), -EINVAL, "by %s", wrong[i]);
    cr_assert_eq(route("172.16.0.0", 33, NULL), -EINVAL);
    cr_assert_eq(route("2001:db8::", 129, NULL), -EINVAL);
    cr_assert_eq(route("::", 0, "2001:db8::1"), -EINVAL);
    test_net_close(&net);
}

Test(route, table_is_bounded_and_room_comes_back)
{
    char text[32];

    open_net();
    cr_assert_eq(add("10.0.0.1", 24), 0);
    for (unsigned i = 1; i < WEIR_ROUTES_MAX; i++) {
        snprintf(text, sizeof(text), "172.16.%u.0", i);
        cr_assert_eq(route(text, 24, "10.0.0.254"), 0);
    }
    cr_assert_eq(route("192.0.2.0", 24, "10.0.0.254"), -ENOSPC);
    cr_assert_eq(add("10.0.1.1", 24), -ENOSPC);
    cr_assert_eq(net.link->addresses_count, 1, "an address without its network is not left behind");
    cr_assert_eq(weir_ip_remove_route(net.ip, AT("172.16.9.77"), 24, AT("10.0.0.254")), 0);
    cr_assert_eq(weir_ip_remove_route(net.ip, AT("172.16.9.0"), 24, AT("10.0.0.254")), -ESRCH);
    cr_assert_eq(way("172.16.9.1"), -ENETUNREACH);
    expect_hop("172.16.8.1", "10.0.0.254");
    expect_hop("172.16.10.1", "10.0.0.254");
    cr_assert_eq(add("10.0.1.1", 24), 0);
    expect_hop("10.0.1.9", "10.0.1.9");
    test_net_close(&net);
}

Test(route, path_in_use_follows_a_change_of_routes)
{
    open_net();
    cr_assert_eq(add("10.0.0.1", 24), 0);
    cr_assert_eq(route("0.0.0.0", 0, "10.0.0.254"), 0);
    test_net_know(&net, TEST_GATEWAY, &test_mac_peer);
    test_net_know(&net, TEST_GATEWAY - 1, &test_mac_other);
    expect_hop("192.0.2.9", "10.0.0.254");
    cr_assert_eq(route("192.0.2.0", 24, "10.0.0.253"), 0);
    weir_ip_send(net.ip, net.now, &path, test_packet(net.pool, "x", 1), 0);
    cr_assert(test_net_take(&net, &frame));
    cr_assert_eq(memcmp(frame.bytes, &test_mac_other, 6), 0, "it went the old way");
    cr_assert_eq(weir_ip_remove_route(net.ip, AT("192.0.2.0"), 24, AT("10.0.0.253")), 0);
    cr_assert_eq(weir_ip_remove_route(net.ip, AT("0.0.0.0"), 0, AT("10.0.0.254")), 0);
    weir_ip_send(net.ip, net.now, &path, test_packet(net.pool, "x", 1), 0);
    cr_assert(!test_net_take(&net, &frame));
    cr_assert_eq(weir_ip_stats(net.ip)->out_no_routes, 1);
    test_net_close(&net);
}

/* ---- addresses ---- */

static bool takes(const char *dst)
{
    struct weir_address to = at(dst);

    test_frame_ipv4(&frame,
                    &(struct test_ipv4){.src = TEST_FAR, .dst = weir_address_to_v4(&to), .protocol = IPPROTO_UDP},
                    "12345678", 8);
    return test_net_input(&net, &frame, &rx) == IPPROTO_UDP;
}

Test(route, each_address_and_the_broadcast_of_each_network_is_taken)
{
    open_net();
    cr_assert_eq(add("10.0.0.1", 24), 0);
    cr_assert_eq(add("172.16.5.6", 30), 0);
    cr_assert_eq(add("192.168.0.0", 31), 0);
    cr_assert_eq(add("192.168.0.9", 32), 0);
    cr_assert_eq(add("2001:db8::1", 64), 0);
    cr_assert(takes("10.0.0.1") && !rx.broadcast);
    cr_assert(takes("172.16.5.6") && !rx.broadcast);
    cr_assert(takes("192.168.0.0") && !rx.broadcast);
    cr_assert(takes("192.168.0.9") && !rx.broadcast);
    cr_assert(takes("10.0.0.255") && rx.broadcast);
    cr_assert(takes("172.16.5.7") && rx.broadcast);
    cr_assert(takes("255.255.255.255") && rx.broadcast);
    cr_assert(!takes("192.168.0.1"), "of two hosts the other: RFC 3021");
    cr_assert(!takes("172.16.5.5"));
    cr_assert(!takes("0.0.0.0"));
    cr_assert_eq(way("172.16.5.7"), -EINVAL);
    cr_assert_eq(way("192.168.0.1"), 0);
    cr_assert_eq(way("192.168.0.9"), -EINVAL, "ourselves");
    test_net_close(&net);
}

Test(route, address_taken_away_is_not_ours_any_more)
{
    open_net();
    cr_assert_eq(add("10.0.0.1", 24), 0);
    cr_assert_eq(add("10.0.0.3", 24), 0);
    cr_assert_eq(add("2001:db8::1", 64), 0);
    cr_assert_eq(add("10.0.0.3", 24), -EEXIST);
    cr_assert_eq(weir_ip_remove_address(net.ip, AT("10.0.0.1")), 0);
    cr_assert_eq(weir_ip_remove_address(net.ip, AT("10.0.0.1")), -EADDRNOTAVAIL);
    cr_assert(!takes("10.0.0.1"));
    cr_assert(takes("10.0.0.3"));
    expect_source("10.0.0.2", "10.0.0.3"); /* whose network is there still */
    cr_assert_eq(weir_ip_address(net.ip), TEST_US + 2);
    cr_assert_eq(weir_ip_remove_address(net.ip, AT("10.0.0.3")), 0);
    cr_assert_eq(way("10.0.0.2"), -ENETUNREACH);
    cr_assert_eq(weir_ip_address(net.ip), 0);
    test_net_close(&net);
}

Test(route, addresses_that_no_host_may_have_are_refused)
{
    static const struct {
        const char *address;
        unsigned prefix;
        int answer;
    } cases[] = {
        {"10.0.0.255", 24, -EINVAL},
        {"10.0.0.255", 31, 0},
        {"10.1.0.255", 32, 0},
        {"10.2.0.255", 16, 0},
        {"10.3.0.1", 33, -EINVAL},
        {"0.0.0.1", 8, -EINVAL},
        {"127.0.0.1", 8, -EINVAL},
        {"224.0.0.1", 24, -EINVAL},
        {"255.255.255.255", 32, -EINVAL},
        {"240.0.0.1", 24, -EINVAL},
        {"::", 64, -EINVAL},
        {"::1", 128, -EINVAL},
        {"ff02::1", 64, -EINVAL},
        {"2001:db8::1", 129, -EINVAL},
        {"2001:db8::1", 127, 0},
        {"2001:db8:1::", 128, 0},
        {"::2", 64, 0},
        {"fe80::1", 64, 0},
        {"2001:db8::ffff", 112, 0},
    };

    open_net();
    for (unsigned i = 0; i < RTE_DIM(cases); i++)
        cr_assert_eq(add(cases[i].address, cases[i].prefix), cases[i].answer, "%s/%u", cases[i].address,
                     cases[i].prefix);
    test_net_close(&net);
}

Test(route, arp_asks_from_an_address_on_the_targets_network)
{
    static const struct {
        const char *dst;
        uint32_t source;
    } cases[] = {{"172.16.0.2", WEIR_IPV4(172, 16, 0, 1)}, {"10.0.0.2", TEST_US}, {"192.0.2.9", TEST_US}};

    open_net();
    cr_assert_eq(add("2001:db8::1", 64), 0);
    cr_assert_eq(add("10.0.0.1", 24), 0);
    cr_assert_eq(add("172.16.0.1", 24), 0);
    cr_assert_eq(route("192.0.2.0", 24, NULL), 0);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        cr_assert_eq(way(cases[i].dst), 0);
        weir_ip_send(net.ip, net.now, &path, test_packet(net.pool, "x", 1), 0);
        cr_assert(test_net_take(&net, &frame));
        cr_assert_eq(test_get16(frame.bytes + 12), 0x0806);
        cr_assert_eq(test_get32(frame.bytes + 28), cases[i].source, "for %s", cases[i].dst);
    }
    test_net_close(&net);
}

/* ---- which to send from ---- */

Test(route, ipv4_sends_from_the_address_on_the_next_hops_network)
{
    open_net();
    cr_assert_eq(add("10.0.0.1", 24), 0);
    cr_assert_eq(add("172.16.0.1", 24), 0);
    cr_assert_eq(route("0.0.0.0", 0, "172.16.0.254"), 0);
    cr_assert_eq(route("192.0.2.0", 24, NULL), 0);
    expect_source("10.0.0.2", "10.0.0.1");
    expect_source("172.16.0.2", "172.16.0.1");
    expect_source("8.8.8.8", "172.16.0.1");
    expect_source("192.0.2.2", "10.0.0.1");
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, AT("10.0.0.1"), AT("8.8.8.8"), 17), 0);
    struct weir_address asked = weir_ip_path_src(&path);
    expect_address(&asked, "10.0.0.1");
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, AT("10.0.0.7"), AT("8.8.8.8"), 17), -EADDRNOTAVAIL);
    test_net_close(&net);
}

/* The examples of RFC 6724 section 10.1, as far as they are of one link without temporary and home addresses. */
Test(route, ipv6_sends_from_the_address_that_rfc_6724_chooses)
{
    static const struct {
        const char *dst, *candidates[3], *chosen;
    } cases[] = {
        {"2001:db8:1::1", {"fe80::1", "2001:db8:3::1"}, "2001:db8:3::1"},
        {"2001:db8:1::1", {"2001:db8:3::1", "fe80::1"}, "2001:db8:3::1"},
        {"fe80::2", {"2001:db8:3::1", "fe80::1"}, "fe80::1"},
        {"fe80::2", {"fe80::1", "2001:db8:3::1"}, "fe80::1"},
        {"2001:db8:1::1", {"fe80::1"}, "fe80::1"},
        {"2001:db8:1::1", {"2001:db8:3::2", "2001:db8:1::2"}, "2001:db8:1::2"},
        {"2001:db8:1::d5e3:0:0:1", {"2001:db8:1::2", "2001:db8:1:0:d5e3::2"}, "2001:db8:1::2"},
        {"2002:c633:6401::1", {"2001:db8:1::2", "2002:c633:6401::d5e3"}, "2002:c633:6401::d5e3"},
        {"2001:db8:1::1", {"2002:c633:6401::1", "fd00::1", "2001:db8:9::1"}, "2001:db8:9::1"},
        {"fd11::1", {"2001:db8:1::2", "fd22::2"}, "fd22::2"},
        {"2001:0:1::1", {"2001:db8::1", "2001:0:9::1"}, "2001:0:9::1"},
        {"fec0::9", {"fe80::1", "2001:db8::1"}, "2001:db8::1"},
    };

    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        open_net();
        for (unsigned j = 0; j < RTE_DIM(cases[i].candidates) && cases[i].candidates[j] != NULL; j++)
            cr_assert_eq(add(cases[i].candidates[j], 64), 0);
        cr_assert_eq(route("::", 0, "fe80::fe"), 0);
        expect_source(cases[i].dst, cases[i].chosen);
        test_net_close(&net);
    }
}

Test(route, deprecated_addresses_are_the_last_choice_and_tentative_ones_none)
{
    struct weir_address ours = at("2001:db8:1::2");

    open_net();
    cr_assert_eq(weir_ip_add_address(net.ip, &ours, 64, WEIR_ADDRESS_TENTATIVE), 0);
    cr_assert_eq(way("2001:db8:1::9"), -ENETUNREACH);
    cr_assert_eq(weir_ip_path_init(net.ip, net.now, &path, &ours, AT("2001:db8:1::9"), 17), -EADDRNOTAVAIL);
    cr_assert_eq(weir_ip_flag_address(net.ip, &ours, WEIR_ADDRESS_DEPRECATED), 0);
    expect_source("2001:db8:1::9", "2001:db8:1::2");
    cr_assert_eq(add("2001:db8:2::2", 64), 0);
    expect_source("2001:db8:1::9", "2001:db8:2::2");
    cr_assert_eq(weir_ip_flag_address(net.ip, &ours, 0), 0);
    expect_source("2001:db8:1::9", "2001:db8:1::2");
    cr_assert_eq(weir_ip_flag_address(net.ip, AT("2001:db8::77"), 0), -EADDRNOTAVAIL);
    test_net_close(&net);
}

/* ---- IPv6's path ---- */

Test(route, ipv6_path_holds_the_header)
{
    const uint8_t *ipv6 = path.header + 14;
    uint32_t labels[3];

    open_net();
    cr_assert_eq(add("2001:db8::1", 64), 0);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(way(i == 1 ? "2001:db8::3" : "2001:db8::2"), 0);
        labels[i] = test_get32(ipv6) & 0xfffff;
    }
    cr_assert_eq(labels[0], labels[2], "one flow, one label");
    cr_assert_neq(labels[0], labels[1]);
    cr_assert_neq(labels[0], 0);
    cr_assert_eq(memcmp(path.header + 6, &test_mac_us, 6), 0);
    cr_assert_eq(test_get16(path.header + 12), 0x86dd);
    cr_assert_eq(path.l2_length, 14);
    cr_assert_eq(path.l3_length, 40);
    cr_assert_eq(test_get32(ipv6) >> 20, 0x600);
    cr_assert_eq(memcmp(ipv6 + 4, "\0\0\x11\x40", 4), 0, "no length yet, UDP, 64 hops");
    cr_assert_eq(memcmp(ipv6 + 8, AT("2001:db8::1"), 16), 0);
    cr_assert_eq(memcmp(ipv6 + 24, AT("2001:db8::2"), 16), 0);
    cr_assert_eq((uint16_t)~test_checksum(ipv6 + 8, 32, 17), rte_be_to_cpu_16(path.pseudo_sum));
    test_net_close(&net);
}
