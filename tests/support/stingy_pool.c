#include "stingy_pool.h"
#include <criterion/criterion.h>
#include <rte_mempool.h>
#include <string.h>

static struct {
    struct rte_mempool_ops ops; /* the usual ones, but for dequeue and get_count */
    rte_mempool_dequeue_t dequeue;
    rte_mempool_get_count count;
    unsigned asked, refused;
    bool for_good, counting;
} stingy;

/* One that refuses for good says that it is empty. */
static unsigned none_or_count(const struct rte_mempool *pool)
{
    bool dry = stingy.refused != 0 && stingy.for_good && stingy.asked >= stingy.refused;
    return dry ? 0 : stingy.count(pool);
}

static int refuse_or_dequeue(struct rte_mempool *pool, void **objects, unsigned n)
{
    if (stingy.counting)
        stingy.asked++;
    if (stingy.refused != 0 && (stingy.asked == stingy.refused || (stingy.for_good && stingy.asked > stingy.refused)))
        return -ENOBUFS;
    return stingy.dequeue(pool, objects, n);
}

const char *stingy_pool_ops(void)
{
    if (stingy.dequeue != NULL)
        return stingy.ops.name;
    for (unsigned i = 0; i < rte_mempool_ops_table.num_ops; i++)
        if (strcmp(rte_mempool_ops_table.ops[i].name, "ring_mp_mc") == 0)
            stingy.ops = rte_mempool_ops_table.ops[i];
    cr_assert_not_null(stingy.ops.dequeue);
    stingy.dequeue = stingy.ops.dequeue;
    stingy.ops.dequeue = refuse_or_dequeue;
    stingy.count = stingy.ops.get_count;
    stingy.ops.get_count = none_or_count;
    strcpy(stingy.ops.name, "stingy");
    cr_assert_geq(rte_mempool_register_ops(&stingy.ops), 0);
    return stingy.ops.name;
}

void stingy_pool_refuse(unsigned nth, bool for_good)
{
    stingy.refused = nth;
    stingy.for_good = for_good;
    stingy.asked = 0;
    stingy.counting = true;
}

unsigned stingy_pool_asked(void)
{
    return stingy.asked;
}
