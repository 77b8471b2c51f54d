/* Devices as users name them. */
#include "device.h"
#include <ctype.h>
#include <limits.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_pci.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/lcore.h>

static const struct kind {
    const char *name;        /* before the colon                             */
    const char *vdev;        /* DPDK's                                       */
    const char *format;      /* of the vdev's arguments, with the value      */
    const char *missing;     /* what must follow the colon; NULL: it need not */
    const char *description; /* for people, with the value                   */
} kinds[] = {
    [DEVICE_TAP] = {"tap", "net_tap0", "iface=%s", NULL, "tap %s"},
    [DEVICE_MEMIF] = {"memif", "net_memif0", "role=server,id=0,socket=%s,socket-abstract=no", "the path of a socket",
                      "memif %s (server)"},
    [DEVICE_MEMIF_CLIENT] = {"memif-client", "net_memif0", "role=client,id=0,socket=%s,socket-abstract=no",
                             "the path of a socket", "memif %s (client)"},
    [DEVICE_AF_PACKET] = {"af_packet", "net_af_packet0", "iface=%s", "an interface", "interface %s (af_packet)"},
    [DEVICE_AF_XDP] = {"af_xdp", "net_af_xdp0", "iface=%s", "an interface", "interface %s (af_xdp)"},
    [DEVICE_PCI] = {"pci", NULL, NULL, "an address", "PCI device %s"},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* ---- names ---- */

static bool is_pci(const char *text, struct device *device)
{
    struct rte_pci_addr address;

    if (rte_pci_addr_parse(text, &address) != 0)
        return false;
    device->kind = DEVICE_PCI;
    rte_pci_device_name(&address, device->value, sizeof(device->value));
    return true;
}

static int take_value(struct device *device, const char *value, char *error, size_t size)
{
    const struct kind *kind = &kinds[device->kind];
    bool socket = device->kind == DEVICE_MEMIF || device->kind == DEVICE_MEMIF_CLIENT;

    if (value[0] == '\0' && kind->missing != NULL) {
        snprintf(error, size, "--device %s: needs %s", kind->name, kind->missing);
        return -EINVAL;
    }
    if (strlen(value) >= (socket ? sizeof(device->value) : IFNAMSIZ)) {
        snprintf(error, size, "--device %s: '%s' is longer than %zu characters", kind->name, value,
                 (socket ? sizeof(device->value) : IFNAMSIZ) - 1);
        return -EINVAL;
    }
    if (strpbrk(value, socket ? ",=[]" : ",=/% ") != NULL) { /* what DPDK, or the kernel, would take apart */
        snprintf(error, size, "--device %s: '%s' must not contain any of %s", kind->name, value,
                 socket ? ", = [ ]" : ", = / % or blanks");
        return -EINVAL;
    }
    snprintf(device->value, sizeof(device->value), "%s", value);
    return 0;
}

int device_parse(const char *text, struct device *device, char *error, size_t size)
{
    size_t length = strcspn(text, ":");

    memset(device, 0, sizeof(*device));
    if (is_pci(text, device))
        return 0;
    for (int i = 0; i < KINDS; i++) {
        if (strlen(kinds[i].name) != length || strncmp(text, kinds[i].name, length) != 0)
            continue;
        device->kind = (enum device_kind)i;
        if (i == DEVICE_PCI && text[length] == ':' && is_pci(text + length + 1, device))
            return 0;
        if (i != DEVICE_PCI)
            return take_value(device, text[length] == ':' ? text + length + 1 : "", error, size);
    }
    snprintf(error, size, "--device '%s' is none of " DEVICE_HELP, text);
    return -EINVAL;
}

void device_describe(const struct device *device, char *text, size_t size)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, size, kinds[device->kind].description, device->value);
#pragma GCC diagnostic pop
}

/* ---- making ---- */

/* A memif's frame must fit one of its buffers: DPDK's driver (22.11, eth_memif_tx) does not clear the flag that says
 * "the next belongs to it" of a buffer that it uses again. */
static int make_vdev(const struct device *device, uint16_t frame, char *error, size_t size)
{
    const struct kind *kind = &kinds[device->kind];
    char arguments[256];
    size_t length;
    int rc;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(arguments, sizeof(arguments), kind->format, device->value);
#pragma GCC diagnostic pop
    length = strlen(arguments);
    if (device->kind == DEVICE_MEMIF || device->kind == DEVICE_MEMIF_CLIENT)
        snprintf(arguments + length, sizeof(arguments) - length, ",bsize=%u", frame);
    rc = rte_eal_hotplug_add("vdev", kind->vdev, arguments);
    if (rc < 0) {
        const char *why = weir_eal_log_kept();

        snprintf(error, size, "--device %s:%s: DPDK cannot make it: %s", kind->name, device->value,
                 why[0] != '\0' ? why : rte_strerror(-rc));
    }
    return rc;
}

int device_make(const struct device *device, uint16_t frame, uint16_t *port, char *error, size_t size)
{
    const struct kind *kind = &kinds[device->kind];
    const char *name = device->kind == DEVICE_PCI ? device->value : kind->vdev;

    if (device->kind != DEVICE_PCI)
        WEIR_TRY(make_vdev(device, frame, error, size));
    if (rte_eth_dev_get_port_by_name(name, port) == 0)
        return 0;
    snprintf(error, size,
             "--device %s: DPDK drives no such port: is it a network card, and bound to vfio-pci (dpdk-devbind.py "
             "--status)?",
             name);
    return -ENODEV;
}
