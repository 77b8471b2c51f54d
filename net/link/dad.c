/* Duplicate address detection: an address is ours once nobody has objected. RFC 4862 section 5.4. */
#include "nd_private.h"

#define DELAY_MAX WEIR_SECONDS(1) /* MAX_RTR_SOLICITATION_DELAY: hosts that start together must not ask together */
#define TRANSMITS 1               /* DupAddrDetectTransmits */

static struct nd_detection *find(struct link *link, const struct weir_address *address)
{
    for (unsigned i = 0; i < RTE_DIM(link->detections); i++)
        if (weir_address_equal(&link->detections[i].address, address))
            return &link->detections[i];
    return NULL;
}

static void wake_at(struct link *link, weir_time due)
{
    link->discovery_due = RTE_MIN(link->discovery_due, due);
}

static void forget(struct nd_detection *detection)
{
    *detection = (struct nd_detection){.due = WEIR_NEVER};
}

void dad_start(struct link *link, weir_time now, const struct weir_address *address)
{
    struct nd_detection *detection = find(link, address);

    if (detection == NULL)
        detection = find(link, &(struct weir_address){0});
    WEIR_ASSERT(detection != NULL); /* there are as many as addresses, and one that is gone is forgotten */
    *detection = (struct nd_detection){
        .address = *address,
        .left = TRANSMITS,
        .due = weir_time_add(now, (weir_time)weir_rng_below(&link->rng, DELAY_MAX)),
    };
    for (unsigned i = 0; i < sizeof(detection->nonce); i++)
        detection->nonce[i] = (uint8_t)weir_rng_next(&link->rng);
    wake_at(link, detection->due);
}

void dad_stop(struct link *link, const struct weir_address *address)
{
    struct nd_detection *detection = find(link, address);

    if (detection != NULL)
        forget(detection);
}

/* Our own question, come back by a loop in the network, is nobody's answer. RFC 7527 section 4.2. */
void dad_rival(struct link *link, const struct weir_address *address, const uint8_t *nonce)
{
    struct nd_detection *detection = find(link, address);

    if (detection == NULL || (nonce != NULL && memcmp(nonce, detection->nonce, sizeof(detection->nonce)) == 0))
        return;
    forget(detection);
    link->face.stats.nd_duplicates++;
    (void)weir_link_flag_address(&link->face, address, WEIR_ADDRESS_TENTATIVE | WEIR_ADDRESS_DUPLICATE);
}

static void ask(struct link *link, const struct nd_detection *detection)
{
    uint8_t message[WEIR_ND_LENGTH_MAX];
    struct weir_nd nd = {.type = WEIR_ICMP6_NEIGHBOUR_SOLICITATION, .target = detection->address, .has_nonce = true};

    memcpy(nd.nonce, detection->nonce, sizeof(nd.nonce));
    nd_send(link,
            &(struct nd_outgoing){
                .dst = weir_nd_solicited_node(&nd.target), .message = message, .length = weir_nd_write(message, &nd)},
            NULL);
    link->face.stats.nd_solicits_out++;
}

/* So that the routers know us before the first packet for us arrives. RFC 9131 section 4.1. */
void dad_announce(struct link *link, weir_time now, const struct weir_address *address)
{
    uint8_t message[WEIR_ND_LENGTH_MAX];
    struct weir_nd nd = {
        .type = WEIR_ICMP6_NEIGHBOUR_ADVERTISEMENT, .target = *address, .has_mac = true, .mac = link->mac};

    mld_joined(link, now, address);
    nd_send(link,
            &(struct nd_outgoing){
                .src = *address, .dst = WEIR_ND_ALL_ROUTERS, .message = message, .length = weir_nd_write(message, &nd)},
            NULL);
    link->face.stats.nd_advertisements_out++;
}

static void due(struct link *link, weir_time now, struct nd_detection *detection)
{
    const struct weir_link_address *ours = link_address_of(link, &detection->address);
    struct weir_address address = detection->address;

    WEIR_ASSERT(ours != NULL);
    if (detection->left > 0) {
        detection->left--;
        detection->due = weir_time_add(now, link->retrans_timer);
        mld_joined(link, now, &address); /* before it is asked: section 5.4.2 */
        ask(link, detection);
    } else {
        forget(detection);
        (void)weir_link_flag_address(&link->face, &address, ours->flags & ~(unsigned)WEIR_ADDRESS_TENTATIVE);
        dad_announce(link, now, &address);
    }
}

void dad_timers(struct link *link, weir_time now)
{
    for (unsigned i = 0; i < RTE_DIM(link->detections); i++) {
        if (!weir_address_is_none(&link->detections[i].address) && now >= link->detections[i].due)
            due(link, now, &link->detections[i]);
        wake_at(link, link->detections[i].due);
    }
}
