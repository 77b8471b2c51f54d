/* What must hold between two hosts, whatever the cable does. */
#include "scenarios.h"
#include <string.h>

enum { PORT = 7 };
static const weir_time PATIENCE = (weir_time)3600 * 1000000000; /* of virtual time: nothing may take longer */

/* ---- faults ---- */

static double chance(struct world *world, double most)
{
    return weir_rng_below(&world->rng, 3) == 0 ? 0 : most * weir_rng_double(&world->rng);
}

static void random_faults(struct world *world)
{
    world->fault = (struct weir_fault){
        .loss = chance(world, 0.15),
        .duplicate = chance(world, 0.1),
        .reorder = chance(world, 0.2),
        .corrupt = chance(world, 0.05),
        .delay = (weir_time)weir_rng_below(&world->rng, 30000000),
        .jitter = (weir_time)weir_rng_below(&world->rng, 5000000),
        .bits_per_second = weir_rng_below(&world->rng, 3) == 0 ? 1000000 + weir_rng_below(&world->rng, 100000000) : 0,
        .queue = 20 + (unsigned)weir_rng_below(&world->rng, 200),
    };
}

/* ---- a client that knows each byte ---- */

struct client {
    struct world *world;
    struct weir_stream *stream;
    uint64_t seed;
    size_t total, sent, received;
    bool copies; /* sends and receives by copying, else by packets */
};

static void fill(struct weir_rng *rng, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)weir_rng_next(rng);
}

static int send_packets(struct client *client, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        struct rte_mbuf *packet = weir_packet_alloc(client->world->stacks[0]);
        if (packet == NULL) {
            WEIR_TRY(weir_sleep(WEIR_MILLISECONDS(1)));
            continue;
        }
        uint16_t part = n < 1900 ? (uint16_t)n : 1900; /* some are longer than a segment may be */
        memcpy(rte_pktmbuf_append(packet, part), bytes, part);
        WEIR_TRY(weir_stream_send(client->stream, packet));
        bytes += part;
        n -= part;
    }
    return 0;
}

static int sender(void *arg)
{
    struct client *client = arg;
    struct weir_rng bytes, sizes;
    uint8_t chunk[8192];
    weir_rng_seed(&bytes, client->seed);
    weir_rng_seed(&sizes, client->seed + 1);
    while (client->sent < client->total) {
        size_t n = 1 + weir_rng_below(&sizes, weir_rng_below(&sizes, 2) == 0 ? 64 : sizeof chunk);
        if (n > client->total - client->sent)
            n = client->total - client->sent;
        fill(&bytes, chunk, n);
        WEIR_TRY(client->copies ? weir_send_all(client->stream, chunk, n) : send_packets(client, chunk, n));
        client->sent += n;
        if (weir_rng_below(&sizes, 50) == 0)
            WEIR_TRY(weir_sleep((weir_time)weir_rng_below(&sizes, 50000000)));
    }
    return weir_send_eof(client->stream);
}

static int receive_chunk(struct client *client, uint8_t *chunk, size_t size)
{
    struct rte_mbuf *packet;
    if (client->copies)
        return weir_receive_some(client->stream, chunk, size);
    int n = weir_stream_receive(client->stream, &packet);
    if (n <= 0)
        return n;
    const void *bytes = rte_pktmbuf_read(packet, 0, (uint32_t)n, chunk);
    if (bytes != chunk)
        memcpy(chunk, bytes, (size_t)n);
    rte_pktmbuf_free(packet);
    return n;
}

static int receiver(void *arg)
{
    struct client *client = arg;
    struct weir_rng bytes;
    uint8_t chunk[4096], expected[4096];
    int n;
    weir_rng_seed(&bytes, client->seed);
    while ((n = receive_chunk(client, chunk, sizeof chunk)) > 0) {
        fill(&bytes, expected, (size_t)n);
        if (memcmp(chunk, expected, (size_t)n) != 0)
            return world_fail(client->world, "bytes differ after %zu", client->received);
        client->received += (size_t)n;
    }
    if (n == 0 && client->received != client->total)
        return world_fail(client->world, "%zu of %zu bytes came back", client->received, client->total);
    return n;
}

