/* UDP as tasks see it. */
#include "stream_private.h"
#include <stdlib.h>
#include <string.h>

struct weir_datagrams {
    struct weir_stack_user user;
    struct weir_stack *stack;
    struct weir_udp_socket *socket;
    struct waiter *reader;
};

static void on_event(struct weir_stack_user *user, unsigned events)
{
    weir_stream_wake(&WEIR_CONTAINER_OF(user, struct weir_datagrams, user)->reader);
}

int weir_open_datagrams(struct weir_stack *stack, uint16_t port, struct weir_datagrams **result)
{
    struct weir_datagrams *datagrams = calloc(1, sizeof *datagrams);
    if (datagrams == NULL)
        return -ENOMEM;
    datagrams->user.event = on_event;
    datagrams->stack = stack;
    int rc = weir_udp_bind(weir_stack_udp(stack), port, &datagrams->user, &datagrams->socket);
    if (rc < 0) {
        free(datagrams);
        return rc;
    }
    weir_stack_hold(stack);
    *result = datagrams;
    return 0;
}

int weir_datagrams_bind_address(struct weir_datagrams *datagrams, const struct weir_address *address)
{
    return weir_udp_bind_address(datagrams->socket, address);
}

int weir_datagrams_connect(struct weir_datagrams *datagrams, const struct weir_endpoint *peer)
{
    return weir_udp_connect(datagrams->socket, weir_current_time(), peer);
}

void weir_datagrams_stats(const struct weir_datagrams *datagrams, struct weir_udp_socket_stats *stats)
{
    weir_udp_socket_stats(datagrams->socket, stats);
}

int weir_receive_datagrams(struct weir_datagrams *datagrams, struct rte_mbuf **packets, struct weir_endpoint *from,
                           unsigned n)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (datagrams->reader != NULL)
        return -EBUSY;
    int rc = weir_udp_receive(datagrams->socket, packets, from, n);
    if (rc != -EAGAIN) {
        weir_fast_path_done();
        return rc;
    }
    do {
        WEIR_TRY(weir_stream_wait(&weir_wait_datagrams, &datagrams->reader));
        rc = weir_udp_receive(datagrams->socket, packets, from, n);
    } while (rc == -EAGAIN);
    return rc;
}

int weir_send_datagrams_from(struct weir_datagrams *datagrams, struct rte_mbuf **packets,
                             const struct weir_endpoint *to, const struct weir_address *from, unsigned n)
{
    int rc = weir_checkpoint_if_cancelled();
    if (rc < 0) {
        rte_pktmbuf_free_bulk(packets, n);
        return rc;
    }
    rc = weir_udp_send(weir_stack_udp(datagrams->stack), weir_current_time(), datagrams->socket, packets, to, from, n);
    weir_fast_path_done();
    return rc;
}

int weir_send_datagrams(struct weir_datagrams *datagrams, struct rte_mbuf **packets, const struct weir_endpoint *to,
                        unsigned n)
{
    return weir_send_datagrams_from(datagrams, packets, to, NULL, n);
}

int weir_receive_from(struct weir_datagrams *datagrams, void *buffer, size_t size, struct weir_endpoint *from)
{
    struct rte_mbuf *packet;
    WEIR_TRY(weir_receive_datagrams(datagrams, &packet, from, 1));
    uint32_t length = packet->pkt_len < size ? packet->pkt_len : (uint32_t)size;
    const void *bytes = rte_pktmbuf_read(packet, 0, length, buffer);
    WEIR_ASSERT(bytes != NULL || length == 0);
    if (bytes != buffer && length > 0) /* it lay in one piece, so it was not copied yet */
        memcpy(buffer, bytes, length);
    rte_pktmbuf_free(packet);
    return (int)length;
}

int weir_send_to(struct weir_datagrams *datagrams, const void *data, size_t size, const struct weir_endpoint *to)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    struct rte_mbuf *packet = weir_packet_alloc(datagrams->stack);
    if (packet == NULL)
        return -ENOBUFS;
    char *room = size <= UINT16_MAX ? rte_pktmbuf_append(packet, (uint16_t)size) : NULL;
    if (room == NULL) {
        rte_pktmbuf_free(packet);
        return -EMSGSIZE;
    }
    memcpy(room, data, size);
    WEIR_TRY(weir_send_datagrams(datagrams, &packet, to, 1));
    return 0;
}

uint16_t weir_datagrams_port(const struct weir_datagrams *datagrams)
{
    return weir_udp_port(datagrams->socket);
}

void weir_datagrams_close(struct weir_datagrams *datagrams)
{
    weir_stream_wake_closed(&datagrams->reader);
    weir_udp_unbind(weir_stack_udp(datagrams->stack), datagrams->socket);
    weir_stack_release(datagrams->stack);
    free(datagrams);
}
