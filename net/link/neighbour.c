/* What becomes of a neighbour: resolved, believed, asked again, forgotten. RFC 1122 section 2.3.2; the states are those
 * of RFC 4861 section 7.3.2, which ARP's own texts leave open. */
#include "nd_private.h"

/* What a cached path may believe of the entry has changed. 0 means "knows nothing" in a path, so it is left out. */
static void next_generation(struct neighbour *neighbour)
{
    if (++neighbour->face.generation == 0)
        neighbour->face.generation = 1;
}

void weir_link_renew(struct weir_link *face)
{
    struct link *link = link_of(face);

    for (unsigned i = 0; i < link->slots; i++)
        next_generation(&link->neighbours[i]);
}

static void enter(struct link *link, weir_time now, struct neighbour *neighbour, enum neighbour_state state,
                  weir_time stay)
{
    neighbour->state = state;
    neighbour->since = now;
    weir_wheel_disarm(&link->wheel, &neighbour->timer);
    weir_wheel_arm(&link->wheel, &neighbour->timer, weir_time_add(now, stay));
}

static struct rte_mbuf *take_waiting(struct link *link, struct neighbour *neighbour)
{
    struct rte_mbuf *m = neighbour->waiting_packets[neighbour->waiting_first];

    WEIR_ASSERT(neighbour->waiting > 0 && link->waiting > 0);
    neighbour->waiting_first = (neighbour->waiting_first + 1) % link->pending_max;
    neighbour->waiting--;
    link->waiting--;
    return m;
}

static void drop_oldest(struct link *link, struct neighbour *neighbour)
{
    rte_pktmbuf_free(take_waiting(link, neighbour));
    link->face.stats.arp_unresolved_dropped++;
}

static void wait_for_mac(struct link *link, struct neighbour *neighbour, struct rte_mbuf *frame)
{
    if (neighbour->waiting == link->pending_max)
        drop_oldest(link, neighbour);
    if (link->waiting >= RTE_MAX(link->pending_max, (unsigned)WAITING_MAX)) {
        rte_pktmbuf_free(frame);
        link->face.stats.arp_unresolved_dropped++;
        return;
    }
    neighbour->waiting_packets[(neighbour->waiting_first + neighbour->waiting) % link->pending_max] = frame;
    neighbour->waiting++;
    link->waiting++;
}

void neighbour_release(struct link *link, struct neighbour *neighbour)
{
    while (neighbour->waiting > 0)
        drop_oldest(link, neighbour);
    weir_wheel_disarm(&link->wheel, &neighbour->timer);
    link->keys[neighbour - link->neighbours] = 0;
    neighbour->doubted = false;
    neighbour->state = NEIGHBOUR_FREE;
    neighbour->face.address = (struct weir_address){0};
    next_generation(neighbour);
}

static void believe(struct link *link, weir_time now, struct neighbour *neighbour)
{
    neighbour->doubted = false;
    neighbour->confirmed = now;
    neighbour->reachable_time = REACHABLE_MIN + (weir_time)weir_rng_below(&link->rng, REACHABLE_MIN);
    enter(link, now, neighbour, NEIGHBOUR_REACHABLE, neighbour->reachable_time);
}

static void set_mac(struct neighbour *neighbour, const struct rte_ether_addr *mac)
{
    neighbour->mac = *mac;
    next_generation(neighbour);
}

static void send_waiting(struct link *link, struct neighbour *neighbour)
{
    while (neighbour->waiting > 0) {
        struct rte_mbuf *frame = take_waiting(link, neighbour);
        /* the destination comes first; a frame begins at any byte */
        memcpy(rte_pktmbuf_mtod(frame, void *), &neighbour->mac, sizeof(neighbour->mac));
        weir_link_transmit(&link->face, frame);
    }
}

void neighbour_heard(struct link *link, weir_time now, struct neighbour *neighbour, const struct rte_ether_addr *mac)
{
    bool known = neighbour->state == NEIGHBOUR_REACHABLE || neighbour->state == NEIGHBOUR_PROBING;

    if (!known || !rte_is_same_ether_addr(&neighbour->mac, mac))
        set_mac(neighbour, mac);
    believe(link, now, neighbour);
    send_waiting(link, neighbour);
}

