/* UDP's sockets: made, bound, and their events. RFC 768. */
#include "udp_private.h"
#include <stdlib.h>
#include <weir/net/dev.h>

#define EPHEMERAL_FIRST 49152
#define EPHEMERAL_COUNT (65536 - EPHEMERAL_FIRST)

int weir_udp_open(struct weir_udp **opened, const struct weir_udp_options *options, struct weir_ip *ip)
{
    struct weir_udp *udp = calloc(1, sizeof(*udp));

    if (udp == NULL)
        return -ENOMEM;
    udp->ip = ip;
    udp->sockets_max = RTE_MIN(options->sockets_max != 0 ? options->sockets_max : 1024, 65535u);
    udp->queue_max = options->queue_max != 0 ? options->queue_max : 512;
    udp->queue_bytes = options->queue_bytes != 0 ? options->queue_bytes : 1 << 20;
    udp->checksum_offload = weir_link_capabilities(weir_ip_link(ip)) & WEIR_DEV_TX_UDP_CKSUM;
    weir_rng_seed(&udp->rng, options->seed);
    udp->sockets = aligned_alloc(64, udp->sockets_max * sizeof(*udp->sockets));
    if (udp->sockets == NULL) {
        free(udp);
        return -ENOMEM;
    }
    for (unsigned i = udp->sockets_max; i-- > 0;) {
        udp->sockets[i].udp = NULL;
        udp->sockets[i].next = udp->free;
        udp->free = &udp->sockets[i];
    }
    *opened = udp;
    return 0;
}

void weir_udp_close(struct weir_udp *udp)
{
    if (udp == NULL)
        return;
    for (unsigned i = 0; i < udp->sockets_max; i++)
        if (udp->sockets[i].udp != NULL)
            weir_packet_queue_free(&udp->sockets[i].queue);
    free(udp->sockets);
    free(udp);
}

/* Returns a free ephemeral port, or 0: all are taken. The first is drawn, then the next free one is taken. */
static uint16_t ephemeral_port(struct weir_udp *udp)
{
    unsigned drawn = (unsigned)weir_rng_below(&udp->rng, EPHEMERAL_COUNT);

    for (unsigned i = 0; i < EPHEMERAL_COUNT; i++) {
        unsigned port = EPHEMERAL_FIRST + (drawn + i) % EPHEMERAL_COUNT;
        if (udp->by_port[port] == 0)
            return (uint16_t)port;
    }
    return 0;
}

int weir_udp_bind(struct weir_udp *udp, uint16_t port, void *user, struct weir_udp_socket **bound)
{
    struct weir_udp_socket *socket = udp->free;

    if (port == 0)
        port = ephemeral_port(udp);
    if (port == 0 || udp->by_port[port] != 0)
        return -EADDRINUSE;
    if (socket == NULL)
        return -ENOMEM;
    udp->free = socket->next;
    *socket = (struct weir_udp_socket){.udp = udp, .user = user, .port = port};
    udp->by_port[port] = (uint16_t)(socket - udp->sockets + 1);
    *bound = socket;
    return 0;
}

static void forget_event(struct weir_udp *udp, struct weir_udp_socket *socket)
{
    struct weir_udp_socket **at = &udp->first_event, *before = NULL;

    for (; *at != socket; at = &before->next)
        before = *at;
    *at = socket->next;
    if (udp->last_event == socket)
        udp->last_event = before;
}

void weir_udp_unbind(struct weir_udp *udp, struct weir_udp_socket *socket)
{
    WEIR_ASSERT(udp_find(udp, socket->port) == socket);
    weir_packet_queue_free(&socket->queue);
    if (socket->announced)
        forget_event(udp, socket);
    udp->by_port[socket->port] = 0;
    socket->udp = NULL;
    socket->next = udp->free;
    udp->free = socket;
}

void udp_announce(struct weir_udp_socket *socket)
{
    struct weir_udp *udp = socket->udp;

    if (socket->announced || socket->user == NULL)
        return;
    socket->announced = true;
    socket->next = NULL;
    if (udp->first_event == NULL)
        udp->first_event = socket;
    else
        udp->last_event->next = socket;
    udp->last_event = socket;
}

void *weir_udp_next_event(struct weir_udp *udp)
{
    struct weir_udp_socket *socket = udp->first_event;

    if (socket == NULL)
        return NULL;
    udp->first_event = socket->next;
    if (udp->first_event == NULL)
        udp->last_event = NULL;
    socket->announced = false;
    return socket->user;
}

void weir_udp_socket_stats(const struct weir_udp_socket *socket, struct weir_udp_socket_stats *stats)
{
    *stats = socket->stats;
    stats->queued = socket->queued;
    stats->queued_bytes = socket->queued_bytes;
}

uint16_t weir_udp_port(const struct weir_udp_socket *socket)
{
    return socket->port;
}

const struct weir_udp_stats *weir_udp_stats(const struct weir_udp *udp)
{
    return &udp->stats;
}
