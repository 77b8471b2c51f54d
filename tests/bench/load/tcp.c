/* TCP echo and connect-request-close: just enough TCP to be a correct client on a link that seldom loses anything.
 * One request is one segment; its reply carries the ACK, and the next request acknowledges the reply. After silence the
 * oldest unanswered request and all behind it are sent again. The server's window is trusted to hold `depth` requests.
 */
#include "frame.h"

#include <rte_malloc.h>
#include <stdlib.h>

#define PORT_FIRST 10000
#define PORT_LAST 65000
#define HANDSHAKES_MAX 256 /* begun and not yet answered, so that a thousand connections do not come as one burst */

enum state { CLOSED, SYN_SENT, ESTABLISHED, FIN_SENT };

struct connection {
    uint32_t snd_una, snd_nxt, rcv_nxt;
    uint32_t request, reply; /* numbers of the next to send, and of the next to be answered */
    uint32_t last;           /* milliseconds: when something last went out or was answered  */
    uint32_t started;        /* crr: low half of the cycle counter at the SYN               */
    uint32_t peer_stamp;     /* RFC 7323: what to echo                                      */
    uint16_t port;           /* ours                                                        */
    uint16_t partial;        /* bytes of a reply that has come in part                      */
    uint8_t state;
    bool peer_closed;
};

enum kind { SYN, REQUEST, ACK, FIN, KINDS };

struct tcp_client {
    struct load *load;
    uint32_t count, depth, size;
    uint32_t established, opening;
    uint32_t milliseconds;
    uint32_t header; /* bytes of TCP header in every segment but the SYNs */
    bool crr, ending;
    struct frame frames[KINDS];
    struct connection connection[];
};

static void build_frames(struct tcp_client *client, const struct load *load)
{
    /* MSS; NOP NOP timestamps, whose values are filled in. Source: RFC 9293 section 3.7.1, RFC 7323 section 3.2. */
    static const uint8_t syn[] = {2, 4, 1460 >> 8, 1460 & 0xff, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    unsigned stamps = load->options.timestamps ? 12 : 0;

    client->header = sizeof(struct rte_tcp_hdr) + stamps;
    frame_build_tcp(&client->frames[SYN], load, RTE_TCP_SYN_FLAG, syn, 4 + stamps, 0);
    frame_build_tcp(&client->frames[REQUEST], load, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG, syn + 4, stamps, client->size);
    frame_build_tcp(&client->frames[ACK], load, RTE_TCP_ACK_FLAG, syn + 4, stamps, 0);
    frame_build_tcp(&client->frames[FIN], load, RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG, syn + 4, stamps, 0);
}

static void *tcp_open(struct load *load)
{
    uint32_t count = load->options.connections;
    struct tcp_client *client = rte_zmalloc("tcp", sizeof(*client) + count * sizeof(struct connection), 64);

    if (client == NULL)
        rte_exit(EXIT_FAILURE, "weir-load: out of memory\n");
    client->load = load;
    client->count = count;
    client->crr = load->options.mode == MODE_CRR;
    client->depth = client->crr ? 1 : load->options.depth;
    client->size = load->options.size;
    build_frames(client, load);
    for (uint32_t i = 0; i < count; i++)
        client->connection[i].port = (uint16_t)(PORT_FIRST + i);
    return client;
}

/* ---- out ---- */

/* Writes a segment of a kind with sequence number `seq` into m and sends it. */
static inline void emit(struct tcp_client *client, struct connection *c, enum kind kind, uint32_t seq, uint32_t tag,
                        struct rte_mbuf *m)
{
    const struct frame *frame = &client->frames[kind];
    struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, FRAME_L4);
    uint64_t sum = frame->sum;

    frame_write(frame, m);
    tcp->src_port = rte_cpu_to_be_16(c->port);
    tcp->sent_seq = rte_cpu_to_be_32(seq);
    tcp->recv_ack = kind == SYN ? 0 : rte_cpu_to_be_32(c->rcv_nxt);
    sum += (uint64_t)tcp->src_port + tcp->sent_seq + tcp->recv_ack;
    if (client->header != sizeof(*tcp)) {
        uint32_t *stamps = rte_pktmbuf_mtod_offset(m, uint32_t *, FRAME_L4 + sizeof(*tcp) + (kind == SYN ? 8 : 4));

        stamps[0] = rte_cpu_to_be_32(client->milliseconds);
        stamps[1] = c->peer_stamp;
        sum += (uint64_t)stamps[0] + stamps[1];
    }
    if (kind == REQUEST) {
        struct mark *mark = rte_pktmbuf_mtod_offset(m, struct mark *, frame->payload);

        mark->tag = tag;
        mark->stamp = (uint32_t)client->load->now;
        sum += (uint64_t)mark->tag + mark->stamp;
    }
    tcp->cksum = frame_checksum(sum);
    load_send(client->load, m);
}

static inline void send_ack(struct tcp_client *client, struct connection *c, struct rte_mbuf *m)
{
    emit(client, c, ACK, c->snd_nxt, 0, m);
}

