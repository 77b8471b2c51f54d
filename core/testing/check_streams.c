/* Checks of streams: the runner, and how single calls are made and judged. */
#include "check_private.h"
#include <stdarg.h>
#include <string.h>

/* ---- telling ---- */

static void report_to_stderr(void *arg, const char *violation)
{
    fprintf(stderr, "weir: %s\n", violation);
}

int weir_check_violated(struct checker *c, const char *format, ...)
{
    char text[256];
    int used = snprintf(text, sizeof text, "%s%s: ", c->title, c->backwards ? ", backwards" : "");
    va_list arguments;
    va_start(arguments, format);
    if (used >= 0 && used < (int)sizeof text)
        vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
    va_end(arguments);
    c->report(c->arg, text);
    c->violations++;
    return -EPROTO;
}

/* ---- a call ---- */

static const char *const op_names[] = {[SEND_ALL] = "send_all",
                                       [RECEIVE_SOME] = "receive_some",
                                       [WAIT_SEND] = "wait_send_all_might_not_block",
                                       [SEND_EOF] = "send_eof",
                                       [CLOSE] = "close",
                                       [CLOSE_FORCEFULLY] = "close, forcefully",
                                       [ABORT] = "abort"};

static int receive(struct weir_stream *stream, struct call *call)
{
    memset(call->got, '~', sizeof call->got);
    int n = weir_receive_some(stream, call->got, call->size);
    if (n > (int)call->size)
        return weir_check_violated(call->c, "receive_some of %zu bytes answers %d", call->size, n);
    for (size_t i = call->size; i < sizeof call->got; i++)
        if (call->got[i] != '~')
            return weir_check_violated(call->c, "receive_some writes past the %zu bytes", call->size);
    return n;
}

/* A closed stream of a kind that dies is forgotten before others get to run. */
static struct weir_stream *let_go(struct call *call)
{
    struct weir_stream *stream = call->c->ends[call->end];
    if (call->c->maker->dies_at_close)
        call->c->ends[call->end] = NULL;
    return stream;
}

static int make_call(struct call *call)
{
    struct weir_stream *stream = call->c->ends[call->end];
    switch (call->op) {
    case SEND_ALL:
        return weir_send_all(stream, call->data, call->size);
    case RECEIVE_SOME:
        return receive(stream, call);
    case WAIT_SEND:
        return weir_wait_send_all_might_not_block(stream);
    case SEND_EOF:
        return weir_send_eof(stream);
    case CLOSE:
        return weir_stream_close(let_go(call));
    case CLOSE_FORCEFULLY:
        weir_stream_close_forcefully(let_go(call));
        return 0;
    case ABORT:
        weir_stream_abort(let_go(call));
        return 0;
    }
    return -EINVAL;
}

static void judge_points(struct call *call, const struct weir_points *points)
{
    bool both = points->cancel_points != 0 && points->schedule_points != 0;
    bool none = points->cancel_points == 0 && points->schedule_points == 0;
    if (call->op == ABORT && !none)
        call->result = weir_check_violated(call->c, "abort is a checkpoint");
    if (call->op != ABORT && call->result >= 0 && !both)
        call->result = weir_check_violated(call->c, "%s is no checkpoint: %s", op_names[call->op],
                                           points->cancel_points == 0 ? "it does not ask whether it is cancelled"
                                                                      : "others could not run");
}

int weir_check_call(struct call *call)
{
    struct weir_points points;
    int rc = 0;
    call->result = UNFINISHED;
    if (call->last)
        WEIR_TRY(weir_wait_all_tasks_blocked(0));
    weir_points_begin(&points, WEIR_SITE("weir_check_stream"));
    call->result = make_call(call);
    rc = weir_points_end(&points, rc);
    if (rc < 0)
        return call->result = weir_check_violated(call->c, "%s leaves a cancel scope open", op_names[call->op]);
    judge_points(call, &points);
    return call->result;
}

int weir_check_call_task(void *arg)
{
    struct call *first = arg;
    for (struct call *call = first; call != NULL; call = call->next)
        if (weir_check_call(call) < 0)
            break;
    if (first->nursery != NULL)
        weir_nursery_cancel(first->nursery);
    return 0;
}

