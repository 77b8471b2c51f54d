/* What a NIC does with a packet that was left to it, done in software. */
#ifndef TEST_NIC_H
#define TEST_NIC_H

#include <rte_mbuf.h>

enum { NIC_SEGMENTS_MAX = 64 };

/* Of what reads frames by DPDK's structures: payloads begin at any byte, and the headers in front of them so too. */
#define NIC_ANY_BYTE __attribute__((no_sanitize("alignment")))

struct nic {
    struct rte_mempool *pool, *references;
    unsigned cut; /* frames, so far */
};

void nic_open(struct nic *nic);
/* Aborts if a packet is missing. */
void nic_close(struct nic *nic);

/* Cuts a frame (DPDK's librte_gso), and computes the checksums, as its flags ask for: those of one that is to be sent,
 * or of one that was received so from somebody who left it to us. Takes it. Returns how many segments it became. */
unsigned nic_finish(struct nic *nic, struct rte_mbuf *m, struct rte_mbuf *segments[NIC_SEGMENTS_MAX]);

#endif
