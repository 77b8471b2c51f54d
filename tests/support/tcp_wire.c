#include "tcp_wire.h"
#include "packet_ipv6.h"
#include <arpa/inet.h>
#include <rte_arp.h>
#include <stdlib.h>
#include <string.h>
#include <weir/net/route.h>
#include <weir/net/wire_ipv6.h>

uint8_t wire_byte(bool ours, uint32_t seq)
{
    return (uint8_t)((seq * 2654435761u >> 13) ^ seq ^ (ours ? 0x5a : 0));
}

/* ---- the device's side ---- */

#define SOLICITATION 135 /* RFC 4861 section 4.3 */
#define ETHER_LENGTH sizeof(struct rte_ether_hdr)

static uint16_t ether_type(const struct wire *w)
{
    return w->ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;
}

uint16_t wire_ip_length(const struct wire *w)
{
    return w->ipv6 ? WEIR_IPV6_HEADER_LENGTH : sizeof(struct rte_ipv4_hdr);
}

/* What is not for the peer's TCP: ARP; neighbour discovery and the rest of ICMPv6. Who asks for the peer is answered.
 */
static bool is_of_the_link(struct wire *w, struct rte_mbuf *m)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    uint16_t type = test_get16(frame + offsetof(struct rte_ether_hdr, ether_type));

    if (type == ether_type(w) &&
        (!w->ipv6 || frame[ETHER_LENGTH + offsetof(struct rte_ipv6_hdr, proto)] == IPPROTO_TCP))
        return false;
    w->asked |= type == RTE_ETHER_TYPE_ARP || frame[ETHER_LENGTH + WEIR_IPV6_HEADER_LENGTH] == SOLICITATION;
    rte_pktmbuf_free(m);
    return true;
}

static void keep(struct wire *w, struct rte_mbuf *m)
{
    struct wire_frame *frame = &w->sent[w->sent_count++];
    const void *bytes;

    cr_assert_leq(w->sent_count, WIRE_SENT_MAX);
    cr_assert_leq(m->pkt_len, sizeof(frame->bytes));
    frame->at = w->now;
    frame->length = (uint16_t)m->pkt_len;
    bytes = rte_pktmbuf_read(m, 0, m->pkt_len, frame->bytes);
    if (bytes != frame->bytes)
        memcpy(frame->bytes, bytes, m->pkt_len);
    if (w->hold) {
        cr_assert_lt(w->held_count, RTE_DIM(w->held));
        w->held[w->held_count++] = m;
    } else {
        rte_pktmbuf_free(m);
    }
}

static void take(struct wire *w, struct rte_mbuf *m)
{
    struct rte_mbuf *segments[NIC_SEGMENTS_MAX] = {m};
    unsigned count = 1;

    if (w->carry != NULL)
        m = segments[0] = w->carry(m);
    if (w->finish)
        count = nic_finish(&w->nic, m, segments);
    for (unsigned i = 0; i < count; i++)
        if (!is_of_the_link(w, segments[i]))
            keep(w, segments[i]);
}

static void take_burst(struct weir_burst *burst)
{
    struct wire *w = WEIR_CONTAINER_OF(burst, struct wire, burst);

    for (unsigned i = 0; i < burst->count; i++)
        take(w, burst->packets[i]);
    burst->count = 0;
}

void wire_release(struct wire *w)
{
    while (w->held_count > 0)
        rte_pktmbuf_free(w->held[--w->held_count]);
}

struct weir_endpoint wire_remote(const struct wire *w, uint16_t port)
{
    return weir_endpoint_of(&w->peer_address, port);
}

/* ---- open and close ---- */

struct weir_address wire_host(bool ipv6, uint8_t n)
{
    return ipv6 ? (struct weir_address){.bytes = {0xfd, [15] = n}} : weir_address_v4(WEIR_IPV4(10, 0, 0, n));
}

