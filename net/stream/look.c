/* What a stream tells of the connection under it, and what may be set there. */
#include "stream_private.h"

int weir_stream_tcp_info(const struct weir_stream *base, struct weir_tcp_info *info)
{
    const struct tcp_stream *stream = weir_tcp_stream_of(base);
    if (stream == NULL)
        return -ENOTSUP;
    weir_tcp_get_info(stream->tcp, stream->connection, info);
    return 0;
}

int weir_stream_tcp_events(const struct weir_stream *base, char *text, size_t size)
{
    const struct tcp_stream *stream = weir_tcp_stream_of(base);
    if (stream == NULL)
        return -ENOTSUP;
    return weir_tcp_events_format(stream->tcp, weir_current_time(), stream->connection, text, size);
}

int weir_stream_set_tcp(struct weir_stream *base, const struct weir_tcp_settings *settings)
{
    const struct tcp_stream *stream = weir_tcp_stream_of(base);
    if (stream == NULL)
        return -ENOTSUP;
    weir_tcp_set(stream->tcp, weir_current_time(), stream->connection, settings);
    return 0;
}
