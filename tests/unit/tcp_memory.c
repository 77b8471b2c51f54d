/* Pools that run dry at any moment: nothing leaks, nothing is lost, nothing stalls. */
#include "stingy_pool.h"
#include "tcp_wire.h"

static struct wire w;

static void setup(void)
{
    test_eal_init();
}

TestSuite(tcp_memory, .init = setup, .timeout = 60);

/* The peer puts in a segment, unless it finds no packet for it: then it was lost on the way. */
static void put(struct wire_segment segment)
{
    struct rte_mbuf *frame = wire_frame(&w, &segment);

    if (frame != NULL)
        wire_feed(&w, frame);
}
#define TRY_IN(...) put((struct wire_segment){__VA_ARGS__})

/* Lets time pass, and answers what comes out as a simple peer would. Returns whether our FIN was seen. */
static bool converse(uint32_t peer_seq, uint32_t *acked)
{
    struct wire_seen seen;
    bool fin = false;

    wire_advance(&w, WEIR_MILLISECONDS(300));
    while (wire_next(&w, &seen)) {
        if ((seen.flags & (SYN | RST)) || seen.seq > *acked)
            continue;
        *acked = RTE_MAX(*acked, seen.seq + seen.length + !!(seen.flags & FIN));
        fin |= (seen.flags & FIN) && seen.seq + seen.length <= *acked;
        TRY_IN(.flags = ACK, .seq = peer_seq, .ack = *acked);
    }
    return fin;
}

static struct rte_mbuf *user_packet(uint32_t length)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(w.pool), *more;

    if (head == NULL)
        return NULL;
    rte_pktmbuf_append(head, (uint16_t)RTE_MIN(length, 2000u));
    if (length > 2000) {
        more = rte_pktmbuf_alloc(w.pool);
        if (more == NULL) {
            rte_pktmbuf_free(head);
            return NULL;
        }
        rte_pktmbuf_append(more, (uint16_t)(length - 2000));
        cr_assert_eq(rte_pktmbuf_chain(head, more), 0);
    }
    memset(rte_pktmbuf_mtod(head, void *), 7, head->data_len);
    return head;
}

/* Open, receive in and out of order, send what must be copied, close: whatever allocation fails, in the end all is said
 * and done. */
static void conversation(void)
{
    struct weir_tcp_listener *listener = wire_listen(&w, 4);
    struct weir_tcp_connection *c = NULL;
    struct wire_seen seen;
    struct rte_mbuf *m;
    uint32_t acked = 1, received = 0;
    bool fin = false;

    for (int i = 0; i < 20 && c == NULL; i++) {
        TRY_IN(.flags = SYN);
        wire_advance(&w, WEIR_MILLISECONDS(1));
        while (wire_next(&w, &seen))
            ;
        TRY_IN(.flags = ACK, .seq = 1, .ack = 1);
        if (weir_tcp_accept(w.tcp, listener, &c, &c) != 0)
            c = NULL;
    }
    cr_assert_not_null(c);
    for (int i = 0; i < 20 && received < 3000; i++) {
        TRY_IN(.flags = ACK, .seq = 1001, .ack = 1, .length = 2000 - 1000);
        TRY_IN(.flags = ACK, .seq = 2001, .ack = 1, .length = 1000, .segments = 1);
        TRY_IN(.flags = ACK, .seq = 1, .ack = 1, .length = 1000);
        while (weir_tcp_receive(w.tcp, c, &m) > 0) {
            received += m->pkt_len;
            rte_pktmbuf_free(m);
        }
        converse(3001, &acked);
    }
    cr_assert_eq(received, 3000);
    for (int i = 0, sent = 0; i < 40 && sent < 3; i++) {
        m = user_packet(3000);
        if (m != NULL && weir_tcp_send(w.tcp, c, m) == 0)
            sent++;
        converse(3001, &acked);
    }
    for (int i = 0; i < 100 && !weir_tcp_drained(c); i++)
        converse(3001, &acked);
    cr_assert_eq(acked, 9001);
    weir_tcp_close(w.tcp, w.now, c);
    for (int i = 0; i < 100 && !fin; i++)
        fin = converse(3001, &acked);
    cr_assert(fin);
    for (int i = 0; i < 20; i++) {
        TRY_IN(.flags = FIN | ACK, .seq = 3001, .ack = 9002);
        converse(3002, &acked);
    }
    wire_advance(&w, WEIR_SECONDS(100));
    cr_assert_eq(weir_tcp_stats(w.tcp)->connections, 0);
    weir_tcp_unlisten(w.tcp, w.now, listener);
}

static unsigned run(unsigned nth, bool for_good)
{
    unsigned asked;

    wire_init(&w);
    w.pool_ops = stingy_pool_ops();
    w.pool_size = 64;
    w.control_size = 32;
    stingy_pool_refuse(0, false);
    wire_open(&w);
    stingy_pool_refuse(nth, for_good);
    conversation();
    asked = stingy_pool_asked();
    stingy_pool_refuse(0, false);
    wire_close_quietly(&w);
    return asked;
}

Test(tcp_memory, any_one_allocation_may_fail)
{
    unsigned all = run(0, false);

    cr_assert_gt(all, 20);
    for (unsigned nth = 1; nth <= all; nth++)
        run(nth, false);
}

/* Everything fails from the nth allocation on; then the machine is taken down. */
Test(tcp_memory, all_allocations_may_fail_for_good)
{
    for (unsigned nth = 1; nth < 60; nth++) {
        struct weir_tcp_connection *c;
        struct weir_tcp_listener *listener;
        struct weir_endpoint remote;
        struct rte_mbuf *m;

        wire_init(&w);
        remote = wire_remote(&w, 99);
        w.pool_ops = stingy_pool_ops();
        w.pool_size = 64;
        w.control_size = 32;
        stingy_pool_refuse(0, false);
        wire_open(&w);
        stingy_pool_refuse(nth, true);
        listener = wire_listen(&w, 4);
        cr_assert_eq(weir_tcp_connect(w.tcp, w.now, &remote, 0, &c, &c), 0);
        for (uint32_t i = 0; i < 20; i++) {
            TRY_IN(.flags = SYN);
            TRY_IN(.flags = ACK, .seq = 1, .ack = 1);
            TRY_IN(.flags = ACK, .seq = 1 + 10 * i, .ack = 1, .length = 10);
            TRY_IN(.flags = ACK, .seq = 1000 - 10 * i, .ack = 1, .length = 10);
            if (weir_tcp_accept(w.tcp, listener, &c, &c) == 0 && (m = user_packet(2500)) != NULL &&
                weir_tcp_send(w.tcp, c, m) != 0)
                rte_pktmbuf_free(m);
            wire_advance(&w, WEIR_MILLISECONDS(100));
            w.sent_count = w.sent_taken = 0;
        }
        if (nth % 2 == 0)
            weir_tcp_abort_all(w.tcp, w.now);
        stingy_pool_refuse(0, false);
        wire_close_quietly(&w);
    }
}
