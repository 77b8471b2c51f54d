/* One line of a script: when it is, and what. */
#include "run.h"

#define TOLERANCE WEIR_MILLISECONDS(1) /* timestamps, and with them some timers, count milliseconds */

void script_begin(struct script *script)
{
    memset(script, 0, sizeof(*script));
    wire_init(&script->w);
    script->w.timestamps = false;
    script->w.peer_scale = -1;
    script->w.peer_mss = 1000;
    script->backlog = 8;
    for (unsigned i = 0; i < SCRIPT_PEERS; i++)
        script->peers[i] = (struct script_peer){.port = (uint16_t)(script->w.peer_port + i),
                                                .isn = script->w.isn + i * 0x10000000,
                                                .mss = 1000,
                                                .scale = -1,
                                                .window = script->w.window};
}

void script_open(struct script *script)
{
    if (script->open)
        return;
    script->open = true;
    script->began = script->w.now;
    wire_open(&script->w);
}

void script_flush(struct script *script)
{
    if (!script->turn)
        return;
    script->turn = false;
    wire_flush(&script->w);
}

void script_expect_nothing(struct script *script)
{
    struct wire *w = &script->w;
    struct wire_seen seen;
    char text[512];

    if (!wire_next(w, &seen))
        return;
    script_fail(&script->place, "expected nothing\n    came out %.3f s into the case: > %s",
                (double)(seen.at - script->began) / 1e9, script_seen(&seen, text, sizeof(text)));
}

/* ---- time ---- */

static bool something_came_out(const struct script *script)
{
    return script->w.sent_taken < script->w.sent_count;
}

/* Moves time forward, turn by turn as deadlines come; to `until`, or, with `watch`, until something comes out. */
static void run_until(struct script *script, weir_time until, bool watch)
{
    struct wire *w = &script->w;
    weir_time next;

    while (!(watch && something_came_out(script)) && (next = weir_tcp_next_deadline(w->tcp)) <= until) {
        w->now = RTE_MAX(w->now, next);
        weir_tcp_timers(w->tcp, w->now);
        wire_flush(w);
    }
    if (!(watch && something_came_out(script)))
        w->now = until;
}

void script_pass(struct script *script, weir_time time)
{
    run_until(script, script->w.now + time, false);
}

/* "+T" or "+A..B" in front of a line. What came out before and was not looked at is a fault. */
static void pass_time(struct script *script, struct script_text *text)
{
    weir_time now = script->w.now, from = now + script_time(text), to = from;
    bool range = script_take(text, ".."), watch;

    if (range)
        to = now + script_time(text);
    if (to < from)
        script_fail(&script->place, "a range of times that ends before it begins");
    watch = script_take(text, ">");
    if (!watch && range)
        script_fail(&script->place, "a range of times is for what comes out");
    if (from > now)
        script_expect_nothing(script);
    if (!watch) {
        run_until(script, to, false);
        return;
    }
    if (!range && to > now) {
        from -= TOLERANCE;
        to += TOLERANCE;
    }
    run_until(script, to, true);
    script_comes_out(script, text, from, to);
}

/* ---- a line ---- */

static void do_line(struct script *script, struct script_text *text)
{
    if (script_take(text, "set")) {
        script_set(script, text);
        return;
    }
    script_open(script);
    if (!script_take(text, "&"))
        script_flush(script);
    if (script_take(text, "+"))
        pass_time(script, text);
    if (*text->at == 0)
        return;
    if (script_take(text, "<"))
        script_arrives(script, text);
    else if (script_take(text, ">"))
        script_comes_out(script, text, script->w.now, script->w.now);
    else if (script_take(text, "nothing"))
        script_expect_nothing(script);
    else if (script_take(text, "icmp"))
        script_icmp(script, text);
    else if (script_take(text, "info"))
        script_info(script, text);
    else if (script_take(text, "stat"))
        script_stat(script, text);
    else if (!script_call(script, text))
        script_fail(&script->place, "no line begins like \"%s\"", text->at);
}

void script_line(struct script *script, const char *file, int number, const char *line)
{
    struct script_text text = {.place = &script->place, .at = line};

    script->place = (struct script_place){file, number};
    do_line(script, &text);
    script_end(&text);
}

void script_finish(struct script *script)
{
    script_open(script);
    script_flush(script);
    script_expect_nothing(script);
    wire_close(&script->w);
}
