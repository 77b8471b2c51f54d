/* The user's side of a script: the machine's calls, by their names. */
#include "run.h"
#include <stdarg.h>
#include <string.h>

/* ---- results ---- */

static int error_named(const struct script_place *place, const char *name)
{
    for (int i = 1; i < 134; i++)
        if (strerrorname_np(i) != NULL && strcmp(strerrorname_np(i), name) == 0)
            return -i;
    script_fail(place, "no error is called \"%s\"", name);
}

/* The result that the rest of the line names; nothing: success. */
static void expect_result(struct script *script, struct script_text *text, int rc)
{
    char name[32];
    int expected = script_word(text, name, sizeof(name)) ? error_named(&script->place, name) : 0;

    if (rc != expected)
        script_fail(&script->place, "the call said %s, not %s", rc == 0 ? "0" : strerrorname_np(-rc),
                    expected == 0 ? "0" : name);
}

static struct weir_tcp_connection *connection(struct script *script)
{
    if (script->c == NULL)
        script_fail(&script->place, "there is no connection in the user's hands");
    return script->c;
}

/* ---- opening ---- */

static void take_over(struct script *script)
{
    weir_tcp_set_user(script->c, script->c);
    script->w.written = script->w.read = 0;
}

static void do_listen(struct script *script, struct script_text *text)
{
    int rc;

    if (script_take(text, "backlog"))
        script->backlog = (unsigned)script_number(text);
    rc = weir_tcp_listen(script->w.tcp, script->w.port, script->backlog, script, &script->listener);
    expect_result(script, text, rc);
}

static void do_unlisten(struct script *script, struct script_text *text)
{
    weir_tcp_unlisten(script->w.tcp, script->w.now, script->listener);
    script->listener = NULL;
    script->turn = true;
}

static void do_accept(struct script *script, struct script_text *text)
{
    int rc = weir_tcp_accept(script->w.tcp, script->listener, NULL, &script->c);

    expect_result(script, text, rc);
    if (rc == 0)
        take_over(script);
}

static void do_connect(struct script *script, struct script_text *text)
{
    struct wire *w = &script->w;
    struct weir_endpoint remote = wire_remote(w, w->peer_port);
    int rc = weir_tcp_connect(w->tcp, w->now, &remote, w->port, NULL, &script->c);

    expect_result(script, text, rc);
    if (rc == 0)
        take_over(script);
    script->turn = true;
}

