/* State Threads: it has no call to yield (st_usleep(0) asks the kernel), so who gives way signals the next one's
 * condition variable and waits on its own; and no channel, so one is built of a ring and condition variables. There is
 * but one kernel thread, so no mutex. Stacks are spread over the cache as its notes advise. */
#include "../rows.h"
#include <st.h>

enum { STACK = 64 * 1024 };

static st_thread_t start(void *(*fn)(void *), void *arg)
{
    st_thread_t thread = st_thread_create(fn, arg, 1, STACK);
    if (thread == NULL)
        err(1, "st_thread_create");
    return thread;
}

/* Who stand in a circle, each with a condition variable to wait on; the main thread is the first. */
struct circle {
    int tasks, joined;
    int stop;
    st_cond_t *turn;
};

static void give_way(struct circle *circle, int self)
{
    int next = self + 1 == circle->tasks ? 0 : self + 1;
    st_cond_signal(circle->turn[next]);
    st_cond_wait(circle->turn[self]);
}

static void *member(void *arg)
{
    struct circle *circle = arg;
    int self = ++circle->joined;

    st_cond_wait(circle->turn[self]);
    while (!circle->stop)
        give_way(circle, self);
    return NULL;
}

/* Once round the circle, so many times; a switch in it. */
static double pass_round(int tasks, int turns)
{
    struct circle circle = {.tasks = tasks};
    st_thread_t *threads = malloc(sizeof *threads * (size_t)tasks);

    circle.turn = malloc(sizeof *circle.turn * (size_t)tasks);
    if (threads == NULL || circle.turn == NULL)
        err(1, "malloc");
    for (int i = 0; i < tasks; i++)
        circle.turn[i] = st_cond_new();
    for (int i = 1; i < tasks; i++)
        threads[i] = start(member, &circle);
    st_usleep(0); /* all wait */
    give_way(&circle, 0);
    double from = now_ns();
    for (int i = 0; i < turns; i++)
        give_way(&circle, 0);
    double result = (now_ns() - from) / turns / tasks;
    circle.stop = 1;
    for (int i = 1; i < tasks; i++) {
        st_cond_signal(circle.turn[i]);
        st_thread_join(threads[i], NULL);
    }
    for (int i = 0; i < tasks; i++)
        st_cond_destroy(circle.turn[i]);
    free(circle.turn);
    free(threads);
    return result;
}

static double yield_two(void)
{
    return 2 * pass_round(2, OPERATIONS);
}

static double switch_100(void)
{
    return pass_round(100, turns_of(100));
}

static double switch_1000(void)
{
    return pass_round(1000, turns_of(1000));
}

static double switch_100000(void)
{
    return pass_round(100000, turns_of(100000));
}

static void *nothing(void *arg)
{
    return arg;
}

static double spawn_one(void)
{
    double from = now_ns();
    for (int i = 0; i < OPERATIONS; i++)
        st_thread_join(start(nothing, NULL), NULL);
    return (now_ns() - from) / OPERATIONS;
}

static double spawn_batch(void)
{
    st_thread_t batch[BATCH];
    double from = now_ns();

    for (int i = 0; i < OPERATIONS / BATCH; i++) {
        for (int k = 0; k < BATCH; k++)
            batch[k] = start(nothing, NULL);
        for (int k = 0; k < BATCH; k++)
            st_thread_join(batch[k], NULL);
    }
    return (now_ns() - from) / (OPERATIONS / BATCH * BATCH);
}

struct channel {
    unsigned long ring[BUFFERED];
    unsigned sent, received, capacity;
    st_cond_t filled, emptied;
};

static void *send_all(void *arg)
{
    struct channel *channel = arg;

    for (unsigned long i = 0; i < OPERATIONS; i++) {
        while (channel->sent - channel->received == channel->capacity)
            st_cond_wait(channel->emptied);
        channel->ring[channel->sent++ % channel->capacity] = i;
        st_cond_signal(channel->filled);
    }
    return NULL;
}

static double through(unsigned capacity)
{
    static struct channel channel;
    volatile unsigned long message;
    double from = now_ns();

    channel = (struct channel){.capacity = capacity, .filled = st_cond_new(), .emptied = st_cond_new()};
    st_thread_t sender = start(send_all, &channel);
    for (int i = 0; i < OPERATIONS; i++) {
        while (channel.sent == channel.received)
            st_cond_wait(channel.filled);
        message = channel.ring[channel.received++ % channel.capacity];
        st_cond_signal(channel.emptied);
    }
    (void)message;
    st_thread_join(sender, NULL);
    double result = (now_ns() - from) / OPERATIONS;
    st_cond_destroy(channel.filled);
    st_cond_destroy(channel.emptied);
    return result;
}

/* One place stands for none: its sender goes on as soon as the message lies there, which is less than a rendezvous. */
static double channel_direct(void)
{
    return through(1);
}

static double channel_buffered(void)
{
    return through(BUFFERED);
}

static const struct row rows[] = {
    {"yield-2", yield_two},
    {"switch-100", switch_100},
    {"switch-1000", switch_1000},
    {"spawn-1", spawn_one},
    {"spawn-64", spawn_batch},
    {"channel-0", channel_direct},
    {"channel-128", channel_buffered},
    {"switch-100000", switch_100000},
};

int main(int argc, char **argv)
{
    st_set_eventsys(ST_EVENTSYS_ALT);
    if (st_init() < 0)
        err(1, "st_init");
    st_randomize_stacks(1);
    return measure_rows(argc, argv, rows, sizeof rows / sizeof rows[0]);
}
