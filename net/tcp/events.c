/* What happened to each connection lately: a ring of events of note (not each segment), always on, in memory of its
 * own, away from the lines that segments touch. It is read when somebody asks, or when the connection dies oddly. */
#include <inttypes.h>
#include <stdlib.h>

#include "tcp_private.h"
#include "text.h"

#define TIMES_MAX ((1u << 10) - 1)
#define AT_MASK ((UINT64_C(1) << 44) - 1)

int tcp_events_open(struct weir_tcp *tcp)
{
    tcp->rings = calloc(tcp->connections_max, sizeof(*tcp->rings)); /* pages that nobody writes to cost nothing */
    tcp->last_words = calloc(1, LAST_WORDS_MAX);
    return tcp->rings == NULL || tcp->last_words == NULL ? -ENOMEM : 0;
}

void tcp_events_close(struct weir_tcp *tcp)
{
    free(tcp->rings);
    free(tcp->last_words);
}

static struct tcp_event *newest(struct tcp_event_ring *ring, uint32_t back)
{
    return &ring->events[(ring->count - 1 - back) % EVENTS_KEPT];
}

/* The same again, or the same two in turn: a long recovery, or timeout after timeout, must not push all else out. */
static struct tcp_event *same_again(struct tcp_event_ring *ring, enum tcp_event_kind kind)
{
    for (uint32_t back = 0; back < RTE_MIN(ring->count, 2u); back++) {
        struct tcp_event *event = newest(ring, back);

        if (event->kind == E_STATE)
            return NULL;
        if (event->kind == kind)
            return event;
    }
    return NULL;
}

void tcp_note(struct weir_tcp *tcp, struct weir_tcp_connection *c, enum tcp_event_kind kind, uint32_t value)
{
    struct tcp_event_ring *ring = &tcp->rings[c->index];
    struct tcp_event *event = kind != E_STATE ? same_again(ring, kind) : NULL;
    uint64_t now_us = (uint64_t)tcp->now / 1000;

    if (event == NULL) {
        event = &ring->events[ring->count++ % EVENTS_KEPT];
        *event = (struct tcp_event){.at_us = now_us & AT_MASK, .kind = kind, .state = c->state};
    }
    if (event->times < TIMES_MAX)
        event->times++;
    event->value = value;
    event->lasted_ms = (uint32_t)(((now_us - event->at_us) & AT_MASK) / 1000);
}

/* ---- as text ---- */

static const struct {
    const char *words, *value; /* NULL: it has none */
} kinds[] = {
    [E_STATE] = {"", NULL},
    [E_RETRANSMIT] = {"sent again", "seq"},
    [E_TIMEOUT] = {"timeout", "rto_ms"},
    [E_TAIL_PROBE] = {"tail loss probe", "unacked"},
    [E_RECOVERY] = {"loss recovery begins", "unacked"},
    [E_RECOVERED] = {"loss recovery ends", "cwnd"},
    [E_WINDOW_CLOSED] = {"the peer's window closes", NULL},
    [E_WINDOW_OPENED] = {"the peer's window opens", "snd_wnd"},
    [E_WINDOW_PROBE] = {"window probe", "backoff"},
    [E_KEEPALIVE] = {"keepalive probe", NULL},
    [E_OUT_OF_ORDER] = {"came out of order", "seq"},
    [E_REPEATED] = {"came again", "seq"},
    [E_CHALLENGE] = {"challenge ACK", NULL},
    [E_OLD_TIMESTAMP] = {"dropped, its timestamp is old", "seq"},
    [E_NO_MEMORY] = {"dropped, memory is short", "seq"},
    [E_RESET_IN] = {"RST came", "seq"},
    [E_RESET_OUT] = {"RST sent", NULL},
    [E_ICMP] = {"ICMP error", "type_code"},
    [E_MTU] = {"path MTU", "mtu"},
    [E_MTU_PROBED] = {"larger segments pass", "mss"},
    [E_MTU_TOO_LARGE] = {"larger segments do not pass", "mss"},
    [E_BLACK_HOLE] = {"segments seem too large for the path", "mss"},
    [E_ECN] = {"the window shrinks for a mark", "cwnd"},
    [E_CLOSED] = {"closed by its user", NULL},
    [E_ABORTED] = {"aborted by its user", NULL},
    [E_UNREAD] = {"closed with data unread", "bytes"},
};

