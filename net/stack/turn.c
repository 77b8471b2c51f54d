/* What a stack does in one turn of the loop: before the tasks run, receive and tell them; after it, send. */
#include "stack_private.h"
#include <rte_prefetch.h>

static void deliver_icmp(struct weir_stack *stack, weir_time now, const struct weir_ip_rx *rx)
{
    if (rx->quoted_protocol == IPPROTO_TCP)
        weir_tcp_icmp_error(stack->tcp, now, rx);
    else if (rx->quoted_protocol == IPPROTO_UDP)
        weir_udp_icmp_error(stack->udp, rx);
}

/* Sorts a burst by protocol: TCP's segments go on together, so that it can prefetch what they will touch. */
static void receive_burst(struct weir_stack *stack, weir_time now, struct rte_mbuf **packets, unsigned n)
{
    struct rte_mbuf *segments[RX_BURST];
    struct weir_ip_rx rx[RX_BURST];
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
    for (unsigned i = 0; i < n; i++) {
        uint16_t ether_type = weir_link_input(stack->link, now, packets[i]);
        if (ether_type == 0)
            continue;
        switch (weir_ip_input(stack->ip, now, ether_type, &packets[i], &rx[count])) {
        case IPPROTO_TCP:
            segments[count++] = packets[i];
            break;
        case IPPROTO_UDP:
            weir_udp_input(stack->udp, now, packets[i], &rx[count]);
            break;
        case IPPROTO_ICMP:
            deliver_icmp(stack, now, &rx[count]);
            break;
        }
    }
    if (count > 0)
        weir_tcp_input(stack->tcp, now, segments, rx, count);
}

static void tell_users(struct weir_stack *stack)
{
    struct weir_stack_user *user;
    unsigned events;
    while ((user = weir_tcp_next_event(stack->tcp, &events)) != NULL)
        user->event(user, events);
    while ((user = weir_udp_next_event(stack->udp)) != NULL)
        user->event(user, WEIR_TCP_READABLE);
}

void weir_stack_await_packets(struct weir_stack *stack, struct weir_packet_waiter *waiter)
{
    weir_list_append(&stack->packet_waiters, &waiter->link);
}

/* Asks the pool only while somebody waits: the question costs a walk over all caches. */
static void tell_packet_waiters(struct weir_stack *stack)
{
    if (WEIR_LIKELY(weir_list_empty(&stack->packet_waiters)) || rte_mempool_empty(stack->dev->pool))
        return;
    struct weir_packet_waiter *waiter;
    WEIR_LIST_FOREACH (waiter, &stack->packet_waiters, struct weir_packet_waiter, link) {
        weir_list_remove(&waiter->link);
        waiter->ready(waiter);
    }
}

/* Tells TCP how much the pools have left. To count is a walk over all caches: it is done again when a pool can have run
 * low since, at two bursts a turn. */
static void count_pools(struct weir_stack *stack)
{
    unsigned packets = rte_mempool_avail_count(stack->dev->pool);
    unsigned control = rte_mempool_avail_count(stack->control_pool);
    unsigned spare = packets > stack->packets_low ? packets - stack->packets_low : 0;

    weir_tcp_pools_have(stack->tcp, packets, control);
    stack->turns_to_count = RTE_MAX(RTE_MIN(spare, control) / (2 * RX_BURST), 4u);
}

/* For whoever has raised the log's level: peers come and go, and most of them must not be heard of. */
static void log_odd_ends(struct weir_stack *stack)
{
    const char *said = weir_tcp_last_words(stack->tcp);
    if (WEIR_UNLIKELY(said != NULL))
        weir_log(WEIR_LOG_INFO, "%s", said);
}

int weir_stack_poll(struct weir_poller *poller, weir_time now)
{
    struct weir_stack *stack = WEIR_CONTAINER_OF(poller, struct weir_stack, poller);
    struct rte_mbuf *packets[RX_BURST];
    unsigned n = weir_dev_rx_burst(stack->dev, packets, RX_BURST);

    stack->turns++;
    if (WEIR_UNLIKELY(stack->turns_to_count-- == 0))
        count_pools(stack);
    if (n > 0)
        receive_burst(stack, now, packets, n);
    if (now >= weir_tcp_next_deadline(stack->tcp))
        weir_tcp_timers(stack->tcp, now);
    if (now >= weir_link_next_deadline(stack->link))
        weir_link_timers(stack->link, now);
    if (now >= weir_ip_next_deadline(stack->ip))
        weir_ip_timers(stack->ip, now);
    tell_users(stack);
    weir_stack_tell_externals(stack);
    log_odd_ends(stack);
    tell_packet_waiters(stack);
    return (int)n;
}

