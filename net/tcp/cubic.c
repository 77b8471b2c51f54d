/* CUBIC: RFC 9438. Windows are in bytes; C is in segments a cubed second, so that the segment's size comes in where the
 * cubic function is formed. */
#include <math.h>

#include "tcp_private.h"

#define BETA 0.7f                           /* section 4.6 */
#define C 0.4f                              /* section 5 */
#define ALPHA (3 * (1 - BETA) / (1 + BETA)) /* section 4.3: as Reno's average, for our beta */

static uint32_t microseconds(weir_time now)
{
    return (uint32_t)((uint64_t)now /
                      1000); /* the stages that are measured by it last seconds, it wraps after 71 min */
}

static float rtt_s(const struct weir_tcp_connection *c)
{
    return (float)c->srtt8_us / 8e6f;
}

static void init(struct weir_tcp_connection *c)
{
    c->cwnd = tcp_initial_window(c);
    c->ssthresh = UINT32_MAX;
    c->cc_acked = 0;
    memset(&c->cc, 0, sizeof(c->cc));
}

/* A stage of congestion avoidance begins: section 4.2. Without a loss before it (slow start ended at ssthresh) the
 * plateau is here. */
static void begin_epoch(struct weir_tcp_connection *c, uint32_t now_us)
{
    float cwnd = (float)c->cwnd;

    if (c->cc.cubic.w_max < cwnd)
        c->cc.cubic.w_max = cwnd;
    c->cc.cubic.k_s = cbrtf((c->cc.cubic.w_max - cwnd) / (float)c->mss / C);
    c->cc.cubic.w_est = cwnd;
    c->cc.cubic.rest = 0;
    c->cc.cubic.epoch_us = now_us;
    c->cc.cubic.in_epoch = true;
}

/* Time in which the window was not the limit does not count: section 5.8. */
static void leave_pauses_out(struct weir_tcp_connection *c, uint32_t now_us)
{
    uint32_t gap = now_us - c->cc.cubic.last_us, normal = c->srtt8_us / 4 + 1000; /* two round trips */

    if (c->cc.cubic.in_epoch && gap > normal)
        c->cc.cubic.epoch_us += gap - normal;
    c->cc.cubic.last_us = now_us;
}

/* Section 4.2: W_cubic(t). */
static float w_cubic(const struct weir_tcp_connection *c, float t)
{
    float from_plateau = t - c->cc.cubic.k_s;

    return C * from_plateau * from_plateau * from_plateau * (float)c->mss + c->cc.cubic.w_max;
}

/* Section 4.3: what Reno would have. */
static void grow_estimate(struct weir_tcp_connection *c, uint32_t acked)
{
    float alpha = c->cc.cubic.w_est >= (float)c->cc.cubic.cwnd_prior ? 1 : ALPHA;

    c->cc.cubic.w_est += alpha * (float)c->mss * (float)acked / (float)c->cwnd;
}

static void avoid_congestion(struct weir_tcp_connection *c, uint32_t acked, uint32_t now_us)
{
    float cwnd = (float)c->cwnd, t, target, grown;

    if (!c->cc.cubic.in_epoch)
        begin_epoch(c, now_us);
    t = (float)(now_us - c->cc.cubic.epoch_us) / 1e6f;
    grow_estimate(c, acked);
    if (w_cubic(c, t) < c->cc.cubic.w_est) { /* the Reno-friendly region */
        grown = RTE_MAX(c->cc.cubic.w_est, cwnd) - cwnd;
    } else { /* concave, and then convex: sections 4.4 and 4.5 */
        target = RTE_MIN(RTE_MAX(w_cubic(c, t + rtt_s(c)), cwnd), 1.5f * cwnd);
        grown = (target - cwnd) * RTE_MIN((float)acked / cwnd, 1.0f);
    }
    grown += c->cc.cubic.rest;
    c->cwnd += (uint32_t)grown;
    c->cc.cubic.rest = grown - (float)(uint32_t)grown;
}

static void on_ack(struct weir_tcp_connection *c, uint32_t acked, weir_time now)
{
    uint32_t now_us = microseconds(now);

    if (c->cwnd >= UINT32_MAX / 4) /* far beyond any window that a peer can offer */
        return;
    leave_pauses_out(c, now_us);
    if (c->cwnd < c->ssthresh)
        acked = tcp_slow_start(c, acked);
    if (acked > 0 && c->cwnd >= c->ssthresh)
        avoid_congestion(c, acked, now_us);
}

/* Sections 4.6 and 4.7: the plateau is where the loss was, or below it if it was nearer than the last one (fast
 * convergence: others want more). */
static void on_loss(struct weir_tcp_connection *c, weir_time now)
{
    float cwnd = (float)c->cwnd;

    c->cc.cubic.w_max = cwnd < c->cc.cubic.w_max ? cwnd * (1 + BETA) / 2 : cwnd;
    c->cc.cubic.cwnd_prior = c->cwnd;
    c->cc.cubic.in_epoch = false;
    c->ssthresh = RTE_MAX((uint32_t)((float)tcp_flight_at_loss(c) * BETA), 2u * c->mss);
}

static void on_unused(struct weir_tcp_connection *c)
{
    c->cc.cubic.in_epoch = false; /* section 5.8: what the curve began with is past */
}

const struct weir_tcp_congestion weir_tcp_cubic = {
    .name = "cubic", .init = init, .on_ack = on_ack, .on_loss = on_loss, .on_unused = on_unused};
