/* A link's addresses: who we are on it. */
#include "nd_private.h"
#include <stdlib.h>

static struct weir_link_address *find(struct weir_link *link, const struct weir_address *address)
{
    for (unsigned i = 0; i < link->addresses_count; i++)
        if (weir_address_equal(&link->addresses[i].address, address))
            return &link->addresses[i];
    return NULL;
}

/* Of a network of two hosts both are hosts (RFC 3021 section 2.1), and of a network of one there is nobody to tell. */
static uint32_t broadcast_of(const struct weir_address *address, unsigned bits)
{
    return weir_address_is_v4(address) && bits < 127 ? weir_address_to_v4(address) | UINT32_MAX >> (bits - 96)
                                                     : UINT32_MAX;
}

int weir_link_add_address(struct weir_link *link, const struct weir_address *address, unsigned bits, unsigned flags)
{
    WEIR_ASSERT(bits <= 128 && (bits >= 96 || !weir_address_is_v4(address)));
    if (find(link, address) != NULL)
        return -EEXIST;
    if (link->addresses_count == WEIR_LINK_ADDRESSES_MAX)
        return -ENOSPC;
    link->addresses[link->addresses_count++] = (struct weir_link_address){
        .address = *address,
        .v4 = weir_address_is_v4(address) ? weir_address_to_v4(address) : UINT32_MAX,
        .v4_broadcast = broadcast_of(address, bits),
        .bits = (uint8_t)bits,
        .flags = (uint8_t)flags,
    };
    return 0;
}

int weir_link_remove_address(struct weir_link *link, const struct weir_address *address)
{
    struct weir_link_address *found = find(link, address), *end = link->addresses + link->addresses_count;

    if (found == NULL)
        return -EADDRNOTAVAIL;
    dad_stop(link_of(link), &found->address);
    memmove(found, found + 1, (size_t)(end - (found + 1)) * sizeof(*found)); /* their order is that of preference */
    link->addresses_count--;
    return 0;
}

int weir_link_flag_address(struct weir_link *link, const struct weir_address *address, unsigned flags)
{
    struct weir_link_address *found = find(link, address);

    if (found == NULL)
        return -EADDRNOTAVAIL;
    found->flags = (uint8_t)flags;
    return 0;
}

const struct weir_link_address *link_address_of(const struct link *link, const struct weir_address *address)
{
    return find((struct weir_link *)(uintptr_t)&link->face, address);
}

bool link_is_ours(const struct link *link, const struct weir_address *address)
{
    return find((struct weir_link *)(uintptr_t)&link->face, address) != NULL;
}

const struct weir_link_address *link_address_near(const struct link *link, const struct weir_address *target)
{
    const struct weir_link_address *near = NULL;

    for (unsigned i = 0; i < link->face.addresses_count; i++) {
        const struct weir_link_address *ours = &link->face.addresses[i];
        if (weir_address_is_v4(&ours->address) != weir_address_is_v4(target) || ours->flags & WEIR_ADDRESS_TENTATIVE)
            continue;
        if (weir_address_share_prefix(&ours->address, target, ours->bits))
            return ours;
        if (near == NULL)
            near = ours;
    }
    return near;
}

void weir_link_announce(struct weir_link *face, weir_time now, const struct weir_address *address)
{
    struct link *link = link_of(face);
    const struct weir_link_address *ours = link_address_of(link, address);

    WEIR_ASSERT(ours != NULL);
    if (weir_address_is_v4(address))
        arp_request(link, ours->v4, ours->v4, NULL);
    else if (ours->flags & WEIR_ADDRESS_TENTATIVE)
        dad_start(link, now, address);
    else
        dad_announce(link, now, address);
}
