/* TCP as a stream of tasks: each call asks the machine, and parks the task when the machine says -EAGAIN. */
#include "stream_private.h"
#include <stdlib.h>
#include <string.h>

static bool abort_wait(struct weir_task *task, void *arg)
{
    struct waiter **slot = arg;
    WEIR_ASSERT((*slot)->task == task);
    *slot = NULL;
    return true;
}

const struct weir_wait weir_wait_receive = {.name = "weir_stream_receive", .abort = abort_wait};
const struct weir_wait weir_wait_send = {.name = "weir_stream_send", .abort = abort_wait};
static const struct weir_wait wait_might_not_block = {.name = "weir_wait_send_all_might_not_block",
                                                      .abort = abort_wait};
const struct weir_wait weir_wait_connect = {.name = "weir_open_tcp_stream", .abort = abort_wait};
const struct weir_wait weir_wait_accept = {.name = "weir_accept", .abort = abort_wait};
const struct weir_wait weir_wait_datagrams = {.name = "weir_receive_datagrams", .abort = abort_wait};

int weir_stream_wait_as(struct waiter *waiter, const struct weir_wait *wait, struct waiter **slot)
{
    int rc;

    /* Asked anew at each wait: a scope cancelled after a wake for nothing finds nobody parked, and will not tell again.
     */
    WEIR_TRY(weir_checkpoint_if_cancelled());
    WEIR_ASSERT(*slot == NULL);
    *slot = waiter;
    rc = weir_task_park(wait, slot);
    if (waiter->closed)
        return -EBADF;
    if (rc == 0)
        *slot = NULL;
    return rc;
}

int weir_stream_wait(const struct weir_wait *wait, struct waiter **slot)
{
    struct waiter waiter = {.task = weir_current_task()};
    return weir_stream_wait_as(&waiter, wait, slot);
}

void weir_stream_wake_closed(struct waiter **slot)
{
    struct waiter *waiter = *slot;
    if (waiter == NULL)
        return;
    waiter->closed = true;
    if (waiter->dry) /* the stack may be no more when it runs */
        weir_list_remove(&WEIR_CONTAINER_OF(waiter, struct pool_waiter, waiter)->packets.link);
    wake_waiter(waiter);
    *slot = NULL;
}

static struct tcp_stream *tcp_of(struct weir_stream *stream)
{
    return WEIR_CONTAINER_OF(stream, struct tcp_stream, base);
}

static void on_event(struct weir_stack_user *user, unsigned events)
{
    struct tcp_stream *stream = WEIR_CONTAINER_OF(user, struct tcp_stream, user);
    if (events & (WEIR_TCP_READABLE | WEIR_TCP_FAILED))
        weir_stream_wake(&stream->reader);
    if (events & (WEIR_TCP_WRITABLE | WEIR_TCP_CONNECTED | WEIR_TCP_FAILED))
        weir_stream_wake(&stream->writer);
}

static int receive(struct weir_stream *base, struct rte_mbuf **packet)
{
    struct tcp_stream *stream = tcp_of(base);
    int rc;

    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (WEIR_UNLIKELY(stream->reader != NULL))
        return -EBUSY;
    rc = weir_tcp_receive(stream->tcp, stream->connection, packet);
    if (rc != -EAGAIN) {
        weir_fast_path_done();
        return rc;
    }
    do {
        WEIR_TRY(weir_stream_wait(&weir_wait_receive, &stream->reader));
        rc = weir_tcp_receive(stream->tcp, stream->connection, packet);
    } while (rc == -EAGAIN);
    return rc;
}

static int receive_some(struct weir_stream *base, void *buffer, size_t size)
{
    struct tcp_stream *stream = tcp_of(base);
    uint32_t most = size < INT32_MAX ? (uint32_t)size : INT32_MAX;
    int rc;

    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (most == 0)
        return -EINVAL;
    if (stream->reader != NULL)
        return -EBUSY;
    rc = weir_tcp_receive_copy(stream->tcp, stream->connection, buffer, most);
    if (rc != -EAGAIN) {
        weir_fast_path_done();
        return rc;
    }
    do {
        WEIR_TRY(weir_stream_wait(&weir_wait_receive, &stream->reader));
        rc = weir_tcp_receive_copy(stream->tcp, stream->connection, buffer, most);
    } while (rc == -EAGAIN);
    return rc;
}

/* What the machine says, as a stream's user hears it: a connection that ended by itself has a code that says how. */
static int send_error(int rc)
{
    return rc == -EPIPE ? -EBADF : rc; /* after weir_send_eof */
}

/* The machine did not take a packet: waits for room. On an error the packet is freed. */
static __attribute__((noinline)) int send_later(struct tcp_stream *stream, struct rte_mbuf *packet, int rc)
{
    while (rc == -EAGAIN) {
        rc = weir_stream_wait(&weir_wait_send, &stream->writer);
        if (rc == 0) /* else the stream may be no more */
            rc = weir_tcp_send(stream->tcp, stream->connection, packet);
    }
    if (rc < 0)
        rte_pktmbuf_free(packet);
    return send_error(rc);
}