static void say_event(struct text *text, const struct tcp_event *event, uint64_t age_us)
{
    say(text, "  -%" PRIu64 ".%06" PRIu64 " s %s", age_us / 1000000, age_us % 1000000,
        weir_tcp_state_name((enum weir_tcp_state)event->state));
    if (event->kind != E_STATE)
        say(text, ": %s", kinds[event->kind].words);
    if (event->times > 1)
        say(text, " x%u in %u ms, at last", event->times, event->lasted_ms);
    if (kinds[event->kind].value != NULL)
        say(text, " %s:%u", kinds[event->kind].value, event->value);
    say(text, "\n");
}

static void say_events(struct text *text, const struct weir_tcp *tcp, const struct weir_tcp_connection *c,
                       weir_time now)
{
    struct tcp_event_ring *ring = &tcp->rings[c->index];

    if (ring->count > EVENTS_KEPT)
        say(text, "  (%u events before)\n", ring->count - EVENTS_KEPT);
    for (uint32_t back = RTE_MIN(ring->count, (uint32_t)EVENTS_KEPT); back-- > 0;) {
        const struct tcp_event *event = newest(ring, back);

        say_event(text, event, ((uint64_t)now / 1000 - event->at_us) & AT_MASK);
    }
}

int weir_tcp_events_format(const struct weir_tcp *tcp, weir_time now, const struct weir_tcp_connection *c, char *buffer,
                           size_t size)
{
    struct text text = {buffer, size, 0};

    if (size > 0)
        buffer[0] = '\0';
    say_events(&text, tcp, c, now);
    return (int)text.length;
}

/* ---- last words ---- */

/* A peer that resets what its user has left, or that never answered at first, is nothing to write home about. */
static bool is_odd(const struct weir_tcp_connection *c, int error)
{
    return error < 0 && c->state >= WEIR_TCP_ESTABLISHED && error != -ECONNABORTED &&
           !(error == -ECONNRESET && (c->flags & F_ORPHAN));
}

void tcp_events_end(struct weir_tcp *tcp, const struct weir_tcp_connection *c, int error)
{
    struct text text = {tcp->last_words, LAST_WORDS_MAX, 0};
    char local[WEIR_ENDPOINT_TEXT], remote[WEIR_ENDPOINT_TEXT], line[1024];
    struct weir_endpoint ours, peers;
    struct weir_tcp_info info;

    if (!is_odd(c, error))
        return;
    if (tcp->last_words_wait || tcp->last_words_s == tcp->now_s + 1) { /* one a second, and only when somebody reads */
        tcp->last_words_unsaid++;
        return;
    }
    weir_tcp_endpoints(c, &ours, &peers);
    weir_tcp_get_info(tcp, c, &info);
    (void)weir_tcp_info_format(&info, line, sizeof(line));
    say(&text, "connection %s to %s ended, %s: %s %s\n", weir_endpoint_format(&ours, local, sizeof(local)),
        weir_endpoint_format(&peers, remote, sizeof(remote)), strerror(-error), weir_tcp_state_name(info.state), line);
    say_events(&text, tcp, c, tcp->now);
    if (tcp->last_words_unsaid > 0)
        say(&text, "  (and %u others before, not written out)\n", tcp->last_words_unsaid);
    tcp->last_words[RTE_MIN(text.length, (size_t)LAST_WORDS_MAX) - 1] = '\0'; /* the last line needs no end */
    tcp->last_words_unsaid = 0;
    tcp->last_words_wait = true;
    tcp->last_words_s = tcp->now_s + 1; /* never 0 */
}

const char *weir_tcp_last_words(struct weir_tcp *tcp)
{
    if (WEIR_LIKELY(!tcp->last_words_wait))
        return NULL;
    tcp->last_words_wait = false;
    return tcp->last_words;
}
