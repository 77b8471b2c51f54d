/* TCP, sans I/O: segments, user calls and the time go in; segments go down to IP, events are reported. */
#ifndef WEIR_NET_TCP_H
#define WEIR_NET_TCP_H

#include <weir/net/ip.h>

enum weir_tcp_state { /* RFC 9293 section 3.3.2 */
                      WEIR_TCP_CLOSED,
                      WEIR_TCP_LISTEN,
                      WEIR_TCP_SYN_SENT,
                      WEIR_TCP_SYN_RECEIVED,
                      WEIR_TCP_ESTABLISHED,
                      WEIR_TCP_FIN_WAIT_1,
                      WEIR_TCP_FIN_WAIT_2,
                      WEIR_TCP_CLOSE_WAIT,
                      WEIR_TCP_CLOSING,
                      WEIR_TCP_LAST_ACK,
                      WEIR_TCP_TIME_WAIT,
};

enum weir_tcp_ecn {                       /* explicit congestion notification, RFC 3168 */
                    WEIR_TCP_ECN_ACCEPT,  /* if the peer asks for it, as the kernel does */
                    WEIR_TCP_ECN_REQUEST, /* and ask for it ourselves                    */
                    WEIR_TCP_ECN_OFF,
};

/* Finding out what the path has room for by probes: now and then a larger segment, RFC 4821. What ICMP says is heeded
 * whatever this says. */
enum weir_tcp_mtu_probing {
    WEIR_TCP_MTU_BLACK_HOLE, /* large segments that time out again and again are made smaller, and larger again by
                              * probes; so they are ten minutes after a router has asked for smaller ones           */
    WEIR_TCP_MTU_ALWAYS,     /* and each connection begins with mtu_base                                            */
    WEIR_TCP_MTU_OFF,
};

struct weir_tcp_options {
    enum weir_tcp_ecn ecn;
    unsigned connections_max; /* TIME_WAIT and embryonic ones among them; 0: 16384                          */
    unsigned listeners_max;   /* 0: 64                                                                      */
    uint32_t receive_buffer;  /* bytes a connection may hold for its reader, its window; 0: 262144          */
    uint32_t send_buffer;     /* bytes a connection may hold, sent or not, until acknowledged; 0: 262144    */
    bool syn_cookies;         /* answer every SYN with a cookie, and not only when a backlog is full */
    unsigned packets_max;     /* mbufs that all connections together may hold. From half of it on windows and  *
                               * send buffers shrink, the more the nearer it is; beyond it payload that        *
                               * arrives is dropped (its ACK still counts), and sends say -EAGAIN, but for one *
                               * packet a connection each way; 0: no limit                                   */
    unsigned packets_low;     /* mbufs of `pool` that should stay free: see weir_tcp_pools_have. 0: 1 of 16  */
    unsigned embryonic_max;   /* connections still shaking hands, of all listeners; 0: half of connections_max */
    unsigned orphans_max;     /* connections that were closed and have not finished; 0: half of connections_max */
    weir_time rto_min;        /* 0: 200 ms (RFC 6298 says 1 s SHOULD; everybody uses less)                  */
    weir_time time_wait;      /* 2 MSL; 0: 60 s                                                             */
    uint16_t mss_max; /* of the segments that we send and ask for, options counted; 0: what the link has room for */
    enum weir_tcp_mtu_probing mtu_probing;
    uint16_t mtu_base;     /* what is taken to fit any path: RFC 4821 section 7.2; 0: 1024                 */
    weir_time delayed_ack; /* How long the ACK of one segment that came alone may wait for a reply to carry it, or for *
                            * the next segment; 500 ms at most. 0: none waits beyond its turn, which a reply of the *
                            * same turn carries too, and many segments share: a load makes ACKs fewer by itself, and *
                            * no peer that gathers small segments (Nagle) is held up. For who answers later.         */
    const struct weir_tcp_congestion *congestion; /* how much may be in flight; NULL: weir_tcp_cubic                */
    struct rte_mempool *pool;         /* data: packets with room for a full segment                          */
    struct rte_mempool *control_pool; /* pure ACKs, SYNs, RSTs: small ones, so that they never starve        */
    struct rte_mempool *references;   /* weir_reference_pool's: for what the user sends in packets of more than a *
                                       * segment, and for such packets where the device has WEIR_DEV_TX_TSO; NULL *
                                       * is fine: then the former are sent again as a whole when a part is lost   */
    uint16_t pieces_max;              /* mbufs that a packet may have, with WEIR_DEV_TX_TSO                       */
    uint8_t key[16];                  /* secret for initial sequence numbers (RFC 6528) and the table's hash        */
    uint64_t seed;                    /* of what needs no secret                                                    */
};

