/* IP's options, and what it says of itself. */
#include "ip_private.h"
#include <stdlib.h>
#include <weir/net/dev.h>

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

/* What the options say of IPv4, the short way. */
static int configure(struct weir_ip *ip, const struct weir_ip_options *options)
{
    struct weir_address all = weir_address_v4(0), gateway = weir_address_v4(options->gateway);
    struct weir_address address = weir_address_v4(options->address);

    if (options->address != 0)
        WEIR_TRY(weir_ip_add_address(ip, &address, options->prefix, 0));
    return options->gateway != 0 ? weir_ip_add_route(ip, &all, 0, &gateway) : 0;
}

int weir_ip_open(struct weir_ip **opened, const struct weir_ip_options *options, struct weir_link *link)
{
    struct weir_ip *ip = calloc(1, sizeof(*ip));
    struct weir_rng rng;

    if (ip == NULL)
        return -ENOMEM;
    ip->link = link;
    ip->mtu = ip->mtu_v6 = weir_link_mtu(link);
    ip->ttl = options->ttl != 0 ? options->ttl : 64;
    ip->hop_limit = ip->ttl;
    ip->multi_segs = weir_link_capabilities(link) & WEIR_DEV_TX_MULTI_SEGS;
    ip->ipv4_cksum = weir_link_capabilities(link) & WEIR_DEV_TX_IPV4_CKSUM;
    ip->pool = options->pool;
    weir_rng_seed(&rng, options->seed);
    for (unsigned i = 0; i < RTE_DIM(ip->label_key); i++)
        ip->label_key[i] = weir_rng_next(&rng) | 1;
    icmp_limit_open(ip, options->icmp_rate);
    int rc = configure(ip, options);
    if (rc < 0) {
        weir_ip_close(ip);
        return rc;
    }
    rc = ip_reassembly_open(&ip->reassembly, options->reassembly_max != 0 ? options->reassembly_max : 64);
    if (rc < 0) {
        weir_ip_close(ip);
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
    while (ip->link->addresses_count > 0)
        weir_link_remove_address(ip->link, &ip->link->addresses[ip->link->addresses_count - 1].address);
    free(ip->autoconf);
    free(ip);
}

uint32_t weir_ip_address(const struct weir_ip *ip)
{
    for (unsigned i = 0; i < ip->link->addresses_count; i++)
        if (weir_address_is_v4(&ip->link->addresses[i].address))
            return ip->link->addresses[i].v4;
    return 0;
}

struct weir_link *weir_ip_link(struct weir_ip *ip)
{
    return ip->link;
}

const struct weir_ip_stats *weir_ip_stats(const struct weir_ip *ip)
{
    return &ip->stats;
}
