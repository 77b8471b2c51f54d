/* Ctrl-C, SIGTERM and SIGHUP end a loop in good order, and may come while there is none. */
#include <signal.h>
#include <weir/lcore.h>

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
enum { CAUGHT = sizeof(caught) / sizeof(caught[0]) };

/* Signals are the process's. */
static struct {
    struct sigaction before[CAUGHT], pipe_before;
    bool catching;
} signals;

void weir_signals_catch(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    WEIR_ASSERT(!signals.catching);
    signals.catching = true;
    for (int i = 0; i < CAUGHT; i++) {
        weir_signal_interrupts(caught[i], &signals.before[i]);
        if (caught[i] == SIGHUP && signals.before[i].sa_handler == SIG_IGN) /* nohup(1) */
            sigaction(caught[i], &ignore, NULL);
    }
    sigaction(SIGPIPE, &ignore, &signals.pipe_before);
}

void weir_signals_restore(void)
{
    if (!signals.catching)
        return;
    signals.catching = false;
    for (int i = 0; i < CAUGHT; i++)
        weir_signal_interrupts_no_more(caught[i], &signals.before[i]);
    sigaction(SIGPIPE, &signals.pipe_before, NULL);
}
