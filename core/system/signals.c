/* Signals as something to wait for.
 *
 * For each kind of signal there is a stack of receivers, of any loops. The signal goes to the top one, as if each had
 * saved and replaced the handler of the one below; but they may be closed in any order. A handler may run in any
 * thread, while another one opens and closes receivers: so it touches nothing but its slot here, and whoever takes the
 * token away waits until no handler is inside. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <weir/system.h>

/* A receiver's part in one kind of signal. */
struct tap {
    struct weir_list pending; /* in the receiver's list */
    struct weir_list stacked; /* in the slot's          */
    struct weir_signal_state *receiver;
    int number;
};

struct weir_signal_state {
    struct weir_list open;    /* in the run's list */
    struct weir_list pending; /* taps with a signal that nobody has taken, the oldest first */
    struct weir_loop *loop;
    struct weir_token *token;
    struct weir_task *task; /* who waits */
    size_t count;
    struct tap taps[];
};

struct slot {
    struct weir_job job; /* on its way to some loop: many signals are one */
    _Atomic(struct weir_token *) token;
    atomic_uint inside;    /* handlers that may be about to use the token   */
    atomic_bool missed;    /* one found that the run of the token has ended */
    struct weir_list taps; /* the top one first; all zero: none yet, ever */
    struct sigaction before;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the stacks */
static struct slot slots[NSIG];

/* ---- in the handler ---- */

/* Without a token the handler is being given back: whoever has it now shall hear of it. */
static void on_signal(int number)
{
    struct slot *slot = &slots[number];
    int saved = errno;
    atomic_fetch_add(&slot->inside, 1);
    struct weir_token *token = atomic_load(&slot->token);
    if (token == NULL)
        raise(number); /* when this returns */
    else if (weir_token_run_soon(token, &slot->job) == -ESRCH)
        atomic_store(&slot->missed, true);
    atomic_fetch_sub(&slot->inside, 1);
    errno = saved;
}

/* ---- in the loop ---- */

static void receive(struct tap *tap)
{
    struct weir_signal_state *receiver = tap->receiver;
    if (weir_list_empty(&tap->pending))
        weir_list_append(&receiver->pending, &tap->pending);
    if (receiver->task != NULL) {
        weir_task_wake(receiver->task, 0);
        receiver->task = NULL;
    }
}

/* The receiver may have been closed meanwhile: then it is for the next one, or for whoever had the signal before. */
static void deliver(struct weir_job *job)
{
    struct slot *slot = WEIR_CONTAINER_OF(job, struct slot, job);
    struct weir_loop *loop = weir_current_loop();
    struct tap *tap, *found = NULL;
    pthread_mutex_lock(&lock);
    WEIR_LIST_FOREACH (tap, &slot->taps, struct tap, stacked)
        if (found == NULL && tap->receiver->loop == loop)
            found = tap;
    pthread_mutex_unlock(&lock);
    if (found != NULL)
        receive(found);
    else
        raise((int)(slot - slots));
}

/* ---- stacks ---- */

/* Says whose loop is told from now on. Nothing is missed: there is always one or the other. */
static void exchange_token(struct slot *slot, struct weir_token *token)
{
    struct weir_token *before = atomic_exchange(&slot->token, token != NULL ? weir_token_hold(token) : NULL);
    if (before == NULL)
        return;
    while (atomic_load(&slot->inside) != 0)
        sched_yield();
    weir_token_release(before);
}

static int push(struct tap *tap)
{
    struct slot *slot = &slots[tap->number];
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (slot->taps.next == NULL)
        weir_list_init(&slot->taps);
    bool first = weir_list_empty(&slot->taps);
    slot->job.fn = deliver;
    exchange_token(slot, tap->receiver->token);
    if (first && sigaction(tap->number, &action, &slot->before) < 0) {
        int code = -errno;
        exchange_token(slot, NULL);
        return code;
    }
    weir_list_append(slot->taps.next, &tap->stacked); /* on top */
    return 0;
}

static void give_back(int number, const struct sigaction *before)
{
    struct sigaction found;
    sigaction(number, NULL, &found);
    if (found.sa_handler == on_signal) /* else somebody has taken it since */
        sigaction(number, before, NULL);
}

static void pop(struct tap *tap)
{
    struct slot *slot = &slots[tap->number];
    weir_list_remove(&tap->stacked);
    struct tap *top = WEIR_LIST_FIRST(&slot->taps, struct tap, stacked);
    if (top == NULL)
        give_back(tap->number, &slot->before);
    exchange_token(slot, top != NULL ? top->receiver->token : NULL);
}

/* ---- receivers ---- */

static void pop_all(struct weir_signal_state *receiver, size_t count)
{
    pthread_mutex_lock(&lock);
    while (count > 0)
        pop(&receiver->taps[--count]);
    pthread_mutex_unlock(&lock);
}

static int push_all(struct weir_signal_state *receiver, const int *signals, size_t count)
{
    int rc = 0;
    size_t pushed = 0;
    pthread_mutex_lock(&lock);
    for (; pushed < count && rc == 0; pushed += rc == 0) {
        struct tap *tap = &receiver->taps[pushed];
        *tap = (struct tap){.receiver = receiver, .number = signals[pushed]};
        weir_list_init(&tap->pending);
        rc = push(tap);
    }
    pthread_mutex_unlock(&lock);
    if (rc < 0)
        pop_all(receiver, pushed);
    return rc;
}

/* What came and was not taken is raised again, as Trio does: it finds whoever has the signal now. */
static void raise_pending(struct weir_signal_state *receiver)
{
    struct tap *tap;
    WEIR_LIST_FOREACH (tap, &receiver->pending, struct tap, pending) {
        weir_list_remove(&tap->pending);
        raise(tap->number);
    }
    for (size_t i = 0; i < receiver->count; i++)
        if (atomic_exchange(&slots[receiver->taps[i].number].missed, false))
            raise(receiver->taps[i].number);
}

static void close_receiver(struct weir_signal_state *receiver)
{
    pop_all(receiver, receiver->count);
    weir_list_remove(&receiver->open);
    raise_pending(receiver);
    weir_token_release(receiver->token);
    free(receiver);
}

/* Each run knows its open receivers, so that none outlives it. */
static int open_list(void *state)
{
    weir_list_init(state);
    return 0;
}

static void close_list(void *state)
{
    struct weir_signal_state *receiver;
    WEIR_LIST_FOREACH (receiver, (struct weir_list *)state, struct weir_signal_state, open) {
        weir_log(WEIR_LOG_ERROR, "a signal receiver was left open: close it before the run ends");
        close_receiver(receiver);
    }
}

static const struct weir_run_state kept = {"signal receivers", sizeof(struct weir_list), open_list, close_list};

static int check(const int *signals, size_t count)
{
    if (count == 0)
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        if (signals[i] < 1 || signals[i] >= NSIG)
            return -EINVAL;
    return 0;
}

int weir_open_signal_receiver(struct weir_signal_receiver *opened, const int *signals, size_t count)
{
    void *list;
    *opened = (struct weir_signal_receiver){0};
    WEIR_TRY(check(signals, count));
    WEIR_TRY(weir_run_state_get(&kept, &list));
    struct weir_signal_state *receiver = calloc(1, sizeof *receiver + count * sizeof receiver->taps[0]);
    if (receiver == NULL)
        return -ENOMEM;
    receiver->loop = weir_current_loop();
    receiver->token = weir_current_token();
    receiver->count = count;
    weir_list_init(&receiver->pending);
    int rc = push_all(receiver, signals, count);
    if (rc < 0) {
        weir_token_release(receiver->token);
        free(receiver);
        return rc;
    }
    weir_list_append(list, &receiver->open);
    opened->state = receiver;
    return 0;
}

/* ---- waiting ---- */

static bool abort_wait(struct weir_task *task, void *arg)
{
    ((struct weir_signal_state *)arg)->task = NULL;
    return true;
}

static const struct weir_wait signal_wait = {.name = "weir_receive_signal", .abort = abort_wait};

/* Returns a signal that came, or 0. */
static int take(struct weir_signal_receiver *from)
{
    struct tap *tap = WEIR_LIST_FIRST(&from->state->pending, struct tap, pending);
    if (tap == NULL)
        return 0;
    weir_list_remove(&tap->pending);
    return tap->number;
}

int weir_receive_signal(struct weir_signal_receiver *from)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (from->state == NULL)
        return -EBADF;
    if (from->receiving)
        return -EBUSY;
    int number = take(from);
    if (number > 0) {
        weir_fast_path_done();
        return number;
    }
    from->receiving = true;
    from->state->task = weir_current_task();
    weir_expect_wake();
    int rc = weir_task_park(&signal_wait, from->state);
    weir_expect_no_wake();
    from->receiving = false;
    if (rc == 0)
        number = from->state != NULL ? take(from) : 0;
    return rc < 0 ? rc : number > 0 ? number : -EBADF; /* closed after we were woken */
}

size_t weir_signal_receiver_pending(const struct weir_signal_receiver *receiver)
{
    size_t count = 0;
    if (receiver->state != NULL)
        for (const struct weir_list *at = receiver->state->pending.next; at != &receiver->state->pending; at = at->next)
            count++;
    return count;
}

void weir_signal_receiver_close(struct weir_signal_receiver *receiver)
{
    struct weir_signal_state *state = receiver->state;
    if (state == NULL)
        return;
    receiver->state = NULL;
    if (state->task != NULL)
        weir_task_wake(state->task, -EBADF);
    close_receiver(state);
}

struct weir_signal_guard weir_signal_guard_open_(struct weir_signal_receiver *receiver, const int *signals,
                                                 size_t count, int *status)
{
    int rc = weir_open_signal_receiver(receiver, signals, count);
    if (rc < 0)
        *status = rc;
    return (struct weir_signal_guard){rc < 0 ? NULL : receiver};
}

void weir_signal_guard_close_(struct weir_signal_guard *guard)
{
    if (guard->open != NULL)
        weir_signal_receiver_close(guard->open);
    guard->open = NULL;
}