static inline int send_packet(struct tcp_stream *stream, struct rte_mbuf *packet)
{
    int rc = weir_tcp_send(stream->tcp, stream->connection, packet);
    return WEIR_LIKELY(rc == 0) ? 0 : send_later(stream, packet, rc);
}

int weir_stream_send_packet(struct tcp_stream *stream, struct rte_mbuf *packet)
{
    return send_packet(stream, packet);
}

static int may_send(struct tcp_stream *stream)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    return WEIR_UNLIKELY(stream->writer != NULL) ? -EBUSY : 0;
}

/* Nothing to send is sent, where something could be. */
static int send_nothing(struct tcp_stream *stream)
{
    int rc = weir_tcp_ask_send(stream->tcp, stream->connection);
    weir_fast_path_done();
    return rc == -EAGAIN ? 0 : send_error(rc);
}

static int send_one(struct weir_stream *base, struct rte_mbuf *packet)
{
    struct tcp_stream *stream = tcp_of(base);
    int rc = may_send(stream);
    if (WEIR_UNLIKELY(rc < 0 || packet->pkt_len == 0)) {
        rte_pktmbuf_free(packet);
        return rc < 0 ? rc : send_nothing(stream);
    }
    rc = send_packet(stream, packet);
    weir_fast_path_done();
    return rc;
}

static void packets_are_there(struct weir_packet_waiter *packets)
{
    wake_waiter(&WEIR_CONTAINER_OF(packets, struct pool_waiter, packets)->waiter);
}

static bool abort_pool_wait(struct weir_task *task, void *arg)
{
    struct waiter **slot = arg;
    weir_list_remove(&WEIR_CONTAINER_OF(*slot, struct pool_waiter, waiter)->packets.link);
    return abort_wait(task, arg);
}

static const struct weir_wait wait_packets = {.name = "weir_send_all, for a packet", .abort = abort_pool_wait};

/* Waits while the pool is dry. */
static int wait_for_packets(struct tcp_stream *stream)
{
    struct pool_waiter self = {.waiter = {.task = weir_current_task(), .dry = true},
                               .packets = {.ready = packets_are_there}};
    WEIR_TRY(weir_tcp_error(stream->connection)); /* not after a reset */
    weir_stack_await_packets(stream->stack, &self.packets);
    int rc = weir_stream_wait_as(&self.waiter, &wait_packets, &stream->writer);
    weir_list_remove(&self.packets.link); /* it was told something else */
    return rc;
}

int weir_stream_take_packet(struct tcp_stream *stream, struct rte_mbuf **packet)
{
    while ((*packet = weir_packet_alloc(stream->stack)) == NULL)
        WEIR_TRY(wait_for_packets(stream));
    return 0;
}

/* Fills a packet with as much of the data as one segment carries. Returns how much that is. */
static size_t fill(const struct tcp_stream *stream, struct rte_mbuf *m, const void *data, size_t size)
{
    size_t most = weir_tcp_mss(stream->connection);
    if (most > rte_pktmbuf_tailroom(m))
        most = rte_pktmbuf_tailroom(m);
    if (most > size)
        most = size;
    memcpy(rte_pktmbuf_append(m, (uint16_t)most), data, most);
    return most;
}

static int fill_packet(struct tcp_stream *stream, const void *data, size_t size, struct rte_mbuf **packet)
{
    WEIR_TRY(weir_stream_take_packet(stream, packet));
    return (int)fill(stream, *packet, data, size);
}

static int send_all(struct weir_stream *base, const void *data, size_t size)
{
    struct tcp_stream *stream = tcp_of(base);
    const char *at = data;
    WEIR_TRY(may_send(stream));
    if (size == 0)
        return send_nothing(stream);
    while (size > 0) {
        struct rte_mbuf *packet;
        int filled = fill_packet(stream, at, size, &packet);
        if (filled < 0)
            return filled;
        WEIR_TRY(send_packet(stream, packet));
        at += filled;
        size -= (size_t)filled;
    }
    weir_fast_path_done();
    return 0;
}

/* Waits for the first packet of it; the rest is what can go without. */
static int send_some(struct weir_stream *base, const void *data, size_t size)
{
    struct tcp_stream *stream = tcp_of(base);
    struct rte_mbuf *packet;
    const char *at = data;
    WEIR_TRY(may_send(stream));
    if (size == 0)
        return send_nothing(stream);
    size_t most = size < INT32_MAX ? size : INT32_MAX;
    int filled = fill_packet(stream, at, most, &packet);
    if (filled < 0)
        return filled;
    WEIR_TRY(send_packet(stream, packet));
    size_t sent = (size_t)filled;
    while (sent < most && weir_tcp_send_room(stream->connection) > 0 &&
           (packet = weir_packet_alloc(stream->stack)) != NULL) {
        size_t more = fill(stream, packet, at + sent, most - sent);
        if (weir_tcp_send(stream->tcp, stream->connection, packet) < 0) { /* memory is scarce */
            rte_pktmbuf_free(packet);
            break;
        }
        sent += more;
    }
    weir_fast_path_done();
    return (int)sent;
}

