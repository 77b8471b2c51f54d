/* Whether this machine and this user can have a device: found out by asking the kernel, so that the answer is its own
 * and comes before anything is made. */
#include "device.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The first name that no interface has. */
static int choose_tap_name(struct device *device)
{
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(device->value, IFNAMSIZ, "weir%u", i);
        if (if_nametoindex(device->value) == 0)
            return 0;
    }
    return -EEXIST;
}

/* Makes a TAP for a moment. Returns 0 or -errno. */
static int try_tap(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return -errno;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.*s", IFNAMSIZ - 1, name);
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        rc = -errno;
    close(fd);
    return rc;
}

static int check_tap(struct device *device, char *error, size_t size)
{
    int rc;

    if (device->value[0] == '\0')
        WEIR_TRY(choose_tap_name(device));
    if (if_nametoindex(device->value) != 0) {
        snprintf(error, size, "--device tap:%s: there is such an interface already: name another", device->value);
        return -EEXIST;
    }
    rc = try_tap(device->value);
    if (rc == -EPERM || rc == -EACCES)
        snprintf(
            error, size,
            "--device tap: no privilege to make an interface: run as root, or use --device memif:PATH, which needs "
            "none");
    else if (rc == -ENOENT || rc == -ENODEV)
        snprintf(error, size, "--device tap: this machine has no /dev/net/tun: as root, modprobe tun");
    else if (rc < 0)
        snprintf(error, size, "--device tap:%s: cannot make it: %s", device->value, strerror(-rc));
    return rc;
}

/* A socket that nobody listens at was left by a process that died: DPDK would refuse its name. */
static int clear_socket(const char *path, char *error, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat is;
    int fd, rc;

    if (lstat(path, &is) < 0)
        return 0;
    if (!S_ISSOCK(is.st_mode)) {
        snprintf(error, size, "--device memif:%s: is no socket, and in the way: name another path", path);
        return -EEXIST;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memcpy(address.sun_path, path, strlen(path) + 1);
    rc = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    close(fd);
    if (rc == -ECONNREFUSED && unlink(path) == 0)
        return 0;
    snprintf(error, size, "--device memif:%s: another process serves it: name another path, or use memif-client:%s",
             path, path);
    return -EADDRINUSE;
}

static int check_memif(const struct device *device, char *error, size_t size)
{
    char path[sizeof(device->value)];
    const char *directory;
    bool server = device->kind == DEVICE_MEMIF;

    memcpy(path, device->value, sizeof(path));
    directory = dirname(path);
    if (access(directory, server ? W_OK | X_OK : X_OK) < 0) {
        int code = errno;

        snprintf(error, size, "--device memif:%s: cannot %s in %s: %s", device->value,
                 server ? "make a socket" : "look for a socket", directory, strerror(code));
        return -code;
    }
    if (server)
        return clear_socket(device->value, error, size);
    if (access(device->value, F_OK) == 0)
        return 0;
    snprintf(error, size,
             "--device memif-client:%s: there is no such socket: start the server first, with --device memif:%s",
             device->value, device->value);
    return -ENOENT;
}

static int check_interface(const struct device *device, char *error, size_t size)
{
    int fd;

    if (if_nametoindex(device->value) == 0) {
        snprintf(error, size, "--device: there is no interface '%s': `ip link` shows which there are", device->value);
        return -ENODEV;
    }
    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        int code = errno;

        snprintf(error, size, "--device: cannot open %s for raw packets: %s: run as root", device->value,
                 strerror(code));
        return -code;
    }
    close(fd);
    return 0;
}

static int check_pci(const struct device *device, char *error, size_t size)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", device->value);
    if (access(path, F_OK) == 0)
        return 0;
    snprintf(error, size, "--device %s: there is no such PCI device: `dpdk-devbind.py --status` shows which there are",
             device->value);
    return -ENODEV;
}

int device_check(struct device *device, char *error, size_t size)
{
    switch (device->kind) {
    case DEVICE_TAP:
        return check_tap(device, error, size);
    case DEVICE_MEMIF:
    case DEVICE_MEMIF_CLIENT:
        return check_memif(device, error, size);
    case DEVICE_AF_PACKET:
    case DEVICE_AF_XDP:
        return check_interface(device, error, size);
    case DEVICE_PCI:
        return check_pci(device, error, size);
    }
    return -EINVAL;
}
