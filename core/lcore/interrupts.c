/* The EAL's interrupt thread, held: it waits in a callback of ours, and does the rest of its work when it is let. */
#define ALLOW_EXPERIMENTAL_API /* handles for descriptors of one's own are called so in 22.11 */
#include <rte_interrupts.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <weir/lcore.h>

/* There is one such thread in a process. */
static struct {
    struct rte_intr_handle *handle; /* of a descriptor that is always readable: so the thread always comes back to us */
    sem_t arrived, go;
    unsigned holders;
    atomic_bool leaving;
} held;

static void wait_on(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0)
        WEIR_ASSERT_EQ(errno, EINTR);
}

/* Runs in the interrupt thread. Between two calls of this it sees to all else that has become ready. */
static void be_held(void *arg)
{
    if (atomic_load(&held.leaving))
        return;
    sem_post(&held.arrived);
    wait_on(&held.go);
}

static int make_handle(int fd)
{
    int rc;

    held.handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
    if (held.handle == NULL || rte_intr_fd_set(held.handle, fd) < 0 ||
        rte_intr_type_set(held.handle, RTE_INTR_HANDLE_EXT) < 0)
        return -ENOMEM;
    rc = rte_intr_callback_register(held.handle, be_held, NULL);
    return rc < 0 ? rc : 0;
}

int weir_interrupts_hold(void)
{
    int fd, rc;

    if (held.holders > 0) {
        held.holders++;
        return 0;
    }
    fd = eventfd(1, EFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    sem_init(&held.arrived, 0, 0);
    sem_init(&held.go, 0, 0);
    atomic_store(&held.leaving, false);
    rc = make_handle(fd);
    if (rc < 0) {
        rte_intr_instance_free(held.handle);
        close(fd);
        return rc;
    }
    held.holders++;
    wait_on(&held.arrived);
    return 0;
}

void weir_interrupts_pass(void)
{
    WEIR_ASSERT(held.holders > 0);
    sem_post(&held.go);
    wait_on(&held.arrived);
}

void weir_interrupts_release(void)
{
    WEIR_ASSERT(held.holders > 0);
    if (--held.holders > 0)
        return;
    atomic_store(&held.leaving, true);
    sem_post(&held.go);
    (void)rte_intr_callback_unregister_sync(held.handle, be_held, NULL); /* waits until it has returned */
    close(rte_intr_fd_get(held.handle));
    rte_intr_instance_free(held.handle);
    sem_destroy(&held.arrived);
    sem_destroy(&held.go);
}
