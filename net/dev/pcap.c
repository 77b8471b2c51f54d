/* A decorator that also writes all packets of a device to a pcapng file. librte_pcapng knows only DPDK's ports and real
 * time (22.11): the format is a few blocks, so they are written here, of any device and in any clock's time. Source:
 * draft-ietf-opsawg-pcapng, sections 3 and 4; all is in this machine's byte order, as it says in front. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <weir/net/dev.h>

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET = 6 };                                       /* blocks  */
enum { END = 0, IF_NAME = 2, EPB_FLAGS = 2, SHB_USERAPPL = 4, IF_MACADDR = 6, IF_TSRESOL = 9 }; /* options */
enum { INBOUND = 1, OUTBOUND = 2 };                                                             /* epb_flags */
enum { BURST = 32, BLOCK_MAX = 1 << 17, BUFFER = 4 * BLOCK_MAX, KEPT_MAX = BLOCK_MAX - 256 };   /* bytes */

struct pcap_dev {
    struct weir_dev dev;
    struct weir_dev *inner;
    struct weir_clock *clock;
    weir_time epoch; /* what its zero is in the file's time, which is since 1970 */
    int fd;
    size_t used, begun; /* of `buffer`; where the block that is being written begins */
    char *buffer;
    bool broken; /* the file could not be written; said once, and no more is tried */
};

static struct pcap_dev *pcap_of(struct weir_dev *dev)
{
    return WEIR_CONTAINER_OF(dev, struct pcap_dev, dev);
}

/* ---- blocks ---- */

static void put(struct pcap_dev *pcap, const void *bytes, size_t size)
{
    memcpy(pcap->buffer + pcap->used, bytes, size);
    pcap->used += size;
}

static void put_word(struct pcap_dev *pcap, uint32_t word)
{
    put(pcap, &word, sizeof(word));
}

static void pad(struct pcap_dev *pcap)
{
    static const char zeros[4];

    put(pcap, zeros, -pcap->used & 3);
}

static void begin(struct pcap_dev *pcap, uint32_t type)
{
    pcap->begun = pcap->used;
    put_word(pcap, type);
    put_word(pcap, 0); /* the length, in `end` */
}

static void option(struct pcap_dev *pcap, uint16_t code, const void *value, size_t size)
{
    put_word(pcap, RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? (uint32_t)size << 16 | code : (uint32_t)code << 16 | size);
    put(pcap, value, size);
    pad(pcap);
}

static void end(struct pcap_dev *pcap)
{
    uint32_t length;

    put_word(pcap, END);
    length = (uint32_t)(pcap->used - pcap->begun) + sizeof(length);
    memcpy(pcap->buffer + pcap->begun + sizeof(uint32_t), &length, sizeof(length));
    put_word(pcap, length);
}

