/* What must hold between two hosts, whatever the cable does. */
#include "scenarios.h"
#include "client.h"
#include <math.h>
#include <string.h>

/* ---- faults ---- */

static double chance(struct world *world, double most)
{
    return weir_rng_below(&world->rng, 3) == 0 ? 0 : most * weir_rng_double(&world->rng);
}

/* From `least` to `most`, each order of magnitude as likely as another. */
static uint32_t size_between(struct world *world, double least, double most)
{
    return (uint32_t)(least * pow(most / least, weir_rng_double(&world->rng)));
}

static bool coin(struct world *world)
{
    return weir_rng_below(&world->rng, 2) == 0;
}

/* What two hosts may have, and what a way between them may leave of it. */
static void random_stacks(struct world *world)
{
    world->options.congestion = coin(world) ? &weir_tcp_cubic : &weir_tcp_reno;
    world->options.ecn = coin(world) ? WEIR_TCP_ECN_REQUEST : WEIR_TCP_ECN_ACCEPT;
    world->options.receive_buffer = size_between(world, 1500, 4 << 20);
    world->options.send_buffer = size_between(world, 1000, 4 << 20);
    world->middlebox = (struct middlebox){.no_sack = weir_rng_below(&world->rng, 3) == 0,
                                          .no_timestamps = weir_rng_below(&world->rng, 3) == 0,
                                          .no_scale = weir_rng_below(&world->rng, 5) == 0,
                                          .mark = chance(world, 0.1)};
}

static struct weir_fault random_fault(struct world *world)
{
    return (struct weir_fault){
        .loss = chance(world, 0.15),
        .duplicate = chance(world, 0.1),
        .reorder = chance(world, 0.2),
        .corrupt = chance(world, 0.05),
        .delay = (weir_time)weir_rng_below(&world->rng, 30000000),
        .jitter = (weir_time)weir_rng_below(&world->rng, 5000000),
        .bits_per_second = weir_rng_below(&world->rng, 3) == 0 ? 1000000 + weir_rng_below(&world->rng, 100000000) : 0,
        .queue = 20 + (unsigned)weir_rng_below(&world->rng, 200),
    };
    world->options.delayed_ack = weir_rng_below(&world->rng, 2) == 0 ? WEIR_MILLISECONDS(40) : 0;
    if (weir_rng_below(&world->rng, 2) == 0)
        world->options.mtu_probing = WEIR_TCP_MTU_ALWAYS;
}

static void random_faults(struct world *world)
{
    random_stacks(world);
    world->fault = random_fault(world);
}

/* ---- echoes ---- */

static int echo_with(struct world *world, int (*handler)(struct weir_stream *stream, void *arg), bool copies,
                     size_t most)
{
    struct client clients[4];
    struct service service = {world, handler, NULL};
    unsigned count = 1 + (unsigned)weir_rng_below(&world->rng, 4);
    for (unsigned i = 0; i < count; i++)
        clients[i] = (struct client){.world = world,
                                     .seed = weir_rng_next(&world->rng),
                                     .total = 1 + weir_rng_below(&world->rng, most),
                                     .copies = copies};
    return run_clients(world, &service, client_talk, clients, count);
}

static int echo_zero_copy(struct world *world)
{
    return echo_with(world, echo_packets, false, 300000);
}

static int echo_copied(struct world *world)
{
    return echo_with(world, echo_copies, true, 300000);
}

const struct scenario sim_echo_zero_copy = {"echo-zero-copy", "packets handed over, random faults, byte-exact",
                                            random_faults, echo_zero_copy};
const struct scenario sim_echo_copied = {"echo-copied", "bytes copied, random faults, byte-exact", random_faults,
                                         echo_copied};

/* Every third segment, or its ACK, is lost: timeouts are the rule. What comes to the end of its retransmissions by bad
 * luck alone may give up, and only that. */
static void heavy_loss_faults(struct world *world)
{
    random_faults(world);
    world->fault.loss = 0.15 + 0.15 * weir_rng_double(&world->rng);
    world->fault.corrupt = chance(world, 0.02);
}

static int echo_little(struct world *world)
{
    return echo_with(world, echo_packets, coin(world), 20000);
}

const struct scenario sim_heavy_loss = {"heavy-loss", "15 to 30 % each way, byte-exact", heavy_loss_faults,
                                        echo_little};

/* ---- half-close: the server answers only after the client's end ---- */

