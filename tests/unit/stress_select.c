/* The stress, continued: weir_select over random things. Exactly one happens, and of the others nothing is left. */
#include "stress_places.h"

enum { CASES = 4 };

enum what { RECEIVE, SEND, RESERVE, EVENT, LOCK, SEMAPHORE, TOKEN, UNTIL, PARK, NEVER, KINDS };

struct wanted {
    enum what what;
    unsigned index;
    uint64_t message;
    struct weir_permit permit;
    char borrower;
    bool mine; /* the lock is ours already */
    weir_time until;
};

static struct weir_case choose(struct wanted *wanted)
{
    unsigned c = (unsigned)below(CHANNELS), l = (unsigned)below(LOCKS);
    *wanted = (struct wanted){.what = (enum what)below(KINDS)};
    switch (wanted->what) {
    case RECEIVE:
        return (struct weir_case)WEIR_CASE_RECEIVE(&places.receive[c], &wanted->message);
    case SEND:
        wanted->message = new_message();
        return (struct weir_case)WEIR_CASE_SEND(&places.send[c], &wanted->message);
    case RESERVE:
        return (struct weir_case)WEIR_CASE_RESERVE(&places.send[c], &wanted->permit);
    case EVENT:
        wanted->index = (unsigned)below(EVENTS);
        return (struct weir_case)WEIR_CASE_EVENT(&places.events[wanted->index]);
    case LOCK:
        wanted->index = l;
        wanted->mine = places.holders[l] == weir_current_task();
        return (struct weir_case)WEIR_CASE_LOCK(&places.locks[l]);
    case SEMAPHORE:
        return (struct weir_case)WEIR_CASE_SEMAPHORE(&places.semaphore);
    case TOKEN:
        return (struct weir_case)WEIR_CASE_CAPACITY_LIMITER_ON_BEHALF_OF(&places.limiter, &wanted->borrower);
    case UNTIL:
        wanted->until = weir_current_time() + (weir_time)below(20000) - 2000;
        return (struct weir_case)WEIR_CASE_UNTIL(wanted->until);
    case PARK:
        return (struct weir_case)WEIR_CASE_PARKING_LOT(&places.lots[below(LOTS)]);
    default:
        return (struct weir_case)WEIR_CASE_NEVER;
    }
}

static void use_permit(struct weir_permit *permit)
{
    uint64_t message = new_message();
    if (below(2) == 0) {
        weir_permit_release(permit);
        return;
    }
    int sent = weir_permit_send(permit, &message);
    MUST(sent == 0 || sent == -EPIPE);
    places.accepted[message] += sent == 0;
}

static void happened(struct wanted *wanted, int result)
{
    switch (wanted->what) {
    case RECEIVE:
        MUST(result == 0 || result == -ENODATA || result == -EBADF);
        if (result == 0)
            took(wanted->message);
        break;
    case SEND:
        MUST(result == 0 || result == -EPIPE || result == -EBADF);
        places.accepted[wanted->message] += result == 0;
        break;
    case RESERVE:
        MUST(result == 0 ? wanted->permit.channel != NULL : result == -EPIPE || result == -EBADF);
        if (result == 0)
            use_permit(&wanted->permit);
        break;
    case LOCK:
        MUST(result == (wanted->mine ? -EDEADLK : 0));
        if (result == 0) {
            locked(wanted->index);
            unlock(wanted->index);
            MUST(weir_lock_release(&places.locks[wanted->index]) == 0);
        }
        break;
    case SEMAPHORE:
        MUST(result == 0 && weir_semaphore_release(&places.semaphore) == 0);
        break;
    case TOKEN:
        MUST(result == 0 && weir_capacity_limiter_release_on_behalf_of(&places.limiter, &wanted->borrower) == 0);
        break;
    case UNTIL:
        MUST(result == 0 && weir_current_time() >= wanted->until);
        break;
    default:
        MUST(result == 0 && wanted->what != NEVER);
        break;
    }
}

/* Messages that were not sent must not arrive: close_places() sees to that. */
static void did_not_happen(const struct wanted *wanted)
{
    MUST(wanted->permit.channel == NULL);
    if (wanted->what == LOCK && !wanted->mine)
        MUST(weir_lock_owner(&places.locks[wanted->index]) != weir_current_task());
    MUST(!weir_capacity_limiter_is_borrower(&places.limiter, &wanted->borrower));
}

int select_some(void)
{
    struct wanted wanted[CASES];
    struct weir_case cases[CASES];
    unsigned count = 1 + (unsigned)below(CASES);
    bool waits = below(5) != 0;
    for (unsigned i = 0; i < count; i++)
        cases[i] = choose(&wanted[i]);
    int which = waits ? weir_select(cases, count) : weir_select_nowait(cases, count);
    MUST(which < (int)count && (which >= 0 || which == (waits ? -ECANCELED : -EAGAIN)));
    if (which >= 0)
        happened(&wanted[which], cases[which].result);
    for (unsigned i = 0; i < count; i++)
        if ((int)i != which)
            did_not_happen(&wanted[i]);
    return waits && was_cancelled(which, 0, 0) ? which : 0;
}
