/* Sending bytes from where they lie: segments that refer to the user's memory. */
#include "stream_private.h"
#include <rte_eal.h>
#include <string.h>

/* Makes a packet refer to the bytes. Where the device wants physical addresses it is filled with them: what is one
 * piece to us need not be one to it. */
static void refer(struct rte_mbuf *m, struct weir_external *external, const void *data, uint16_t length)
{
    if (rte_eal_iova_mode() != RTE_IOVA_VA) {
        memcpy(rte_pktmbuf_append(m, length), data, length);
        return;
    }
    rte_mbuf_ext_refcnt_update(&external->shared, 1);
    rte_pktmbuf_attach_extbuf(m, (void *)(uintptr_t)data, (rte_iova_t)(uintptr_t)data, length, &external->shared);
    m->data_len = length;
    m->pkt_len = length;
}

/* One packet a segment: each can be marked, sent again and let go of by itself. */
static int send_pieces(struct tcp_stream *stream, struct weir_external *external, const char *data, size_t size)
{
    while (external->sent < size) {
        struct rte_mbuf *m;
        WEIR_TRY(weir_stream_take_packet(stream, &m));
        size_t length = RTE_MIN((size_t)weir_tcp_mss(stream->connection), (size_t)rte_pktmbuf_tailroom(m));
        length = RTE_MIN(length, size - external->sent);
        refer(m, external, data + external->sent, (uint16_t)length);
        WEIR_TRY(weir_stream_send_packet(stream, m));
        external->sent += length;
    }
    return 0;
}

int weir_tcp_stream_send_external(struct weir_stream *base, struct weir_external *external, const void *data,
                                  size_t size)
{
    struct tcp_stream *stream = WEIR_CONTAINER_OF(base, struct tcp_stream, base);
    weir_external_open(external, stream->stack);
    int rc = weir_checkpoint_if_cancelled();
    if (rc == 0 && stream->writer != NULL)
        rc = -EBUSY;
    else if (rc == 0)
        rc = send_pieces(stream, external, data, size);
    if (rc == 0)
        weir_fast_path_done();
    weir_external_release(external);
    return rc;
}

int weir_send_external(struct weir_stream *stream, struct weir_external *external, const void *data, size_t size)
{
    if (stream->packets != NULL)
        return stream->packets->send_external(stream, external, data, size);
    external->sent = 0;
    external->done(external);
    return -ENOTSUP;
}