static int count_then_answer(struct weir_stream *stream, void *arg)
{
    uint8_t bytes[2000];
    uint64_t total = 0;
    int n;
    while ((n = weir_receive_some(stream, bytes, sizeof bytes)) > 0)
        total += (uint64_t)n;
    if (n < 0)
        return n;
    return weir_send_all(stream, &total, sizeof total);
}

static int ask_for_count(void *arg)
{
    struct client *client = arg;
    uint64_t total = 0;
    size_t got = 0;
    int n = 0;
    WEIR_TRY(client_connect(client));
    int rc = client_send(client);
    while (rc == 0 && got < sizeof total &&
           (n = weir_receive_some(client->stream, (uint8_t *)&total + got, sizeof total - got)) > 0)
        got += (size_t)n;
    if (rc == 0 && n < 0)
        rc = n;
    if (rc == 0 && total != client->total)
        rc = world_fail(client->world, "the server counted %lu of %zu bytes", (unsigned long)total, client->total);
    int closed = weir_stream_close(client->stream);
    return rc < 0 ? rc : closed;
}

static int half_close(struct world *world)
{
    struct client client = {.world = world,
                            .seed = weir_rng_next(&world->rng),
                            .total = 1 + weir_rng_below(&world->rng, 100000),
                            .copies = true};
    struct service service = {world, count_then_answer, NULL};
    return run_clients(world, &service, ask_for_count, &client, 1);
}

const struct scenario sim_half_close = {"half-close", "an answer after the client's end of stream", random_faults,
                                        half_close};

/* ---- buffers of a few segments: windows close all the time ---- */

static void tiny_buffers_faults(struct world *world)
{
    random_faults(world);
    world->options.receive_buffer = size_between(world, 600, 10000);
    world->options.send_buffer = size_between(world, 600, 10000);
}

static int slow_echo(struct weir_stream *stream, void *arg)
{
    struct world *world = arg;
    uint8_t bytes[700];
    int n;
    while ((n = weir_receive_some(stream, bytes, sizeof bytes)) > 0) {
        WEIR_TRY(weir_send_all(stream, bytes, (size_t)n));
        if (weir_rng_below(&world->rng, 20) == 0) /* long enough for zero-window probes */
            WEIR_TRY(weir_sleep((weir_time)weir_rng_below(&world->rng, 3000000000)));
    }
    return n;
}

static int tiny_buffers(struct world *world)
{
    struct client client = {.world = world,
                            .seed = weir_rng_next(&world->rng),
                            .total = 1 + weir_rng_below(&world->rng, 60000),
                            .copies = weir_rng_below(&world->rng, 2) == 0};
    struct service service = {world, slow_echo, world};
    return run_clients(world, &service, client_talk, &client, 1);
}

const struct scenario sim_tiny_buffers = {"tiny-buffers", "slow reader, zero windows, byte-exact", tiny_buffers_faults,
                                          tiny_buffers};

/* ---- a cable that is cut for a while ---- */

static void blackout_faults(struct world *world)
{
    random_faults(world);
    world->fault.corrupt = 0;
    world->fault.blackout_from = WEIR_SECONDS(1000) + (weir_time)weir_rng_below(&world->rng, 2000000000);
    world->fault.blackout_until = world->fault.blackout_from + (weir_time)weir_rng_below(&world->rng, 20000000000);
}

const struct scenario sim_blackout = {"blackout", "up to 20 s without a packet, then byte-exact", blackout_faults,
                                      echo_zero_copy};

/* ---- a way that becomes another all the time ---- */

static int change_the_way(void *arg)
{
    struct world *world = arg;
    for (;;) {
        WEIR_TRY(weir_sleep((weir_time)weir_rng_below(&world->rng, 3000000000)));
        struct weir_fault fault = random_fault(world);
        if (weir_rng_below(&world->rng, 4) == 0)
            fault = (struct weir_fault){.loss = 1}; /* a blackout until the next change */
        world_set_fault(world, &fault);
    }
}

static int changing_way(struct world *world)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, change_the_way, world);
        rc = echo_with(world, echo_packets, false, 1000000);
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

const struct scenario sim_changing_way = {"changing-way", "delay, rate, loss change while it runs; blackouts",
                                          random_faults, changing_way};

/* ---- both ends tell, and neither waits for the other ---- */

static int tell_too(struct weir_stream *stream, void *arg)
{
    struct client *client = arg;
    client->stream = stream;
    return client_talk_on(client);
}

