#include "bulk.h"
#include <string.h>

enum { SYN_OF_ECN = RTE_TCP_ECE_FLAG | RTE_TCP_CWR_FLAG };

void bulk_send_chain(struct wire *w, struct weir_tcp_connection *c, uint32_t length)
{
    struct rte_mbuf *head = wire_payload(w, RTE_MIN(length, 1500u));

    while (head->pkt_len < length)
        cr_assert_eq(rte_pktmbuf_chain(head, wire_payload(w, RTE_MIN(length - head->pkt_len, 1500u))), 0);
    cr_assert_eq(weir_tcp_send(w->tcp, c, head), 0);
}

/* How far our stream was sent, relative. */
static uint32_t sent_up_to(const struct wire *w)
{
    uint32_t most = 1;

    for (unsigned i = 0; i < w->sent_count; i++) {
        const uint8_t *ip = w->sent[i].bytes + sizeof(struct rte_ether_hdr), *tcp = ip + sizeof(struct rte_ipv4_hdr);
        struct weir_tcp_header header = {0};
        uint32_t length = w->sent[i].length - sizeof(struct rte_ether_hdr) - sizeof(struct rte_ipv4_hdr), end;

        cr_assert_eq(weir_tcp_header_parse(tcp, length, &header), 0);
        end = header.seq - w->iss + length - header.header_length;
        if (!(header.flags & SYN) && end > most)
            most = end;
    }
    return most;
}

/* Acknowledges all that was sent, bit by bit, until nothing comes any more. */
static void take_all(struct wire *w, uint32_t acked, uint32_t step)
{
    while (acked < sent_up_to(w)) {
        acked = RTE_MIN(acked + step, sent_up_to(w));
        IN(w, .flags = ACK, .seq = 1, .ack = acked);
        wire_flush(w);
        wire_advance(w, WEIR_MICROSECONDS(700));
    }
}

static struct weir_tcp_connection *open_connection(struct wire *w, const struct bulk *bulk)
{
    struct weir_tcp_settings settings = {.nagle = bulk->nagle};
    struct weir_tcp_connection *c;
    struct weir_tcp_listener *listener;

    w->peer_mss = bulk->peer_mss;
    w->sack = bulk->sack;
    w->options.ecn = bulk->ecn;
    w->pool_size = 1023;
    wire_open(w);
    listener = wire_listen(w, 1);
    IN(w, .flags = (uint8_t)(SYN | (bulk->ecn == WEIR_TCP_ECN_REQUEST ? SYN_OF_ECN : 0)));
    wire_flush(w);
    cr_assert(wire_next(w, &(struct wire_seen){0}));
    IN(w, .flags = ACK, .seq = 1, .ack = 1);
    cr_assert_eq(weir_tcp_accept(w->tcp, listener, w, &c), 0);
    weir_tcp_set(w->tcp, w->now, c, &settings);
    return c;
}

void bulk_talk(struct wire *w, const struct bulk *bulk)
{
    struct weir_tcp_connection *c = open_connection(w, bulk);
    uint32_t mss = weir_tcp_mss(c), una;

    /* slow start, of whole segments, and of others */
    for (int i = 0; i < 60; i++)
        wire_send(w, c, mss);
    wire_flush(w);
    take_all(w, 1, 2 * mss);
    for (int i = 0; i < 20; i++)
        wire_send(w, c, i % 7 == 3 ? mss / 3 : mss);
    bulk_send_chain(w, c, 20000);
    bulk_send_chain(w, c, 9 * mss);
    wire_flush(w);
    take_all(w, sent_up_to(w) - 3 * mss, 3 * mss + 100);
    /* a hole, and another; a mark of congestion */
    una = sent_up_to(w);
    bulk_send_chain(w, c, 30 * mss + 17);
    wire_flush(w);
    wire_advance(w, WEIR_MILLISECONDS(1));
    IN(w, .flags = bulk->ecn == WEIR_TCP_ECN_REQUEST ? ACK | RTE_TCP_ECE_FLAG : ACK, .seq = 1, .ack = una + mss);
    for (uint32_t i = 3; i < 7; i++)
        IN(w, .flags = ACK, .seq = 1, .ack = una + mss, .sack_count = bulk->sack,
           .sack = {{una + 2 * mss, una + i * mss}});
    wire_flush(w);
    wire_advance(w, WEIR_MILLISECONDS(3));
    take_all(w, una + mss, 4 * mss);
    /* a window that closes in the midst of a segment, and is probed */
    una = sent_up_to(w);
    for (int i = 0; i < 30; i++)
        wire_send(w, c, mss);
    IN(w, .flags = ACK, .seq = 1, .ack = una, .window_is = true, .window = 2 * mss / 128 + 1);
    wire_flush(w);
    IN(w, .flags = ACK, .seq = 1, .ack = sent_up_to(w), .window_is = true, .window = 0);
    wire_advance(w, WEIR_SECONDS(2));
    IN(w, .flags = ACK, .seq = 1, .ack = sent_up_to(w));
    wire_flush(w);
    /* silence: all of it again, slowly */
    wire_advance(w, WEIR_SECONDS(5));
    take_all(w, una, 2 * mss);
    /* the end, with data */
    bulk_send_chain(w, c, 4 * mss + 1);
    cr_assert_eq(weir_tcp_shutdown(w->tcp, c), 0);
    wire_flush(w);
    take_all(w, sent_up_to(w) - mss, 2 * mss);
    wire_advance(w, WEIR_SECONDS(1));
    weir_tcp_abort(w->tcp, w->now, c);
    wire_flush(w);
}

void bulk_compare(const struct wire *a, const struct wire *b)
{
    cr_assert_gt(a->sent_count, 150);
    for (unsigned i = 0; i < RTE_MIN(a->sent_count, b->sent_count); i++) {
        cr_assert_eq(a->sent[i].length, b->sent[i].length, "frame %u: %u bytes, and %u", i, a->sent[i].length,
                     b->sent[i].length);
        cr_assert_arr_eq(a->sent[i].bytes, b->sent[i].bytes, a->sent[i].length, "frame %u", i);
    }
    cr_assert_eq(a->sent_count, b->sent_count);
}
