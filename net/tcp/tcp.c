/* Opening and closing the machine, and what can be asked of it. */
#include <stdlib.h>

#include "tcp_private.h"

/* The smallest scale at which the whole buffer can be told the peer. RFC 7323 section 2.3. */
static uint8_t scale_for(uint32_t buffer)
{
    uint8_t scale = 0;
    while (scale < WEIR_TCP_SCALE_MAX && buffer >> scale > UINT16_MAX)
        scale++;
    return scale;
}

static void take_options(struct weir_tcp *tcp, const struct weir_tcp_options *options)
{
    uint32_t buffer_max = (uint32_t)UINT16_MAX << WEIR_TCP_SCALE_MAX;
    weir_time rto_min = options->rto_min != 0 ? options->rto_min : WEIR_MILLISECONDS(200);

    tcp->receive_buffer = RTE_MIN(options->receive_buffer != 0 ? options->receive_buffer : 262144, buffer_max);
    tcp->send_buffer = RTE_MIN(options->send_buffer != 0 ? options->send_buffer : 262144, buffer_max);
    tcp->receive_scale = scale_for(tcp->receive_buffer);
    tcp->packets_max = RTE_MIN(options->packets_max != 0 ? options->packets_max : INT32_MAX, (unsigned)INT32_MAX);
    tcp->packets_low = options->packets_low != 0 ? options->packets_low : options->pool->size / 16;
    tcp->control_low = options->control_pool->size / 16;
    weir_tcp_pools_have(tcp, UINT32_MAX, UINT32_MAX);
    tcp->rto_min_us = (uint32_t)RTE_MIN(RTE_MAX(rto_min / 1000, 1), (weir_time)RTO_MAX_US);
    tcp->time_wait_time = options->time_wait != 0 ? options->time_wait : WEIR_SECONDS(60);
    tcp->congestion = options->congestion != NULL ? options->congestion : &weir_tcp_cubic;
    tcp->mss_max = options->mss_max != 0 ? RTE_MAX(options->mss_max, MSS_MIN) : UINT16_MAX;
    tcp->mtu_probing = options->mtu_probing;
    tcp->mtu_base = options->mtu_base != 0 ? options->mtu_base : 1024;
    tcp->delayed_ack = RTE_MIN(RTE_MAX(options->delayed_ack, 0), WEIR_MILLISECONDS(500)); /* RFC 9293, MUST-40 */
    tcp->delayed_at = WEIR_NEVER;
    tcp->syn_cookies = options->syn_cookies;
    tcp->ecn = options->ecn;
    tcp->pool = options->pool;
    tcp->control_pool = options->control_pool;
    tcp->copy_max = rte_pktmbuf_data_room_size(options->pool) - RTE_PKTMBUF_HEADROOM;
    memcpy(tcp->key, options->key, sizeof(tcp->key));
    for (uint64_t i = 0; i < RTE_DIM(tcp->hash_key); i++) /* of the same secret, but telling nothing of it */
        tcp->hash_key[i] = weir_siphash(options->key, &i, sizeof(i));
    tcp->ports_tried = options->seed;
}

static int open_tables(struct weir_tcp *tcp, const struct weir_tcp_options *options)
{
    unsigned connections_max = options->connections_max != 0 ? options->connections_max : 16384;

    tcp->embryonic_max = options->embryonic_max != 0 ? options->embryonic_max : (connections_max + 1) / 2;
    tcp->orphans_max = options->orphans_max != 0 ? options->orphans_max : (connections_max + 1) / 2;
    tcp->listeners_max = options->listeners_max != 0 ? options->listeners_max : 64;
    tcp->listeners = calloc(tcp->listeners_max, sizeof(*tcp->listeners));
    if (tcp->listeners == NULL)
        return -ENOMEM;
    WEIR_TRY(tcp_table_open(tcp, connections_max));
    return tcp_events_open(tcp);
}

static void free_memory(struct weir_tcp *tcp)
{
    tcp_events_close(tcp);
    tcp_table_close(tcp);
    free(tcp->listeners);
    free(tcp);
}

