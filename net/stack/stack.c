/* A stack's life: its rooms are made from the bottom up, and plugged into the loop. */
#include "stack_private.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The device may still be sending some of the packets, and frees them when it is closed at the latest. */
static void let_go_of_control_pool(struct weir_stack *stack)
{
    if (stack->control_pool == NULL || rte_mempool_full(stack->control_pool)) {
        rte_mempool_free(stack->control_pool);
        return;
    }
    rte_mempool_free(stack->dev->last); /* of a stack before this one; its packets are long gone */
    stack->dev->last = stack->control_pool;
}

static void free_rooms(struct weir_stack *stack)
{
    if (stack->tcp != NULL)
        weir_tcp_destroy(stack->tcp);
    if (stack->udp != NULL)
        weir_udp_close(stack->udp);
    if (stack->ip != NULL)
        weir_ip_close(stack->ip);
    if (stack->link != NULL)
        weir_link_close(stack->link);
    weir_stack_backlog_free(stack);
    weir_stack_leave_externals(stack);
    let_go_of_control_pool(stack);
    free(stack->backlog);
    free(stack);
}

/* Small packets for what must go out even when data has taken every other one: ACKs, SYNs, RSTs, ARP, ICMP. */
static int open_control_pool(struct weir_stack *stack)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "weir-control-%" PRIxPTR, (uintptr_t)stack & 0xffffffffff);
    stack->control_pool = weir_packet_pool(name, CONTROL_PACKETS, 64, CONTROL_ROOM);
    return stack->control_pool != NULL ? 0 : -ENOMEM;
}

struct secrets {
    uint64_t seed;
    uint8_t key[16];
};

/* From the kernel; or, for tests, from a seed. */
static int choose_secrets(struct secrets *secrets, uint64_t seed)
{
    if (seed == 0)
        return getrandom(secrets, sizeof *secrets, 0) == sizeof *secrets ? 0 : -EIO;
    struct weir_rng rng;
    weir_rng_seed(&rng, seed);
    secrets->seed = weir_rng_next(&rng);
    for (size_t i = 0; i < sizeof secrets->key; i++)
        secrets->key[i] = (uint8_t)weir_rng_next(&rng);
    return 0;
}

static int open_rooms(struct weir_stack *stack, const struct weir_stack_options *options)
{
    struct weir_dev *dev = stack->dev;
    struct secrets secrets;
    WEIR_TRY(choose_secrets(&secrets, options->seed));
    stack->backlog = calloc(BACKLOG_MAX, sizeof *stack->backlog);
    if (stack->backlog == NULL)
        return -ENOMEM;
    WEIR_TRY(open_control_pool(stack));

    struct weir_link_options link = {.mac = dev->mac,
                                     .mtu = dev->mtu,
                                     .capabilities = dev->capabilities,
                                     .pool = stack->control_pool,
                                     .pending_max = 64, /* a burst of new connections to one neighbour */
                                     .seed = secrets.seed,
                                     .vlan = options->vlan};
    WEIR_TRY(weir_link_open(&stack->link, &link, &stack->burst));
    struct weir_ip_options ip = {.address = options->address,
                                 .prefix = options->prefix,
                                 .gateway = options->gateway,
                                 .pool = stack->control_pool,
                                 .seed = secrets.seed};
    WEIR_TRY(weir_ip_open(&stack->ip, &ip, stack->link));
    struct weir_udp_options udp = {.seed = secrets.seed};
    WEIR_TRY(weir_udp_open(&stack->udp, &udp, stack->ip));
    struct weir_tcp_options tcp = {
        .connections_max = options->connections_max,
        .receive_buffer = options->receive_buffer,
        .send_buffer = options->send_buffer,
        .packets_max = options->packets_max != 0 ? options->packets_max : dev->pool->size / 4 * 3,
        .packets_low = stack->packets_low,
        .embryonic_max = options->embryonic_max,
        .orphans_max = options->orphans_max,
        .rto_min = options->rto_min,
        .time_wait = options->time_wait,
        .mss_max = options->mss_max,
        .mtu_probing = options->mtu_probing,
        .delayed_ack = options->delayed_ack,
        .congestion = options->congestion,
        .ecn = options->ecn,
        .syn_cookies = options->syn_cookies,
        .pool = dev->pool,
        .control_pool = stack->control_pool,
        .references = dev->references,
        .pieces_max = dev->tx_segments_max,
        .seed = secrets.seed,
    };
    memcpy(tcp.key, secrets.key, sizeof tcp.key);
    return weir_tcp_open(&stack->tcp, &tcp, stack->ip);
}

