/* The fault device: each fault does what it says, and all of it replays from the seed. */
#include "eal.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(dev_fault, .init = test_eal_init);

enum { PACKETS = 1000, BURST = 32 };

static struct rte_mempool *pool;
static struct weir_virtual_clock wall;
static struct weir_dev *near, *far; /* near has the faults */

static void open_line(const struct weir_fault *rx, const struct weir_fault *tx, unsigned held_max, uint64_t seed)
{
    static const struct weir_fault none;
    struct weir_dev *ends[2];

    pool = test_pool(8191);
    weir_virtual_clock_init(&wall, WEIR_SECONDS(1), false);
    cr_assert_eq(weir_dev_open_pair(ends, pool, 2 * PACKETS), 0);
    cr_assert_eq(weir_dev_open_fault(&near, ends[0], &wall.clock, rx != NULL ? rx : &none, tx != NULL ? tx : &none,
                                     held_max, seed),
                 0);
    far = ends[1];
}

static void close_line(void)
{
    weir_dev_close(near);
    weir_dev_close(far);
    test_pool_is_full(pool);
}

static void send_number(struct weir_dev *dev, uint32_t number)
{
    uint32_t bytes[16] = {number};
    struct rte_mbuf *m = test_packet(pool, bytes, sizeof(bytes));

    cr_assert_eq(weir_dev_tx_burst(dev, &m, 1), 1);
}

static unsigned receive_numbers(struct weir_dev *dev, uint32_t *numbers, unsigned max)
{
    struct rte_mbuf *got[BURST];
    unsigned count = 0;
    uint16_t n;

    do {
        n = weir_dev_rx_burst(dev, got, BURST);
        for (uint16_t i = 0; i < n; i++, count++) {
            cr_assert_lt(count, max);
            numbers[count] = *rte_pktmbuf_mtod(got[i], uint32_t *);
            rte_pktmbuf_free(got[i]);
        }
    } while (n > 0);
    return count;
}

/* A turn of a loop at the near end, which moves what it holds along. */
static void turn(void)
{
    struct rte_mbuf *got[BURST];

    cr_assert_eq(weir_dev_rx_burst(near, got, BURST), 0);
}

static void advance(weir_time by)
{
    weir_virtual_clock_advance(&wall, by);
    turn();
}

/* Sends PACKETS, `gap` apart, and writes down what comes out: number and time, in order. Returns how many. */
struct record {
    uint32_t number[3 * PACKETS];
    weir_time time[3 * PACKETS];
};

static unsigned run(struct record *record, const struct weir_fault *fault, weir_time gap, uint64_t seed)
{
    unsigned count = 0, before;

    open_line(NULL, fault, 0, seed);
    for (uint32_t i = 0; i < PACKETS + 100; i++) {
        if (i < PACKETS)
            send_number(near, i);
        advance(i < PACKETS ? gap : WEIR_MILLISECONDS(10));
        for (before = count, count += receive_numbers(far, record->number + count, 3 * PACKETS - count); before < count;
             before++)
            record->time[before] = wall.time;
    }
    close_line();
    return count;
}

static struct record first, second;

Test(dev_fault, no_fault_passes_everything_at_once_and_in_order)
{
    unsigned count = run(&first, &(struct weir_fault){0}, WEIR_MICROSECONDS(1), 1);

    cr_assert_eq(count, PACKETS);
    for (uint32_t i = 0; i < PACKETS; i++) {
        cr_assert_eq(first.number[i], i);
        cr_assert_eq(first.time[i], WEIR_SECONDS(1) + (i + 1) * WEIR_MICROSECONDS(1));
    }
}

Test(dev_fault, all_faults_together_replay_exactly_from_the_seed)
{
    struct weir_fault all = {.loss = 0.1,
                             .duplicate = 0.1,
                             .reorder = 0.1,
                             .delay = WEIR_MICROSECONDS(50),
                             .jitter = WEIR_MICROSECONDS(30),
                             .bits_per_second = 1000000000};
    unsigned count = run(&first, &all, WEIR_MICROSECONDS(1), 42);

    cr_assert_gt(count, PACKETS / 2);
    cr_assert_eq(run(&second, &all, WEIR_MICROSECONDS(1), 42), count);
    cr_assert_arr_eq(first.number, second.number, count * sizeof(first.number[0]));
    cr_assert_arr_eq(first.time, second.time, count * sizeof(first.time[0]));
    cr_assert(run(&second, &all, WEIR_MICROSECONDS(1), 43) != count ||
              memcmp(first.number, second.number, count * sizeof(first.number[0])) != 0);
}