static weir_time interval_of(const struct link *link, const struct neighbour *neighbour)
{
    return weir_address_is_v4(&neighbour->face.address) ? REQUEST_INTERVAL : link->retrans_timer;
}

/* Asks once more in this state: for where it is, or whether it still is there. */
static void ask(struct link *link, weir_time now, struct neighbour *neighbour)
{
    const struct weir_link_address *source = link_address_near(link, &neighbour->face.address);
    const struct rte_ether_addr *to =
        neighbour->state == NEIGHBOUR_PROBING && !neighbour->doubted ? &neighbour->mac : NULL;

    neighbour->requests++;
    if (!weir_address_is_v4(&neighbour->face.address))
        nd_solicit(link, &neighbour->face.address, to);
    else if (source != NULL)
        arp_request(link, source->v4, weir_address_to_v4(&neighbour->face.address), to);
    weir_wheel_arm(&link->wheel, &neighbour->timer, weir_time_add(now, interval_of(link, neighbour)));
}

static void start_asking(struct link *link, weir_time now, struct neighbour *neighbour, enum neighbour_state state)
{
    neighbour->requests = 0;
    enter(link, now, neighbour, state, REQUEST_INTERVAL);
    ask(link, now, neighbour);
}

/* It is in use, and nothing says that it hears us. An IPv6 one is given time to show that it does (RFC 4861 section
 * 7.3.3, DELAY) before it is asked. */
static void start_probing(struct link *link, weir_time now, struct neighbour *neighbour)
{
    if (weir_address_is_v4(&neighbour->face.address)) {
        start_asking(link, now, neighbour, NEIGHBOUR_PROBING);
        return;
    }
    neighbour->requests = 0;
    enter(link, now, neighbour, NEIGHBOUR_PROBING, FIRST_PROBE_DELAY);
}

void neighbour_distrust(struct link *link, weir_time now, struct neighbour *neighbour)
{
    next_generation(neighbour);
    enter(link, now, neighbour, NEIGHBOUR_STALE, STALE_TIME);
}

void neighbour_told(struct link *link, weir_time now, struct neighbour *neighbour, const struct rte_ether_addr *mac)
{
    bool known = neighbour->state != NEIGHBOUR_IDLE && neighbour->state != NEIGHBOUR_RESOLVING;

    if (known && rte_is_same_ether_addr(&neighbour->mac, mac))
        return;
    set_mac(neighbour, mac);
    neighbour->doubted = false;
    if (neighbour->waiting > 0)
        start_probing(link, now, neighbour);
    else
        enter(link, now, neighbour, NEIGHBOUR_STALE, STALE_TIME);
    send_waiting(link, neighbour);
}

void weir_link_send(struct weir_link *face, weir_time now, struct weir_neighbour *to, uint16_t ether_type,
                    struct rte_mbuf *m)
{
    struct link *link = link_of(face);
    struct neighbour *neighbour = neighbour_of(to);
    struct rte_mbuf *frame = link_frame(link, m, &neighbour->mac, ether_type);

    if (frame == NULL)
        return;
    to->used = now;
    switch (neighbour->state) {
    case NEIGHBOUR_FREE: /* forgotten since it was looked up */
        rte_pktmbuf_free(frame);
        face->stats.arp_unresolved_dropped++;
        return;
    case NEIGHBOUR_IDLE:
        wait_for_mac(link, neighbour, frame);
        start_asking(link, now, neighbour, NEIGHBOUR_RESOLVING);
        return;
    case NEIGHBOUR_RESOLVING:
        wait_for_mac(link, neighbour, frame);
        return;
    case NEIGHBOUR_STALE:
        start_probing(link, now, neighbour);
        break;
    case NEIGHBOUR_REACHABLE:
    case NEIGHBOUR_PROBING:
        break;
    }
    weir_link_transmit(face, frame);
}

