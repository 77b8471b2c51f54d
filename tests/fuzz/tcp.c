/* Segments and user calls into one TCP machine. An input is a sequence of operations of OP_SIZE bytes, see `enum op`;
 * numbers are near what the machine expects, so that an input soon gets past the handshake. Whatever comes: nothing is
 * read or written out of bounds, no packet is lost, and after each operation every connection's numbers and queues
 * agree with each other. */
#include "../../net/tcp/tcp_private.h"
#include <rte_eal.h>
#include <stdlib.h>

enum op { SEGMENT, SEGMENT_WITH_OPTIONS, USER, TIME, FLUSH, ICMP, STARVE, FEED, OPS };
enum user {
    ACCEPT,
    CONNECT,
    SEND,
    SEND_LONG,
    SEND_SHARED,
    RECEIVE,
    RECEIVE_COPY,
    SHUTDOWN,
    CLOSE,
    ABORT,
    EVENTS,
    USERS
};

#define OP_SIZE 8
#define PEERS 4
#define CONNECTIONS 6

/* One peer's port, and what was last seen of the machine there. */
struct peer {
    uint16_t port;
    uint32_t seq, ack; /* what the machine expects next, and has sent last */
    uint32_t timestamp;
};

static struct {
    struct weir_burst burst;
    struct weir_link *link;
    struct weir_ip *ip;
    struct weir_tcp *tcp;
    struct weir_tcp_listener *listener;
    struct weir_tcp_connection *held[CONNECTIONS];
    struct peer peers[PEERS];
    struct rte_mbuf *starved[256], *shared;
    unsigned starved_count;
    weir_time now;
    struct weir_address us, peer;
    uint16_t ether_type;
} f;

static struct rte_mempool *pool, *control;
static const struct rte_ether_addr us_mac = {{2, 0, 0, 0, 0, 1}}, peer_mac = {{2, 0, 0, 0, 0, 2}};

#define US WEIR_IPV4(10, 0, 0, 1)
#define PEER WEIR_IPV4(10, 0, 0, 2)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char *eal[] = {"fuzz", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "64", "-l", "0"};

    (void)argc;
    (void)argv;
    if (rte_eal_init(RTE_DIM(eal), eal) < 0 || weir_packet_register() < 0)
        abort();
    pool = rte_pktmbuf_pool_create("fuzz", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    control = rte_pktmbuf_pool_create("control", 127, 0, 0, RTE_PKTMBUF_HEADROOM + 200, SOCKET_ID_ANY);
    if (pool == NULL || control == NULL)
        abort();
    return 0;
}

/* ---- what must hold of a connection at any time ---- */

static uint32_t queue_bytes(struct rte_mbuf *first, struct rte_mbuf *tail, bool sorted)
{
    uint32_t bytes = 0;
    struct rte_mbuf *last = NULL;

    for (struct rte_mbuf *m = first; m != NULL; last = m, m = weir_packet(m)->next) {
        WEIR_ASSERT(rte_mbuf_check(m, 1, &(const char *){NULL}) == 0);
        if (sorted && last != NULL)
            WEIR_ASSERT(!seq_before(weir_packet(m)->tcp.seq, weir_packet(last)->tcp.seq + weir_packet(last)->tcp.len));
        bytes += sorted ? weir_packet(m)->tcp.len : m->pkt_len;
    }
    WEIR_ASSERT(tail == last);
    return bytes;
}

static void check_connection(struct weir_tcp_connection *c)
{
    uint32_t unsent = c->snd_nxt;

    WEIR_ASSERT(!seq_after(c->snd_una, c->snd_nxt) && !seq_after(c->snd_nxt, c->snd_max));
    WEIR_ASSERT(!seq_after(c->snd_max, c->snd_end + !!(c->flags & F_FIN)));
    WEIR_ASSERT(!seq_after(c->rcv_nxt, c->rcv_edge));
    WEIR_ASSERT_EQ(queue_bytes(c->receive.head, c->receive.tail, false), c->rcv_queued);
    (void)queue_bytes(c->out_of_order.head, c->out_of_order.tail, true);
    if (c->out_of_order.head != NULL)
        WEIR_ASSERT(seq_after(weir_packet(c->out_of_order.head)->tcp.seq, c->rcv_nxt));
    if (!tcp_synchronized(c))
        return;
    if (seq_before(c->snd_una, c->snd_end))
        WEIR_ASSERT_EQ(queue_bytes(c->send.head, c->send.tail, true), c->snd_end - c->snd_una);
    else
        WEIR_ASSERT(c->send.head == NULL);
    if (seq_before(unsent, c->snd_end)) {
        struct weir_packet *packet = weir_packet(c->send_next);
        WEIR_ASSERT(unsent - packet->tcp.seq < packet->tcp.len);
    } else {
        WEIR_ASSERT(c->send_next == NULL);
    }
    if (c->snd_una != c->snd_max && c->state != WEIR_TCP_TIME_WAIT) /* somebody will look after what is in flight */
        WEIR_ASSERT(((c->flags & F_RTX) && (c->flags & F_TIMER)) || (c->flags & F_DIRTY));
    if (c->flags & F_TIMER)
        WEIR_ASSERT(weir_timer_armed(&c->timer) && (!(c->flags & F_RTX) || c->timer.deadline <= c->rtx_at));
}

