/* The user's calls that move data, and the active open. RFC 9293 sections 3.10.1 to 3.10.3. */
#include "tcp_private.h"

static int check_key(struct weir_tcp *tcp, struct tcp_key *key, uint16_t remote_port, uint16_t local_port)
{
    if (local_port == 0) {
        local_port = tcp_choose_port(tcp, &key->remote, remote_port, &key->local);
        if (local_port == 0)
            return -EADDRNOTAVAIL;
    }
    key->ports = tcp_ports(remote_port, local_port);
    return tcp_lookup(tcp, key, tcp_hash(tcp, key)) != NULL ? -EADDRINUSE : 0;
}

int weir_tcp_connect(struct weir_tcp *tcp, weir_time now, const struct weir_endpoint *remote, uint16_t local_port,
                     void *user, struct weir_tcp_connection **connection)
{
    struct tcp_key key = {.remote = weir_endpoint_address(remote)};
    struct weir_tcp_connection *c;
    struct weir_ip_path path;
    uint32_t iss, ts_offset;

    tcp_set_now(tcp, now);
    if (weir_address_is_none(&key.remote) || remote->port == 0)
        return -EINVAL;
    WEIR_TRY(weir_ip_path_init(tcp->ip, now, &path, NULL, &key.remote, IPPROTO_TCP));
    key.local = weir_ip_path_src(&path);
    WEIR_TRY(check_key(tcp, &key, remote->port, local_port));
    c = tcp_connection_new(tcp);
    if (c == NULL)
        return -ENOMEM;
    tcp_choose_numbers(tcp, &key, &iss, &ts_offset);
    c->ports = key.ports;
    c->path = path;
    c->marks = M_ACCEPTED;
    c->user = user;
    tcp_set_state(tcp, c, WEIR_TCP_SYN_SENT);
    tcp_connection_start(tcp, c, iss, ts_offset);
    tcp->stats.active_opens++;
    *connection = c;
    return 0;
}

void weir_tcp_set_user(struct weir_tcp_connection *c, void *user)
{
    c->user = user;
    if (user != NULL && c->events != 0)
        tcp_report(c->tcp, c, c->events); /* what was kept until there was somebody to tell */
}

static inline bool can_send(const struct weir_tcp_connection *c)
{
    return c->state == WEIR_TCP_ESTABLISHED || c->state == WEIR_TCP_CLOSE_WAIT;
}

/* Why nothing can be sent. */
static int send_error(const struct weir_tcp_connection *c)
{
    if (c->error != 0)
        return c->error;
    return (c->state == WEIR_TCP_SYN_SENT || c->state == WEIR_TCP_SYN_RECEIVED) && !(c->flags & F_FIN) ? -ENOTCONN
                                                                                                       : -EPIPE;
}

uint32_t weir_tcp_send_room(const struct weir_tcp_connection *c)
{
    uint32_t queued = c->snd_end - c->snd_una, limit = tcp_send_limit(c->tcp);

    return can_send(c) && queued < limit ? limit - queued : 0;
}

/* True if a packet must wait: for its connection's buffer, or for the machine's. One packet each connection may always
 * queue: its ACK is what wakes the writer. */
static inline bool no_room(const struct weir_tcp *tcp, const struct weir_tcp_connection *c, uint16_t segments)
{
    uint32_t queued = c->snd_end - c->snd_una;

    if (WEIR_UNLIKELY(tcp_scarce(tcp, segments)))
        return c->send.head != NULL &&
               (tcp->packets_held + segments > tcp->packets_limit || queued >= tcp_send_limit(tcp));
    return queued >= tcp->send_buffer;
}

int weir_tcp_ask_send(const struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (!can_send(c))
        return send_error(c);
    if (!no_room(tcp, c, 1))
        return 0;
    c->flags |= F_BLOCKED;
    return -EAGAIN;
}

/* Nagle: a payload moves behind the last one, if that was not sent yet and is no full segment; all of it, or what makes
 * it full. Returns what is left to be queued; NULL: nothing. */
static struct rte_mbuf *join_last(struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    struct rte_mbuf *last = c->send.tail;
    uint32_t length;
    const void *bytes;
    char *to;

    if (last == NULL || seq_before(weir_packet(last)->tcp.seq, c->snd_max) || weir_packet(last)->tcp.len >= c->mss ||
        last->nb_segs > 1 || !RTE_MBUF_DIRECT(last) || rte_mbuf_refcnt_read(last) != 1)
        return m;
    length = RTE_MIN(m->pkt_len, c->mss - weir_packet(last)->tcp.len);
    if (length < m->pkt_len && rte_mbuf_refcnt_read(m) != 1) /* somebody else looks at it, too: it is not cut */
        return m;
    to = rte_pktmbuf_append(last, (uint16_t)length);
    if (to == NULL)
        return m;
    bytes = rte_pktmbuf_read(m, 0, length, to);
    if (bytes != to)
        memcpy(to, bytes, length);
    weir_packet(last)->tcp.len += length;
    c->snd_end += length;
    if (length < m->pkt_len)
        return tcp_trim_front(m, length);
    rte_pktmbuf_free(m);
    return NULL;
}

