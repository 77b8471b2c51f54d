/* The stress, continued: channels, permits, locks, a condition, a semaphore, a limiter, events and parking lots. */
#include "stress_places.h"

struct places places;

bool was_cancelled(int rc, int expected, int also)
{
    MUST(rc >= 0 || rc == -ECANCELED || rc == expected || rc == also);
    MUST(rc != -ECANCELED || world.toggles || weir_current_effective_deadline() == INT64_MIN);
    traced((uint64_t)rc);
    return rc == -ECANCELED;
}

static bool nest(void)
{
    return world.nested++ < 3000;
}

/* ---- messages ---- */

uint64_t new_message(void)
{
    MUST(places.messages < MESSAGES_MAX);
    return places.messages++;
}

void took(uint64_t message)
{
    places.arrived[message]++;
    traced(message);
}

static void destroyed(void *message, void *arg)
{
    places.arrived[*(uint64_t *)message]++;
}

static void open_channel(unsigned c)
{
    size_t capacity = c < CHANNELS - 1 ? c : WEIR_UNBOUNDED;
    int rc = weir_open_memory_channel(&places.send[c], &places.receive[c], capacity, sizeof(uint64_t), destroyed, NULL);
    MUST(rc == 0);
}

static int send_through(struct weir_send_channel *send)
{
    uint64_t message = new_message();
    bool waits = below(4) != 0;
    int rc = waits ? weir_send(send, &message) : weir_send_nowait(send, &message);
    if (rc == 0)
        places.accepted[message]++;
    if (rc == -EAGAIN && !waits)
        return 0;
    return was_cancelled(rc, -EPIPE, -EBADF) ? rc : 0;
}

static int receive_through(struct weir_receive_channel *receive)
{
    uint64_t message;
    bool waits = below(4) != 0;
    int rc = waits ? weir_receive(receive, &message) : weir_receive_nowait(receive, &message);
    if (rc == 0)
        took(message);
    if (rc == -EAGAIN && !waits)
        return 0;
    return was_cancelled(rc, -ENODATA, -EBADF) ? rc : 0;
}

static int iterate(struct weir_receive_channel *receive)
{
    uint64_t message, left = 1 + below(3);
    int rc = 0;
    weir_for_each_message (receive, &message, rc) {
        took(message);
        if (--left == 0)
            break;
    }
    return was_cancelled(rc, -EBADF, 0) ? rc : 0;
}

static int reserve(struct frame *frame, unsigned c)
{
    struct weir_permit permit;
    uint64_t message = new_message();
    int rc = weir_reserve(&places.send[c], &permit);
    MUST((rc == 0) == (permit.channel != NULL));
    if (rc < 0)
        return was_cancelled(rc, -EPIPE, -EBADF) ? rc : 0;
    rc = nest() ? act(frame) : 0;
    if (below(4) == 0) {
        weir_permit_release(&permit);
        return rc;
    }
    int sent = weir_permit_send(&permit, &message);
    MUST(sent == 0 || sent == -EPIPE);
    places.accepted[message] += sent == 0;
    return rc;
}

static int use_clone(unsigned c)
{
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    int rc = 0;
    if (below(2) == 0 && weir_send_channel_clone(&places.send[c], &send) == 0)
        weir_with_send_channel (&send)
            rc = send_through(&send);
    else if (weir_receive_channel_clone(&places.receive[c], &receive) == 0)
        weir_with_receive_channel (&receive)
            rc = receive_through(&receive);
    return rc;
}

/* Whoever waits on the ends is told; clones and permits may still be out. */
static void close_some(unsigned c)
{
    if (below(3) != 0)
        weir_send_channel_close(&places.send[c]);
    if (below(3) != 0)
        weir_receive_channel_close(&places.receive[c]);
    if (places.send[c].end.channel == NULL && places.receive[c].end.channel == NULL)
        open_channel(c);
}

/* ---- locks ---- */

void locked(unsigned which)
{
    MUST(weir_lock_owner(&places.locks[which]) == weir_current_task());
    MUST(places.holders[which] == NULL);
    places.holders[which] = weir_current_task();
}

