/* What a stream must do that goes both ways, and one that half-closes. */
#include "check_private.h"

/* ---- both ways at once ---- */

enum { DUPLEX_SIZE = 1 << 20, CHUNK_MAX = 1 << 14 };

struct transfer {
    struct checker *c;
    int end;
    uint32_t salt; /* of what is sent */
    uint64_t seed; /* of the pieces   */
    struct weir_nursery *nursery;
    int result;
};

static uint8_t byte_at(uint32_t salt, uint32_t at)
{
    return (uint8_t)((at * 2654435761u ^ salt) >> 11);
}

static int send_pieces(struct transfer *transfer)
{
    uint8_t chunk[CHUNK_MAX];
    struct weir_rng rng;
    weir_rng_seed(&rng, transfer->seed);
    for (uint32_t at = 0; at < DUPLEX_SIZE;) {
        uint32_t size = 1 + (uint32_t)weir_rng_below(&rng, CHUNK_MAX);
        if (size > DUPLEX_SIZE - at)
            size = DUPLEX_SIZE - at;
        for (uint32_t i = 0; i < size; i++)
            chunk[i] = byte_at(transfer->salt, at + i);
        int rc = weir_send_all(transfer->c->ends[transfer->end], chunk, size);
        if (rc == -ECANCELED)
            return rc;
        if (rc < 0)
            return weir_check_violated(transfer->c, "send_all after %u bytes: %s", at, weir_error_name(rc));
        at += size;
    }
    return 0;
}

static int receive_pieces(struct transfer *transfer)
{
    uint8_t chunk[CHUNK_MAX];
    struct weir_rng rng;
    weir_rng_seed(&rng, transfer->seed);
    for (uint32_t at = 0; at < DUPLEX_SIZE;) {
        size_t size = 1 + weir_rng_below(&rng, CHUNK_MAX);
        int n = weir_receive_some(transfer->c->ends[transfer->end], chunk, size);
        if (n == -ECANCELED)
            return n;
        if (n <= 0 || n > (int)size)
            return weir_check_violated(transfer->c, "receive_some after %u bytes: %d", at, n);
        for (uint32_t i = 0; i < (uint32_t)n; i++, at++)
            if (chunk[i] != byte_at(transfer->salt, at))
                return weir_check_violated(transfer->c, "byte %u is not what was sent", at);
    }
    return 0;
}

static int transfer_task(struct transfer *transfer, int (*pieces)(struct transfer *transfer))
{
    if (transfer->nursery->scope.cancel_called)
        return 0;
    transfer->result = pieces(transfer);
    if (transfer->result < 0) /* told already; the others have nothing to say any more */
        weir_nursery_cancel(transfer->nursery);
    return 0;
}

static int send_task(void *transfer)
{
    return transfer_task(transfer, send_pieces);
}

static int receive_task(void *transfer)
{
    return transfer_task(transfer, receive_pieces);
}

static int duplex(struct checker *c)
{
    struct weir_nursery nursery;
    struct transfer sends[] = {{c, SENDER, 0x1234567, 1, &nursery, 0}, {c, RECEIVER, 0x89abcde, 2, &nursery, 0}};
    struct transfer receives[] = {{c, RECEIVER, 0x1234567, 3, &nursery, 0}, {c, SENDER, 0x89abcde, 4, &nursery, 0}};
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 2; i++) {
            weir_start_soon(&nursery, send_task, &sends[i]);
            weir_start_soon(&nursery, receive_task, &receives[i]);
        }
    }
    return rc;
}

/* ---- one end by two tasks ---- */

/* Receiving at an end is no hindrance to sending there. */
static int receive_while_sending(struct checker *c)
{
    struct call waiting = RECEIVE(1), answer = SEND("y");
    struct weir_nursery nursery;
    int rc = 0;
    waiting.end = SENDER;
    answer.end = RECEIVER;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, weir_check_call_task, &waiting);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        WEIR_DO(rc, weir_check_sends_a_byte(c));
        weir_check_call(&answer);
    }
    WEIR_TRY(rc);
    WEIR_TRY(weir_check_want(&answer, 0));
    return weir_check_want_bytes(&waiting, "y");
}

