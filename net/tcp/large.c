/* Packets of several segments, which the device cuts (TSO): what is to be sent, many segments of it with one header.
 *
 * The send queue knows nothing of it. Its packets are segments, so that each can be marked as arrived, or lost, and be
 * sent again, by itself: what the user sends in larger packets is queued as segments that refer to these
 * (rte_pktmbuf_attach). A packet for the device to cut refers to many of the queue, and is cut where they end. That is
 * also why there is no GSO in software (librte_gso): where the device does not cut, nothing was joined. */
#include "tcp_private.h"

#define SEGMENTS_MAX 44u               /* 64 KB of the usual ones; DPDK's TAP cuts into 64 at most */
#define PIECES_MAX 64u                 /* of one packet: some device's ring is no longer than a few of these */
#define LARGE_MAX (65535u - 60u - 60u) /* what IP's length field says, less headers with all options */

void tcp_large_open(struct weir_tcp *tcp, struct rte_mempool *references, uint16_t pieces_max)
{
    tcp->references = references;
    if ((tcp->capabilities & WEIR_DEV_TX_TSO) && references != NULL)
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

/* ---- packets that refer to others' bytes ---- */

struct chain {
    struct rte_mbuf *head, *tail;
};

static bool append(struct weir_tcp *tcp, struct chain *chain, struct rte_mbuf *piece, uint32_t offset, uint32_t length)
{
    struct rte_mbuf *reference = rte_pktmbuf_alloc(tcp->references);

    if (reference == NULL)
        return false;
    rte_pktmbuf_attach(reference, piece);
    reference->data_off += (uint16_t)offset;
    reference->data_len = (uint16_t)length;
    reference->pkt_len = length;
    if (chain->head == NULL) {
        chain->head = reference;
    } else {
        chain->tail->next = reference;
        chain->head->nb_segs++;
        chain->head->pkt_len += length;
    }
    chain->tail = reference;
    return true;
}

/* Appends `length` bytes of a packet, from `offset` on. Returns how many those became: there may be no more references,
 * or the chain may have as many pieces as it can. */
static uint32_t append_range(struct weir_tcp *tcp, struct chain *chain, struct rte_mbuf *m, uint32_t offset,
                             uint32_t length, uint16_t pieces_max)
{
    uint32_t left = length;

    for (struct rte_mbuf *piece = m; piece != NULL && left > 0; piece = piece->next) {
        uint32_t here;

        if (offset >= piece->data_len) {
            offset -= piece->data_len;
            continue;
        }
        here = RTE_MIN(piece->data_len - offset, left);
        if ((chain->head != NULL && chain->head->nb_segs >= pieces_max) || !append(tcp, chain, piece, offset, here))
            break;
        left -= here;
        offset = 0;
    }
    return length - left;
}

/* ---- sent ---- */

struct rte_mbuf *tcp_large_take(struct weir_tcp *tcp, const struct weir_tcp_connection *c, uint32_t *length)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(tcp->control_pool);
    struct chain chain = {head, head};
    uint32_t left = *length, seq = c->snd_nxt;

    if (head == NULL)
        return NULL;
    for (struct rte_mbuf *m = c->send_next; left > 0; m = weir_packet(m)->next) {
        const struct weir_packet *packet = weir_packet(m);
        uint32_t here = RTE_MIN(packet->tcp.seq + packet->tcp.len - seq, left);
        uint32_t offset = m->pkt_len - (packet->tcp.seq + packet->tcp.len - seq); /* the payload is the packet's end */
        uint32_t got = append_range(tcp, &chain, m, offset, here, tcp->pieces_max);

        seq += got;
        left -= got;
        if (got < here) { /* as many whole segments as there are */
            *length = head->pkt_len / c->mss * c->mss;
            weir_packet_cut(head, *length);
            break;
        }
    }
    if (*length > c->mss)
        return head;
    rte_pktmbuf_free(head);
    return NULL;
}

/* ---- queued ---- */

void tcp_large_queue(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m)
{
    uint32_t at = 0, length, got;

    for (; at < m->pkt_len; at += length) {
        struct chain chain = {0};

        length = RTE_MIN(m->pkt_len - at, (uint32_t)c->mss);
        got = tcp->references != NULL ? append_range(tcp, &chain, m, at, length, UINT16_MAX) : 0;
        if (got < length) {
            rte_pktmbuf_free(chain.head);
            break;
        }
        tcp_queue_payload(tcp, c, chain.head, length);
    }
    if (at < m->pkt_len)
        tcp_queue_payload(tcp, c, m, m->pkt_len - at);
    else
        rte_pktmbuf_free(m);
}
