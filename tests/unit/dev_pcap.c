/* Captures: of any device, in any clock's time, as pcapng. */
#include "kept_stderr.h"
#include "packet.h"
#include <criterion/criterion.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH = 8, POOL = 1023, IN = 1, OUT = 2, BLOCKS_MAX = 512 };

static char path[64];
static struct rte_mempool *pool;
static struct weir_dev *dev, *peer;
static struct weir_virtual_clock clock_;

static void set_up(void)
{
    int fd;

    test_eal_init();
    snprintf(path, sizeof(path), "/tmp/weir-pcap-XXXXXX");
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    weir_virtual_clock_init(&clock_, WEIR_SECONDS(1000), false);
}

static void tear_down(void)
{
    unlink(path);
}

TestSuite(dev_pcap, .init = set_up, .fini = tear_down);

/* One end of a pair, captured. */
static void open_pair(unsigned depth)
{
    struct weir_dev *ends[2];

    pool = test_pool(POOL);
    cr_assert_eq(weir_dev_open_pair(ends, pool, depth), 0);
    peer = ends[1];
    cr_assert_eq(weir_dev_open_pcap(&dev, ends[0], &clock_.clock, path), 0);
}

static void close_pair(void)
{
    weir_dev_close(dev);
    weir_dev_close(peer);
    test_pool_is_full(pool);
}

static struct rte_mbuf *receive_one(struct weir_dev *from)
{
    struct rte_mbuf *m;

    cr_assert_eq(weir_dev_rx_burst(from, &m, 1), 1);
    return m;
}

static void send_one(struct weir_dev *to, const char *text)
{
    struct rte_mbuf *m = test_packet(pool, text, (uint16_t)strlen(text));

    cr_assert_eq(weir_dev_tx_burst(to, &m, 1), 1);
}

/* ---- the file, read as section 4.3 of the draft has it: type, length, 20 bytes of header, data, options ---- */

static struct block {
    uint64_t time;
    uint32_t length, kept, direction;
    const uint8_t *data;
} blocks[BLOCKS_MAX];