void wire_init(struct wire *w)
{
    const char *family = getenv("WEIR_TEST_FAMILY");
    bool ipv6 = family != NULL && strcmp(family, "6") == 0;

    *w = (struct wire){.ipv6 = ipv6,
                       .address = wire_host(ipv6, 1),
                       .peer_address = wire_host(ipv6, 2),
                       .mac = {{2, 0, 0, 0, 0, 1}},
                       .peer_mac = {{2, 0, 0, 0, 0, 2}},
                       .now = WEIR_SECONDS(1000),
                       .port = 7,
                       .peer_port = 40000,
                       .isn = 1000000,
                       .peer_mss = 1460,
                       .peer_scale = 7,
                       .timestamps = true,
                       .ts = 5000,
                       .window = 65535,
                       .references_size = 1023,
                       .mtu = ipv6 ? 1520 : 1500};
    w->options.connections_max = 64;
    w->options.mtu_probing = WEIR_TCP_MTU_OFF; /* segments keep their size, unless that is the question */
    for (unsigned i = 0; i < 16; i++)
        w->options.key[i] = (uint8_t)(i * 7 + 3);
}

static struct rte_mempool *make_pool(const struct wire *w, unsigned count, uint16_t room)
{
    static unsigned made;
    char name[32];

    snprintf(name, sizeof(name), "wire-pool-%u", made++);
    return rte_pktmbuf_pool_create_by_ops(name, count, 0, 0,
                                          (uint16_t)((room != 0 ? room : 2048) + RTE_PKTMBUF_HEADROOM),
                                          (int)rte_socket_id(), w->pool_ops);
}

static struct rte_mempool *make_references(unsigned count)
{
    static unsigned made;
    char name[32];
    struct rte_mempool *pool;

    snprintf(name, sizeof(name), "wire-references-%u", made++);
    pool = weir_reference_pool(name, count);
    cr_assert_not_null(pool);
    return pool;
}

static void ask_by_arp(struct wire *w, struct test_frame *frame)
{
    test_frame_arp(frame, &w->mac, RTE_ARP_OP_REQUEST, &w->peer_mac, weir_address_to_v4(&w->peer_address),
                   weir_address_to_v4(&w->address));
}

static void ask_by_solicitation(struct wire *w, struct test_frame *frame)
{
    char peer[INET6_ADDRSTRLEN], us[INET6_ADDRSTRLEN];

    inet_ntop(AF_INET6, &w->peer_address, peer, sizeof(peer));
    inet_ntop(AF_INET6, &w->address, us, sizeof(us));
    test_frame_solicit(frame, peer, us, us, &w->peer_mac);
    memcpy(frame->bytes, &w->mac, sizeof(w->mac));
    memcpy(frame->bytes + sizeof(w->mac), &w->peer_mac, sizeof(w->peer_mac));
}

/* The peer asks for our address, and so tells its own. */
static void introduce_peer(struct wire *w)
{
    struct test_frame frame;
    struct weir_ip_rx rx;
    struct rte_mbuf *m;

    if (w->ipv6)
        ask_by_solicitation(w, &frame);
    else
        ask_by_arp(w, &frame);
    m = test_frame_packet(w->control, &frame);
    if (weir_link_input(w->link, w->now, m) == RTE_ETHER_TYPE_IPV6)
        cr_assert_eq(weir_ip_input(w->ip, w->now, RTE_ETHER_TYPE_IPV6, &m, &rx), 0);
    take_burst(&w->burst);
    w->asked = false;
}

void wire_open(struct wire *w)
{
    struct weir_link_options link = {.mac = w->mac, .mtu = w->mtu, .capabilities = w->capabilities};
    struct weir_ip_options ip = {.pool = NULL};

    w->sent = calloc(WIRE_SENT_MAX, sizeof(*w->sent));
    cr_assert_not_null(w->sent);
    w->burst.flush = take_burst;
    w->pool = make_pool(w, w->pool_size != 0 ? w->pool_size : 512, 0);
    w->control = make_pool(w, w->control_size != 0 ? w->control_size : 256, w->control_room);
    cr_assert(w->pool != NULL && w->control != NULL);
    if (w->finish)
        nic_open(&w->nic);
    w->options.references = w->references_size != 0 ? make_references(w->references_size) : NULL;
    w->options.pieces_max = 64;
    link.pool = ip.pool = w->control;
    cr_assert_eq(weir_link_open(&w->link, &link, &w->burst), 0);
    cr_assert_eq(weir_ip_open(&w->ip, &ip, w->link), 0);
    cr_assert_eq(weir_ip_add_address(w->ip, &w->address, w->ipv6 ? 64 : 24, 0), 0);
    w->options.pool = w->pool;
    w->options.control_pool = w->control;
    cr_assert_eq(weir_tcp_open(&w->tcp, &w->options, w->ip), 0);
    w->sent_count = w->sent_taken = 0;
    introduce_peer(w);
}

