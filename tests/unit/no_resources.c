/* core: of what a busy program asks the system for, memory, descriptors and threads, the Nth is refused, for every N;
 * and all from the Nth on. Each time: a clean error comes out, all of them are in the group, and nothing is left
 * behind. */
#include "../support/failing.h"
#include "../support/outside.h"
#include <fcntl.h>
#include <limits.h>
#include <weir/system.h>
#include <weir/thread.h>

/* ---- parts of the busy program: each does its work, or fails having undone it ---- */

static int wait_and_report(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_MILLISECONDS(2)));
    weir_started(arg);
    return weir_sleep_forever();
}

static int grow_tree(void *arg)
{
    struct weir_nursery outer, inner;
    struct weir_scope timeout;
    double second = 1;
    int rc = 0;
    weir_fail_after (&timeout, WEIR_SECONDS(10), rc) {
        weir_with_nursery (&outer, rc) {
            for (int i = 0; i < 5; i++)
                weir_start_soon(&outer, sleep_for, &second);
            weir_with_nursery (&inner, rc) {
                WEIR_DO(rc, weir_start(&inner, wait_and_report, NULL, NULL));
                WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
                weir_nursery_cancel(&inner);
            }
        }
    }
    return rc;
}

/* -- channels -- */

enum { MESSAGES = 200 };

struct pipe {
    struct weir_send_channel send, clone;
    struct weir_receive_channel receive;
    unsigned made, destroyed, received;
};

static void count_destroyed(void *message, void *arg)
{
    ((struct pipe *)arg)->destroyed++;
}

/* Every other message by a permit. */
static int send_one(struct pipe *pipe, uint64_t i)
{
    struct weir_permit permit;
    if (i % 2 == 0)
        return weir_send(&pipe->clone, &i);
    WEIR_TRY(weir_reserve(&pipe->clone, &permit));
    int rc = weir_permit_send(&permit, &i);
    if (rc < 0)
        weir_permit_release(&permit);
    return rc;
}

static int send_all_messages(void *arg)
{
    struct pipe *pipe = arg;
    int rc = 0;
    for (uint64_t i = 0; i < MESSAGES && rc == 0; i++) {
        rc = send_one(pipe, i);
        pipe->made += rc == 0;
    }
    weir_send_channel_close(&pipe->clone);
    return rc;
}

static int pass_messages(struct pipe *pipe, size_t capacity)
{
    struct weir_nursery nursery;
    uint64_t message;
    int rc = weir_open_memory_channel(&pipe->send, &pipe->receive, capacity, sizeof message, count_destroyed, pipe);
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_send_channel_clone(&pipe->send, &pipe->clone));
        rc = weir_start_soon(&nursery, send_all_messages, pipe);
        if (rc < 0)
            weir_send_channel_close(&pipe->clone);
        weir_send_channel_close(&pipe->send);
        WEIR_DO(rc, rc);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1))); /* an unbounded one grows meanwhile */
        weir_for_each_message (&pipe->receive, &message, rc)
            pipe->received++;
    }
    weir_send_channel_close(&pipe->send);
    weir_receive_channel_close(&pipe->receive);
    cr_expect_eq(pipe->received + pipe->destroyed, pipe->made, "a message is received or destroyed");
    return rc;
}

static int use_channels(void *arg)
{
    for (int i = 0; i < 3; i++) {
        static const size_t capacities[] = {0, 3, WEIR_UNBOUNDED};
        struct pipe pipe = {.made = 0};
        WEIR_TRY(pass_messages(&pipe, capacities[i]));
    }
    return 0;
}

/* -- task-locals -- */

static const struct weir_local user = {.name = "user"}, place = {.name = "place"};

static int inherit(void *arg)
{
    cr_expect_eq(weir_local_get(&user), arg);
    WEIR_TRY(weir_local_set(&place, arg));
    WEIR_TRY(weir_checkpoint());
    cr_expect_eq(weir_local_get(&place), arg);
    return 0;
}

static int use_locals(void *arg)
{
    static char name[] = "ann";
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_local_set(&user, name));
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, inherit, name);
    return rc;
}

/* -- limits -- */

static int borrow(void *arg)
{
    WEIR_TRY(weir_capacity_limiter_acquire(arg));
    int rc = weir_sleep(WEIR_SECONDS(1));
    weir_capacity_limiter_release(arg);
    return rc;
}

static int use_limiter(void *arg)
{
    struct weir_capacity_limiter limiter;
    struct weir_nursery nursery;
    int rc = weir_capacity_limiter_init(&limiter, 2);
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 5; i++)
            weir_start_soon(&nursery, borrow, &limiter);
        rc = weir_capacity_limiter_set_total_tokens(&limiter, 40);
    }
    cr_expect_eq(limiter.borrowed, 0);
    weir_capacity_limiter_destroy(&limiter);
    return rc;
}

/* -- threads -- */

static int in_loop(void *arg)
{
    ++*(int *)arg;
    return 3;
}

