/* Packets of several segments, which the device cuts (TSO): what is to be sent, many segments of it with one header.
 *
 * The send queue knows nothing of it. Its packets are segments already, so that each can be marked and sent again by
 * itself; a large packet only refers to them (rte_pktmbuf_attach), header in front, and is cut where they end. That is
 * also why there is no GSO in software (librte_gso): where the device does not cut, nothing was joined. */
#include "tcp_private.h"

#define SEGMENTS_MAX 44u               /* 64 KB of the usual ones; DPDK's TAP cuts into 64 at most */
#define PIECES_MAX 64u                 /* of one packet: some device's ring is no longer than a few of these */
#define LARGE_MAX (65535u - 60u - 60u) /* what IP's length field says, less headers with all options */

void tcp_large_open(struct weir_tcp *tcp, struct rte_mempool *references, uint16_t pieces_max)
{
    if (!(tcp->capabilities & WEIR_DEV_TX_TSO) || references == NULL || pieces_max < 2)
        return;
    tcp->references = references;
    tcp->pieces_max = RTE_MIN(pieces_max, PIECES_MAX);
}

uint32_t tcp_large_portion(const struct weir_tcp_connection *c, uint32_t usable)
{
    uint32_t mss = c->mss, most = RTE_MIN(LARGE_MAX / mss, SEGMENTS_MAX) * mss, length = 0;

    if (c->ecn_reduced) /* CWR belongs on the first segment only, and devices differ: RFC 3168 section 6.1.2 */
        return mss;
    most = RTE_MIN(most, usable);
    for (struct rte_mbuf *m = c->send_next; m != NULL; m = weir_packet(m)->next) {
        uint32_t rest = weir_packet(m)->tcp.seq + weir_packet(m)->tcp.len - (c->snd_nxt + length);

        if (rest > most - length)
            return length + (most - length) / mss * mss;
        length += rest;
        if (rest % mss != 0) /* its last segment is a short one; which Nagle may keep */
            return c->flags & F_NAGLE ? length - rest % mss : length;
    }
    return length;
}

/* Refers to `length` bytes of a queued packet's piece. */
static bool add_piece(struct weir_tcp *tcp, struct rte_mbuf *head, struct rte_mbuf **tail, struct rte_mbuf *piece,
                      uint32_t offset, uint32_t length)
{
    struct rte_mbuf *reference = head->nb_segs < tcp->pieces_max ? rte_pktmbuf_alloc(tcp->references) : NULL;

    if (reference == NULL)
        return false;
    rte_pktmbuf_attach(reference, piece);
    reference->data_off += (uint16_t)offset;
    reference->data_len = (uint16_t)length;
    (*tail)->next = reference;
    *tail = reference;
    head->nb_segs++;
    head->pkt_len += length;
    return true;
}

/* Adds what follows `seq`, in packet m and after it, up to `length` bytes, or until there are no more references. */
static void add_pieces(struct weir_tcp *tcp, struct rte_mbuf *head, struct rte_mbuf *m, uint32_t seq, uint32_t length)
{
    uint32_t offset = m->pkt_len - weir_packet(m)->tcp.len + (seq - weir_packet(m)->tcp.seq);
    struct rte_mbuf *tail = head, *piece = m;

    while (length > 0) {
        uint32_t here;

        if (piece == NULL) { /* the next packet; what an earlier sending put in front is skipped */
            m = piece = weir_packet(m)->next;
            offset = m->pkt_len - weir_packet(m)->tcp.len;
        }
        if (offset < piece->data_len) {
            here = RTE_MIN(piece->data_len - offset, length);
            if (!add_piece(tcp, head, &tail, piece, offset, here))
                return;
            length -= here;
            offset += here;
        }
        if (length > 0) {
            offset -= piece->data_len;
            piece = piece->next;
        }
    }
}

struct rte_mbuf *tcp_large_take(struct weir_tcp *tcp, const struct weir_tcp_connection *c, uint32_t *length)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(tcp->control_pool);

    if (head == NULL)
        return NULL;
    add_pieces(tcp, head, c->send_next, c->snd_nxt, *length);
    if (head->pkt_len < *length) { /* as many whole segments as there are */
        *length = head->pkt_len / c->mss * c->mss;
        weir_packet_cut(head, *length);
    }
    if (*length > c->mss)
        return head;
    rte_pktmbuf_free(head);
    return NULL;
}