Test(dev_fault, which_packets_are_lost_depends_on_nothing_but_the_seed)
{
    struct weir_fault loss = {.loss = 0.1}, more = {.loss = 0.1, .corrupt = 0, .delay = 77, .jitter = 1000};
    unsigned count = run(&first, &loss, WEIR_MICROSECONDS(1), 7);

    cr_assert(count > PACKETS * 85 / 100 && count < PACKETS * 95 / 100, "%u of %d came through", count, PACKETS);
    cr_assert_eq(run(&second, &loss, WEIR_MILLISECONDS(3), 7), count, "time changed the draws");
    cr_assert_arr_eq(first.number, second.number, count * sizeof(first.number[0]));
    cr_assert_eq(run(&second, &more, WEIR_MICROSECONDS(1), 7), count, "another fault changed the draws");
    cr_assert_arr_eq(first.number, second.number, count * sizeof(first.number[0]));
}

Test(dev_fault, both_directions_have_faults_of_their_own)
{
    struct weir_fault all_lost = {.loss = 1.0};
    struct weir_fault_stats rx, tx;
    uint32_t numbers[BURST];

    open_line(&all_lost, NULL, 0, 1);
    send_number(near, 5);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 1);
    send_number(far, 6);
    cr_assert_eq(receive_numbers(near, numbers, BURST), 0);
    weir_dev_fault_stats(near, &rx, &tx);
    cr_assert_eq(rx.lost, 1);
    cr_assert_eq(rx.passed, 0);
    cr_assert_eq(tx.lost, 0);
    cr_assert_eq(tx.passed, 1);
    weir_dev_fault_set(near, &(struct weir_fault){0}, &all_lost);
    send_number(far, 7);
    cr_assert_eq(receive_numbers(near, numbers, BURST), 1);
    send_number(near, 8);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 0);
    close_line();
}

Test(dev_fault, the_two_directions_draw_apart)
{
    struct weir_fault half = {.loss = 0.5};
    uint32_t out[PACKETS], in[PACKETS];
    unsigned outs = 0, ins = 0;

    open_line(&half, &half, 0, 3);
    for (uint32_t i = 0; i < 200; i++) {
        send_number(near, i);
        outs += receive_numbers(far, out + outs, PACKETS - outs);
        send_number(far, i);
        ins += receive_numbers(near, in + ins, PACKETS - ins);
    }
    cr_assert(outs != ins || memcmp(out, in, outs * sizeof(out[0])) != 0);
    close_line();
}

Test(dev_fault, a_corrupted_packet_is_a_private_copy_with_one_bit_flipped)
{
    struct weir_fault corrupt = {.corrupt = 1.0};
    uint8_t bytes[64] = {0};
    struct weir_fault_stats rx, tx;
    struct rte_mbuf *m, *got;
    unsigned flipped = 0;

    open_line(NULL, &corrupt, 0, 11);
    m = test_packet(pool, bytes, sizeof(bytes));
    rte_mbuf_refcnt_update(m, 1); /* as TCP holds what is not acknowledged */
    cr_assert_eq(weir_dev_tx_burst(near, &m, 1), 1);
    cr_assert_arr_eq(rte_pktmbuf_mtod(m, uint8_t *), bytes, sizeof(bytes));
    cr_assert_eq(weir_dev_rx_burst(far, &got, 1), 1);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        flipped += (unsigned)__builtin_popcount(rte_pktmbuf_mtod(got, uint8_t *)[i]);
    cr_assert_eq(flipped, 1);
    weir_dev_fault_stats(near, &rx, &tx);
    cr_assert_eq(tx.corrupted, 1);
    rte_pktmbuf_free(got);
    rte_pktmbuf_free(m);
    close_line();
}

Test(dev_fault, corruption_reaches_every_byte_of_a_chain)
{
    struct weir_fault corrupt = {.corrupt = 1.0};
    bool touched[2] = {false, false};
    struct rte_mbuf *m, *got;

    open_line(&corrupt, NULL, 0, 5);
    for (int i = 0; i < 100; i++) {
        m = test_packet(pool, "\0\0", 2);
        cr_assert_eq(weir_dev_tx_burst(far, &m, 1), 1);
        cr_assert_eq(weir_dev_rx_burst(near, &got, 1), 1);
        for (int byte = 0; byte < 2; byte++)
            touched[byte] |= rte_pktmbuf_mtod(got, char *)[byte] != 0;
        rte_pktmbuf_free(got);
    }
    cr_assert(touched[0] && touched[1]);
    close_line();
}

