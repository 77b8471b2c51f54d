/* One TCP/IP stack on one device, joined to the run loop of one lcore. A stack is a value: ten can live in one process.
 */
#ifndef WEIR_NET_STACK_H
#define WEIR_NET_STACK_H

#include <stdio.h>
#include <weir/net/autoconf.h>
#include <weir/net/dev.h>
#include <weir/net/tcp.h>
#include <weir/net/udp.h>
#include <weir/task.h>

struct weir_stack_options {
    uint32_t address; /* of IPv4, host order; 0: none. For others see weir_stack_add_address */
    uint8_t prefix;
    uint32_t gateway;                             /* host order; 0: none                                     */
    uint16_t vlan;                                /* that the link is, 1 to 4094; 0: none                    */
    unsigned connections_max;                     /* 0: 16384                                         */
    uint32_t receive_buffer, send_buffer;         /* bytes a connection; 0: 262144        */
    unsigned packets_max;                         /* held by all connections; 0: three quarters of the device's pool */
    unsigned packets_low;                         /* of the pool, to stay free: SYNs are shed first; 0: a sixteenth  */
    unsigned embryonic_max, orphans_max;          /* connections; 0: half of connections_max each: weir/net/tcp.h    */
    weir_time rto_min, time_wait;                 /* 0: TCP's own                                 */
    uint16_t mss_max;                             /* 0: what the link has room for */
    enum weir_tcp_mtu_probing mtu_probing;        /* zero: to find a way out of black holes */
    weir_time delayed_ack;                        /* 0: no ACK waits for a later turn; see weir/net/tcp.h */
    const struct weir_tcp_congestion *congestion; /* NULL: TCP's own, weir_tcp_cubic              */
    enum weir_tcp_ecn ecn;                        /* zero: if the peer asks for it                        */
    bool syn_cookies;                  /* answer every SYN with a cookie, and not only when a backlog is full */
    unsigned backlog;                  /* of a listener that asks for none; 0: 1024                          */
    struct weir_tcp_settings settings; /* what each stream begins with                                       */
    uint64_t seed;                     /* 0: from getrandom(2); anything else makes all choices repeatable, for tests */
    weir_time close_grace;             /* what weir_stack_close waits for connections to finish; 0: 1 s */
};

struct weir_stack;

/* Makes a stack on a device, and plugs it into the current loop. The device stays the caller's and must outlive it.
 * Returns 0, -EINVAL (address, prefix, gateway or vlan make no sense), -ENOMEM. Only inside weir_run. Checkpoint:
 * never. */
WEIR_MUST_CHECK int weir_stack_open(struct weir_stack **stack, struct weir_dev *dev,
                                    const struct weir_stack_options *options);

/* Closes it: no new connections; those that the application has closed get `close_grace` to finish, the rest is
 * aborted; then everything is freed. Streams and sockets must be closed before. Waits in a shield: never cancelled.
 * NULL is fine. Checkpoint: always lets others run, is not a place where cancellation is raised. */
void weir_stack_close(struct weir_stack *stack);

struct weir_stack_stats {
    struct weir_dev_stats dev;
    struct weir_link_stats link;
    struct weir_ip_stats ip;
    struct weir_udp_stats udp;
    struct weir_tcp_stats tcp;
    uint64_t turns, tx_dropped; /* frames that the device did not take in time */
};
void weir_stack_stats(struct weir_stack *stack, struct weir_stack_stats *stats);

/* A counter as network administrators know it: "Tcp" "RetransSegs". What each counts is said where its field is
 * declared. */
struct weir_counter {
    const char *group, *name;
    uint64_t value;
};

/* Names the i-th counter, from 0 on, those of a group together. Returns false, and `counter` is untouched, beyond the
 * last. Checkpoint: never. Source: RFC 2863, 4022, 4113, 4293; Linux's net/ipv4/proc.c for groups that end in "Ext";
 * those of "TcpWeir", "Link" and "Weir" have no other name. */
bool weir_stack_counter(const struct weir_stack_stats *stats, unsigned i, struct weir_counter *counter);

/* Prints the counters that are not zero, one a line, as nstat does. Checkpoint: never. */
void weir_stack_print_counters(struct weir_stack *stack, FILE *out);

