/* core/clock: the timer wheel, against a list that is searched from end to end. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <weir/clock.h>

enum { TIMERS = 24 };

struct model {
    struct weir_wheel wheel;
    struct weir_timer timers[TIMERS];
    bool armed[TIMERS];
    weir_time deadline[TIMERS];
    uint64_t order[TIMERS], armings;
    weir_time now;
    struct weir_rng rng;
    uint64_t seed;
};

static int earliest(const struct model *m)
{
    int best = -1;
    for (int i = 0; i < TIMERS; i++)
        if (m->armed[i] && (best < 0 || m->deadline[i] < m->deadline[best] ||
                            (m->deadline[i] == m->deadline[best] && m->order[i] < m->order[best])))
            best = i;
    return best;
}

static void check_bound(const struct model *m)
{
    int best = earliest(m);
    if (best < 0)
        return; /* NEVER or early: both are allowed */
    cr_assert_leq(weir_wheel_next(&m->wheel), m->deadline[best], "seed %lu", m->seed);
}

/* Deadlines of all sizes: due, soon, in the same tick, far, and at the very end of time. */
static weir_time random_deadline(struct model *m)
{
    static const int bits[] = {4, 8, 11, 14, 20, 30, 40, 61};
    uint64_t choice = weir_rng_below(&m->rng, 12);
    if (choice == 0)
        return m->now - (weir_time)weir_rng_below(&m->rng, 5000);
    if (choice == 1)
        return WEIR_NEVER - 1 - (weir_time)weir_rng_below(&m->rng, 3);
    if (choice == 2)
        return m->now;
    return weir_time_add(m->now, (weir_time)weir_rng_below(&m->rng, 1ull << bits[weir_rng_below(&m->rng, 8)]));
}

static void arm(struct model *m, int i, weir_time deadline)
{
    weir_wheel_arm(&m->wheel, &m->timers[i], deadline);
    m->armed[i] = deadline != WEIR_NEVER;
    m->deadline[i] = deadline;
    m->order[i] = ++m->armings;
}

static void disarm(struct model *m, int i)
{
    weir_wheel_disarm(&m->wheel, &m->timers[i]);
    m->armed[i] = false;
}

static void random_change(struct model *m)
{
    int i = (int)weir_rng_below(&m->rng, TIMERS);
    uint64_t choice = weir_rng_below(&m->rng, 10);
    if (choice < 6)
        arm(m, i, random_deadline(m));
    else if (choice < 7 && m->armed[i]) /* a little later: the lazy way */
        arm(m, i, weir_time_add(m->deadline[i], (weir_time)weir_rng_below(&m->rng, 3000)));
    else if (choice < 8)
        arm(m, i, WEIR_NEVER);
    else
        disarm(m, i);
    check_bound(m);
}

static void expire_all(struct model *m)
{
    struct weir_timer *timer;
    int changes = 30;
    while ((timer = weir_wheel_expire(&m->wheel, m->now)) != NULL) {
        int i = (int)(timer - m->timers), expected = earliest(m);
        cr_assert_leq(m->deadline[i], m->now, "seed %lu: early", m->seed);
        cr_assert_eq(i, expected, "seed %lu: %d came, %d was due first", m->seed, i, expected);
        cr_assert_not(weir_timer_armed(timer));
        m->armed[i] = false;
        if (changes-- > 0 && weir_rng_below(&m->rng, 3) == 0)
            random_change(m); /* inside expiry */
    }
    int left = earliest(m);
    cr_assert(left < 0 || m->deadline[left] > m->now, "seed %lu: %d is due and was not handed out", m->seed, left);
    check_bound(m);
}

static void run_model(uint64_t seed)
{
    struct model *m = calloc(1, sizeof *m);
    m->seed = seed;
    weir_rng_seed(&m->rng, seed);
    m->now = (weir_time)weir_rng_below(&m->rng, seed % 3 == 0 ? 1ull << 62 : 100000);
    weir_wheel_init(&m->wheel, m->now);
    for (int i = 0; i < TIMERS; i++)
        weir_timer_init(&m->timers[i]);
    for (int step = 0; step < 150; step++) {
        for (uint64_t n = weir_rng_below(&m->rng, 6); n > 0; n--)
            random_change(m);
        int next = earliest(m);
        if (next >= 0 && weir_rng_below(&m->rng, 3) == 0) {
            if (m->deadline[next] > m->now &&
                m->deadline[next] < WEIR_NEVER / 2) /* to just before, and to, a deadline */
                m->now = m->deadline[next] - (weir_time)weir_rng_below(&m->rng, 2);
        } else {
            m->now += (weir_time)weir_rng_below(&m->rng, 1ull << (2 + weir_rng_below(&m->rng, 30)));
        }
        expire_all(m);
    }
    for (int i = 0; i < TIMERS; i++)
        disarm(m, i);
    cr_assert_eq(m->wheel.armed, 0);
    cr_assert_eq(weir_wheel_next(&m->wheel), WEIR_NEVER);
    cr_assert_null(weir_wheel_expire(&m->wheel, m->now));
    free(m);
}