Test(dev_fault, no_checksum_is_left_to_a_device_beyond_the_faults)
{
    struct weir_fault none = {0};
    struct rte_mbuf *m, *got;
    struct weir_dev *ends[2];

    pool = test_pool(63);
    cr_assert_eq(weir_dev_open_pair(ends, pool, 8), 0);
    far = ends[1];
    ends[0]->capabilities |= WEIR_DEV_TX_TCP_CKSUM | WEIR_DEV_RX_CKSUM; /* as if it were a NIC */
    weir_virtual_clock_init(&wall, 0, false);
    cr_assert_eq(weir_dev_open_fault(&near, ends[0], &wall.clock, &none, &none, 0, 1), 0);
    cr_assert_eq(near->capabilities, WEIR_DEV_TX_MULTI_SEGS);
    m = test_packet(pool, "x", 1);
    cr_assert_eq(weir_dev_tx_burst(far, &m, 1), 1);
    m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD; /* it is on the wire; the NIC says so */
    cr_assert_eq(weir_dev_rx_burst(near, &got, 1), 1);
    cr_assert_eq(got->ol_flags, 0);
    rte_pktmbuf_free(got);
    close_line();
}

Test(dev_fault, a_delayed_packet_is_held_for_exactly_that_long)
{
    struct weir_fault delay = {.delay = WEIR_MILLISECONDS(20)};
    uint32_t numbers[BURST];

    open_line(NULL, &delay, 0, 1);
    cr_assert_eq(near->ops->next_deadline(near), WEIR_NEVER);
    send_number(near, 1);
    cr_assert_eq(near->ops->next_deadline(near), wall.time + WEIR_MILLISECONDS(20));
    advance(WEIR_MILLISECONDS(20) - 1);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 0);
    advance(1);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 1);
    cr_assert_eq(near->ops->next_deadline(near), WEIR_NEVER);
    close_line();
}

Test(dev_fault, received_packets_are_delayed_too)
{
    struct weir_fault delay = {.delay = 500};
    uint32_t numbers[BURST];

    open_line(&delay, NULL, 0, 1);
    send_number(far, 1);
    cr_assert_eq(receive_numbers(near, numbers, BURST), 0);
    weir_virtual_clock_advance(&wall, 500);
    cr_assert_eq(receive_numbers(near, numbers, BURST), 1);
    close_line();
}

Test(dev_fault, jitter_alone_keeps_the_order)
{
    unsigned count = run(&first, &(struct weir_fault){.jitter = WEIR_MICROSECONDS(10)}, WEIR_MICROSECONDS(1), 9);
    unsigned together = 0, apart = 0;

    cr_assert_eq(count, PACKETS);
    for (uint32_t i = 1; i < PACKETS; i++) {
        cr_assert_eq(first.number[i], i);
        if (first.time[i] == first.time[i - 1])
            together++; /* one that would overtake waits for the one before */
        else
            apart++;
    }
    cr_assert(together > PACKETS / 10 && apart > PACKETS / 10, "%u with the one before, %u after it", together, apart);
}

Test(dev_fault, a_reordered_packet_lets_three_pass)
{
    struct weir_fault reorder = {.reorder = 1.0};
    uint32_t numbers[BURST];

    open_line(NULL, &reorder, 0, 1);
    send_number(near, 0);
    weir_dev_fault_set(near, NULL, &(struct weir_fault){0});
    for (uint32_t i = 1; i <= 4; i++)
        send_number(near, i);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 5);
    cr_assert_arr_eq(numbers, ((uint32_t[]){1, 2, 3, 0, 4}), 5 * sizeof(numbers[0]));
    close_line();
}

Test(dev_fault, a_reordered_packet_with_none_after_it_comes_after_10_ms)
{
    struct weir_fault reorder = {.reorder = 1.0};
    struct weir_fault_stats rx, tx;
    uint32_t numbers[BURST];

    open_line(NULL, &reorder, 0, 1);
    send_number(near, 0);
    cr_assert_eq(near->ops->next_deadline(near), wall.time + WEIR_MILLISECONDS(10));
    advance(WEIR_MILLISECONDS(10) - 1);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 0);
    advance(1);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 1);
    weir_dev_fault_stats(near, &rx, &tx);
    cr_assert_eq(tx.reordered, 1);
    close_line();
}