static int in_thread(void *arg)
{
    int rc = weir_from_thread_run(NULL, in_loop, arg);
    return rc == 3 ? weir_from_thread_check_cancelled() : rc;
}

static int ask_thread(void *arg)
{
    int counted = 0, rc = weir_to_thread_run_sync(in_thread, &counted, NULL);
    cr_expect(rc < 0 || counted == 1);
    return rc;
}

static int use_threads(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, ask_thread, NULL);
    return rc;
}

/* -- descriptors -- */

static int write_and_close(void *arg)
{
    struct weir_stream *stream = arg;
    char text[1000] = "text";
    int rc = 0;
    for (int i = 0; i < 200 && rc == 0; i++) /* more than a pipe takes */
        rc = weir_send_all(stream, text, sizeof text);
    weir_stream_close_forcefully(stream);
    return rc;
}

static int read_all(struct weir_stream *stream)
{
    char text[4096];
    int n, total = 0;
    while ((n = weir_receive_some(stream, text, sizeof text)) > 0)
        total += n;
    return n < 0 ? n : total;
}

static int use_pipe(int fds[2])
{
    struct weir_stream *streams[2] = {NULL, NULL};
    struct weir_nursery nursery;
    int rc = 0, total = 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        if ((rc = weir_open_fd_stream(fds[i], &streams[i])) == 0)
            fds[i] = -1;
    if (rc == 0)
        weir_with_nursery (&nursery, rc) {
            struct weir_stream *writer = streams[1];
            WEIR_DO(rc, weir_start_soon(&nursery, write_and_close, writer));
            streams[1] = NULL;
            rc = total = read_all(streams[0]);
        }
    for (int i = 0; i < 2; i++)
        if (streams[i] != NULL)
            weir_stream_close_forcefully(streams[i]);
    cr_expect(rc < 0 || total == 200000);
    return rc < 0 ? rc : 0;
}

static int use_descriptors(void *arg)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    int rc = use_pipe(fds);
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return rc;
}

/* -- system tasks -- */

static int mind(void *arg)
{
    int rc = weir_sleep_forever();
    ++*(int *)arg;
    return rc;
}

static int minded;

static int use_system_task(void *arg)
{
    return weir_spawn_system_task(mind, &minded);
}

/* ---- the whole, again and again ---- */

static int (*const parts[])(void *) = {grow_tree,   use_channels,    use_locals,     use_limiter,
                                       use_threads, use_descriptors, use_system_task};

static bool leaves_are_clean(const struct weir_error *error)
{
    for (; error != NULL; error = error->next)
        if (error->children != NULL ? !leaves_are_clean(error->children) : !failing_is_clean(error->code))
            return false;
    return true;
}

/* All parts at once (or one after another, so that each meets a failure of its own). */
static int be_busy(void *arg)
{
    bool together = *(bool *)arg;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            weir_start_soon(&nursery, parts[i], NULL);
            if (!together)
                WEIR_DO(rc, weir_sleep(WEIR_SECONDS(100)));
        }
    struct weir_error *group = weir_nursery_take_errors(&nursery);
    cr_expect_eq(group != NULL, rc < 0);
    cr_expect(leaves_are_clean(group));
    weir_error_free(group);
    cr_expect_eq(errors_held(), 0);
    return rc;
}

/* Returns how many times something failed. */
static long run_failing(long first, long last, bool together, unsigned tasks_max)
{
    long live = failing.live;
    int before = descriptors(), threads_before = threads(1 << 20);
    minded = 0;
    failing_set(first, last);
    int rc = run_with(be_busy, &together, (struct weir_run_options){.tasks_max = tasks_max});
    long failed = failing.failed;
    failing_set(0, 0);
    cr_expect(failed > 0 || tasks_max < 64 ? failing_is_clean(rc) || (rc == 0 && failed == 0) : rc == 0,
              "call %ld to %ld failed, and the run said %d", first, last, rc);
    cr_assert_eq(threads(threads_before), threads_before);
    cr_expect_eq(failing.live, live, "call %ld to %ld failed, and %ld allocations were left", first, last,
                 failing.live - live);
    cr_expect_eq(descriptors(), before, "call %ld to %ld failed, and descriptors were left", first, last);
    return failed;
}

static void fail_each(bool on, bool together)
{
    long n = 1;
    while (run_failing(n, on ? LONG_MAX : n, together, 64) > 0)
        n++;
    printf("%ld things were asked for\n", n - 1);
    cr_expect_gt(n, 20);
}

Test(no_resources, the_nth_of_all_parts_at_once, .timeout = 100)
{
    fail_each(false, true);
}

Test(no_resources, the_nth_of_one_part_after_another, .timeout = 100)
{
    fail_each(false, false);
}

Test(no_resources, from_the_nth_on, .timeout = 100)
{
    fail_each(true, true);
    fail_each(true, false);
}

Test(no_resources, too_few_tasks, .timeout = 100)
{
    for (unsigned tasks_max = 1; tasks_max < 40; tasks_max++) {
        run_failing(0, 0, true, tasks_max);
        run_failing(0, 0, false, tasks_max);
    }
}