/* What TCP has counted. Those of RFC 4022: active_opens, passive_opens (from CLOSED to SYN-SENT, from LISTEN to
 * SYN-RECEIVED), attempt_fails (from either back), estab_resets (from ESTABLISHED or CLOSE-WAIT to CLOSED by an error),
 * in_segs, out_segs, retrans_segs (segments; the last are in out_segs, too), in_errs (malformed, or a wrong checksum),
 * out_rsts, and curr_estab (ESTABLISHED or CLOSE-WAIT now). The others:
 *   in_cksum_errors          segments with a wrong checksum: in in_errs, too
 *   out_of_order             segments of data that did not come next
 *   duplicates               segments with data that was there already
 *   zero_window_probes       sent into a closed window
 *   fast_retransmits         recoveries that ACKs began
 *   timeouts                 retransmission timers that ran out
 *   paws_dropped             segments whose timestamp was old (RFC 7323)
 *   tail_loss_probes         sent (RFC 8985)
 *   keepalive_probes         sent
 *   syncookies_sent, _recv, _failed  SYNs answered so; ACKs that brought a good one back; ACKs that brought a bad one
 *   listen_overflows         SYNs and last ACKs of handshakes that found the backlog full
 *   no_connection_memory     connections that there was no place for
 *   challenge_acks           sent (RFC 5961)
 *   abort_on_timeout         connections given up: nobody answered
 *   abort_on_close           connections reset when closed, because data was not read
 *   abort_on_data            connections reset after they were closed, because data came
 *   dsacks                   ACKs that told that something came twice (RFC 2883)
 *   reorderings              packets that were seen to overtake others (RFC 8985 section 6.2)
 *   connections              places taken now, by connections of any state */
struct weir_tcp_stats {
    uint64_t active_opens, passive_opens, attempt_fails, estab_resets;
    uint64_t in_segs, out_segs, retrans_segs, in_errs, out_rsts, in_cksum_errors;
    uint64_t out_of_order, duplicates, zero_window_probes, fast_retransmits, timeouts, paws_dropped;
    uint64_t spurious_losses;            /* taken for losses, and then what was missing came: the window is back */
    uint64_t ecn_marked, ecn_reductions; /* segments that came marked; windows that marks have reduced */
    uint64_t tail_loss_probes, keepalive_probes;
    uint64_t delayed_acks; /* that went alone after all */
    uint64_t mtu_probes_delivered, mtu_probes_lost, mtu_black_holes;
    uint64_t syncookies_sent, syncookies_recv, syncookies_failed;
    uint64_t listen_overflows, no_connection_memory, challenge_acks;
    /* Bounds that bite, by the names of Linux's TcpExt: SYNs dropped for whatever reason; SYN queue full, so a cookie;
     * times that memory began to be scarce; segments dropped out of order (or thrown out to make room), and in order;
     * connections reset when closed, too many orphans being there; TIME_WAITs given up for a new connection. */
    uint64_t listen_drops, req_q_full_do_cookies, memory_pressures, ofo_drop, rcv_q_drop;
    uint64_t abort_on_memory, time_wait_overflow;
    uint64_t abort_on_timeout, abort_on_close, abort_on_data, dsacks, reorderings;
    unsigned curr_estab, connections;
};

struct weir_tcp;
struct weir_tcp_listener;
struct weir_tcp_connection;
struct weir_tcp_congestion;

/* Congestion control: RFC 9438, and RFC 5681 with the name that everybody knows it by. */
extern const struct weir_tcp_congestion weir_tcp_cubic, weir_tcp_reno;

/* Finds one by its name, "cubic" or "reno". Returns NULL if there is none. Checkpoint: never. */
const struct weir_tcp_congestion *weir_tcp_congestion_find(const char *name);
const char *weir_tcp_congestion_name(const struct weir_tcp_congestion *congestion);

/* Makes a machine on top of IP. The pools and IP stay the caller's and must outlive it; each packet of either pool
 * needs 128 bytes of headroom, one of `pool` room for 536 of payload at least. The device must look at reference counts
 * when it frees (no RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE): what is sent is kept until it is acknowledged. Returns 0 or
 * -ENOMEM. Checkpoint: never. Source: RFC 9293. */