/* The time of belief is over: who was used meanwhile is asked, who was not is kept, but not believed. */
static void doubt(struct link *link, weir_time now, struct neighbour *neighbour)
{
    weir_time until = weir_time_add(neighbour->confirmed, neighbour->reachable_time);

    if (now < until) { /* confirmed meanwhile */
        weir_wheel_arm(&link->wheel, &neighbour->timer, until);
    } else if (neighbour->face.used > neighbour->confirmed) {
        start_probing(link, now, neighbour);
    } else {
        neighbour_distrust(link, now, neighbour);
    }
}

static void due(struct link *link, weir_time now, struct neighbour *neighbour)
{
    bool asking = neighbour->state == NEIGHBOUR_RESOLVING || neighbour->state == NEIGHBOUR_PROBING;

    if (neighbour->state == NEIGHBOUR_REACHABLE)
        doubt(link, now, neighbour);
    else if (asking && neighbour->requests < REQUESTS_MAX)
        ask(link, now, neighbour);
    else
        neighbour_release(link, neighbour);
}

void weir_link_timers(struct weir_link *face, weir_time now)
{
    struct link *link = link_of(face);
    struct weir_timer *timer;

    while ((timer = weir_wheel_expire(&link->wheel, now)) != NULL)
        due(link, now, WEIR_CONTAINER_OF(timer, struct neighbour, timer));
    if (now < link->discovery_due)
        return;
    link->discovery_due = WEIR_NEVER;
    dad_timers(link, now);
    mld_timers(link, now);
}

weir_time weir_link_next_deadline(const struct weir_link *face)
{
    const struct link *link = WEIR_CONTAINER_OF(face, const struct link, face);

    return RTE_MIN(weir_wheel_next(&link->wheel), link->discovery_due);
}

static struct weir_neighbour *find_or_make(struct link *link, weir_time now, const struct weir_address *address,
                                           bool may_evict_used)
{
    struct neighbour *neighbour;

    WEIR_ASSERT(!weir_address_is_none(address));
    neighbour = table_find(link, address);
    if (neighbour == NULL)
        neighbour = table_make(link, now, address, may_evict_used);
    return neighbour != NULL ? &neighbour->face : NULL;
}

struct weir_neighbour *weir_link_neighbour(struct weir_link *face, weir_time now, const struct weir_address *address)
{
    return find_or_make(link_of(face), now, address, true);
}

struct weir_neighbour *weir_link_stranger(struct weir_link *face, weir_time now, const struct weir_address *address)
{
    return find_or_make(link_of(face), now, address, false);
}

bool weir_neighbour_mac(const struct weir_neighbour *face, struct rte_ether_addr *mac)
{
    const struct neighbour *neighbour = WEIR_CONTAINER_OF(face, const struct neighbour, face);

    if (neighbour->state != NEIGHBOUR_REACHABLE && neighbour->state != NEIGHBOUR_PROBING)
        return false;
    *mac = neighbour->mac;
    return true;
}

void weir_link_confirm(struct weir_link *face, weir_time now, struct weir_neighbour *to)
{
    struct neighbour *neighbour = neighbour_of(to);

    if (neighbour->state == NEIGHBOUR_PROBING)
        believe(link_of(face), now, neighbour);
    else if (neighbour->state == NEIGHBOUR_REACHABLE)
        neighbour->confirmed = now; /* the timer looks when it fires: this is for every acknowledgement to call */
}

/* RFC 1122 section 2.3.2.1 (4), higher-layer advice. By broadcast: if the MAC is wrong, its owner cannot say so. */
void weir_link_doubt(struct weir_link *face, weir_time now, struct weir_neighbour *to)
{
    struct neighbour *neighbour = neighbour_of(to);

    if (neighbour->doubted)
        return;
    neighbour->doubted = true;
    if (neighbour->state == NEIGHBOUR_REACHABLE)
        start_asking(link_of(face), now, neighbour, NEIGHBOUR_PROBING);
}
