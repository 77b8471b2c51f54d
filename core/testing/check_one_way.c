/* What a one-way stream must do. */
#include "check_private.h"

/* ---- sending and receiving ---- */

static int nothing_means_nothing(struct checker *c)
{
    struct call nothing = SEND(""), send = SEND("y"), receive = RECEIVE(1);
    nothing.next = &send;
    WEIR_TRY(weir_check_both(&nothing, &receive, false));
    WEIR_TRY(weir_check_want(&nothing, 0));
    WEIR_TRY(weir_check_want(&send, 0));
    return weir_check_want_bytes(&receive, "y");
}

static int in_pieces(struct checker *c)
{
    struct call send = SEND("ab"), a = RECEIVE(1), b = RECEIVE(1);
    a.next = &b;
    WEIR_TRY(weir_check_both(&send, &a, false));
    WEIR_TRY(weir_check_want_bytes(&a, "a"));
    WEIR_TRY(weir_check_want_bytes(&b, "b"));
    return weir_check_want(&send, 0);
}

static int of_size_0(struct checker *c)
{
    struct call nothing = RECEIVE(0);
    WEIR_TRY(weir_check_expect(&nothing, -EINVAL));
    return weir_check_sends_a_byte(c);
}

static int one_receiver(struct checker *c)
{
    struct call a = RECEIVE(1), b = RECEIVE(1);
    WEIR_TRY(weir_check_one_is_busy(&a, &b));
    return weir_check_sends_a_byte(c);
}

/* An empty stream from which somebody receives takes something. */
static int might_not_block(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER), receive = RECEIVE(1);
    WEIR_TRY(weir_check_both(&wait, &receive, true));
    WEIR_TRY(weir_check_want(&wait, 0));
    WEIR_TRY(weir_check_want(&receive, -ECANCELED));
    return weir_check_sends_a_byte(c);
}

/* ---- cancellation ---- */

static int cancelled_before(struct checker *c)
{
    struct call receive = RECEIVE(1), send = SEND("x"), nothing = SEND(""), wait = CALL(WAIT_SEND, SENDER),
                close_sender = CALL(CLOSE, SENDER), close_receiver = CALL(CLOSE, RECEIVER);
    WEIR_TRY(weir_check_expect_cancelled(&receive));
    WEIR_TRY(weir_check_expect_cancelled(&wait));
    WEIR_TRY(weir_check_expect_cancelled(&nothing));
    WEIR_TRY(weir_check_expect_cancelled(&send)); /* it may have been sent; but all can still be closed in order */
    WEIR_TRY(weir_check_both(&close_sender, &close_receiver, false));
    WEIR_TRY(weir_check_want(&close_sender, 0));
    return weir_check_want(&close_receiver, 0);
}

/* There is something to receive, so that it need not wait; and it takes nothing. */
static int cancelled_before_receiving(struct checker *c)
{
    struct call send = SEND("x"), cancelled = RECEIVE(1), receive = RECEIVE(1);
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, weir_check_call_task, &send);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        WEIR_DO(rc, weir_check_expect_cancelled(&cancelled));
        weir_check_call(&receive);
    }
    WEIR_TRY(rc);
    WEIR_TRY(weir_check_want(&send, 0));
    return weir_check_want_bytes(&receive, "x");
}

static int cancelled_while_receiving(struct checker *c)
{
    struct call receive = RECEIVE(1);
    WEIR_TRY(weir_check_cancelled_while_waiting(&receive));
    return weir_check_sends_a_byte(c);
}

/* ---- closing ---- */

/* What a closed sender, or receiver, answers, if it can be asked; and it can be closed again and again. */
static int sender_is_closed(struct checker *c)
{
    struct call send = SEND("x"), nothing = SEND(""), wait = CALL(WAIT_SEND, SENDER), again = CALL(CLOSE, SENDER);
    if (!weir_check_lives(c, SENDER))
        return 0;
    WEIR_TRY(weir_check_expect(&send, -EBADF));
    WEIR_TRY(weir_check_expect(&nothing, -EBADF));
    WEIR_TRY(weir_check_expect(&wait, -EBADF));
    WEIR_TRY(weir_check_expect(&again, 0));
    return weir_check_expect(&again, 0);
}

static int receiver_is_closed(struct checker *c)
{
    struct call receive = RECEIVE(1), again = CALL(CLOSE, RECEIVER);
    if (!weir_check_lives(c, RECEIVER))
        return 0;
    WEIR_TRY(weir_check_expect(&receive, -EBADF));
    WEIR_TRY(weir_check_expect(&again, 0));
    WEIR_TRY(weir_check_expect(&again, 0));
    return weir_check_expect(&receive, -EBADF);
}

static int close_receiver_by(struct checker *c, enum op op)
{
    struct call closes = CALL(op, RECEIVER), wait = CALL(WAIT_SEND, SENDER), close_sender = CALL(CLOSE, SENDER);
    WEIR_TRY(weir_check_expect(&closes, 0));
    WEIR_TRY(weir_check_breaks(c));
    WEIR_TRY(weir_check_breaks(c)); /* it stays broken */
    weir_check_call(&wait);
    WEIR_TRY(weir_check_want_broken_or(&wait, 0));
    WEIR_TRY(receiver_is_closed(c));
    WEIR_TRY(weir_check_expect(&close_sender, 0));
    return sender_is_closed(c);
}

