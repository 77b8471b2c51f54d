/* Private to net/tcp: a connection, and the constants that it lives by. */
#ifndef WEIR_TCP_CONNECTION_H
#define WEIR_TCP_CONNECTION_H

#include <weir/net/dev.h>
#include <weir/net/tcp.h>
#include <weir/net/wire.h>
#include <weir/net/wire_tcp.h>

enum {
    FIN = RTE_TCP_FIN_FLAG,
    SYN = RTE_TCP_SYN_FLAG,
    RST = RTE_TCP_RST_FLAG,
    PSH = RTE_TCP_PSH_FLAG,
    ACK = RTE_TCP_ACK_FLAG,
    ECE = RTE_TCP_ECE_FLAG,
    CWR = RTE_TCP_CWR_FLAG
};

enum { ECN_MASK = 3, ECN_ECT_0 = 2, ECN_CE = 3 }; /* of IP's type of service: RFC 3168 section 5 */

/* Sequence numbers live on a circle: RFC 9293 section 3.4. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

/* ---- constants ---- */

#define HEADROOM_MAX 128u                /* Ethernet, IPv6 and TCP with all options fit                        */
#define DEFAULT_MSS 536                  /* RFC 9293 section 3.7.1, of a peer that does not say                */
#define DEFAULT_MSS_V6 1220              /* ... if its packets are IPv6's                                      */
#define MSS_MIN 64                       /* a smaller one would only make us burn packets                      */
#define INITIAL_RTO_US 1000000u          /* RFC 6298 section 2.1                                               */
#define INITIAL_RTO_LOST_SYN_US 3000000u /* RFC 6298 section 5.7                                           */
#define RTO_MAX_US 60000000u             /* RFC 6298 section 2.5                                               */
#define SYN_RETRIES 7                    /* 1 + 2 + 4 + ... = 183 s: three minutes at least, RFC 1122 section 4.2.3.5 */
#define SYN_ACK_RETRIES 5                /* 63 s, as Linux: that of a flood waits for nobody */
#define DATA_RETRIES 15                  /* some 520 s: R2, RFC 1122 section 4.2.3.5                           */
#define ORPHAN_RETRIES 10                /* some 220 s: R2 is 100 s at least, and the peer may still wait for it */
#define FIN_WAIT_2_TIME WEIR_SECONDS(60) /* nobody's: as Linux                                             */
#define DOUBT_AFTER 2                    /* timeouts without an answer: then the next hop's MAC may be wrong    */
#define UNREACHABLE_AFTER 5              /* SYNs, 31 s: then a host that answers no ARP either is not there           */
#define DUPACKS 3                        /* RFC 5681 section 3.2                                               */
#define DUPACKS_OWED_MAX 64              /* a turn: more would tell nothing                                    */
#define COALESCE_MAX 512                 /* payload of at most this many bytes moves into the tail of the last */
#define CHALLENGES_MAX 10                /* per CHALLENGE_SECONDS: RFC 5961 section 7                          */
#define CHALLENGE_SECONDS 5
#define CHALLENGES_ALL 1000 /* a second, of all connections: half of it and as much again at random */
#define UNUSED_SECONDS 300  /* the non-validated period: RFC 7661 section 4.4                              */
#define PAWS_IDLE_SECONDS (24 * 24 * 3600) /* RFC 7323 section 5.5: then ts_recent means nothing           */

/* ---- a connection ---- */

/* Who: addresses, and ports as they lie in an arriving header's first word. */
struct tcp_key {
    struct weir_address remote, local;
    uint32_t ports;
};
_Static_assert(sizeof(struct tcp_key) == 36, "no holes: all of it is hashed");

