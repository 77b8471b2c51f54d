/* A long life: connections opened, used and closed by the million, in virtual time, between two TCP machines that are
 * joined directly. Whatever leaks a little at each shows here. WEIR_CONNECTIONS=n: so many of them. */
#include "../support/eal.h"
#include <criterion/criterion.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <weir/net/tcp.h>
#include <weir/net/wire.h>

#ifdef __SANITIZE_ADDRESS__
#define COUNT 50000
#else
#define COUNT 1000000
#endif

enum { AT_ONCE = 64, BURST = 64, INBOX = 4096, REQUEST = 64, PORT = 7 };

/* One machine, and what is on the way to it. */
struct end {
    struct weir_burst burst;
    struct weir_link *link;
    struct weir_ip *ip;
    struct weir_tcp *tcp;
    struct end *peer;
    struct rte_mbuf *inbox[INBOX];
    unsigned arriving;
};

/* What a client's or a server's connection is about. */
struct talk {
    struct weir_tcp_connection *c;
    bool active; /* it is the client's */
};

static struct {
    struct end ends[2]; /* the client's and the server's */
    struct rte_mempool *pool, *control;
    struct weir_tcp_listener *listener;
    struct talk talks[2 * AT_ONCE], *idle[2 * AT_ONCE];
    unsigned idle_count;
    uint64_t opened, answered, finished;
    weir_time now;
} m;

/* ---- the wire ---- */

/* What a sender still holds a reference to is copied, as by a device. */
static void cross(struct weir_burst *burst)
{
    struct end *to = WEIR_CONTAINER_OF(burst, struct end, burst)->peer;

    for (unsigned i = 0; i < burst->count; i++) {
        struct rte_mbuf *packet = burst->packets[i];

        if (rte_mbuf_refcnt_read(packet) > 1) {
            struct rte_mbuf *copy = rte_pktmbuf_copy(packet, m.pool, 0, UINT32_MAX);
            rte_pktmbuf_free(packet);
            packet = copy;
        }
        cr_assert(packet != NULL && to->arriving < INBOX);
        packet->ol_flags = 0;
        to->inbox[to->arriving++] = packet;
    }
    burst->count = 0;
}

static void deliver(struct end *end)
{
    struct rte_mbuf *segments[BURST];
    struct weir_ip_rx rx[BURST];
    unsigned n = 0;

    for (unsigned i = 0; i < end->arriving; i++) {
        segments[n] = end->inbox[i];
        if (weir_link_input(end->link, m.now, segments[n]) == RTE_ETHER_TYPE_IPV4 &&
            weir_ip_input(end->ip, m.now, RTE_ETHER_TYPE_IPV4, &segments[n], &rx[n]) == IPPROTO_TCP)
            n++;
        if (n == BURST) {
            weir_tcp_input(end->tcp, m.now, segments, rx, n);
            n = 0;
        }
    }
    weir_tcp_input(end->tcp, m.now, segments, rx, n);
    end->arriving = 0;
}

/* ---- the applications ---- */

static struct talk *begin(bool active)
{
    struct talk *talk = m.idle[--m.idle_count];

    talk->active = active;
    return talk;
}

static void end_talk(struct end *end, struct talk *talk)
{
    weir_tcp_close(end->tcp, m.now, talk->c);
    m.idle[m.idle_count++] = talk;
    m.finished += talk->active;
}

static void request(struct end *end, struct talk *talk)
{
    struct rte_mbuf *packet = rte_pktmbuf_alloc(m.pool);

    cr_assert_not_null(packet);
    memset(rte_pktmbuf_append(packet, REQUEST), 7, REQUEST);
    cr_assert_eq(weir_tcp_send(end->tcp, talk->c, packet), 0);
}

/* The client takes its answer and closes; the server answers, and closes after that. */
static void read_all(struct end *end, struct talk *talk)
{
    struct rte_mbuf *packet;
    int n;

    while ((n = weir_tcp_receive(end->tcp, talk->c, &packet)) > 0) {
        if (!talk->active) {
            cr_assert_eq(weir_tcp_send(end->tcp, talk->c, packet), 0);
            continue;
        }
        m.answered += (unsigned)n == REQUEST;
        rte_pktmbuf_free(packet);
        end_talk(end, talk);
        return;
    }
    if (n == 0)
        end_talk(end, talk);
    else
        cr_assert_eq(n, -EAGAIN);
}

