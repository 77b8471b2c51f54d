/* Two hosts on a cable in virtual time, as in tests/sim, and a stranger who puts frames of his own on the cable, at a
 * rate, to the second of them. */
#ifndef ATTACK_HOSTS_H
#define ATTACK_HOSTS_H

#include "../support/eal.h"
#include <criterion/criterion.h>
#include <weir/net/stream.h>
#include <weir/net/wire.h>
#include <weir/weir.h>

enum { PORT = 80 };

struct hosts;

/* Fills an empty packet with a frame, to host 1. */
typedef void (*stranger_t)(struct hosts *hosts, struct rte_mbuf *m);

struct hosts {
    struct weir_virtual_clock clock;
    struct weir_rng rng; /* the stranger's */
    struct rte_mempool *pool;
    struct weir_stack *stacks[2];
    struct weir_stack_options options; /* of host 1 */
    weir_time delay;                   /* one way */
    unsigned pool_size;
    /* the stranger */
    stranger_t stranger; /* NULL: there is none */
    weir_time every;     /* one frame */
    uint64_t made;
    /* what he could bring about */
    unsigned packets_max, connections_max; /* in use at most, at any time that the stranger was polled */
};

/* Sets what hosts begin with. */
void hosts_init(struct hosts *hosts);
/* Runs a task between the two, stacks up; returns what it returned. All packets must be back afterwards. */
int hosts_run(struct hosts *hosts, int (*body)(struct hosts *hosts));

struct weir_endpoint host_endpoint(int host, uint16_t port);

/* ---- frames: each of these appends a part to a packet ---- */

void put_ethernet(struct rte_mbuf *m, const struct rte_ether_addr *from, uint16_t type);
/* `length` bytes follow. */
void put_ipv4(struct rte_mbuf *m, uint32_t src, uint8_t protocol, uint16_t length);
/* `length` bytes follow; to host 1's IPv6 address, fd00::2. */
void put_ipv6(struct rte_mbuf *m, const struct weir_address *src, uint8_t protocol, uint8_t hop_limit, uint16_t length);
/* A whole ICMPv6 message, its checksum written here, to fd00::2. */
void put_icmp6(struct rte_mbuf *m, const struct weir_address *src, uint8_t hop_limit, void *message, uint16_t length);
/* A whole segment, from `src` in host order, to host 1. */
void put_tcp(struct rte_mbuf *m, uint32_t src, uint16_t src_port, uint16_t dst_port, uint32_t seq, uint32_t ack,
             uint8_t flags, uint16_t length);

#endif
