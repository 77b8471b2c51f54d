/* IP's options, and what it says of itself. */
#include "ip_private.h"
#include <stdlib.h>
#include <weir/net/dev.h>

static uint32_t mask_of(uint8_t prefix)
{
    return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}

/* Errors sent at once, at most; the rate alone would let a second's worth go in one go. */
static unsigned icmp_burst(unsigned rate)
{
    return RTE_MIN(RTE_MAX(rate / 20, 1u), 50u);
}

static void icmp_limit_open(struct weir_ip *ip, unsigned rate)
{
    if (rate == 0)
        rate = 1000;
    ip->icmp_cost = RTE_MAX(WEIR_SECONDS(1) / rate, 1);
    ip->icmp_credit_max = ip->icmp_credit = ip->icmp_cost * icmp_burst(rate);
}

int weir_ip_open(struct weir_ip **opened, const struct weir_ip_options *options, struct weir_link *link)
{
    struct weir_ip *ip;
    struct weir_ip made = {
        .link = link,
        .address = options->address,
        .gateway = options->gateway,
        .mtu = weir_link_mtu(link),
        .ttl = options->ttl != 0 ? options->ttl : 64,
        .multi_segs = weir_link_capabilities(link) & WEIR_DEV_TX_MULTI_SEGS,
        .ipv4_cksum = weir_link_capabilities(link) & WEIR_DEV_TX_IPV4_CKSUM,
        .pool = options->pool,
    };

    if (options->prefix > 32)
        return -EINVAL;
    made.mask = mask_of(options->prefix);
    made.broadcast = options->prefix < 31 ? made.address | ~made.mask : made.address;
    if (!ip_is_host(&made, made.address) || (options->prefix < 31 && made.address == made.broadcast))
        return -EINVAL;
    if (made.gateway != 0 && (((made.gateway ^ made.address) & made.mask) != 0 || made.gateway == made.address ||
                              !ip_is_host(&made, made.gateway)))
        return -EINVAL;
    icmp_limit_open(&made, options->icmp_rate);

    ip = malloc(sizeof(*ip));
    if (ip == NULL)
        return -ENOMEM;
    struct weir_address address = weir_address_v4(made.address);
    int rc = weir_link_add_address(link, &address);
    if (rc < 0) {
        free(ip);
        return rc;
    }
    *ip = made;
    rc = ip_reassembly_open(&ip->reassembly, options->reassembly_max != 0 ? options->reassembly_max : 64);
    if (rc < 0) {
        free(ip);
        return rc;
    }
    *opened = ip;
    return 0;
}

void weir_ip_close(struct weir_ip *ip)
{
    if (ip == NULL)
        return;
    ip_reassembly_close(&ip->reassembly);
    free(ip);
}

uint32_t weir_ip_address(const struct weir_ip *ip)
{
    return ip->address;
}

struct weir_link *weir_ip_link(struct weir_ip *ip)
{
    return ip->link;
}

const struct weir_ip_stats *weir_ip_stats(const struct weir_ip *ip)
{
    return &ip->stats;
}
