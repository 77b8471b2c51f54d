/* What a bad wire does to packets, from a seed. */
#include "fault_line.h"
#include <stdlib.h>

enum { REORDER_BY = 3, QUEUE = 1000 };
#define REORDER_WAIT WEIR_MILLISECONDS(10)
#define NANOSECONDS_PER_SECOND 1000000000ull

/* All that is random about one packet. Each packet draws the same number of times whatever befalls it and whatever is
 * switched on, so that the fate of the n-th packet depends on the seed and on n, and on nothing else. */
struct draws {
    double loss, duplicate, reorder, corrupt, jitter;
    uint64_t bit;
};

static struct draws draw(struct weir_rng *rng)
{
    struct draws drawn;

    drawn.loss = weir_rng_double(rng);
    drawn.duplicate = weir_rng_double(rng);
    drawn.reorder = weir_rng_double(rng);
    drawn.corrupt = weir_rng_double(rng);
    drawn.jitter = weir_rng_double(rng);
    drawn.bit = weir_rng_next(rng);
    return drawn;
}

int fault_line_init(struct fault_line *line, const struct weir_fault *fault, struct rte_mempool *pool,
                    unsigned held_max, uint64_t seed)
{
    *line = (struct fault_line){.pool = pool, .held_max = held_max};
    if (fault != NULL)
        line->fault = *fault;
    line->busy_until = INT64_MIN;
    weir_rng_seed(&line->rng, seed);
    line->held = calloc(held_max, sizeof(*line->held));
    return line->held == NULL ? -ENOMEM : 0;
}

void fault_line_free(struct fault_line *line)
{
    for (; line->head < line->tail; line->head++)
        rte_pktmbuf_free(line->held[line->head % line->held_max].packet);
    for (unsigned i = 0; i < line->aside_count; i++)
        rte_pktmbuf_free(line->aside[i].packet);
    free(line->held);
}

/* ---- corruption ---- */

/* Returns a packet of the same bytes that nobody else holds, taking m; NULL when the pool is empty. */
static struct rte_mbuf *make_private(struct rte_mempool *pool, struct rte_mbuf *m)
{
    struct rte_mbuf *copy;

    if (RTE_MBUF_DIRECT(m) && m->nb_segs == 1 && rte_mbuf_refcnt_read(m) == 1)
        return m;
    copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
    rte_pktmbuf_free(m);
    return copy;
}

static void flip_bit(struct rte_mbuf *m, uint64_t random)
{
    uint64_t bit = (uint64_t)((unsigned __int128)random * ((uint64_t)m->pkt_len * 8) >> 64);
    uint64_t byte = bit / 8;

    for (; byte >= m->data_len; m = m->next)
        byte -= m->data_len;
    *rte_pktmbuf_mtod_offset(m, uint8_t *, byte) ^= (uint8_t)(1u << bit % 8);
}

/* ---- the way in ---- */

/* Returns when the packet leaves the bottleneck; false when its queue is full. */
static bool pass_bottleneck(struct fault_line *line, weir_time now, uint32_t bytes, weir_time *departs)
{
    const struct weir_fault *fault = &line->fault;

    while (line->departed < line->tail && line->held[line->departed % line->held_max].departs <= now)
        line->departed++;
    *departs = now;
    if (fault->bits_per_second == 0)
        return true;
    if (line->tail - line->departed >= (fault->queue != 0 ? fault->queue : QUEUE))
        return false;
    if (line->busy_until > now)
        *departs = line->busy_until;
    *departs += (weir_time)((uint64_t)bytes * 8 * NANOSECONDS_PER_SECOND / fault->bits_per_second);
    line->busy_until = *departs;
    return true;
}