WEIR_MUST_CHECK int weir_tcp_open(struct weir_tcp **tcp, const struct weir_tcp_options *options, struct weir_ip *ip);

/* Frees everything, silently; abort the connections first to tell the peers. */
void weir_tcp_destroy(struct weir_tcp *tcp);

/* ---- the turn: input, timers, events, flush ---- */

/* Takes a burst of segments as weir_ip_input left them (n at most 64), in order; consumes them. Prefetches. */
void weir_tcp_input(struct weir_tcp *tcp, weir_time now, struct rte_mbuf **packets, const struct weir_ip_rx *rx,
                    unsigned n);
void weir_tcp_icmp_error(struct weir_tcp *tcp, weir_time now, const struct weir_ip_rx *rx);
void weir_tcp_timers(struct weir_tcp *tcp, weir_time now);

/* Tells how many mbufs the two pools have left; as often as the answer may have changed by much, and not more than once
 * a turn. When `pool` has fewer than packets_low (or `control_pool` less than a sixteenth) SYNs are dropped; below half
 * of that, payload out of order too; and windows shrink, down to nothing new at a quarter: what is established lives
 * on. Checkpoint: never. */
void weir_tcp_pools_have(struct weir_tcp *tcp, unsigned packets, unsigned control_packets);
weir_time weir_tcp_next_deadline(const struct weir_tcp *tcp);

/* Sends what the turn left to send: queued data that windows allow, ACKs, window updates, FINs. Once, at a turn's end.
 */
void weir_tcp_flush(struct weir_tcp *tcp, weir_time now);

enum {                          /* events */
       WEIR_TCP_READABLE = 1,   /* data, the end of the stream, or an error can be received    */
       WEIR_TCP_WRITABLE = 2,   /* the send buffer has room again after a send said -EAGAIN    */
       WEIR_TCP_CONNECTED = 4,  /* an active open succeeded                                    */
       WEIR_TCP_FAILED = 8,     /* the connection ended with an error; see weir_tcp_error      */
       WEIR_TCP_ACCEPTABLE = 16 /* on a listener: accept will answer                           */
};

/* Returns the `user` of the next connection or listener that has something to report, and what, each of them once a
 * turn at most (events are gathered); NULL when there is none. Checkpoint: never. */
void *weir_tcp_next_event(struct weir_tcp *tcp, unsigned *events);

/* ---- user calls (RFC 9293 section 3.10). None blocks; none is a checkpoint. ---- */

/* Listens on a port (0: a free ephemeral one, at random). `user` must not be NULL. backlog: established connections not
 * yet accepted, and embryonic ones, at most each; when there are so many embryonic ones SYNs are answered with cookies
 * (RFC 4987 section 3.6). Returns 0, -EADDRINUSE, -ENOMEM (listeners_max). */
WEIR_MUST_CHECK int weir_tcp_listen(struct weir_tcp *tcp, uint16_t port, unsigned backlog, void *user,
                                    struct weir_tcp_listener **listener);
/* Stops listening; connections not yet accepted are reset. */
void weir_tcp_unlisten(struct weir_tcp *tcp, weir_time now, struct weir_tcp_listener *listener);
uint16_t weir_tcp_listener_port(const struct weir_tcp_listener *listener);

/* Takes the oldest established connection; `user` is its user from then on (may be set later; NULL: no events are
 * returned until then, but they are kept). Returns 0 or -EAGAIN. */
WEIR_MUST_CHECK int weir_tcp_accept(struct weir_tcp *tcp, struct weir_tcp_listener *listener, void *user,
                                    struct weir_tcp_connection **connection);
void weir_tcp_set_user(struct weir_tcp_connection *connection, void *user);

/* Starts an active open; WEIR_TCP_CONNECTED or WEIR_TCP_FAILED is reported later. Local port: random ephemeral (RFC
 * 6056) when local_port is 0. Returns 0, -EADDRINUSE, -EADDRNOTAVAIL (no port free), -ENETUNREACH, -EINVAL, -ENOMEM. */
WEIR_MUST_CHECK int weir_tcp_connect(struct weir_tcp *tcp, weir_time now, const struct weir_endpoint *remote,
                                     uint16_t local_port, void *user, struct weir_tcp_connection **connection);

