/* Selective acknowledgements: what has arrived out of order. Told to the peer: RFC 2018, with D-SACK, RFC 2883; and
 * heard from it: marks on the packets that wait to be acknowledged. */
#include "tcp_private.h"

/* ---- told ---- */

static bool empty(const struct weir_tcp_sack_block *block)
{
    return block->left == block->right;
}

static bool touches(const struct weir_tcp_sack_block *a, const struct weir_tcp_sack_block *b)
{
    return !empty(a) && !seq_after(a->left, b->right) && !seq_after(b->left, a->right);
}

static void join(struct weir_tcp_sack_block *to, const struct weir_tcp_sack_block *from)
{
    if (seq_before(from->left, to->left))
        to->left = from->left;
    if (seq_after(from->right, to->right))
        to->right = from->right;
}

/* The block that has grown goes to the front: RFC 2018 section 4, (1). */
void tcp_sack_arrived(struct weir_tcp_connection *c, uint32_t left, uint32_t right)
{
    struct weir_tcp_sack_block news = {left, right}, kept[RTE_DIM(c->arrived)];
    unsigned count = 0;

    for (unsigned i = 0; i < RTE_DIM(c->arrived); i++) {
        if (touches(&c->arrived[i], &news)) {
            if (!seq_before(left, c->arrived[i].left) && !seq_after(right, c->arrived[i].right))
                tcp_sack_repeated(c, left, right); /* RFC 2883 section 4: the second block tells where it lies */
            join(&news, &c->arrived[i]);
        } else if (!empty(&c->arrived[i])) {
            kept[count++] = c->arrived[i];
        }
    }
    memset(c->arrived, 0, sizeof(c->arrived));
    c->arrived[0] = news;
    for (unsigned i = 0; i < count && i + 1 < RTE_DIM(c->arrived); i++)
        c->arrived[i + 1] = kept[i];
}

void tcp_sack_dropped(struct weir_tcp_connection *c, uint32_t from)
{
    for (unsigned i = 0; i < RTE_DIM(c->arrived); i++) {
        struct weir_tcp_sack_block *block = &c->arrived[i];

        if (seq_after(block->right, from))
            block->right = seq_before(block->left, from) ? from : block->left;
    }
}

void tcp_sack_repeated(struct weir_tcp_connection *c, uint32_t left, uint32_t right)
{
    c->dsack = (struct weir_tcp_sack_block){left, right};
}

uint8_t tcp_sack_fill(struct weir_tcp_connection *c, struct weir_tcp_sack_block *blocks)
{
    uint8_t count = 0, most = c->flags & F_TIMESTAMPS ? WEIR_TCP_SACK_MAX - 1 : WEIR_TCP_SACK_MAX;

    if (!empty(&c->dsack))
        blocks[count++] = c->dsack;
    c->dsack = (struct weir_tcp_sack_block){0, 0};
    for (unsigned i = 0; i < RTE_DIM(c->arrived) && count < most; i++)
        if (!empty(&c->arrived[i]) && seq_after(c->arrived[i].left, c->rcv_nxt))
            blocks[count++] = c->arrived[i];
    return count;
}

/* ---- heard ---- */

/* True if the first block tells of what came twice: RFC 2883 section 4. */
static bool is_dsack(const struct tcp_segment *segment)
{
    const struct weir_tcp_sack_block *first = &segment->options.sack[0], *second = &segment->options.sack[1];

    if (segment->options.sack_count == 0)
        return false;
    if (seq_before(first->left, segment->ack))
        return true;
    return segment->options.sack_count > 1 && !seq_before(first->left, second->left) &&
           !seq_after(first->right, second->right);
}

/* Nothing is believed of what was never sent, or is acknowledged. */
static bool plausible(const struct weir_tcp_connection *c, const struct weir_tcp_sack_block *block)
{
    return seq_before(block->left, block->right) && !seq_before(block->left, c->snd_una) &&
           !seq_after(block->right, c->snd_max);
}

