/* The neighbours' table: fixed, open addressed. An address may lie in any of WINDOW slots from the one it hashes to,
 * so that finding, making and evicting cost the same however full the table is and whoever fills it. */
#include "link_private.h"
#include <stdlib.h>

static unsigned first_slot(const struct link *link, uint32_t address)
{
    /* multiply-shift with a secret odd multiplier (Dietzfelbinger): who does not know it cannot aim at a window */
    return (unsigned)((address * link->hash_key[0] + link->hash_key[1]) >> 32) & (link->slots - 1);
}

static unsigned window_of(const struct link *link)
{
    return RTE_MIN(link->slots, (unsigned)WINDOW);
}

int table_open(struct link *link, unsigned neighbours_max)
{
    link->slots = rte_align32pow2(neighbours_max);
    link->hash_key[0] = weir_rng_next(&link->rng) | 1;
    link->hash_key[1] = weir_rng_next(&link->rng);
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

struct neighbour *table_find(struct link *link, uint32_t address)
{
    unsigned first = first_slot(link, address);

    for (unsigned i = 0; i < window_of(link); i++) {
        unsigned slot = (first + i) & (link->slots - 1);
        if (link->keys[slot] == address)
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

static struct neighbour *least_useful(struct link *link, uint32_t address)
{
    unsigned first = first_slot(link, address);
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

struct neighbour *table_make(struct link *link, weir_time now, uint32_t address, bool may_evict_used)
{
    struct neighbour *neighbour = least_useful(link, address);

    if (neighbour == NULL || (rank_of(neighbour) >= RANK_USED && !may_evict_used)) {
        link->face.stats.arp_table_full++;
        return NULL;
    }
    if (neighbour->state != NEIGHBOUR_FREE)
        neighbour_release(link, neighbour);
    neighbour->face.address = address;
    neighbour->face.used = NEVER_USED;
    neighbour->since = now;
    neighbour->confirmed = now;
    neighbour->state = NEIGHBOUR_IDLE;
    link->keys[neighbour - link->neighbours] = address;
    weir_wheel_arm(&link->wheel, &neighbour->timer, weir_time_add(now, STALE_TIME));
    return neighbour;
}