/* Queues a payload (single or multi segment packet, any length > 0) to be sent by the next flush. On 0 the packet is
 * the machine's until acknowledged; on an error it stays the caller's. One that refers to other memory
 * (rte_pktmbuf_attach_extbuf) is sent from there, where the device gathers, if it is no more than a segment. Returns 0;
 * -EAGAIN: the send buffer is full, wait for WEIR_TCP_WRITABLE (a packet is accepted whole whenever any room is left);
 * -EPIPE: after shutdown, or the connection has ended; -ECONNRESET: the peer reset it; -ETIMEDOUT; -ENOTCONN: not yet
 * established (SYN_SENT). */
WEIR_MUST_CHECK int weir_tcp_send(struct weir_tcp *tcp, struct weir_tcp_connection *connection, struct rte_mbuf *m);

/* Asks what weir_tcp_send would say now to a packet of one segment: 0, -EAGAIN (WEIR_TCP_WRITABLE will come), or an
 * error of its. */
WEIR_MUST_CHECK int weir_tcp_ask_send(const struct weir_tcp *tcp, struct weir_tcp_connection *connection);

/* How many bytes the send buffer has room for now; 0 also when sending is no longer possible. */
uint32_t weir_tcp_send_room(const struct weir_tcp_connection *connection);

/* Takes the next packet of payload in order (m->pkt_len bytes, headers gone); it becomes the caller's, and the window
 * opens. Returns its length > 0; 0 at the end of the stream (the peer's FIN, all data taken); -EAGAIN; -ECONNRESET,
 * -ETIMEDOUT, -EHOSTUNREACH... if the connection ended with an error (after the data that came before it is taken; a
 * reset discards it, RFC 9293 section 3.10.7.4). */
WEIR_MUST_CHECK int weir_tcp_receive(struct weir_tcp *tcp, struct weir_tcp_connection *connection, struct rte_mbuf **m);

/* The same, copied: up to `size` > 0 bytes to `buffer`. Packets are freed as they empty. */
WEIR_MUST_CHECK int weir_tcp_receive_copy(struct weir_tcp *tcp, struct weir_tcp_connection *connection, void *buffer,
                                          uint32_t size);

/* Half-close: a FIN follows the queued data. Returns 0 (again, too), or the error that ended the connection. */
WEIR_MUST_CHECK int weir_tcp_shutdown(struct weir_tcp *tcp, struct weir_tcp_connection *connection);

/* The user is done: sends a FIN after what is queued, or a RST if received data was not read (RFC 9293 section 3.6.1,
 * RFC 2525 section 2.17), and lets the machine finish by itself. The connection must not be used again; no events
 * follow. */
void weir_tcp_close(struct weir_tcp *tcp, weir_time now, struct weir_tcp_connection *connection);

/* RST, and everything queued is freed. The connection must not be used again; no events follow. */
void weir_tcp_abort(struct weir_tcp *tcp, weir_time now, struct weir_tcp_connection *connection);

/* How many connections still have something to do with their peer: all but those in TIME_WAIT. */
unsigned weir_tcp_unfinished(const struct weir_tcp *tcp);

/* Aborts every connection, whoever holds it; those that a user still holds end with -ECONNABORTED. For the machine's
 * end. */
void weir_tcp_abort_all(struct weir_tcp *tcp, weir_time now);

/* What a connection is like just now. Times are microseconds where the name does not say milliseconds; the rest is
 * bytes where nothing else is said. Sequence numbers are counted: a SYN and a FIN are a byte each. */
struct weir_tcp_info {
    enum weir_tcp_state state;
    const char *congestion; /* the controller's name */
    bool timestamps, sack, scales, ecn;
    uint8_t send_scale, receive_scale; /* shifts of the peer's windows, and of ours */
    uint32_t rto_us, rtt_us, rtt_variation_us, min_rtt_us;
    uint32_t mss, path_mtu, cwnd, ssthresh; /* ssthresh UINT32_MAX: none yet */
    uint32_t snd_wnd, rcv_wnd;
    uint32_t receive_buffer, send_buffer;     /* what each may hold at most */
    uint32_t unacked, unsent, unread;         /* held now */
    uint64_t bytes_sent, bytes_retransmitted; /* the first with the second in it */
    uint64_t bytes_acked, bytes_received;     /* by the peer; from it, in order */
    uint32_t segments_in, segments_out;       /* all of them */
    uint32_t segments_retransmitted;          /* all that there were */
    uint32_t segments_lost, segments_resent;  /* of those in flight: believed lost; sent again */
    uint32_t segments_sacked;                 /* ... and told to have arrived */
    uint32_t dsacks, reorderings;             /* how often the peer had something twice; had it in another order */
    uint32_t out_of_order;                    /* segments that came so */
    uint64_t send_rate;                       /* bits a second that cwnd allows; 0: not known yet */
    uint32_t sent_ms_ago, received_ms_ago;    /* the last data of ours, of the peer's; UINT32_MAX: none yet */
    uint32_t heard_ms_ago;                    /* the peer's last word */
    unsigned backoff;                         /* timers that ran out in a row, without an answer */
    bool recovering, reordering_seen;
};

