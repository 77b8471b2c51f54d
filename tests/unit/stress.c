/* core: random trees of nurseries, scopes, shields and channels, in an order shuffled from a seed. Whatever happens: no
 * child outlives its nursery, every message is delivered, destroyed or still the sender's, every error is gathered, and
 * a run replays from its seed. A failing seed is printed. */
#include "../support/core.h"

enum { DEPTH_MAX = 4, CHANNELS = 3 };

struct world {
    struct weir_rng rng;
    uint64_t seed, trace; /* a hash of what happened, in order */
    struct weir_send_channel send[CHANNELS];
    struct weir_receive_channel receive[CHANNELS];
    unsigned sent, received, destroyed, failed, gathered, alive, depth;
    struct weir_scope *scopes[64]; /* open somewhere: anybody may cancel them */
    unsigned scope_count;
};
static struct world world;

struct frame {
    int depth;
    bool ended; /* the nursery's block has ended: no child may run */
    struct frame *parent;
};

static uint64_t below(uint64_t bound)
{
    return weir_rng_below(&world.rng, bound);
}

static void traced(uint64_t what)
{
    world.trace = (world.trace ^ what) * 0x100000001b3u;
}

static void count_destroyed(void *message, void *arg)
{
    world.destroyed++;
}

static int send_some(void)
{
    int c = (int)below(CHANNELS);
    uint64_t message = world.sent;
    int rc = weir_send(&world.send[c], &message);
    if (rc == 0)
        world.sent++;
    return rc == -EPIPE || rc == -EBADF ? 0 : rc;
}

static int receive_some(void)
{
    int c = (int)below(CHANNELS);
    uint64_t message;
    int rc = weir_receive(&world.receive[c], &message);
    if (rc == 0) {
        world.received++;
        traced(message);
    }
    return rc == -ENODATA || rc == -EBADF ? 0 : rc;
}

static int act(struct frame *frame);

static int in_scope(struct frame *frame)
{
    struct weir_scope scope;
    int rc = 0;
    bool shield = below(4) == 0;
    weir_time delay = below(3) == 0 ? WEIR_NEVER : (weir_time)below(50000);
    unsigned slot = world.scope_count;
    weir_move_on_after (&scope, delay, rc) {
        if (slot < 64)
            world.scopes[world.scope_count++] = &scope;
        weir_scope_set_shield(&scope, shield);
        if (shield) /* or it might wait for good */
            weir_scope_set_deadline(&scope, weir_current_time() + (weir_time)below(30000));
        rc = act(frame);
    }
    for (unsigned i = 0; i < world.scope_count; i++)
        if (world.scopes[i] == &scope)
            world.scopes[i] = world.scopes[--world.scope_count];
    return rc;
}

static int child(void *arg)
{
    struct frame *parent = arg;
    int rc = 0;
    world.alive++;
    for (uint64_t n = 1 + below(8); n > 0 && rc == 0; n--) {
        for (struct frame *at = parent; at != NULL; at = at->parent)
            cr_assert_not(at->ended, "seed %lu: a child outlived its nursery", world.seed);
        rc = act(parent);
    }
    if (rc == 0 && below(12) == 0) {
        rc = -EIO;
        world.failed++;
    }
    world.alive--;
    return rc;
}

static int report_and_go_on(void *arg)
{
    int rc = act(arg);
    if (rc == 0 && below(4) != 0)
        weir_started(NULL);
    return rc == 0 ? child(arg) : rc;
}

/* Errors of this nursery's own children; theirs below them were taken where they arose. */
static void count_errors(struct weir_nursery *nursery)
{
    struct weir_error *group = weir_nursery_take_errors(nursery);
    for (struct weir_error *at = group; at != NULL; at = at->next) {
        cr_assert_eq(at->code, -EIO, "seed %lu: %s", world.seed, weir_error_name(at->code));
        cr_assert_null(at->children);
        world.gathered++;
    }
    weir_error_free(group);
}

