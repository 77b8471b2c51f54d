/* Payload in memory of the user's own (rte_pktmbuf_attach_extbuf): gathered behind the headers by a device that can,
 * and given back once. */
#include "tcp_wire.h"

static struct wire w;
static uint8_t memory[1000];
static struct rte_mbuf_ext_shared_info shared;
static unsigned given_back;

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
    w.hold = true;
}

TestSuite(tcp_external, .init = setup, .timeout = 60);

static void give_back(void *bytes, void *arg)
{
    given_back++;
}

static struct rte_mbuf *refer(void)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(w.pool);

    cr_assert_not_null(m);
    shared = (struct rte_mbuf_ext_shared_info){.free_cb = give_back};
    rte_mbuf_ext_refcnt_set(&shared, 1);
    for (uint32_t i = 0; i < sizeof(memory); i++)
        memory[i] = wire_byte(true, 1 + i);
    rte_pktmbuf_attach_extbuf(m, memory, (rte_iova_t)(uintptr_t)memory, sizeof(memory), &shared);
    m->data_len = sizeof(memory);
    m->pkt_len = sizeof(memory);
    return m;
}

static bool lies_in_memory(const struct rte_mbuf *m)
{
    return rte_pktmbuf_mtod(m, const uint8_t *) == memory;
}

Test(tcp_external, is_gathered_where_the_device_can)
{
    struct weir_tcp_connection *c;

    w.capabilities = WEIR_DEV_TX_MULTI_SEGS;
    wire_open(&w);
    c = wire_established(&w);
    wire_release(&w);
    cr_assert_eq(weir_tcp_send(w.tcp, c, refer()), 0);
    OUT(&w, ACK, 1, 1, sizeof(memory)); /* which looks at checksum and bytes */
    cr_assert(w.held[0]->nb_segs == 2 && lies_in_memory(w.held[0]->next));
    IN(&w, .flags = ACK, .seq = 1, .ack = 1001);
    cr_assert(weir_tcp_drained(c));
    cr_assert_eq(given_back, 0, "the device has it still");
    wire_release(&w);
    cr_assert_eq(given_back, 1);
    wire_close(&w);
}

Test(tcp_external, is_copied_where_the_device_cannot)
{
    struct weir_tcp_connection *c;

    wire_open(&w);
    c = wire_established(&w);
    wire_release(&w);
    cr_assert_eq(weir_tcp_send(w.tcp, c, refer()), 0);
    OUT(&w, ACK, 1, 1, sizeof(memory));
    cr_assert_eq(w.held[0]->nb_segs, 1);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1001);
    cr_assert_eq(given_back, 1, "the device has a copy");
    wire_release(&w);
    wire_close(&w);
}

Test(tcp_external, goes_again_as_a_copy_while_the_device_holds_it_and_from_its_place_afterwards)
{
    struct weir_tcp_connection *c;

    w.capabilities = WEIR_DEV_TX_MULTI_SEGS;
    wire_open(&w);
    c = wire_established(&w);
    wire_release(&w);
    cr_assert_eq(weir_tcp_send(w.tcp, c, refer()), 0);
    OUT(&w, ACK, 1, 1, sizeof(memory));
    wire_advance(&w, WEIR_SECONDS(1));
    for (int i = 0; w.sent_taken < w.sent_count; i++)
        OUT(&w, ACK, 1, 1, sizeof(memory));
    cr_assert_gt(w.held_count, 1);
    for (unsigned i = 1; i < w.held_count; i++)
        cr_assert_eq(w.held[i]->nb_segs, 1);
    wire_release(&w);
    cr_assert_eq(given_back, 0, "nobody has acknowledged it");
    wire_advance(&w, WEIR_SECONDS(10));
    cr_assert(w.held[0]->nb_segs == 2 && lies_in_memory(w.held[0]->next));
    while (w.sent_taken < w.sent_count)
        OUT(&w, ACK, 1, 1, sizeof(memory));
    weir_tcp_abort(w.tcp, w.now, c);
    cr_assert_eq(given_back, 0);
    wire_release(&w);
    cr_assert_eq(given_back, 1);
    wire_close_quietly(&w);
}

/* A part of it, into a window that is narrow, is a copy; the whole is given back when the last part is acknowledged. */
Test(tcp_external, a_part_is_copied)
{
    struct weir_tcp_connection *c;

    w.capabilities = WEIR_DEV_TX_MULTI_SEGS;
    w.peer_scale = 0;
    w.window = 600;
    wire_open(&w);
    c = wire_established(&w);
    wire_release(&w);
    cr_assert_eq(weir_tcp_send(w.tcp, c, refer()), 0);
    OUT(&w, ACK, 1, 1, 600);
    wire_release(&w);
    IN(&w, .flags = ACK, .seq = 1, .ack = 601);
    OUT(&w, ACK, 601, 1, 400);
    wire_release(&w);
    cr_assert_eq(given_back, 0);
    IN(&w, .flags = ACK, .seq = 1, .ack = 1001);
    cr_assert_eq(given_back, 1);
    wire_close(&w);
}
