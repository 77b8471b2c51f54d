#include "twin.h"

static int main_task(void *arg)
{
    struct weir_event event;
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    struct weir_channel_statistics statistics;
    struct weir_scope scope;
    int message = 1, rc = 0;
    weir_event_init(&event);
    weir_event_set(&event);
    WEIR_TRY(weir_open_memory_channel(&send, &receive, 2, sizeof message, NULL, NULL));
    WEIR_TRY(weir_send(&send, &message));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        /* each could end without waiting */
        say("%s", name(weir_checkpoint()));
        say("%s", name(weir_sleep(0)));
        say("%s", name(weir_sleep(WEIR_SECONDS(1))));
        say("%s", name(weir_event_wait(&event)));
        say("%s", name(weir_send(&send, &message)));
        say("%s", name(weir_receive(&receive, &message)));
        say("%s", name(weir_checkpoint_if_cancelled()));
    }
    say("%s %s", yes(scope.cancel_called), yes(scope.cancelled_caught));
    weir_send_channel_statistics(&send, &statistics);
    say("buffered %zu", statistics.buffered);
    weir_send_channel_close(&send);
    weir_receive_channel_close(&receive);
    return weir_checkpoint();
}

TWIN(main_task)
