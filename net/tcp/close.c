/* The user's calls that end a connection. RFC 9293 sections 3.10.4 and 3.10.5. */
#include "tcp_private.h"

/* A FIN follows what is queued; the state says so at once, RFC 9293 section 3.10.4. */
static void queue_fin(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->flags & F_FIN)
        return;
    c->flags |= F_FIN;
    if (c->state == WEIR_TCP_ESTABLISHED)
        tcp_set_state(tcp, c, WEIR_TCP_FIN_WAIT_1);
    else if (c->state == WEIR_TCP_CLOSE_WAIT)
        tcp_set_state(tcp, c, WEIR_TCP_LAST_ACK);
    tcp_update_slow(c);
    tcp_mark_dirty(tcp, c);
}

int weir_tcp_shutdown(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->error != 0)
        return c->error;
    if (c->state == WEIR_TCP_SYN_SENT)
        return -ENOTCONN;
    if (c->state != WEIR_TCP_CLOSED)
        queue_fin(tcp, c);
    return 0;
}

static void let_go(struct weir_tcp_connection *c)
{
    c->flags |= F_ORPHAN;
    c->tcp->orphans += c->state != WEIR_TCP_TIME_WAIT;
    tcp_keepalive_stop(c);
    c->user = NULL;
    c->events = 0;
}

/* Frees a connection that ended while its user still held it. */
static void free_ended(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    tcp_queue_free(tcp, &c->receive);
    tcp_connection_free(tcp, c);
}

static bool peer_knows(const struct weir_tcp_connection *c)
{
    switch (c->state) {
    case WEIR_TCP_SYN_RECEIVED:
    case WEIR_TCP_ESTABLISHED:
    case WEIR_TCP_FIN_WAIT_1:
    case WEIR_TCP_FIN_WAIT_2:
    case WEIR_TCP_CLOSE_WAIT:
        return true;
    default:
        return false;
    }
}

static void reset(struct weir_tcp *tcp, struct weir_tcp_connection *c, bool tell)
{
    let_go(c);
    tcp_note(tcp, c, c->receive.head != NULL ? E_UNREAD : E_ABORTED, c->rcv_queued);
    tcp->stats.abort_on_close += c->receive.head != NULL;
    if (tell)
        tcp_emit_reset(tcp, c);
    tcp_finish(tcp, c, -ECONNRESET);
}

void weir_tcp_abort(struct weir_tcp *tcp, weir_time now, struct weir_tcp_connection *c)
{
    tcp_set_now(tcp, now);
    if (c->state == WEIR_TCP_CLOSED)
        free_ended(tcp, c);
    else
        reset(tcp, c, peer_knows(c) || c->send.head != NULL);
}

void weir_tcp_close(struct weir_tcp *tcp, weir_time now, struct weir_tcp_connection *c)
{
    tcp_set_now(tcp, now);
    if (c->state == WEIR_TCP_CLOSED) {
        free_ended(tcp, c);
    } else if (c->state == WEIR_TCP_SYN_SENT) {
        reset(tcp, c, false);
    } else if (c->receive.head != NULL && c->state != WEIR_TCP_TIME_WAIT) {
        reset(tcp, c, true); /* the peer must know that not all was read: RFC 2525 section 2.17 */
    } else if (tcp->orphans >= tcp->orphans_max && c->state != WEIR_TCP_TIME_WAIT) {
        tcp->stats.abort_on_memory++; /* peers that never let a connection finish must not keep all of them */
        reset(tcp, c, true);
    } else {
        let_go(c);
        tcp_note(tcp, c, E_CLOSED, 0);
        tcp_queue_free(tcp, &c->receive);
        c->rcv_queued = 0;
        queue_fin(tcp, c);
        tcp_update_slow(c);
        if (c->state == WEIR_TCP_FIN_WAIT_2)
            tcp_enter_fin_wait_2(tcp, c);
        else if (c->state == WEIR_TCP_TIME_WAIT)
            weir_list_append(&tcp->time_wait, &c->member);
    }
}

unsigned weir_tcp_unfinished(const struct weir_tcp *tcp)
{
    unsigned unfinished = 0;

    for (uint32_t i = 0; i < tcp->connections_max; i++)
        unfinished += tcp->connections[i].state != WEIR_TCP_CLOSED && tcp->connections[i].state != WEIR_TCP_TIME_WAIT;
    return unfinished;
}

void weir_tcp_abort_all(struct weir_tcp *tcp, weir_time now)
{
    tcp_set_now(tcp, now);
    for (uint32_t i = 0; i < tcp->connections_max; i++) {
        struct weir_tcp_connection *c = &tcp->connections[i];

        if (c->state == WEIR_TCP_CLOSED)
            continue;
        if (peer_knows(c) || c->send.head != NULL)
            tcp_emit_reset(tcp, c);
        tcp_finish(tcp, c, -ECONNABORTED);
    }
}