int weir_stack_open(struct weir_stack **result, struct weir_dev *dev, const struct weir_stack_options *options)
{
    WEIR_ASSERT(weir_current_loop() != NULL);
    struct weir_stack *stack = calloc(1, sizeof *stack);
    if (stack == NULL)
        return -ENOMEM;
    stack->dev = dev;
    stack->packets_low = options->packets_low != 0 ? options->packets_low : dev->pool->size / 16;
    stack->listen_backlog = options->backlog != 0 ? options->backlog : LISTEN_BACKLOG;
    stack->settings = options->settings;
    stack->settles =
        options->settings.keepalive_idle != 0 || options->settings.user_timeout != 0 || options->settings.nagle;
    stack->burst.flush = weir_stack_burst_flush;
    stack->close_grace = options->close_grace != 0 ? options->close_grace : WEIR_SECONDS(1);
    weir_list_init(&stack->packet_waiters);
    weir_list_init(&stack->externals);
    weir_list_init(&stack->externals_done);
    int rc = open_rooms(stack, options);
    if (rc < 0) {
        free_rooms(stack);
        return rc;
    }
    struct weir_address address = weir_address_v4(options->address);
    if (options->address != 0)
        weir_link_announce(stack->link, weir_current_time(), &address);
    stack->poller = (struct weir_poller){.poll = weir_stack_poll,
                                         .flush = weir_stack_flush,
                                         .next_deadline = weir_stack_next_deadline,
                                         .interrupt = weir_stack_interrupt};
    weir_poller_add(&stack->poller);
    *result = stack;
    return 0;
}

/* Lets connections that were closed finish: the peers learn that all went well. */
static int wait_for_connections(struct weir_stack *stack)
{
    static const weir_time step = WEIR_MILLISECONDS(1);
    weir_time until = weir_time_add(weir_current_time(), stack->close_grace);
    while (weir_tcp_unfinished(stack->tcp) > 0 && weir_current_time() < until)
        WEIR_TRY(weir_sleep(step));
    weir_tcp_flush(stack->tcp, weir_current_time()); /* the ACK of a last FIN, say: what is aborted sends none */
    weir_tcp_abort_all(stack->tcp, weir_current_time());
    return weir_checkpoint(); /* one more turn, so that resets and last ACKs leave */
}

void weir_stack_close(struct weir_stack *stack)
{
    struct weir_scope scope;
    int rc = 0;
    if (stack == NULL)
        return;
    if (stack->held > 0)
        weir_log(WEIR_LOG_ERROR, "a stack is closed while %u of its streams, listeners or sockets are still open",
                 stack->held);
    weir_with_scope (&scope, rc) {
        weir_scope_set_shield(&scope, true);
        rc = wait_for_connections(stack);
    }
    WEIR_ASSERT(weir_list_empty(&stack->packet_waiters));
    weir_poller_remove(&stack->poller);
    weir_stack_flush(&stack->poller, weir_current_time());
    free_rooms(stack);
}

void weir_stack_stats(struct weir_stack *stack, struct weir_stack_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    if (stack->dev->ops->stats != NULL)
        stack->dev->ops->stats(stack->dev, &stats->dev);
    stats->link = *weir_link_stats(stack->link);
    stats->ip = *weir_ip_stats(stack->ip);
    stats->udp = *weir_udp_stats(stack->udp);
    stats->tcp = *weir_tcp_stats(stack->tcp);
    stats->turns = stack->turns;
    stats->tx_dropped = stack->tx_dropped;
}

int weir_stack_add_address(struct weir_stack *stack, const struct weir_address *address, unsigned prefix,
                           unsigned flags)
{
    WEIR_TRY(weir_ip_add_address(stack->ip, address, prefix, flags));
    weir_link_announce(stack->link, weir_current_time(), address);
    return 0;
}

const struct weir_link_address *weir_stack_addresses(const struct weir_stack *stack, unsigned *count)
{
    return weir_ip_addresses(stack->ip, count);
}

int weir_stack_autoconfigure(struct weir_stack *stack, const struct weir_autoconf_options *options)
{
    return weir_ip_autoconfigure(stack->ip, weir_current_time(), options);
}

int weir_stack_remove_address(struct weir_stack *stack, const struct weir_address *address)
{
    return weir_ip_remove_address(stack->ip, address);
}

int weir_stack_add_route(struct weir_stack *stack, const struct weir_address *destination, unsigned prefix,
                         const struct weir_address *gateway)
{
    return weir_ip_add_route(stack->ip, destination, prefix, gateway);
}

uint32_t weir_stack_address(const struct weir_stack *stack)
{
    return weir_ip_address(stack->ip);
}

struct rte_mbuf *weir_packet_alloc(struct weir_stack *stack)
{
    return rte_pktmbuf_alloc(stack->dev->pool);
}

struct weir_ip *weir_stack_ip(struct weir_stack *stack)
{
    return stack->ip;
}

struct weir_tcp *weir_stack_tcp(struct weir_stack *stack)
{
    return stack->tcp;
}

struct weir_udp *weir_stack_udp(struct weir_stack *stack)
{
    return stack->udp;
}

struct rte_mempool *weir_stack_pool(struct weir_stack *stack)
{
    return stack->dev->pool;
}

void weir_stack_hold(struct weir_stack *stack)
{
    stack->held++;
}

void weir_stack_release(struct weir_stack *stack)
{
    WEIR_ASSERT(stack->held > 0);
    stack->held--;
}

unsigned weir_stack_backlog(const struct weir_stack *stack)
{
    return stack->listen_backlog;
}

void weir_stack_settle(struct weir_stack *stack, struct weir_tcp_connection *connection)
{
    if (stack->settles)
        weir_tcp_set(stack->tcp, weir_current_time(), connection, &stack->settings);
}