enum {                        /* flags: what the fast paths test */
       F_SLOW = 1 << 0,       /* a segment that arrives cannot be predicted: see tcp_update_slow          */
       F_SPECIAL = 1 << 1,    /* more to send than new data and an ACK: see `marks`                      */
       F_TIMESTAMPS = 1 << 2, /* both sides send them                                                    */
       F_ACK_OWED = 1 << 3,   /* the peer waits for a segment from us; then ts_recent stays, RFC 7323 4.3 */
       F_DIRTY = 1 << 4,      /* in the ring of those with something to send                             */
       F_REPORTED = 1 << 5,   /* in the ring of those with something to report                           */
       F_FIN = 1 << 6,        /* a FIN follows the data: its sequence number is snd_end                  */
       F_TIMED = 1 << 7,      /* rtt_seq is being timed                                                  */
       F_SAMPLE = 1 << 8,     /* the next new segment shall be timed                                     */
       F_RTX = 1 << 9,        /* rtx_at means something                                                  */
       F_TIMER = 1 << 10,     /* in the wheel, at a time not later than rtx_at and life_at               */
       F_BLOCKED = 1 << 11,   /* a send said -EAGAIN                                                     */
       F_ORPHAN = 1 << 12,    /* the user has closed it                                                  */
       F_ECN = 1 << 15,       /* both sides heed marks of congestion, RFC 3168                           */
       F_NAGLE = 1 << 14,     /* small segments wait for each other                                      */
       F_SACK = 1 << 13,      /* both sides know selective acknowledgements                              */
};

enum {                          /* marks: the slow paths' own */
       M_PASSIVE = 1 << 0,      /* from a listener                                                         */
       M_SYN = 1 << 1,          /* a SYN, or SYN and ACK, is to be sent                                    */
       M_RETRANSMIT = 1 << 2,   /* the first unacknowledged segment is to be sent again                    */
       M_FORCE = 1 << 3,        /* send something now, whatever window and SWS avoidance say               */
       M_RECOVERY = 1 << 4,     /* fast recovery, RFC 6582                                                 */
       M_PARTIAL = 1 << 5,      /* ... and a partial ACK was seen                                          */
       M_PROBED = 1 << 6,       /* a byte was sent into a closed window                                    */
       M_KARN = 1 << 7,         /* a retransmission made the timed segment ambiguous                       */
       M_SYN_LOST = 1 << 8,     /* the SYN was sent more than once                                         */
       M_PEER_FIN = 1 << 9,     /* the peer's FIN was received in order                                    */
       M_FIN_SEEN = 1 << 10,    /* ... or is known to come at fin_seq                                      */
       M_IN_TABLE = 1 << 11,    /* segments find it                                                        */
       M_ACCEPTED = 1 << 12,    /* the user knows it (always so for an active one)                         */
       M_PEER_SCALES = 1 << 13, /* its SYN had a window scale                                              */
       M_WINDOW = 1 << 14,      /* reading has opened the window by much: the peer must know               */
       M_SCORE = 1 << 15,       /* some packet in flight is marked: what is in flight is `pipe`            */
};

/* Marks of a packet in the send queue, of a connection with SACK. */
enum {
    P_SACKED = 1 << 0,  /* the peer has it                                    */
    P_LOST = 1 << 1,    /* it is believed lost...                             */
    P_RESENT = 1 << 2,  /* ... and was sent again since                       */
    P_REPEATED = 1 << 3 /* it was sent more than once: Karn's ambiguity       */
};

/* Loss recovery's state, of a connection with SACK. */
enum {
    R_DETECT = 1 << 0,      /* ACKs have told something: look for what is lost at the turn's end      */
    R_LOSS = 1 << 1,        /* a timeout is being made good: slow start, RFC 5681 section 3.1         */
    R_PROBE = 1 << 2,       /* a tail loss probe is out: RFC 8985 section 7                           */
    R_PROBE_AGAIN = 1 << 3, /* ... and was a retransmission                                          */
    R_REORDERS = 1 << 4,    /* reordering was seen on this path                                       */
    R_TIMER = 1 << 5,       /* rtx_at is when the reordering window closes: RFC 8985 section 6.2      */
    R_DSACK_ROUND = 1 << 6, /* the reordering window was widened in this round trip                  */
    R_FIRST = 1 << 7,       /* the first retransmission of a recovery goes out whatever PRR says       */
};

