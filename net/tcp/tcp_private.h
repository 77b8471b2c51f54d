/* Private to net/tcp: the machine, and what its files ask of each other. The connection is in connection.h.
 *
 *   input.c       a burst of segments: checksum, lookup, the predicted path
 *   segment.c     RFC 9293 section 3.10.7 for all that was not predicted
 *   ack.c         what an acknowledgement does          reassembly.c  what received payload does
 *   output.c      what to send, and when                emit.c        how a segment is built and handed to IP
 *   sack.c        what has arrived out of order, told and heard
 *   rack.c        what is lost, by time                 recovery.c    how what is lost is sent again
 *   large.c       several segments in one packet, where the device cuts them
 *   timers.c      what happens when nothing happens     congestion.c, reno.c, cubic.c  how much may be in flight
 *   listen.c, cookie.c  passive opens                   user.c, close.c  the user's calls
 *   table.c       the slab of connections and the hash  isn.c         secrets: sequence numbers, ports
 *   life.c        states, how connections end, events   icmp.c        errors from the way
 *   undo.c        losses that were none
 *   ecn.c         marks of congestion                   memory.c      what gives way when memory is scarce
 *   delayed.c     ACKs that wait for a reply            mtu.c         how large a segment may be
 *   events.c      what happened to a connection lately
 *   tcp.c         opening and closing the machine       info.c        what a connection is like
 */
#ifndef WEIR_TCP_PRIVATE_H
#define WEIR_TCP_PRIVATE_H

#include "connection.h"

/* ---- the machine ---- */

/* How congestion control is told what happens. It owns cwnd, ssthresh, cc_acked and cc. */
struct weir_tcp_congestion {
    const char *name;
    void (*init)(struct weir_tcp_connection *c);
    /* `acked` bytes of new data were acknowledged, outside recovery, while the window was the limit. */
    void (*on_ack)(struct weir_tcp_connection *c, uint32_t acked, weir_time now);
    /* Sets ssthresh: a segment was lost (noticed by ACKs, or for the first time by the timer), or marked by ECN. */
    void (*on_loss)(struct weir_tcp_connection *c, weir_time now);
    /* cwnd was not used for long, and has been made smaller. */
    void (*on_unused)(struct weir_tcp_connection *c);
};

/* What is of note in a connection's life; events.c says each in words. */
enum tcp_event_kind {
    E_STATE, /* it is in another one */
    E_RETRANSMIT,
    E_TIMEOUT,
    E_TAIL_PROBE,
    E_RECOVERY,
    E_RECOVERED,
    E_WINDOW_CLOSED,
    E_WINDOW_OPENED,
    E_WINDOW_PROBE,
    E_KEEPALIVE,
    E_OUT_OF_ORDER,
    E_REPEATED,
    E_CHALLENGE,
    E_OLD_TIMESTAMP,
    E_NO_MEMORY,
    E_RESET_IN,
    E_RESET_OUT,
    E_ICMP,
    E_MTU,
    E_MTU_PROBED,
    E_MTU_TOO_LARGE,
    E_BLACK_HOLE,
    E_ECN,
    E_CLOSED,
    E_ABORTED,
    E_UNREAD,
};

struct tcp_event {
    uint64_t at_us : 44, kind : 6, state : 4, times : 10; /* when it first was; how often, in a row */
    uint32_t value;                                       /* of the last; sequence numbers are relative */
    uint32_t lasted_ms;
};

/* The last of them, of one connection, and what else is counted when such things happen. */
enum { EVENTS_KEPT = 16, LAST_WORDS_MAX = 4096 };
struct tcp_event_ring {
    uint32_t count; /* all that there ever were */
    uint32_t dsacks, reorderings, out_of_order;
    uint64_t bytes_retransmitted;
    struct tcp_event events[EVENTS_KEPT];
} __attribute__((aligned(64)));

struct tcp_slot {
    uint32_t hash;
    uint32_t index; /* of the connection, plus 1; 0: free */
};

/* A FIFO of connections by index. Each is in it at most once, so it never overflows; and a connection that is freed
 * stays in it (its flag, too), to be skipped when its turn comes. */
struct tcp_ring {
    uint32_t *items;
    uint32_t head, tail, mask;
};