Test(dev_fault, a_duplicate_is_a_packet_of_its_own)
{
    struct weir_fault duplicate = {.duplicate = 1.0};
    struct rte_mbuf *m, *got[2];

    open_line(NULL, &duplicate, 0, 1);
    m = test_packet(pool, "twice", 5);
    cr_assert_eq(weir_dev_tx_burst(near, &m, 1), 1);
    cr_assert_eq(weir_dev_rx_burst(far, got, 2), 2);
    cr_assert_neq(got[0], got[1]);
    for (int i = 0; i < 2; i++) {
        cr_assert_arr_eq(rte_pktmbuf_mtod(got[i], char *), "twice", 5);
        rte_pktmbuf_free(got[i]);
    }
    close_line();
}

Test(dev_fault, a_bottleneck_spaces_packets_and_drops_the_tail_of_its_queue)
{
    /* 64 bytes at 512 kbit/s: one packet a millisecond. */
    struct weir_fault bottleneck = {.bits_per_second = 512000, .queue = 4};
    struct weir_fault_stats rx, tx;
    uint32_t numbers[BURST];

    open_line(NULL, &bottleneck, 0, 1);
    for (uint32_t i = 0; i < 6; i++)
        send_number(near, i);
    weir_dev_fault_stats(near, &rx, &tx);
    cr_assert_eq(tx.queue_dropped, 2);
    for (uint32_t i = 0; i < 4; i++) {
        advance(WEIR_MILLISECONDS(1) - 1);
        cr_assert_eq(receive_numbers(far, numbers, BURST), 0);
        advance(1);
        cr_assert_eq(receive_numbers(far, numbers, BURST), 1);
        cr_assert_eq(numbers[0], i);
    }
    send_number(near, 9);
    advance(WEIR_MILLISECONDS(1));
    cr_assert_eq(receive_numbers(far, numbers, BURST), 1);
    close_line();
}

Test(dev_fault, nothing_passes_in_a_blackout)
{
    struct weir_fault blackout = {.blackout_from = WEIR_SECONDS(2), .blackout_until = WEIR_SECONDS(3)};
    uint32_t numbers[BURST];

    open_line(NULL, &blackout, 0, 1);
    send_number(near, 0);
    advance(WEIR_SECONDS(1));
    send_number(near, 1);
    advance(WEIR_SECONDS(1) - 1);
    send_number(near, 2);
    advance(1);
    send_number(near, 3);
    cr_assert_eq(receive_numbers(far, numbers, BURST), 2);
    cr_assert_arr_eq(numbers, ((uint32_t[]){0, 3}), 2 * sizeof(numbers[0]));
    close_line();
}

Test(dev_fault, held_packets_are_bounded)
{
    struct weir_fault delay = {.delay = WEIR_SECONDS(1)};
    struct weir_fault_stats rx, tx;

    open_line(NULL, &delay, 10, 1);
    for (uint32_t i = 0; i < 25; i++)
        send_number(near, i);
    weir_dev_fault_stats(near, &rx, &tx);
    cr_assert_eq(tx.queue_dropped, 15);
    cr_assert_eq(rte_mempool_in_use_count(pool), 10);
    close_line(); /* with ten still held */
}

Test(dev_fault, what_the_inner_device_refuses_is_offered_again_in_order)
{
    struct weir_dev *ends[2];
    struct weir_fault none = {0};
    uint32_t numbers[64];
    unsigned count = 0;

    pool = test_pool(255);
    weir_virtual_clock_init(&wall, 0, false);
    cr_assert_eq(weir_dev_open_pair(ends, pool, 3), 0);
    cr_assert_eq(weir_dev_open_fault(&near, ends[0], &wall.clock, &none, &none, 0, 1), 0);
    far = ends[1];
    for (uint32_t i = 0; i < 50; i++)
        send_number(near, i);
    cr_assert_leq(near->ops->next_deadline(near), wall.time, "it wants another turn");
    for (int i = 0; i < 20; i++) {
        turn();
        count += receive_numbers(far, numbers + count, 64 - count);
    }
    cr_assert_eq(count, 50);
    for (uint32_t i = 0; i < 50; i++)
        cr_assert_eq(numbers[i], i);
    close_line();
}
