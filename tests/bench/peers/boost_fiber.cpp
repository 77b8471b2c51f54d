/* Boost.Fiber: fibers under its round robin, on pooled stacks as large as ours. A fiber that is launched by `dispatch`
 * runs at once, by `post` when its launcher waits, as ours do; `dispatch` is the faster for one, and `post` for many.
 */
#include "../rows.h"
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/fiber/all.hpp>
#include <vector>

namespace fibers = boost::fibers;
using fibers::fiber;
using fibers::launch;

static boost::context::pooled_fixedsize_stack stacks(64 * 1024, 32, 1024);

static void yield()
{
    for (int i = 0; i < OPERATIONS; i++)
        boost::this_fiber::yield();
}

static double yield_two()
{
    double from = now_ns();
    fiber one(launch::post, std::allocator_arg, stacks, yield), other(launch::post, std::allocator_arg, stacks, yield);
    one.join();
    other.join();
    return (now_ns() - from) / OPERATIONS;
}

static double switch_among(int tasks)
{
    std::vector<fiber> crowd;
    bool stop = false;
    int turns = turns_of(tasks);

    for (int i = 1; i < tasks; i++)
        crowd.emplace_back(launch::post, std::allocator_arg, stacks, [&stop] {
            for (volatile unsigned turn = 0; !stop; turn++)
                boost::this_fiber::yield();
        });
    boost::this_fiber::yield();
    double from = now_ns();
    for (int i = 0; i < turns; i++)
        boost::this_fiber::yield();
    double result = (now_ns() - from) / turns / tasks;
    stop = true;
    for (fiber &one : crowd)
        one.join();
    return result;
}

static double switch_100()
{
    return switch_among(100);
}

static double switch_1000()
{
    return switch_among(1000);
}

static double switch_100000()
{
    return switch_among(100000);
}

static void nothing()
{
}

static double spawn_one()
{
    double from = now_ns();
    for (int i = 0; i < OPERATIONS; i++)
        fiber(launch::dispatch, std::allocator_arg, stacks, nothing).join();
    return (now_ns() - from) / OPERATIONS;
}

static double spawn_batch()
{
    static fiber batch[BATCH];
    double from = now_ns();
    for (int i = 0; i < OPERATIONS / BATCH; i++) {
        for (fiber &one : batch)
            one = fiber(launch::post, std::allocator_arg, stacks, nothing);
        for (fiber &one : batch)
            one.join();
    }
    return (now_ns() - from) / (OPERATIONS / BATCH * BATCH);
}

template <typename Channel> static double through(Channel &channel)
{
    double from = now_ns();
    fiber sender(launch::post, std::allocator_arg, stacks, [&channel] {
        for (unsigned long i = 0; i < OPERATIONS; i++)
            channel.push(i);
    });
    unsigned long message;
    for (int i = 0; i < OPERATIONS; i++)
        channel.pop(message);
    double result = (now_ns() - from) / OPERATIONS;
    sender.join();
    return result;
}

static double channel_direct()
{
    fibers::unbuffered_channel<unsigned long> channel;
    return through(channel);
}

static double channel_buffered()
{
    fibers::buffered_channel<unsigned long> channel(BUFFERED);
    return through(channel);
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
    return measure_rows(argc, argv, rows, sizeof rows / sizeof rows[0]);
}