struct weir_tcp {
    /* what each segment touches */
    weir_time now;
    uint32_t now_us, now_ms, now_s; /* one for round trips, the timestamps' clock, and one for long waits */
    struct tcp_slot *slots;
    uint32_t slots_mask;
    uint32_t capabilities;
    struct weir_tcp_connection *connections;
    uint64_t hash_key[5];
    struct weir_ip *ip;
    uint32_t receive_buffer, send_buffer;
    unsigned packets_held, packets_limit; /* mbufs; what may be held now: packets_max, or less: memory.c */
    int packets_easy;                     /* memory is scarce when more than these are held             */
    unsigned out_of_order_held;
    struct tcp_ring dirty, reports;
    weir_time delayed_ack; /* how long an ACK may wait; 0: not at all */
    struct rte_mempool *pool, *control_pool;
    struct rte_mempool *references; /* or NULL                                                  */
    uint16_t pieces_max;            /* of a large packet; 0: the device does not cut such ones */
    struct weir_tcp_stats stats;
    /* the rest */
    struct weir_wheel wheel;
    uint32_t *free; /* a stack of indices */
    uint32_t free_count, connections_max;
    struct weir_tcp_listener *listeners;
    unsigned listeners_max;
    bool syn_cookies;
    enum weir_tcp_ecn ecn;
    unsigned packets_max, packets_low, control_low; /* memory.c */
    uint8_t shed;                                   /* SHED_: the pools run low                     */
    bool pressed;                                   /* memory was scarce at the last flush          */
    unsigned embryonic, embryonic_max;              /* of all listeners                             */
    unsigned orphans, orphans_max;                  /* closed by their users, and not in TIME_WAIT  */
    uint32_t cookies_sent_s;                        /* when the last one was */
    uint32_t challenges_left, challenges_s;         /* of all connections, in this second */
    struct tcp_ring delayed;                        /* those whose ACK waits, in order */
    weir_time delayed_at; /* when the first of them has waited long enough; WEIR_NEVER: none */
    struct weir_list listeners_reported;
    struct weir_list time_wait; /* orphans in TIME_WAIT, oldest first */
    uint32_t copy_max;          /* payload bytes that a packet of `pool` has room for */
    const struct weir_tcp_congestion *congestion;
    int mss_max;
    uint16_t mtu_base;
    enum weir_tcp_mtu_probing mtu_probing;
    uint32_t rto_min_us;
    weir_time time_wait_time;
    uint8_t receive_scale;
    uint8_t key[16];
    uint64_t ports_tried;
    size_t slab_size;
    struct tcp_event_ring *rings; /* one a connection, by index */
    char *last_words;             /* of the last connection that died oddly */
    uint32_t last_words_s;        /* when, plus 1 */
    bool last_words_wait;         /* to be fetched */
    unsigned last_words_unsaid;
};

static inline void tcp_set_now(struct weir_tcp *tcp, weir_time now)
{
    if (now == tcp->now)
        return;
    tcp->now = now;
    tcp->now_us = (uint32_t)((uint64_t)now / 1000);
    tcp->now_ms = (uint32_t)((uint64_t)now / 1000000);
    tcp->now_s = (uint32_t)((uint64_t)now / 1000000000);
}

static inline void tcp_ring_push(struct tcp_ring *ring, uint32_t index)
{
    ring->items[ring->tail++ & ring->mask] = index;
}

static inline uint32_t tcp_ring_pop(struct tcp_ring *ring)
{
    return ring->items[ring->head++ & ring->mask];
}

/* The connection has something to send: flush will look at it. */
static inline void tcp_mark_dirty(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->flags & F_DIRTY)
        return;
    c->flags |= F_DIRTY;
    tcp_ring_push(&tcp->dirty, c->index);
}

static inline void tcp_owe_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    c->flags |= F_ACK_OWED;
    c->ack_now = true;
    tcp_mark_dirty(tcp, c);
}

/* Of the next data in order: the first segment's ACK may wait, the second's may not. RFC 9293 section 3.8.6.3, SHLD-19.
 */
static inline void tcp_owe_ack_of_data(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t length)
{
    if (WEIR_UNLIKELY(tcp->delayed_ack != 0))
        c->ack_now = (c->flags & F_ACK_OWED) || length > c->mss;
    c->flags |= F_ACK_OWED;
    tcp_mark_dirty(tcp, c);
}

/* True if the end of the turn brings an ACK. */
static inline bool tcp_ack_goes(const struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    return (c->flags & F_ACK_OWED) && (WEIR_LIKELY(tcp->delayed_ack == 0) || c->ack_now);
}

