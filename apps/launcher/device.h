/* Devices as users name them. */
#ifndef LAUNCHER_DEVICE_H
#define LAUNCHER_DEVICE_H

#include <weir/net/dev.h>

enum device_kind { DEVICE_TAP, DEVICE_MEMIF, DEVICE_MEMIF_CLIENT, DEVICE_AF_PACKET, DEVICE_AF_XDP, DEVICE_PCI };

struct device {
    enum device_kind kind;
    char value[108]; /* an interface, a socket's path, or a PCI address */
};

#define DEVICE_HELP                                                                                                    \
    "tap[:NAME] (a new interface of the kernel's; needs root), memif:PATH and memif-client:PATH (shared memory with "  \
    "another process; need no privilege), af_packet:INTERFACE, af_xdp:INTERFACE, or a PCI address"

/* Reads a name. Returns 0, or -EINVAL with one line in `error`. */
WEIR_MUST_CHECK int device_parse(const char *text, struct device *device, char *error, size_t size);

/* Looks whether this machine and this user can have it, before anything is made. Removes a socket that a dead process
 * left. Returns 0, or -errno with one line in `error`. */
WEIR_MUST_CHECK int device_check(struct device *device, char *error, size_t size);

/* Makes the DPDK port, after the EAL is up, for frames of `frame` bytes at most. Returns 0, or -errno with one line in
 * `error`. */
WEIR_MUST_CHECK int device_make(const struct device *device, uint16_t frame, uint16_t *port, char *error, size_t size);

/* Writes a few words for people: "tap weir0". */
void device_describe(const struct device *device, char *text, size_t size);

#endif
