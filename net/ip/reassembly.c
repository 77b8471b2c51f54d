/* Fragments, put together by librte_ip_frag, which discards a packet whose fragments overlap (RFC 5722), and bounds how
 * many it keeps: each of at most RTE_LIBRTE_IP_FRAG_MAX_FRAG fragments. What it does not look at is looked at here.
 * RFC 791 section 3.2, RFC 1122 section 3.3.2, RFC 8200 section 4.5. */
#define ALLOW_EXPERIMENTAL_API /* rte_ip_frag_table_del_expired_entries: without it what is too old is kept for ever   \
                                */
#include "autoconf_private.h"

/* RFC 1122 says 60 to 120 s, and RFC 8200 60; as Linux we keep them for half of that: what is lost comes again sooner,
 * and a flood of first fragments holds the table for less long. */
#define REASSEMBLY_TIME WEIR_SECONDS(30)

/* Places for each packet that may be kept: so many must collide before one finds none. */
#define ENTRIES 4

int ip_reassembly_open(struct ip_reassembly *reassembly, unsigned packets_max)
{
    unsigned buckets = rte_align32pow2(RTE_MAX(packets_max / ENTRIES, 1u));

    reassembly->deadline = WEIR_NEVER;
    reassembly->table =
        rte_ip_frag_table_create(buckets, ENTRIES, packets_max, (uint64_t)REASSEMBLY_TIME, SOCKET_ID_ANY);
    return reassembly->table != NULL ? 0 : -ENOMEM;
}

void ip_reassembly_close(struct ip_reassembly *reassembly)
{
    if (reassembly->table != NULL)
        rte_ip_frag_table_destroy(reassembly->table);
}

/* Frees what the table has thrown out. */
static void empty_row(struct weir_ip *ip)
{
    if (ip->reassembly.row.cnt == 0)
        return;
    ip->stats.reasm_fails++;
    rte_ip_frag_free_death_row(&ip->reassembly.row, 0);
}

/* The sender is told, if it was the first fragment that came: only that one can be quoted. RFC 1122 section 3.3.2. */
static void expired_v4(struct weir_ip *ip, weir_time now, struct rte_mbuf *m)
{
    struct weir_ipv4 header;

    if (weir_ipv4_parse(rte_pktmbuf_mtod(m, const void *), m->data_len, &header) < 0 || header.fragment_offset != 0) {
        rte_pktmbuf_free(m);
        return;
    }
    weir_packet_strip(m, header.header_length);
    ip_send_time_exceeded(ip, now, m,
                          &(struct weir_ip_rx){.src = weir_address_v4(header.src),
                                               .dst = weir_address_v4(header.dst),
                                               .protocol = header.protocol});
}

static void expired(struct weir_ip *ip, weir_time now, struct rte_mbuf *m)
{
    if (*rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4)
        expired_v4(ip, now, m);
    else
        ip_expired_v6(ip, now, m);
}

static void expire(struct weir_ip *ip, weir_time now)
{
    struct rte_ip_frag_death_row *row = &ip->reassembly.row;

    do {
        row->cnt = 0;
        rte_ip_frag_table_del_expired_entries(ip->reassembly.table, row, (uint64_t)now);
        for (uint32_t i = 0; i < row->cnt; i++) {
            ip->stats.reasm_fails++;
            expired(ip, now, row->row[i]);
        }
    } while (row->cnt > 0); /* the row holds some packets only */
    row->cnt = 0;
}

void weir_ip_timers(struct weir_ip *ip, weir_time now)
{
    struct ip_reassembly *reassembly = &ip->reassembly;

    autoconf_timers(ip, now);
    if (now < reassembly->deadline)
        return;
    expire(ip, now);
    /* a packet expires when it is older than the time; the table does not tell which is the oldest */
    reassembly->deadline =
        now > weir_time_add(reassembly->last, REASSEMBLY_TIME) ? WEIR_NEVER : weir_time_add(now, REASSEMBLY_TIME / 30);
}

weir_time weir_ip_next_deadline(const struct weir_ip *ip)
{
    return ip->autoconf != NULL ? RTE_MIN(ip->reassembly.deadline, ip->autoconf->due) : ip->reassembly.deadline;
}

struct rte_mbuf *ip_reassembly_begin(struct weir_ip *ip, weir_time now, struct rte_mbuf *m)
{
    struct ip_reassembly *reassembly = &ip->reassembly;
    uint16_t headers = m->data_len; /* at least */

    ip->stats.reasm_reqds++;
    expire(ip, now);
    m = weir_ip_make_writable(ip, m, 0); /* it will be chained to others */
    if (m == NULL)
        return NULL;
    if (!weir_packet_pull(m, headers)) { /* into the empty segment that was put in front of one that is not ours */
        ip->stats.reasm_fails++;
        rte_pktmbuf_free(m);
        return NULL;
    }
    reassembly->last = now;
    reassembly->deadline = RTE_MIN(reassembly->deadline, weir_time_add(now, REASSEMBLY_TIME));
    m->ol_flags &= ~(RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK); /* not of the whole */
    m->l2_len = 0;
    return m;
}

struct rte_mbuf *ip_reassembly_end(struct weir_ip *ip, struct rte_mbuf *m)
{
    empty_row(ip);
    if (m == NULL)
        return NULL;
    if (m->pkt_len > UINT16_MAX) { /* a first fragment with more options than the others */
        ip->stats.reasm_fails++;
        rte_pktmbuf_free(m);
        return NULL;
    }
    ip->stats.reasm_oks++;
    return m;
}

/* A fragment is not believed that is empty, not of a multiple of eight bytes though others follow, or ends beyond what
 * a packet can hold. */
static bool makes_sense(const struct weir_ipv4 *header)
{
    unsigned length = header->total_length - header->header_length;

    return length > 0 && (!header->more_fragments || length % 8 == 0) &&
           header->fragment_offset + header->total_length <= UINT16_MAX;
}

struct rte_mbuf *ip_reassemble_v4(struct weir_ip *ip, weir_time now, struct rte_mbuf *m, const struct weir_ipv4 *header)
{
    m = ip_reassembly_begin(ip, now, m);
    if (m == NULL)
        return NULL;
    if (!makes_sense(header)) {
        ip->stats.reasm_fails++;
        rte_pktmbuf_free(m);
        return NULL;
    }
    m->l3_len = header->header_length;
    m = rte_ipv4_frag_reassemble_packet(ip->reassembly.table, &ip->reassembly.row, m, (uint64_t)now,
                                        rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *));
    return ip_reassembly_end(ip, m);
}
