/* Boost.Context: fibers switched by hand, on pooled stacks as large as ours. It has no scheduler, so this brings the
 * least that takes turns: a ring. It has no channels. */
#include "../rows.h"
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <vector>

using boost::context::fiber;

static boost::context::pooled_fixedsize_stack stacks(64 * 1024, 32, 1024);

/* A coroutine and whoever resumes it, back and forth: for two no ring is needed. */
static double yield_two()
{
    fiber other(std::allocator_arg, stacks, [](fiber &&back) {
        for (;;)
            back = std::move(back).resume();
        return std::move(back);
    });
    double from = now_ns();
    for (int i = 0; i < OPERATIONS; i++)
        other = std::move(other).resume();
    return (now_ns() - from) / OPERATIONS; /* its destructor ends it */
}

/* One place less than there are fibers. Who yields resumes the one at the front, and so leaves a free place; that one
 * had, when it yielded, taken its successor from this same place, and puts there whoever resumed it. */
struct ring {
    std::vector<fiber> places;
    size_t front = 0;

    fiber &next()
    {
        fiber &place = places[front];
        front = front + 1 == places.size() ? 0 : front + 1;
        return place;
    }
    void yield()
    {
        fiber &place = next();
        place = std::move(place).resume();
    }
};

static double switch_among(int tasks)
{
    ring ready;
    int turns = turns_of(tasks);

    for (int i = 1; i < tasks; i++)
        ready.places.emplace_back(std::allocator_arg, stacks, [&ready](fiber &&from) {
            ready.places[(ready.front == 0 ? ready.places.size() : ready.front) - 1] = std::move(from);
            volatile unsigned turn = 0;
            for (;; turn++)
                ready.yield();
            return fiber();
        });
    ready.yield(); /* all have begun */
    double from = now_ns();
    for (int i = 0; i < turns; i++)
        ready.yield();
    return (now_ns() - from) / turns / tasks;
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

static fiber nothing(fiber &&back)
{
    return std::move(back);
}

static double spawn_one()
{
    double from = now_ns();
    for (int i = 0; i < OPERATIONS; i++)
        fiber(std::allocator_arg, stacks, nothing).resume();
    return (now_ns() - from) / OPERATIONS;
}

static double spawn_batch()
{
    static fiber batch[BATCH];
    double from = now_ns();
    for (int i = 0; i < OPERATIONS / BATCH; i++) {
        for (fiber &one : batch)
            one = fiber(std::allocator_arg, stacks, nothing);
        for (fiber &one : batch)
            std::move(one).resume();
    }
    return (now_ns() - from) / (OPERATIONS / BATCH * BATCH);
}

static const struct row rows[] = {
    {"yield-2", yield_two}, {"switch-100", switch_100}, {"switch-1000", switch_1000},
    {"spawn-1", spawn_one}, {"spawn-64", spawn_batch},  {"switch-100000", switch_100000},
};

int main(int argc, char **argv)
{
    return measure_rows(argc, argv, rows, sizeof rows / sizeof rows[0]);
}
