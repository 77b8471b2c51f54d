/* What the programs of this folder start with. */
#ifndef SIM_BEGIN_H
#define SIM_BEGIN_H

#include <rte_mempool.h>

/* Brings up the EAL, without files, devices or privilege, and makes the pool that all worlds share. Exits if it cannot.
 */
struct rte_mempool *sim_begin(void);
void sim_end(struct rte_mempool *pool);

#endif