static int in_nursery(struct frame *parent)
{
    struct frame frame = {.depth = parent->depth + 1, .parent = parent};
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (uint64_t n = 1 + below(4); n > 0; n--)
            weir_start_soon(&nursery, child, &frame);
        if (below(3) == 0) {
            int started = weir_start(&nursery, report_and_go_on, &frame, NULL);
            if (started == -EIO)
                world.gathered++;
            rc = started == -ECANCELED ? started : 0;
        }
        if (rc == 0 && below(2) == 0)
            rc = act(&frame);
        if (below(5) == 0)
            weir_nursery_cancel(&nursery);
    }
    frame.ended = true;
    count_errors(&nursery);
    return rc == -ECANCELED ? rc : 0;
}

static int act(struct frame *frame)
{
    traced(below(1u << 20));
    switch (frame->depth < DEPTH_MAX ? below(9) : below(7)) {
    case 0:
        return weir_checkpoint();
    case 1:
        return weir_sleep((weir_time)below(20000));
    case 2:
        return send_some();
    case 3:
        return receive_some();
    case 4:
        if (world.scope_count > 0)
            weir_scope_cancel(world.scopes[below(world.scope_count)]);
        return 0;
    case 5:
        if (world.scope_count > 0)
            weir_scope_set_deadline(world.scopes[below(world.scope_count)],
                                    weir_current_time() + (weir_time)below(40000) - 5000);
        return 0;
    case 6:
        return world.depth++ < 2000 ? in_scope(frame) : 0;
    default:
        return in_nursery(frame);
    }
}

static int live(void *arg)
{
    struct frame top = {0};
    struct weir_scope end;
    int rc = 0;
    for (int c = 0; c < CHANNELS; c++)
        WEIR_TRY(weir_open_memory_channel(&world.send[c], &world.receive[c], c == 2 ? WEIR_UNBOUNDED : (size_t)c,
                                          sizeof(uint64_t), count_destroyed, NULL));
    for (int i = 0; i < 20 && rc == 0; i++)
        weir_move_on_after (&end, WEIR_MICROSECONDS(100), rc)
            rc = in_nursery(&top);
    for (int c = 0; c < CHANNELS; c++) {
        struct weir_channel_statistics statistics;
        weir_send_channel_statistics(&world.send[c], &statistics);
        cr_assert(statistics.tasks_waiting_send == 0 && statistics.tasks_waiting_receive == 0, "seed %lu", world.seed);
        weir_send_channel_close(&world.send[c]);
        weir_receive_channel_close(&world.receive[c]);
    }
    struct weir_loop_statistics statistics;
    weir_current_statistics(&statistics);
    cr_assert_eq(statistics.tasks_living, 1, "seed %lu", world.seed);
    cr_assert_eq(statistics.errors_held, 0, "seed %lu", world.seed);
    return rc;
}

static uint64_t run_seed(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.seed = seed;
    weir_rng_seed(&world.rng, seed);
    int rc = run_with(live, NULL, (struct weir_run_options){.shuffle_seed = seed, .tasks_max = 20000});
    cr_assert_eq(rc, 0, "seed %lu: %s", seed, weir_error_name(rc));
    cr_assert_eq(world.sent, world.received + world.destroyed, "seed %lu: messages", seed);
    cr_assert_eq(world.failed, world.gathered, "seed %lu: %u failed, %u gathered", seed, world.failed, world.gathered);
    cr_assert_eq(world.alive, 0, "seed %lu: %u alive", seed, world.alive);
    cr_assert_eq(world.scope_count, 0);
    return world.trace;
}

Test(stress, random_trees_keep_the_rules, .timeout = 110)
{
    for (uint64_t seed = 1; seed <= fewer(2000); seed++)
        run_seed(seed);
}

Test(stress, a_run_replays_from_its_seed)
{
    for (uint64_t seed = 1; seed <= fewer(100); seed++) {
        uint64_t first = run_seed(seed);
        cr_assert_eq(run_seed(seed), first, "seed %lu", seed);
        cr_assert_neq(run_seed(seed + 1), first);
    }
}
