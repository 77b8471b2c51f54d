/* Ctrl-C, SIGTERM and SIGHUP end a loop in good order. */
#include <signal.h>
#include <stdatomic.h>
#include <weir/lcore.h>

enum { PATIENCE = 3 };

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
enum { CAUGHT = sizeof(caught) / sizeof(caught[0]) };

/* Signals are the process's. */
static struct {
    _Atomic(struct weir_loop *) loop;
    atomic_int count;
    struct sigaction before[CAUGHT], pipe_before;
    bool catching;
} signals;

static void on_signal(int number)
{
    struct weir_loop *loop = atomic_load(&signals.loop);
    int count = atomic_fetch_add(&signals.count, 1) + 1;

    if (count >= PATIENCE) {
        struct sigaction fatal = {.sa_handler = SIG_DFL};

        sigaction(number, &fatal, NULL);
        raise(number); /* delivered when this handler returns */
    }
    if (loop != NULL)
        weir_interrupt(loop);
}

void weir_signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    WEIR_ASSERT(!signals.catching);
    signals.catching = true;
    for (int i = 0; i < CAUGHT; i++) {
        sigaction(caught[i], &action, &signals.before[i]);
        if (caught[i] == SIGHUP && signals.before[i].sa_handler == SIG_IGN) /* nohup(1) */
            sigaction(caught[i], &signals.before[i], NULL);
    }
    sigaction(SIGPIPE, &ignore, &signals.pipe_before);
}

void weir_signals_interrupt(struct weir_loop *loop)
{
    atomic_store(&signals.loop, loop);
    if (loop != NULL && atomic_load(&signals.count) > 0)
        weir_interrupt(loop);
}

int weir_signals_count(void)
{
    return atomic_load(&signals.count);
}

void weir_signals_restore(void)
{
    if (!signals.catching)
        return;
    signals.catching = false;
    atomic_store(&signals.loop, NULL);
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &signals.before[i], NULL);
    sigaction(SIGPIPE, &signals.pipe_before, NULL);
}
