/* What tests of weir_select wait for: two channels, an event and a lock. */
#ifndef TEST_SELECT_PIPES_H
#define TEST_SELECT_PIPES_H

#include "../support/core.h"

struct pipe {
    struct weir_send_channel send;
    struct weir_receive_channel receive;
};

static struct pipe in, out;
static struct weir_event event;
static struct weir_lock lock;

static void open_pipe(struct pipe *pipe, size_t capacity)
{
    cr_assert_eq(weir_open_memory_channel(&pipe->send, &pipe->receive, capacity, sizeof(int), NULL, NULL), 0);
}

static void close_pipe(struct pipe *pipe)
{
    weir_send_channel_close(&pipe->send);
    weir_receive_channel_close(&pipe->receive);
}

__attribute__((unused)) static int send_now(struct pipe *pipe, int message)
{
    return weir_send_nowait(&pipe->send, &message);
}

__attribute__((unused)) static int receive_now(struct pipe *pipe)
{
    int message, rc = weir_receive_nowait(&pipe->receive, &message);
    return rc < 0 ? rc : message;
}

__attribute__((unused)) static unsigned waiting(struct pipe *pipe)
{
    struct weir_channel_statistics statistics;
    weir_send_channel_statistics(&pipe->send, &statistics);
    return statistics.tasks_waiting_send + statistics.tasks_waiting_receive;
}

#endif