static void check_machine(void)
{
    unsigned used = 0;

    for (uint32_t i = 0; i < f.tcp->connections_max; i++)
        if (f.tcp->connections[i].state != WEIR_TCP_CLOSED) {
            struct tcp_key key = tcp_key_of(&f.tcp->connections[i]);
            check_connection(&f.tcp->connections[i]);
            WEIR_ASSERT(tcp_lookup(f.tcp, &key, f.tcp->connections[i].hash) != NULL);
            used++;
        }
    WEIR_ASSERT(used <= f.tcp->stats.connections);
    WEIR_ASSERT_EQ(f.tcp->stats.connections + f.tcp->free_count, f.tcp->connections_max);
}

/* ---- the wire ---- */

static void look_at(struct rte_mbuf *m)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    uint32_t at = f.ether_type == RTE_ETHER_TYPE_IPV4 ? 34 : 54;
    struct weir_tcp_option_values options;
    struct weir_tcp_header header;

    WEIR_ASSERT(rte_mbuf_check(m, 1, &(const char *){NULL}) == 0);
    if (m->pkt_len < at + 20 || (frame[12] << 8 | frame[13]) != f.ether_type)
        return;
    if (f.ether_type == RTE_ETHER_TYPE_IPV6 && frame[20] != IPPROTO_TCP) /* neighbour discovery */
        return;
    WEIR_ASSERT_EQ(weir_tcp_header_parse(frame + at, m->data_len - at, &header), 0);
    WEIR_ASSERT_EQ(weir_checksum_join(weir_sum_addresses(&f.us, &f.peer, IPPROTO_TCP), (uint16_t)(m->pkt_len - at),
                                      weir_sum(frame + at, m->pkt_len - at)),
                   0);
    weir_tcp_options_parse(frame + at + 20, header.header_length - 20u, &options);
    for (int i = 0; i < PEERS; i++)
        if (f.peers[i].port == header.dst_port) {
            f.peers[i].ack = header.seq + (m->pkt_len - at - header.header_length) + !!(header.flags & (SYN | FIN));
            if (header.flags & ACK)
                f.peers[i].seq = header.ack;
            f.peers[i].timestamp = options.timestamp;
        }
}

static void take_sent(struct weir_burst *burst)
{
    for (unsigned i = 0; i < burst->count; i++) {
        look_at(burst->packets[i]);
        rte_pktmbuf_free(burst->packets[i]);
    }
    burst->count = 0;
}

static void introduce_peer(void)
{
    weir_link_heard_of(f.link, f.now, &f.peer, &peer_mac);
    take_sent(&f.burst);
}

/* data: op, peer and flags, flags, seq, ack, length, window, timestamp */
static void segment(const uint8_t *data, bool with_options)
{
    struct peer *peer = &f.peers[data[1] % PEERS];
    uint8_t options[WEIR_TCP_OPTIONS_MAX] = {0};
    struct weir_tcp_option_values values = {.has_timestamps = !(data[1] & 4),
                                            .timestamp = (uint32_t)(f.now / 1000000) + (uint32_t)(int8_t)data[7] / 16,
                                            .timestamp_echo = peer->timestamp};
    struct weir_tcp_header header = {.src_port = peer->port,
                                     .dst_port = data[1] & 8 ? 1000 : 7,
                                     .seq = peer->seq + (uint32_t)(int8_t)data[3] * (data[1] & 16 ? 100u : 1u),
                                     .ack = peer->ack + (uint32_t)(int8_t)data[4] * (data[1] & 32 ? 100u : 1u),
                                     .flags = data[2] & 0x3f,
                                     .window = (uint16_t)(data[6] * (data[1] & 64 ? 256u : 1u))};
    unsigned options_length, length = data[5] * 8u;
    struct weir_ip_rx rx = {.src = f.peer, .dst = f.us, .protocol = IPPROTO_TCP};
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    uint8_t *at;

    if (m == NULL)
        return;
    if (header.flags & SYN) {
        values.mss = (uint16_t)(data[6] * 8);
        values.has_scale = data[7] & 1;
        values.scale = data[7] >> 4;
    }
    options_length = weir_tcp_options_write(options, &values);
    if (with_options) { /* anything */
        memcpy(options, data + 2, 6);
        options_length = data[7] % 11 * 4;
    }
    header.header_length = (uint8_t)(20 + options_length);
    if (length + header.header_length > rte_pktmbuf_tailroom(m))
        length = 1000;
    at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(header.header_length + length));
    weir_tcp_header_write(at, &header);
    memcpy(at + 20, options, options_length);
    memset(at + header.header_length, data[5], length);
    m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    if (data[1] & 128 && length > 10) { /* in two mbufs */
        struct rte_mbuf *rest = rte_pktmbuf_alloc(pool);
        if (rest != NULL) {
            memcpy(rte_pktmbuf_append(rest, 7), at + header.header_length + length - 7, 7);
            rte_pktmbuf_trim(m, 7);
            rte_pktmbuf_chain(m, rest);
        }
    }
    weir_tcp_input(f.tcp, f.now, &m, &rx, 1);
}