/* Sends the next request in m. */
static inline void send_request(struct tcp_client *client, struct connection *c, struct rte_mbuf *m)
{
    emit(client, c, REQUEST, c->snd_nxt, c->request, m);
    c->snd_nxt += client->size;
    c->request++;
    c->last = client->milliseconds;
}

static void send_fin(struct tcp_client *client, struct connection *c, struct rte_mbuf *m)
{
    emit(client, c, FIN, c->snd_nxt, 0, m);
    c->snd_nxt++;
    c->state = FIN_SENT;
    c->last = client->milliseconds;
}

static void send_syn(struct tcp_client *client, struct connection *c, struct rte_mbuf *m)
{
    c->state = SYN_SENT;
    c->last = client->milliseconds;
    emit(client, c, SYN, c->snd_una, 0, m);
    c->snd_nxt = c->snd_una + 1;
}

static void open_connection(struct tcp_client *client, struct connection *c, struct rte_mbuf *m)
{
    uint32_t now = (uint32_t)client->load->now;

    c->snd_una = now ^ ((uint32_t)c->port << 16);
    c->request = c->reply = 0;
    c->partial = 0;
    c->peer_closed = false;
    c->peer_stamp = 0;
    c->started = now;
    client->opening++;
    send_syn(client, c, m);
}

/* ---- in ---- */

/* Reads one reply, or the part of one that this segment holds, at `data`. Returns the bytes read. */
static inline uint32_t read_reply(struct tcp_client *client, struct connection *c, const uint8_t *data, uint32_t length)
{
    struct load *load = client->load;
    uint32_t missing = client->size - c->partial, take = length < missing ? length : missing;

    if (c->partial == 0 && take >= sizeof(struct mark)) {
        const struct mark *mark = (const void *)data;

        if (mark->tag != c->reply)
            load->stats.bad_tags++;
        else if (load->measuring && !client->crr)
            histogram_add(&load->latency, (uint32_t)load->now - mark->stamp);
    }
    if (take < missing) {
        c->partial += take;
        return take;
    }
    c->partial = 0;
    c->reply++;
    c->last = client->milliseconds;
    if (load->measuring && !client->crr)
        load->stats.replies++;
    return take;
}

/* Reads what arrived in order, and answers: with requests, with a FIN when all is done, or else with a bare ACK. */
static inline void read_data(struct tcp_client *client, struct connection *c, const uint8_t *data, uint32_t length,
                             struct rte_mbuf *m)
{
    uint32_t answered = c->reply, used = 0;

    while (used < length && c->reply != c->request)
        used += read_reply(client, c, data + used, length - used);
    if (used < length)
        client->load->stats.bad_tags++; /* more than was asked for */
    c->rcv_nxt += length;
    answered = c->reply - answered;
    if (client->crr ? answered != 0 : client->ending && c->reply == c->request) {
        send_fin(client, c, m);
        return;
    }
    if (answered == 0 || client->ending) {
        send_ack(client, c, m);
        return;
    }
    send_request(client, c, m);
    while (--answered > 0)
        send_request(client, c, load_alloc(client->load));
}

/* A conversation has ended. In crr the next one takes its place, from another port, so that the server cannot lean on
 * seeing the same few addresses again. */
static void conversation_ended(struct tcp_client *client, struct connection *c)
{
    c->state = CLOSED;
    client->established--;
    if (!client->crr || client->ending)
        return;
    c->port = c->port + client->count <= PORT_LAST ? c->port + client->count : PORT_FIRST + (c - client->connection);
    open_connection(client, c, load_alloc(client->load));
}

static void count_conversation(struct tcp_client *client, const struct connection *c)
{
    struct load *load = client->load;

    if (!client->crr || !load->measuring)
        return;
    load->stats.replies++;
    histogram_add(&load->latency, (uint32_t)load->now - c->started);
}

static void input_syn_sent(struct tcp_client *client, struct connection *c, const struct rte_tcp_hdr *tcp,
                           struct rte_mbuf *m)
{
    if ((tcp->tcp_flags & (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG)) != (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG) ||
        rte_be_to_cpu_32(tcp->recv_ack) != c->snd_nxt) {
        client->load->stats.out_of_order++;
        rte_pktmbuf_free(m);
        return;
    }
    c->snd_una = c->snd_nxt;
    c->rcv_nxt = rte_be_to_cpu_32(tcp->sent_seq) + 1;
    c->state = ESTABLISHED;
    client->opening--;
    client->established++;
    send_request(client, c, m);
    while (c->request < client->depth)
        send_request(client, c, load_alloc(client->load));
}

/* The server's FIN, in order. It ends the conversation if ours is acknowledged; if the server was first, we follow. */
static void input_fin(struct tcp_client *client, struct connection *c, struct rte_mbuf *m)
{
    c->rcv_nxt++;
    c->peer_closed = true;
    if (c->state == ESTABLISHED) {
        client->load->stats.resets++;
        send_fin(client, c, m);
    } else {
        send_ack(client, c, m);
    }
}

static void input_reset(struct tcp_client *client, struct connection *c, struct rte_mbuf *m)
{
    client->load->stats.resets++;
    if (c->state == SYN_SENT) {
        client->opening--;
        client->established++;
    }
    conversation_ended(client, c);
    rte_pktmbuf_free(m);
}

