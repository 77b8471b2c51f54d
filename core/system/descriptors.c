/* Waiting for descriptors: one epoll a loop, which plugs itself into the loop as a poller while somebody waits.
 *
 * Everything is EPOLLONESHOT: a descriptor closed behind our back may stay registered under its old number for as long
 * as a duplicate of it lives, and could not even be taken out; so it wakes the loop once at most. For the same reason
 * nobody knows whether a descriptor is registered: it is modified, and added if that says -ENOENT. As in Trio. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <weir/system.h>

enum { EVENTS_MAX = 64, TABLE_MIN = 64 };
static const weir_time ASK_EVERY = 20000; /* ns: a busy loop pays no system call each turn */

enum direction { READING, WRITING };
static const uint32_t events_of[] = {[READING] = EPOLLIN, [WRITING] = EPOLLOUT};

/* Who waits for one descriptor. */
struct waits {
    struct weir_task *task[2];
    uint32_t armed; /* what epoll was last told to look for */
};

struct descriptors {
    struct weir_poller poller; /* in the loop's list while `waiting` > 0 */
    int epoll;
    struct waits *table; /* by descriptor: they are small numbers */
    size_t length;
    unsigned waiting;
    weir_time turn, asked; /* when it was last polled; when that came to a system call */
};

/* ---- telling epoll ---- */

static uint32_t wanted(const struct waits *waits)
{
    uint32_t events = 0;
    for (int direction = READING; direction <= WRITING; direction++)
        if (waits->task[direction] != NULL)
            events |= events_of[direction];
    return events;
}

