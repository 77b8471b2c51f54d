/* Pools that refuse the Nth allocation, and only that one, or all from there on: for tests of what happens then. */
#ifndef TEST_STINGY_POOL_H
#define TEST_STINGY_POOL_H

#include <stdbool.h>

/* The name of the mempool ops, for rte_pktmbuf_pool_create_by_ops. Registers them at the first call. Call it after the
 * EAL is up. */
const char *stingy_pool_ops(void);

/* From now on: the nth allocation (counted from 1) of all such pools fails; with `for_good` all that follow do, too.
 * 0: none fails. */
void stingy_pool_refuse(unsigned nth, bool for_good);

/* How many allocations were asked for since then. */
unsigned stingy_pool_asked(void);

#endif
