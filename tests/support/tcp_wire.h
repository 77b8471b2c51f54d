/* By IPv4, or by IPv6 if the environment says WEIR_TEST_FAMILY=6: then the link's MTU is larger by what the header is.
 *
 * One TCP machine on its real IP and link, at virtual times, and a hand that plays its peer: segments are put in, and
 * what comes out is compared. All sequence numbers here are relative: 0 is a side's SYN, 1 the first byte of its
 * stream. Payload is a pattern of its place in the stream, so that bytes that were swapped or repeated show. */
#ifndef TEST_TCP_WIRE_H
#define TEST_TCP_WIRE_H

#include "eal.h"
#include "nic.h"
#include <criterion/criterion.h>
#include <weir/net/tcp.h>
#include <weir/net/wire.h>
#include <weir/net/wire_tcp.h>

enum {
    FIN = RTE_TCP_FIN_FLAG,
    SYN = RTE_TCP_SYN_FLAG,
    RST = RTE_TCP_RST_FLAG,
    PSH = RTE_TCP_PSH_FLAG,
    ACK = RTE_TCP_ACK_FLAG
};

#define WIRE_SENT_MAX 2048

/* What came out: a copy of the frame, as a device takes it. */
struct wire_frame {
    weir_time at;
    uint16_t length;
    uint8_t bytes[1534];
};

struct wire {
    struct weir_burst burst;
    struct rte_mempool *pool, *control;
    struct weir_link *link;
    struct weir_ip *ip;
    struct weir_tcp *tcp;
    struct weir_tcp_options options; /* may be changed before wire_open */
    uint32_t capabilities;           /* of the link, likewise           */
    bool finish; /* do what the machine leaves to the device: then what came out is as on the wire */
    struct nic nic;
    struct rte_mbuf *(*carry)(struct rte_mbuf *m); /* a device: returns what came out at its other end; NULL: none */
    uint16_t mtu;
    unsigned pool_size, control_size; /* 0: 512, 256 */
    unsigned references_size;         /* may be 0 */
    uint16_t control_room;            /* bytes; 0: 2048 */
    const char *pool_ops;             /* of rte_mempool; NULL: the default */
    bool ipv6;
    struct weir_address address, peer_address;
    struct rte_ether_addr mac, peer_mac;
    weir_time now;
    /* the peer */
    uint16_t port, peer_port;
    uint32_t iss, isn; /* initial numbers: the machine's (learned), the peer's */
    uint16_t peer_mss;
    int peer_scale;  /* -1: does not scale */
    bool timestamps; /* the peer knows them */
    bool sack;       /* likewise */
    uint32_t ts, ts_echo;
    uint32_t window;        /* what the peer's segments say, not scaled */
    uint64_t written, read; /* bytes of the machine's user */
    /* what was sent and not yet looked at */
    struct wire_frame *sent;
    unsigned sent_count, sent_taken;
    bool asked; /* by ARP, for the peer */
    bool hold;  /* a device that is slow: it keeps what it was given, up to 64 packets */
    struct rte_mbuf *held[64];
    unsigned held_count;
};

/* A segment to put in. Fields not named are the peer's usual ones. */
struct wire_segment {
    uint8_t flags;
    uint32_t seq, ack, length;
    bool window_is; /* `window` is meant, even if 0 */
    uint32_t window;
    bool ts_is, no_ts;
    uint32_t ts;
    unsigned sack_count; /* blocks, relative to the machine's numbers */
    struct weir_tcp_sack_block sack[WEIR_TCP_SACK_MAX];
    uint8_t tos; /* of IP */
    uint16_t urgent;
    bool bad_checksum;
    bool absolute;     /* seq and ack are the wire's own */
    unsigned segments; /* the packet is in so many mbufs; 0: one */
};

/* A segment that came out. */
struct wire_seen {
    weir_time at;
    uint8_t flags;
    uint32_t seq, ack, length;
    uint32_t window;
    uint8_t tos;
    uint16_t port, peer_port;
    struct weir_tcp_option_values options;
    uint8_t payload[1514];
};

/* The peer's endpoint, or that of another port of it. */
struct weir_endpoint wire_remote(const struct wire *w, uint16_t port);
/* How long an IP header is here. */
uint16_t wire_ip_length(const struct wire *w);
/* The n-th host of the network, from 1 on: 1 is the machine, 2 the peer. */
struct weir_address wire_host(bool ipv6, uint8_t n);

/* Sets what a wire begins with; then wire_open makes the machine. `test_eal_init` comes before. */
void wire_init(struct wire *w);
void wire_open(struct wire *w);
/* Destroys the machine. Fails the test if anything is left over that was not looked at, or a packet is missing. */
void wire_close(struct wire *w);
/* The same without looking at what is left over. */
void wire_close_quietly(struct wire *w);

void wire_put(struct wire *w, struct wire_segment segment);
#define IN(w, ...) wire_put(w, (struct wire_segment){__VA_ARGS__})

/* Builds a frame from the peer. The packet is from w->pool. */
struct rte_mbuf *wire_frame(struct wire *w, const struct wire_segment *segment);
/* Feeds a frame through link, IP and TCP, as a stack does. */
void wire_feed(struct wire *w, struct rte_mbuf *frame);

/* The end of a turn. */
void wire_flush(struct wire *w);
/* Moves time forward, turn by turn as deadlines come, to now + by. */
void wire_advance(struct wire *w, weir_time by);
/* Frees what a slow device holds. */
void wire_release(struct wire *w);

/* Flushes, and takes the next segment that came out. Fails if it is not this one. PSH is not compared. */
struct wire_seen wire_expect_at(struct wire *w, const char *file, int line, uint8_t flags, uint32_t seq, uint32_t ack,
                                uint32_t length);
#define OUT(w, flags, seq, ack, length) wire_expect_at(w, __FILE__, __LINE__, flags, seq, ack, length)
/* Takes the next segment, whatever it is. Returns false if there is none. */
bool wire_next(struct wire *w, struct wire_seen *seen);
void wire_expect_nothing_at(struct wire *w, const char *file, int line);
#define NOTHING(w) wire_expect_nothing_at(w, __FILE__, __LINE__)

/* Listens on w->port. */
struct weir_tcp_listener *wire_listen(struct wire *w, unsigned backlog);
/* Opens a connection to the listener; to ESTABLISHED, accepted, all ACKs looked at. */
struct weir_tcp_connection *wire_accept(struct wire *w, struct weir_tcp_listener *listener);
/* Opens one actively; the same. */
struct weir_tcp_connection *wire_connect(struct wire *w);
/* Listens and accepts one: what most tests begin with. */
struct weir_tcp_connection *wire_established(struct wire *w);

/* Makes a packet of the next `length` bytes of our stream. */
struct rte_mbuf *wire_payload(struct wire *w, uint32_t length);
void wire_send(struct wire *w, struct weir_tcp_connection *c, uint32_t length);
/* Takes what can be received now, compares it with the pattern, and returns how many bytes that was. */
uint32_t wire_read(struct wire *w, struct weir_tcp_connection *c);
/* Takes all events; returns those of `user`, or 0. */
unsigned wire_events(struct wire *w, void *user);

uint8_t wire_byte(bool ours, uint32_t seq);

#endif