void wire_close_quietly(struct wire *w)
{
    weir_tcp_destroy(w->tcp);
    weir_ip_close(w->ip);
    weir_link_close(w->link);
    take_burst(&w->burst);
    wire_release(w);
    test_pool_is_full(w->pool);
    test_pool_is_full(w->control);
    if (w->finish)
        nic_close(&w->nic);
    if (w->options.references != NULL)
        test_pool_is_full(w->options.references);
    free(w->sent);
}

void wire_close(struct wire *w)
{
    NOTHING(w);
    wire_close_quietly(w);
}

/* ---- in ---- */

static unsigned put_options(const struct wire *w, const struct wire_segment *s, uint8_t *options)
{
    struct weir_tcp_option_values values = {.has_timestamps = w->timestamps && !s->no_ts,
                                            .timestamp = s->ts_is ? s->ts : w->ts,
                                            .timestamp_echo = w->ts_echo};
    if (s->flags & SYN) {
        values.mss = w->peer_mss;
        values.has_scale = w->peer_scale >= 0;
        values.scale = (uint8_t)w->peer_scale;
    }
    values.sack_permitted = (s->flags & SYN) && w->sack;
    values.sack_count = (uint8_t)s->sack_count;
    for (unsigned i = 0; i < s->sack_count; i++)
        values.sack[i] = (struct weir_tcp_sack_block){w->iss + s->sack[i].left, w->iss + s->sack[i].right};
    return weir_tcp_options_write(options, &values);
}

/* Spreads a packet over several mbufs. */
static struct rte_mbuf *spread(struct wire *w, struct rte_mbuf *m, unsigned segments, uint32_t front)
{
    uint32_t length = m->pkt_len - front, each = RTE_MAX(length / segments, 1u);
    struct rte_mbuf *head = test_packet(w->pool, rte_pktmbuf_mtod(m, void *), (uint16_t)front);

    for (uint32_t at = front; at < m->pkt_len; at += each)
        cr_assert_eq(rte_pktmbuf_chain(head, test_packet(w->pool, rte_pktmbuf_mtod_offset(m, void *, at),
                                                         (uint16_t)RTE_MIN(each, m->pkt_len - at))),
                     0);
    rte_pktmbuf_free(m);
    return head;
}

/* The header of a packet from the peer with `length` bytes in it. */
static void put_ipv4(const struct wire *w, uint8_t *at, uint8_t tos, uint16_t length)
{
    struct rte_ipv4_hdr ip = {.version_ihl = RTE_IPV4_VHL_DEF,
                              .type_of_service = tos,
                              .total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ip) + length)),
                              .time_to_live = 64,
                              .next_proto_id = IPPROTO_TCP,
                              .src_addr = w->peer_address.words[3],
                              .dst_addr = w->address.words[3]};

    ip.hdr_checksum = (uint16_t)~weir_sum(&ip, sizeof(ip));
    memcpy(at, &ip, sizeof(ip));
}

static void put_ip(const struct wire *w, uint8_t *at, uint8_t tos, uint16_t length)
{
    if (w->ipv6)
        weir_ipv6_write(at, &(struct weir_ipv6){.src = w->peer_address,
                                                .dst = w->address,
                                                .payload_length = length,
                                                .traffic_class = tos,
                                                .hop_limit = 64,
                                                .next_header = IPPROTO_TCP});
    else
        put_ipv4(w, at, tos, length);
}