static inline void input_open(struct tcp_client *client, struct connection *c, const struct rte_tcp_hdr *tcp,
                              uint32_t length, struct rte_mbuf *m)
{
    uint32_t header = (tcp->data_off >> 4) * 4u, seq = rte_be_to_cpu_32(tcp->sent_seq);
    uint32_t ack = rte_be_to_cpu_32(tcp->recv_ack);
    uint8_t flags = tcp->tcp_flags;
    const uint8_t *data = (const uint8_t *)tcp + header;

    if (ack - c->snd_una <= c->snd_nxt - c->snd_una)
        c->snd_una = ack;
    if (header != sizeof(*tcp) && client->header != sizeof(*tcp))
        memcpy(&c->peer_stamp, (const uint8_t *)(tcp + 1) + 4, sizeof(c->peer_stamp));
    if (seq != c->rcv_nxt) {
        client->load->stats.out_of_order++;
        send_ack(client, c, m);
        return;
    }
    if (length > header && c->state == ESTABLISHED) {
        read_data(client, c, data, length - header, m);
        m = NULL;
    }
    if (flags & RTE_TCP_FIN_FLAG) {
        input_fin(client, c, m != NULL ? m : load_alloc(client->load));
        m = NULL;
    }
    if (m != NULL)
        rte_pktmbuf_free(m);
    if (c->state == FIN_SENT && c->peer_closed && c->snd_una == c->snd_nxt) {
        count_conversation(client, c);
        conversation_ended(client, c);
    }
}

/* Returns the connection that a segment is for; NULL if there is none. */
static inline struct connection *connection_of(struct tcp_client *client, const struct rte_tcp_hdr *tcp)
{
    uint16_t port = rte_be_to_cpu_16(tcp->dst_port);
    uint32_t index = (uint32_t)port - PORT_FIRST;

    if (port < PORT_FIRST)
        return NULL;
    if (index >= client->count)
        index %= client->count;
    return client->connection[index].port == port ? &client->connection[index] : NULL;
}

static void tcp_input(void *driver, struct rte_mbuf *m)
{
    struct tcp_client *client = driver;
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, FRAME_IP);
    const struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, FRAME_L4);
    uint32_t length = rte_be_to_cpu_16(ip->total_length) - sizeof(*ip);
    struct connection *c;

    if (ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_TCP || m->nb_segs != 1 ||
        length + FRAME_L4 > m->data_len) {
        load_arp_input(client->load, m);
        return;
    }
    if (load_sample(client->load) && !frame_checksums_good(m))
        client->load->stats.bad_cksums++;
    c = connection_of(client, tcp);
    if (c == NULL || c->state == CLOSED) {
        rte_pktmbuf_free(m);
    } else if (tcp->tcp_flags & RTE_TCP_RST_FLAG) {
        input_reset(client, c, m);
    } else if (c->state == SYN_SENT) {
        input_syn_sent(client, c, tcp, m);
    } else {
        input_open(client, c, tcp, length, m);
    }
}

/* ---- time ---- */

/* Repeats what has been unanswered for too long: the SYN, the requests from the oldest on, or the FIN. */
static void repeat(struct tcp_client *client, struct connection *c)
{
    uint32_t seq = c->snd_nxt - (c->request - c->reply) * client->size;

    c->last = client->milliseconds;
    client->load->stats.retransmits++;
    if (c->state == SYN_SENT)
        send_syn(client, c, load_alloc(client->load));
    else if (c->state == FIN_SENT)
        emit(client, c, FIN, c->snd_nxt - 1, 0, load_alloc(client->load));
    else
        for (uint32_t tag = c->reply; tag != c->request; tag++, seq += client->size)
            emit(client, c, REQUEST, seq, tag, load_alloc(client->load));
}

static void tcp_every_millisecond(void *driver)
{
    struct tcp_client *client = driver;

    client->milliseconds++;
    for (uint32_t i = 0; i < client->count; i++) {
        struct connection *c = &client->connection[i];

        if (c->state != CLOSED) {
            if (client->milliseconds - c->last > client->load->options.timeout_ms)
                repeat(client, c);
        } else if (!client->ending && c->rcv_nxt == 0 && client->opening < HANDSHAKES_MAX) {
            open_connection(client, c, load_alloc(client->load));
        }
    }
}

static bool tcp_ready(void *driver)
{
    struct tcp_client *client = driver;

    return client->crr ? client->connection[0].rcv_nxt != 0 : client->established == client->count;
}

/* From here on each reply is answered with a FIN instead of a request; handshakes under way
 * go through the same. */
static void tcp_finish(void *driver)
{
    ((struct tcp_client *)driver)->ending = true;
}

static bool tcp_finished(void *driver)
{
    struct tcp_client *client = driver;

    for (uint32_t i = 0; i < client->count; i++)
        if (client->connection[i].state != CLOSED)
            return false;
    return true;
}

const struct load_driver load_tcp = {tcp_open, tcp_input, tcp_every_millisecond, tcp_ready, tcp_finish, tcp_finished};
