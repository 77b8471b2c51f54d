/* Which of our addresses a packet is sent from. RFC 1122 section 3.3.4.3, RFC 6724 section 5. */
#include "ip_private.h"

/* The scope of an address, as multicast's four bits have it. RFC 6724 section 3.1. */
static unsigned scope_of(const struct weir_address *address)
{
    if (address->bytes[0] == 0xff)
        return address->bytes[1] & 0x0f;
    if (weir_address_is_link_local(address))
        return 2;
    if (address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0xc0)
        return 5;
    return 14;
}

/* Kinds of addresses that are best not mixed. The default policy table of RFC 6724 section 2.1, longest first. */
static unsigned label_of(const struct weir_address *address)
{
    static const struct {
        uint8_t begin[4], bits, label;
    } policies[] = {
        {{0x20, 0x01, 0x00, 0x00}, 32, 5},
        {{0x20, 0x02}, 16, 2},
        {{0x3f, 0xfe}, 16, 12},
        {{0xfe, 0xc0}, 10, 11},
        {{0xfc}, 7, 13},
    };

    for (unsigned i = 0; i < RTE_DIM(policies); i++) {
        struct weir_address begin = {0};
        memcpy(&begin, policies[i].begin, sizeof(policies[i].begin));
        if (weir_address_share_prefix(address, &begin, policies[i].bits))
            return policies[i].label;
    }
    return 1;
}

/* How many bits the address has in common with dst, of those that are its network's. RFC 6724 section 2.2. */
static unsigned common_bits(const struct weir_link_address *ours, const struct weir_address *dst)
{
    unsigned bits = 0;

    while (bits < ours->bits && weir_address_share_prefix(&ours->address, dst, bits + 1))
        bits++;
    return bits;
}

/* Is a a better source than b? Those of RFC 6724 section 5's rules that mean something to a host with one link, no home
 * agent and no temporary addresses. */
static bool is_better(const struct weir_link_address *a, const struct weir_link_address *b,
                      const struct weir_address *dst)
{
    unsigned scope = scope_of(dst), a_scope = scope_of(&a->address), b_scope = scope_of(&b->address);
    bool a_deprecated = a->flags & WEIR_ADDRESS_DEPRECATED, b_deprecated = b->flags & WEIR_ADDRESS_DEPRECATED;
    unsigned label = label_of(dst);
    bool a_fits = label_of(&a->address) == label, b_fits = label_of(&b->address) == label;

    if (a_scope != b_scope) /* rule 2 */
        return a_scope < b_scope ? a_scope >= scope : b_scope < scope;
    if (a_deprecated != b_deprecated) /* rule 3 */
        return b_deprecated;
    if (a_fits != b_fits) /* rule 6 */
        return a_fits;
    return common_bits(a, dst) > common_bits(b, dst); /* rule 8 */
}

/* On the next hop's network, else the first. RFC 1122 section 3.3.4.3. */
static bool is_better_v4(const struct weir_link_address *a, const struct weir_link_address *b,
                         const struct weir_address *hop)
{
    return weir_address_share_prefix(&a->address, hop, a->bits) &&
           !weir_address_share_prefix(&b->address, hop, b->bits);
}

const struct weir_address *ip_source(const struct weir_ip *ip, const struct weir_address *dst,
                                     const struct weir_address *hop)
{
    const struct weir_link_address *best = NULL;
    bool v4 = weir_address_is_v4(dst);

    for (unsigned i = 0; i < ip->link->addresses_count; i++) {
        const struct weir_link_address *ours = &ip->link->addresses[i];
        if (weir_address_is_v4(&ours->address) != v4 || ours->flags & WEIR_ADDRESS_TENTATIVE)
            continue;
        if (best == NULL || (v4 ? is_better_v4(ours, best, hop) : is_better(ours, best, dst)))
            best = ours;
    }
    return best != NULL ? &best->address : NULL;
}