static void put_header(struct pcap_dev *pcap)
{
    const uint16_t version[2] = {1, 0}, link_type[2] = {1 /* Ethernet */, 0};
    const int64_t length = -1; /* of the section: not known yet */
    const uint8_t nanoseconds = 9;

    begin(pcap, SECTION);
    put_word(pcap, 0x1a2b3c4d);
    put(pcap, version, sizeof(version));
    put(pcap, &length, sizeof(length));
    option(pcap, SHB_USERAPPL, "weir", strlen("weir"));
    end(pcap);
    begin(pcap, INTERFACE);
    put(pcap, link_type, sizeof(link_type));
    put_word(pcap, KEPT_MAX);
    option(pcap, IF_NAME, pcap->inner->name, strlen(pcap->inner->name));
    option(pcap, IF_MACADDR, pcap->inner->mac.addr_bytes, sizeof(pcap->inner->mac.addr_bytes));
    option(pcap, IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
    end(pcap);
}

static void put_packet(struct pcap_dev *pcap, const struct rte_mbuf *m, uint64_t time, uint32_t direction)
{
    uint32_t left = RTE_MIN(m->pkt_len, (uint32_t)KEPT_MAX);

    begin(pcap, PACKET);
    put_word(pcap, 0); /* of the only interface */
    put_word(pcap, (uint32_t)(time >> 32));
    put_word(pcap, (uint32_t)time);
    put_word(pcap, left);
    put_word(pcap, m->pkt_len);
    for (; left > 0; m = m->next) {
        uint32_t some = RTE_MIN((uint32_t)m->data_len, left);

        put(pcap, rte_pktmbuf_mtod(m, const void *), some);
        left -= some;
    }
    pad(pcap);
    option(pcap, EPB_FLAGS, &direction, sizeof(direction));
    end(pcap);
}

/* ---- the file ---- */

static int write_out(struct pcap_dev *pcap)
{
    for (size_t done = 0; done < pcap->used;) {
        ssize_t n = write(pcap->fd, pcap->buffer + done, pcap->used - done);

        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    pcap->used = 0;
    return 0;
}

static void flush(struct pcap_dev *pcap)
{
    int rc = pcap->used > 0 ? write_out(pcap) : 0;

    if (rc == 0)
        return;
    pcap->used = 0;
    pcap->broken = true;
    weir_log(WEIR_LOG_ERROR, "the capture file ends here: %s", strerror(-rc));
}

static uint64_t file_time(struct pcap_dev *pcap)
{
    return (uint64_t)(pcap->clock->now(pcap->clock) + pcap->epoch);
}

/* ---- the device ---- */

static uint16_t pcap_rx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct pcap_dev *pcap = pcap_of(dev);
    uint16_t got = weir_dev_rx_burst(pcap->inner, packets, n);
    uint64_t time;

    if (got == 0 || pcap->broken)
        return got;
    time = file_time(pcap);
    for (uint16_t i = 0; i < got && !pcap->broken; i++) {
        if (BUFFER - pcap->used < BLOCK_MAX)
            flush(pcap);
        put_packet(pcap, packets[i], time, INBOUND);
    }
    flush(pcap);
    return got;
}

/* As many as surely fit the buffer. They are written first, for a packet that was sent is no longer ours to read; what
 * the device refused is taken out again. */
static uint16_t pcap_tx_some(struct pcap_dev *pcap, struct rte_mbuf **packets, uint16_t n)
{
    size_t ends[BURST];
    uint64_t time = file_time(pcap);
    uint16_t sent;

    for (uint16_t i = 0; i < n; i++) {
        put_packet(pcap, packets[i], time, OUTBOUND);
        ends[i] = pcap->used;
    }
    sent = weir_dev_tx_burst(pcap->inner, packets, n);
    pcap->used = sent > 0 ? ends[sent - 1] : 0;
    flush(pcap);
    return sent;
}

static uint16_t fitting(struct rte_mbuf **packets, uint16_t n)
{
    uint32_t room = BUFFER;
    uint16_t i;

    for (i = 0; i < RTE_MIN(n, BURST) && room >= BLOCK_MAX; i++)
        room -= RTE_MIN(packets[i]->pkt_len, (uint32_t)KEPT_MAX) + (BLOCK_MAX - KEPT_MAX);
    return i;
}

static uint16_t pcap_tx_burst(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct pcap_dev *pcap = pcap_of(dev);
    uint16_t sent = 0;

    while (sent < n && !pcap->broken) {
        uint16_t some = fitting(packets + sent, n - sent), taken = pcap_tx_some(pcap, packets + sent, some);

        sent += taken;
        if (taken < some)
            return sent;
    }
    return sent < n ? sent + weir_dev_tx_burst(pcap->inner, packets + sent, n - sent) : sent;
}

static weir_time pcap_next_deadline(struct weir_dev *dev)
{
    struct weir_dev *inner = pcap_of(dev)->inner;

    return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : WEIR_NEVER;
}

static int pcap_rx_interrupt(struct weir_dev *dev, bool on)
{
    struct weir_dev *inner = pcap_of(dev)->inner;

    return inner->ops->rx_interrupt != NULL ? inner->ops->rx_interrupt(inner, on) : -ENOTSUP;
}

static void pcap_stats(struct weir_dev *dev, struct weir_dev_stats *stats)
{
    struct weir_dev *inner = pcap_of(dev)->inner;

    if (inner->ops->stats != NULL)
        inner->ops->stats(inner, stats);
}

static void pcap_free(struct pcap_dev *pcap)
{
    if (pcap->fd >= 0)
        close(pcap->fd);
    free(pcap->buffer);
    free(pcap);
}

static void pcap_close(struct weir_dev *dev)
{
    struct pcap_dev *pcap = pcap_of(dev);

    weir_dev_close(pcap->inner);
    pcap_free(pcap);
}

static const struct weir_dev_ops pcap_ops = {.rx_burst = pcap_rx_burst,
                                             .tx_burst = pcap_tx_burst,
                                             .next_deadline = pcap_next_deadline,
                                             .rx_interrupt = pcap_rx_interrupt,
                                             .stats = pcap_stats,
                                             .close = pcap_close};

/* A clock of real time counts from when the machine started, and one that is told what time it is from where it is told
 * to. */
static weir_time epoch_of(struct weir_clock *clock)
{
    struct timespec now;

    if (clock->idle != NULL)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    return WEIR_SECONDS(now.tv_sec) + now.tv_nsec - clock->now(clock);
}

static int open_file(struct pcap_dev *pcap, const char *path)
{
    pcap->buffer = malloc(BUFFER);
    if (pcap->buffer == NULL)
        return -ENOMEM;
    pcap->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (pcap->fd < 0)
        return -errno;
    put_header(pcap);
    return write_out(pcap);
}

int weir_dev_open_pcap(struct weir_dev **dev, struct weir_dev *inner, struct weir_clock *clock, const char *path)
{
    struct pcap_dev *pcap = calloc(1, sizeof(*pcap));
    int rc;

    if (pcap == NULL)
        return -ENOMEM;
    *pcap = (struct pcap_dev){.dev = *inner, .inner = inner, .clock = clock, .epoch = epoch_of(clock), .fd = -1};
    pcap->dev.ops = &pcap_ops;
    pcap->dev.last = NULL; /* the inner one's, which is closed with this */
    rc = open_file(pcap, path);
    if (rc < 0) {
        pcap_free(pcap);
        return rc;
    }
    *dev = &pcap->dev;
    return 0;
}
