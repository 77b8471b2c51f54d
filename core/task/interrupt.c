/* Ctrl-C and its kin end a run in good order: signals that interrupt the main thread's loop. */
#include "task_private.h"
#include <signal.h>
#include <unistd.h>

enum { PATIENCE = 3 };

/* Called by the loop, as any job. When the main task has ended already nobody will hear of it but who reads the run's
 * result. */
void weir_interrupt_run(struct weir_job *job)
{
    struct weir_loop *loop = weir_loop_;
    loop->interrupted_late = weir_list_empty(&loop->root.children);
    weir_scope_cancel_why(&loop->root.scope,
                          &(struct weir_reason){.what = "interrupted", .code = -EINTR, .loop = loop->number});
}

void weir_token_interrupt(struct weir_token *token)
{
    int queued = weir_token_run_soon(token, &token->interrupt);
    (void)queued; /* it is asked already, or has ended */
}

void weir_interrupt(struct weir_loop *loop)
{
    weir_token_interrupt(loop->token);
}

/* Signals are the process's, and its main thread runs one loop at a time. */
static struct weir_door door;
static struct weir_job interrupt = {.fn = weir_interrupt_run};
static atomic_int count;
static int caught; /* how many kinds */

static void on_signal(int number)
{
    if (atomic_fetch_add(&count, 1) + 1 >= PATIENCE) {
        struct sigaction fatal = {.sa_handler = SIG_DFL};
        sigaction(number, &fatal, NULL);
        raise(number); /* delivered when this handler returns */
    }
    int queued = weir_door_run_soon(&door, &interrupt);
    (void)queued; /* where there is no loop yet, it is counted */
}

void weir_signal_interrupts(int number, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (caught++ == 0)
        atomic_store(&count, 0);
    sigaction(number, &action, before);
}

void weir_signal_interrupts_no_more(int number, const struct sigaction *before)
{
    struct sigaction found;
    WEIR_ASSERT(caught > 0);
    caught--;
    sigaction(number, NULL, &found);
    if (found.sa_handler == on_signal) /* else somebody has taken it since */
        sigaction(number, before, NULL);
}

/* As in Trio: whoever has installed a handler keeps it. */
void weir_interrupts_begin(struct weir_loop *loop)
{
    struct sigaction found;
    if (gettid() != getpid())
        return;
    loop->interruptible = true;
    weir_door_open(&door, loop->token);
    sigaction(SIGINT, NULL, &found);
    loop->caught_sigint = found.sa_handler == SIG_DFL;
    if (loop->caught_sigint)
        weir_signal_interrupts(SIGINT, NULL);
    if (caught > 0 && atomic_load(&count) > 0) /* it came before there was a loop */
        weir_token_interrupt(loop->token);
}

void weir_interrupts_end(struct weir_loop *loop)
{
    if (!loop->interruptible)
        return;
    if (loop->caught_sigint)
        weir_signal_interrupts_no_more(SIGINT, &(struct sigaction){.sa_handler = SIG_DFL});
    weir_door_close(&door);
}
