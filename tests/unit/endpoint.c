/* Endpoints as text. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include <weir/net/ip.h>
#include <weir/net/wire.h>

TestSuite(endpoint);

Test(endpoint, text_is_read_and_written_back)
{
    static const struct {
        const char *text, *back;
    } cases[] = {
        {"10.0.0.1:7", "10.0.0.1:7"},       {"10.0.0.1", "10.0.0.1:0"},
        {"255.255.255.255:65535", NULL},    {"0.0.0.0:0", NULL},
        {"[2001:db8::1]:7", NULL},          {"[2001:db8::1]", "[2001:db8::1]:0"},
        {"2001:db8::1", "[2001:db8::1]:0"}, {"::", "[::]:0"},
    };
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        struct weir_endpoint endpoint;
        char text[WEIR_ENDPOINT_TEXT];
        cr_assert_eq(weir_endpoint_parse(cases[i].text, &endpoint), 0, "%s", cases[i].text);
        weir_endpoint_format(&endpoint, text, sizeof(text));
        cr_assert_str_eq(text, cases[i].back != NULL ? cases[i].back : cases[i].text);
    }
}

Test(endpoint, addresses_are_in_network_order_and_ports_in_the_hosts)
{
    struct weir_endpoint endpoint;

    cr_assert_eq(weir_endpoint_parse("10.0.0.1:258", &endpoint), 0);
    cr_assert_eq(endpoint.family, AF_INET);
    cr_assert_eq(endpoint.port, 258);
    cr_assert_eq(endpoint.v4.s_addr, htonl(WEIR_IPV4(10, 0, 0, 1)));
}

Test(endpoint, the_longest_fits_and_a_small_buffer_is_not_overrun)
{
    struct weir_endpoint endpoint = {.family = AF_INET6, .port = 65535};
    char text[WEIR_ENDPOINT_TEXT], small[6] = "12345";

    memset(&endpoint.v6, 0xff, sizeof(endpoint.v6));
    cr_assert_str_eq(weir_endpoint_format(&endpoint, text, sizeof(text)),
                     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    cr_assert_str_eq(weir_endpoint_format(&endpoint, small, 5), "[fff");
    endpoint.family = 0;
    cr_assert_str_eq(weir_endpoint_format(&endpoint, text, sizeof(text)), "?");
}

Test(endpoint, nonsense_is_refused_and_writes_nothing)
{
    static const char *const wrong[] = {"",
                                        ":",
                                        ":7",
                                        "10.0.0.1:",
                                        "10.0.0.1:65536",
                                        "10.0.0.1:-1",
                                        "10.0.0.1:7x",
                                        "10.0.0.256",
                                        "10.0.0",
                                        "10.0.0.1 :7",
                                        "[::1",
                                        "[::1]7",
                                        "[::1]:",
                                        "::1]:7",
                                        "[10.0.0.1]",
                                        "host:80",
                                        "[]:7",
                                        "10.0.0.1:+7",
                                        "10.0.0.1:99999999999999999999",
                                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    for (unsigned i = 0; i < RTE_DIM(wrong); i++) {
        struct weir_endpoint endpoint = {.family = 99};
        cr_assert_eq(weir_endpoint_parse(wrong[i], &endpoint), -EINVAL, "%s", wrong[i]);
        cr_assert_eq(endpoint.family, 99);
    }
}