struct rte_mbuf *wire_frame(struct wire *w, const struct wire_segment *s)
{
    struct rte_ether_hdr ethernet = {
        .dst_addr = w->mac, .src_addr = w->peer_mac, .ether_type = rte_cpu_to_be_16(ether_type(w))};
    uint8_t options[WEIR_TCP_OPTIONS_MAX];
    unsigned options_length = put_options(w, s, options);
    struct weir_tcp_header header = {
        .src_port = w->peer_port,
        .dst_port = w->port,
        .seq = s->absolute ? s->seq : w->isn + s->seq,
        .ack = !(s->flags & ACK) ? 0
               : s->absolute     ? s->ack
                                 : w->iss + s->ack,
        .header_length = (uint8_t)(WEIR_TCP_HEADER_LENGTH + options_length),
        .flags = s->flags,
        .window = (uint16_t)(s->window_is ? s->window : w->window),
    };
    uint32_t tcp_length = header.header_length + s->length;
    struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
    uint8_t *at;
    uint16_t checksum;

    if (m == NULL)
        return NULL;
    memcpy(rte_pktmbuf_append(m, sizeof(ethernet)), &ethernet, sizeof(ethernet));
    put_ip(w, (uint8_t *)rte_pktmbuf_append(m, wire_ip_length(w)), s->tos, (uint16_t)tcp_length);
    at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)tcp_length);
    weir_tcp_header_write(at, &header);
    memcpy(at + WEIR_TCP_HEADER_LENGTH, options, options_length);
    test_put16(at + offsetof(struct rte_tcp_hdr, tcp_urp), s->urgent);
    for (uint32_t i = 0; i < s->length; i++)
        at[header.header_length + i] = wire_byte(false, header.seq - w->isn + i);
    checksum = weir_checksum_join(weir_sum_addresses(&w->peer_address, &w->address, IPPROTO_TCP), (uint16_t)tcp_length,
                                  weir_sum(at, tcp_length));
    if (s->bad_checksum)
        checksum ^= 0x0100;
    memcpy(at + offsetof(struct rte_tcp_hdr, cksum), &checksum, sizeof(checksum));
    if (s->segments > 1)
        m = spread(w, m, s->segments, (uint32_t)sizeof(ethernet) + wire_ip_length(w) + header.header_length);
    return m;
}

void wire_feed(struct wire *w, struct rte_mbuf *frame)
{
    struct weir_ip_rx rx;

    if (weir_link_input(w->link, w->now, frame) != ether_type(w))
        return;
    switch (weir_ip_input(w->ip, w->now, ether_type(w), &frame, &rx)) {
    case IPPROTO_TCP:
        weir_tcp_input(w->tcp, w->now, &frame, &rx, 1);
        break;
    case IPPROTO_ICMP:
        weir_tcp_icmp_error(w->tcp, w->now, &rx);
        break;
    }
}

void wire_put(struct wire *w, struct wire_segment segment)
{
    struct rte_mbuf *frame = wire_frame(w, &segment);

    cr_assert_not_null(frame, "the pool is empty");
    wire_feed(w, frame);
}

/* ---- time ---- */

void wire_flush(struct wire *w)
{
    weir_tcp_flush(w->tcp, w->now);
    take_burst(&w->burst);
    if (w->asked)
        introduce_peer(w);
}

void wire_advance(struct wire *w, weir_time by)
{
    weir_time until = w->now + by, next;

    wire_flush(w);
    while ((next = weir_tcp_next_deadline(w->tcp)) <= until) {
        w->now = RTE_MAX(w->now, next);
        weir_tcp_timers(w->tcp, w->now);
        wire_flush(w);
    }
    w->now = until;
}

/* ---- out ---- */