void unlock(unsigned which)
{
    MUST(places.holders[which] == weir_current_task());
    places.holders[which] = NULL;
}

static int with_lock(struct frame *frame, unsigned which)
{
    bool mine = places.holders[which] == weir_current_task(), had = false;
    int rc = 0;
    weir_with_lock (&places.locks[which], rc) {
        had = true;
        locked(which);
        rc = nest() ? act(frame) : weir_checkpoint();
        if (rc == 0 && which == 0) {
            if (below(3) == 0) {
                unlock(which);
                rc = weir_condition_wait(&places.condition);
                locked(which);
            } else {
                weir_condition_notify(&places.condition, (unsigned)below(3));
            }
        }
        unlock(which);
    }
    MUST(mine ? !had : had || rc == -ECANCELED);
    return was_cancelled(rc, -EDEADLK, 0) ? rc : 0;
}

static int with_semaphore(struct frame *frame)
{
    int rc = 0;
    weir_with_semaphore (&places.semaphore, rc) {
        MUST(++places.semaphore_held <= SEMAPHORE_MAX);
        rc = nest() ? act(frame) : weir_checkpoint();
        places.semaphore_held--;
    }
    return was_cancelled(rc, 0, 0) ? rc : 0;
}

static int with_token(struct frame *frame)
{
    char borrower;
    int rc = weir_capacity_limiter_acquire_on_behalf_of(&places.limiter, &borrower);
    MUST(weir_capacity_limiter_is_borrower(&places.limiter, &borrower) == (rc == 0));
    if (rc < 0)
        return was_cancelled(rc, 0, 0) ? rc : 0;
    places.tokens_held++;
    rc = nest() ? act(frame) : weir_checkpoint();
    places.tokens_held--;
    MUST(weir_capacity_limiter_release_on_behalf_of(&places.limiter, &borrower) == 0);
    return rc;
}

/* ---- events and lots ---- */

static int use_event(struct weir_event *event)
{
    if (below(2) == 0) {
        int rc = weir_event_wait(event);
        return was_cancelled(rc, 0, 0) ? rc : 0;
    }
    weir_event_set(event);
    MUST(weir_event_waiting(event) == 0);
    if (below(2) == 0)
        weir_event_init(event);
    return 0;
}

static int use_lot(unsigned which)
{
    struct weir_parking_lot *lot = &places.lots[which];
    switch (below(4)) {
    case 0:
        weir_parking_lot_unpark(lot, (unsigned)below(3));
        return 0;
    case 1:
        weir_parking_lot_repark(lot, &places.lots[1 - which], (unsigned)below(3));
        return 0;
    default: {
        int rc = weir_parking_lot_park(lot);
        return was_cancelled(rc, 0, 0) ? rc : 0;
    }
    }
}

/* ---- what always holds ---- */

static void check_channel(unsigned c)
{
    struct weir_channel_statistics s;
    if (places.send[c].end.channel == NULL)
        return;
    weir_send_channel_statistics(&places.send[c], &s);
    MUST(s.tasks_waiting_receive == 0 || s.buffered == 0);
    MUST(s.capacity != WEIR_UNBOUNDED || s.tasks_waiting_send == 0);
    if (s.capacity != WEIR_UNBOUNDED && s.capacity > 0) {
        MUST(s.buffered + s.permits <= s.capacity);
        MUST(s.tasks_waiting_send == 0 || s.buffered + s.permits == s.capacity || s.open_receive_channels == 0);
    }
}