static int arm(struct descriptors *io, int fd)
{
    struct waits *waits = &io->table[fd];
    struct epoll_event event = {.events = wanted(waits) | EPOLLONESHOT, .data.fd = fd};
    if (wanted(waits) == waits->armed)
        return 0;
    if (epoll_ctl(io->epoll, EPOLL_CTL_MOD, fd, &event) < 0) {
        if (errno != ENOENT)
            return -errno;
        if (wanted(waits) != 0 && epoll_ctl(io->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            return -errno;
    }
    waits->armed = wanted(waits);
    return 0;
}

static void join(struct descriptors *io, struct waits *waits, enum direction direction)
{
    waits->task[direction] = weir_current_task();
    if (io->waiting++ == 0) {
        weir_poller_add(&io->poller);
        weir_expect_wake();
    }
}

static void leave(struct descriptors *io, struct waits *waits, enum direction direction)
{
    waits->task[direction] = NULL;
    if (--io->waiting == 0) {
        weir_poller_remove(&io->poller);
        weir_expect_no_wake();
    }
}

static void wake(struct descriptors *io, struct waits *waits, enum direction direction, int result)
{
    struct weir_task *task = waits->task[direction];
    if (task == NULL)
        return;
    leave(io, waits, direction);
    weir_task_wake(task, result);
}

static void wake_both(struct descriptors *io, struct waits *waits, int result)
{
    waits->armed = 0;
    wake(io, waits, READING, result);
    wake(io, waits, WRITING, result);
}

/* ---- being polled ---- */

/* What is neither of the two (an error, a hang-up) wakes both: they will find out. */
static void happened(struct descriptors *io, int fd, uint32_t events)
{
    struct waits *waits = &io->table[fd];
    waits->armed = 0;
    if (events & ~(uint32_t)EPOLLOUT)
        wake(io, waits, READING, 0);
    if (events & ~(uint32_t)EPOLLIN)
        wake(io, waits, WRITING, 0);
    int rc = arm(io, fd);
    if (rc < 0)
        wake_both(io, waits, rc);
}

/* Seldom in a busy loop; but asked twice at one time it is about to sleep, or time is virtual and stands still. */
static bool is_due(struct descriptors *io, weir_time now)
{
    bool again = now == io->turn;
    io->turn = now;
    if (!again && now - io->asked < ASK_EVERY)
        return false;
    io->asked = now;
    return true;
}

static int poll_descriptors(struct weir_poller *poller, weir_time now)
{
    struct descriptors *io = WEIR_CONTAINER_OF(poller, struct descriptors, poller);
    struct epoll_event events[EVENTS_MAX];
    if (!is_due(io, now))
        return 0;
    int count = epoll_wait(io->epoll, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++)
        happened(io, events[i].data.fd, events[i].events);
    return count > 0 ? count : 0;
}

/* After a sleep it is due at once. */
static int sleep_on(struct weir_poller *poller, bool on)
{
    struct descriptors *io = WEIR_CONTAINER_OF(poller, struct descriptors, poller);
    if (!on)
        io->asked = weir_current_time() - ASK_EVERY;
    return io->epoll;
}

/* ---- for each run ---- */

static int open_descriptors(void *state)
{
    struct descriptors *io = state;
    io->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (io->epoll < 0)
        return -errno;
    io->poller.poll = poll_descriptors;
    io->poller.interrupt = sleep_on;
    weir_list_init(&io->poller.link);
    return 0;
}

static void close_descriptors(void *state)
{
    struct descriptors *io = state;
    WEIR_ASSERT_EQ(io->waiting, 0);
    close(io->epoll);
    free(io->table);
}

static const struct weir_run_state kept = {"descriptors", sizeof(struct descriptors), open_descriptors,
                                           close_descriptors};

static int make_room(struct descriptors *io, int fd)
{
    size_t length = io->length != 0 ? io->length : TABLE_MIN;
    if (fd < 0 || (fd >= (int)io->length && fcntl(fd, F_GETFD) < 0))
        return -EBADF;
    while (length <= (size_t)fd)
        length *= 2;
    if (length == io->length)
        return 0;
    struct waits *table = realloc(io->table, length * sizeof *table);
    if (table == NULL)
        return -ENOMEM;
    memset(table + io->length, 0, (length - io->length) * sizeof *table);
    io->table = table;
    io->length = length;
    return 0;
}

/* ---- waiting ---- */

struct wait {
    struct descriptors *io;
    int fd;
    enum direction direction;
};

static bool abort_wait(struct weir_task *task, void *arg)
{
    struct wait *wait = arg;
    struct waits *waits = &wait->io->table[wait->fd];
    leave(wait->io, waits, wait->direction);
    int rc = arm(wait->io, wait->fd);
    if (rc < 0)
        wake_both(wait->io, waits, rc);
    return true;
}

static void describe(FILE *out, const struct weir_task *task, const void *arg)
{
    fprintf(out, "descriptor %d", ((const struct wait *)arg)->fd);
}

static const struct weir_wait kinds[] = {
    [READING] = {.name = "weir_wait_readable", .abort = abort_wait, .describe = describe},
    [WRITING] = {.name = "weir_wait_writable", .abort = abort_wait, .describe = describe},
};

static int wait_for(int fd, enum direction direction)
{
    void *state;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    WEIR_TRY(weir_run_state_get(&kept, &state));
    struct wait wait = {.io = state, .fd = fd, .direction = direction};
    WEIR_TRY(make_room(wait.io, fd));
    struct waits *waits = &wait.io->table[fd];
    if (waits->task[direction] != NULL)
        return -EBUSY;
    join(wait.io, waits, direction);
    int rc = arm(wait.io, fd);
    if (rc < 0) { /* so whoever waits for the other direction waits in vain, too */
        leave(wait.io, waits, direction);
        wake_both(wait.io, waits, rc);
        return rc;
    }
    return weir_task_park(&kinds[direction], &wait);
}

int weir_wait_readable(int fd)
{
    return wait_for(fd, READING);
}

int weir_wait_writable(int fd)
{
    return wait_for(fd, WRITING);
}

void weir_notify_closing(int fd)
{
    struct descriptors *io = weir_run_state_find(&kept);
    struct epoll_event unused = {0};
    if (io == NULL || fd < 0 || (size_t)fd >= io->length)
        return;
    epoll_ctl(io->epoll, EPOLL_CTL_DEL, fd, &unused); /* it may not be there */
    wake_both(io, &io->table[fd], -EBADF);
}
