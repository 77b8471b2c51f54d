/* Every pool of two whole stacks, exhausted at every allocation of a busy scenario, once or for two seconds: what TCP
 * has promised is kept, and in the end every packet is back. */
#include "../support/stingy_pool.h"
#include "hosts.h"
#include <rte_mbuf_pool_ops.h>
#include <string.h>

enum { BYTES = 20000, CLIENTS = 3 };

static void setup(void)
{
    test_eal_init();
    cr_assert_eq(rte_mbuf_set_user_mempool_ops(stingy_pool_ops()), 0);
}

TestSuite(pools, .init = setup, .timeout = 110);

static struct hosts hosts;
static unsigned refused, allocations, whole;
static bool for_good;

static int echo(struct weir_stream *stream, void *arg)
{
    struct rte_mbuf *packet;
    int n;

    while ((n = weir_stream_receive(stream, &packet)) > 0)
        WEIR_TRY(weir_stream_send(stream, packet));
    return n;
}

static int serve(void *arg)
{
    return weir_serve_tcp(hosts.stacks[1], PORT, echo, NULL);
}

static int answer_datagrams(void *arg)
{
    struct weir_datagrams *datagrams = arg;
    struct weir_endpoint from;
    struct rte_mbuf *packet;
    int n;

    do {
        n = weir_receive_datagrams(datagrams, &packet, &from, 1);
        if (n > 0)
            n = weir_send_datagrams(datagrams, &packet, &from, 1);
    } while (n > 0 || n == -ENOBUFS || n == -ECONNREFUSED); /* who asked is gone */
    return n;
}

static int talk(struct weir_stream *stream)
{
    static const char out[BYTES];
    static char in[BYTES];
    uint32_t got = 0;

    for (uint32_t sent = 0; sent < BYTES; sent += BYTES / 4) {
        WEIR_TRY(weir_send_all(stream, out + sent, BYTES / 4));
        while (got < sent + BYTES / 4) {
            int n = weir_receive_some(stream, in, sizeof in);
            if (n <= 0)
                return n < 0 ? n : -EIO;
            got += (uint32_t)n;
        }
    }
    whole++;
    return 0;
}

static int client(void *arg)
{
    struct weir_endpoint server = host_endpoint(1, PORT), nobody = host_endpoint(1, 9);
    struct weir_stream *stream;
    int rc = weir_open_tcp_stream(hosts.stacks[0], &nobody, &stream);

    if (rc != -ECONNREFUSED && rc != -ETIMEDOUT)
        return rc < 0 ? rc : -EIO;
    WEIR_TRY(weir_open_tcp_stream(hosts.stacks[0], &server, &stream));
    rc = talk(stream);
    int closed = weir_stream_close(stream);
    return rc < 0 ? rc : closed;
}

/* Datagrams may be lost: nobody waits for them long. */
static int ask_by_datagram(void *arg)
{
    struct weir_endpoint server = host_endpoint(1, PORT), from;
    struct weir_datagrams *datagrams;
    struct weir_scope scope;
    char text[8];
    int rc = 0;

    WEIR_TRY(weir_open_datagrams(hosts.stacks[0], 0, &datagrams));
    for (int i = 0; i < 5 && rc >= 0; i++) {
        rc = weir_send_to(datagrams, "hello", 5, &server);
        if (rc < 0 && rc != -ENOBUFS)
            break;
        rc = 0;
        weir_move_on_after (&scope, WEIR_MILLISECONDS(100), rc) {
            rc = weir_receive_from(datagrams, text, sizeof text, &from);
        }
    }
    weir_datagrams_close(datagrams);
    return rc < 0 ? rc : 0;
}

static int restore(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(2)));
    allocations = stingy_pool_asked();
    stingy_pool_refuse(0, false);
    return 0;
}

static int busy(struct hosts *unused)
{
    struct weir_nursery servers, clients;
    struct weir_datagrams *datagrams;
    int rc = weir_open_datagrams(hosts.stacks[1], PORT, &datagrams);

    stingy_pool_refuse(refused, for_good);
    weir_with_nursery (&servers, rc) {
        weir_start_soon(&servers, serve, NULL);
        weir_start_soon(&servers, answer_datagrams, datagrams);
        weir_with_nursery (&clients, rc) {
            weir_start_soon(&clients, restore, NULL);
            weir_start_soon(&clients, ask_by_datagram, NULL);
            for (int i = 0; i < CLIENTS; i++)
                weir_start_soon(&clients, client, NULL);
        }
        weir_nursery_cancel(&servers);
    }
    weir_datagrams_close(datagrams);
    return rc;
}

static void run(unsigned nth, bool from_then_on)
{
    hosts_init(&hosts);
    hosts.pool_size = 511;
    refused = nth;
    for_good = from_then_on;
    whole = 0;
    stingy_pool_refuse(0, false);
    cr_assert_eq(hosts_run(&hosts, busy), 0, "allocation %u refused%s", nth, for_good ? ", and those that follow" : "");
    cr_assert_eq(whole, CLIENTS, "allocation %u", nth);
}

#ifdef __SANITIZE_ADDRESS__
#define STEP 7
#else
#define STEP 1
#endif

Test(pools, any_allocation_may_fail)
{
    run(0, false);
    unsigned all = allocations;
    cr_assert_gt(all, 100);
    for (unsigned nth = 1; nth <= all; nth += STEP)
        run(nth, false);
}

Test(pools, all_of_them_may_be_dry_for_two_seconds)
{
    run(0, false);
    unsigned all = allocations;
    for (unsigned nth = 1; nth <= all; nth += 3 * STEP)
        run(nth, true);
}