static void check_places(void)
{
    struct weir_capacity_limiter_statistics tokens;
    struct weir_semaphore_statistics semaphore;
    struct weir_lock_statistics lock;
    for (unsigned c = 0; c < CHANNELS; c++)
        check_channel(c);
    for (unsigned l = 0; l < LOCKS; l++) {
        weir_lock_statistics(&places.locks[l], &lock);
        MUST(lock.locked || lock.tasks_waiting == 0);
        MUST(places.holders[l] == NULL || places.holders[l] == lock.owner);
    }
    weir_semaphore_statistics(&places.semaphore, &semaphore);
    MUST(weir_semaphore_value(&places.semaphore) == 0 || semaphore.tasks_waiting == 0);
    MUST(weir_semaphore_value(&places.semaphore) + places.semaphore_held <= SEMAPHORE_MAX);
    weir_capacity_limiter_statistics(&places.limiter, &tokens);
    MUST(tokens.tasks_waiting == 0 || tokens.borrowed_tokens >= tokens.total_tokens);
    MUST(places.tokens_held <= tokens.borrowed_tokens);
}

int meet(struct frame *frame)
{
    unsigned c = (unsigned)below(CHANNELS);
    check_places();
    switch (below(20)) {
    case 0 ... 2:
        return send_through(&places.send[c]);
    case 3 ... 5:
        return receive_through(&places.receive[c]);
    case 6:
        return iterate(&places.receive[c]);
    case 7 ... 8:
        return reserve(frame, c);
    case 9:
        return use_clone(c);
    case 10:
        if (below(4) == 0)
            close_some(c);
        return 0;
    case 11 ... 12:
        return with_lock(frame, (unsigned)below(LOCKS));
    case 13:
        return with_semaphore(frame);
    case 14:
        if (below(3) == 0)
            MUST(weir_capacity_limiter_set_total_tokens(&places.limiter, 1 + (unsigned)below(3)) == 0);
        return with_token(frame);
    case 15:
        return use_event(&places.events[below(EVENTS)]);
    case 16:
        return use_lot((unsigned)below(LOTS));
    default:
        return select_some();
    }
}

/* ---- the beginning and the end ---- */

void open_places(void)
{
    memset(&places, 0, sizeof places);
    for (unsigned c = 0; c < CHANNELS; c++)
        open_channel(c);
    for (unsigned l = 0; l < LOCKS; l++)
        weir_lock_init(&places.locks[l]);
    weir_condition_init(&places.condition, &places.locks[0]);
    MUST(weir_semaphore_init(&places.semaphore, SEMAPHORE_MAX, SEMAPHORE_MAX) == 0);
    MUST(weir_capacity_limiter_init(&places.limiter, 2) == 0);
    for (unsigned e = 0; e < EVENTS; e++)
        weir_event_init(&places.events[e]);
    for (unsigned l = 0; l < LOTS; l++)
        weir_parking_lot_init(&places.lots[l]);
}

void close_places(void)
{
    struct weir_channel_statistics channel;
    struct weir_condition_statistics condition;
    struct weir_capacity_limiter_statistics tokens;
    check_places();
    for (unsigned c = 0; c < CHANNELS; c++) {
        weir_receive_channel_statistics(&places.receive[c], &channel);
        MUST(channel.permits == 0 && channel.tasks_waiting_send == 0 && channel.tasks_waiting_receive == 0);
        weir_send_channel_close(&places.send[c]);
        weir_receive_channel_close(&places.receive[c]);
    }
    for (uint64_t i = 0; i < places.messages; i++)
        MUST(places.accepted[i] <= 1 && places.arrived[i] == places.accepted[i]);
    weir_condition_statistics(&places.condition, &condition);
    MUST(condition.tasks_waiting == 0 && !weir_lock_locked(&places.locks[0]) && !weir_lock_locked(&places.locks[1]));
    MUST(weir_semaphore_value(&places.semaphore) == SEMAPHORE_MAX && places.semaphore_held == 0);
    weir_capacity_limiter_statistics(&places.limiter, &tokens);
    MUST(tokens.borrowed_tokens == 0 && tokens.tasks_waiting == 0 && places.tokens_held == 0);
    weir_capacity_limiter_destroy(&places.limiter);
    for (unsigned e = 0; e < EVENTS; e++)
        MUST(weir_event_waiting(&places.events[e]) == 0);
    for (unsigned l = 0; l < LOTS; l++)
        MUST(weir_parking_lot_waiting(&places.lots[l]) == 0);
}