static inline void tcp_mark(struct weir_tcp *tcp, struct weir_tcp_connection *c, unsigned marks)
{
    c->marks |= (uint16_t)marks;
    c->flags |= F_SPECIAL;
    tcp_mark_dirty(tcp, c);
}

/* A segment was out of order, or old: its sender counts the ACKs that do not move. RFC 5681 section 4.2. */
static inline void tcp_owe_duplicate(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->dupacks_owed < DUPACKS_OWED_MAX)
        c->dupacks_owed++;
    tcp_mark(tcp, c, 0);
}

static inline void tcp_report(struct weir_tcp *tcp, struct weir_tcp_connection *c, unsigned events)
{
    c->events |= (uint8_t)events;
    if (c->flags & F_REPORTED)
        return;
    c->flags |= F_REPORTED;
    tcp_ring_push(&tcp->reports, c->index);
}

/* ---- memory.c ---- */

enum { SHED_NOTHING, SHED_SYNS, SHED_OUT_OF_ORDER }; /* each with those before it */

/* True if windows and send buffers are to shrink. */
static inline bool tcp_scarce(const struct weir_tcp *tcp, unsigned more)
{
    return (int)(tcp->packets_held + more) > tcp->packets_easy;
}

/* What is left of a buffer's size while memory is scarce. */
uint32_t tcp_share(const struct weir_tcp *tcp, uint32_t buffer);
/* What a connection may hold for its peer, now; at least 1, so that one packet always goes. */
uint32_t tcp_send_limit(const struct weir_tcp *tcp);
/* Once a turn: counts when memory begins to be scarce. */
void tcp_watch_memory(struct weir_tcp *tcp);

/* What is held is counted in mbufs: a packet of many segments empties a pool as fast as many packets. */
static inline void tcp_hold(struct weir_tcp *tcp, const struct rte_mbuf *m)
{
    tcp->packets_held += m->nb_segs;
}

static inline void tcp_let_go(struct weir_tcp *tcp, const struct rte_mbuf *m)
{
    tcp->packets_held -= m->nb_segs;
}

static inline void tcp_drop_held(struct weir_tcp *tcp, struct rte_mbuf *m)
{
    tcp_let_go(tcp, m);
    rte_pktmbuf_free(m);
}

/* Of a segment that is no SYN: 20 bytes, and 12 with timestamps, without a branch. */
static inline unsigned tcp_header_length(const struct weir_tcp_connection *c)
{
    _Static_assert(F_TIMESTAMPS * 3 == WEIR_TCP_TIMESTAMPS_LENGTH, "the flag is a third of the option");
    return WEIR_TCP_HEADER_LENGTH + (c->flags & F_TIMESTAMPS) * 3u;
}

/* What is in flight. During a go-back it counts only what was repeated. */
static inline uint32_t tcp_flight(const struct weir_tcp_connection *c)
{
    return c->snd_nxt - c->snd_una;
}

/* True if `seq`, that SND.NXT or SND.UNA once was, is not acknowledged yet. What was noted two gigabytes ago seems to
 * lie ahead again (seq_before), but not within what is in flight. */
static inline bool tcp_in_flight(const struct weir_tcp_connection *c, uint32_t seq)
{
    return seq - c->snd_una - 1 < c->snd_max - c->snd_una;
}

static inline bool tcp_fin_sent(const struct weir_tcp_connection *c)
{
    return (c->flags & F_FIN) && seq_after(c->snd_max, c->snd_end);
}

static inline bool tcp_fin_acked(const struct weir_tcp_connection *c)
{
    return tcp_fin_sent(c) && c->snd_una == c->snd_end + 1;
}

static inline bool tcp_synchronized(const struct weir_tcp_connection *c)
{
    return c->state >= WEIR_TCP_ESTABLISHED;
}

/* A received segment, decoded. */
struct tcp_segment {
    struct rte_mbuf *m; /* m->data at the TCP header until it was stripped; NULL once consumed */
    const struct weir_ip_rx *rx;
    uint32_t ports; /* the header's first word, as it lies */
    uint32_t seq, ack;
    uint32_t length; /* payload bytes */
    uint16_t window;
    uint8_t flags, header_length;
    bool from_syn; /* its SYN was taken off */
    struct weir_tcp_option_values options;
};