/* Whether it was cancelled because the check's patience is over, or somebody cancelled all the checks. */
static bool is_over(const struct call *call)
{
    if (call->result != -ECANCELED || !call->c->patience.effectively_cancelled)
        return false;
    if (call->c->stuck == NULL)
        call->c->stuck = op_names[call->op];
    return true;
}

int weir_check_both(struct call *a, struct call *b, bool first_ends_both)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        a->nursery = b->nursery = first_ends_both ? &nursery : NULL;
        weir_start_soon(&nursery, weir_check_call_task, a);
        weir_start_soon(&nursery, weir_check_call_task, b);
    }
    WEIR_TRY(rc);
    for (int i = 0; i < 2; i++)
        for (const struct call *call = i == 0 ? a : b; call != NULL; call = call->next)
            if (is_over(call))
                return -ECANCELED;
    return weir_checkpoint_if_cancelled();
}

int weir_check_cancelled_while_waiting(struct call *call)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, weir_check_call_task, call);
        rc = weir_wait_all_tasks_blocked(0);
        if (rc == 0 && call->result != UNFINISHED)
            rc = weir_check_violated(call->c, "%s does not wait", op_names[call->op]);
        weir_nursery_cancel(&nursery);
    }
    WEIR_TRY(rc);
    return weir_check_want(call, -ECANCELED);
}

/* ---- what is wanted of it ---- */

static const char *name(int code)
{
    return weir_error_name(code < 0 ? code : 0);
}

int weir_check_want(const struct call *call, int code)
{
    if (call->result == code)
        return 0;
    if (is_over(call))
        return -ECANCELED;
    if (call->result == -EPROTO)
        return -EPROTO; /* it was told already */
    if (call->result == UNFINISHED)
        return weir_check_violated(call->c, "%s was not made, as the one before failed", op_names[call->op]);
    if (call->result > 0)
        return weir_check_violated(call->c, "%s: wanted %s, but there are %d bytes", op_names[call->op], name(code),
                                   call->result);
    if (call->op == RECEIVE_SOME && (code == 0 || call->result == 0))
        return weir_check_violated(call->c, "%s: wanted %s, got %s", op_names[call->op],
                                   code == 0 ? "the end" : name(code),
                                   call->result == 0 ? "the end" : name(call->result));
    return weir_check_violated(call->c, "%s: wanted %s, got %s", op_names[call->op], name(code), name(call->result));
}

int weir_check_want_bytes(const struct call *call, const char *bytes)
{
    int length = (int)strlen(bytes);
    if (call->result == length && memcmp(call->got, bytes, (size_t)length) == 0)
        return 0;
    if (call->result <= 0 && length > 0)
        return weir_check_want(call, length);
    return weir_check_violated(call->c, "receive_some: wanted \"%s\", got \"%.*s\"", bytes, call->result, call->got);
}

static bool is_broken(int code)
{
    return code == -EPIPE || code == -ECONNRESET || code == -ETIMEDOUT;
}

int weir_check_want_broken(const struct call *call)
{
    return is_broken(call->result) ? 0 : weir_check_want(call, -EPIPE);
}

int weir_check_want_broken_or(const struct call *call, int code)
{
    return is_broken(call->result) ? 0 : weir_check_want(call, code);
}

int weir_check_expect(struct call *call, int code)
{
    weir_check_call(call);
    return weir_check_want(call, code);
}

int weir_check_expect_cancelled(struct call *call)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_check_expect(call, -ECANCELED);
    }
    return rc;
}

int weir_check_one_is_busy(struct call *a, struct call *b)
{
    WEIR_TRY(weir_check_both(a, b, true));
    const struct call *other = a->result == -EBUSY ? b : a;
    if (a->result == -EBUSY || b->result == -EBUSY)
        return weir_check_want(other, -ECANCELED);
    return weir_check_violated(a->c, "%s and %s at once: wanted %s of one, got %s and %s", op_names[a->op],
                               op_names[b->op], name(-EBUSY), name(a->result), name(b->result));
}

int weir_check_sends_a_byte(struct checker *c)
{
    struct call send = SEND("x"), receive = RECEIVE(1);
    WEIR_TRY(weir_check_both(&send, &receive, false));
    WEIR_TRY(weir_check_want(&send, 0));
    return weir_check_want_bytes(&receive, "x");
}

