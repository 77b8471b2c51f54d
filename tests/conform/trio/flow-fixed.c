/* And the fix: the client sends in one task and receives in another. */
#include "flow.h"

enum { ALL = 10, ROOM = 2 };

static int sender(void *arg)
{
    for (int i = 0; i < ALL; i++) {
        WEIR_TRY(weir_send(&to_server.send, &i));
        say("sender: sent %d", i);
    }
    weir_send_channel_close(&to_server.send);
    return 0;
}

static int receiver(void *arg)
{
    return receive_back(ALL);
}

static int client(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sender, NULL);
        weir_start_soon(&nursery, receiver, NULL);
    }
    say("both: done");
    return rc;
}

FLOW_TWIN(ROOM, client)