/* Offers the backlog to the device, oldest first. Returns whether it is empty now. */
static bool drain_backlog(struct weir_stack *stack)
{
    while (stack->backlog_count > 0) {
        unsigned head = stack->backlog_head, run = BACKLOG_MAX - head;
        if (run > stack->backlog_count)
            run = stack->backlog_count;
        uint16_t sent = weir_dev_tx_burst(stack->dev, &stack->backlog[head], (uint16_t)run);
        stack->backlog_head = (head + sent) % BACKLOG_MAX;
        stack->backlog_count -= sent;
        if (sent < run)
            return false;
    }
    return true;
}

/* What a full device leaves waits for the next turn; past that, dropped: TCP sends it again. */
void weir_stack_burst_flush(struct weir_burst *burst)
{
    struct weir_stack *stack = WEIR_CONTAINER_OF(burst, struct weir_stack, burst);
    unsigned sent = 0;
    if (drain_backlog(stack) && burst->count > 0)
        sent = weir_dev_tx_burst(stack->dev, burst->packets, (uint16_t)burst->count);
    for (; sent < burst->count; sent++) {
        if (stack->backlog_count == BACKLOG_MAX) {
            stack->tx_dropped++;
            rte_pktmbuf_free(burst->packets[sent]);
            continue;
        }
        stack->backlog[(stack->backlog_head + stack->backlog_count++) % BACKLOG_MAX] = burst->packets[sent];
    }
    burst->count = 0;
}

void weir_stack_backlog_free(struct weir_stack *stack)
{
    for (; stack->backlog_count > 0; stack->backlog_count--) {
        rte_pktmbuf_free(stack->backlog[stack->backlog_head]);
        stack->backlog_head = (stack->backlog_head + 1) % BACKLOG_MAX;
    }
}

void weir_stack_flush(struct weir_poller *poller, weir_time now)
{
    struct weir_stack *stack = WEIR_CONTAINER_OF(poller, struct weir_stack, poller);
    unsigned head = stack->backlog_head;
    weir_tcp_flush(stack->tcp, now);
    if (stack->burst.count > 0 || stack->backlog_count > 0)
        weir_stack_burst_flush(&stack->burst);
    stack->offered = now;
    if (stack->backlog_count == 0 || stack->backlog_head != head)
        stack->taken = now;
}

/* The device has no way to tell when it has room. A full ring has in no time, a memif without a peer perhaps never: the
 * longer it has taken nothing, the longer until it is asked again. */
static weir_time backlog_deadline(const struct weir_stack *stack)
{
    weir_time wait = (stack->offered - stack->taken) / 8;
    return weir_time_add(stack->offered, RTE_MIN(RTE_MAX(wait, WEIR_MICROSECONDS(1)), WEIR_MILLISECONDS(1)));
}

weir_time weir_stack_next_deadline(struct weir_poller *poller)
{
    struct weir_stack *stack = WEIR_CONTAINER_OF(poller, struct weir_stack, poller);
    weir_time backlog = stack->backlog_count > 0 ? backlog_deadline(stack) : WEIR_NEVER;

    if (!weir_list_empty(&stack->externals_done))
        return stack->offered; /* now: it was at the end of this turn that the last reference went */
    weir_time tcp = weir_tcp_next_deadline(stack->tcp), link = weir_link_next_deadline(stack->link);
    weir_time ip = weir_ip_next_deadline(stack->ip);
    weir_time dev = stack->dev->ops->next_deadline != NULL ? stack->dev->ops->next_deadline(stack->dev) : WEIR_NEVER;
    return RTE_MIN(RTE_MIN(RTE_MIN(tcp, link), ip), RTE_MIN(dev, backlog));
}

int weir_stack_interrupt(struct weir_poller *poller, bool on)
{
    struct weir_stack *stack = WEIR_CONTAINER_OF(poller, struct weir_stack, poller);
    return stack->dev->ops->rx_interrupt != NULL ? stack->dev->ops->rx_interrupt(stack->dev, on) : -ENOTSUP;
}
