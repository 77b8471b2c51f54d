/* TCP's header and options, byte by byte. RFC 9293 sections 3.1 and 3.2, RFC 7323. */
#include <criterion/criterion.h>
#include <weir/net/wire_tcp.h>

Test(wire_tcp, header_is_read)
{
    static const uint8_t bytes[] = {0x1f, 0x90, 0x00, 0x07, 1, 2, 3, 4, 5, 6, 7, 8,
                                    0x60, 0x12, 0xab, 0xcd, 0, 0, 0, 0, 1, 1, 1, 1};
    struct weir_tcp_header header;

    cr_assert_eq(weir_tcp_header_parse(bytes, sizeof(bytes), &header), 0);
    cr_assert(header.src_port == 8080 && header.dst_port == 7);
    cr_assert(header.seq == 0x01020304 && header.ack == 0x05060708);
    cr_assert(header.header_length == 24 && header.flags == (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG));
    cr_assert_eq(header.window, 0xabcd);
}

Test(wire_tcp, impossible_headers_are_refused_and_nothing_written)
{
    uint8_t bytes[60] = {0};
    struct weir_tcp_header header = {.seq = 77};

    bytes[12] = 0x50;
    for (size_t length = 0; length < 20; length++)
        cr_assert_eq(weir_tcp_header_parse(bytes, length, &header), -EBADMSG);
    bytes[12] = 0x40; /* 16 bytes: less than a header */
    cr_assert_eq(weir_tcp_header_parse(bytes, 60, &header), -EBADMSG);
    bytes[12] = 0xf0;
    cr_assert_eq(weir_tcp_header_parse(bytes, 59, &header), -EBADMSG);
    cr_assert_eq(header.seq, 77);
    cr_assert_eq(weir_tcp_header_parse(bytes, 60, &header), 0);
}

Test(wire_tcp, header_that_is_written_is_read_back)
{
    struct weir_tcp_header header = {1, 65535, 0xdeadbeef, 0x01020304, 32, 0x18, 999}, back;
    uint8_t bytes[32] = {0};

    weir_tcp_header_write(bytes, &header);
    cr_assert_eq(weir_tcp_header_parse(bytes, sizeof(bytes), &back), 0);
    cr_assert_eq(memcmp(&header, &back, sizeof(header)), 0);
}

Test(wire_tcp, options_are_written_as_everybody_does)
{
    struct weir_tcp_option_values values = {.mss = 1460,
                                            .sack_permitted = true,
                                            .has_timestamps = true,
                                            .timestamp = 0x01020304,
                                            .timestamp_echo = 0x0a0b0c0d,
                                            .has_scale = true,
                                            .scale = 7};
    static const uint8_t expected[] = {2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 1, 8, 10, 1, 2, 3, 4, 10, 11, 12, 13, 1, 3, 3, 7};
    uint8_t bytes[WEIR_TCP_OPTIONS_MAX];
    struct weir_tcp_option_values back;

    cr_assert_eq(weir_tcp_options_write(bytes, &values), sizeof(expected));
    cr_assert_arr_eq(bytes, expected, sizeof(expected));
    weir_tcp_options_parse(bytes, sizeof(expected), &back);
    cr_assert(back.mss == 1460 && back.sack_permitted && back.has_scale && back.scale == 7);
    cr_assert(back.has_timestamps && back.timestamp == 0x01020304 && back.timestamp_echo == 0x0a0b0c0d);
    cr_assert_eq(weir_tcp_options_write(bytes, &(struct weir_tcp_option_values){0}), 0);
}

Test(wire_tcp, options_in_any_order_and_unknown_ones)
{
    static const uint8_t bytes[] = {1, 3, 3, 20, 254, 4, 9, 9, 8, 10, 0, 0, 0, 1,
                                    0, 0, 0, 2,  2,   4, 1, 0, 0, 2,  4, 9, 9};
    struct weir_tcp_option_values values;

    weir_tcp_options_parse(bytes, sizeof(bytes), &values);
    cr_assert(values.has_scale && values.scale == 14, "RFC 7323 section 2.3");
    cr_assert(values.has_timestamps && values.timestamp == 1 && values.timestamp_echo == 2);
    cr_assert_eq(values.mss, 256, "what follows the end does not count");
}

Test(wire_tcp, malformed_options_end_the_reading)
{
    static const uint8_t lengths[][6] = {
        {8, 0, 2, 4, 5, 0}, {8, 1, 2, 4, 5, 0}, {8, 10, 2, 4, 5, 0}, {1, 1, 1, 1, 1, 2}, {2, 3, 5, 0, 0, 0}};
    struct weir_tcp_option_values values;

    for (unsigned i = 0; i < 5; i++) {
        weir_tcp_options_parse(lengths[i], 6, &values);
        cr_assert(values.mss == 0 && !values.has_timestamps, "case %u", i);
    }
    weir_tcp_options_parse(NULL, 0, &values);
    cr_assert_eq(values.mss, 0);
}

Test(wire_tcp, aligned_timestamps_are_one_word_to_compare)
{
    uint8_t bytes[12];
    uint32_t timestamp, echo;

    weir_tcp_timestamps_write(bytes, 0x11223344, 0x55667788);
    cr_assert(bytes[0] == 1 && bytes[1] == 1 && bytes[2] == 8 && bytes[3] == 10 && bytes[4] == 0x11);
    cr_assert(weir_tcp_timestamps_read(bytes, &timestamp, &echo));
    cr_assert(timestamp == 0x11223344 && echo == 0x55667788);
    bytes[0] = 0;
    cr_assert(!weir_tcp_timestamps_read(bytes, &timestamp, &echo));
}