static void icmp(const uint8_t *data)
{
    struct peer *peer = &f.peers[data[1] % PEERS];
    struct weir_ip_rx rx = {.protocol = IPPROTO_ICMP,
                            .icmp_type = data[2] & 1 ? 3 : data[2],
                            .icmp_code = data[3] % 16,
                            .icmp_mtu = (uint16_t)(data[4] * 8),
                            .quoted_protocol = IPPROTO_TCP,
                            .quoted_src = f.us,
                            .quoted_dst = f.peer};
    struct weir_tcp_header quote = {
        .src_port = 7, .dst_port = peer->port, .seq = peer->ack - data[5] * 16u, .header_length = 20};
    uint8_t bytes[20];

    weir_tcp_header_write(bytes, &quote);
    memcpy(rx.icmp_quote, bytes, 8);
    weir_tcp_icmp_error(f.tcp, f.now, &rx);
}

/* ---- the user ---- */

static struct rte_mbuf *payload(unsigned length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    if (m != NULL)
        memset(rte_pktmbuf_append(m, (uint16_t)length), 'u', length);
    return m;
}

static void send_packet(struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    if (m != NULL && weir_tcp_send(f.tcp, c, m) != 0)
        rte_pktmbuf_free(m);
}

static void connect_or_accept(struct weir_tcp_connection **c, const uint8_t *data)
{
    struct weir_endpoint remote = weir_endpoint_of(&f.peer, f.peers[data[3] % PEERS].port);

    if (data[1] % USERS == ACCEPT ? weir_tcp_accept(f.tcp, f.listener, data[3] & 8 ? c : NULL, c) != 0
                                  : weir_tcp_connect(f.tcp, f.now, &remote, data[3] & 4 ? 7 : 1000, c, c) != 0)
        *c = NULL;
}

static void send_something(struct weir_tcp_connection *c, enum user what, unsigned size)
{
    struct rte_mbuf *m = payload(1 + size * 7 % 2000), *more;

    if (what == SEND_LONG && m != NULL && (more = payload(1 + size)) != NULL)
        rte_pktmbuf_chain(m, more);
    if (what == SEND_SHARED && m != NULL && f.shared == NULL) {
        f.shared = m;
        rte_mbuf_refcnt_update(m, 1);
    }
    send_packet(c, m);
}

static void use(struct weir_tcp_connection **c, enum user what, const uint8_t *data)
{
    uint8_t buffer[256];
    struct rte_mbuf *m;
    int n;

    switch (what) {
    case RECEIVE:
        n = weir_tcp_receive(f.tcp, *c, &m);
        if (n > 0 && data[3] & 1) /* echo */
            send_packet(*c, m);
        else if (n > 0)
            rte_pktmbuf_free(m);
        break;
    case RECEIVE_COPY:
        (void)!weir_tcp_receive_copy(f.tcp, *c, buffer, 1 + data[3]);
        break;
    case SHUTDOWN:
        (void)!weir_tcp_shutdown(f.tcp, *c);
        break;
    case CLOSE:
        weir_tcp_close(f.tcp, f.now, *c);
        *c = NULL;
        break;
    case ABORT:
        weir_tcp_abort(f.tcp, f.now, *c);
        *c = NULL;
        break;
    default:
        send_something(*c, what, data[3]);
        break;
    }
}