/* Walks the stack's connections: returns the first at or behind place *at, and moves *at behind it; NULL when none is
 * left. Begin at 0. What is told of them is as of this turn. Checkpoint: never. See weir_tcp_next_connection. */
const struct weir_tcp_connection *weir_stack_next_connection(struct weir_stack *stack, unsigned *at);

/* What `ss` calls a state: "ESTAB". Checkpoint: never. */
const char *weir_tcp_state_short(enum weir_tcp_state state);

/* Prints the connections as `ss -tin` does, `most` of them at most, and how many more there are. Checkpoint: never. */
void weir_stack_print_connections(struct weir_stack *stack, FILE *out, unsigned most);

/* As weir_ip_add_address, and announces it: an IPv6 one that is WEIR_ADDRESS_TENTATIVE is nobody's for a second or two,
 * until nobody has objected (weir_link_announce); with 0 it is ours at once. As weir_ip_remove_address,
 * weir_ip_add_route, weir_ip_addresses. Checkpoint: never. */
WEIR_MUST_CHECK int weir_stack_add_address(struct weir_stack *stack, const struct weir_address *address,
                                           unsigned prefix, unsigned flags);
const struct weir_link_address *weir_stack_addresses(const struct weir_stack *stack, unsigned *count);
/* As weir_ip_autoconfigure. Checkpoint: never. */
WEIR_MUST_CHECK int weir_stack_autoconfigure(struct weir_stack *stack, const struct weir_autoconf_options *options);

int weir_stack_remove_address(struct weir_stack *stack, const struct weir_address *address);
WEIR_MUST_CHECK int weir_stack_add_route(struct weir_stack *stack, const struct weir_address *destination,
                                         unsigned prefix, const struct weir_address *gateway);

/* The first IPv4 address, host order; 0: none. Checkpoint: never. */
uint32_t weir_stack_address(const struct weir_stack *stack);

/* Takes a packet to fill and send: empty, with headroom for all headers and room for a full segment.
 * Returns NULL when the pool is dry. The packet is the caller's. Checkpoint: never. */
struct rte_mbuf *weir_packet_alloc(struct weir_stack *stack);

/* ---- for net/stream ---- */
struct weir_ip *weir_stack_ip(struct weir_stack *stack);
struct weir_tcp *weir_stack_tcp(struct weir_stack *stack);
struct weir_udp *weir_stack_udp(struct weir_stack *stack);
struct rte_mempool *weir_stack_pool(struct weir_stack *stack);
unsigned weir_stack_backlog(const struct weir_stack *stack); /* of listeners that ask for none */
/* Gives a new connection the settings that the stack's options have, if they have any. */
void weir_stack_settle(struct weir_stack *stack, struct weir_tcp_connection *connection);

/* What `user` of a TCP connection, listener or UDP socket points to: told, in the loop, what happened. */
struct weir_stack_user {
    void (*event)(struct weir_stack_user *user, unsigned events);
};

/* Tells the stack how many streams and sockets tasks still hold. */
void weir_stack_hold(struct weir_stack *stack);
void weir_stack_release(struct weir_stack *stack);

/* Who wants to be told, in the loop, that the pool has packets again: once, it is off the list then. To be off it
 * before, weir_list_remove(&waiter->link). */
struct weir_packet_waiter {
    struct weir_list link;
    void (*ready)(struct weir_packet_waiter *waiter);
};
void weir_stack_await_packets(struct weir_stack *stack, struct weir_packet_waiter *waiter);

/* Memory of a user's, that packets refer to: see weir_send_external. The memory of this struct is his too, until it is
 * done. */
struct weir_external {
    void (*done)(struct weir_external *external);
    size_t sent; /* bytes that the stream has taken */
    /* the rest is the stack's */
    struct rte_mbuf_ext_shared_info shared;
    struct weir_stack *stack; /* NULL: closed before it was done */
    struct weir_list link;    /* among the stack's, or those that are done */
};

/* Begins with one reference, the caller's. */
void weir_external_open(struct weir_external *external, struct weir_stack *stack);
/* Gives that one back. */
void weir_external_release(struct weir_external *external);

#endif