static int closing_is_the_end(struct checker *c)
{
    struct call receive = RECEIVE(10), closes = CALL(CLOSE, SENDER), close_too = CALL(CLOSE, RECEIVER);
    receive.next = &close_too;
    WEIR_TRY(weir_check_both(&receive, &closes, false));
    WEIR_TRY(weir_check_want(&receive, 0));
    WEIR_TRY(weir_check_want(&close_too, 0));
    return weir_check_want(&closes, 0);
}

const struct check weir_checks_two_way[] = {
    {"both ways at once", duplex, false},
    {"received where is sent", receive_while_sending, false},
    {"closing is the other end's end", closing_is_the_end, false},
};
const size_t weir_checks_two_way_count = sizeof weir_checks_two_way / sizeof *weir_checks_two_way;

/* ---- half-closing ---- */

/* Sends a byte and the end from one end, and receives them at the other. */
static int send_x_then_eof(struct checker *c, int from)
{
    struct call send = SEND("x"), eof = CALL(SEND_EOF, from), x = RECEIVE(10), end = RECEIVE(10), again = RECEIVE(10);
    send.end = from;
    x.end = end.end = again.end = !from;
    send.next = &eof;
    x.last = true;
    x.next = &end;
    end.next = &again;
    WEIR_TRY(weir_check_both(&send, &x, false));
    WEIR_TRY(weir_check_want(&send, 0));
    WEIR_TRY(weir_check_want(&eof, 0));
    WEIR_TRY(weir_check_want_bytes(&x, "x"));
    WEIR_TRY(weir_check_want(&end, 0));
    return weir_check_want(&again, 0);
}

static int half_close(struct checker *c)
{
    struct call send = SEND("y"), nothing = SEND(""), eof = CALL(SEND_EOF, SENDER),
                closes[2] = {CALL(CLOSE, 0), CALL(CLOSE, 1)};
    WEIR_TRY(send_x_then_eof(c, SENDER));
    WEIR_TRY(weir_check_expect(&send, -EBADF)); /* no more is sent */
    WEIR_TRY(weir_check_expect(&nothing, -EBADF));
    WEIR_TRY(weir_check_expect(&eof, 0)); /* again: nothing */
    WEIR_TRY(send_x_then_eof(c, RECEIVER));
    WEIR_TRY(weir_check_expect(&closes[0], 0));
    if (weir_check_lives(c, SENDER))
        WEIR_TRY(weir_check_expect(&eof, -EBADF));
    return weir_check_expect(&closes[1], 0);
}

static int half_close_cancelled(struct checker *c)
{
    struct call eof = CALL(SEND_EOF, SENDER);
    WEIR_TRY(weir_check_expect_cancelled(&eof));
    return weir_check_sends_a_byte(c); /* so it did not happen */
}

/* Half-closing is sending: not while another task does. */
static int not_while(struct checker *c, struct call *call)
{
    struct call eof = CALL(SEND_EOF, SENDER);
    eof.last = true;
    WEIR_TRY(weir_check_both(call, &eof, true));
    WEIR_TRY(weir_check_want(&eof, -EBUSY));
    return weir_check_want(call, -ECANCELED);
}

static int send_and_eof(struct checker *c)
{
    struct call send = SEND("x");
    return not_while(c, &send);
}

static int wait_and_eof(struct checker *c)
{
    struct call wait = CALL(WAIT_SEND, SENDER);
    return not_while(c, &wait);
}

const struct check weir_checks_half_closeable[] = {
    {"half-closed", half_close, false},
    {"cancelled before half-closing", half_close_cancelled, false},
    {"clogged: half-closed while one sends", send_and_eof, true},
    {"clogged: half-closed while one waits to send", wait_and_eof, true},
};
const size_t weir_checks_half_closeable_count = sizeof weir_checks_half_closeable / sizeof *weir_checks_half_closeable;
