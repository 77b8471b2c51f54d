/* What DPDK leaves: a directory for its run time files, made even when nothing is put there. */
#include "eal_private.h"
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <rte_eal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE "RUNTIME_DIRECTORY" /* where the EAL looks first; systemd.exec(5) names it */

static struct {
    char private[64]; /* a directory of our own, or "" */
    char files[256];  /* the EAL's, or "" */
    bool shared;      /* there, other processes may join: a primary one puts files there */
} eal_files;

static bool usual_place_works(void)
{
    const char *place = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0)
        return access("/var/run", W_OK) == 0;
    return place != NULL && access(place, W_OK) == 0;
}

int eal_files_prepare(bool own)
{
    const char *temporary = getenv("TMPDIR");

    /* Telemetry takes its socket away when the process exits, by a function that is registered later, so called sooner.
     */
    if (!own)
        (void)atexit(eal_files_remove);
    if (!own && (getenv(PLACE) != NULL || usual_place_works()))
        return 0;
    snprintf(eal_files.private, sizeof(eal_files.private), "%s/weir-XXXXXX",
             temporary != NULL && strlen(temporary) < 32 ? temporary : "/tmp");
    if (mkdtemp(eal_files.private) == NULL) {
        eal_files.private[0] = '\0';
        return -errno;
    }
    setenv(PLACE, eal_files.private, 1);
    return 0;
}

void eal_files_note(bool shared)
{
    const char *directory = rte_eal_get_runtime_dir();

    snprintf(eal_files.files, sizeof(eal_files.files), "%s", directory != NULL ? directory : "");
    eal_files.shared = shared;
}

static bool made_by_a_primary(const char *name)
{
    static const char *const patterns[] = {"config", "hugepage_info", "hugepage_data", "fbarray_*", "mp_socket*"};

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

/* A primary process locks "config", and secondary ones lock it too, in another way: who else does still needs it. */
static bool others_use_them(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[sizeof(eal_files.files) + 8];
    int fd, rc;

    snprintf(path, sizeof(path), "%s/config", eal_files.files);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return true;
    rc = fcntl(fd, F_GETLK, &lock);
    close(fd);
    return rc < 0 || lock.l_type != F_UNLCK;
}

static void remove_shared_files(void)
{
    DIR *directory;
    const struct dirent *entry;

    if (others_use_them() || (directory = opendir(eal_files.files)) == NULL)
        return;
    while ((entry = readdir(directory)) != NULL)
        if (made_by_a_primary(entry->d_name))
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
}

/* rmdir refuses what others still use. */
static void remove_directories(void)
{
    char dpdk[sizeof(eal_files.private) + 8];

    if (eal_files.files[0] != '\0')
        (void)rmdir(eal_files.files);
    if (eal_files.private[0] == '\0')
        return;
    snprintf(dpdk, sizeof(dpdk), "%s/dpdk", eal_files.private);
    (void)rmdir(dpdk);
    (void)rmdir(eal_files.private);
}

void eal_files_remove(void)
{
    if (eal_files.shared)
        remove_shared_files();
    eal_files.shared = false;
    remove_directories();
}
