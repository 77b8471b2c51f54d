/* The slab of connections, and the table that finds them: open addressing, linear probing, 8 bytes a slot, never more
 * than a quarter full, so that a lookup is most often one line of slots and one of the connection. */
#include <stdlib.h>
#include <sys/mman.h>

#include "tcp_private.h"

#define HUGE_PAGE ((size_t)2 << 20)

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t power = 16;
    while (power < at_least)
        power *= 2;
    return power;
}

static int ring_open(struct tcp_ring *ring, uint32_t count)
{
    uint32_t size = power_of_two(count);

    ring->items = calloc(size, sizeof(*ring->items));
    ring->mask = size - 1;
    return ring->items == NULL ? -ENOMEM : 0;
}

static int slab_open(struct weir_tcp *tcp, unsigned count)
{
    size_t size = count * sizeof(*tcp->connections);
    size_t unit = size >= HUGE_PAGE ? HUGE_PAGE : 64;

    tcp->slab_size = (size + unit - 1) / unit * unit;
    tcp->connections = aligned_alloc(unit, tcp->slab_size);
    if (tcp->connections == NULL)
        return -ENOMEM;
    if (unit == HUGE_PAGE) /* thousands of connections at random: the TLB would miss on each. A wish, no more */
        (void)madvise(tcp->connections, tcp->slab_size, MADV_HUGEPAGE);
    memset(tcp->connections, 0, size);
    for (uint32_t i = 0; i < count; i++) {
        tcp->connections[i].index = i;
        tcp->connections[i].tcp = tcp;
    }
    return 0;
}

int tcp_table_open(struct weir_tcp *tcp, unsigned connections_max)
{
    tcp->connections_max = connections_max;
    tcp->slots_mask = power_of_two(4 * connections_max) - 1;
    tcp->slots = calloc((size_t)tcp->slots_mask + 1, sizeof(*tcp->slots));
    tcp->free = calloc(connections_max, sizeof(*tcp->free));
    if (tcp->slots == NULL || tcp->free == NULL)
        return -ENOMEM;
    WEIR_TRY(ring_open(&tcp->dirty, connections_max));
    WEIR_TRY(ring_open(&tcp->reports, connections_max));
    WEIR_TRY(ring_open(&tcp->delayed, connections_max));
    WEIR_TRY(slab_open(tcp, connections_max));
    for (uint32_t i = 0; i < connections_max; i++) /* the first slots are taken first: they share pages */
        tcp->free[i] = connections_max - 1 - i;
    tcp->free_count = connections_max;
    return 0;
}

void tcp_table_close(struct weir_tcp *tcp)
{
    free(tcp->slots);
    free(tcp->free);
    free(tcp->dirty.items);
    free(tcp->reports.items);
    free(tcp->delayed.items);
    free(tcp->connections);
}

struct weir_tcp_connection *tcp_lookup(const struct weir_tcp *tcp, const struct tcp_key *key, uint32_t hash)
{
    for (uint32_t at = hash;; at++) {
        const struct tcp_slot *slot = &tcp->slots[at & tcp->slots_mask];
        if (slot->index == 0)
            return NULL;
        if (slot->hash == hash && tcp_is(&tcp->connections[slot->index - 1], key))
            return &tcp->connections[slot->index - 1];
    }
}

void tcp_table_insert(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t at = c->hash;

    WEIR_ASSERT(!(c->marks & M_IN_TABLE));
    while (tcp->slots[at & tcp->slots_mask].index != 0)
        at++;
    tcp->slots[at & tcp->slots_mask] = (struct tcp_slot){c->hash, c->index + 1};
    c->marks |= M_IN_TABLE;
}

/* Closes the gap at `hole`: each later one of the chain that may stand there moves up, so no tombstones are needed. */
static void close_gap(struct weir_tcp *tcp, uint32_t hole)
{
    uint32_t mask = tcp->slots_mask;

    for (uint32_t at = hole + 1;; at++) {
        struct tcp_slot slot = tcp->slots[at & mask];
        if (slot.index == 0)
            break;
        if (((at - slot.hash) & mask) >= ((at - hole) & mask)) {
            tcp->slots[hole & mask] = slot;
            hole = at;
        }
    }
    tcp->slots[hole & mask] = (struct tcp_slot){0, 0};
}

void tcp_table_remove(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    uint32_t at = c->hash;

    if (!(c->marks & M_IN_TABLE))
        return;
    while (tcp->slots[at & tcp->slots_mask].index != c->index + 1) {
        WEIR_ASSERT(tcp->slots[at & tcp->slots_mask].index != 0);
        at++;
    }
    close_gap(tcp, at);
    c->marks &= (uint16_t)~M_IN_TABLE;
}

/* Clears a slot for its next life. Whether it stands in a ring outlives it: the ring cannot forget. */
static void connection_clear(struct weir_tcp_connection *c)
{
    uint16_t rings = c->flags & (F_DIRTY | F_REPORTED);
    bool ack_waits = c->ack_waits;
    struct weir_tcp *tcp = c->tcp;
    uint32_t index = c->index;

    memset(c, 0, sizeof(*c));
    c->flags = rings;
    c->ack_waits = ack_waits;
    c->tcp = tcp;
    c->index = index;
    weir_timer_init(&c->timer);
    weir_list_init(&c->member);
    c->rtx_at = c->life_at = WEIR_NEVER;
}

struct weir_tcp_connection *tcp_connection_new(struct weir_tcp *tcp)
{
    struct weir_tcp_connection *c;

    if (tcp->free_count == 0) {
        c = WEIR_LIST_FIRST(&tcp->time_wait, struct weir_tcp_connection, member);
        if (c == NULL) {
            tcp->stats.no_connection_memory++;
            return NULL;
        }
        tcp->stats.time_wait_overflow++;
        tcp_finish(tcp, c, 0);
    }
    WEIR_ASSERT(tcp->free_count > 0);
    c = &tcp->connections[tcp->free[--tcp->free_count]];
    WEIR_ASSERT_EQ(c->state, WEIR_TCP_CLOSED);
    connection_clear(c);
    tcp_events_forget(tcp, c);
    tcp->stats.connections++;
    return c;
}

void tcp_connection_free(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    WEIR_ASSERT_EQ(c->state, WEIR_TCP_CLOSED);
    WEIR_ASSERT(!(c->marks & M_IN_TABLE) && !weir_timer_armed(&c->timer) && weir_list_empty(&c->member));
    WEIR_ASSERT(c->send.head == NULL && c->receive.head == NULL && c->out_of_order.head == NULL);
    c->events = 0;
    c->user = NULL;
    WEIR_ASSERT(tcp->free_count < tcp->connections_max);
    tcp->free[tcp->free_count++] = c->index;
    tcp->stats.connections--;
}