static int close_receiver(struct checker *c)
{
    return close_receiver_by(c, CLOSE);
}

static int close_receiver_forcefully(struct checker *c)
{
    return close_receiver_by(c, CLOSE_FORCEFULLY);
}

static int abort_receiver(struct checker *c)
{
    return close_receiver_by(c, ABORT);
}

/* What was sent before is received, and then the end, as often as one asks. */
static int close_sender(struct checker *c)
{
    struct call send = SEND("y"), closes = CALL(CLOSE, SENDER), y = RECEIVE(1), end = RECEIVE(1), again = RECEIVE(1),
                close_receiver_too = CALL(CLOSE, RECEIVER);
    send.next = &closes;
    y.last = true; /* let it get as far as it can */
    y.next = &end;
    end.next = &again;
    WEIR_TRY(weir_check_both(&send, &y, false));
    WEIR_TRY(weir_check_want(&send, 0));
    WEIR_TRY(weir_check_want(&closes, 0));
    WEIR_TRY(weir_check_want_bytes(&y, "y"));
    WEIR_TRY(weir_check_want(&end, 0));
    WEIR_TRY(weir_check_want(&again, 0));
    WEIR_TRY(sender_is_closed(c));
    WEIR_TRY(weir_check_expect(&close_receiver_too, 0));
    return receiver_is_closed(c);
}

/* The receiver hears of it, as an end or as a break; but it does not wait for ever, nor get anything. */
static int close_sender_by(struct checker *c, enum op op)
{
    struct call closes = CALL(op, SENDER), receive = RECEIVE(1);
    WEIR_TRY(weir_check_expect(&closes, 0));
    WEIR_TRY(sender_is_closed(c));
    weir_check_call(&receive);
    WEIR_TRY(weir_check_want_broken_or(&receive, 0));
    weir_check_call(&receive);
    return weir_check_want_broken_or(&receive, 0);
}

static int close_sender_forcefully(struct checker *c)
{
    return close_sender_by(c, CLOSE_FORCEFULLY);
}

static int abort_sender(struct checker *c)
{
    return close_sender_by(c, ABORT);
}

static int close_cancelled(struct checker *c)
{
    struct call closes[] = {CALL(CLOSE, RECEIVER), CALL(CLOSE, SENDER)};
    struct weir_scope scope;
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            weir_check_call(&closes[i]);
        }
        if (closes[i].result != -ECANCELED)
            WEIR_TRY(weir_check_want(&closes[i], 0));
    }
    WEIR_TRY(sender_is_closed(c));
    return receiver_is_closed(c);
}

/* ---- closing wakes ---- */

static int closing_wakes(struct checker *c, struct call *call, enum op op)
{
    struct call closes = CALL(op, call->end);
    closes.last = true;
    WEIR_TRY(weir_check_both(call, &closes, false));
    WEIR_TRY(weir_check_want(&closes, 0));
    return weir_check_want(call, -EBADF);
}

static int closing_wakes_receiver(struct checker *c)
{
    struct call receive = RECEIVE(1);
    return closing_wakes(c, &receive, CLOSE);
}

static int forceful_closing_wakes_receiver(struct checker *c)
{
    struct call receive = RECEIVE(1);
    return closing_wakes(c, &receive, CLOSE_FORCEFULLY);
}

static int abort_wakes_receiver(struct checker *c)
{
    struct call receive = RECEIVE(1);
    return closing_wakes(c, &receive, ABORT);
}

static int the_end_wakes_receiver(struct checker *c)
{
    struct call receive = RECEIVE(1), closes = CALL(CLOSE, SENDER);
    closes.last = true;
    WEIR_TRY(weir_check_both(&receive, &closes, false));
    WEIR_TRY(weir_check_want(&closes, 0));
    return weir_check_want(&receive, 0);
}

/* ---- a stream that takes no more ---- */

/* Receives until `call`, which waits, has ended; it must not have ended before. */
static int ends_when_received(struct checker *c, struct call *call)
{
    struct call receive = RECEIVE(16);
    struct weir_nursery nursery;
    int rc = 0;
    call->nursery = &nursery;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, weir_check_call_task, call);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        if (call->result != UNFINISHED)
            break;
        while (weir_check_call(&receive) > 0 && !nursery.scope.cancel_called)
            continue;
    }
    WEIR_TRY(rc);
    if (receive.result == UNFINISHED)
        return weir_check_violated(c, "the stream was not clogged, or the call did not wait");
    if (receive.result < 0)
        WEIR_TRY(weir_check_want(&receive, -ECANCELED));
    return weir_check_want(call, 0);
}

static int wait_until_received(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER);
    return ends_when_received(c, &wait);
}

static int send_until_received(struct checker *c)
{
    struct call send = SEND("x");
    return ends_when_received(c, &send);
}