static void accept_all(struct end *end)
{
    struct weir_tcp_connection *c;

    while (weir_tcp_accept(end->tcp, m.listener, NULL, &c) == 0) {
        struct talk *talk = begin(false);

        talk->c = c;
        weir_tcp_set_user(c, talk);
    }
}

static void act(struct end *end)
{
    unsigned events;
    void *user;

    while ((user = weir_tcp_next_event(end->tcp, &events)) != NULL) {
        cr_assert(!(events & WEIR_TCP_FAILED));
        if (user == &m)
            accept_all(end);
        else if (events & WEIR_TCP_CONNECTED)
            request(end, user);
        else if (events & WEIR_TCP_READABLE)
            read_all(end, user);
    }
}

static void connect_more(uint64_t count)
{
    struct weir_endpoint remote = {
        .family = AF_INET, .port = PORT, .v4.s_addr = rte_cpu_to_be_32(WEIR_IPV4(10, 0, 0, 2))};

    while (m.opened < count && m.opened - m.finished < AT_ONCE) {
        struct talk *talk = begin(true);

        cr_assert_eq(weir_tcp_connect(m.ends[0].tcp, m.now, &remote, 0, talk, &talk->c), 0);
        m.opened++;
    }
}

/* ---- the run ---- */

static void open_end(int i)
{
    struct end *end = &m.ends[i];
    struct weir_link_options link = {.mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}}, .pool = m.control};
    struct weir_ip_options ip = {.address = WEIR_IPV4(10, 0, 0, (uint32_t)i + 1), .prefix = 24, .pool = m.control};
    struct weir_tcp_options tcp = {.connections_max = 8192,
                                   .packets_max = 4096,
                                   .time_wait = WEIR_MILLISECONDS(10),
                                   .pool = m.pool,
                                   .control_pool = m.control,
                                   .key = "not a secret"};

    end->burst.flush = cross;
    end->peer = &m.ends[!i];
    link.pending_max = 2 * AT_ONCE;
    cr_assert_eq(weir_link_open(&end->link, &link, &end->burst), 0);
    cr_assert_eq(weir_ip_open(&end->ip, &ip, end->link), 0);
    cr_assert_eq(weir_tcp_open(&end->tcp, &tcp, end->ip), 0);
}

static void close_end(int i)
{
    const struct weir_tcp_stats *stats = weir_tcp_stats(m.ends[i].tcp);

    cr_assert_eq(stats->connections, 0);
    cr_assert_eq(stats->curr_estab, 0);
    cr_assert_eq(stats->attempt_fails + stats->estab_resets + stats->out_rsts + stats->retrans_segs, 0);
    weir_tcp_destroy(m.ends[i].tcp);
    weir_ip_close(m.ends[i].ip);
    weir_link_close(m.ends[i].link);
}

/* Both machines' turns; 10 us pass. */
static void turn(void)
{
    for (int i = 0; i < 2; i++) {
        struct end *end = &m.ends[i];

        deliver(end);
        weir_tcp_timers(end->tcp, m.now);
        if (m.now >= weir_link_next_deadline(end->link))
            weir_link_timers(end->link, m.now);
        act(end);
        weir_tcp_flush(end->tcp, m.now);
        cross(&end->burst);
    }
    m.now += WEIR_MICROSECONDS(10);
}

Test(million, connections_leave_nothing_behind, .init = test_eal_init, .timeout = 110)
{
    const char *wanted = getenv("WEIR_CONNECTIONS");
    uint64_t count = wanted != NULL ? strtoull(wanted, NULL, 10) : COUNT;

    m.pool = test_pool(8191);
    m.control = test_pool(2047);
    m.now = WEIR_SECONDS(1000);
    for (unsigned i = 0; i < 2 * AT_ONCE; i++)
        m.idle[m.idle_count++] = &m.talks[i];
    for (int i = 0; i < 2; i++)
        open_end(i);
    cr_assert_eq(weir_tcp_listen(m.ends[1].tcp, PORT, AT_ONCE, &m, &m.listener), 0);
    while (m.finished < count) {
        connect_more(count);
        turn();
    }
    for (unsigned i = 0; i < 2000; i++)
        turn();
    cr_assert_eq(m.answered, count);
    cr_assert_eq(weir_tcp_stats(m.ends[0].tcp)->active_opens, count);
    cr_assert_eq(weir_tcp_stats(m.ends[1].tcp)->passive_opens, count);
    weir_tcp_unlisten(m.ends[1].tcp, m.now, m.listener);
    for (int i = 0; i < 2; i++)
        close_end(i);
    test_pool_is_full(m.pool);
    test_pool_is_full(m.control);
}
