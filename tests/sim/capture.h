/* Packets of a virtual world, in its virtual time, as a pcap file for Wireshark. (weir_dev_open_pcap would show
 * what the stack gives its device, and not what that makes of it.) Source: draft-ietf-opsawg-pcap, the nanosecond
 * format. */
#ifndef SIM_CAPTURE_H
#define SIM_CAPTURE_H

#include <rte_mbuf.h>
#include <stdio.h>
#include <weir/clock.h>

static inline FILE *capture_open(const char *path)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t reserved[2], snap_length, link_type;
    } header = {0xa1b23c4d, 2, 4, {0}, 262144, 1 /* Ethernet */};
    FILE *file = fopen(path, "wb");
    if (file != NULL)
        fwrite(&header, sizeof header, 1, file);
    return file;
}

static inline void capture_write(FILE *file, weir_time now, const struct rte_mbuf *m)
{
    const uint32_t header[4] = {(uint32_t)(now / 1000000000), (uint32_t)(now % 1000000000), m->pkt_len, m->pkt_len};
    fwrite(header, sizeof header, 1, file);
    for (; m != NULL; m = m->next)
        fwrite(rte_pktmbuf_mtod(m, const void *), 1, m->data_len, file);
}

#endif
