/* Private to net/stack: what a stack is made of. */
#ifndef WEIR_STACK_PRIVATE_H
#define WEIR_STACK_PRIVATE_H

#include <weir/net/stack.h>

enum { RX_BURST = 32, BACKLOG_MAX = 1024, CONTROL_PACKETS = 4095, CONTROL_ROOM = 640, LISTEN_BACKLOG = 1024 };

struct weir_stack {
    struct weir_burst burst; /* first: a flush finds the stack from it */
    struct weir_poller poller;
    struct weir_dev *dev;
    struct weir_link *link;
    struct weir_ip *ip;
    struct weir_udp *udp;
    struct weir_tcp *tcp;
    struct rte_mempool *control_pool;
    struct rte_mbuf **backlog; /* frames that the device has not taken yet: a ring */
    unsigned backlog_head, backlog_count;
    weir_time offered, taken; /* when the device was offered the backlog last, and when it took some of it */
    struct weir_list packet_waiters;
    unsigned packets_low, turns_to_count;       /* until the pools are counted again */
    struct weir_list externals, externals_done; /* of users, that packets refer to; and no longer */
    unsigned held;                              /* streams, listeners and sockets that tasks have */
    weir_time close_grace;
    unsigned listen_backlog;
    bool settles; /* new connections, by `settings` */
    struct weir_tcp_settings settings;
    uint64_t turns, tx_dropped;
};

/* turn.c */
int weir_stack_poll(struct weir_poller *poller, weir_time now);
void weir_stack_flush(struct weir_poller *poller, weir_time now);
weir_time weir_stack_next_deadline(struct weir_poller *poller);
int weir_stack_interrupt(struct weir_poller *poller, bool on);
void weir_stack_burst_flush(struct weir_burst *burst);
void weir_stack_backlog_free(struct weir_stack *stack);

/* external.c */
/* Tells the users of those whose last reference has gone. */
void weir_stack_tell_externals(struct weir_stack *stack);
/* For the stack's end: those that a device still refers to are told when it lets go of them. */
void weir_stack_leave_externals(struct weir_stack *stack);

#endif