Test(wheel, does_what_a_sorted_list_would, .timeout = 100)
{
    for (uint64_t seed = 1; seed <= 4000; seed++)
        run_model(seed);
}

static struct weir_wheel wheel;

Test(wheel, never_fires_early)
{
    struct weir_timer timer;
    weir_wheel_init(&wheel, 0);
    weir_timer_init(&timer);
    weir_wheel_arm(&wheel, &timer, 123457);
    cr_assert_null(weir_wheel_expire(&wheel, 123456)); /* the same tick of 1024 ns */
    cr_assert_eq(weir_wheel_expire(&wheel, 123457), &timer);
    cr_assert_null(weir_wheel_expire(&wheel, 999999));
}

Test(wheel, a_timer_moved_later_fires_at_its_new_time_only)
{
    struct weir_timer timer;
    weir_wheel_init(&wheel, 0);
    weir_timer_init(&timer);
    weir_wheel_arm(&wheel, &timer, 1000000);
    struct weir_list before = timer.link;
    weir_wheel_arm(&wheel, &timer, 9000000);
    cr_assert_eq(timer.link.next, before.next, "moving later does no list work");
    cr_assert_eq(timer.link.prev, before.prev);
    cr_assert_null(weir_wheel_expire(&wheel, 1000000));
    cr_assert_null(weir_wheel_expire(&wheel, 8999999));
    cr_assert_eq(weir_wheel_expire(&wheel, 9000000), &timer);
}

Test(wheel, equal_deadlines_fire_in_the_order_of_arming)
{
    static struct weir_timer timers[1000];
    weir_wheel_init(&wheel, 0);
    for (int i = 0; i < 1000; i++) {
        weir_timer_init(&timers[i]);
        weir_wheel_arm(&wheel, &timers[i], 5000);
    }
    weir_wheel_arm(&wheel, &timers[3], 5000); /* armed anew: last now */
    for (int i = 0; i < 1000; i++)
        if (i != 3)
            cr_assert_eq(weir_wheel_expire(&wheel, 5000), &timers[i]);
    cr_assert_eq(weir_wheel_expire(&wheel, 5000), &timers[3]);
}

Test(wheel, one_found_due_can_be_disarmed_or_moved_before_it_is_handed_out)
{
    struct weir_timer timers[4];
    weir_wheel_init(&wheel, 0);
    for (int i = 0; i < 4; i++) {
        weir_timer_init(&timers[i]);
        weir_wheel_arm(&wheel, &timers[i], 100 + i);
    }
    cr_assert_eq(weir_wheel_expire(&wheel, 1000), &timers[0]);
    weir_wheel_disarm(&wheel, &timers[1]);
    weir_wheel_arm(&wheel, &timers[2], 150); /* still due, but after the next */
    weir_wheel_arm(&wheel, &timers[0], 50);  /* due, and before all */
    cr_assert_eq(weir_wheel_expire(&wheel, 1000), &timers[0]);
    cr_assert_eq(weir_wheel_expire(&wheel, 1000), &timers[3]);
    cr_assert_eq(weir_wheel_expire(&wheel, 1000), &timers[2]);
    cr_assert_null(weir_wheel_expire(&wheel, 1000));
}

Test(wheel, a_leap_over_ages_expires_everything)
{
    static struct weir_timer timers[60];
    weir_wheel_init(&wheel, 1);
    for (int i = 0; i < 60; i++) {
        weir_timer_init(&timers[i]);
        weir_wheel_arm(&wheel, &timers[i], (weir_time)1 << i);
    }
    for (int i = 0; i < 60; i++)
        cr_assert_eq(weir_wheel_expire(&wheel, WEIR_NEVER - 1), &timers[i]);
    cr_assert_eq(wheel.armed, 0);
}