static void mark(struct weir_tcp *tcp, struct weir_tcp_connection *c, struct rte_mbuf *m,
                 const struct tcp_segment *segment)
{
    struct weir_packet *packet = weir_packet(m);

    if (packet->tcp.marks & P_SACKED)
        return;
    tcp_rack_delivered(tcp, c, m, segment);
    packet->tcp.marks = (uint8_t)((packet->tcp.marks | P_SACKED) & ~(P_LOST | P_RESENT));
    c->delivered += packet->tcp.len;
    c->sacked_count++;
    c->sack_hint = m;
    c->marks |= M_SCORE;
    c->recovery |= R_DETECT;
}

/* From where on a block's packets may be unmarked; NULL: all of them are marked. Most blocks are those of the ACK
 * before, and one has grown at its end, where the last packet marked is near: a peer that repeats itself costs little.
 */
static struct rte_mbuf *first_unmarked(const struct weir_tcp_connection *c, const struct weir_tcp_sack_block *block)
{
    uint32_t known = block->left;

    for (unsigned i = 0; i < RTE_DIM(c->heard); i++)
        if (!empty(&c->heard[i]) && c->heard[i].left == block->left && seq_after(c->heard[i].right, known))
            known = c->heard[i].right;
    if (!seq_before(known, block->right))
        return NULL;
    if (c->sack_hint != NULL && !seq_after(weir_packet(c->sack_hint)->tcp.seq, known))
        return c->sack_hint;
    return c->send.head;
}

/* Marks the packets that lie whole within a block. */
static void mark_block(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct weir_tcp_sack_block *block,
                       const struct tcp_segment *segment)
{
    for (struct rte_mbuf *m = first_unmarked(c, block); m != NULL; m = weir_packet(m)->next) {
        struct weir_packet *packet = weir_packet(m);

        if (!seq_before(packet->tcp.seq, block->right))
            break;
        if (!seq_before(packet->tcp.seq, block->left) && !seq_after(packet->tcp.seq + packet->tcp.len, block->right))
            mark(tcp, c, m, segment);
    }
}

/* How far data has arrived: only now, or the blocks of one ACK would look like reordering. */
static void move_fack(struct weir_tcp_connection *c, const struct tcp_segment *segment, unsigned first)
{
    if (seq_after(segment->ack, c->rack_fack) || !tcp_in_flight(c, c->rack_fack))
        c->rack_fack = segment->ack;
    for (unsigned i = first; i < segment->options.sack_count; i++)
        if (plausible(c, &segment->options.sack[i]) && seq_after(segment->options.sack[i].right, c->rack_fack))
            c->rack_fack = segment->options.sack[i].right;
}

bool tcp_sack_take(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    const struct weir_tcp_sack_block *blocks = segment->options.sack;
    unsigned count = segment->options.sack_count;
    bool dsack = is_dsack(segment);

    for (unsigned i = dsack; i < count; i++)
        if (plausible(c, &blocks[i]))
            mark_block(tcp, c, &blocks[i], segment);
    memset(c->heard, 0, sizeof(c->heard));
    for (unsigned i = dsack; i < count && i - dsack < RTE_DIM(c->heard); i++)
        if (plausible(c, &blocks[i]))
            c->heard[i - dsack] = blocks[i];
    move_fack(c, segment, dsack);
    return dsack;
}

void tcp_sack_release(struct weir_tcp *tcp, struct weir_tcp_connection *c, const struct tcp_segment *segment)
{
    for (struct rte_mbuf *m = c->send.head; m != NULL; m = weir_packet(m)->next) {
        struct weir_packet *packet = weir_packet(m);

        if (seq_after(packet->tcp.seq + packet->tcp.len, segment->ack))
            break;
        if (c->sack_hint == m)
            c->sack_hint = NULL;
        if (packet->tcp.marks & P_SACKED) {
            c->sacked_count--;
        } else {
            c->delivered += packet->tcp.len;
            tcp_rack_delivered(tcp, c, m, segment);
        }
    }
}

void tcp_sack_forget(struct weir_tcp_connection *c)
{
    if (!(c->flags & F_SACK))
        return;
    for (struct rte_mbuf *m = c->send.head; m != NULL; m = weir_packet(m)->next)
        weir_packet(m)->tcp.marks &= P_REPEATED;
    memset(c->heard, 0, sizeof(c->heard));
    c->sack_hint = NULL;
    c->sacked_count = 0;
    c->delivered = 0;
    c->marks &= (uint16_t) ~(M_SCORE | M_RECOVERY);
    c->recovery &= R_REORDERS;
}