/* ---- table.c ---- */
int tcp_table_open(struct weir_tcp *tcp, unsigned connections_max);
void tcp_table_close(struct weir_tcp *tcp);
struct weir_tcp_connection *tcp_lookup(const struct weir_tcp *tcp, const struct tcp_key *key, uint32_t hash);
void tcp_table_insert(struct weir_tcp *tcp, struct weir_tcp_connection *c);
void tcp_table_remove(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Takes a connection from the slab, the oldest of TIME_WAIT's if there is no other; NULL: none (counted). */
struct weir_tcp_connection *tcp_connection_new(struct weir_tcp *tcp);
void tcp_connection_free(struct weir_tcp *tcp, struct weir_tcp_connection *c);

/* A 64 x 64 bit product, folded. */
static inline uint64_t tcp_mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* A keyed hash of the four-tuple, so that nobody can aim at one chain. */
static inline uint32_t tcp_hash(const struct weir_tcp *tcp, const struct tcp_key *key)
{
    const uint64_t *secret = tcp->hash_key;
    uint64_t remote[2], local[2];

    memcpy(remote, &key->remote, sizeof(remote));
    memcpy(local, &key->local, sizeof(local));
    return (uint32_t)tcp_mix(tcp_mix(remote[0] ^ secret[0], remote[1] ^ secret[1]) ^
                                 tcp_mix(local[0] ^ secret[2], local[1] ^ secret[3]),
                             key->ports ^ secret[4]);
}

/* Whose connection it is. */
static inline struct tcp_key tcp_key_of(const struct weir_tcp_connection *c)
{
    return (struct tcp_key){weir_ip_path_dst(&c->path), weir_ip_path_src(&c->path), c->ports};
}

static inline bool tcp_is(const struct weir_tcp_connection *c, const struct tcp_key *key)
{
    const uint8_t *l3 = c->path.header + c->path.l2_length;

    if (c->ports != key->ports)
        return false;
    if (WEIR_LIKELY(weir_ip_path_is_v4(&c->path))) /* source and destination stand side by side */
        return memcmp(l3 + offsetof(struct rte_ipv4_hdr, src_addr), &key->local.words[3], 4) == 0 &&
               memcmp(l3 + offsetof(struct rte_ipv4_hdr, dst_addr), &key->remote.words[3], 4) == 0 &&
               weir_address_is_v4(&key->remote);
    return memcmp(l3 + offsetof(struct rte_ipv6_hdr, src_addr), &key->local, 16) == 0 &&
           memcmp(l3 + offsetof(struct rte_ipv6_hdr, dst_addr), &key->remote, 16) == 0;
}

/* Ports in host order to the word that an arriving header begins with. */
static inline uint32_t tcp_ports(uint16_t remote, uint16_t local)
{
    uint16_t words[2] = {rte_cpu_to_be_16(remote), rte_cpu_to_be_16(local)};
    uint32_t ports;
    memcpy(&ports, words, sizeof(ports));
    return ports;
}

/* The other direction's word: on any byte order the halves change places. */
static inline uint32_t tcp_ports_swap(uint32_t ports)
{
    return ports << 16 | ports >> 16;
}

static inline uint16_t tcp_remote_port(uint32_t ports)
{
    uint16_t words[2];
    memcpy(words, &ports, sizeof(words));
    return rte_be_to_cpu_16(words[0]);
}

static inline uint16_t tcp_local_port(uint32_t ports)
{
    uint16_t words[2];
    memcpy(words, &ports, sizeof(words));
    return rte_be_to_cpu_16(words[1]);
}

/* ---- isn.c ---- */
/* Chooses the initial sequence number and the timestamps' offset. RFC 6528, RFC 7323 section 5.4. */
void tcp_choose_numbers(const struct weir_tcp *tcp, const struct tcp_key *key, uint32_t *isn, uint32_t *ts_offset);
/* Finds a free ephemeral port to a remote. Returns it in host order, or 0. RFC 6056 section 3.3. */
uint16_t tcp_choose_port(struct weir_tcp *tcp, const struct weir_address *remote, uint16_t remote_port,
                         const struct weir_address *local);

/* ---- life.c ---- */
void tcp_set_state(struct weir_tcp *tcp, struct weir_tcp_connection *c, enum weir_tcp_state state);
/* F_SLOW after anything but the predicted path has changed the connection. */
void tcp_update_slow(struct weir_tcp_connection *c);
/* Prepares a new connection's numbers and windows: what active and passive opens have in common. */
void tcp_connection_start(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t iss, uint32_t ts_offset);
/* What the peer's SYN says about sizes. */
void tcp_take_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
/* Both sides are synchronized: the state follows (a FIN may be waiting), and whom it concerns is told. */
void tcp_established(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Enters CLOSED with an error or 0; frees the connection if nobody holds it. The pointer is dead after it. */
void tcp_finish(struct weir_tcp *tcp, struct weir_tcp_connection *c, int error);
void tcp_enter_time_wait(struct weir_tcp *tcp, struct weir_tcp_connection *c);
void tcp_enter_fin_wait_2(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Tells a writer that found the buffer full, once there is reason to. */
void tcp_report_writable(struct weir_tcp *tcp, struct weir_tcp_connection *c);

/* ---- events.c ---- */
int tcp_events_open(struct weir_tcp *tcp);
void tcp_events_close(struct weir_tcp *tcp);
/* Notes an event. For what happens seldom: some lines of memory. */
void tcp_note(struct weir_tcp *tcp, struct weir_tcp_connection *c, enum tcp_event_kind kind, uint32_t value);
/* A new connection has this one's place: nothing has happened to it. */
static inline void tcp_events_forget(struct weir_tcp *tcp, const struct weir_tcp_connection *c)
{
    struct tcp_event_ring *ring = &tcp->rings[c->index];

    ring->count = ring->dsacks = ring->reorderings = ring->out_of_order = 0;
    ring->bytes_retransmitted = 0;
}
/* A connection is about to end: keeps its story to be fetched, if it is an odd end. */
void tcp_events_end(struct weir_tcp *tcp, const struct weir_tcp_connection *c, int error);

/* ---- input.c, segment.c, ack.c ---- */
/* Handles a segment of a connection by the book; consumes segment->m. The connection may be gone afterwards. */
void tcp_segment_arrives(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment);
void tcp_challenge(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* The ACK of our SYN: the connection is established. */
void tcp_our_syn_acked(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
void tcp_consume(struct tcp_segment *segment);
/* Takes an acknowledgement in SND.UNA =< SEG.ACK =< SND.NXT: duplicates, recovery, window. */
void tcp_take_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
void tcp_update_window(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t seq, uint32_t window);
void tcp_rtt_sample(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint64_t us);
/* Looks at what changes slowly; at most once a millisecond. progress: the peer has acknowledged something new. */
void tcp_tick(struct weir_tcp *tcp, struct weir_tcp_connection *c, bool progress);
/* Segments are counted in small on a line that each of them touches, and added up before that overflows: after a
 * millisecond in which something is heard, or when there are that many. */
enum { OUT_LATELY_MAX = UINT16_MAX - 1 };
static inline void tcp_add_up(struct weir_tcp_connection *c)
{
    c->segments_in += c->in_lately;
    c->segments_out += c->out_lately;
    c->in_lately = c->out_lately = 0;
}
/* The part of it that tells when something came, at each segment that was not predicted. */
void tcp_heard(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* What every ACK of new data does: time, SND.UNA, timers, whom it concerns. */
void tcp_acked(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
/* Ends the timing of the timed segment, which was acknowledged. */
void tcp_timed(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Moves SND.UNA to `ack`, beyond it: frees what that covers. */
void tcp_release(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t ack);

/* True if congestion control holds us back, and not the user or the peer: else cwnd must not grow, RFC 7661 section
 * 4.3. Ask before SND.UNA moves. Little may be in flight because ACKs of the same turn have come before this one, and
 * what they let out goes at its end: then data waits. */
static inline bool tcp_cwnd_limited(const struct weir_tcp_connection *c)
{
    return 2 * (uint64_t)(c->snd_max - c->snd_una) > c->cwnd || (c->send_next != NULL && c->cwnd <= c->snd_wnd);
}

/* ---- congestion.c ---- */
/* `acked` bytes of new data, while the window was the limit: it may grow. */
void tcp_grow(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t acked);
/* Sets ssthresh for a loss, or for a mark. */
void tcp_reduce(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Sending starts again after a pause. */
void tcp_after_pause(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Something else than the window was the limit for UNUSED_SECONDS. */
void tcp_unused(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* RFC 6928 section 2. */
uint32_t tcp_initial_window(const struct weir_tcp_connection *c);
/* Grows cwnd, up to ssthresh, for `acked` bytes. RFC 5681 section 3.1. Returns what is left of them. */
uint32_t tcp_slow_start(struct weir_tcp_connection *c, uint32_t acked);
/* What was in flight when a loss was noticed: what limited transmit let out beyond cwnd is not to count, RFC 5681
 * section 3.2. */
uint32_t tcp_flight_at_loss(const struct weir_tcp_connection *c);

/* ---- sack.c ---- */
/* Bytes from `left` to `right` have come out of order; were dropped again from `from` on; have come twice. */
void tcp_sack_arrived(struct weir_tcp_connection *c, uint32_t left, uint32_t right);
void tcp_sack_dropped(struct weir_tcp_connection *c, uint32_t from);
void tcp_sack_repeated(struct weir_tcp_connection *c, uint32_t left, uint32_t right);
/* Fills in what the next ACK tells. Returns how many blocks. */
uint8_t tcp_sack_fill(struct weir_tcp_connection *c, struct weir_tcp_sack_block *blocks);
/* Takes an ACK's blocks: marks packets. Returns true if it told that something came twice. */
bool tcp_sack_take(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
/* Packets up to `ack` are about to be released. */
void tcp_sack_release(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
/* Forgets all marks: everything goes again from SND.UNA on. */
void tcp_sack_forget(struct weir_tcp_connection *c);

static inline bool tcp_sack_to_tell(const struct weir_tcp_connection *c)
{
    return (c->flags & F_SACK) && (c->out_of_order.head != NULL || c->dsack.left != c->dsack.right);
}

/* What the path has room for: RFC 9293 section 3.7.1. */
static inline uint16_t tcp_mss_of(const struct weir_tcp *tcp, const struct weir_ip_path *path)
{
    return (uint16_t)RTE_MIN(path->mtu - path->l3_length - WEIR_TCP_HEADER_LENGTH, tcp->mss_max);
}

/* True while SACK, RACK and PRR rule: not while what was sent goes again from the beginning (a window that had closed,
 * a smaller MTU). */
static inline bool tcp_sack_rules(const struct weir_tcp_connection *c)
{
    return (c->flags & F_SACK) && c->snd_nxt == c->snd_max && c->state >= WEIR_TCP_ESTABLISHED;
}

/* ---- rack.c ---- */
void tcp_rack_delivered(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m,
                        const struct tcp_segment *segment);
/* Marks what is lost, counts the pipe, and sets the timer for what may yet turn out to be. Returns true if there is
 * something new to send again. */
bool tcp_rack_detect(struct weir_tcp *tcp, struct weir_tcp_connection *c);
void tcp_rack_dsack(struct weir_tcp_connection *c);
void tcp_rack_recovered(struct weir_tcp_connection *c);
void tcp_rack_min_rtt(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t us);
/* How long to wait after new ground: the probe's timeout, or the retransmission timer's if that is shorter. */
uint32_t tcp_first_wait(const struct weir_tcp_connection *c);
/* The timer ran out after PTO: a probe is due. Returns false if it is not one, but a timeout. RFC 8985 section 7.3. */
bool tcp_probe_due(const struct weir_tcp_connection *c);
void tcp_probe_timer(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* What an ACK says about a probe that is out. RFC 8985 section 7.4. */
void tcp_probe_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment, bool dsack);

/* ---- recovery.c ---- */
/* An ACK of a connection with SACK. */
void tcp_recovery_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
/* The retransmission timer: all that is old enough is lost. */
void tcp_recovery_timeout(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* At a turn's end: looks for what is lost, and reckons how much may be sent. */
void tcp_recovery_turn(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* The next packet that is lost and was not yet sent again, after `m` (NULL: from the beginning). */
struct rte_mbuf *tcp_recovery_next(const struct weir_tcp_connection *c, struct rte_mbuf *m);

/* ---- undo.c ---- */
/* A loss is about to be made known to congestion control, and its first segment sent again now. */
void tcp_undo_note(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* What an ACK that moves SND.UNA says about the last one. Returns true if that was none; then all is as it was before.
 */
bool tcp_undo_take(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);

/* ---- reassembly.c ---- */
/* The reader has not kept up: joins small payloads. Returns false if there is no room: then m is freed. */
bool tcp_receive_crowded(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t length);
/* Appends payload (headers gone) at rcv_nxt, and reports it. Returns false if it had to be dropped. Takes m.
 * A reader that has nothing gets it whatever packets_max says: two machines whose writers have filled both would else
 * wait for each other for ever. */
static inline bool tcp_receive_in_order(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m,
                                        uint32_t length)
{
    if (WEIR_LIKELY(c->receive.head == NULL)) {
        tcp_hold(tcp, m);
        weir_packet_queue_push(&c->receive, m);
    } else if (!tcp_receive_crowded(tcp, c, m, length)) {
        return false;
    }
    c->rcv_nxt += length;
    c->rcv_queued += length;
    tcp_report(tcp, c, WEIR_TCP_READABLE);
    return true;
}

/* Takes the payload and FIN of an acceptable segment; consumes segment->m. */
void tcp_receive_text(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct tcp_segment *segment);
/* Cuts bytes off a packet of any number of segments. trim_front returns the packet, which may be another mbuf. */
struct rte_mbuf *tcp_trim_front(struct rte_mbuf *m, uint32_t bytes);
void tcp_trim_back(struct rte_mbuf *m, uint32_t bytes);
void tcp_queue_free(struct weir_tcp *tcp, struct weir_packet_queue *queue);
void tcp_out_of_order_free(struct weir_tcp *tcp, struct weir_tcp_connection *c);

/* ---- ecn.c ---- */
/* What a SYN, or a SYN and ACK, offers. */
uint8_t tcp_ecn_syn_flags(const struct weir_tcp *tcp, const struct weir_tcp_connection *c);
/* What the peer's says to that. */
void tcp_ecn_take_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);
/* A segment that was not predicted: marks, and echoes of ours. Before its ACK is taken. */
void tcp_ecn_take(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment);

/* An ACK that echoes a mark does not let the window grow: RFC 3168 section 6.1.2. */
static inline bool tcp_ecn_echoed(const struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    return (c->flags & F_ECN) && (segment->flags & ECE);
}

/* ---- large.c ---- */
/* Lets large packets be sent, if the device can cut them. `references` may be NULL. */
void tcp_large_open(struct weir_tcp *tcp, struct rte_mempool *references, uint16_t pieces_max);
/* How much may go as one packet, from SND.NXT on: cut by the device, it is the very segments that would else go one by
 * one. `usable` is what the windows allow, a segment at least. */
uint32_t tcp_large_portion(const struct weir_tcp_connection *c, uint32_t usable);
/* Makes that packet, of `length` bytes: no header yet. What there is no memory for is left out, and `length` tells.
 * Returns NULL if that leaves no more than a segment. */
struct rte_mbuf *tcp_large_take(struct weir_tcp *tcp, const struct weir_tcp_connection *c, uint32_t *length);

/* ---- mtu.c ---- */
/* c->mss is what link and peer allow: begins with that, or with less. */
void tcp_mtu_start(const struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* A router says that a packet of ours was larger than `mtu`. */
void tcp_mtu_told(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t mtu);
/* There may be room for larger segments than those that are sent: a probe, if one is due. */
void tcp_mtu_want(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Long after all larger sizes have failed: the path may be another one. */
void tcp_mtu_search_again(const struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Makes the next packet to be sent a probe, of data that waits. Returns its length, or 0: not now. */
uint32_t tcp_mtu_prepare(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* A probe is out, and `ack` is about to be released. */
void tcp_mtu_acked(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t ack);
/* The packet at `seq` is lost. Returns true if it was the probe: that tells of its size, and not of congestion. */
bool tcp_mtu_lost(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t seq);
/* What was sent goes again from the beginning, in smaller segments. Not a sign of congestion: cwnd stays. */
void tcp_mtu_go_back(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* The retransmission timer has run out. */
void tcp_mtu_timeout(struct weir_tcp *tcp, struct weir_tcp_connection *c);

/* ---- delayed.c ---- */
/* The ACK that is owed waits. */
void tcp_delay_ack(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Lets go those that have waited long enough. */
void tcp_delayed_due(struct weir_tcp *tcp);

/* Queues a packet of more than a segment. Takes m. */
void tcp_large_queue(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m);

/* Queues the last `length` bytes of a packet. Takes m. */
static inline void tcp_queue_payload(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m,
                                     uint32_t length)
{
    struct weir_packet *packet = weir_packet(m);

    packet->tcp.seq = c->snd_end;
    packet->tcp.len = length;
    packet->tcp.marks = 0;
    weir_packet_queue_push(&c->send, m);
    tcp_hold(tcp, m);
    c->snd_end += length;
    if (c->send_next == NULL)
        c->send_next = m;
}

/* ---- emit.c ---- */
/* Puts header and checksum in front of a payload (m->data at it) and sends it. Carries the ACK. Takes m. */
void tcp_emit(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m, uint32_t seq, uint8_t flags);
/* Sends a segment without payload. Returns false when the control pool is dry. */
bool tcp_emit_control(struct weir_tcp *tcp, struct weir_tcp_connection *c, uint32_t seq, uint8_t flags);
bool tcp_emit_syn(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* A SYN and ACK of no connection. */
void tcp_emit_syn_ack(struct weir_tcp *tcp, const struct tcp_segment *segment, struct weir_ip_path *path, uint32_t isn,
                      const struct weir_tcp_option_values *values);
void tcp_emit_reset(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Answers a segment that belongs to nobody, or that asks for a reset. RFC 9293 section 3.10.7.1. */
void tcp_reset_reply(struct weir_tcp *tcp, const struct tcp_segment *segment);
/* True if reading has opened the window by so much that the peer should be told by itself. */
bool tcp_window_update_due(const struct weir_tcp *tcp, const struct weir_tcp_connection *c);

/* ---- timers.c ---- */
void tcp_timer_arm(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* Looks again in a while whether the peer is still there. */
void tcp_keepalive_arm(struct weir_tcp *tcp, struct weir_tcp_connection *c);
/* ... or never again. */
void tcp_keepalive_stop(struct weir_tcp_connection *c);

/* Runs the retransmission (or persist) timer from now; most often without touching the wheel. */
static inline void tcp_rtx_start(struct weir_tcp *tcp, struct weir_tcp_connection *c, weir_time delay)
{
    weir_time at = tcp->now + delay;
    bool covered = (c->flags & F_TIMER) && at >= c->rtx_at;

    c->rtx_at = at;
    c->flags |= F_RTX;
    if (!covered)
        tcp_timer_arm(tcp, c);
}

static inline weir_time tcp_rto(const struct weir_tcp_connection *c)
{
    return (weir_time)c->rto_us * 1000;
}

/* How long to wait for an answer: to the tail loss probe where there may be one, else to the timeout. */
static inline weir_time tcp_wait(const struct weir_tcp_connection *c)
{
    if (WEIR_UNLIKELY((c->flags & F_SLOW) && !tcp_probe_due(c)))
        return tcp_rto(c);
    return (weir_time)c->wait_us * 1000;
}

/* After SND.UNA has moved: the timer runs anew for what is still in flight, or not at all. RFC 6298 section 5. */
static inline void tcp_rtx_restart(struct weir_tcp *tcp, struct weir_tcp_connection *c)
{
    if (c->snd_una == c->snd_max)
        c->flags &= (uint16_t)~F_RTX;
    else
        tcp_rtx_start(tcp, c, tcp_wait(c));
}

/* ---- listen.c ---- */
struct weir_tcp_listener *tcp_find_listener(struct weir_tcp *tcp, uint16_t port);
/* A SYN for a listener. after_time_wait: the sequence number must be beyond this one (NULL: any). Does not take m. */
void tcp_passive_open(struct weir_tcp *tcp, struct weir_tcp_listener *listener, const struct tcp_segment *segment,
                      const struct tcp_key *key, const uint32_t *after_time_wait);
/* The ACK of a SYN and ACK that was not kept: makes the connection, in SYN_RECEIVED, as if it had been. NULL: no room.
 */
struct weir_tcp_connection *tcp_passive_resume(struct weir_tcp *tcp, struct weir_tcp_listener *listener,
                                               const struct tcp_segment *syn, const struct tcp_key *key, uint32_t iss);
/* True if the listener had room for it among those to be accepted. */
bool tcp_passive_ready(struct weir_tcp *tcp, struct weir_tcp_connection *c);
void tcp_listener_forget(struct weir_tcp_connection *c);

/* ---- cookie.c ---- */
/* Answers a SYN, and keeps nothing. */
void tcp_cookie_send(struct weir_tcp *tcp, const struct tcp_segment *segment, const struct tcp_key *key,
                     struct weir_ip_path *path);
/* An ACK that belongs to no connection: makes one if it brings back a cookie of ours; `made` is NULL where there is no
 * room. Returns false if it does not. */
bool tcp_cookie_take(struct weir_tcp *tcp, struct weir_tcp_listener *listener, const struct tcp_segment *segment,
                     const struct tcp_key *key, struct weir_tcp_connection **made);

#endif
