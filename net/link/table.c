/* The neighbours' table: fixed, open addressed. An address may lie in any of WINDOW slots from the one it hashes to,
 * so that finding, making and evicting cost the same however full the table is and whoever fills it. */
#include "link_private.h"
#include <stdlib.h>

/* A product of the halves, both hidden: who does not know the key cannot aim at a window. Never 0: that is a free slot.
 */
static uint32_t key_of(const struct link *link, const struct weir_address *address)
{
    uint64_t halves[2];
    __uint128_t product;

    memcpy(halves, address, sizeof(halves));
    product = (__uint128_t)(halves[0] ^ link->hash_key[0]) * (halves[1] ^ link->hash_key[1]);
    product = (__uint128_t)((uint64_t)product ^ (uint64_t)(product >> 64)) * link->hash_key[2];
    return (uint32_t)(product >> 64) | 1;
}

static unsigned first_slot(const struct link *link, uint32_t key)
{
    return key >> 1 & (link->slots - 1);
}

static unsigned window_of(const struct link *link)
{
    return RTE_MIN(link->slots, (unsigned)WINDOW);
}

int table_open(struct link *link, unsigned neighbours_max)
{
    link->slots = rte_align32pow2(neighbours_max);
    for (unsigned i = 0; i < RTE_DIM(link->hash_key); i++)
        link->hash_key[i] = weir_rng_next(&link->rng) | 1;
    link->keys = calloc(link->slots, sizeof(*link->keys));
    link->neighbours = calloc(link->slots, sizeof(*link->neighbours));
    link->waiting_packets = calloc((size_t)link->slots * link->pending_max, sizeof(*link->waiting_packets));
    if (link->keys == NULL || link->neighbours == NULL || link->waiting_packets == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < link->slots; i++) {
        struct neighbour *neighbour = &link->neighbours[i];
        neighbour->face.generation = 1;
        neighbour->waiting_packets = &link->waiting_packets[(size_t)i * link->pending_max];
        weir_timer_init(&neighbour->timer);
    }
    return 0;
}

void table_close(struct link *link)
{
    for (unsigned i = 0; link->neighbours != NULL && i < link->slots; i++)
        if (link->neighbours[i].state != NEIGHBOUR_FREE)
            neighbour_release(link, &link->neighbours[i]);
    free(link->waiting_packets);
    free(link->neighbours);
    free(link->keys);
}

struct neighbour *table_find(struct link *link, const struct weir_address *address)
{
    uint32_t key = key_of(link, address);
    unsigned first = first_slot(link, key);

    for (unsigned i = 0; i < window_of(link); i++) {
        unsigned slot = (first + i) & (link->slots - 1);
        if (link->keys[slot] == key && weir_address_equal(&link->neighbours[slot].face.address, address))
            return &link->neighbours[slot];
    }
    return NULL;
}

/* How much would be lost with an entry; entries of a rank go oldest first. */
enum rank { RANK_FREE, RANK_NEVER_USED, RANK_IDLE, RANK_USED, RANK_RESOLVING, RANK_WAITED_FOR, RANK_KEEP };

static enum rank rank_of(const struct neighbour *neighbour)
{
    switch (neighbour->state) {
    case NEIGHBOUR_FREE:
        return RANK_FREE;
    case NEIGHBOUR_IDLE:
        return RANK_NEVER_USED;
    case NEIGHBOUR_STALE:
        return RANK_IDLE;
    case NEIGHBOUR_REACHABLE:
    case NEIGHBOUR_PROBING:
        return neighbour->face.used == NEVER_USED ? RANK_NEVER_USED : RANK_USED;
    case NEIGHBOUR_RESOLVING:
        break;
    }
    if (neighbour->waiting == 0)
        return RANK_RESOLVING;
    return neighbour->requests > 1 ? RANK_WAITED_FOR : RANK_KEEP;
}

static weir_time last_of_use(const struct neighbour *neighbour)
{
    return RTE_MAX(neighbour->face.used, neighbour->since);
}

static struct neighbour *least_useful(struct link *link, uint32_t key)
{
    unsigned first = first_slot(link, key);
    struct neighbour *least = NULL;
    enum rank least_rank = RANK_KEEP;

    for (unsigned i = 0; i < window_of(link); i++) {
        struct neighbour *neighbour = &link->neighbours[(first + i) & (link->slots - 1)];
        enum rank rank = rank_of(neighbour);
        if (rank == RANK_FREE)
            return neighbour;
        if (rank < least_rank || (least != NULL && rank == least_rank && last_of_use(neighbour) < last_of_use(least))) {
            least = neighbour;
            least_rank = rank;
        }
    }
    return least;
}

struct neighbour *table_make(struct link *link, weir_time now, const struct weir_address *address, bool may_evict_used)
{
    uint32_t key = key_of(link, address);
    struct neighbour *neighbour = least_useful(link, key);

    if (neighbour == NULL || (rank_of(neighbour) >= RANK_USED && !may_evict_used)) {
        link->face.stats.arp_table_full++;
        return NULL;
    }
    if (neighbour->state != NEIGHBOUR_FREE)
        neighbour_release(link, neighbour);
    neighbour->face.address = *address;
    neighbour->face.used = NEVER_USED;
    neighbour->since = now;
    neighbour->confirmed = now;
    neighbour->state = NEIGHBOUR_IDLE;
    link->keys[neighbour - link->neighbours] = key;
    weir_wheel_arm(&link->wheel, &neighbour->timer, weir_time_add(now, STALE_TIME));
    return neighbour;
}