static int both_ways(struct world *world)
{
    struct client ends[2];
    for (int i = 0; i < 2; i++)
        ends[i] = (struct client){.world = world,
                                  .seed = weir_rng_next(&world->rng),
                                  .total = 1 + weir_rng_below(&world->rng, 400000),
                                  .copies = coin(world),
                                  .host = i,
                                  .other = &ends[1 - i]};
    struct service service = {world, tell_too, &ends[1]};
    return run_clients(world, &service, client_talk, ends, 1);
}

const struct scenario sim_both_ways = {"both-ways", "two streams in one connection, random faults, byte-exact",
                                       random_faults, both_ways};

/* ---- many short connections ---- */

static int many_at_once(struct world *world, unsigned count, size_t most)
{
    static struct client clients[200];
    struct service service = {world, echo_packets, NULL};
    for (unsigned i = 0; i < count; i++)
        clients[i] = (struct client){.world = world,
                                     .seed = weir_rng_next(&world->rng),
                                     .total = 1 + weir_rng_below(&world->rng, most),
                                     .copies = i % 2 == 0};
    return run_clients(world, &service, client_talk, clients, count);
}

static int many_connections(struct world *world)
{
    return many_at_once(world, 200, 300);
}

static int crowd(struct world *world)
{
    return many_at_once(world, 30, 20000);
}

static void mild_faults(struct world *world)
{
    world->fault = (struct weir_fault){.loss = 0.02, .reorder = 0.05, .delay = WEIR_MILLISECONDS(2)};
}

const struct scenario sim_many_connections = {"many-connections", "200 at once, each closed properly", mild_faults,
                                              many_connections};
const struct scenario sim_crowd = {"crowd", "30 at once, random faults, byte-exact", random_faults, crowd};

/* ---- clients that vanish in the middle: nothing may stay behind ---- */

static int talk_and_vanish(void *arg)
{
    struct client *client = arg;
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, (weir_time)weir_rng_below(&client->world->rng, 300000000), rc) {
        rc = client_talk(client);
    }
    if (rc == -ECONNRESET || rc == -EPIPE)
        rc = 0; /* by an earlier one's reset: its port is reused */
    return rc;
}

static int aborts(struct world *world)
{
    struct client clients[20];
    struct service service = {world, echo_packets, NULL};
    for (unsigned i = 0; i < 20; i++)
        clients[i] =
            (struct client){.world = world, .seed = weir_rng_next(&world->rng), .total = 2000000, .copies = i % 2 == 0};
    return run_clients(world, &service, talk_and_vanish, clients, 20);
}

const struct scenario sim_aborts = {"aborts", "cancelled transfers leave nothing behind", mild_faults, aborts};

/* ---- datagrams: each arrives whole, or not at all ---- */

static int udp_echo(void *arg)
{
    struct weir_datagrams *socket = arg;
    struct rte_mbuf *packets[32];
    struct weir_endpoint from[32];
    for (;;) {
        int n = weir_receive_datagrams(socket, packets, from, 32);
        if (n > 0)
            n = weir_send_datagrams(socket, packets, from, (unsigned)n);
        if (n < 0)
            return n;
    }
}

static int udp_ask(struct world *world, struct weir_datagrams *socket)
{
    struct weir_endpoint server = world_endpoint(world, 1, PORT), from;
    unsigned answered = 0;
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t question[64] = {[0] = i, [63] = ~i}, answer[65];
        struct weir_scope scope;
        int n = 0;
        WEIR_TRY(weir_send_to(socket, question, sizeof question, &server));
        weir_move_on_after (&scope, WEIR_SECONDS(1), n) {
            n = weir_receive_from(socket, answer, sizeof answer, &from);
        }
        if (scope.cancelled_caught)
            continue;
        if (n != sizeof question || answer[63] != ~answer[0] || from.port != PORT)
            return world_fail(world, "a datagram of %d bytes is not one that was sent", n);
        answered++;
    }
    return answered > 20 ? 0 : world_fail(world, "only %u of 100 datagrams were answered", answered);
}

static int udp(struct world *world)
{
    struct weir_datagrams *sockets[2];
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_open_datagrams(world->stacks[0], 0, &sockets[0]));
    WEIR_TRY(weir_open_datagrams(world->stacks[1], PORT, &sockets[1]));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, udp_echo, sockets[1]);
        rc = udp_ask(world, sockets[0]);
        weir_nursery_cancel(&nursery);
    }
    weir_datagrams_close(sockets[0]);
    weir_datagrams_close(sockets[1]);
    return rc;
}

const struct scenario sim_udp = {"udp", "datagrams arrive whole or not at all", random_faults, udp};
