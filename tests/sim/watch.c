#include "watch.h"
#include "../../net/tcp/tcp_private.h"

#define LATE WEIR_MILLISECONDS(2) /* the wheel's grain */

static bool waits(const struct weir_tcp_connection *c)
{
    return c->snd_una != c->snd_max || c->send_next != NULL || ((c->flags & F_FIN) && !tcp_fin_sent(c));
}

/* The longest that a timer may run: what is known of the round trip, doubled with each time it ran out (RFC 6298
 * section 5.5: rto_us has doubled already; probes of a window double for themselves), and never beyond a minute (2.5).
 */
static weir_time timeout(const struct weir_tcp_connection *c)
{
    uint64_t us = (uint64_t)c->rto_us << RTE_MIN(c->backoff, 20u);

    return (weir_time)RTE_MIN(us, RTO_MAX_US) * 1000;
}

/* A timer that was started since the last look is held against the timeout of then and of now: in between the round
 * trip may have been measured anew. */
static bool runs_too_long(struct watch *watch, const struct weir_tcp_connection *c, weir_time now)
{
    struct watched_timer *known = &watch->timers[c->index % WATCH_CONNECTIONS];
    weir_time longest = RTE_MAX(timeout(c), known->timeout);
    bool anew = known->due != c->rtx_at;

    *known = (struct watched_timer){c->rtx_at, timeout(c)};
    return anew && c->rtx_at > now + longest + LATE;
}

static const char *look(struct watch *watch, const struct weir_tcp_connection *c, weir_time now)
{
    if (c->state == WEIR_TCP_CLOSED || c->state == WEIR_TCP_TIME_WAIT || !waits(c))
        return NULL;
    watch->timeouts_most = RTE_MAX(watch->timeouts_most, c->unanswered);
    if (c->unanswered >= (c->state < WEIR_TCP_ESTABLISHED ? SYN_RETRIES : ORPHAN_RETRIES))
        watch->gave_up = true;
    if (c->rto_us > RTO_MAX_US)
        return "a timeout is longer than a minute";
    if (c->flags & F_DIRTY) /* no packet to send with: at the next turn */
        return NULL;
    if (!(c->flags & F_RTX) || !(c->flags & F_TIMER))
        return "something waits, and no timer runs";
    if (runs_too_long(watch, c, now))
        return "a timer runs for longer than the timeout";
    if (c->rtx_at + LATE < watch->looked)
        return "a timer was due, and did not run";
    return NULL;
}

const char *watch_look(struct watch *watch, struct weir_stack *stack, weir_time now)
{
    const struct weir_tcp *tcp = weir_stack_tcp(stack);
    const char *wrong = NULL;

    if (watch->looked == now)
        return NULL;
    for (uint32_t i = 0; i < tcp->connections_max && wrong == NULL; i++)
        wrong = look(watch, &tcp->connections[i], now);
    watch->looked = now;
    return wrong;
}
