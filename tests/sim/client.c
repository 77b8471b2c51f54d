#include "client.h"
#include <string.h>

enum { ATTEMPTS = 20 };

static const weir_time PATIENCE = (weir_time)3600 * 1000000000; /* of virtual time: nothing may take longer */

static void fill(struct weir_rng *rng, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)weir_rng_next(rng);
}

static int send_packets(struct client *client, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        struct rte_mbuf *packet = weir_packet_alloc(client->world->stacks[client->host]);
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

int client_send(void *arg)
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
    const struct client *told = client->other != NULL ? client->other : client;
    struct weir_rng bytes;
    uint8_t chunk[4096], expected[4096];
    int n;
    weir_rng_seed(&bytes, told->seed);
    while ((n = receive_chunk(client, chunk, sizeof chunk)) > 0) {
        fill(&bytes, expected, (size_t)n);
        if (memcmp(chunk, expected, (size_t)n) != 0)
            return world_fail(client->world, "bytes differ after %zu", client->received);
        client->received += (size_t)n;
    }
    if (n == 0 && client->received != told->total)
        return world_fail(client->world, "%zu of %zu bytes came", client->received, told->total);
    return n;
}

int client_connect(struct client *client)
{
    struct weir_endpoint server = world_endpoint(client->world, 1, PORT);
    int rc = -ETIMEDOUT;
    for (int attempt = 0; attempt < ATTEMPTS && (rc == -ETIMEDOUT || rc == -EHOSTUNREACH); attempt++)
        rc = weir_open_tcp_stream(client->world->stacks[0], &server, &client->stream);
    return rc;
}

int client_talk_on(struct client *client)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, client_send, client);
        weir_start_soon(&nursery, receiver, client);
    }
    return rc;
}

int client_talk(void *arg)
{
    struct client *client = arg;
    WEIR_TRY(client_connect(client));
    int rc = client_talk_on(client), closed = weir_stream_close(client->stream);
    return rc < 0 ? rc : closed;
}

/* ---- servers ---- */

int echo_packets(struct weir_stream *stream, void *arg)
{
    struct rte_mbuf *packet;
    int n;
    while ((n = weir_stream_receive(stream, &packet)) > 0)
        WEIR_TRY(weir_stream_send(stream, packet));
    return n;
}

int echo_copies(struct weir_stream *stream, void *arg)
{
    uint8_t bytes[3000];
    int n;
    while ((n = weir_receive_some(stream, bytes, sizeof bytes)) > 0)
        WEIR_TRY(weir_send_all(stream, bytes, (size_t)n));
    return n;
}

static int serve(void *arg)
{
    struct service *service = arg;
    return weir_serve_tcp(service->world->stacks[1], PORT, service->handler, service->arg);
}

int run_clients(struct world *world, struct service *service, int (*client_main)(void *arg), struct client *clients,
                unsigned count)
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