static void hold(struct fault_line *line, weir_time now, struct rte_mbuf *m, weir_time jitter, bool reorder)
{
    struct held *held = &line->held[line->tail % line->held_max];
    weir_time departs;

    if (line->tail - line->head == line->held_max || !pass_bottleneck(line, now, m->pkt_len, &departs)) {
        line->stats.queue_dropped++;
        rte_pktmbuf_free(m);
        return;
    }
    *held = (struct held){.packet = m, .departs = departs, .reorder = reorder};
    held->due = departs + line->fault.delay + jitter;
    line->tail++;
}

static bool is_lost(const struct weir_fault *fault, weir_time now, double drawn)
{
    return drawn < fault->loss || (now >= fault->blackout_from && now < fault->blackout_until);
}

void fault_line_put(struct fault_line *line, weir_time now, struct rte_mbuf *m)
{
    const struct weir_fault *fault = &line->fault;
    struct draws drawn = draw(&line->rng);
    weir_time jitter = (weir_time)((double)fault->jitter * drawn.jitter);
    struct rte_mbuf *twin = NULL;

    if (is_lost(fault, now, drawn.loss)) {
        line->stats.lost++;
        rte_pktmbuf_free(m);
        return;
    }
    if (drawn.corrupt < fault->corrupt && m->pkt_len > 0) {
        m = make_private(line->pool, m);
        if (m == NULL) { /* no packet to corrupt it in */
            line->stats.lost++;
            return;
        }
        flip_bit(m, drawn.bit);
        line->stats.corrupted++;
    }
    if (drawn.duplicate < fault->duplicate)
        twin = rte_pktmbuf_copy(m, line->pool, 0, UINT32_MAX);
    hold(line, now, m, jitter, drawn.reorder < fault->reorder);
    if (twin != NULL) {
        line->stats.duplicated++;
        hold(line, now, twin, jitter, false);
    }
}

/* ---- the way out ---- */

static struct rte_mbuf *take_aside(struct fault_line *line, weir_time now)
{
    for (unsigned i = 0; i < line->aside_count; i++) {
        struct rte_mbuf *m = line->aside[i].packet;

        if (line->aside[i].to_pass > 0 && line->aside[i].until > now)
            continue;
        line->aside_count--;
        for (; i < line->aside_count; i++)
            line->aside[i] = line->aside[i + 1];
        return m;
    }
    return NULL;
}

static void put_aside(struct fault_line *line, const struct held *held)
{
    line->stats.reordered++;
    line->aside[line->aside_count++] =
        (struct aside){.packet = held->packet,
                       .until = held->due + REORDER_WAIT,
                       .to_pass = line->fault.reorder_by != 0 ? line->fault.reorder_by : REORDER_BY};
}

static struct rte_mbuf *take_next(struct fault_line *line, weir_time now)
{
    struct rte_mbuf *m = take_aside(line, now);

    while (m == NULL) {
        struct held *held = &line->held[line->head % line->held_max];

        if (line->head == line->tail || held->due > now)
            return NULL;
        line->head++;
        if (line->departed < line->head)
            line->departed = line->head;
        if (held->reorder && line->aside_count < ASIDE_MAX) {
            put_aside(line, held);
            continue;
        }
        for (unsigned i = 0; i < line->aside_count; i++)
            if (line->aside[i].to_pass > 0)
                line->aside[i].to_pass--;
        m = held->packet;
    }
    return m;
}

unsigned fault_line_take(struct fault_line *line, weir_time now, struct rte_mbuf **packets, unsigned n)
{
    unsigned taken;

    for (taken = 0; taken < n; taken++) {
        packets[taken] = take_next(line, now);
        if (packets[taken] == NULL)
            break;
    }
    line->stats.passed += taken;
    return taken;
}

weir_time fault_line_deadline(const struct fault_line *line)
{
    weir_time deadline = line->head < line->tail ? line->held[line->head % line->held_max].due : WEIR_NEVER;

    for (unsigned i = 0; i < line->aside_count; i++) {
        weir_time until = line->aside[i].to_pass > 0 ? line->aside[i].until : INT64_MIN;

        if (until < deadline)
            deadline = until;
    }
    return deadline;
}