/* Fills it in; of any connection that is not freed. Walks what the connection has in flight. "Now" is when
 * the machine was last told the time: by weir_tcp_timers, say. Checkpoint: never. */
void weir_tcp_get_info(const struct weir_tcp *tcp, const struct weir_tcp_connection *connection,
                       struct weir_tcp_info *info);

/* Writes it as one line, in the order and with the names of `ss -ti` (times in milliseconds, cwnd and ssthresh in
 * segments), without the state. 1024 bytes hold all. Returns its length, as snprintf: what does not fit is cut.
 * Checkpoint: never. Source: iproute2's misc/ss.c, tcp_stats_print. */
int weir_tcp_info_format(const struct weir_tcp_info *info, char *text, size_t size);

/* Walks all connections, whoever holds them: returns the first one at or behind place *at, and moves *at behind it;
 * NULL when there is none left. Begin at 0. A connection keeps its place (*at - 1) while it lives; what is opened or
 * freed between two calls may be missed, nothing else. Checkpoint: never. */
struct weir_tcp_connection *weir_tcp_next_connection(const struct weir_tcp *tcp, unsigned *at);

/* Writes what happened to a connection lately, one event a line, the oldest first, and how long before `now` each was:
 * "  -0.200113 s ESTABLISHED: timeout rto_ms:200". Changes of state, what was sent again, probes, refusals, closed
 * windows; not each segment. The same again and again is one line, with "xN". Returns the text's length, as snprintf:
 * what does not fit is cut; 4096 bytes hold all. Sequence numbers count from a side's SYN. Of any connection that is
 * not freed. Checkpoint: never. */
int weir_tcp_events_format(const struct weir_tcp *tcp, weir_time now, const struct weir_tcp_connection *connection,
                           char *text, size_t size);

/* The story of a connection that stood and then died oddly (reset by its peer while somebody here held it, timed out,
 * cut off by an error): who, why, its info and its events, some lines, the last one without its end. NULL: there is no
 * news. The text is good until the next call that may end a connection. One a second is kept, and says how many were
 * not; each is returned once. Checkpoint: never. */
const char *weir_tcp_last_words(struct weir_tcp *tcp);

/* What may be set of one connection; all zero is what it begins with. */
struct weir_tcp_settings {
    /* After `idle` without a word from the peer it is asked, every `interval`, and given up (-ETIMEDOUT) when `count`
     * questions were not answered. idle 0: never, as RFC 9293 section 3.8.4 wants it; interval 0: 75 s; count 0: 9.
     * Seconds are what counts: at least 1. */
    weir_time keepalive_idle, keepalive_interval;
    unsigned keepalive_count;
    /* How long what was sent may wait for its ACK before the connection is given up (-ETIMEDOUT). 0: some 520 s, as
     * many retransmissions take. Source: RFC 9293 section 3.8.3, RFC 5482 section 3 (the local timeout). */
    weir_time user_timeout;
    bool nagle; /* keep a segment that is not full while another is unacknowledged: RFC 9293 section 3.7.4 */
};
void weir_tcp_set(struct weir_tcp *tcp, weir_time now, struct weir_tcp_connection *connection,
                  const struct weir_tcp_settings *settings);

/* True once all that was sent, the FIN too if there was one, is acknowledged. */
bool weir_tcp_drained(const struct weir_tcp_connection *connection);

enum weir_tcp_state weir_tcp_state(const struct weir_tcp_connection *connection);
const char *weir_tcp_state_name(enum weir_tcp_state state);
int weir_tcp_error(const struct weir_tcp_connection *connection); /* 0 or the -errno that ended it */
void weir_tcp_endpoints(const struct weir_tcp_connection *connection, struct weir_endpoint *local,
                        struct weir_endpoint *remote);
uint32_t weir_tcp_mss(const struct weir_tcp_connection *connection); /* payload bytes of a full segment to the peer */
const struct weir_tcp_stats *weir_tcp_stats(const struct weir_tcp *tcp);

#endif
