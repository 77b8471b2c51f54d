/* What core asks libc and the kernel for fails when told to, and is counted: for a program linked with failing.c and
 * `-Wl,--wrap` for each (tests/unit/meson.build). Any thread may ask. */
#ifndef TEST_SUPPORT_FAILING_H
#define TEST_SUPPORT_FAILING_H

#include <stdatomic.h>
#include <stdbool.h>

struct failing {
    atomic_long asked;  /* how often */
    atomic_long failed; /* of these */
    atomic_long live;   /* allocations not yet freed, mappings not yet unmapped */
    long first, last;   /* which calls fail, counted from 1; 0: none */
};
extern struct failing failing;

/* From now on the calls number `first` to `last` fail. What is live stays counted. */
void failing_set(long first, long last);

/* Whether a code is one that such a failure leads to. */
bool failing_is_clean(int code);

#endif
