/* A value handed over first is delivered; a cancellation that came first takes nothing. */
#include "twin.h"

struct race {
    struct weir_scope scope;
    struct weir_send_channel send;
    struct weir_receive_channel receive;
    bool cancel_first;
};

static int racer(void *arg)
{
    struct race *race = arg;
    int message = 9;
    if (race->cancel_first)
        weir_scope_cancel(&race->scope);
    int rc = weir_send_nowait(&race->send, &message);
    say("racer: %s", rc == 0 ? "sent" : name(rc));
    weir_scope_cancel(&race->scope);
    return 0;
}

static int main_task(void *arg)
{
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        struct race race = {.cancel_first = i == 1};
        struct weir_nursery nursery;
        int message;
        WEIR_TRY(weir_open_memory_channel(&race.send, &race.receive, 0, sizeof message, NULL, NULL));
        weir_with_nursery (&nursery, rc) {
            weir_with_scope (&race.scope, rc) {
                weir_start_soon(&nursery, racer, &race);
                WEIR_DO(rc, weir_receive(&race.receive, &message));
                say("main: got %d", message);
            }
            say("main: %s %s", yes(race.scope.cancel_called), yes(race.scope.cancelled_caught));
        }
        weir_send_channel_close(&race.send);
        weir_receive_channel_close(&race.receive);
    }
    return rc;
}

TWIN(main_task)
