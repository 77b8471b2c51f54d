/* The EAL for tests: no hugepages, no files, no devices but those that a test names. */
#ifndef TEST_EAL_H
#define TEST_EAL_H

#include <weir/net/address.h>
#include <weir/net/dev.h>

/* Brings the EAL up, once in this process, with 128 MiB, and registers Weir's packet fields. For a suite's `.init`. */
void test_eal_init(void);

/* Makes a pool of `count` packets with room for 2048 bytes each. Fails the test when it cannot. */
struct rte_mempool *test_pool(unsigned count);

/* Fails the test unless every packet is back. Frees the pool. */
void test_pool_is_full(struct rte_mempool *pool);

/* A struct weir_address in place, of an IPv4 address in host order. */
#define TEST_ADDRESS(v4) ((const struct weir_address[]){weir_address_v4(v4)})

/* Makes a packet that holds these bytes. Fails the test when the pool is empty. */
struct rte_mbuf *test_packet(struct rte_mempool *pool, const void *bytes, uint16_t length);

#endif