int weir_tcp_send(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    if (WEIR_UNLIKELY(!can_send(c)))
        return send_error(c);
    WEIR_ASSERT(m->pkt_len > 0);
    if (WEIR_UNLIKELY(no_room(tcp, c, m->nb_segs))) {
        c->flags |= F_BLOCKED;
        return -EAGAIN;
    }
    tcp_mark_dirty(tcp, c);
    if (WEIR_UNLIKELY(c->flags & F_NAGLE)) {
        m = join_last(c, m);
        if (m == NULL)
            return 0;
    }
    if (WEIR_UNLIKELY(m->pkt_len > c->mss))
        tcp_large_queue(tcp, c, m);
    else
        tcp_queue_payload(tcp, c, m, m->pkt_len);
    return 0;
}

/* What there is to say once all data is taken. */
static int receive_end(const struct weir_tcp_connection *c)
{
    if (c->state == WEIR_TCP_ESTABLISHED) /* by far the most common, and the rest is on other lines */
        return -EAGAIN;
    if (c->error != 0)
        return c->error;
    return (c->marks & M_PEER_FIN) || c->state == WEIR_TCP_CLOSED ? 0 : -EAGAIN;
}

static inline void taken(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t bytes)
{
    c->rcv_queued -= bytes;
    if (WEIR_UNLIKELY(!tcp_ack_goes(tcp, c) || (c->flags & F_SPECIAL)) && tcp_window_update_due(tcp, c))
        tcp_mark(tcp, c, M_WINDOW);
}

int weir_tcp_receive(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf **received)
{
    struct rte_mbuf *m = weir_packet_queue_pop(&c->receive);

    if (m == NULL)
        return receive_end(c);
    tcp_let_go(tcp, m);
    taken(tcp, c, m->pkt_len);
    *received = m;
    return (int)m->pkt_len;
}

/* The head was cut; what is left of it may be another mbuf (with the same link). */
static void replace_head(struct weir_packet_queue *queue, struct rte_mbuf *m)
{
    if (queue->tail == queue->head)
        queue->tail = m;
    queue->head = m;
}

int weir_tcp_receive_copy(struct weir_tcp *tcp, struct weir_tcp_connection *c, void *buffer, uint32_t size)
{
    uint32_t copied = 0;
    struct rte_mbuf *m;

    WEIR_ASSERT(size > 0);
    while (copied < size && (m = c->receive.head) != NULL) {
        uint32_t length = RTE_MIN(m->pkt_len, size - copied);
        char *to = (char *)buffer + copied;
        const void *bytes = rte_pktmbuf_read(m, 0, length, to);

        if (bytes != to)
            memcpy(to, bytes, length);
        copied += length;
        if (length < m->pkt_len) {
            tcp_let_go(tcp, m);
            m = tcp_trim_front(m, length);
            tcp_hold(tcp, m);
            replace_head(&c->receive, m);
        } else {
            weir_packet_queue_pop(&c->receive);
            tcp_drop_held(tcp, m);
        }
    }
    if (copied == 0)
        return receive_end(c);
    taken(tcp, c, copied);
    return (int)copied;
}

static uint32_t whole_seconds(weir_time time, uint32_t otherwise)
{
    if (time <= 0)
        return otherwise;
    return (uint32_t)RTE_MIN(RTE_MAX(time / 1000000000, 1), (weir_time)INT32_MAX);
}

void weir_tcp_set(struct weir_tcp *tcp, weir_time now, struct weir_tcp_connection *c,
                  const struct weir_tcp_settings *settings)
{
    tcp_set_now(tcp, now);
    c->user_timeout_s = whole_seconds(settings->user_timeout, 0);
    c->flags = (uint16_t)(settings->nagle ? c->flags | F_NAGLE : c->flags & ~F_NAGLE);
    tcp_keepalive_stop(c);
    c->keep_idle_s = whole_seconds(settings->keepalive_idle, 0);
    c->keep_interval_s = whole_seconds(settings->keepalive_interval, 75);
    c->keep_count = (uint8_t)(settings->keepalive_count == 0 ? 9 : RTE_MIN(settings->keepalive_count, 255u));
    c->keep_asked = 0;
    c->alive_s = tcp->now_s;
    if (c->keep_idle_s != 0 && c->state != WEIR_TCP_CLOSED && c->state != WEIR_TCP_TIME_WAIT)
        tcp_keepalive_arm(tcp, c);
}

bool weir_tcp_drained(const struct weir_tcp_connection *c)
{
    return c->snd_una == c->snd_end + !!(c->flags & F_FIN);
}