/* Takes one packet; an empty one is freed. */
static int take_one(struct tcp_stream *stream, struct rte_mbuf *packet)
{
    if (packet->pkt_len > 0)
        return weir_tcp_send(stream->tcp, stream->connection, packet);
    rte_pktmbuf_free(packet);
    return 0;
}

static int send_packets(struct weir_stream *base, struct rte_mbuf **packets, unsigned n)
{
    struct tcp_stream *stream = tcp_of(base);
    unsigned taken = 1;
    WEIR_TRY(may_send(stream));
    if (n == 0)
        return -EINVAL;
    int rc = take_one(stream, packets[0]);
    while (rc == -EAGAIN) {
        WEIR_TRY(weir_stream_wait(&weir_wait_send, &stream->writer));
        rc = take_one(stream, packets[0]);
    }
    if (rc < 0)
        return send_error(rc);
    while (taken < n && take_one(stream, packets[taken]) == 0)
        taken++;
    weir_fast_path_done();
    return (int)taken;
}

static int wait_send_all_might_not_block(struct weir_stream *base)
{
    struct tcp_stream *stream = tcp_of(base);
    WEIR_TRY(may_send(stream));
    int rc = weir_tcp_ask_send(stream->tcp, stream->connection);
    if (rc != -EAGAIN) {
        weir_fast_path_done();
        return send_error(rc);
    }
    do {
        WEIR_TRY(weir_stream_wait(&wait_might_not_block, &stream->writer));
        rc = weir_tcp_ask_send(stream->tcp, stream->connection);
    } while (rc == -EAGAIN);
    return send_error(rc);
}

static int send_eof(struct weir_stream *base)
{
    struct tcp_stream *stream = tcp_of(base);
    WEIR_TRY(may_send(stream));
    int rc = weir_tcp_shutdown(stream->tcp, stream->connection);
    weir_fast_path_done();
    return rc;
}

static void let_go(struct tcp_stream *stream)
{
    weir_stream_wake_closed(&stream->reader);
    weir_stream_wake_closed(&stream->writer);
    weir_tcp_stream_free(stream);
}

static int close_stream(struct weir_stream *base)
{
    struct tcp_stream *stream = tcp_of(base);
    weir_tcp_close(stream->tcp, weir_current_time(), stream->connection);
    let_go(stream);
    WEIR_TRY(weir_checkpoint_if_cancelled());
    weir_fast_path_done();
    return 0;
}

static void abort_stream(struct weir_stream *base)
{
    struct tcp_stream *stream = tcp_of(base);
    weir_tcp_abort(stream->tcp, weir_current_time(), stream->connection);
    let_go(stream);
}

static void endpoints(const struct weir_stream *base, struct weir_endpoint *local, struct weir_endpoint *remote)
{
    const struct tcp_stream *stream = WEIR_CONTAINER_OF(base, struct tcp_stream, base);
    struct weir_endpoint unwanted;
    weir_tcp_endpoints(stream->connection, local != NULL ? local : &unwanted, remote != NULL ? remote : &unwanted);
}

static const struct weir_stream_ops tcp_ops = {
    .receive_some = receive_some,
    .send_all = send_all,
    .wait_send_all_might_not_block = wait_send_all_might_not_block,
    .send_eof = send_eof,
    .close = close_stream,
    .abort = abort_stream,
};

static const struct weir_packet_ops tcp_packets = {
    .receive = receive,
    .send = send_one,
    .send_packets = send_packets,
    .send_some = send_some,
    .send_external = weir_tcp_stream_send_external,
    .endpoints = endpoints,
};

struct tcp_stream *weir_tcp_stream_new(struct weir_stack *stack)
{
    struct tcp_stream *stream = aligned_alloc(64, sizeof *stream);
    if (stream == NULL)
        return NULL;
    *stream = (struct tcp_stream){
        .base = {&tcp_ops, &tcp_packets}, .user = {on_event}, .stack = stack, .tcp = weir_stack_tcp(stack)};
    weir_stack_hold(stack);
    return stream;
}

void weir_tcp_stream_free(struct tcp_stream *stream)
{
    weir_stack_release(stream->stack);
    free(stream);
}

int weir_stream_refuse_packet_(struct rte_mbuf *packet)
{
    rte_pktmbuf_free(packet);
    return -ENOTSUP;
}

int weir_stream_endpoints(const struct weir_stream *stream, struct weir_endpoint *local, struct weir_endpoint *remote)
{
    if (stream->packets == NULL)
        return -ENOTSUP;
    stream->packets->endpoints(stream, local, remote);
    return 0;
}

const struct tcp_stream *weir_tcp_stream_of(const struct weir_stream *stream)
{
    return stream->packets == &tcp_packets ? WEIR_CONTAINER_OF(stream, const struct tcp_stream, base) : NULL;
}
