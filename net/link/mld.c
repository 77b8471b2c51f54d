/* Our multicast groups: each address's solicited-node group, joined so that switches that listen let them through to
 * us. RFC 3810; ff02::1 is everybody's and never reported (section 6). */
#include "nd_private.h"

#define REPEAT_MAX WEIR_SECONDS(1)        /* Unsolicited Report Interval, section 9.11 */
#define ANSWER_MIN WEIR_MILLISECONDS(100) /* who asks without end is not answered at that rate */

static unsigned groups_of(const struct link *link, struct weir_address groups[WEIR_LINK_ADDRESSES_MAX])
{
    unsigned count = 0;

    for (unsigned i = 0; i < link->face.addresses_count; i++) {
        const struct weir_address *address = &link->face.addresses[i].address;
        unsigned known = 0;
        if (weir_address_is_v4(address))
            continue;
        groups[count] = weir_nd_solicited_node(address);
        while (!weir_address_equal(&groups[known], &groups[count]))
            known++;
        count += known == count;
    }
    return count;
}

/* All that end alike are one group, and one MAC. */
bool mld_is_ours(const struct link *link, const struct rte_ether_addr *group)
{
    struct weir_address all = WEIR_ND_ALL_NODES;
    struct rte_ether_addr everybody = weir_nd_multicast_mac(&all);

    if (rte_is_same_ether_addr(group, &everybody))
        return true;
    if (group->addr_bytes[2] != 0xff)
        return false;
    for (unsigned i = 0; i < link->face.addresses_count; i++) {
        const struct weir_address *address = &link->face.addresses[i].address;
        if (!weir_address_is_v4(address) && memcmp(address->bytes + 13, group->addr_bytes + 3, 3) == 0)
            return true;
    }
    return false;
}

/* From a link-local address, or while there is none from nobody. RFC 3590 section 4. */
static struct weir_address reporter(const struct link *link)
{
    for (unsigned i = 0; i < link->face.addresses_count; i++) {
        const struct weir_link_address *ours = &link->face.addresses[i];
        if (weir_address_is_link_local(&ours->address) && !(ours->flags & WEIR_ADDRESS_TENTATIVE))
            return ours->address;
    }
    return (struct weir_address){0};
}

static void report(struct link *link, enum weir_mld_record record, const struct weir_address *groups, unsigned count)
{
    uint8_t message[WEIR_MLD_REPORT_LENGTH(WEIR_LINK_ADDRESSES_MAX)];

    if (count > 0)
        nd_send(link,
                &(struct nd_outgoing){.src = reporter(link),
                                      .dst = WEIR_ND_ALL_MLD2_ROUTERS,
                                      .message = message,
                                      .length = weir_mld_report(message, record, groups, count),
                                      .to_routers = true},
                NULL);
}

static void report_by(struct link *link, weir_time now, weir_time within)
{
    weir_time due = weir_time_add(now, (weir_time)weir_rng_below(&link->rng, (uint64_t)within));

    link->report_due = RTE_MIN(link->report_due, due);
    link->discovery_due = RTE_MIN(link->discovery_due, link->report_due);
}

/* Said twice, for it may be lost: section 6.1. The second time all groups are told, which says the same of this one. */
void mld_joined(struct link *link, weir_time now, const struct weir_address *address)
{
    struct weir_address group = weir_nd_solicited_node(address);

    report(link, WEIR_MLD_JOINED, &group, 1);
    report_by(link, now, REPEAT_MAX);
}

/* Section 6.2. Whatever was asked for, all is answered. */
void mld_query(struct link *link, weir_time now, const struct weir_link_message *in)
{
    if (in->hop_limit != 1 || !weir_address_is_link_local(&in->src) || in->length < 24) {
        link->face.stats.nd_bad++;
        return;
    }
    report_by(link, now,
              RTE_MAX(WEIR_MILLISECONDS((weir_time)weir_mld_response_delay(in->bytes, in->length)), ANSWER_MIN));
}

void mld_timers(struct link *link, weir_time now)
{
    struct weir_address groups[WEIR_LINK_ADDRESSES_MAX];

    if (now >= link->report_due) {
        link->report_due = WEIR_NEVER;
        report(link, WEIR_MLD_LISTENED, groups, groups_of(link, groups));
    }
    link->discovery_due = RTE_MIN(link->discovery_due, link->report_due);
}