int weir_check_breaks(struct checker *c)
{
    static const char bytes[100];
    struct call call = {.c = c, .op = SEND_ALL, .end = SENDER, .data = bytes, .size = sizeof bytes};
    for (int i = 0; i < 100000; i++)
        if (weir_check_call(&call) != 0)
            return weir_check_want_broken(&call);
    return weir_check_violated(c, "10 MB were sent to nobody, and it is not broken");
}

/* ---- the runner ---- */

static int make_pair(struct checker *c, bool clogged)
{
    const struct weir_stream_maker *maker = c->maker;
    struct weir_stream *ends[2];
    int rc = clogged ? maker->make_clogged(maker->arg, ends) : maker->make(maker->arg, ends);
    if (rc < 0)
        return rc;
    c->ends[SENDER] = ends[c->backwards];
    c->ends[RECEIVER] = ends[!c->backwards];
    return 0;
}

/* `made`: the same two, which `ends` may know no more. */
static void free_pair(struct checker *c, struct weir_stream *const made[2])
{
    struct weir_stream *ends[2] = {made[c->backwards], made[!c->backwards]};
    for (int i = 0; i < 2; i++)
        if (c->ends[i] != NULL)
            weir_stream_abort(c->ends[i]);
    if (c->maker->free != NULL)
        c->maker->free(c->maker->arg, ends);
}

static int run_check(struct checker *c, const struct check *check)
{
    weir_time patience = c->maker->patience != 0 ? c->maker->patience : WEIR_SECONDS(60);
    unsigned before = c->violations;
    int rc = 0;
    c->title = check->title;
    c->stuck = NULL;
    WEIR_TRY(make_pair(c, check->clogged));
    struct weir_stream *made[2] = {c->ends[0], c->ends[1]};
    weir_move_on_after (&c->patience, patience, rc) {
        rc = check->run(c);
    }
    if (c->patience.cancelled_caught)
        weir_check_violated(c, "it does not end%s%s", c->stuck != NULL ? ", but waits in " : "",
                            c->stuck != NULL ? c->stuck : "");
    else if (rc < 0 && rc != -ECANCELED && c->violations == before)
        weir_check_violated(c, "%s", weir_error_name(rc));
    free_pair(c, made);
    return rc == -ECANCELED ? rc : 0;
}

int weir_check_all(struct checker *c, const struct check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!checks[i].clogged || c->maker->make_clogged != NULL)
            WEIR_TRY(run_check(c, &checks[i]));
    return weir_checkpoint();
}

static int check_one_way(struct checker *c)
{
    return weir_check_all(c, weir_checks_one_way, weir_checks_one_way_count);
}

static int check_two_way(struct checker *c)
{
    for (int i = 0; i < 2; i++) {
        c->backwards = i == 1;
        WEIR_TRY(check_one_way(c));
        WEIR_TRY(weir_check_all(c, weir_checks_two_way, weir_checks_two_way_count));
    }
    return 0;
}

static int check_half_closeable(struct checker *c)
{
    WEIR_TRY(check_two_way(c));
    for (int i = 0; i < 2; i++) {
        c->backwards = i == 1;
        WEIR_TRY(weir_check_all(c, weir_checks_half_closeable, weir_checks_half_closeable_count));
    }
    return 0;
}

static int run_all(const struct weir_stream_maker *maker, weir_check_report *report, void *arg,
                   int (*all)(struct checker *c))
{
    struct checker c = {.maker = maker, .report = report != NULL ? report : report_to_stderr, .arg = arg};
    WEIR_TRY(all(&c));
    return c.violations > 0 ? -EPROTO : 0;
}

int weir_check_one_way_stream(const struct weir_stream_maker *maker, weir_check_report *report, void *arg)
{
    return run_all(maker, report, arg, check_one_way);
}

int weir_check_two_way_stream(const struct weir_stream_maker *maker, weir_check_report *report, void *arg)
{
    return run_all(maker, report, arg, check_two_way);
}

int weir_check_half_closeable_stream(const struct weir_stream_maker *maker, weir_check_report *report, void *arg)
{
    return run_all(maker, report, arg, check_half_closeable);
}
