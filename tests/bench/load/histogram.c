#include "histogram.h"

#include <stddef.h>

/* The middle of what a bucket holds; the inverse of histogram_add. */
static uint32_t bucket_value(size_t index)
{
    size_t shift = index < 2 * HISTOGRAM_LINEAR ? 0 : index / HISTOGRAM_LINEAR - 1;
    uint64_t low = (uint64_t)(index - shift * HISTOGRAM_LINEAR) << shift;

    return (uint32_t)(low + ((1u << shift) >> 1));
}

uint32_t histogram_percentile(const struct histogram *histogram, double fraction)
{
    uint64_t wanted = (uint64_t)(fraction * (double)histogram->count), seen = 0;

    for (size_t i = 0; i < sizeof(histogram->buckets) / sizeof(histogram->buckets[0]); i++) {
        seen += histogram->buckets[i];
        if (seen > wanted)
            return bucket_value(i);
    }
    return histogram->max;
}