/* What a congestion controller may keep of a connection. */
union tcp_congestion_state {
    struct {
        float w_max, w_est, k_s;    /* bytes, bytes, seconds: RFC 9438 section 4.1.2 */
        float rest;                 /* of a byte, not yet in cwnd                    */
        uint32_t cwnd_prior;        /* bytes */
        uint32_t last_us, epoch_us; /* of the last growth; of the congestion avoidance stage's begin */
        bool in_epoch;
    } cubic;
};

/* How things were before a loss that may turn out to be none. */
struct tcp_undo {
    union tcp_congestion_state cc;
    uint32_t cwnd, ssthresh;
    uint32_t resent_ts; /* the timestamp of the first segment sent again */
    bool possible;
};

/* The first three lines are all that an established connection touches to take a segment in order, and to send one. */
struct weir_tcp_connection {
    /* line 0: who, and where both directions stand */
    uint32_t ports; /* as tcp_key's; the addresses stand in the path's header, which is touched anyway */
    uint8_t state;
    uint8_t scales; /* of our windows << 4 | of the peer's */
    uint16_t flags;
    uint32_t rcv_nxt;
    uint32_t rcv_edge; /* RCV.NXT + RCV.WND as last told the peer: it never moves left, RFC 9293 section 3.8.6 */
    uint32_t rcv_queued;
    uint32_t ts_recent;
    uint32_t ts_offset;
    uint32_t snd_una;
    uint32_t snd_nxt; /* what is sent next; below snd_max while going back to repeat */
    uint32_t snd_max; /* SND.NXT of the RFC: nothing beyond was ever sent            */
    uint32_t snd_end; /* after the last queued byte                                  */
    uint32_t snd_wnd;
    uint32_t snd_wl1; /* SND.WL2 is never beyond snd_una, so it need not be kept     */
    uint32_t wait_us; /* how long the timer runs after new ground: tcp_wait          */
    weir_time rtx_at; /* when to repeat or to probe */
    /* line 1 */
    struct weir_packet_queue send; /* sent or not, until acknowledged            */
    struct rte_mbuf *send_next;    /* the one that holds snd_nxt; NULL: all sent */
    struct weir_packet_queue receive;
    void *user;
    uint32_t cwnd;
    uint16_t mss; /* payload bytes of a full segment */
    uint8_t events;
    uint8_t tick;                   /* the millisecond in which what stands after the path was last looked at */
    uint16_t mss_high;              /* the largest that may do, as far as is known; above mss: to be probed for */
    bool ack_now;                   /* the ACK that is owed must not wait; means something only where ACKs may */
    bool ack_waits;                 /* in the ring of those whose ACK waits, until its time has come           */
    uint16_t in_lately, out_lately; /* segments since they were last added up: tcp_heard */
    /* line 2; the end of an IPv6 header lies in the next */
    struct weir_ip_path path __attribute__((aligned(64)));
    /* now and then */
    weir_time rtt_at;
    uint32_t rtt_seq;
    uint32_t srtt8_us, rttvar4_us; /* scaled by 8 and by 4, as Jacobson did */
    uint32_t snd_wnd_max;
    uint32_t ssthresh;
    uint32_t cc_acked; /* bytes, towards the next growth of cwnd */
    uint32_t recover;  /* RFC 6582 */
    uint32_t ts_recent_s, heard_s;
    uint16_t marks;
    uint16_t dupacks_owed;
    uint8_t dupacks;
    uint8_t backoff;    /* of the persist timer                                    */
    uint8_t unanswered; /* times that a timer ran out since the peer was last heard */
    uint8_t challenges;
    uint32_t challenge_s;
    uint32_t iss, irs;
    struct weir_timer timer;
    struct weir_list member; /* of the listener's embryonic or ready, or of TIME_WAIT's */
    struct weir_packet_queue out_of_order;
    weir_time life_at; /* when TIME_WAIT or FIN_WAIT_2 ends */
    struct weir_tcp_listener *listener;
    struct weir_tcp *tcp;
    uint32_t index, hash;
    uint32_t fin_seq;
    uint32_t out_of_order_count; /* mbufs */
    int error, soft_error;
    /* of congestion control */
    union tcp_congestion_state cc;
    uint32_t rto_us;
    uint32_t tlp_end;                             /* SND.NXT when the tail loss probe was sent */
    struct weir_tcp_sack_block dsack;             /* what came twice; empty: nothing, RFC 2883 */
    uint32_t rack_sent_us, rack_end, rack_rtt_us; /* of the packet sent last of those delivered, RFC 8985 5.3 */
    uint32_t rack_fack;                           /* the end of the farthest one delivered     */
    /* loss recovery with SACK */
    struct weir_tcp_sack_block arrived[WEIR_TCP_SACK_MAX]; /* out of order, of ours to tell the peer; newest first */
    struct rte_mbuf *sack_hint;                            /* the last packet marked                                 */
    uint32_t pipe;                                         /* bytes in flight: RFC 6675, but as RACK sees it         */
    uint32_t delivered;                                    /* bytes since PRR last looked                            */
    uint32_t prr_delivered, prr_out, recover_fs;           /* RFC 6937 section 3                               */
    uint16_t sacked_count;                                 /* packets that are P_SACKED                              */
    uint8_t recovery;                                      /* R_                                                     */
    uint8_t reorder_mult : 4, reorder_persist : 4;
    uint8_t retries;  /* timeouts since SND.UNA last moved, whatever else the peer said */
    bool turned_away; /* the peer's ACK has come, but the listener has no room for it   */
    /* seldom */
    weir_time ack_at;       /* when an ACK has waited long enough */
    uint16_t mss_most;      /* what the link and both ends allow */
    uint16_t mtu_probe;     /* payload bytes of the probe that is out; 0: none */
    uint32_t mtu_probe_seq; /* where it begins */
    uint32_t mtu_probed_s;  /* when the last one went, or a router spoke */
    bool mtu_wanted;        /* one is to be sent, if there is enough to send */
    uint32_t limited_s;     /* when the congestion window was last what held us back: then it is known to be good */
    uint32_t min_rtt_us, min_rtt_s, dsack_round;
    struct weir_tcp_sack_block heard[3];  /* of the ACK before */
    uint32_t alive_s, stalled_s;          /* when the peer was last heard; since when it has not answered */
    uint64_t acked_bytes, received_bytes; /* up to acked_to and received_to: moved on now and then, before they wrap */
    uint32_t acked_to, received_to;
    uint32_t segments_in, segments_out; /* without the latest */
    uint32_t heard_ms, received_ms;     /* when the peer was last heard, and when it had data for us */
    uint32_t user_timeout_s, keep_idle_s, keep_interval_s; /* 0: none */
    uint8_t keep_count, keep_asked;
    bool ecn_echo;          /* a mark came, and the peer has not yet said that it heard of it: RFC 3168 section 6.1.3 */
    bool ecn_reduced;       /* the next new data says that the window was reduced: section 6.1.2 */
    uint32_t ecn_recover;   /* SND.NXT then: one reduction a round trip */
    uint32_t retransmitted; /* segments */
    struct tcp_undo undo;
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct weir_tcp_connection, send) == 64, "line 0 is full");
_Static_assert(offsetof(struct weir_tcp_connection, path) == 128, "line 1 is full");
_Static_assert(sizeof(struct weir_tcp_connection) == 704, "eleven lines");

struct weir_tcp_listener {
    struct weir_tcp *tcp;
    void *user;
    uint16_t port; /* 0: free */
    unsigned backlog;
    unsigned embryonic_count, ready_count;
    struct weir_list embryonic, ready; /* of connections, by `member` */
    struct weir_list reported;         /* in the machine's list of listeners with something to report */
};

#endif
