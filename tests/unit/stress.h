/* What the files of the stress share: the world, which a seed decides, and the tree that acts in it. */
#ifndef TEST_STRESS_H
#define TEST_STRESS_H

#include "../support/core.h"

struct world {
    struct weir_rng rng;
    uint64_t seed, trace; /* a hash of what happened, in order */
    unsigned failed, gathered, alive, nested;
    struct weir_scope *scopes[64]; /* open somewhere: anybody may cancel them */
    unsigned scope_count;
    bool toggles; /* others' shields too: who was woken as cancelled may find himself shielded when he runs */
};
extern struct world world;

struct frame {
    int depth;
    bool ended; /* the nursery's block has ended: no child may run */
    struct frame *parent;
};

/* A seed that fails is printed; WEIR_STRESS_FIRST=SEED WEIR_STRESS_SEEDS=1 runs it again. */
#define MUST(condition) cr_assert(condition, "seed %lu, after %u: %s", world.seed, (unsigned)world.nested, #condition)

static inline uint64_t below(uint64_t bound)
{
    return weir_rng_below(&world.rng, bound);
}

static inline void traced(uint64_t what)
{
    world.trace = (world.trace ^ what) * 0x100000001b3u;
}

/* Some of what may happen in a nursery: stress.c. Returns 0 or -ECANCELED. */
int act(struct frame *frame);

/* Something at one of the places where tasks meet: stress_meet.c. Returns 0 or -ECANCELED. */
int meet(struct frame *frame);

/* A weir_select over some of them: stress_select.c. */
int select_some(void);

/* Makes the places, and sees that nothing is left in them. */
void open_places(void);
void close_places(void);

#endif
