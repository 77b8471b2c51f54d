/* Packets of many segments, which the device cuts: what is on the wire is the same, to the byte. */
#include "bulk.h"

TestSuite(tcp_large, .init = test_eal_init, .timeout = 60);

#define TSO (WEIR_DEV_TX_TSO | WEIR_DEV_TX_TCP_CKSUM | WEIR_DEV_TX_MULTI_SEGS)

static struct wire plain, other;

static void compare(const struct bulk *bulk)
{
    static const uint32_t capabilities[] = {WEIR_DEV_TX_MULTI_SEGS, WEIR_DEV_TX_TCP_CKSUM | WEIR_DEV_TX_IPV4_CKSUM, TSO,
                                            TSO | WEIR_DEV_TX_IPV4_CKSUM};

    wire_init(&plain);
    bulk_talk(&plain, bulk);
    for (size_t i = 0; i < RTE_DIM(capabilities); i++) {
        wire_init(&other);
        other.finish = true;
        other.capabilities = capabilities[i];
        bulk_talk(&other, bulk);
        bulk_compare(&plain, &other);
        cr_assert_eq(other.nic.cut > 20, other.capabilities & WEIR_DEV_TX_TSO ? 1 : 0, "%u were cut", other.nic.cut);
        wire_close_quietly(&other);
    }
    wire_close_quietly(&plain);
}

Test(tcp_large, segments_on_the_wire_are_the_same)
{
    compare(&(struct bulk){.peer_mss = 1460, .sack = true});
    compare(&(struct bulk){.peer_mss = 1460});
    compare(&(struct bulk){.peer_mss = 536, .sack = true});
}

Test(tcp_large, segments_are_the_same_with_nagle)
{
    compare(&(struct bulk){.peer_mss = 1460, .sack = true, .nagle = true});
}

Test(tcp_large, segments_are_the_same_with_marks_of_congestion)
{
    compare(&(struct bulk){.peer_mss = 1460, .sack = true, .ecn = WEIR_TCP_ECN_REQUEST});
}