/* Checks the header in front of `length` bytes in all; moves `at` behind it. Returns its type of service. */
static uint8_t read_ipv4(const struct wire *w, const uint8_t **at, size_t *length)
{
    struct weir_ipv4 ip;

    cr_assert_eq(weir_ipv4_parse(*at, *length, &ip), 0);
    cr_assert(ip.protocol == IPPROTO_TCP && ip.total_length == *length &&
              rte_cpu_to_be_32(ip.src) == w->address.words[3]);
    if (w->finish || !(w->capabilities & WEIR_DEV_TX_IPV4_CKSUM))
        cr_assert_eq(weir_sum(*at, sizeof(struct rte_ipv4_hdr)), 0xffff, "an IP checksum is wrong");
    *at += ip.header_length;
    *length -= ip.header_length;
    return ip.tos;
}

static uint8_t read_ipv6(const struct wire *w, const uint8_t **at, size_t *length)
{
    struct weir_ipv6 ip;

    cr_assert_eq(weir_ipv6_parse(*at, *length, &ip), 0);
    *at += WEIR_IPV6_HEADER_LENGTH;
    *length -= WEIR_IPV6_HEADER_LENGTH;
    cr_assert(ip.next_header == IPPROTO_TCP && ip.payload_length == *length &&
              weir_address_equal(&ip.src, &w->address));
    return ip.traffic_class;
}

static void decode(struct wire *w, const struct wire_frame *frame, struct wire_seen *seen)
{
    const uint8_t *at = frame->bytes + sizeof(struct rte_ether_hdr);
    size_t length = frame->length - sizeof(struct rte_ether_hdr);
    uint8_t tos = w->ipv6 ? read_ipv6(w, &at, &length) : read_ipv4(w, &at, &length);
    struct weir_tcp_header header;

    cr_assert_eq(weir_tcp_header_parse(at, length, &header), 0);
    if (w->finish || !(w->capabilities & WEIR_DEV_TX_TCP_CKSUM))
        cr_assert_eq(weir_checksum_join(weir_sum_addresses(&w->address, &w->peer_address, IPPROTO_TCP),
                                        (uint16_t)length, weir_sum(at, length)),
                     0, "a TCP checksum is wrong");
    *seen = (struct wire_seen){.at = frame->at,
                               .flags = header.flags,
                               .seq = header.seq,
                               .ack = header.ack,
                               .length = (uint32_t)(length - header.header_length),
                               .window = header.window,
                               .tos = tos,
                               .port = header.src_port,
                               .peer_port = header.dst_port};
    weir_tcp_options_parse(at + WEIR_TCP_HEADER_LENGTH, header.header_length - WEIR_TCP_HEADER_LENGTH, &seen->options);
    memcpy(seen->payload, at + header.header_length, seen->length);
}

bool wire_next(struct wire *w, struct wire_seen *seen)
{
    if (w->sent_taken == w->sent_count) {
        w->sent_taken = w->sent_count = 0;
        return false;
    }
    decode(w, &w->sent[w->sent_taken++], seen);
    if (seen->flags & SYN)
        w->iss = seen->seq;
    if (seen->options.has_timestamps)
        w->ts_echo = seen->options.timestamp;
    seen->seq -= w->iss;
    if (seen->flags & ACK)
        seen->ack -= w->isn;
    return true;
}

static const char *flags_text(uint8_t flags, char text[8])
{
    char *at = text;
    static const char letters[] = "FSRPA";

    for (int i = 0; i < 5; i++)
        if (flags & 1 << i)
            *at++ = letters[i];
    *at = 0;
    return text;
}

struct wire_seen wire_expect_at(struct wire *w, const char *file, int line, uint8_t flags, uint32_t seq, uint32_t ack,
                                uint32_t length)
{
    struct wire_seen seen;
    char a[8], b[8];

    wire_flush(w);
    if (!wire_next(w, &seen))
        cr_assert_fail("%s:%d: expected %s seq %u ack %u length %u, but nothing came out", file, line,
                       flags_text(flags, a), seq, ack, length);
    if ((seen.flags & ~PSH) != (flags & ~PSH) || seen.seq != seq || seen.ack != ack || seen.length != length)
        cr_assert_fail("%s:%d: expected %s seq %u ack %u length %u, but %s seq %u ack %u length %u came out", file,
                       line, flags_text(flags, a), seq, ack, length, flags_text(seen.flags, b), seen.seq, seen.ack,
                       seen.length);
    for (uint32_t i = 0; i < seen.length; i++)
        cr_assert_eq(seen.payload[i], wire_byte(true, seen.seq + i), "%s:%d: byte %u of the payload is wrong", file,
                     line, i);
    return seen;
}

