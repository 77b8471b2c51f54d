/* What gives way when memory is scarce, and in which order: windows and send buffers first, by and by; then SYNs, then
 * what came out of order, then new data. What is established lives on: an ACK is always taken, and each connection may
 * hold one packet each way. Source: Linux's tcp_mem, for its idea of pressure between "enough" and "none". */
#include "tcp_private.h"

/* Takes the limits that follow from `packets` left in the pool. All of packets_max may be held, and from half of it on
 * memory is scarce; where the pool has less for us, what it has beyond a reserve. */
static void set_limits(struct weir_tcp *tcp, unsigned packets)
{
    unsigned low = tcp->packets_low, reserve = low / 4;

    tcp->packets_limit = tcp->packets_max;
    tcp->packets_easy = (int)(tcp->packets_max / 2);
    if (packets >= low)
        return;
    tcp->packets_limit = RTE_MIN(tcp->packets_max, tcp->packets_held + (packets > reserve ? packets - reserve : 0));
    tcp->packets_easy = RTE_MIN(tcp->packets_easy, (int)tcp->packets_limit - (int)(low - reserve));
}

void weir_tcp_pools_have(struct weir_tcp *tcp, unsigned packets, unsigned control_packets)
{
    if (packets >= tcp->packets_low)
        tcp->shed = control_packets >= tcp->control_low ? SHED_NOTHING : SHED_SYNS;
    else
        tcp->shed = packets >= tcp->packets_low / 2 ? SHED_SYNS : SHED_OUT_OF_ORDER;
    set_limits(tcp, packets);
}

uint32_t tcp_share(const struct weir_tcp *tcp, uint32_t buffer)
{
    unsigned left = tcp->packets_limit > tcp->packets_held ? tcp->packets_limit - tcp->packets_held : 0;
    unsigned span = (unsigned)((int)tcp->packets_limit - tcp->packets_easy);

    return left >= span ? buffer : (uint32_t)((uint64_t)buffer * left / span);
}

uint32_t tcp_send_limit(const struct weir_tcp *tcp)
{
    return WEIR_UNLIKELY(tcp_scarce(tcp, 0)) ? RTE_MAX(tcp_share(tcp, tcp->send_buffer), 1u) : tcp->send_buffer;
}

void tcp_watch_memory(struct weir_tcp *tcp)
{
    bool pressed = tcp_scarce(tcp, 0);

    tcp->stats.memory_pressures += pressed && !tcp->pressed;
    tcp->pressed = pressed;
}