int weir_tcp_open(struct weir_tcp **opened, const struct weir_tcp_options *options, struct weir_ip *ip)
{
    struct weir_tcp *tcp;
    int rc;

    WEIR_ASSERT(options->pool != NULL && options->control_pool != NULL);
    WEIR_ASSERT(rte_pktmbuf_data_room_size(options->pool) > RTE_PKTMBUF_HEADROOM + DEFAULT_MSS);
    WEIR_ASSERT(RTE_PKTMBUF_HEADROOM >= HEADROOM_MAX &&
                rte_pktmbuf_data_room_size(options->control_pool) >= HEADROOM_MAX);
    tcp = calloc(1, sizeof(*tcp));
    if (tcp == NULL)
        return -ENOMEM;
    take_options(tcp, options);
    tcp->ip = ip;
    tcp->capabilities = weir_link_capabilities(weir_ip_link(ip));
    tcp_large_open(tcp, options->references, options->pieces_max);
    weir_list_init(&tcp->listeners_reported);
    weir_list_init(&tcp->time_wait);
    weir_wheel_init(&tcp->wheel, 0);
    rc = open_tables(tcp, options);
    if (rc < 0) {
        free_memory(tcp);
        return rc;
    }
    *opened = tcp;
    return 0;
}

void weir_tcp_destroy(struct weir_tcp *tcp)
{
    if (tcp == NULL)
        return;
    for (uint32_t i = 0; i < tcp->connections_max; i++) {
        struct weir_tcp_connection *c = &tcp->connections[i];
        tcp_queue_free(tcp, &c->send);
        tcp_queue_free(tcp, &c->receive);
        tcp_out_of_order_free(tcp, c);
    }
    WEIR_ASSERT_EQ(tcp->packets_held, 0);
    free_memory(tcp);
}

weir_time weir_tcp_next_deadline(const struct weir_tcp *tcp)
{
    weir_time next = RTE_MIN(weir_wheel_next(&tcp->wheel), tcp->delayed_at);

    if (tcp->dirty.head != tcp->dirty.tail) /* a pool was dry at the last flush: look again soon */
        next = RTE_MIN(next, weir_time_add(tcp->now, WEIR_MILLISECONDS(1)));
    return next;
}

enum weir_tcp_state weir_tcp_state(const struct weir_tcp_connection *c)
{
    return c->state;
}

const char *weir_tcp_state_name(enum weir_tcp_state state)
{
    static const char *const names[] = {
        [WEIR_TCP_CLOSED] = "CLOSED",           [WEIR_TCP_LISTEN] = "LISTEN",
        [WEIR_TCP_SYN_SENT] = "SYN_SENT",       [WEIR_TCP_SYN_RECEIVED] = "SYN_RECEIVED",
        [WEIR_TCP_ESTABLISHED] = "ESTABLISHED", [WEIR_TCP_FIN_WAIT_1] = "FIN_WAIT_1",
        [WEIR_TCP_FIN_WAIT_2] = "FIN_WAIT_2",   [WEIR_TCP_CLOSE_WAIT] = "CLOSE_WAIT",
        [WEIR_TCP_CLOSING] = "CLOSING",         [WEIR_TCP_LAST_ACK] = "LAST_ACK",
        [WEIR_TCP_TIME_WAIT] = "TIME_WAIT",
    };
    return (unsigned)state < RTE_DIM(names) ? names[state] : "?";
}

int weir_tcp_error(const struct weir_tcp_connection *c)
{
    return c->error;
}

void weir_tcp_endpoints(const struct weir_tcp_connection *c, struct weir_endpoint *local, struct weir_endpoint *remote)
{
    struct tcp_key key = tcp_key_of(c);

    if (local != NULL)
        *local = weir_endpoint_of(&key.local, tcp_local_port(c->ports));
    if (remote != NULL)
        *remote = weir_endpoint_of(&key.remote, tcp_remote_port(c->ports));
}

uint32_t weir_tcp_mss(const struct weir_tcp_connection *c)
{
    return c->mss;
}

const struct weir_tcp_stats *weir_tcp_stats(const struct weir_tcp *tcp)
{
    return &tcp->stats;
}