void wire_expect_nothing_at(struct wire *w, const char *file, int line)
{
    struct wire_seen seen;
    char text[8];

    wire_flush(w);
    if (wire_next(w, &seen))
        cr_assert_fail("%s:%d: expected nothing, but %s seq %u ack %u length %u came out", file, line,
                       flags_text(seen.flags, text), seen.seq, seen.ack, seen.length);
}

/* ---- what most tests begin with ---- */

struct weir_tcp_listener *wire_listen(struct wire *w, unsigned backlog)
{
    struct weir_tcp_listener *listener;

    cr_assert_eq(weir_tcp_listen(w->tcp, w->port, backlog, w, &listener), 0);
    return listener;
}

struct weir_tcp_connection *wire_accept(struct wire *w, struct weir_tcp_listener *listener)
{
    struct weir_tcp_connection *c;

    IN(w, .flags = SYN);
    OUT(w, SYN | ACK, 0, 1, 0);
    IN(w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_accept(w->tcp, listener, NULL, &c), 0);
    weir_tcp_set_user(c, c);
    NOTHING(w);
    w->written = w->read = 0;
    return c;
}

struct weir_tcp_connection *wire_connect(struct wire *w)
{
    struct weir_endpoint remote = wire_remote(w, w->peer_port);
    struct weir_tcp_connection *c;

    cr_assert_eq(weir_tcp_connect(w->tcp, w->now, &remote, w->port, NULL, &c), 0);
    weir_tcp_set_user(c, c);
    OUT(w, SYN, 0, 0, 0);
    IN(w, .flags = SYN | ACK, .ack = 1);
    OUT(w, ACK, 1, 1, 0);
    cr_assert_eq(wire_events(w, c), WEIR_TCP_CONNECTED);
    w->written = w->read = 0;
    return c;
}

struct weir_tcp_connection *wire_established(struct wire *w)
{
    struct weir_tcp_connection *c = wire_accept(w, wire_listen(w, 8));

    wire_events(w, c);
    return c;
}

struct rte_mbuf *wire_payload(struct wire *w, uint32_t length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
    uint8_t *at;

    cr_assert_not_null(m, "the pool is empty");
    at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)length);
    cr_assert_not_null(at);
    for (uint32_t i = 0; i < length; i++)
        at[i] = wire_byte(true, (uint32_t)(1 + w->written + i));
    w->written += length;
    return m;
}

void wire_send(struct wire *w, struct weir_tcp_connection *c, uint32_t length)
{
    cr_assert_eq(weir_tcp_send(w->tcp, c, wire_payload(w, length)), 0);
}

uint32_t wire_read(struct wire *w, struct weir_tcp_connection *c)
{
    struct rte_mbuf *m;
    uint32_t total = 0;
    int n;

    while ((n = weir_tcp_receive(w->tcp, c, &m)) > 0) {
        uint8_t copy[65536];
        const uint8_t *bytes = rte_pktmbuf_read(m, 0, m->pkt_len, copy);

        cr_assert_eq((uint32_t)n, m->pkt_len);
        for (int i = 0; i < n; i++)
            cr_assert_eq(bytes[i], wire_byte(false, (uint32_t)(1 + w->read) + (uint32_t)i),
                         "byte %llu of the stream is wrong", (unsigned long long)w->read + (unsigned)i);
        w->read += (uint32_t)n;
        total += (uint32_t)n;
        rte_pktmbuf_free(m);
    }
    return total;
}

unsigned wire_events(struct wire *w, void *user)
{
    unsigned events, found = 0;
    void *of;

    while ((of = weir_tcp_next_event(w->tcp, &events)) != NULL)
        if (of == user)
            found |= events;
    return found;
}
