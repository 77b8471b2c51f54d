/* A process made: in a thread, for the kernel may have to read the program from a slow disk first. */
#include "system_private.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weir/thread.h>

struct order {
    struct weir_spawn *spawn;
    sigset_t mask; /* of who asks: the thread has another one */
};

/* ---- what the child does before the program ---- */

/* All sources are above 2, so that none is overwritten before it was copied. The rest of ours are none of its business.
 */
static int set_actions(posix_spawn_file_actions_t *actions, const struct weir_spawn *spawn)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        if (spawn->fds[i] >= 0)
            rc = posix_spawn_file_actions_adddup2(actions, spawn->fds[i], i);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (rc == 0 && spawn->cwd != NULL)
        rc = posix_spawn_file_actions_addchdir_np(actions, spawn->cwd);
    return rc;
}

/* Handlers go by themselves; SIGPIPE is ignored for the sake of our streams. */
static int set_attributes(posix_spawnattr_t *attributes, const sigset_t *mask)
{
    sigset_t standard;
    sigemptyset(&standard);
    sigaddset(&standard, SIGPIPE);
    int rc = posix_spawnattr_setsigdefault(attributes, &standard);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(attributes, mask);
    if (rc == 0)
        rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    return rc;
}

static int make(struct order *order)
{
    struct weir_spawn *spawn = order->spawn;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return -rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc == 0) {
        rc = set_actions(&actions, spawn);
        if (rc == 0)
            rc = set_attributes(&attributes, &order->mask);
        if (rc == 0)
            rc = posix_spawnp(&spawn->pid, spawn->argv[0], &actions, &attributes, spawn->argv,
                              spawn->environment != NULL ? spawn->environment : environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

/* A child that we could not wait for is not kept. */
static int run(void *arg)
{
    struct order *order = arg;
    WEIR_TRY(make(order));
    order->spawn->pidfd = pidfd_open(order->spawn->pid, 0);
    if (order->spawn->pidfd >= 0)
        return 0;
    int code = -errno;
    kill(order->spawn->pid, SIGKILL);
    while (waitpid(order->spawn->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return code;
}

int weir_spawn(struct weir_spawn *spawn)
{
    struct order order = {.spawn = spawn};
    pthread_sigmask(SIG_SETMASK, NULL, &order.mask);
    return weir_to_thread_run_sync(run, &order, NULL);
}
