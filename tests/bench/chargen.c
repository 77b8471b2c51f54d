/* chargen: sends to whoever connects, for as long as they listen; after RFC 864, but for what it sends. */
#include <weir/app.h>

enum { PORT = 19, CHUNK = 1 << 16 };

/* Byte i of a stream is that of a chunk at i modulo its size: see stream_bytes in loss_peer.py. */
static int send_for_ever(struct weir_stream *stream, void *arg)
{
    const uint8_t *chunk = arg;
    int rc;

    do {
        rc = weir_send_all(stream, chunk, CHUNK);
    } while (rc == 0);
    return rc == -ECONNRESET || rc == -EPIPE ? 0 : rc; /* they have heard enough */
}

static int serve(struct weir_app_context *context, void *settings)
{
    static uint8_t chunk[CHUNK];

    for (uint32_t i = 0; i < CHUNK; i++)
        chunk[i] = (uint8_t)(i * 31 + i / 256);
    if (!context->quiet)
        printf("chargen: port %u of %s\n", PORT, context->place);
    return weir_serve_tcp(context->stack, PORT, send_for_ever, chunk);
}

WEIR_APP(.name = "chargen", .summary = "Sends to whoever connects, for as long as they listen", .main = serve);
