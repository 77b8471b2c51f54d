#include "twin.h"
#include <signal.h>
#include <unistd.h>

static int main_task(void *arg)
{
    struct weir_signal_receiver signals;
    struct weir_scope scope;
    int rc = 0;
    weir_with_signal_receiver (&signals, rc, SIGUSR1, SIGUSR2) {
        kill(getpid(), SIGUSR1);
        say("main: %s", yes(weir_receive_signal(&signals) == SIGUSR1));
        kill(getpid(), SIGUSR2);
        kill(getpid(), SIGUSR2);
        say("main: %s", yes(weir_receive_signal(&signals) == SIGUSR2));
        /* coalesced: there is no second one */
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_receive_signal(&signals);
        say("main: %s", yes(scope.cancelled_caught));
    }
    /* Ctrl-C is taken while it is open */
    weir_with_signal_receiver (&signals, rc, SIGINT) {
        kill(getpid(), SIGINT);
        say("main: %s", yes(weir_receive_signal(&signals) == SIGINT));
        rc = weir_sleep(WEIR_SECONDS(1));
    }
    say("main: not interrupted");
    return rc;
}

TWIN(main_task)
