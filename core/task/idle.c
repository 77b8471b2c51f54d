/* What the loop does when nothing is runnable: it looks again, sleeps, or lets virtual time jump. */
#include "task_private.h"
#include <poll.h>
#include <time.h>

enum { POLLERS_MAX = 32 };
static const weir_time SPIN_BEFORE_SLEEP = 20000; /* ns: a request that comes sooner finds us awake */
static const weir_time SLEEP_BLIND = 100000;      /* ns: for devices that cannot interrupt, at first... */
static const weir_time SLEEP_BLIND_MAX = 1000000; /* ... and when nothing has come for long             */

void weir_quiet_add(struct weir_quiet *quiet)
{
    struct weir_list *at = weir_loop_->quiet.next;
    while (at != &weir_loop_->quiet && WEIR_CONTAINER_OF(at, struct weir_quiet, link)->cushion <= quiet->cushion)
        at = at->next;
    weir_list_append(at, &quiet->link); /* before `at` */
}

void weir_quiet_remove(struct weir_quiet *quiet)
{
    weir_list_remove(&quiet->link);
}

static weir_time next_deadline(struct weir_loop *loop)
{
    weir_time earliest = weir_wheel_next(&loop->wheel);
    struct weir_poller *poller;
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link) {
        weir_time wanted = poller->next_deadline != NULL ? poller->next_deadline(poller) : WEIR_NEVER;
        if (wanted < earliest)
            earliest = wanted;
    }
    return earliest;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* How long a device that can only be polled may go unasked: a part of the time that nothing has happened for. */
static weir_time blind_limit(const struct weir_loop *loop)
{
    weir_time limit = (loop->now - loop->idle_since) / 8;
    if (limit < SLEEP_BLIND)
        return SLEEP_BLIND;
    return limit < SLEEP_BLIND_MAX ? limit : SLEEP_BLIND_MAX;
}

/* Sleeps until the deadline, a wake-up, or a device's interrupt; not long if some device can only be polled. */
static void sleep_until(struct weir_loop *loop, weir_time deadline)
{
    struct pollfd fds[POLLERS_MAX + 1] = {{.fd = loop->token->wake_fd, .events = POLLIN}};
    nfds_t count = 1;
    weir_time limit = deadline == WEIR_NEVER ? WEIR_NEVER : deadline > loop->now ? deadline - loop->now : 0;
    weir_time blind = blind_limit(loop);
    struct weir_poller *poller;

    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link) {
        int fd = poller->interrupt != NULL && count <= POLLERS_MAX ? poller->interrupt(poller, true) : -ENOTSUP;
        if (fd >= 0)
            fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        else if (limit > blind)
            limit = blind;
    }
    if (limit > 0 && !weir_poll_devices(loop)) { /* what came before the interrupt was armed raises none */
        struct timespec timeout = {limit / 1000000000, limit % 1000000000};
        __atomic_store_n(&loop->asleep, true, __ATOMIC_RELAXED);
        ppoll(fds, count, limit == WEIR_NEVER ? NULL : &timeout, NULL);
        __atomic_store_n(&loop->asleep, false, __ATOMIC_RELAXED);
        if (fds[0].revents != 0)
            atomic_store(&loop->token->woken, true);
    }
    WEIR_LIST_FOREACH (poller, &loop->pollers, struct weir_poller, link)
        if (poller->interrupt != NULL)
            poller->interrupt(poller, false);
}

/* How long it must be quiet yet, for who waits for the shortest. */
static weir_time quiet_left(struct weir_loop *loop)
{
    struct weir_clock *real = weir_clock_tsc();
    weir_time now = real->now(real);
    if (loop->quiet_since == WEIR_NEVER)
        loop->quiet_since = now;
    return WEIR_LIST_FIRST(&loop->quiet, struct weir_quiet, link)->cushion - (now - loop->quiet_since);
}

/* Somebody waits for quiet: tells who waits for the shortest, or sleeps a part of it. */
static void rest_until_quiet(struct weir_loop *loop)
{
    struct weir_quiet *quiet;
    weir_time left = quiet_left(loop);
    if (left > 0) {
        weir_time wake = weir_time_add(loop->now, left), deadline = next_deadline(loop);
        if (loop->idle == WEIR_IDLE_ADAPTIVE)
            sleep_until(loop, loop->clock->idle != NULL || wake < deadline ? wake : deadline);
        return;
    }
    weir_time cushion = WEIR_LIST_FIRST(&loop->quiet, struct weir_quiet, link)->cushion;
    WEIR_LIST_FOREACH (quiet, &loop->quiet, struct weir_quiet, link) {
        if (quiet->cushion > cushion)
            break;
        weir_list_remove(&quiet->link);
        quiet->fire(quiet);
    }
}

/* Virtual time jumps; if it stands still, only another thread can make something happen. */
static void rest_in_virtual_time(struct weir_loop *loop)
{
    if (!loop->clock->idle(loop->clock, next_deadline(loop)))
        sleep_until(loop, WEIR_NEVER);
    else if (loop->io_told)
        weir_tell_after_io_wait(loop); /* at the old time: a jump is no waiting */
}

static bool sleeps_yet(const struct weir_loop *loop)
{
    bool spins = !weir_list_empty(&loop->pollers) && loop->now - loop->idle_since < SPIN_BEFORE_SLEEP;
    return loop->idle == WEIR_IDLE_ADAPTIVE && !spins;
}

void weir_rest(struct weir_loop *loop)
{
    if (atomic_load(&loop->token->woken)) /* a job came meanwhile: time does not jump before it has run */
        return;
    weir_deadlock_check(loop);
    if (loop->tail != loop->head) /* it was ended */
        return;
    if (WEIR_UNLIKELY(!weir_list_empty(&loop->quiet)))
        rest_until_quiet(loop);
    else if (loop->clock->idle != NULL)
        rest_in_virtual_time(loop);
    else if (sleeps_yet(loop))
        sleep_until(loop, next_deadline(loop));
    else if (loop->idle != WEIR_IDLE_SPIN)
        relax();
}

weir_time weir_rest_timeout(struct weir_loop *loop)
{
    weir_time deadline = next_deadline(loop), left = deadline == WEIR_NEVER ? WEIR_NEVER : deadline - loop->now;
    if (atomic_load(&loop->token->woken))
        return 0;
    if (!weir_list_empty(&loop->quiet)) {
        weir_time cushion = quiet_left(loop);
        left = left < cushion ? left : cushion;
    } else if (loop->clock->idle != NULL) {
        left = left == WEIR_NEVER ? WEIR_NEVER : 0;
    } else if (!sleeps_yet(loop)) {
        left = 0;
    }
    return left > 0 ? left : 0;
}
