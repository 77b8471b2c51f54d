/* Passive opens: listeners, those that are still shaking hands, and those that wait to be accepted. */
#include "tcp_private.h"

struct weir_tcp_listener *tcp_find_listener(struct weir_tcp *tcp, uint16_t port)
{
    for (unsigned i = 0; i < tcp->listeners_max; i++)
        if (tcp->listeners[i].port == port && tcp->listeners[i].tcp != NULL)
            return &tcp->listeners[i];
    return NULL;
}

static struct weir_tcp_listener *free_listener(struct weir_tcp *tcp)
{
    for (unsigned i = 0; i < tcp->listeners_max; i++)
        if (tcp->listeners[i].tcp == NULL)
            return &tcp->listeners[i];
    return NULL;
}

int weir_tcp_listen(struct weir_tcp *tcp, uint16_t port, unsigned backlog, void *user,
                    struct weir_tcp_listener **opened)
{
    struct weir_tcp_listener *listener = free_listener(tcp);
    static const struct weir_address none;

    WEIR_ASSERT(user != NULL);
    if (port == 0)
        port = tcp_choose_port(tcp, &none, 0, &none);
    if (port == 0 || tcp_find_listener(tcp, port) != NULL)
        return -EADDRINUSE;
    if (listener == NULL)
        return -ENOMEM;
    *listener =
        (struct weir_tcp_listener){.tcp = tcp, .user = user, .port = port, .backlog = backlog != 0 ? backlog : 1};
    weir_list_init(&listener->embryonic);
    weir_list_init(&listener->ready);
    weir_list_init(&listener->reported);
    *opened = listener;
    return 0;
}

static void reset_all(struct weir_tcp *tcp, struct weir_list *list)
{
    struct weir_tcp_connection *c;

    while ((c = WEIR_LIST_FIRST(list, struct weir_tcp_connection, member)) != NULL) {
        tcp_emit_reset(tcp, c);
        tcp_finish(tcp, c, -ECONNRESET);
    }
}

void weir_tcp_unlisten(struct weir_tcp *tcp, weir_time now, struct weir_tcp_listener *listener)
{
    tcp_set_now(tcp, now);
    reset_all(tcp, &listener->embryonic);
    reset_all(tcp, &listener->ready);
    WEIR_ASSERT(listener->embryonic_count == 0 && listener->ready_count == 0);
    weir_list_remove(&listener->reported);
    listener->tcp = NULL;
}

uint16_t weir_tcp_listener_port(const struct weir_tcp_listener *listener)
{
    return listener->port;
}

/* Makes a connection in SYN_RECEIVED, among the listener's embryonic ones. NULL: no room. */
static struct weir_tcp_connection *make(struct weir_tcp *tcp, struct weir_tcp_listener *listener,
                                        const struct tcp_key *key, const struct weir_ip_path *path)
{
    struct weir_tcp_connection *c = tcp_connection_new(tcp);

    if (c == NULL)
        return NULL;
    c->ports = key->ports;
    c->path = *path;
    c->marks = M_PASSIVE;
    c->listener = listener;
    weir_list_append(&listener->embryonic, &c->member);
    listener->embryonic_count++;
    tcp->embryonic++;
    tcp_set_state(tcp, c, WEIR_TCP_SYN_RECEIVED);
    tcp->stats.passive_opens++;
    return c;
}

static bool syn_queue_full(const struct weir_tcp *tcp, const struct weir_tcp_listener *listener)
{
    return listener->embryonic_count >= listener->backlog || tcp->embryonic >= tcp->embryonic_max;
}

void tcp_passive_open(struct weir_tcp *tcp, struct weir_tcp_listener *listener, const struct tcp_segment *segment,
                      const struct tcp_key *key, const uint32_t *after_time_wait)
{
    struct weir_tcp_connection *c;
    struct weir_ip_path path;
    uint32_t iss, ts_offset;

    if (listener->ready_count >= listener->backlog || tcp->shed >= SHED_SYNS) {
        tcp->stats.listen_overflows += listener->ready_count >= listener->backlog;
        tcp->stats.listen_drops++;
        return;
    }
    if (weir_ip_path_init(tcp->ip, tcp->now, &path, &key->local, &key->remote, IPPROTO_TCP) < 0) {
        tcp->stats.listen_drops++;
        return;
    }
    if (tcp->syn_cookies || syn_queue_full(tcp, listener)) {
        tcp->stats.req_q_full_do_cookies += !tcp->syn_cookies;
        tcp_cookie_send(tcp, segment, key, &path);
        return;
    }
    c = make(tcp, listener, key, &path);
    if (c == NULL) {
        tcp->stats.listen_drops++;
        return;
    }
    tcp_choose_numbers(tcp, key, &iss, &ts_offset);
    if (after_time_wait != NULL && !seq_after(iss, *after_time_wait + UINT16_MAX)) /* RFC 9293: beyond the last's */
        iss = *after_time_wait + UINT16_MAX + 1;
    tcp_connection_start(tcp, c, iss, ts_offset);
    tcp_take_syn(tcp, c, segment);
}

struct weir_tcp_connection *tcp_passive_resume(struct weir_tcp *tcp, struct weir_tcp_listener *listener,
                                               const struct tcp_segment *syn, const struct tcp_key *key, uint32_t iss)
{
    struct weir_tcp_connection *c;
    struct weir_ip_path path;
    uint32_t isn, ts_offset;

    if (listener->ready_count >= listener->backlog) {
        tcp->stats.listen_overflows++;
        return NULL;
    }
    if (weir_ip_path_init(tcp->ip, tcp->now, &path, &key->local, &key->remote, IPPROTO_TCP) < 0)
        return NULL;
    c = make(tcp, listener, key, &path);
    if (c == NULL)
        return NULL;
    tcp_choose_numbers(tcp, key, &isn, &ts_offset);
    tcp_connection_start(tcp, c, iss, ts_offset);
    tcp_take_syn(tcp, c, syn);
    c->marks &= (uint16_t)~M_SYN; /* it was sent */
    c->snd_nxt = c->snd_max = iss + 1;
    tcp_timer_arm(tcp, c);
    return c;
}

bool tcp_passive_ready(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    struct weir_tcp_listener *listener = c->listener;

    if (listener->ready_count >= listener->backlog) {
        tcp->stats.listen_overflows++;
        return false;
    }
    weir_list_remove(&c->member);
    listener->embryonic_count--;
    tcp->embryonic--;
    weir_list_append(&listener->ready, &c->member);
    listener->ready_count++;
    if (weir_list_empty(&listener->reported))
        weir_list_append(&tcp->listeners_reported, &listener->reported);
    return true;
}

/* Before a connection that was never accepted leaves its listener's list; its state tells which one. */
void tcp_listener_forget(struct weir_tcp_connection *c)
{
    if (c->listener == NULL)
        return;
    if (c->state == WEIR_TCP_SYN_RECEIVED) {
        c->listener->embryonic_count--;
        c->tcp->embryonic--;
    } else {
        c->listener->ready_count--;
    }
    c->listener = NULL;
}

int weir_tcp_accept(struct weir_tcp *tcp, struct weir_tcp_listener *listener, void *user,
                    struct weir_tcp_connection **accepted)
{
    struct weir_tcp_connection *c = WEIR_LIST_FIRST(&listener->ready, struct weir_tcp_connection, member);

    if (c == NULL)
        return -EAGAIN;
    tcp_listener_forget(c);
    weir_list_remove(&c->member);
    c->marks |= M_ACCEPTED;
    weir_tcp_set_user(c, user);
    *accepted = c;
    return 0;
}
