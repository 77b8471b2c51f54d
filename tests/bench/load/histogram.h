/* Latencies, counted in log-linear buckets: 32 to each power of two, so a percentile is at most 3 % off. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_LINEAR_BITS 5
#define HISTOGRAM_LINEAR (1u << HISTOGRAM_LINEAR_BITS)

struct histogram {
    uint64_t count;
    uint32_t max;
    uint32_t buckets[(33 - HISTOGRAM_LINEAR_BITS) * HISTOGRAM_LINEAR];
};

static inline void histogram_add(struct histogram *histogram, uint32_t value)
{
    unsigned shift = value < HISTOGRAM_LINEAR ? 0 : 31 - HISTOGRAM_LINEAR_BITS - (unsigned)__builtin_clz(value);

    /* From HISTOGRAM_LINEAR on, the leading bit is always set in value >> shift: it selects the bucket's upper half. */
    histogram->buckets[shift * HISTOGRAM_LINEAR + (value >> shift)]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

/* Returns the value below or at which `fraction` (0 to 1) of all values lie; 0 when there are none. */
uint32_t histogram_percentile(const struct histogram *histogram, double fraction);

#endif