/* A cable cut for 20 s may swallow all SYNs of one attempt, which is a minute: a client tries again. */
static int connect_to_server(struct client *client)
{
    struct weir_endpoint server = world_endpoint(1, PORT);
    int rc = -ETIMEDOUT;
    for (int attempt = 0; attempt < 3 && rc == -ETIMEDOUT; attempt++)
        rc = weir_open_tcp_stream(client->world->stacks[0], &server, &client->stream);
    return rc;
}

static int talk(void *arg)
{
    struct client *client = arg;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(connect_to_server(client));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sender, client);
        weir_start_soon(&nursery, receiver, client);
    }
    int closed = weir_stream_close(client->stream);
    return rc < 0 ? rc : closed;
}

/* ---- servers ---- */

static int echo_packets(struct weir_stream *stream, void *arg)
{
    struct rte_mbuf *packet;
    int n;
    while ((n = weir_stream_receive(stream, &packet)) > 0)
        WEIR_TRY(weir_stream_send(stream, packet));
    return n;
}

static int echo_copies(struct weir_stream *stream, void *arg)
{
    uint8_t bytes[3000];
    int n;
    while ((n = weir_receive_some(stream, bytes, sizeof bytes)) > 0)
        WEIR_TRY(weir_send_all(stream, bytes, (size_t)n));
    return n;
}

struct service {
    struct world *world;
    int (*handler)(struct weir_stream *stream, void *arg);
    void *arg;
};

static int serve(void *arg)
{
    struct service *service = arg;
    return weir_serve_tcp(service->world->stacks[1], PORT, service->handler, service->arg);
}

/* Runs clients against a server; the server is cancelled when they are done. */
static int run_clients(struct world *world, struct service *service, int (*client_main)(void *arg),
                       struct client *clients, unsigned count)
{
    struct weir_nursery servers, nursery;
    struct weir_scope patience;
    int rc = 0;
    weir_with_nursery (&servers, rc) {
        weir_start_soon(&servers, serve, service);
        WEIR_DO(rc, weir_checkpoint());
        weir_fail_after (&patience, PATIENCE, rc) {
            weir_with_nursery (&nursery, rc) {
                for (unsigned i = 0; i < count; i++)
                    weir_start_soon(&nursery, client_main, &clients[i]);
            }
        }
        weir_nursery_cancel(&servers);
    }
    return rc;
}

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
    return run_clients(world, &service, talk, clients, count);
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
    WEIR_TRY(connect_to_server(client));
    int rc = sender(client);
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
    world->options.receive_buffer = 2000 + (uint32_t)weir_rng_below(&world->rng, 8000);
    world->options.send_buffer = 1000 + (uint32_t)weir_rng_below(&world->rng, 8000);
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
    return run_clients(world, &service, talk, &client, 1);
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

/* ---- many short connections ---- */

static int many_connections(struct world *world)
{
    static struct client clients[200];
    struct service service = {world, echo_packets, NULL};
    for (unsigned i = 0; i < 200; i++)
        clients[i] = (struct client){.world = world,
                                     .seed = weir_rng_next(&world->rng),
                                     .total = 1 + weir_rng_below(&world->rng, 300),
                                     .copies = i % 2 == 0};
    return run_clients(world, &service, talk, clients, 200);
}

static void mild_faults(struct world *world)
{
    world->fault = (struct weir_fault){.loss = 0.02, .reorder = 0.05, .delay = WEIR_MILLISECONDS(2)};
}

const struct scenario sim_many_connections = {"many-connections", "200 at once, each closed properly", mild_faults,
                                              many_connections};

/* ---- clients that vanish in the middle: nothing may stay behind ---- */

static int talk_and_vanish(void *arg)
{
    struct client *client = arg;
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, (weir_time)weir_rng_below(&client->world->rng, 300000000), rc) {
        rc = talk(client);
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
    struct weir_endpoint server = world_endpoint(1, PORT), from;
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