static void step(struct script *script, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void step(struct script *script, const char *format, ...)
{
    struct script_place place = script->place;
    va_list arguments;
    char line[256];

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    script_line(script, place.file, place.line, line);
}

/* The rest of the line: "[rtt TIME] [win N] [<options>]". */
struct handshake {
    weir_time rtt;
    unsigned window;
    char options[128];
};

static void read_handshake(struct script_text *text, struct handshake *handshake)
{
    *handshake = (struct handshake){.window = 65535};
    if (script_take(text, "rtt"))
        handshake->rtt = script_time(text);
    if (script_take(text, "win"))
        handshake->window = (unsigned)script_number(text);
    snprintf(handshake->options, sizeof(handshake->options), "%s", text->at);
    text->at += strlen(text->at);
}

/* The peer opens a connection, to ESTABLISHED and accepted. */
static void do_passive(struct script *script, struct script_text *text)
{
    struct handshake handshake;

    read_handshake(text, &handshake);
    if (script->listener == NULL)
        step(script, "listen");
    step(script, "< S 0:0(0) win %u %s", handshake.window, handshake.options);
    step(script, "> S. 0:0(0) ack 1");
    step(script, "+%dus < . 1:1(0) ack 1", (int)(handshake.rtt / 1000));
    step(script, "accept");
    (void)wire_events(&script->w, script->c);
}

/* We open one. */
static void do_active(struct script *script, struct script_text *text)
{
    struct handshake handshake;

    read_handshake(text, &handshake);
    step(script, "connect");
    step(script, "> S 0:0(0)");
    step(script, "+%dus < S. 0:0(0) ack 1 win %u %s", (int)(handshake.rtt / 1000), handshake.window, handshake.options);
    step(script, "> . 1:1(0) ack 1");
    step(script, "event CONNECTED");
}

/* ---- data ---- */

/* Packets of a full segment each, as the streams above make them; "whole": one packet of so many. */
static int queue_bytes(struct script *script, uint32_t length, bool whole)
{
    struct weir_tcp_connection *c = connection(script);
    uint32_t each = RTE_MIN(weir_tcp_mss(c), 1400u);
    struct rte_mbuf *all = NULL;
    uint64_t before = script->w.written;

    while (length > 0) {
        struct rte_mbuf *m = wire_payload(&script->w, RTE_MIN(length, each));
        int rc = 0;

        length -= m->pkt_len;
        if (all == NULL)
            all = m;
        else if (rte_pktmbuf_chain(all, m) < 0)
            script_fail(&script->place, "too many mbufs for one packet");
        if (whole && length > 0)
            continue;
        rc = weir_tcp_send(script->w.tcp, c, all);
        if (rc < 0) {
            script->w.written = before;
            rte_pktmbuf_free(all);
            return rc;
        }
        before = script->w.written;
        all = NULL;
    }
    return 0;
}

static void do_send(struct script *script, struct script_text *text)
{
    uint32_t length = (uint32_t)script_number(text);

    expect_result(script, text, queue_bytes(script, length, script_take(text, "whole")));
    script->turn = true;
}

/* "read N": so many bytes can be read now, and are those that the peer sent; "read end"; "read ERROR". */
static void do_read(struct script *script, struct script_text *text)
{
    struct weir_tcp_connection *c = connection(script);
    struct rte_mbuf *m;
    uint32_t expected, got;
    int rc;

    script->turn = true;
    if (script_take(text, "end")) {
        rc = weir_tcp_receive(script->w.tcp, c, &m);
        if (rc != 0)
            script_fail(&script->place, "this is not the end of the stream, but %d", rc);
        return;
    }
    if (*text->at >= 'A' && *text->at <= 'Z') {
        rc = weir_tcp_receive(script->w.tcp, c, &m);
        if (rc > 0)
            script_fail(&script->place, "there are %d bytes to read", rc);
        expect_result(script, text, rc);
        return;
    }
    expected = (uint32_t)script_number(text);
    got = wire_read(&script->w, c);
    if (got != expected)
        script_fail(&script->place, "%u bytes could be read, not %u", got, expected);
}

/* ---- ending ---- */

static void do_shutdown(struct script *script, struct script_text *text)
{
    expect_result(script, text, weir_tcp_shutdown(script->w.tcp, connection(script)));
    script->turn = true;
}

static void do_close(struct script *script, struct script_text *text)
{
    weir_tcp_close(script->w.tcp, script->w.now, connection(script));
    script->c = NULL;
    script->turn = true;
}

static void do_abort(struct script *script, struct script_text *text)
{
    weir_tcp_abort(script->w.tcp, script->w.now, connection(script));
    script->c = NULL;
    script->turn = true;
}

/* ---- settings of a connection ---- */

static bool on_or_off(struct script_text *text)
{
    if (script_take(text, "on"))
        return true;
    if (!script_take(text, "off"))
        script_fail(text->place, "\"on\" or \"off\" is missing");
    return false;
}

static void apply(struct script *script)
{
    weir_tcp_set(script->w.tcp, script->w.now, connection(script), &script->settings);
    script->turn = true;
}

static void do_nagle(struct script *script, struct script_text *text)
{
    script->settings.nagle = on_or_off(text);
    apply(script);
}

/* "keepalive IDLE INTERVAL COUNT". */
static void do_keepalive(struct script *script, struct script_text *text)
{
    script->settings.keepalive_idle = script_time(text);
    script->settings.keepalive_interval = script_time(text);
    script->settings.keepalive_count = (unsigned)script_number(text);
    apply(script);
}

static void do_user_timeout(struct script *script, struct script_text *text)
{
    script->settings.user_timeout = script_time(text);
    apply(script);
}

/* ---- what became of it ---- */

/* Of one that the user does not hold (any more, or yet). */
static const char *unheld_state(struct script *script)
{
    unsigned connections = weir_tcp_stats(script->w.tcp)->connections;

    if (connections == 0)
        return script->listener != NULL ? "LISTEN" : "CLOSED";
    if (script->listener != NULL && weir_tcp_accept(script->w.tcp, script->listener, NULL, &script->c) == 0) {
        take_over(script);
        return weir_tcp_state_name(weir_tcp_state(script->c));
    }
    return weir_tcp_unfinished(script->w.tcp) == 0 ? "TIME_WAIT" : script->listener != NULL ? "SYN_RECEIVED" : "open";
}

void script_state(struct script *script, struct script_text *text)
{
    char expected[32], error[32] = "";
    const char *state;
    int rc;

    if (!script_word(text, expected, sizeof(expected)))
        script_fail(&script->place, "which state?");
    (void)script_word(text, error, sizeof(error));
    state = script->c != NULL ? weir_tcp_state_name(weir_tcp_state(script->c)) : unheld_state(script);
    if (strcmp(state, expected) != 0)
        script_fail(&script->place, "the state is %s, not %s", state, expected);
    rc = script->c != NULL ? weir_tcp_error(script->c) : 0;
    if (rc != (error[0] != 0 ? error_named(&script->place, error) : 0))
        script_fail(&script->place, "the connection's error is %s, not %s", rc < 0 ? strerrorname_np(-rc) : "none",
                    error[0] != 0 ? error : "none");
}

static unsigned event_named(const struct script_place *place, const char *name)
{
    static const char *const names[] = {"READABLE", "WRITABLE", "CONNECTED", "FAILED", "ACCEPTABLE"};

    for (unsigned i = 0; i < RTE_DIM(names); i++)
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    if (strcmp(name, "none") != 0)
        script_fail(place, "no event is called \"%s\"", name);
    return 0;
}

/* "event NAME..." or "event none": what was reported of this connection since the last time. */
static void do_event(struct script *script, struct script_text *text)
{
    unsigned expected = 0, seen = wire_events(&script->w, connection(script));
    char name[32];

    while (script_word(text, name, sizeof(name)))
        expected |= event_named(&script->place, name);
    if (seen != expected)
        script_fail(&script->place, "events %#x were reported, not %#x", seen, expected);
}

/* ---- several peers ---- */

static void put_away(const struct script *script, struct script_peer *peer)
{
    const struct wire *w = &script->w;

    *peer = (struct script_peer){.port = w->peer_port,
                                 .iss = w->iss,
                                 .isn = w->isn,
                                 .c = script->c,
                                 .written = w->written,
                                 .read = w->read,
                                 .mss = w->peer_mss,
                                 .scale = w->peer_scale,
                                 .timestamps = w->timestamps,
                                 .sack = w->sack,
                                 .ts_echo = w->ts_echo,
                                 .window = w->window,
                                 .ts_known = script->ts_known,
                                 .ts_first = script->ts_first};
}

static void take_up(struct script *script, const struct script_peer *peer)
{
    struct wire *w = &script->w;

    w->peer_port = peer->port;
    w->iss = peer->iss;
    w->isn = peer->isn;
    w->written = peer->written;
    w->read = peer->read;
    w->peer_mss = peer->mss;
    w->peer_scale = peer->scale;
    w->timestamps = peer->timestamps;
    w->sack = peer->sack;
    w->ts_echo = peer->ts_echo;
    w->window = peer->window;
    script->c = peer->c;
    script->ts_known = peer->ts_known;
    script->ts_first = peer->ts_first;
}

/* "peer N": from here on another one is played (0 to 3), with a port and a connection of its own. */
static void do_peer(struct script *script, struct script_text *text)
{
    put_away(script, &script->peers[script->peer]);
    script->peer = (unsigned)script_number(text);
    if (script->peer >= SCRIPT_PEERS)
        script_fail(&script->place, "peers are 0 to %d", SCRIPT_PEERS - 1);
    take_up(script, &script->peers[script->peer]);
}

/* ---- */

bool script_call(struct script *script, struct script_text *text)
{
    static const struct {
        const char *name;
        void (*call)(struct script *script, struct script_text *text);
    } calls[] = {{"listen", do_listen},       {"unlisten", do_unlisten}, {"accept", do_accept},
                 {"connect", do_connect},     {"passive", do_passive},   {"active", do_active},
                 {"send", do_send},           {"read", do_read},         {"shutdown", do_shutdown},
                 {"close", do_close},         {"abort", do_abort},       {"nagle", do_nagle},
                 {"keepalive", do_keepalive}, {"state", script_state},   {"user_timeout", do_user_timeout},
                 {"event", do_event},         {"peer", do_peer},         {"bulk", script_bulk},
                 {"loss", script_loss}};

    for (unsigned i = 0; i < RTE_DIM(calls); i++)
        if (script_take(text, calls[i].name)) {
            while (*text->at == ' ')
                text->at++;
            calls[i].call(script, text);
            return true;
        }
    return false;
}
