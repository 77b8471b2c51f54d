/* Stapled streams: a sending half and a receiving half. Each half is let go of before it is closed, as with some kinds
 * its pointer dies then. */
#include <weir/stream.h>

static struct weir_stapled_stream *of(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct weir_stapled_stream, stream);
}

static int receive_some(struct weir_stream *stream, void *buffer, size_t size)
{
    struct weir_stapled_stream *stapled = of(stream);
    return stapled->receive != NULL ? weir_receive_some(stapled->receive, buffer, size) : -EBADF;
}

/* Half-closing must not close the half under a task that sends, so it has to be known that one does. */
static int may_send(const struct weir_stapled_stream *stapled)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (stapled->send == NULL)
        return -EBADF;
    return stapled->sending ? -EBUSY : 0;
}

static int send_all(struct weir_stream *stream, const void *data, size_t size)
{
    struct weir_stapled_stream *stapled = of(stream);
    WEIR_TRY(may_send(stapled));
    stapled->sending = true;
    int rc = weir_send_all(stapled->send, data, size);
    stapled->sending = false;
    return rc;
}

static int wait_send_all_might_not_block(struct weir_stream *stream)
{
    struct weir_stapled_stream *stapled = of(stream);
    WEIR_TRY(may_send(stapled));
    stapled->sending = true;
    int rc = weir_wait_send_all_might_not_block(stapled->send);
    stapled->sending = false;
    return rc;
}

static int close_half(struct weir_stream **half)
{
    struct weir_stream *stream = *half;
    *half = NULL;
    return stream != NULL ? weir_stream_close(stream) : 0;
}

static int nothing_to_close(void)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_fast_path_done();
    return 0;
}

static int send_eof(struct weir_stream *stream)
{
    struct weir_stapled_stream *stapled = of(stream);
    if (stapled->send == NULL && stapled->receive != NULL)
        return nothing_to_close(); /* it was told already */
    WEIR_TRY(may_send(stapled));
    stapled->sending = true;
    int rc = weir_send_eof(stapled->send);
    stapled->sending = false;
    return rc == -ENOTSUP ? close_half(&stapled->send) : rc;
}

static int close_both(struct weir_stream *stream)
{
    struct weir_stapled_stream *stapled = of(stream);
    if (stapled->send == NULL && stapled->receive == NULL)
        return nothing_to_close();
    int first = close_half(&stapled->send), second = close_half(&stapled->receive);
    return first < 0 && (first != -ECANCELED || second >= 0) ? first : second;
}

static void abort_half(struct weir_stream **half)
{
    struct weir_stream *stream = *half;
    *half = NULL;
    if (stream != NULL)
        weir_stream_abort(stream);
}

static void abort_both(struct weir_stream *stream)
{
    struct weir_stapled_stream *stapled = of(stream);
    abort_half(&stapled->send);
    abort_half(&stapled->receive);
}

static const struct weir_stream_ops stapled_ops = {
    .receive_some = receive_some,
    .send_all = send_all,
    .wait_send_all_might_not_block = wait_send_all_might_not_block,
    .send_eof = send_eof,
    .close = close_both,
    .abort = abort_both,
};

void weir_stapled_stream_init(struct weir_stapled_stream *stapled, struct weir_stream *send,
                              struct weir_stream *receive)
{
    *stapled = (struct weir_stapled_stream){.stream.ops = &stapled_ops, .send = send, .receive = receive};
}
