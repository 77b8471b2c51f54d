/* core: random trees of nurseries, scopes, shields and whatever tasks meet at, in an order shuffled from a seed.
 * Whatever happens: no child outlives its nursery, every error is gathered, every message is delivered, destroyed or
 * still the sender's, each lock has one owner, and a run replays from its seed. A failing seed is printed.
 * WEIR_STRESS_SEEDS=N runs N of them (5000 in about half a minute), from WEIR_STRESS_FIRST on. */
#include "stress.h"
#include <signal.h>
#include <stdlib.h>

enum { DEPTH_MAX = 4, SEEDS = 400 };

struct world world;

/* A full shield has a deadline of its own, or what is inside might wait for good. */
static void shield(struct weir_scope *scope)
{
    static const enum weir_shield shields[] = {WEIR_SHIELD_FULL, WEIR_SHIELD_GRACE, WEIR_SHIELD_GRACE, WEIR_SHIELD_NONE,
                                               WEIR_SHIELD_NONE, WEIR_SHIELD_NONE,  WEIR_SHIELD_NONE};
    enum weir_shield kind = shields[below(7)];
    weir_scope_set_shield(scope, kind);
    if (kind == WEIR_SHIELD_FULL)
        weir_scope_set_deadline(scope, weir_current_time() + (weir_time)below(30000));
    if (below(3) == 0)
        weir_scope_set_grace(scope, (weir_time)below(20000));
}

static int in_scope(struct frame *frame)
{
    struct weir_scope scope;
    int rc = 0;
    weir_time delay = below(3) == 0 ? WEIR_NEVER : (weir_time)below(50000);
    weir_move_on_after (&scope, delay, rc) {
        if (world.scope_count < 64)
            world.scopes[world.scope_count++] = &scope;
        shield(&scope);
        rc = act(frame);
    }
    for (unsigned i = 0; i < world.scope_count; i++)
        if (world.scopes[i] == &scope)
            world.scopes[i] = world.scopes[--world.scope_count];
    return rc;
}

/* Any scope that is open anywhere. */
static void disturb(struct weir_scope *scope)
{
    switch (below(4)) {
    case 0:
        weir_scope_cancel(scope);
        break;
    case 1:
        weir_scope_cancel_gracefully(scope, (weir_time)below(30000));
        break;
    case 2:
        if (world.toggles)
            shield(scope);
        break;
    default:
        weir_scope_set_deadline(scope, weir_current_time() + (weir_time)below(40000) - 5000);
        break;
    }
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

int act(struct frame *frame)
{
    traced(below(1u << 20));
    switch (frame->depth < DEPTH_MAX ? below(14) : below(12)) {
    case 0:
        return weir_checkpoint();
    case 1:
        return weir_sleep((weir_time)below(20000));
    case 2:
        if (world.scope_count > 0)
            disturb(world.scopes[below(world.scope_count)]);
        return 0;
    case 3:
        return world.nested++ < 3000 ? in_scope(frame) : 0;
    case 4 ... 11:
        return meet(frame);
    default:
        return in_nursery(frame);
    }
}

static int live(void *arg)
{
    struct frame top = {0};
    struct weir_scope end;
    int rc = 0;
    open_places();
    for (int i = 0; i < 20 && rc == 0; i++)
        weir_move_on_after (&end, WEIR_MICROSECONDS(100), rc)
            rc = in_nursery(&top);
    close_places();
    struct weir_loop_statistics statistics;
    weir_current_statistics(&statistics);
    MUST(statistics.tasks_living == 1);
    MUST(statistics.errors_held == 0);
    return rc;
}

static uint64_t run_seed(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.toggles = seed % 2 == 0;
    weir_rng_seed(&world.rng, seed);
    int rc = run_with(live, NULL, (struct weir_run_options){.shuffle_seed = seed, .tasks_max = 20000});
    cr_assert_eq(rc, 0, "seed %lu: %s", seed, weir_error_name(rc));
    cr_assert_eq(world.failed, world.gathered, "seed %lu: %u failed, %u gathered", seed, world.failed, world.gathered);
    MUST(world.alive == 0);
    MUST(world.scope_count == 0);
    return world.trace;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* An assertion of Weir's own does not know the seed. */
static void say_seed(int signal_number)
{
    fprintf(stderr, "seed %lu\n", world.seed);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

Test(stress, random_trees_keep_the_rules, .timeout = 600)
{
    signal(SIGABRT, say_seed);
    uint64_t first = number("WEIR_STRESS_FIRST", 1), count = number("WEIR_STRESS_SEEDS", fewer(SEEDS));
    for (uint64_t seed = first; seed < first + count; seed++)
        run_seed(seed);
}

Test(stress, a_run_replays_from_its_seed)
{
    for (uint64_t seed = 1; seed <= fewer(50); seed++) {
        uint64_t first = run_seed(seed);
        cr_assert_eq(run_seed(seed), first, "seed %lu", seed);
        cr_assert_neq(run_seed(seed + 1), first);
    }
}
