/* Addresses that are made from routers' prefixes, and last as long as these say. RFC 4862 section 5.5, RFC 7217. */
#include "autoconf_private.h"
#include <stdlib.h>

#define TWO_HOURS WEIR_SECONDS(7200)
#define ID_RETRIES 3               /* IDGEN_RETRIES, RFC 7217 section 7 */
#define LOOK_AGAIN WEIR_SECONDS(3) /* when duplicate address detection is over */

weir_time autoconf_until(weir_time now, uint32_t seconds)
{
    return seconds == WEIR_ND_FOREVER ? WEIR_NEVER : weir_time_add(now, WEIR_SECONDS((weir_time)seconds));
}

void autoconf_wake_at(struct ip_autoconf *autoconf, weir_time due)
{
    autoconf->due = RTE_MIN(autoconf->due, due);
}

/* RFC 5453: those of anycast and of proxies. */
static bool is_reserved(uint64_t id)
{
    return id == 0 || id >> 8 == 0xfdffffffffffffu || id >> 24 == 0x02005efffeu;
}

/* RFC 7217 section 5: of the prefix, the interface, how often that was taken already, and a secret. */
static struct weir_address make_address(struct weir_ip *ip, const struct weir_address *prefix, unsigned *counter)
{
    struct {
        struct weir_address prefix;
        struct rte_ether_addr mac;
        uint16_t counter;
    } told = {.prefix = *prefix};
    struct weir_address address = *prefix;
    uint64_t id;

    weir_link_mac(ip->link, &told.mac);
    do {
        told.counter = (uint16_t)(*counter)++;
        id = weir_siphash(ip->autoconf->secret, &told, sizeof(told));
    } while (is_reserved(id));
    id = rte_cpu_to_be_64(id);
    memcpy(address.bytes + 8, &id, sizeof(id));
    return address;
}

static void forget(struct weir_ip *ip, struct autoconf_address *own)
{
    (void)weir_ip_remove_address(ip, &own->address);
    *own = (struct autoconf_address){.valid = WEIR_NEVER, .preferred = WEIR_NEVER};
}

static int take(struct weir_ip *ip, weir_time now, struct autoconf_address *own)
{
    own->address = make_address(ip, &own->prefix, &own->counter);
    WEIR_TRY(weir_ip_add_address(ip, &own->address, 128, WEIR_ADDRESS_TENTATIVE));
    weir_link_announce(ip->link, now, &own->address);
    own->look = weir_time_add(now, LOOK_AGAIN);
    autoconf_wake_at(ip->autoconf, own->look);
    return 0;
}

static struct autoconf_address *find(struct ip_autoconf *autoconf, const struct weir_address *prefix)
{
    for (unsigned i = 0; i < RTE_DIM(autoconf->addresses); i++)
        if (weir_address_equal(&autoconf->addresses[i].prefix, prefix))
            return &autoconf->addresses[i];
    return NULL;
}

int autoconf_add(struct weir_ip *ip, weir_time now, const struct weir_address *prefix, weir_time valid,
                 weir_time preferred)
{
    struct autoconf_address *own = find(ip->autoconf, &(struct weir_address){0});
    int rc;

    if (own == NULL)
        return -ENOSPC;
    *own = (struct autoconf_address){.prefix = *prefix, .valid = valid, .preferred = preferred};
    rc = take(ip, now, own);
    if (rc < 0)
        forget(ip, own);
    autoconf_wake_at(ip->autoconf, RTE_MIN(valid, preferred));
    return rc;
}

/* The two hours' rule, RFC 4862 section 5.5.3 (e): who forges an advertisement shall not take an address away at once.
 */
static void renew(struct autoconf_address *own, weir_time now, weir_time valid, weir_time preferred)
{
    weir_time soonest = weir_time_add(now, TWO_HOURS);

    own->preferred = preferred;
    if (valid > soonest || valid > own->valid)
        own->valid = valid;
    else if (own->valid > soonest)
        own->valid = soonest;
}

void autoconf_prefix(struct weir_ip *ip, weir_time now, const struct weir_nd_prefix *told)
{
    struct weir_address prefix = weir_address_prefix(&told->prefix, told->bits);
    weir_time valid = autoconf_until(now, told->valid), preferred = autoconf_until(now, told->preferred);
    struct autoconf_address *own = find(ip->autoconf, &prefix);

    if (told->bits != 64 || told->preferred > told->valid || weir_address_is_multicast(&prefix))
        return; /* (c), (d): no identifier of ours fits */
    if (own != NULL)
        renew(own, now, valid, preferred);
    else if (told->valid != 0)
        (void)autoconf_add(ip, now, &prefix, valid, preferred);
    if (own != NULL)
        autoconf_wake_at(ip->autoconf, RTE_MIN(own->valid, own->preferred));
}

static void look_at(struct weir_ip *ip, weir_time now, struct autoconf_address *own)
{
    const struct weir_link_address *ours = ip_address_of(ip, &own->address);
    unsigned deprecated = now >= own->preferred ? WEIR_ADDRESS_DEPRECATED : 0;

    if (ours == NULL || now >= own->valid) {
        forget(ip, own);
    } else if (ours->flags & WEIR_ADDRESS_DUPLICATE) { /* RFC 7217 section 6 */
        (void)weir_ip_remove_address(ip, &own->address);
        if (own->counter > ID_RETRIES || take(ip, now, own) < 0)
            forget(ip, own);
    } else {
        (void)weir_ip_flag_address(ip, &own->address, (ours->flags & ~(unsigned)WEIR_ADDRESS_DEPRECATED) | deprecated);
    }
}

static weir_time next_of(const struct autoconf_address *own, weir_time now)
{
    weir_time next = own->valid;

    if (own->preferred > now)
        next = RTE_MIN(next, own->preferred);
    return own->look > now ? RTE_MIN(next, own->look) : next;
}

void autoconf_timers(struct weir_ip *ip, weir_time now)
{
    struct ip_autoconf *autoconf = ip->autoconf;

    if (autoconf == NULL || now < autoconf->due)
        return;
    autoconf->due = WEIR_NEVER;
    for (unsigned i = 0; i < RTE_DIM(autoconf->addresses); i++) {
        struct autoconf_address *own = &autoconf->addresses[i];
        if (!weir_address_is_none(&own->prefix))
            look_at(ip, now, own);
        autoconf_wake_at(autoconf, next_of(own, now));
    }
    autoconf_routers_timers(ip, now);
}