static int wait_and_wait(struct checker *c)
{
    struct call a = CALL(WAIT_SEND, SENDER), b = CALL(WAIT_SEND, SENDER);
    return weir_check_one_is_busy(&a, &b);
}

static int wait_and_send(struct checker *c)
{
    struct call a = CALL(WAIT_SEND, SENDER), b = SEND("123");
    return weir_check_one_is_busy(&a, &b);
}

static int send_and_send(struct checker *c)
{
    struct call a = SEND("123"), b = SEND("123");
    return weir_check_one_is_busy(&a, &b);
}

static int wait_cancelled(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER), closes = CALL(CLOSE, SENDER);
    WEIR_TRY(weir_check_cancelled_while_waiting(&wait));
    return weir_check_expect(&closes, 0);
}

static int send_cancelled(struct checker *c)
{
    struct call send = SEND("123"), closes = CALL(CLOSE, SENDER);
    WEIR_TRY(weir_check_cancelled_while_waiting(&send));
    return weir_check_expect(&closes, 0);
}

/* The receiver closes while the sender waits: it is woken, and a send breaks. */
static int wait_breaks(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER), closes = CALL(CLOSE_FORCEFULLY, RECEIVER);
    closes.last = true;
    WEIR_TRY(weir_check_both(&wait, &closes, false));
    return weir_check_want_broken_or(&wait, 0);
}

static int wait_breaks_by_abort(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER), closes = CALL(ABORT, RECEIVER);
    closes.last = true;
    WEIR_TRY(weir_check_both(&wait, &closes, false));
    return weir_check_want_broken_or(&wait, 0);
}

static int send_breaks(struct checker *c)
{
    struct call send = SEND("123"), closes = CALL(CLOSE, RECEIVER);
    closes.last = true;
    WEIR_TRY(weir_check_both(&send, &closes, false));
    return weir_check_want_broken(&send);
}

static int wait_when_broken(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER), closes = CALL(CLOSE_FORCEFULLY, RECEIVER);
    WEIR_TRY(weir_check_expect(&closes, 0));
    weir_check_call(&wait);
    return weir_check_want_broken_or(&wait, 0);
}

static int closing_wakes_send(struct checker *c)
{
    struct call send = SEND("xyzzy");
    return closing_wakes(c, &send, CLOSE_FORCEFULLY);
}

static int abort_wakes_send(struct checker *c)
{
    struct call send = SEND("xyzzy");
    return closing_wakes(c, &send, ABORT);
}

static int closing_wakes_wait(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER);
    return closing_wakes(c, &wait, CLOSE_FORCEFULLY);
}

static int abort_wakes_wait(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER);
    return closing_wakes(c, &wait, ABORT);
}

/* ---- all of them ---- */

const struct check weir_checks_one_way[] = {
    {"a byte is sent and received", weir_check_sends_a_byte, false},
    {"sending nothing means nothing", nothing_means_nothing, false},
    {"received in pieces", in_pieces, false},
    {"receiving nothing", of_size_0, false},
    {"two tasks receive", one_receiver, false},
    {"an empty stream takes something", might_not_block, false},
    {"cancelled before anything", cancelled_before, false},
    {"cancelled before receiving what is there", cancelled_before_receiving, false},
    {"cancelled while receiving", cancelled_while_receiving, false},
    {"the receiver closes", close_receiver, false},
    {"the receiver closes forcefully", close_receiver_forcefully, false},
    {"the receiver aborts", abort_receiver, false},
    {"sent, then closed", close_sender, false},
    {"the sender closes forcefully", close_sender_forcefully, false},
    {"the sender aborts", abort_sender, false},
    {"closed though cancelled", close_cancelled, false},
    {"closing wakes who receives", closing_wakes_receiver, false},
    {"forceful closing wakes who receives", forceful_closing_wakes_receiver, false},
    {"an abort wakes who receives", abort_wakes_receiver, false},
    {"the end wakes who receives", the_end_wakes_receiver, false},
    {"clogged: waits until something is received", wait_until_received, true},
    {"clogged: sends when something is received", send_until_received, true},
    {"clogged: two tasks wait to send", wait_and_wait, true},
    {"clogged: one waits to send, one sends", wait_and_send, true},
    {"clogged: two tasks send", send_and_send, true},
    {"clogged: cancelled while waiting to send", wait_cancelled, true},
    {"clogged: cancelled while sending", send_cancelled, true},
    {"clogged: the receiver closes while one waits to send", wait_breaks, true},
    {"clogged: the receiver aborts while one waits to send", wait_breaks_by_abort, true},
    {"clogged: the receiver closes while one sends", send_breaks, true},
    {"clogged: the receiver closes, then one waits to send", wait_when_broken, true},
    {"clogged: closing wakes who sends", closing_wakes_send, true},
    {"clogged: an abort wakes who sends", abort_wakes_send, true},
    {"clogged: closing wakes who waits to send", closing_wakes_wait, true},
    {"clogged: an abort wakes who waits to send", abort_wakes_wait, true},
};
const size_t weir_checks_one_way_count = sizeof weir_checks_one_way / sizeof *weir_checks_one_way;