static void user(const uint8_t *data)
{
    struct weir_tcp_connection **c = &f.held[data[2] % CONNECTIONS];
    enum user what = data[1] % USERS;
    unsigned events;
    void *of;

    if (what == EVENTS) {
        while ((of = weir_tcp_next_event(f.tcp, &events)) != NULL)
            WEIR_ASSERT(of == &f || (of >= (void *)f.held && of < (void *)(f.held + CONNECTIONS)));
        return;
    }
    if (*c == NULL && what <= CONNECT)
        connect_or_accept(c, data);
    else if (*c != NULL && what > CONNECT)
        use(c, what, data);
}

/* ---- the run ---- */

static void starve(unsigned left)
{
    while (rte_mempool_avail_count(pool) > left && f.starved_count < RTE_DIM(f.starved))
        f.starved[f.starved_count++] = rte_pktmbuf_alloc(pool);
    while (rte_mempool_avail_count(control) > left % 8 && f.starved_count < RTE_DIM(f.starved))
        f.starved[f.starved_count++] = rte_pktmbuf_alloc(control);
}

static void feed(void)
{
    while (f.starved_count > 0)
        rte_pktmbuf_free(f.starved[--f.starved_count]);
    rte_pktmbuf_free(f.shared);
    f.shared = NULL;
}

static void operate(const uint8_t *data)
{
    switch ((enum op)(data[0] % OPS)) {
    case SEGMENT:
        segment(data, false);
        break;
    case SEGMENT_WITH_OPTIONS:
        segment(data, true);
        break;
    case USER:
        user(data);
        break;
    case TIME:
        f.now += (weir_time)1000 << data[1] % 28;
        weir_tcp_timers(f.tcp, f.now);
        break;
    case ICMP:
        icmp(data);
        break;
    case STARVE:
        starve(data[1]);
        break;
    case FEED:
        feed();
        break;
    default:
        break;
    }
    if (data[0] & 128 || data[0] % OPS == FLUSH) {
        weir_tcp_flush(f.tcp, f.now);
        take_sent(&f.burst);
    }
}

static void open_machine(uint8_t choice)
{
    struct weir_link_options link = {.mac = us_mac, .pool = control};
    struct weir_ip_options ip = {.address = US, .prefix = 24, .pool = control};
    struct weir_tcp_options tcp = {.connections_max = CONNECTIONS - 1,
                                   .listeners_max = 1,
                                   .receive_buffer = choice & 1 ? 3000 : 0,
                                   .send_buffer = choice & 2 ? 3000 : 0,
                                   .packets_max = choice & 4 ? 10 : 100,
                                   .pool = pool,
                                   .control_pool = control,
                                   .key = {choice}};

    memset(&f, 0, sizeof(f));
    f.us = weir_address_v4(US);
    f.peer = weir_address_v4(PEER);
    f.ether_type = RTE_ETHER_TYPE_IPV4;
    if (choice & 32) {
        f.us = (struct weir_address){.bytes = {0xfd, [15] = 1}};
        f.peer = (struct weir_address){.bytes = {0xfd, [15] = 2}};
        f.ether_type = RTE_ETHER_TYPE_IPV6;
    }
    if (choice & 64) {
        tcp.delayed_ack = WEIR_MILLISECONDS(40);
        tcp.mtu_probing = WEIR_TCP_MTU_ALWAYS;
    }
    f.burst.flush = take_sent;
    f.now = WEIR_SECONDS(1) * (choice & 8 ? 1 : 20000);
    for (int i = 0; i < PEERS; i++)
        f.peers[i] = (struct peer){.port = (uint16_t)(40000 + i), .seq = choice & 16 ? 0u - 50 : 5};
    if (weir_link_open(&f.link, &link, &f.burst) < 0 || weir_ip_open(&f.ip, &ip, f.link) < 0 ||
        ((choice & 32) && weir_ip_add_address(f.ip, &f.us, 64, 0) < 0) || weir_tcp_open(&f.tcp, &tcp, f.ip) < 0 ||
        weir_tcp_listen(f.tcp, 7, 2, &f, &f.listener) < 0)
        abort();
    introduce_peer();
}

static void close_machine(void)
{
    feed();
    weir_tcp_destroy(f.tcp);
    weir_ip_close(f.ip);
    weir_link_close(f.link);
    take_sent(&f.burst);
    WEIR_ASSERT_EQ(rte_mempool_in_use_count(pool), 0);
    WEIR_ASSERT_EQ(rte_mempool_in_use_count(control), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    open_machine(data[0]);
    for (data++, size--; size >= OP_SIZE; data += OP_SIZE, size -= OP_SIZE) {
        operate(data);
        check_machine();
    }
    close_machine();
    return 0;
}
