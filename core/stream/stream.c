/* What is the same for all kinds of streams. */
#include <weir/stream.h>

int weir_stream_close(struct weir_stream *stream)
{
    return stream->ops->close(stream);
}

void weir_stream_close_forcefully(struct weir_stream *stream)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = stream->ops->close(stream); /* whatever it says, it is closed */
    }
}

void weir_stream_abort(struct weir_stream *stream)
{
    stream->ops->abort(stream);
}
