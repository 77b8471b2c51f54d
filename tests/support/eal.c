#include "eal.h"
#include <criterion/criterion.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_string_fns.h>
#include <string.h>
#include <unistd.h>

void test_eal_init(void)
{
    static bool done;
    char line[256];
    char *arguments[24];
    int count;

    if (done)
        return;
    done = true;
    /* The prefix tells tests apart that run at the same time. */
    snprintf(line, sizeof(line),
             "test --no-huge --no-shconf --no-pci --no-telemetry -m 128 -l 0 --log-level error "
             "--file-prefix weir-test-%" PRIdMAX,
             (intmax_t)getpid());
    count = rte_strsplit(line, sizeof(line), arguments, (int)RTE_DIM(arguments), ' ');
    cr_assert_geq(rte_eal_init(count, arguments), 0, "rte_eal_init: %s", rte_strerror(rte_errno));
    /* Nothing is ever in it with --no-shconf; left alone it would stay behind. */
    (void)rmdir(rte_eal_get_runtime_dir());
    cr_assert_eq(weir_packet_register(), 0);
}

struct rte_mempool *test_pool(unsigned count)
{
    static unsigned made;
    char name[32];
    struct rte_mempool *pool;

    snprintf(name, sizeof(name), "test-pool-%u", made++);
    pool = weir_packet_pool(name, count, 0, 0);
    cr_assert_not_null(pool, "pool of %u: %s", count, rte_strerror(rte_errno));
    return pool;
}

void test_pool_is_full(struct rte_mempool *pool)
{
    cr_assert_eq(rte_mempool_in_use_count(pool), 0, "%u packets are not back", rte_mempool_in_use_count(pool));
    rte_mempool_free(pool);
}

struct rte_mbuf *test_packet(struct rte_mempool *pool, const void *bytes, uint16_t length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    cr_assert_not_null(m, "the pool is empty");
    memcpy(rte_pktmbuf_append(m, length), bytes, length);
    return m;
}