static uint32_t word(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static struct block read_block(const uint8_t *at)
{
    struct block block = {.time = (uint64_t)word(at + 12) << 32 | word(at + 16),
                          .kept = word(at + 20),
                          .length = word(at + 24),
                          .data = at + 28};
    const uint8_t *option = block.data + RTE_ALIGN(block.kept, 4);

    cr_assert_eq(word(at + 8), 0, "of an interface that is not there");
    cr_assert_eq(word(option), 4 << 16 | 2, "epb_flags comes first");
    block.direction = word(option + 4);
    return block;
}

/* Fills `blocks`; returns how many packets there are. */
static unsigned read_file(void)
{
    static uint8_t file[1 << 20];
    FILE *in = fopen(path, "rb");
    unsigned count = 0;
    size_t size, at;

    cr_assert_not_null(in);
    size = fread(file, 1, sizeof(file), in);
    fclose(in);
    cr_assert(size > 28 && word(file) == 0x0a0d0d0a && word(file + 8) == 0x1a2b3c4d, "no section in front");
    for (at = 0; at + 12 <= size; at += word(file + at + 4)) {
        cr_assert(word(file + at + 4) >= 12 && word(file + at + 4) % 4 == 0);
        cr_assert_eq(word(file + at + word(file + at + 4) - 4), word(file + at + 4), "the lengths differ");
        cr_assert_lt(count, BLOCKS_MAX);
        if (word(file + at) == 6)
            blocks[count++] = read_block(file + at);
    }
    cr_assert_eq(at, size, "the last block is cut short");
    return count;
}

static void expect_block(unsigned i, uint32_t direction, const char *text)
{
    cr_assert_eq(blocks[i].direction, direction, "packet %u", i);
    cr_assert_eq(blocks[i].kept, strlen(text));
    cr_assert_eq(blocks[i].length, strlen(text));
    cr_assert_arr_eq(blocks[i].data, text, strlen(text));
}

/* ---- the tests ---- */

Test(dev_pcap, what_passes_a_device_without_a_port_is_captured_both_ways_in_virtual_time)
{
    open_pair(DEPTH);
    send_one(dev, "out");
    weir_virtual_clock_advance(&clock_, 1234567);
    send_one(peer, "and in");
    rte_pktmbuf_free(receive_one(dev));
    rte_pktmbuf_free(receive_one(peer));
    close_pair();
    cr_assert_eq(read_file(), 2);
    expect_block(0, OUT, "out");
    cr_assert_eq(blocks[0].time, 1000000000000u);
    expect_block(1, IN, "and in");
    cr_assert_eq(blocks[1].time, 1000001234567u);
}

Test(dev_pcap, what_the_device_refuses_is_not_in_the_file_until_it_takes_it)
{
    struct rte_mbuf *packets[DEPTH + 4];

    open_pair(DEPTH);
    for (unsigned i = 0; i < DEPTH + 4; i++)
        packets[i] = test_packet(pool, &"abcdefghijklmnop"[i], 1);
    cr_assert_eq(weir_dev_tx_burst(dev, packets, DEPTH + 4), DEPTH);
    cr_assert_eq(weir_dev_tx_burst(dev, packets + DEPTH, 4), 0);
    for (unsigned i = 0; i < DEPTH; i++)
        rte_pktmbuf_free(receive_one(peer));
    cr_assert_eq(weir_dev_tx_burst(dev, packets + DEPTH, 4), 4);
    close_pair();
    cr_assert_eq(read_file(), DEPTH + 4);
    for (unsigned i = 0; i < DEPTH + 4; i++)
        expect_block(i, OUT, (char[]){"abcdefghijklmnop"[i], '\0'});
}

Test(dev_pcap, packets_of_many_segments_and_many_large_ones_are_whole)
{
    enum { LARGE = 60000, COUNT = 12 };
    static char bytes[LARGE];
    struct rte_mbuf *m[COUNT];
    unsigned sizes[40];

    open_pair(64);
    for (unsigned i = 0; i < LARGE; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (unsigned i = 0; i < RTE_DIM(sizes); i++)
        sizes[i] = 1500 + i;
    m[0] = test_segments(pool, bytes, LARGE, sizes, 39);
    for (unsigned i = 1; i < COUNT; i++) { /* more than one buffer of them: 660 KB */
        m[i] = m[0];
        rte_pktmbuf_refcnt_update(m[0], 1);
    }
    cr_assert_eq(weir_dev_tx_burst(dev, m, COUNT), COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        rte_pktmbuf_free(receive_one(peer));
    close_pair();
    cr_assert_eq(read_file(), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        cr_assert_eq(blocks[i].kept, LARGE);
        cr_assert_arr_eq(blocks[i].data, bytes, LARGE);
    }
}

Test(dev_pcap, a_file_that_cannot_be_made_leaves_the_device_as_it_was)
{
    struct weir_dev *ends[2], *captured;

    pool = test_pool(POOL);
    cr_assert_eq(weir_dev_open_pair(ends, pool, DEPTH), 0);
    captured = ends[0];
    cr_assert_eq(weir_dev_open_pcap(&captured, captured, &clock_.clock, "/nonexistent/c.pcapng"), -ENOENT);
    cr_assert_eq(weir_dev_open_pcap(&captured, captured, &clock_.clock, "/dev/full"), -ENOSPC);
    cr_assert_eq(captured, ends[0]);
    dev = ends[0];
    peer = ends[1];
    close_pair();
}

Test(dev_pcap, a_file_that_takes_no_more_ends_the_capture_and_not_the_device)
{
    const char *said;
    int reader;

    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    reader = open(path, O_RDONLY | O_NONBLOCK);
    cr_assert_geq(reader, 0);
    signal(SIGPIPE, SIG_IGN);
    open_pair(DEPTH);
    close(reader);
    keep_stderr();
    for (int i = 0; i < 3; i++) {
        send_one(dev, "out");
        send_one(peer, "in");
        rte_pktmbuf_free(receive_one(dev));
        rte_pktmbuf_free(receive_one(peer));
    }
    said = stderr_kept();
    cr_assert_not_null(strstr(said, "the capture file ends here: Broken pipe\n"), "%s", said);
    cr_assert_eq(strchr(said, '\n')[1], '\0', "said again: %s", said);
    close_pair();
}

Test(dev_pcap, a_ports_capture_counts_time_from_1970)
{
    time_t begun = time(NULL), seconds;
    char error[256];
    struct rte_mbuf *got;
    uint16_t port;

    pool = test_pool(4095);
    cr_assert_eq(rte_eal_hotplug_add("vdev", "net_ring0", ""), 0);
    cr_assert_eq(rte_eth_dev_get_port_by_name("net_ring0", &port), 0);
    cr_assert_eq(weir_dev_open_port(&dev, port, NULL, pool, error, sizeof(error)), 0, "%s", error);
    cr_assert_eq(weir_dev_open_pcap(&dev, dev, weir_clock_tsc(), path), 0);
    send_one(dev, "captured");
    got = receive_one(dev);
    rte_pktmbuf_free(got);
    weir_dev_close(dev);
    cr_assert_eq(read_file(), 2);
    expect_block(0, OUT, "captured");
    expect_block(1, IN, "captured");
    seconds = (time_t)(blocks[0].time / 1000000000);
    cr_assert(seconds >= begun - 1 && seconds <= time(NULL) + 1, "the packet is from %s", ctime(&seconds));
    test_pool_is_full(pool);
}
